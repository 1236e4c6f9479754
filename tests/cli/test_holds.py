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
