"""The recordings that come with the package: enough of them, and every habit of a provider in one of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conformance import recording
from conformance.recording_file import FOLDER

SHIPPED = recording.shipped()
LEAST = {"okta": 24, "entra": 32}

OKTA = {1, 10, 12, 13, 14, 15, 16, 17, 21, 22, 29, 30, 31, 34, 35, 36, 37, 38, 39, 49, 50, 54}
ENTRA = {*range(1, 11), 13, 16, 18, 19, 20, *range(23, 36), 38, 40, 41, 42, 55}
QUIRKS = {"okta": OKTA, "entra": ENTRA}
"""The rows of the table of quirks that are this provider's and that one client alone can show. Not among them are
parallel PATCHes (43), rates (51), failing servers (52) and full caps (53), which are tests of their own."""


@pytest.mark.parametrize("profile", LEAST)
def test_there_are_enough_exchanges(profile: str) -> None:
    assert sum(len(one.exchanges) for one in recording.shipped(profile)) >= LEAST[profile]


@pytest.mark.parametrize("profile", QUIRKS)
def test_every_quirk_of_a_provider_is_proved_by_one_of_its_recordings(profile: str) -> None:
    proved = {row for one in recording.shipped(profile) for exchange in one.exchanges for row in exchange.proves}
    assert QUIRKS[profile] - proved == set()


@pytest.mark.parametrize("which", SHIPPED, ids=lambda one: one.name)
def test_a_recording_stands_in_its_providers_folder_and_names_its_source(which: recording.Recording) -> None:
    assert which.name.startswith(f"{which.profile}/")
    assert len(which.source) > 20
    names = [exchange.name for exchange in which.exchanges]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/*.json")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_recording_names_example_hosts_only_and_nothing_that_stays_the_same_twice(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    hosts = set(re.findall(r"@([\w.-]+)", text))
    assert hosts <= {"example.com", "example.org", "EXAMPLE.COM"}
    created = [
        exchange["request"]["body"]
        for exchange in json.loads(text)["exchanges"]
        if exchange["request"]["method"] == "POST"
    ]
    assert all("${" in str(body.get("userName", body.get("displayName"))) for body in created)
