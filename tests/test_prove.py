"""What is proved is not proved again, what was cut off is no proof, and the last line says the true counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests import prove
from tests.prove import Proved

ROUNDS = "8 processes x {:,} rounds of the seat race"
SEATS = [
    Proved("abc", f"tests/races/test_races.py::test_seats[{block}-{kind}]", {ROUNDS: 10}, 2.0)
    for block in range(10)
    for kind in ("sqlite", "postgresql")
]
NAMES = [one.proof for one in SEATS]


def test_the_last_line_says_what_was_counted_on_each_database() -> None:
    told = prove.closing(NAMES, SEATS, "abc", None)
    assert told == (
        "proved: 8 processes x 100 rounds of the seat race on each database; 20 proofs of abc in 40 s of testing"
    )


def test_counts_that_differ_by_database_are_told_apart() -> None:
    told = prove.said([replace(SEATS[0], counts={ROUNDS: 1_200}), *SEATS[1:]])
    assert told == (
        "8 processes x 1,290 rounds of the seat race on SQLite, 8 processes x 100 rounds of the seat race on PostgreSQL"
    )


def test_what_is_missing_is_said_and_nothing_is_called_proved() -> None:
    told = prove.closing(NAMES, SEATS[1:], "abc", None)
    assert told == "not proved: 1 of 20 proofs of abc are missing; `make prove` goes on"


def test_proofs_of_another_commit_and_lines_that_were_cut_off_do_not_count(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert prove.known(state, "abc") == []
    lines = [json.dumps(asdict(one)) for one in (SEATS[0], replace(SEATS[1], subject="abd"), SEATS[2])]
    state.write_text("\n".join([*lines, lines[2][:-5]]))
    assert prove.known(state, "abc") == [SEATS[0], SEATS[2]]


def test_48_days_prove_everything_once() -> None:
    days = [prove.part(NAMES, "today", day) for day in range(730_000, 730_000 + prove.PARTS)]
    assert sorted(one for day in days for one in day) == sorted(NAMES)
    assert max(map(len, days)) - min(map(len, days)) <= 1
    assert prove.part(NAMES, "1", 0) == prove.part(NAMES, "today", 0)
    assert prove.part(NAMES, None, 5) == NAMES


@pytest.mark.parametrize("text", ["0", "49", "tomorrow", ""])
def test_a_part_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="1 to 48"):
        prove.part_name(text)


PROOFS = """
import pytest

@pytest.fixture
def count(record_property):
    return lambda what: record_property(what, 1)

@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_good(count, kind):
    for _ in range(3):
        count("{:,} good things")

@pytest.mark.proof
def test_bad(count):
    count("{:,} bad things")
    assert BAD

def test_none():
    assert False, "no proof"
"""


def test_a_run_that_failed_goes_on_where_it_was_until_it_is_started_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["proof: x"]\n')
    proofs = tmp_path / "test_proofs.py"
    proofs.write_text(f"BAD = 0\n{PROOFS}")
    told, code = run(tmp_path, workers=2)
    assert (code, told[0], told[-1]) == (
        1,
        "3 proofs of abc, 0 of them proved already",
        "not proved: 1 of 3 proofs of abc are missing; `make prove` goes on",
    )
    proofs.write_text(f"BAD = 1\n{PROOFS}")
    told, code = run(tmp_path)
    assert (code, told[0]) == (0, "3 proofs of abc, 2 of them proved already")
    assert [line for line in told if line.startswith("3 of 3 in ")] != []
    assert told[-1].startswith("proved: 3 good things on each database; 1 bad things; 3 proofs of abc in ")
    assert run(tmp_path, "--only", "bad")[0][-1].startswith(
        "proved: 1 bad things; 1 proofs of abc (those named bad) in "
    )
    assert run(tmp_path, "--again")[0][0] == "3 proofs of abc, 0 of them proved already"


def run(folder: Path, *arguments: str, workers: int = 0) -> tuple[list[str], int]:
    """The lines that a run over these proofs says, and its status."""
    code = f"import sys, pathlib; from tests import prove; root = pathlib.Path({str(folder)!r})"
    code += f"; sys.exit(prove.prove(root, 'abc', {list(arguments)}, workers={workers}))"
    command = [sys.executable, "-c", code]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(prove.ROOT)
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    return [line for line in answer.stdout.splitlines() if line], answer.returncode
