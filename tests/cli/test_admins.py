"""`admin`, and the plan of a tenant."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def invite(terminal: Terminal, *names: str, role: str = "administrator") -> None:
    for name in names:
        who = ("acme", "--email", f"{name}@acme.example")
        terminal.do("admin", "add", *who, "--name", name.title(), "--role", role)
        terminal.do("admin", "accept", *who)


def test_administrators_are_invited_accept_and_are_listed_with_the_plans_numbers(acme: Terminal) -> None:
    assert "Nobody" in acme.do("admin", "list", "acme").out
    invite(acme, "bob")
    acme.do("admin", "add", "acme", "--email", "olga@acme.example", "--name", "Olga", "--role", "operator")
    said = acme.do("admin", "list", "acme", "--json")
    assert [(one["email"], one["role"], one["state"], one["last_active"]) for one in said.json] == [
        ("bob@acme.example", "administrator", "accepted", "2027-03-01T08:00:00Z"),
        ("olga@acme.example", "operator", "pending", None),
    ]
    assert "1 of 5 (plan standard)" in said.err


def test_BS_09_the_sixth_administrator_is_refused_with_the_plans_numbers(acme: Terminal) -> None:
    invite(acme, *"abcde")
    sixth = ("admin", "add", "acme", "--email", "f@acme.example", "--name", "F", "--role", "administrator")
    sentence = acme.refused(*sixth)
    assert "standard allows 5" in sentence and "contact us for a larger plan" in sentence
    acme.do("tenant", "update", "acme", "--plan", "enterprise")
    acme.do(*sixth)
    assert "allows 5 administrators, and there are 6" in acme.refused("tenant", "update", "acme", "--plan", "standard")


def test_BS_15_the_head_appoints_the_next_one_and_cannot_be_removed_before(acme: Terminal) -> None:
    invite(acme, "ada", "bob")
    assert acme.do("admin", "appoint-head", "acme", "--email", "ada@acme.example", "--json").json["role"] == "head"
    assert "--by" in acme.refused("admin", "appoint-head", "acme", "--email", "bob@acme.example")
    assert "Appoint another" in acme.refused("admin", "remove", "acme", "--email", "ada@acme.example")
    acme.do("admin", "appoint-head", "acme", "--email", "bob@acme.example", "--by", "ada@acme.example")
    removed = acme.do("admin", "remove", "acme", "--email", "ada@acme.example", "--json").json
    assert (removed["email"], removed["state"]) == ("ada@acme.example", "removed")
    assert [one["role"] for one in acme.do("admin", "list", "acme", "--json").json] == ["head"]


def test_a_license_administrator_names_a_product(acme: Terminal) -> None:
    who = ("admin", "add", "acme", "--email", "lea@acme.example", "--name", "Lea", "--role", "license_administrator")
    assert "--product" in acme.refused(*who)
    assert "Suite" in acme.refused(*who, "--product", "Fax")
    assert acme.do(*who, "--product", "Suite", "--json").json["products"] == ["Suite"]


def test_a_tenants_plan_is_chosen_when_it_is_made_and_listed(terminal: Terminal) -> None:
    terminal.do("tenant", "create", "small", "--name", "Small", "--plan", "essential")
    assert terminal.do("tenant", "list", "--json").json[0]["plan"] == "essential"
    assert "gold" in terminal.refused("tenant", "update", "small", "--plan", "gold")
