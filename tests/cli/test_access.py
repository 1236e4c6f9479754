"""`tenant` and `connection`."""

from __future__ import annotations

from scim_service import idp
from tests.cli.conftest import Terminal


def test_a_tenant_is_made_with_its_exit_grace(terminal: Terminal) -> None:
    made = terminal.do("tenant", "create", "acme", "--name", "Acme Inc.", "--exit-grace", "24h", "--json").json
    assert (made["tenant"], made["name"]) == ("acme", "Acme Inc.")
    assert made["exit_grace"] in {"24h", "1d"}


def test_a_name_that_nobody_could_read_is_refused(terminal: Terminal) -> None:
    terminal.do("tenant", "create", "globex", "--name", "x" * 256)
    for name in ("", "  ", "two\nlines", "x" * 257, "\u202eemcA"):
        assert "1 to 256" in terminal.refused("tenant", "create", "acme", "--name", name)
        assert "1 to 256" in terminal.refused("connection", "create", "globex", "--name", name, "--profile", "rfc")
    assert len(terminal.do("tenant", "list", "--json").json) == 1
    assert terminal.do("connection", "list", "globex", "--json").json == []


def test_a_second_tenant_of_the_same_slug_is_refused(terminal: Terminal) -> None:
    terminal.do("tenant", "create", "acme", "--name", "Acme Inc.")
    assert "already a tenant" in terminal.refused("tenant", "create", "acme", "--name", "Another")


def test_a_slug_that_is_none_is_refused(terminal: Terminal) -> None:
    assert "slug" in terminal.refused("tenant", "create", "Acme Inc", "--name", "Acme")


def test_a_duration_that_is_none_is_refused_with_how_to_write_it(terminal: Terminal) -> None:
    assert "24h" in terminal.refused("tenant", "create", "acme", "--name", "Acme", "--exit-grace", "a while")


def test_every_profile_can_be_given_to_a_connection_and_shows_its_guide(acme: Terminal) -> None:
    for name, profile in idp.PROFILES.items():
        acme.do("connection", "create", "acme", "--name", f"my-{name}", "--profile", name)
        said = acme.do("connection", "show", "acme", "--name", f"my-{name}", SCIM_PUBLIC_URL="https://scim.example").out
        assert "https://scim.example/scim/v2" in said
        assert "Authorization: Bearer" in said
        assert f"{len(profile.guide)}. " in said
        assert "{url}" not in said


def test_an_unknown_profile_is_refused_with_those_that_exist(acme: Terminal) -> None:
    sentence = acme.refused("connection", "create", "acme", "--name", "x", "--profile", "fax")
    assert all(name in sentence for name in idp.PROFILES)


def test_a_connection_that_nobody_has_used_was_never_seen(acme: Terminal) -> None:
    shown = acme.do("connection", "show", "acme", "--name", "okta", "--json").json
    assert shown["profile"] == "okta"
    assert shown["last_seen"] is None


def test_an_unknown_connection_is_refused_with_those_that_exist(acme: Terminal) -> None:
    assert "okta" in acme.refused("connection", "show", "acme", "--name", "entra")


def test_tenants_connections_and_license_types_are_listed(acme: Terminal) -> None:
    assert [one["tenant"] for one in acme.do("tenant", "list", "--json").json] == ["acme"]
    [listed] = acme.do("connection", "list", "acme", "--json").json
    assert (listed["connection"], listed["profile"], listed["last_seen"]) == ("okta", "okta", None)
    types = {
        one["type"]: (one["family"], one["free"]) for one in acme.do("license-type", "list", "acme", "--json").json
    }
    assert types["professional"] == ("suite", False)
