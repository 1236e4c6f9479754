"""The measure of licenses runs at a tiny size, counts rightly, and finds each figure on the right side of its bound."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from benchmarks import load, report, resolution, seat_targets, seats, targets, turns
from benchmarks.client import Times
from benchmarks.resolution import GIVEN, PREVIEW, TAKEN, Meanwhile, Spent
from benchmarks.seat_targets import CAP, Found
from scim_service.storage.store import Store


@pytest.mark.usefixtures("postgresql_url")
def test_a_run_finds_every_figure_and_sells_exactly_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "results.json"
    assert seats.main(["--people", "120", "--rounds", "1", "--seconds", "0.02", "--results", str(place)]) == 0
    found = json.loads(place.read_text())["seats"]
    parts = {(row["id"], part["label"]): part for row in found["rows"] for part in row["parts"]}
    assert {identity for identity, _ in parts} == {"T15", "T21", "T22", "T23"}
    assert [label for label, part in parts.items() if part["value"] is None] == []
    for name in targets.OURS:
        assert parts["T15", f"{name}, seats too many with 8 writers"]["value"] == 0
        assert parts["T15", f"{name}, share of the cap that is reached"]["value"] == 1
    assert {one["operation"] for one in found["figures"]} >= {f"{what}, 120 people" for what in (PREVIEW, GIVEN, TAKEN)}
    assert [note for note in found["notes"] if "is left out" in note or "1 connections: refused" in note] == []
    assert report.block({"seats": found}) in capsys.readouterr().out


def test_what_does_not_come_to_what_it_should_is_no_measure(store: Store) -> None:
    directory = load.prepare(store)
    load.fill(store, directory, 5)
    resolution.prepare(store, directory, [3, 5])
    assert set(resolution.timed(store, directory, 3)) == {PREVIEW, GIVEN, TAKEN}
    with pytest.raises(resolution.NotSound, match="0 seats are used, not 3"):
        resolution.expect(store, directory, 3)


def times(*milliseconds: float) -> Times:
    return Times([one / 1000 for one in milliseconds])


def test_figures_that_miss_their_bound_are_marked() -> None:
    sizes, kinds = (100, 1_000, 30_000), (PREVIEW, GIVEN)
    cases = itertools.product(targets.OURS, sizes, kinds)
    spent = {(rig, size, what): [Spent(size / 1000, size / 500)] * 3 for rig, size, what in cases}
    spent[targets.SQLITE, 30_000, GIVEN] = [Spent(60, 240)] * 3
    others = {rig: [Meanwhile(times(2, 2), times(4, 5, 1500), 30.0)] for rig in targets.OURS}
    found = Found(spent, {targets.SQLITE: (CAP, CAP + 1), targets.POSTGRESQL: (CAP - 1, CAP - 1)}, others)
    measured = targets.Measured(turns.Samples(), 0, missing={})
    rows = {one.id: one.row(measured)["parts"] for one in seat_targets.rows(found, sizes)}
    told = {part["label"]: (part["value"], part["met"]) for row in rows.values() for part in row}
    assert told["SQLite, seats too many with 8 writers"] == (1, False)
    assert told["PostgreSQL, share of the cap that is reached"] == (0.995, False)
    assert told["SQLite, rule, a person of 30,000 against one of 1,000"] == (2, False)
    assert told["SQLite, rule, a person of 30,000 against one of 1,000, by processor time"] == (4, False)
    assert told["PostgreSQL, rule, a person of 30,000 against one of 1,000"] == (1, True)
    assert told["PostgreSQL, preview of 30,000, seconds"] == (30, False)
    assert told["SQLite, median while it lasts against before"] == (2.5, False)
    assert told["SQLite, the slowest, seconds"] == (1.5, False)


def test_a_database_that_is_missing_is_named_in_each_row() -> None:
    measured = targets.Measured(turns.Samples(), 0, missing=dict.fromkeys(targets.OURS, "no server"))
    rows = [one.row(measured)["parts"] for one in seat_targets.rows(Found(), (100,))]
    assert {part["why"].partition(": ")[2] for row in rows for part in row} == {"no server"}
