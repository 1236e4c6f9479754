"""A letter as a mail: what its headers say, and that nobody else can write into them."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scim_service.delivery import compose, letters
from scim_service.delivery.compose import BadAddress, Mail, Office
from scim_service.delivery.letters import rendering, samples
from scim_service.delivery.letters.letter import Letter

OFFICE = Office("no-reply@acme.example", "a key for tests only, long enough to be one")
NOW = datetime(2027, 3, 1, 8, 15, tzinfo=UTC)
CYRILLIC = "".join(chr(0x430 + number) for number in range(32))
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
    "MIME-Version",
}


def letter(name: str = "welcome", language: str = "en", **changes: Any) -> Letter:
    return letters.write(name, samples.FACTS[name], replace(samples.SENDER, **changes), language, samples.LINKS)


def mail(of: Letter | None = None, to: str = "ann@acme.example", office: Office = OFFICE) -> Mail:
    return compose.mail(of or letter(), to, office, 7, "wel:1", NOW)


def parsed(made: Mail) -> EmailMessage:
    return email.message_from_bytes(made.data, _class=EmailMessage, policy=policy.SMTP)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_says_who_sends_it_to_whom_when_and_that_no_person_wrote_it() -> None:
    message = parsed(mail())
    assert set(message.keys()) == HEADERS
    assert message["From"].addresses[0].display_name == "Atelier"
    assert message["From"].addresses[0].addr_spec == "no-reply@acme.example"
    assert message["To"].addresses[0].addr_spec == "ann@acme.example"
    assert message["Subject"] == "Welcome to Atelier (Acme)"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("name", letters.LETTERS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_letter_arrives_as_it_was_written_over_a_wire_of_seven_bits(name: str, language: str) -> None:
    of = letter(name, language)
    made = mail(of)
    assert made.data.isascii()
    assert max(len(one) for one in made.data.split(b"\r\n")) <= 998
    message = parsed(made)
    assert message["Subject"] == of.subject
    assert body(message, "plain") == rendering.text(of)
    assert body(message, "html").rstrip("\n") == rendering.html(of).rstrip("\n")
    assert message["Content-Language"] == language


def test_the_same_message_has_the_same_name_for_ever_and_another_one_another() -> None:
    names = {
        compose.message_id(office, tenant_id, key)
        for office in (OFFICE, replace(OFFICE, secret_key="another key of another installation"))
        for tenant_id in (7, 8)
        for key in ("wel:1", "wel:2")
    }
    assert len(names) == 8
    later = compose.mail(letter("welcome", "fr"), "ann@acme.example", OFFICE, 7, "wel:1", NOW.replace(year=2028))
    assert parsed(later)["Message-ID"] == parsed(mail())["Message-ID"] == mail().message_id
    assert mail().message_id.endswith("@acme.example>")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@acme.example",
        "ann@",
        "ann@acme@example",
        "ann@acme.example, ben@acme.example",
        "ann@acme.example;ben@acme.example",
        "ann@acme.example\r\nBcc: all@acme.example",
        "ann@acme.example\n",
        "ann\r@acme.example",
        "Ann <ann@acme.example>",
        "ann(comment)@acme.example",
        '"ann ben"@acme.example',
        "ann @acme.example",
        "ann@acme..example",
        f"ann@{'x' * 64}.example",
        f"{'x' * 250}@acme.example",
        f"ann@{'.'.join([CYRILLIC] * 7)}.example",
        "ann@acme.example\0",
        "ann\u202e@acme.example",
    ],
)
def test_E3_what_is_not_one_address_gets_no_mail(address: str) -> None:
    if address.strip() == "ann@acme.example":
        assert parsed(mail(to=address))["To"] == "ann@acme.example"
        return
    with pytest.raises(BadAddress) as refused:
        mail(to=address)
    assert "ann" not in str(refused.value)


def test_an_address_of_another_script_is_written_as_the_wire_has_it() -> None:
    made = mail(to="ann@bücher.example")
    assert made.recipient == "ann@xn--bcher-kva.example"
    assert not made.international and made.data.isascii()
    abroad = mail(to="zoë@bücher.example")
    assert abroad.recipient == "zoë@xn--bcher-kva.example"
    assert abroad.international
    assert "zoë@xn--bcher-kva.example".encode() in abroad.data


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.emails() | st.text(max_size=60))
@example("p", "t", "¡@0")
def test_E3_no_name_brings_a_header_or_a_recipient_of_its_own(product: str, tenant: str, address: str) -> None:
    try:
        made = mail(letter(product=product, tenant=tenant), to=address)
    except BadAddress:
        return
    message = parsed(made)
    assert set(message.keys()) == HEADERS
    assert all(len(message.get_all(name, [])) == 1 for name in HEADERS)
    to = [one.addr_spec.encode("utf-8", "surrogateescape").decode() for one in message["To"].addresses]
    assert to == [made.recipient]
    assert [one.addr_spec for one in message["From"].addresses] == ["no-reply@acme.example"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
