"""`assign`, `unassign`, `seats`, `people`, `explain`, `group list`."""

from __future__ import annotations

from tests.cli.conftest import Terminal, Write, group, person


def test_an_assigned_person_holds_a_seat_and_an_unassigned_one_does_not(acme: Terminal, write: Write) -> None:
    write(person("alice"))
    who = ("acme", "--user", "alice", "--type", "basic")
    assert acme.do("assign", *who, "--json").json["state"] == "assigned"
    assert [(one["user"], one["state"]) for one in acme.do("people", "acme", "--json").json] == [("alice", "assigned")]
    acme.do("unassign", *who)
    assert acme.do("people", "acme", "--json").json == []
    assert "Nobody" in acme.do("people", "acme").out


def test_a_direct_license_at_a_full_cap_is_refused(acme: Terminal, write: Write) -> None:
    for name in ("alice", "bob"):
        write(person(name))
    acme.do("assign", "acme", "--user", "alice", "--type", "basic")
    assert "1" in acme.refused("assign", "acme", "--user", "bob", "--type", "basic")


def test_an_inherited_license_is_not_unassigned_and_the_refusal_names_the_group(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice"))))
    assert "Sales" in acme.refused("unassign", "acme", "--user", "alice", "--type", "basic")


def test_seats_show_what_is_used_and_who_waits(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice")), write(person("bob"))))
    row = acme.do("seats", "acme", "--json").json[-1]
    assert (row["type"], row["used"], row["limit"], row["waiting"]) == ("basic", 1, 1, 1)
    heads, *rows = acme.do("seats", "acme").lines
    assert (
        " ".join(heads.split())
        == "TYPE NAME PRODUCT FAMILY RANK USED LIMIT WAITING GRACE CAP OVERAGE SUSPENDED BLOCKED NOT ACCEPTED DROPS"
    )
    assert rows[-1].split() == [
        "basic",
        "Basic",
        "Suite",
        "suite",
        "10",
        "1",
        "1",
        "1",
        "0",
        "1",
        "0",
        "0",
        "0",
        "0",
        "-",
    ]


def test_people_can_be_asked_by_type_and_state_and_waiting_people_have_a_place(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice")), write(person("bob"))))
    waiting = acme.do("people", "acme", "--type", "basic", "--state", "waiting", "--json").json
    assert [(one["user"], one["position"]) for one in waiting] == [("bob", 1)]
    assert acme.do("people", "acme", "--type", "professional", "--json").json == []


def test_an_explanation_tells_the_state_the_claims_and_the_path(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Company", "--type", "basic")
    inner = write(group("Sales", write(person("alice"))))
    write(group("Company", inner))
    told = acme.do("explain", "acme", "--user", "alice").out
    assert "basic: assigned" in told
    assert "Company" in told
    assert "Sales" in told
    record = acme.do("explain", "acme", "--user", "alice", "--type", "basic", "--json").json[0]
    assert len(record["claims"]) == 1
    assert record["claims"][0]["paths"] == [["Company", "Sales"]]
    assert (record["decided_by"], record["numbers"]["used"], record["numbers"]["limit"]) == ("Company", 1, 1)


def test_A_11_an_explanation_is_a_sentence_in_the_language_that_is_asked_for(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice")), write(person("bob"))))
    english = acme.do("explain", "acme", "--user", "bob", "--type", "basic")
    assert "no seat is free (1 of 1 used); the smallest change: 1 seat of basic." in english.out
    french = acme.do("explain", "acme", "--user", "bob", "--type", "basic", "--lang", "fr")
    assert (
        "aucune place n’est libre (1 sur 1)\u202f; le plus petit changement\u00a0: 1 place du type basic." in french.out
    )
    assert acme.run("explain", "acme", "--user", "bob", "--lang", "de").status == 2
    none = acme.do("explain", "acme", "--user", "bob", "--type", "professional", "--json").json[0]
    assert (none["state"], none["reason"], none["change"]["kind"]) == ("none", "no_reason", "assign")


def test_groups_are_listed_with_and_without_rules(acme: Terminal, write: Write) -> None:
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("alice"))))
    write(group("Support"))
    listed = {one["group"]: one for one in acme.do("group", "list", "acme", "--json").json}
    assert (listed["Sales"]["members"], listed["Sales"]["types"], listed["Sales"]["connection"]) == (
        1,
        ["basic"],
        "okta",
    )
    assert [one["group"] for one in acme.do("group", "list", "acme", "--with-rules", "--json").json] == ["Sales"]
    assert [one["group"] for one in acme.do("group", "list", "acme", "--without-rules", "--json").json] == ["Support"]


def test_an_unknown_person_is_refused(acme: Terminal) -> None:
    for command in ("assign", "unassign", "explain"):
        assert "userName" in acme.refused(command, "acme", "--user", "nobody", "--type", "basic")


def test_a_person_of_another_tenant_is_as_one_that_never_was(acme: Terminal, write: Write) -> None:
    write(person("alice"))
    acme.do("tenant", "create", "globex", "--name", "Globex")
    acme.do("license-type", "create", "globex", "basic", "--name", "Basic")
    foreign = acme.refused("explain", "globex", "--user", "alice")
    assert foreign.replace("alice", "nobody") == acme.refused("explain", "globex", "--user", "nobody")
    assert acme.do("people", "globex", "--json").json == []
