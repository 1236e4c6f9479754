"""`--dry-run` and `--version`: what a change would do, in words and as data, and doing exactly that (A-12)."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import Terminal, Write, group, person

RULE = ("acme", "--group", "Sales", "--type", "basic")


def members(write: Write, *names: str) -> None:
    write(group("Sales", *[write(person(name)) for name in names]))


def test_A_12_a_dry_run_prints_names_dates_seats_and_the_version_and_changes_nothing(
    acme: Terminal, write: Write
) -> None:
    members(write, "alice", "bob")
    said = acme.do("rule", "create", *RULE, "--dry-run").out
    assert "  alice: basic, none -> assigned" in said
    assert "  bob: basic, none -> waiting (cap_reached) place 1 in the queue" in said
    assert "  basic: used 0 -> 1, limit 1 -> 1, waiting 0 -> 1" in said
    assert "professional" not in said
    assert acme.do("rule", "list", "acme", "--json").json == []
    assert acme.do("people", "acme", "--json").json == []


def test_A_12_the_same_as_data_and_applied_by_its_version(acme: Terminal, write: Write) -> None:
    members(write, "alice", "bob")
    found = acme.do("rule", "create", *RULE, "--dry-run", "--json").json
    assert [(one["user"], one["type"], one["state"], one["source"]) for one in found["gaining"]] == [
        ("alice", "basic", "assigned", ["group"])
    ]
    assert [(one["user"], one["position"]) for one in found["waiting"]] == [("bob", 1)]
    assert seats(found, "basic") == {
        "type": "basic",
        "before": {"used": 0, "limit": 1, "waiting": 0},
        "after": {"used": 1, "limit": 1, "waiting": 1},
    }
    acme.do("rule", "create", *RULE, "--version", found["version"])
    rows = acme.do("people", "acme", "--json").json
    assert {one["user"]: one["state"] for one in rows} == {"alice": "assigned", "bob": "waiting"}


def seats(found: Any, code: str) -> Any:
    return next(one for one in found["seats"] if one["type"] == code)


def test_A_12_a_stale_version_is_refused_with_a_fresh_preview(acme: Terminal, write: Write) -> None:
    members(write, "alice")
    version = acme.do("rule", "create", *RULE, "--dry-run", "--json").json["version"]
    write(person("bob"))
    acme.do("assign", "acme", "--user", "bob", "--type", "basic")
    said = acme.run("rule", "create", *RULE, "--version", version)
    assert said.status == 2
    assert said.err.strip().endswith("[stale_preview]")
    assert "alice: basic, none -> waiting" in said.out
    assert acme.do("rule", "list", "acme", "--json").json == []
    as_data = acme.run("rule", "create", *RULE, "--version", version, "--json")
    assert as_data.json["refused"]["code"] == "stale_preview"
    acme.do("rule", "create", *RULE, "--version", as_data.json["version"])


def test_A_12_names_are_capped_in_print_and_whole_in_data(acme: Terminal, write: Write) -> None:
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=50")
    members(write, *[f"user{number:02}" for number in range(25)])
    said = acme.do("rule", "create", *RULE, "--dry-run").out
    assert "Gaining a license: 25" in said
    assert "user19" in said
    assert "user20" not in said
    assert "and 5 more" in said
    assert len(acme.do("rule", "create", *RULE, "--dry-run", "--json").json["gaining"]) == 25


def test_E_8_a_rule_of_many_people_is_deleted_only_with_the_version_of_its_preview(
    acme: Terminal, write: Write
) -> None:
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=50")
    members(write, *[f"user{number:02}" for number in range(25)])
    acme.do("rule", "create", *RULE)
    said = acme.run("rule", "delete", *RULE, "--json")
    assert said.status == 2
    assert "[preview_required]" in said.err
    found = json.loads(said.out)
    assert found["refused"]["code"] == "preview_required"
    assert len(found["losing"]) == 25
    assert {one["at_once"] for one in found["losing"]} == {True}
    acme.do("rule", "delete", *RULE, "--version", found["version"])
    assert acme.do("people", "acme", "--json").json == []
