"""`person`, `seat`, and the terms of `assign`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal, Write, group, person

SINCE = "2027-03-01T08:00:00Z"


def states(terminal: Terminal, code: str) -> dict[str, str]:
    rows = terminal.do("people", "acme", "--type", code, "--json").json
    return {one["user"]: one["state"] for one in rows}


def made(terminal: Terminal, name: str, *more: str) -> None:
    terminal.do("person", "add", "acme", "--user", name, *more)


def test_BW_22_a_person_is_made_with_names_an_address_and_a_license(acme: Terminal) -> None:
    names = ("--given-name", "Alice", "--family-name", "Martin", "--email", "alice@acme.example")
    record = acme.do("person", "add", "acme", "--user", "alice", *names, "--type", "basic", "--json").json
    assert (record["user"], record["type"], record["state"]) == ("alice", "basic", "assigned")
    shown = acme.do("person", "show", "acme", "--user", "ALICE", "--json").json
    assert (shown["id"], shown["active"], shown["banned"]) == (record["id"], True, False)
    assert [(one["type"], one["state"], one["source"]) for one in shown["licenses"]] == [
        ("basic", "assigned", ["direct"])
    ]


def test_E_1_without_a_free_seat_nobody_is_made_and_the_code_says_so(acme: Terminal) -> None:
    made(acme, "alice", "--type", "basic")
    sentence = acme.refused("person", "add", "acme", "--user", "bob", "--type", "basic")
    assert "1 of 1" in sentence
    assert sentence.endswith("[seat_limit_reached]")
    assert acme.refused("person", "show", "acme", "--user", "bob").endswith("[unknown_person]")


def test_A_12_a_new_person_is_previewed_and_made_by_the_version(acme: Terminal) -> None:
    new = ("person", "add", "acme", "--user", "bob", "--type", "basic")
    found = acme.do(*new, "--dry-run", "--json").json
    assert [(one["user"], one["type"], one["state"]) for one in found["gaining"]] == [("bob", "basic", "assigned")]
    assert acme.run("person", "show", "acme", "--user", "bob").status == 2
    acme.do(*new, "--version", found["version"])
    assert states(acme, "basic") == {"bob": "assigned"}


def test_LX_14_somebody_is_put_in_the_place_of_who_leaves(acme: Terminal) -> None:
    made(acme, "alice", "--type", "basic")
    record = acme.do("person", "add", "acme", "--user", "bob", "--replace", "alice", "--json").json
    assert (record["type"], record["state"]) == ("basic", "assigned")
    assert states(acme, "basic") == {"bob": "assigned"}
    assert acme.do("person", "show", "acme", "--user", "alice", "--json").json["active"] is False


def test_E_15_a_copy_has_the_type_and_the_grants_and_cannot_change_it(acme: Terminal) -> None:
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=2")
    made(acme, "alice", "--type", "basic")
    acme.do("person", "grants", "acme", "--user", "alice", "--add", "file-1", "--add", "file-2", "--team", "B")
    record = acme.do("person", "copy", "acme", "--from", "alice", "--user", "bob", "--json").json
    assert (record["type"], record["state"], record["grants"]) == ("basic", "assigned", 2)
    change = ("seat", "change-type", "acme", "--user", "bob", "--type", "basic", "--to", "professional")
    assert acme.refused(*change).endswith("[locked_type]")


def test_E_10_E_11_deactivate_and_reactivate(acme: Terminal) -> None:
    made(acme, "alice", "--type", "basic")
    lost = acme.do("person", "deactivate", "acme", "--user", "alice", "--dry-run", "--json").json["losing"]
    assert [(one["user"], one["type"]) for one in lost] == [("alice", "basic")]
    assert acme.do("person", "deactivate", "acme", "--user", "alice", "--json").json == {
        "user": "alice",
        "active": False,
    }
    assert states(acme, "basic") == {}
    assert "alice is active now" in acme.do("person", "reactivate", "acme", "--user", "alice").out
    assert states(acme, "basic") == {"alice": "assigned"}


def test_E_13_a_ban_wants_a_reason_and_is_lifted_by_hand(acme: Terminal) -> None:
    made(acme, "mallory", "--type", "basic")
    who = ("acme", "--user", "mallory")
    assert "--reason" in acme.refused("person", "ban", *who)
    assert acme.refused("person", "ban", *who, "--reason", " ").endswith("[blank_reason]")
    record = acme.do("person", "ban", *who, "--reason", "fraud", "--json").json
    assert record == {"user": "mallory", "banned": True, "reason": "fraud", "since": SINCE}
    assert acme.refused("person", "reactivate", *who).endswith("[person_banned]")
    shown = acme.do("person", "show", *who, "--json").json
    assert (shown["ban_reason"], shown["flags"]["sessions_void_before"]) == ("fraud", SINCE)
    acme.do("person", "unban", *who)
    assert states(acme, "basic") == {"mallory": "assigned"}
    assert acme.refused("person", "unban", *who).endswith("[not_banned]")


def test_E_23_switches_are_set_and_shown(acme: Terminal) -> None:
    made(acme, "alice")
    who = ("person", "flags", "acme", "--user", "alice")
    [row] = acme.do(*who, "--void-api-keys", "--must-change-password", "--reason", "lost", "--json").json
    assert (row["api_keys_void_before"], row["must_change_password"], row["privacy_override"]) == (SINCE, SINCE, None)
    [row] = acme.do(*who, "--may-keep-password", "--json").json
    assert (row["api_keys_void_before"], row["must_change_password"]) == (SINCE, None)
    assert acme.do(*who, "--json").json == [row]


def test_D_18_grants_are_added_taken_back_and_listed(acme: Terminal) -> None:
    made(acme, "alice")
    who = ("person", "grants", "acme", "--user", "alice")
    assert "alice has no grant" in acme.do(*who).out
    acme.do(*who, "--add", "file-1", "--add", "file-2")
    assert acme.refused(*who, "--remove", "file-3", "--add", "file-4").endswith("[no_grant]")
    rows = acme.do(*who, "--remove", "file-1", "--json").json
    assert rows == [{"resource": "file-2", "team": None, "since": SINCE}]


def test_LX_09_what_a_person_may_do_is_shown_to_readers_too(acme: Terminal) -> None:
    made(acme, "alice", "--type", "basic")
    acme.do("person", "grants", "acme", "--user", "alice", "--add", "file-1", "--team", "B")
    lines = acme.do("person", "show", "acme", "--user", "alice").out
    assert "active: yes" in lines
    assert "file-1" in lines
    assert "basic" in lines


def test_E_12_suspend_and_resume_hold_the_seat_or_free_it(acme: Terminal) -> None:
    made(acme, "alice", "--type", "basic")
    who = ("acme", "--user", "alice", "--type", "basic")
    assert acme.do("seat", "suspend", *who, "--json").json == {"user": "alice", "type": "basic", "state": "suspended"}
    assert "seat_limit_reached" in acme.refused("person", "add", "acme", "--user", "bob", "--type", "basic")
    assert acme.do("seat", "resume", *who, "--json").json["state"] == "assigned"
    acme.do("seat", "suspend", *who, "--free-seat")
    made(acme, "bob", "--type", "basic")
    assert "basic of alice is waiting" in acme.do("seat", "resume", *who).out


def test_E_9_remove_takes_back_what_was_given_and_names_the_group_of_what_was_not(acme: Terminal, write: Write) -> None:
    made(acme, "alice", "--type", "basic")
    assert acme.do("seat", "remove", "acme", "--user", "alice", "--json").json == [
        {"user": "alice", "type": "basic", "state": "released"}
    ]
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("bob"))))
    sentence = acme.refused("seat", "remove", "acme", "--user", "bob", "--type", "basic")
    assert "'Sales'" in sentence
    assert "--exclude" in sentence
    assert sentence.endswith("[inherited_license]")


@pytest.mark.parametrize("create", [False, True])
def test_E_14_a_license_is_reassigned_to_somebody_old_or_new(acme: Terminal, create: bool) -> None:
    made(acme, "alice", "--type", "basic")
    more = ("--create", "--given-name", "Bob") if create else ()
    if not create:
        made(acme, "bob")
        assert "--create" in acme.refused(
            "seat", "reassign", "acme", "--from", "alice", "--to", "bob", "--type", "basic", "--email", "b@acme.example"
        )
    act = ("seat", "reassign", "acme", "--from", "alice", "--to", "bob", "--type", "basic", *more)
    version = acme.do(*act, "--dry-run", "--json").json["version"]
    record = acme.do(*act, "--version", version, "--json").json
    assert record == {"user": "bob", "type": "basic", "state": "assigned"}
    assert states(acme, "basic") == {"bob": "assigned"}


def test_E_16_a_type_is_changed_or_pinned(acme: Terminal, write: Write) -> None:
    made(acme, "alice", "--type", "basic")
    change = ("seat", "change-type", "acme", "--user", "alice")
    assert acme.do(*change, "--type", "basic", "--to", "professional", "--json").json["state"] == "assigned"
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "professional")
    acme.do("seat", "remove", "acme", "--user", "alice")
    write(group("Sales", write(person("bob"))))
    pin = ("seat", "change-type", "acme", "--user", "bob", "--type", "professional", "--to", "basic")
    assert "--pin" in acme.refused(*pin)
    assert "bob has basic instead of professional: assigned" in acme.do(*pin, "--pin").out


def test_E_17_convert_is_tried_first_and_then_done(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice"))))
    acme.do("assign", "acme", "--user", "alice", "--type", "basic")
    found = acme.do("seat", "convert", "acme", "--dry-run", "--json").json
    assert (found["gaining"], found["losing"], found["moving"]) == ([], [], [])
    assert acme.do("seat", "convert", "acme", "--version", found["version"], "--json").json == [
        {"user": "alice", "type": "basic", "outcome": "converted"}
    ]
    assert "Nobody has a type both" in acme.do("seat", "convert", "acme").out


def test_E_26_assign_takes_a_pin_an_expiry_and_a_note_and_takes_them_back(acme: Terminal) -> None:
    made(acme, "alice")
    who = ("assign", "acme", "--user", "alice", "--type", "basic")
    acme.do(*who, "--pin", "--expires", "2027-03-02T08:00:00Z", "--note", "trial")
    explain = ("explain", "acme", "--user", "alice", "--type", "basic", "--json")
    [claim] = acme.do(*explain).json[0]["claims"]
    assert (claim["pinned"], claim["expires_at"], claim["note"]) == (True, "2027-03-02T08:00:00Z", "trial")
    acme.do(*who, "--expires", "never", "--unpin")
    [claim] = acme.do(*explain).json[0]["claims"]
    assert (claim["pinned"], claim["expires_at"], claim["note"]) == (False, None, "trial")
    assert acme.refused(*who, "--expires", "2027-03-01T08:00:00Z").endswith("[past_expiry]")
    assert "never" in acme.refused(*who, "--expires", "soon") or "instant" in acme.refused(*who, "--expires", "soon")


def test_a_term_without_a_license_is_a_wrong_command(acme: Terminal) -> None:
    assert "--type" in acme.refused("person", "add", "acme", "--user", "alice", "--note", "trial")
