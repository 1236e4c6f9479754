"""`license-type`, `contract`, `rule`."""

from __future__ import annotations

from tests.cli.conftest import Terminal, Write, group, person


def test_a_license_type_is_made_with_all_that_was_said(terminal: Terminal) -> None:
    terminal.do("tenant", "create", "acme", "--name", "Acme Inc.")
    options = ("--product", "Suite", "--family", "suite", "--rank", "20", "--exit-grace", "2h")
    made = terminal.do("license-type", "create", "acme", "pro", "--name", "Pro", *options, "--json").json
    expected = {"type": "pro", "name": "Pro", "product": "Suite", "family": "suite", "rank": 20, "free": False}
    assert {name: made[name] for name in expected} == expected
    assert (made["exit_grace"], made["retired"]) == ("2h", False)


def test_a_free_type_has_no_limit(acme: Terminal) -> None:
    acme.do("license-type", "create", "acme", "guest", "--name", "Guest", "--free")
    rows = {one["type"]: one for one in acme.do("seats", "acme", "--json").json}
    assert rows["guest"]["limit"] is None
    assert rows["basic"]["limit"] == 1


def test_seats_of_a_contract_can_be_said_one_after_another_and_again(acme: Terminal) -> None:
    seats = ("--seats", "basic=5", "professional=4")
    made = acme.do("contract", "create", "acme", "--number", "C-2", *seats, "--ends", "2028-03-01T00:00:00Z", "--json")
    assert made.json["seats"] == {"basic": 5, "professional": 4}
    assert made.json["ends"] == "2028-03-01T00:00:00Z"
    acme.do("contract", "create", "acme", "--number", "C-3", "--seats", "basic=1", "--seats", "professional=2")
    limits = {one["type"]: one["limit"] for one in acme.do("seats", "acme", "--json").json}
    assert limits == {"basic": 7, "professional": 7}


def test_seats_of_one_type_said_twice_are_refused(acme: Terminal) -> None:
    sentence = acme.refused("contract", "create", "acme", "--number", "C-2", "--seats", "basic=5", "basic=6")
    assert "twice" in sentence


def test_seats_that_are_none_are_refused_with_how_to_write_them(acme: Terminal) -> None:
    assert "basic=40" in acme.refused("contract", "set-seats", "acme", "--number", "C-1", "basic")


def test_setting_seats_below_use_is_refused_with_the_excess(acme: Terminal, write: Write) -> None:
    write(person("alice"))
    acme.do("assign", "acme", "--user", "alice", "--type", "basic")
    assert "1" in acme.refused("contract", "set-seats", "acme", "--number", "C-1", "basic=0")
    changed = acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=9", "--json").json
    assert changed["seats"]["basic"] == 9


def test_a_rule_awaits_its_group_and_binds_to_it(acme: Terminal, write: Write) -> None:
    made = acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic", "--priority", "50", "--json").json
    assert (made["state"], made["priority"]) == ("unbound", 50)
    write(group("Sales"))
    assert acme.do("rule", "list", "acme", "--json").json[0]["state"] == "bound"


def test_a_deleted_rule_is_gone_and_cannot_be_deleted_again(acme: Terminal) -> None:
    rule = ("acme", "--group", "Sales", "--type", "basic")
    acme.do("rule", "create", *rule)
    acme.do("rule", "delete", *rule)
    assert acme.do("rule", "list", "acme", "--json").json == []
    assert "Sales" in acme.refused("rule", "delete", *rule)


def test_a_group_name_that_a_shell_left_blank_gives_nobody_a_license(acme: Terminal) -> None:
    for name in ("", "  "):
        sentence = acme.refused("rule", "create", "acme", "--group", name, "--type", "basic")
        assert "--group" in sentence and "displayName" in sentence
    assert acme.do("rule", "list", "acme", "--json").json == []
