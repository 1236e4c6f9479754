"""`make prove`: the proofs with their stated counts; what is proved for this commit is not proved again (decision 38).

    python -m tests.prove [--again] [--part today|1|2|…] [--same]

A proof is a test case that is marked `proof`; it tells its counts as properties ("{:,} rounds of …" and a number). Each
one that passes becomes a line in `.proved.jsonl`, so that a run that was stopped goes on where it was. The last line
says what is proved, and how often. This file is its own pytest plugin: it writes those lines and the progress.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATE, SUBJECT, NUMBERS = "SCIM_TEST_PROVED", "SCIM_TEST_SUBJECT", "SCIM_TEST_NUMBERS"
PARTS = 48
"""A day's part, for a CI: small enough to take three minutes at most on two cores."""
SAME = "SCIM_TEST_SAME"
"""Walk the same ways every time: so that in a CI a change is judged by itself and not by luck."""

PYTEST = [sys.executable, "-m", "pytest", "-m", "proof", "-q"]
KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class Proved:
    """A proof that passed: of which commit, what it counted, how long it took."""

    subject: str
    proof: str
    counts: dict[str, int]
    seconds: float


def subject() -> str:
    """The commit, and a mark of what is changed beside it."""
    changes = _git("diff", "HEAD")
    for name in _git("ls-files", "--others", "--exclude-standard", "-z").split(b"\0"):
        changes += name + (ROOT / name.decode()).read_bytes() if name else b""
    head = _git("rev-parse", "--short=12", "HEAD").decode().strip()
    return f"{head}+{hashlib.sha256(changes).hexdigest()[:8]}" if changes else head


def known(state: Path, of: str) -> list[Proved]:
    """What is proved of this commit; a line that was cut off is no proof."""
    found = []
    for line in state.read_text().splitlines() if state.exists() else []:
        try:
            found.append(Proved(**json.loads(line)))
        except ValueError:
            continue
    return [one for one in found if one.subject == of]


def part(proofs: Sequence[str], which: str | None, today: int) -> list[str]:
    """Every 48th proof, beginning with the asked-for one; all of them for None."""
    if which is None:
        return list(proofs)
    number = today % PARTS if which == "today" else int(which) - 1
    return sorted(proofs)[number::PARTS]


def in_turn(proofs: Iterable[str]) -> list[str]:
    """The races first, as everything else leans on them."""
    return sorted(proofs, key=lambda proof: "/races/" not in proof)


def said(proved: Iterable[Proved]) -> str:
    """The counts of all proofs in one line; where both databases have the same, once for each."""
    counts: dict[str, Counter[str]] = {}
    for one in proved:
        kind = next((name for word, name in KINDS.items() if word in one.proof), "")
        for what, number in one.counts.items():
            counts.setdefault(what, Counter())[kind] += number
    return "; ".join(_sentence(what, by_kind) for what, by_kind in counts.items())


def _sentence(what: str, by_kind: Counter[str]) -> str:
    if set(by_kind) == set(KINDS.values()) and len(set(by_kind.values())) == 1:
        return what.format(next(iter(by_kind.values()))) + " on each database"
    return ", ".join(f"{what.format(number)}{f' on {kind}' if kind else ''}" for kind, number in by_kind.items())


def closing(chosen: Sequence[str], proved: Sequence[Proved], of: str, which: str | None, only: str = "") -> str:
    """The last line of a run."""
    mine = sorted((one for one in proved if one.proof in set(chosen)), key=lambda one: chosen.index(one.proof))
    if len(mine) < len(chosen):
        return (
            f"not proved: {len(chosen) - len(mine)} of {len(chosen)} proofs of {of} are missing; `make prove` goes on"
        )
    named = [*([f"part {which} of {PARTS}"] if which else []), *([f"those named {only}"] if only else [])]
    whole = f" ({', '.join(named)})" if named else ""
    seconds = sum(one.seconds for one in mine)
    return f"proved: {said(mine)}; {len(mine)} proofs of {of}{whole} in {seconds:,.0f} s of testing"


def part_name(text: str) -> str:
    """`today`, or the number of a part. Raises ArgumentTypeError."""
    if text != "today" and text not in map(str, range(1, PARTS + 1)):
        raise argparse.ArgumentTypeError(f"a part is today, or 1 to {PARTS}")
    return text


def prove(root: Path, of: str, arguments: Sequence[str], workers: int = 2) -> int:
    """Prove what is not proved yet; 0 where nothing of what was asked for is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove")
    parser.add_argument("--again", action="store_true", help="start over")
    parser.add_argument("--part", type=part_name, help=f"only a part of all: today, or 1 to {PARTS}")
    parser.add_argument("--only", default="", metavar="WORD", help="only proofs that have this in their name")
    parser.add_argument("--same", action="store_true", help="walk the same ways as every time")
    asked = parser.parse_args(arguments)
    state = root / ".proved.jsonl"
    before = [] if asked.again else known(state, of)
    state.write_text("".join(json.dumps(asdict(one)) + "\n" for one in before))
    done = {one.proof for one in before}
    chosen = [one for one in part(_collected(root), asked.part, datetime.now(UTC).toordinal()) if asked.only in one]
    left = in_turn([one for one in chosen if one not in done])
    told = f"{len(chosen) - len(left)}/{len(chosen)}"
    print(f"{len(chosen)} proofs of {of}, {len(chosen) - len(left)} of them proved already", flush=True)
    if left:
        environment = {**_environment(), STATE: str(state), SUBJECT: of, NUMBERS: told, SAME: str(int(asked.same))}
        ways = ["--hypothesis-seed=0"] if asked.same else []
        command = [*PYTEST, "-n", str(workers), "--maxschedchunk=1", *ways, "-p", "tests.prove", *left]
        subprocess.run(command, cwd=root, env=environment, check=False)
    proved = known(state, of)
    print(closing(chosen, proved, of, asked.part, asked.only))
    return 0 if {*chosen} <= {one.proof for one in proved} else 1


def _collected(root: Path) -> list[str]:
    """Every proof there is, as pytest names them."""
    asking = [*PYTEST, "--collect-only"]
    answer = subprocess.run(asking, cwd=root, env=_environment(), check=True, stdout=subprocess.PIPE, text=True)
    return [line for line in answer.stdout.splitlines() if "::" in line]


def _environment() -> dict[str, str]:
    return {**os.environ, "SCIM_TEST_PROVE": "1"}


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


# ---- the plugin


class Notary:
    """Writes down each proof that passed, and says how far we are."""

    def __init__(self, config: pytest.Config, state: Path, of: str, numbers: str) -> None:
        self._config, self._state, self._of = config, state, of
        self._done, self._all = map(int, numbers.split("/"))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line in the state for a proof that passed."""
        if report.failed:
            self._say(f"failed: {report.nodeid}")
        if report.when != "call" or not report.passed:
            return
        counts: Counter[str] = Counter()
        for what, number in report.user_properties:
            counts[what] += int(str(number))
        proved = Proved(self._of, report.nodeid, dict(counts), round(report.duration, 1))
        with self._state.open("a") as file:
            file.write(json.dumps(asdict(proved)) + "\n")
        self._done += 1
        self._say(f"{self._done} of {self._all} in {report.duration:.0f} s: {said([proved])}")

    def _say(self, line: str) -> None:
        self._config.get_terminal_writer().line(f"\n{line}")
        self._config.get_terminal_writer().flush()


def pytest_configure(config: pytest.Config) -> None:
    """Only who leads the run keeps the state; the workers of xdist report to it."""
    if not hasattr(config, "workerinput"):
        told = [os.environ[name] for name in (STATE, SUBJECT, NUMBERS)]
        config.pluginmanager.register(Notary(config, Path(told[0]), *told[1:]))


if __name__ == "__main__":
    sys.exit(prove(ROOT, subject(), sys.argv[1:]))
