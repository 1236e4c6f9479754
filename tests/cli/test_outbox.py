"""`outbox list|show|retry`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scim_service.delivery import outbox
from scim_service.delivery.letters import samples
from scim_service.storage import tables
from tests.cli.conftest import Terminal, Write

OUTBOX = tables.delivery.outbox
LINK = {"kind": "invitation", "seq": 17, "cycle": 2}
SERVER = {"SCIM_SMTP_URL": "smtp://127.0.0.1:25", "SCIM_SECRET_KEY": "a key for tests only, long enough to be one"}


@pytest.fixture
def posted(acme: Terminal, write: Write) -> Terminal:
    """Three letters: one waits, one was sent, one is dead."""
    facts = {**samples.FACTS["invitation"], "link": LINK}
    write(
        lambda work: outbox.post(
            work,
            [
                outbox.Message("a", "invitation", "Ann@acme.example", "fr", facts),
                outbox.Message("b", "welcome", "ben@acme.example", "en", {"type": None}),
                outbox.Message("c", "welcome", "cara@acme.example", "en", {"type": None}),
            ],
        )
    )
    _end(write, "b", "sent", None)
    _end(write, "c", "dead", "550 5.1.1 no such user")
    return acme


def _end(write: Write, key: str, state: str, reason: str | None) -> None:
    change = sa.update(OUTBOX).where(OUTBOX.c.tenant_id == sa.bindparam("tenant"), OUTBOX.c.message_key == key)
    write(lambda work: work.execute(change.values(state=state, reason=reason, ended_at=work.now, tries=9)))


def number(posted: Terminal, to: str) -> str:
    (found,) = posted.do("outbox", "list", "acme", "--to", to, "--json").json
    return str(found["id"])


def test_letters_are_listed_by_state_letter_and_recipient(posted: Terminal) -> None:
    rows = posted.do("outbox", "list", "acme", "--json").json
    assert [(one["to"], one["state"]) for one in rows] == [
        ("Ann@acme.example", "queued"),
        ("ben@acme.example", "sent"),
        ("cara@acme.example", "dead"),
    ]
    for options, to in (
        (("--state", "dead"), "cara@acme.example"),
        (("--letter", "invitation"), "Ann@acme.example"),
        (("--to", "ann@ACME.example"), "Ann@acme.example"),
        (("--letter", "welcome", "--state", "sent"), "ben@acme.example"),
    ):
        assert [one["to"] for one in posted.do("outbox", "list", "acme", *options, "--json").json] == [to]
    assert "550 5.1.1 no such user" in posted.do("outbox", "list", "acme", "--state", "dead").out
    assert posted.do("outbox", "list", "acme", "--to", "nobody@acme.example").out == "No letter.\n"


def test_what_waits_for_want_of_a_setting_says_so(posted: Terminal) -> None:
    def reason(**settings: str) -> object:
        return posted.do("outbox", "list", "acme", "--state", "queued", "--json", **settings).json[0]["reason"]

    assert reason() == "no mail server is set: SCIM_SMTP_URL"
    assert reason(**{**SERVER, "SCIM_SECRET_KEY": ""}) == "no secret key is set: SCIM_SECRET_KEY"
    assert reason(**SERVER) is None


def test_a_letter_is_shown_without_its_link(posted: Terminal) -> None:
    said = posted.do("outbox", "show", "acme", number(posted, "ann@acme.example"))
    assert "Accepter l’invitation" in said.out
    assert "(the link is in the letter only)" in said.out
    assert "/links/" not in said.out
    record = posted.do("outbox", "show", "acme", number(posted, "ann@acme.example"), "--json").json
    assert record["subject"].startswith("Invitation à rejoindre")


def test_a_dead_letter_is_tried_again_with_all_its_tries(posted: Terminal) -> None:
    said = posted.do("outbox", "retry", "acme", number(posted, "cara@acme.example"))
    assert said.out == "1 letter is tried again.\n"
    (row,) = posted.do("outbox", "list", "acme", "--to", "cara@acme.example", "--json").json
    assert (row["state"], row["tries"], row["ended"]) == ("queued", 0, None)
    assert "outbox:retry" in posted.do("log", "list", "acme").out
    assert posted.do("outbox", "retry", "acme", "--dead", "--json").json == {"retried": 0}


def test_all_dead_letters_are_tried_again_at_once(posted: Terminal, write: Write) -> None:
    _end(write, "a", "dead", "given up")
    assert posted.do("outbox", "retry", "acme", "--dead", "--json").json == {"retried": 2}


def test_what_was_sent_is_not_sent_again(posted: Terminal) -> None:
    assert "[not_dead]" in posted.refused("outbox", "retry", "acme", number(posted, "ben@acme.example"))


def test_a_letter_of_another_tenant_is_not_found(posted: Terminal) -> None:
    posted.do("tenant", "create", "globex", "--name", "Globex")
    mine = number(posted, "ann@acme.example")
    for act in (("outbox", "show", "globex", mine), ("outbox", "retry", "globex", mine)):
        assert f"There is no letter {mine}." in posted.refused(*act)
    assert posted.do("outbox", "list", "globex").out == "No letter.\n"


def test_retry_wants_one_letter_or_all_that_are_dead(posted: Terminal) -> None:
    assert "or --dead" in posted.refused("outbox", "retry", "acme")
    assert "or --dead" in posted.refused("outbox", "retry", "acme", "1", "--dead")


def test_a_letter_whose_facts_say_nothing_is_refused_in_a_sentence(acme: Terminal, write: Write) -> None:
    write(lambda work: outbox.post(work, [outbox.Message("x", "promoted", "ann@acme.example", "en", {})]))
    assert "[unwritable_letter]" in acme.refused("outbox", "show", "acme", number(acme, "ann@acme.example"))
