"""`invitation create|list|resend|remind|remove`, `admin resend`, and the letters of `person add` and `import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.work import Work
from tests.cli.conftest import Terminal, Write

BOB = "bob@acme.example"
LATER = {"SCIM_CLOCK": "2027-03-01T08:10:00Z"}
_outbox = tables.delivery.outbox
_LETTERS = sa.select(_outbox).where(_outbox.c.tenant_id == sa.bindparam("tenant")).order_by(_outbox.c.seq)


@pytest.fixture
def letters(write: Write) -> Any:
    """The letters so far: (name, recipient, facts)."""

    def read(work: Work) -> list[tuple[str, str, Any]]:
        return [(row.letter, row.recipient, json.loads(row.facts)) for row in work.rows(_LETTERS)]

    return lambda: write(read)


def test_T_1_somebody_is_invited_with_a_seat_and_listed_with_what_comes_next(acme: Terminal, letters: Any) -> None:
    words = ("invitation", "create", "acme", "--email", BOB, "--given-name", "Bob", "--type", "basic")
    said = acme.do(*words, "--language", "fr")
    assert said.out.strip() == f"{BOB} is invited at {BOB} with basic: assigned."
    assert [one[:2] for one in letters()] == [("invitation", BOB), ("verification", BOB)]
    [asked, verified] = acme.do("invitation", "list", "acme", "--json").json
    assert {name: asked[name] for name in ("user", "kind", "state", "type", "step", "next", "next_at", "until")} == {
        "user": BOB,
        "kind": "invitation",
        "state": "open",
        "type": "basic",
        "step": 0,
        "next": "reminder",
        "next_at": "2027-03-02T08:00:00Z",
        "until": "2027-03-12T08:00:00Z",
    }
    assert (verified["kind"], verified["next"], verified["next_at"]) == ("verification", None, None)
    shown = acme.do("person", "show", "acme", "--user", BOB, "--json").json
    assert (shown["status"], shown["provisioned_by"], shown["invitation"]) == ("invited", "console", "open")
    [person] = acme.do("people", "acme", "--json").json
    assert (person["user"], person["state"], person["status"]) == (BOB, "assigned", "invited")
    assert {one["type"]: one["not_accepted"] for one in acme.do("seats", "acme", "--json").json} == {
        "basic": 1,
        "professional": 0,
    }


def test_A_12_an_invitation_is_previewed_and_made_by_its_version(acme: Terminal, letters: Any) -> None:
    words = ("invitation", "create", "acme", "--email", BOB, "--type", "basic")
    would = acme.do(*words, "--dry-run", "--json").json
    assert [one["user"] for one in would["gaining"]] == [BOB]
    assert letters() == []
    acme.do(*words, "--version", would["version"])
    would = acme.do("invitation", "remove", "acme", "--user", BOB, "--dry-run", "--json").json
    assert [one["user"] for one in would["losing"]] == [BOB]
    gone = acme.do("invitation", "remove", "acme", "--user", BOB, "--version", would["version"], "--json").json
    assert gone == {"user": BOB, "state": "removed", "person_gone": True}
    assert "no person" in acme.refused("person", "show", "acme", "--user", BOB)


def test_T_7_an_invitation_is_reminded_of_and_resent_but_not_too_often(acme: Terminal, letters: Any) -> None:
    acme.do("invitation", "create", "acme", "--email", BOB)
    assert "[too_often]" in acme.refused("invitation", "remind", "acme", "--user", BOB)
    told = acme.do("invitation", "remind", "acme", "--user", BOB, "--json", **LATER).json
    assert (told["kind"], told["cycle"], told["next_at"]) == ("invitation", 2, "2027-03-02T08:00:00Z")
    later = {"SCIM_CLOCK": "2027-03-01T09:00:00Z"}
    told = acme.do("invitation", "resend", "acme", "--user", BOB, "--json", **later).json
    assert (told["cycle"], told["next_at"]) == (3, "2027-03-02T09:00:00Z")
    assert [one[0] for one in letters()] == ["invitation", "verification", "invitation_reminder", "invitation"]


def test_an_invitation_that_cannot_be_is_refused_with_what_to_do(acme: Terminal) -> None:
    create = ("invitation", "create", "acme", "--email")
    assert "Nobody was invited" in acme.do("invitation", "list", "acme").out
    assert "no e-mail address" in acme.refused(*create, "bob")
    assert "no license type" in acme.refused(*create, BOB, "--type", "gold")
    acme.do(*create, BOB, "--type", "basic")
    assert "[invited_already]" in acme.refused(*create, BOB)
    assert "[seat_limit_reached]" in acme.refused(*create, "ann@acme.example", "--type", "basic")
    for word in ("resend", "remind", "remove"):
        assert "no person" in acme.refused("invitation", word, "acme", "--user", "nobody")


def test_BS_06_an_administrators_invitation_is_resent_and_listed_with_its_ladder(acme: Terminal, letters: Any) -> None:
    who = ("acme", "--email", BOB)
    acme.do("admin", "add", *who, "--name", "Bob", "--role", "operator")
    assert "[too_often]" in acme.refused("admin", "resend", *who)
    assert "sent again" in acme.do("admin", "resend", *who, **LATER).out
    [row] = acme.do("admin", "list", "acme", "--json").json
    assert (row["state"], row["step"], row["next_at"]) == ("pending", 0, "2027-03-02T08:10:00Z")
    assert [one[0] for one in letters()] == ["administrator_invited"] * 2
    acme.do("admin", "accept", *who)
    assert "[accepted]" in acme.refused("admin", "resend", *who, SCIM_CLOCK="2027-03-02T08:00:00Z")


def test_BW_24_and_N_3_a_new_person_is_told_where_that_is_ticked(acme: Terminal, letters: Any) -> None:
    acme.do("person", "add", "acme", "--user", "ann", "--email", "ann@acme.example")
    assert letters() == []
    bob = ("--user", "bob", "--email", BOB, "--type", "basic", "--notify")
    acme.do("person", "add", "acme", *bob)
    assert letters() == [
        ("access_created", BOB, {"type": {"code": "basic", "name": "Basic"}, "user_name": "bob"}),
    ]
    assert "[no_address]" in acme.refused("person", "add", "acme", "--user", "cem", "--notify")
    assert "no person" in acme.refused("person", "show", "acme", "--user", "cem")
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=2")
    copied = ("--from", "bob", "--user", "dan", "--email", "dan@acme.example", "--notify")
    acme.do("person", "copy", "acme", *copied)
    assert [one[:2] for one in letters()][1:] == [("access_created", "dan@acme.example")]


def test_N_3_an_import_tells_those_whose_row_says_so_and_once(acme: Terminal, letters: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"email,license_type,notify\nann@acme.example,,no\n{BOB},basic,yes\n", encoding="utf-8")
    for _ in range(2):
        acme.do("import", "acme", str(file))
    assert [one[:2] for one in letters()] == [("access_created", BOB)]
