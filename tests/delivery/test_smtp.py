"""What becomes of a letter at a real mail server that behaves, and at one that does not (reliability.md F11)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scim_service import config
from scim_service.delivery import compose, letters, smtp
from scim_service.delivery.compose import Mail, Office
from scim_service.delivery.letters import samples
from scim_service.delivery.smtp import LATER, NEVER, SENT, Answer, Server, Trouble
from tests import mailserver
from tests.mailserver import CUT, PASSWORD, USER, Certificate, MailServer

OFFICE = Office("no-reply@acme.example", "a key for tests only, long enough to be one")
NOW = datetime(2027, 3, 1, 8, 15, tzinfo=UTC)
CREDENTIALS = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return mailserver.certificate(tmp_path_factory.mktemp("certificate"))


def mail(to: str = "ann@acme.example", key: str = "wel:1") -> Mail:
    letter = letters.write("welcome", samples.FACTS["welcome"], samples.SENDER, "fr", samples.LINKS)
    return compose.mail(letter, to, OFFICE, 7, key, NOW)


def server(url: str, **changes: Any) -> Server:
    made = Server.of(url, "acme.example")
    return replace(made, connect_seconds=2.0, session_seconds=3.0, **changes)


def send(through: Server, *mails: Mail) -> list[Answer]:
    with through.open() as session:
        return [session.send(one) for one in mails or (mail(),)]


def outcomes(answers: Sequence[Answer]) -> list[str]:
    return [one.outcome for one in answers]


def test_a_letter_arrives_with_its_own_words_and_name() -> None:
    with mailserver.running() as post:
        assert send(server(post.url())) == [Answer(SENT)]
    (got,) = post.received
    assert (got.sender, got.recipients) == ("no-reply@acme.example", ["ann@acme.example"])
    assert got.message_id == mail().message_id
    assert got.message["Subject"] == "Bienvenue sur Atelier (Acme)"


def test_one_session_takes_many_letters() -> None:
    with mailserver.running() as post:
        mails = [mail(key=f"wel:{number}") for number in range(5)]
        assert outcomes(send(server(post.url()), *mails)) == [SENT] * 5
    assert [one.message_id for one in post.received] == [one.message_id for one in mails]


@pytest.mark.parametrize(
    ("command", "said", "outcome", "ours"),
    [
        ("MAIL", "421 4.3.2 shutting down", LATER, False),
        ("MAIL", "451 4.3.0 try later", LATER, False),
        ("MAIL", "550 5.7.1 sender refused", LATER, True),
        ("MAIL", "530 5.7.0 authenticate first", LATER, True),
        ("RCPT", "450 4.2.1 greylisted", LATER, False),
        ("RCPT", "452 4.2.2 mailbox full for now", LATER, False),
        ("RCPT", "550 5.1.1 no such user", NEVER, False),
        ("RCPT", "553 5.1.3 no such address", NEVER, False),
        ("RCPT", "530 5.7.0 authenticate first", LATER, True),
        ("DATA", "451 4.7.1 try later", LATER, False),
        ("DATA", "554 5.7.1 refused", NEVER, False),
        ("MAIL", CUT, LATER, False),
        ("RCPT", CUT, LATER, False),
        ("DATA", CUT, LATER, False),
    ],
)
def test_F11_what_the_server_answers_says_whether_a_letter_goes_later_or_never(
    command: str, said: str, outcome: str, ours: bool
) -> None:
    with mailserver.running(answers={command: said}) as post:
        (answer,) = send(server(post.url()))
    assert (answer.outcome, answer.ours) == (outcome, ours)
    assert answer.reason == (said if said != CUT else "the mail server ended the connection")


def test_F11_one_refused_recipient_leaves_the_session_to_the_next() -> None:
    with mailserver.running(by_recipient={"bad@acme.example": "550 5.1.1 no such user"}) as post:
        mails = [mail("ann@acme.example"), mail("bad@acme.example"), mail("ben@acme.example")]
        assert outcomes(send(server(post.url()), *mails)) == [SENT, NEVER, SENT]
    assert [one.recipients for one in post.accepted] == [["ann@acme.example"], ["ben@acme.example"]]


def test_F11_a_session_that_was_cut_says_that_it_is_over() -> None:
    with mailserver.running(answers={"DATA": CUT}) as post:
        (answer,) = send(server(post.url()))
        assert answer.over
        post.behave(answers={"MAIL": "421 4.3.2 shutting down"})
        (answer,) = send(server(post.url()))
    assert answer.over


def test_F11_a_server_that_is_down_is_trouble_and_not_the_letters_fault() -> None:
    with pytest.raises(Trouble, match="cannot be reached"):
        send(server(f"smtp://127.0.0.1:{mailserver.free_port()}"))


def test_F11_a_server_that_says_nothing_is_given_up_after_the_time_for_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Trouble, match="did not answer in time"):
            send(server(f"smtp://127.0.0.1:{silent.getsockname()[1]}"))
    assert 1.5 < time.monotonic() - began < 6


def test_F11_a_slow_server_is_cut_off_when_the_time_of_the_session_is_over() -> None:
    with mailserver.running(seconds=30.0) as post:
        began = time.monotonic()
        (answer,) = send(server(post.url()))
    assert answer.outcome == LATER and answer.over
    assert 2.5 < time.monotonic() - began < 8


def test_F11_a_server_that_sends_a_byte_now_and_then_is_cut_off_too() -> None:
    def drip(listening: socket.socket) -> None:
        found, _ = listening.accept()
        with found:
            found.sendall(b"220 hello\r\n")
            found.recv(1_000)
            for _ in range(60):
                try:
                    found.sendall(b"2")
                except OSError:
                    return
                time.sleep(0.25)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=drip, args=(listening,))
        dripping.start()
        began = time.monotonic()
        (answer,) = send(server(f"smtp://127.0.0.1:{listening.getsockname()[1]}"))
        took = time.monotonic() - began
        dripping.join()
    assert answer.outcome == LATER and answer.over
    assert 2.5 < took < 8


def test_a_password_is_sent_only_inside_tls_that_is_trusted(certificate: Certificate) -> None:
    inside = certificate.serving()
    with MailServer(tls_context=inside, authenticator=mailserver.authenticator, auth_required=True) as post:
        through = server(post.url("smtp+starttls", CREDENTIALS))
        with pytest.raises(Trouble, match="certificate is not trusted"):
            send(through)
        assert outcomes(send(replace(through, tls=certificate.trusting()))) == [SENT]
        wrong = replace(through, tls=certificate.trusting(), password="another one")
        with pytest.raises(Trouble, match="535"):
            send(wrong)
        post.behave(answers={"AUTH": "454 4.7.0 not now"})
        with pytest.raises(Trouble, match="454"):
            send(replace(through, tls=certificate.trusting()))


def test_tls_from_the_start_is_checked_too(certificate: Certificate) -> None:
    with MailServer(ssl_context=certificate.serving()) as post:
        through = server(post.url("smtps"))
        with pytest.raises(Trouble, match="certificate is not trusted"):
            send(through)
        assert outcomes(send(replace(through, tls=certificate.trusting()))) == [SENT]


def test_a_certificate_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    other = mailserver.certificate(tmp_path, "mail.globex.example")
    with MailServer(ssl_context=other.serving()) as post, pytest.raises(Trouble, match="certificate is not trusted"):
        send(server(post.url("smtps"), tls=other.trusting()))


@pytest.mark.parametrize("said", ["454 4.7.0 TLS not available", CUT])
def test_F11_a_server_that_breaks_starttls_gets_no_letter(certificate: Certificate, said: str) -> None:
    with MailServer(tls_context=certificate.serving()) as post:
        post.behave(answers={"STARTTLS": said})
        with pytest.raises(Trouble):
            send(server(post.url("smtp+starttls"), tls=certificate.trusting()))
    assert post.received == []


def test_a_server_that_offers_no_starttls_gets_no_letter() -> None:
    with mailserver.running() as post, pytest.raises(Trouble, match="STARTTLS"):
        send(server(post.url("smtp+starttls")))
    assert post.received == []


def test_an_address_with_other_letters_needs_a_server_that_knows_them() -> None:
    with MailServer(enable_SMTPUTF8=True) as post:
        assert outcomes(send(server(post.url()), mail("zoë@acme.example"))) == [SENT]
    assert post.received[0].recipients == ["zoë@acme.example"]
    with MailServer(enable_SMTPUTF8=False) as post:
        assert outcomes(send(server(post.url()), mail("zoë@acme.example"), mail())) == [NEVER, SENT]


def test_the_way_that_mail_takes_is_what_the_settings_say() -> None:
    bare = config.from_environment({})
    assert smtp.transport(bare) is None
    assert isinstance(smtp.transport(replace(bare, smtp_url=smtp.MAILBOX)), smtp.Mailbox)
    found = smtp.transport(
        config.from_environment(
            {"SCIM_SMTP_URL": f"smtps://{CREDENTIALS}mail.example", "SCIM_MAIL_FROM": "a@b.example"}
        )
    )
    assert isinstance(found, Server)
    assert (found.host, found.port, found.user, found.password) == ("mail.example", 465, USER, PASSWORD)
    assert found.greeting == "b.example"
    with pytest.raises(config.ConfigError):
        config.from_environment({"SCIM_SMTP_URL": smtp.MAILBOX})
