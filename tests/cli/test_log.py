"""`log list`, `log replay`."""

from __future__ import annotations

from scim_service.storage import tables
from tests.cli.conftest import Terminal, Write, group, person

_ledger = tables.licensing.ledger
_claims = tables.licensing.claims


def busy(acme: Terminal, write: Write) -> str:
    """A group of two people at one seat; the id of the first."""
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    alice = str(write(person("alice")))
    write(group("Sales", alice, write(person("bob"))))
    return alice


def test_D_17_the_log_lists_what_happened_about_a_subject_or_since_an_instant(acme: Terminal, write: Write) -> None:
    alice = busy(acme, write)
    about = acme.do("log", "list", "acme", "--subject", alice, "--json").json
    assert [one["action"] for one in about] == ["user:created", "claim:added", "license:assigned"]
    assert (about[0]["actor"], about[2]["data"]["type"]) == ("connection:okta", "basic")
    assert acme.do("log", "list", "acme", "--since", "2028-01-01T00:00:00Z").out == "Nothing happened.\n"
    latest = acme.do("log", "list", "acme", "--limit", "1", "--since", "2027-01-01T00:00:00Z", "--json").json
    assert [one["action"] for one in latest] == ["license:waiting"]
    assert "license:waiting" in acme.do("log", "list", "acme").lines[-1]


def test_I_6_the_log_replayed_from_empty_says_what_the_tables_say(acme: Terminal, write: Write) -> None:
    busy(acme, write)
    said = acme.do("log", "replay", "acme", "--check")
    assert said.lines == [
        "The log comes to: types 2, contracts 1, rules 1, claims 2, licenses 2, parked 0, ledger 2.",
        "The tables say the same.",
    ]
    assert acme.do("log", "replay", "acme").lines == said.lines[:1]
    assert acme.do("log", "replay", "acme", "--check", "--json").json["findings"] == []


def test_I_6_a_table_that_the_log_does_not_explain_is_found_with_status_2(acme: Terminal, write: Write) -> None:
    busy(acme, write)
    write(lambda work: work.execute(_ledger.update().where(_ledger.c.tenant_id == work.tenant_id).values(consuming=7)))
    write(lambda work: work.execute(_claims.delete().where(_claims.c.tenant_id == work.tenant_id, _claims.c.seq == 1)))
    said = acme.run("log", "replay", "acme", "--check")
    assert said.status == 2
    assert "ledger: basic: used is 7 in the table, 1 by the log." in said.lines
    assert any(line.startswith("claims: ") and line.endswith("is in the log only.") for line in said.lines)
    found = acme.run("log", "replay", "acme", "--check", "--json").json["findings"]
    assert {one["kind"] for one in found} == {"claims", "ledger"}
