"""The recordings that come with the package: enough of them, and every habit of a provider in one of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from conformance import recording
from conformance.recording_file import CONDITIONS, FOLDER, QUIRKS
from tests.conformance.quirks import ROWS

SHIPPED = recording.shipped()
LEAST = {
    "okta": 80, "entra": 110, "onelogin": 20, "jumpcloud": 30, "google": 12, "ping": 24,
    "authentik": 8, "cyberark": 7, "sailpoint": 5, "rippling": 4,
}  # fmt: skip
"""Exchanges per provider that there must be; these are all the providers of which the design paper knows requests."""

OWN = {
    "okta": {1, 10, 12, 13, 14, 15, 16, 17, 21, 22, 29, 30, 31, 34, 35, 36, 37, 38, 39, 49, 50, 52, 53, 54},
    "entra": {*range(1, 11), 13, 16, 18, 19, 20, *range(23, 36), 38, 40, 41, 42, 43, 51, 55},
    "onelogin": {3, 18, 19, 20, 22},
    "jumpcloud": {9, 44},
    "google": {18, 21},
    "ping": {26, 45},
    "authentik": {42, 47, 48},
    "cyberark": {46},
}
"""The rows of the table of quirks in which a provider is named: one of its own recordings proves each."""


def proved(*which: recording.Recording) -> set[int]:
    return {row for one in which for exchange in one.exchanges for row in exchange.proves}


@pytest.mark.parametrize("provider", LEAST)
def test_there_are_enough_exchanges(provider: str) -> None:
    assert sum(len(one.exchanges) for one in recording.shipped(provider)) >= LEAST[provider]


def test_every_provider_is_expected() -> None:
    assert {one.provider for one in SHIPPED} == set(LEAST)


def test_the_readme_tells_how_many_exchanges_there_are() -> None:
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    counts = Counter(one.provider for one in SHIPPED for _ in one.exchanges)
    told = re.search(r"(\d+) recorded exchanges[^:]*: ([^|]*)\|", readme)
    assert told and int(told[1]) == counts.total()
    assert {
        name.split()[0].lower(): int(number) for name, number in re.findall(r"([A-Za-z ]+) (\d+)", told[2])
    } == counts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row}: {ROWS[row]}")
def test_every_row_of_the_table_of_quirks_is_proved_by_a_recording(row: int) -> None:
    assert row in proved(*SHIPPED)


def test_the_table_has_just_these_rows() -> None:
    assert list(ROWS) == list(QUIRKS) and len(ROWS) == 55


@pytest.mark.parametrize("provider", OWN)
def test_every_quirk_of_a_provider_is_proved_by_one_of_its_own_recordings(provider: str) -> None:
    assert OWN[provider] - proved(*recording.shipped(provider)) == set()


def test_every_condition_is_needed_by_a_recording() -> None:
    needed = {one.given for one in SHIPPED} | {exchange.given for one in SHIPPED for exchange in one.exchanges}
    assert needed - {None} == set(CONDITIONS)


@pytest.mark.parametrize("which", SHIPPED, ids=lambda one: one.name)
def test_a_recording_names_its_source_and_says_nothing_twice(which: recording.Recording) -> None:
    assert len(which.source) > 20
    names = [exchange.name for exchange in which.exchanges]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("which", SHIPPED, ids=lambda one: one.name)
def test_a_recording_reads_what_it_wrote_with_values_to_compare(which: recording.Recording) -> None:
    """A PATCH may be answered by 204, so whatever is written is read by a later GET, or shown by its own answer."""
    shown = [
        number
        for number, one in enumerate(which.exchanges)
        if one.expect.equals or one.expect.absent or one.expect.body or one.expect.differs
    ]
    for number, one in enumerate(which.exchanges):
        if one.method in {"PUT", "PATCH"} and one.expect.status[0] < 300:
            assert any(later >= number for later in shown), one.name


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/*.json")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_recording_names_example_hosts_only_and_nothing_that_stays_the_same_twice(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    hosts = set(re.findall(r"@([\w.-]+)", text))
    assert hosts <= {"example.com", "example.org", "EXAMPLE.COM"}
    for exchange in (document := json.loads(text))["exchanges"]:
        if exchange["request"]["method"] == "POST":
            body = exchange["request"]["body"]
            name = str(body.get("userName", body.get("displayName")))
            assert "${unique}" in name or any(
                f"${{{one}}}" in name and "${unique}" in value for one, value in document["variables"].items()
            )
