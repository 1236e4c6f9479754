"""`hold list|confirm|undo`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scim_service.directory import users
from scim_service.protocol.patch import Operation
from scim_service.storage.work import Work
from tests.cli.conftest import Terminal, Write, group, person

NAMES = [f"p{number:02}" for number in range(12)]


@pytest.fixture
def removed(acme: Terminal, write: Write) -> Terminal:
    """Twelve people hold all twelve seats of `basic`; the provider deactivates eleven of them and deletes the last."""
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=12")
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic", "--exit-grace", "0")
    ids = [write(person(name)) for name in NAMES]
    write(group("Sales", *ids))

    for one in ids[:11]:
        write(deactivated(one))
    write(lambda work: users.delete(work, ids[11]))
    return acme


def deactivated(user_id: str) -> Callable[[Work], object]:
    """Deactivates a person."""
    return lambda work: users.patch(work, user_id, [Operation("replace", "active", False)])


def test_E_27_what_is_held_is_listed_and_undone(removed: Terminal) -> None:
    held = {one["user"]: one["state"] for one in removed.do("hold", "list", "acme", "--json").json}
    assert held == {"p10": "deactivated", "p11": "deleted"}
    assert "2027-03-02T08:00:00Z" in removed.do("hold", "list", "acme").out
    assert "would be" in removed.do("hold", "undo", "acme", "--dry-run").out
    assert len(removed.do("hold", "list", "acme", "--json").json) == 2
    told = removed.do("hold", "undo", "acme", "--json").json
    assert [one["user"] for one in told["restored"]] == ["p10"]
    assert [one["user"] for one in told["waiting_for"]] == ["p11"]
    assert [(one["user"], one["state"]) for one in removed.do("people", "acme", "--json").json] == [("p10", "assigned")]


def test_A_12_a_hold_is_undone_by_the_version_of_its_preview(removed: Terminal) -> None:
    said = removed.do("hold", "undo", "acme", "--dry-run").out
    assert "1 people would be active again" in said and "p10: basic, suspended -> assigned" in said
    would = removed.do("hold", "undo", "acme", "--dry-run", "--json").json
    assert [one["user"] for one in would["restored"]] == [one["user"] for one in would["gaining"]] == ["p10"]
    assert f"--version {would['version']}" in said
    stale = removed.run("hold", "undo", "acme", "--version", "000000000000")
    assert stale.status == 2 and "[stale_preview]" in stale.err and "Gaining a license: 1" in stale.out
    assert len(removed.do("hold", "list", "acme", "--json").json) == 2
    done = removed.do("hold", "undo", "acme", "--version", would["version"], "--json").json
    assert [one["user"] for one in done["restored"]] == ["p10"]


def test_A_12_a_hold_is_confirmed_by_the_version_of_its_preview(removed: Terminal, write: Write) -> None:
    write(group("Sales 2", *[write(person(f"q{number:02}")) for number in range(11)]))
    removed.do("rule", "create", "acme", "--group", "Sales 2", "--type", "basic")
    would = removed.do("hold", "confirm", "acme", "--dry-run", "--json").json
    assert [one["user"] for one in would["gaining"]] == ["q10"]
    assert [(one["user"], one["type"]) for one in would["served"]] == [("q10", "basic")]
    write(person("zoe"))
    removed.do("contract", "set-seats", "acme", "--number", "C-1", "basic=13")
    stale = removed.run("hold", "confirm", "acme", "--version", would["version"], "--json")
    assert (stale.status, stale.json["refused"]["code"]) == (2, "stale_preview")
    assert len(removed.do("hold", "list", "acme", "--json").json) == 2
    removed.do("hold", "confirm", "acme", "--version", stale.json["version"])
    assert removed.do("hold", "list", "acme", "--json").json == []


def test_E_27_a_confirmed_removal_hands_the_seats_over_and_a_dry_run_does_not(removed: Terminal, write: Write) -> None:
    write(group("Sales 2", *[write(person(f"q{number:02}")) for number in range(11)]))
    removed.do("rule", "create", "acme", "--group", "Sales 2", "--type", "basic")
    would = removed.do("hold", "confirm", "acme", "--type", "basic", "--dry-run", "--json").json
    assert would["served"] == [{"user": "q10", "type": "basic"}] and would["dry_run"] is True
    assert len(removed.do("hold", "list", "acme", "--json").json) == 2
    done = removed.do("hold", "confirm", "acme", "--type", "basic")
    assert "2 seats are let go" in done.out and "q10 (basic)" in done.out
    assert "No seat is held" in removed.do("hold", "list", "acme").out
    assert "'fax'" in removed.refused("hold", "list", "acme", "--type", "fax")
