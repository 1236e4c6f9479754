"""Every name that a person can type is asked the same: some characters, not too many, on one line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal, Write, group

TYPE = ("license-type", "create", "acme", "NEW")
NAMED = {
    "tenant": ("tenant", "create", "other", "--name"),
    "tenant again": ("tenant", "update", "acme", "--name"),
    "connection": ("connection", "create", "acme", "--profile", "rfc", "--name"),
    "administrator": ("admin", "add", "acme", "--email", "bob@acme.example", "--role", "operator", "--name"),
    "type": (*TYPE, "--name"),
    "type again": ("license-type", "update", "acme", "basic", "--name"),
    "type in French": (*TYPE, "--name", "New", "--name-fr"),
    "product": (*TYPE, "--name", "New", "--product"),
    "family": (*TYPE, "--name", "New", "--family"),
    "contract": ("contract", "create", "acme", "--seats", "basic=1", "--number"),
    "renewed contract": ("contract", "renew", "acme", "--number", "C-1", "--as"),
    "plan": ("contract", "create", "acme", "--number", "C-2", "--seats", "basic=1", "--plan"),
    "contact": ("contract", "create", "acme", "--number", "C-2", "--seats", "basic=1", "--contact"),
    "group": ("rule", "create", "acme", "--type", "basic", "--group"),
}
BAD = {"empty": "", "blank": " ", "too long": "n" * 257, "on two lines": "a\nb", "with an escape": "a\x1b[31mb"}


@pytest.mark.parametrize("name", NAMED.values(), ids=NAMED)
def test_a_name_that_nobody_could_read_is_refused_and_nothing_is_made(acme: Terminal, name: tuple[str, ...]) -> None:
    before = acme.do("log", "list", "acme", "--json").json
    for bad in BAD.values():
        said = acme.refused(*name, bad)
        assert said.isprintable() and ("1 to 256 characters" in said or "blank" in said), said
    assert acme.do("log", "list", "acme", "--json").json == before
    assert "other" not in acme.do("tenant", "list").out


@pytest.mark.parametrize("name", NAMED.values(), ids=NAMED)
def test_a_name_in_any_script_is_taken(acme: Terminal, name: tuple[str, ...]) -> None:
    acme.do(*name, "Éva & Söhne\N{NO-BREAK SPACE}: 王 😀")


def test_a_rule_takes_the_name_of_a_group_that_is_there_as_it_is(acme: Terminal, write: Write) -> None:
    odd = "g\t" * 150
    write(group(odd))
    assert acme.do("rule", "create", "acme", "--group", odd, "--type", "basic", "--json").json["group"] == odd


def test_an_argument_that_is_no_text_is_refused(acme: Terminal) -> None:
    said = acme.refused("assign", "acme", "--user", "alice", "--type", "basic", "--note", "caf\udce9")
    assert said == "The argument 'caf\\udce9' is not UTF-8 text. Set the terminal to UTF-8, and type it again."
