"""Links: bound to all that they are for, told from forged ones by themselves (reliability.md L1, L2, L7, F20)."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service import errors
from scim_service.access import links
from scim_service.access.links import Link, Subject
from tests.service import SECRET, settings

OTHER_KEY = "another key for tests, long enough to be one"
ALICE = Subject(links.INVITATION, 1, 17, 2, "a nonce", "Alice@acme.example")
URL = "https://scim.acme.example"


def packed(subject: Subject = ALICE, epoch: int = 1, key: str = SECRET) -> str:
    return links.made(key, epoch, URL, subject).rpartition("/")[2]


def found(text: str) -> Link:
    link = links.read(SECRET, text)
    assert link is not None
    return link


def test_L_1_a_link_holds_a_secret_of_256_bits_and_names_its_row() -> None:
    link = found(packed())
    assert (link.kind, link.tenant_id, link.seq, link.cycle) == ("invitation", 1, 17, 2)
    assert len(link.secret) == 32
    assert links.is_of(SECRET, 1, link, ALICE)
    assert links.made(SECRET, 1, URL, ALICE).startswith(f"{URL}/links/")
    assert "a nonce" not in packed() and "alice" not in packed().casefold()


def test_L_1_every_flipped_bit_makes_a_link_of_nobody() -> None:
    text = packed()
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for bit in range(len(raw) * 8):
        raw[bit // 8] ^= 1 << bit % 8
        assert links.read(SECRET, base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")) is None
        raw[bit // 8] ^= 1 << bit % 8


def test_L_1_no_other_spelling_of_a_link_is_one() -> None:
    text = packed()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ "
    for place in (0, len(text) // 2, len(text) - 1):
        for letter in letters:
            changed = text[:place] + letter + text[place + 1 :]
            assert (links.read(SECRET, changed) is None) == (changed != text)
    for changed in (text + "=", text + "==", text + "A", text[:-1], text.lower(), " " + text, text * 1_000, "", "é"):
        assert links.read(SECRET, changed) is None


@given(st.text(max_size=200))
def test_L_1_no_text_that_somebody_makes_up_is_a_link(text: str) -> None:
    assert links.read(SECRET, text) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(ALICE, kind=links.VERIFICATION),
        replace(ALICE, tenant_id=2),
        replace(ALICE, seq=18),
        replace(ALICE, cycle=3),
        replace(ALICE, nonce="another"),
        replace(ALICE, email="bob@acme.example"),
    ],
    ids=["purpose", "tenant", "row", "cycle", "nonce", "address"],
)
def test_L_2_a_link_is_good_for_nothing_else(other: Subject) -> None:
    assert packed(other) != packed()
    assert not links.is_of(SECRET, 1, found(packed()), other)


def test_L_2_the_address_is_compared_as_addresses_are() -> None:
    assert links.is_of(SECRET, 1, found(packed()), replace(ALICE, email="ALICE@ACME.example"))


def test_L_2_a_link_of_another_key_is_none() -> None:
    assert links.read(SECRET, packed(key=OTHER_KEY)) is None
    assert links.form_token(SECRET, packed()) != links.form_token(OTHER_KEY, packed())
    assert links.form_token(SECRET, packed()) != links.form_token(SECRET, packed(epoch=2))


def test_F_20_a_link_of_another_epoch_is_dead() -> None:
    assert not links.is_of(SECRET, 2, found(packed(epoch=1)), ALICE)
    assert links.is_of(SECRET, 2, found(packed(epoch=2)), ALICE)


def test_L_7_links_are_made_under_the_configured_url() -> None:
    assert links.base(settings("sqlite:////tmp/x.db", SCIM_PUBLIC_URL="https://a.example/scim/")) == (
        "https://a.example/scim"
    )
    assert links.base(settings("sqlite:////tmp/x.db")) == "http://127.0.0.1:8080"
    assert links.base(settings("sqlite:////tmp/x.db", SCIM_PUBLIC_URL="http://localhost:9")) == "http://localhost:9"


@pytest.mark.parametrize(
    ("more", "code"),
    [({"SCIM_HOST": "0.0.0.0"}, "no_public_url"), ({"SCIM_PUBLIC_URL": "http://a.example"}, "plain_http")],
)
def test_L_7_without_an_https_url_there_is_no_link(more: dict[str, str], code: str) -> None:
    with pytest.raises(errors.Refused) as refusal:
        links.base(settings("sqlite:////tmp/x.db", **more))
    assert refusal.value.code == code
