"""What letters say, in both languages, and that nothing from outside can make them say something else."""

from __future__ import annotations

import html.parser
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service.delivery import letters
from scim_service.delivery.languages import LANGUAGES
from scim_service.delivery.letters import rendering, samples
from scim_service.delivery.letters.facts import Sender
from scim_service.delivery.letters.letter import Action, Letter, Table

KEPT = Path(__file__).parent / "samples"
ANEW = os.environ.get("SCIM_TEST_WRITE_SAMPLES") == "1"
"""Write the texts anew, to be read before they are committed."""

EVERY = [(name, language) for name in letters.LETTERS for language in LANGUAGES]
BARE = Sender("Acme")
UNSEEN = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""What may be in a letter and cannot be seen."""

NBSP, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def sample(name: str, language: str, sender: Sender = samples.SENDER, **facts: Any) -> Letter:
    """The sample of a letter, with these facts instead of its own."""
    return letters.write(name, {**samples.FACTS[name], **facts}, sender, language, samples.LINKS)


def shown(letter: Letter) -> str:
    return f"Subject: {letter.subject}\n\n{rendering.text(letter)}"


class Page(html.parser.HTMLParser):
    """The tags, the links and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {f"{tag} {name}": value for name, value in attrs}
        self.links += [str(value) for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def test_BK_27_every_letter_has_a_sample() -> None:
    assert set(samples.FACTS) == set(letters.LETTERS)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_BK_27_N_9_every_letter_reads_as_it_was_read_before_in_both_languages(name: str, language: str) -> None:
    path = KEPT / f"{name}.{language}.txt"
    told = shown(sample(name, language))
    if ANEW:
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


def test_no_text_is_kept_of_a_letter_that_is_no_more() -> None:
    assert {path.name for path in KEPT.iterdir()} == {f"{name}.{language}.txt" for name, language in EVERY}


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_N_9_a_letter_from_a_tenant_that_has_set_nothing_still_says_who_sends_it_why_and_whom_to_ask(
    name: str, language: str
) -> None:
    letter = sample(name, language, BARE)
    told = rendering.text(letter)
    assert letter.sender == "Acme"
    why, whom = letter.closing
    assert "Acme" in why and "Acme" in whom
    assert "None" not in told and "{" not in told


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_N_9_the_page_is_whole_names_its_language_and_loads_nothing(name: str, language: str) -> None:
    letter = sample(name, language)
    page = Page(rendering.html(letter))
    assert page.attributes["html lang"] == language
    assert page.links == [one.url for one in letter.blocks if isinstance(one, Action)]
    assert not set(page.tags) & {"img", "link", "script", "iframe", "object", "form"}
    assert "@import" not in rendering.html(letter) and "url(" not in rendering.html(letter)
    words = " ".join("".join(page.words).split())
    for block in letter.blocks:
        if isinstance(block, str):
            assert " ".join(block.split()) in words


@pytest.mark.parametrize("name", letters.LETTERS)
def test_N_9_french_punctuation_never_stands_at_the_beginning_of_a_line(name: str) -> None:
    told = shown(sample(name, "fr")).replace("https://", "").replace("Subject:", "")
    assert re.findall(rf"[^{NBSP}{THIN}\d][:;!?»](?!\d)", told.replace("\n", " ")) == []
    assert f" {NBSP}" not in told


@pytest.mark.parametrize("name", letters.LETTERS)
def test_N_9_the_two_languages_say_something_different(name: str) -> None:
    one, other = sample(name, "en"), sample(name, "fr")
    assert one.subject != other.subject
    assert [type(block) for block in one.blocks] == [type(block) for block in other.blocks]
    alike = {b for b in one.blocks if isinstance(b, str)} & {b for b in other.blocks if isinstance(b, str)}
    assert alike == set()


@pytest.mark.parametrize(
    ("language", "number", "told"),
    [
        ("en", 0, "Pro: 0 seats left"),
        ("en", 1, "Pro: 1 seat left"),
        ("en", 2, "Pro: 2 seats left"),
        ("en", 1200, "Pro: 1,200 seats left"),
        ("fr", 0, f"Pro{NBSP}: il reste 0{NBSP}siège"),
        ("fr", 1, f"Pro{NBSP}: il reste 1{NBSP}siège"),
        ("fr", 2, f"Pro{NBSP}: il reste 2{NBSP}sièges"),
        ("fr", 1200, f"Pro{NBSP}: il reste 1{THIN}200{NBSP}sièges"),
    ],
)
def test_N_9_one_and_several_are_told_as_the_language_tells_them(language: str, number: int, told: str) -> None:
    letter = sample("seats_low", language, type={"code": "pro", "name": "Pro"}, left=number)
    assert letter.subject == told


@pytest.mark.parametrize(
    ("zone", "language", "told"),
    [
        ("UTC", "en", f"March{NBSP}1, 2027 at 11:30{NBSP}PM (UTC)"),
        ("Europe/Paris", "en", f"March{NBSP}2, 2027 at 12:30{NBSP}AM (Europe/Paris)"),
        ("Europe/Paris", "fr", f"2{NBSP}mars 2027 à 0{NBSP}h{NBSP}30 (Europe/Paris)"),
        ("America/Montreal", "fr", f"1er{NBSP}mars 2027 à 18{NBSP}h{NBSP}30 (America/Montreal)"),
    ],
)
def test_N_9_instants_are_told_in_the_tenants_zone_which_is_named(zone: str, language: str, told: str) -> None:
    sender = replace(samples.SENDER, zone=ZoneInfo(zone))
    letter = sample("promoted", language, sender, since="2027-03-01T23:30:59Z")
    assert told in rendering.text(letter).replace("\n", " ")


def test_N_9_an_instant_is_told_as_the_zones_clock_shows_it_in_summer_too() -> None:
    letter = sample("promoted", "en", since="2027-03-28T01:00:00Z")
    assert f"3:00{NBSP}AM" in rendering.text(letter)


@pytest.mark.parametrize("language", LANGUAGES)
def test_BK_16_BK_20_who_has_an_account_is_told_of_the_organization_the_license_and_where_to_begin(
    language: str,
) -> None:
    letter = sample("belongs_to", language)
    told = rendering.text(letter)
    assert "Acme" in letter.subject
    assert "Professional" in told
    assert samples.SENDER.documentation_url in told and samples.SENDER.product_url in told
    assert not any(one in told for one in samples.LINKS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_designated_is_told_so_with_the_role(language: str) -> None:
    letter = sample("administrator_designated", language)
    assert "Acme" in letter.subject
    assert {"en": "administrator", "fr": "administrateur"}[language] in rendering.text(letter)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name, facts in samples.FACTS.items() if "type" in facts])
def test_N_9_a_type_is_told_by_its_name_or_else_by_its_code(name: str, language: str) -> None:
    assert "Professional" in shown(sample(name, language))
    assert "pro" in shown(sample(name, language, type={"code": "pro", "name": ""}))


@pytest.mark.parametrize("name", ["invitation", "invitation_reminder", "welcome", "belongs_to", "access_created"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_license_nothing_is_said_of_one(name: str, language: str) -> None:
    told = shown(sample(name, language, type=None))
    assert not re.search(r"licen[sc]e", told, re.IGNORECASE)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_a_name_that_ends_with_a_period_ends_the_sentence(name: str, language: str) -> None:
    sender = replace(samples.SENDER, tenant="Acme Inc.", product="Atelier Inc.", support="Bob Jr.")
    assert ".." not in shown(sample(name, language, sender))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_address_that_needs_no_confirmation_is_told_without_a_link(language: str) -> None:
    letter = letters.write("address_changed_new", {}, samples.SENDER, language)
    assert not any(isinstance(block, Action) for block in letter.blocks)
    assert not re.search("onfirm", shown(letter))


def test_a_letter_without_its_link_is_not_written() -> None:
    with pytest.raises(KeyError):
        letters.write("invitation", samples.FACTS["invitation"], samples.SENDER, "en", {})


def test_a_long_digest_is_cut_and_says_how_much_more_there_is() -> None:
    waiting = [{"type": {"code": f"t{number}", "name": ""}, "count": 1} for number in range(60)]
    letter = sample("digest", "en", waiting=waiting, more={"orphans": 3})
    (table, more, *_) = [one for one in letter.blocks if isinstance(one, Table) or one == "And 10 more."]
    assert isinstance(table, Table) and len(table.rows) == 50
    assert more == "And 10 more."
    assert "And 3 more." in letter.blocks


def test_a_digest_without_anything_says_so() -> None:
    empty: dict[str, Any] = {name: [] for name in samples.FACTS["digest"] if name not in ("week", "more")}
    assert "There is nothing to tell of." in sample("digest", "en", **empty).blocks


def test_the_texts_are_written_anew_only_when_somebody_wants_to_read_them() -> None:
    assert not (ANEW and os.environ.get("CI"))


HOSTILE = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "Ann\r\nBcc: all@acme.example",
        "{tenant.__class__} {0} %s {{ 7*7 }}",
        "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
        '" onmouseover="x',
        "</title></style><b>",
        "x" * 5_000,
        "\N{LINE SEPARATOR}\x00\x1b[31m",
        "\ud800",
    ]
)


def replaced(value: Any, text: str) -> Any:
    """The facts with every text that a person may have typed replaced."""
    if isinstance(value, dict):
        return {name: one if name in FIXED else replaced(one, text) for name, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, text) for one in value]
    return text if isinstance(value, str) else value


FIXED = {
    "kind",
    "role",
    "state",
    "since",
    "until",
    "expires_at",
    "not_before",
    "release_at",
    "ends_at",
    "grace_until",
    "oldest_at",
}


@settings(max_examples=500, deadline=None)
@given(which=st.sampled_from(EVERY), typed=HOSTILE)
def test_E3_no_text_in_names_types_and_reasons_breaks_the_layout_or_brings_markup(
    which: tuple[str, str], typed: str
) -> None:
    name, language = which
    sender = replace(samples.SENDER, tenant=typed, product=typed, support=typed)
    letter = letters.write(name, replaced(samples.FACTS[name], typed), sender, language, samples.LINKS)
    usual = sample(name, language)
    page, before = Page(rendering.html(letter)), Page(rendering.html(usual))
    assert page.links == before.links
    assert set(page.tags) <= set(before.tags)
    told = rendering.text(letter)
    told.encode()
    for one in [letter.subject, letter.sender, *told.split("\n")]:
        assert all(character.isprintable() or character in UNSEEN for character in one)
    assert [type(one) for one in letter.blocks if isinstance(one, Action)] == [Action for one in before.links]
