"""`token`: shown once, alone on standard output."""

from __future__ import annotations

from scim_service.access import credentials
from tests.cli.conftest import Terminal


def test_the_token_stands_alone_on_standard_output(acme: Terminal) -> None:
    said = acme.do("token", "create", "acme", "--connection", "okta")
    assert credentials.TOKEN.fullmatch(said.out.rstrip("\n"))
    assert "only now" in said.err


def test_a_list_shows_prefix_scope_and_end_but_no_secret(acme: Terminal) -> None:
    token = acme.do("token", "create", "acme", "--connection", "okta", "--scope", "read", "--days", "30").out.strip()
    said = acme.do("token", "list", "acme", "--connection", "okta", "--json")
    assert [(one["prefix"], one["scope"], one["state"]) for one in said.json] == [(token[5:13], "read", "live")]
    assert said.json[0]["until"] == "2027-03-31T08:00:00Z"
    assert token not in said.out


def test_a_list_of_another_connection_does_not_show_it(acme: Terminal) -> None:
    acme.do("connection", "create", "acme", "--name", "other", "--profile", "rfc")
    acme.do("token", "create", "acme", "--connection", "okta")
    assert acme.do("token", "list", "acme", "--connection", "other", "--json").json == []


def test_a_revoked_token_is_listed_as_revoked_and_is_not_revoked_twice(acme: Terminal) -> None:
    prefix = acme.do("token", "create", "acme", "--connection", "okta").out[5:13]
    acme.do("token", "revoke", "acme", prefix)
    assert acme.do("token", "list", "acme", "--json").json[0]["state"] == "revoked"
    assert "revoked already" in acme.refused("token", "revoke", "acme", prefix)


def test_a_rotated_token_lives_beside_its_successor_for_the_overlap(acme: Terminal) -> None:
    old = acme.do("token", "create", "acme", "--connection", "okta").out[5:13]
    new = acme.do("token", "rotate", "acme", "--connection", "okta", old, "--overlap", "2h").out[5:13]
    listed = {one["prefix"]: one for one in acme.do("token", "list", "acme", "--json").json}
    assert (listed[old]["state"], listed[old]["until"]) == ("live", "2027-03-01T10:00:00Z")
    assert listed[new]["state"] == "live"


def test_an_unknown_prefix_and_a_life_of_1000_days_are_refused(acme: Terminal) -> None:
    assert "0000" in acme.refused("token", "revoke", "acme", "00000000")
    assert "730" in acme.refused("token", "create", "acme", "--connection", "okta", "--days", "1000")


def test_a_token_of_a_person_has_its_own_scope(acme: Terminal) -> None:
    acme.do("person", "add", "acme", "--user", "mara@example.com")
    token = acme.do("token", "create", "acme", "--connection", "okta", "--user", "Mara@example.com").out.strip()
    listed = acme.do("token", "list", "acme", "--json").json
    assert [one["scope"] for one in listed if one["prefix"] == token[5:13]] == ["me"]
    both = ("--user", "mara@example.com", "--scope", "read")
    assert "--scope" in acme.refused("token", "create", "acme", "--connection", "okta", *both)
    assert "nobody" in acme.refused("token", "create", "acme", "--connection", "okta", "--user", "nobody")
