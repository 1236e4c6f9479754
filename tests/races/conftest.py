"""Several real processes on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from scim_service.access import connections
from scim_service.storage.store import Store
from tests import service
from tests.conftest import Count
from tests.service import Cast

ROOT = Path(__file__).parents[2]
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
PROCESSES = 8
BLOCKS = 10 if PROVE else 1
ROUNDS = 10
"""In a block: `make prove` runs a hundred rounds, `make test` a tenth of them (decision 38)."""

SECONDS = 240

T = TypeVar("T")
Shares = Sequence[Sequence[list[Any]]]
Race = Callable[[Cast, Shares], list[tuple[list[Any], str]]]
Rounds = Callable[[str], Iterator[tuple[Cast, int]]]


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme and Globex on a fresh database."""
    return service.assemble(store)


@pytest.fixture(params=range(BLOCKS))
def rounds(request: pytest.FixtureRequest, cast: Cast, count: Count) -> Rounds:
    """The rounds of a race: a new tenant and a seed for each; a round that came to its end is counted."""

    def run(name: str) -> Iterator[tuple[Cast, int]]:
        for seed in range(request.param * ROUNDS, (request.param + 1) * ROUNDS):
            yield service.another(cast, f"round-{seed}"), seed
            count(f"{PROCESSES} processes x {{:,}} rounds of the {name} race")

    return run


@pytest.fixture(scope="session")
def processes() -> Iterator[list[Any]]:
    """Eight processes that wait for their share of a round; they live through all races of a run."""
    command = [sys.executable, "-m", "tests.races.worker"]
    pipes: Any = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    running: list[Any] = [subprocess.Popen(command, text=True, cwd=ROOT, **pipes) for _ in range(PROCESSES)]
    assert _answers(running) == ["ready"] * PROCESSES
    yield running
    for process in running:
        process.stdin.close()
    assert [process.wait(SECONDS) for process in running] == [0] * PROCESSES
    for process in running:
        process.stdout.close()


@pytest.fixture
def race(cast: Cast, database_url: str, processes: list[Any]) -> Iterator[Race]:
    """Gives each list of acts to a process, all at once; every (act, outcome), nothing lost."""
    instant = cast.store.clock.now().isoformat()
    nothing = ["", instant, 0, 0, []]

    def run(of: Cast, shares: Shares) -> list[tuple[list[Any], str]]:
        with of.reading() as work:
            connection = connections.find(work, "rfc").seq
        racing = processes[: len(shares)]
        _ask(racing, [[database_url, instant, of.acme_id, connection, acts] for acts in shares])
        found = [zip(acts, told, strict=True) for acts, told in zip(shares, _answers(racing), strict=True)]
        return [pair for pairs in found for pair in pairs]

    yield run
    _ask(processes, [nothing] * PROCESSES)
    assert _answers(processes) == [[]] * PROCESSES


def _ask(processes: list[Any], lines: Sequence[Any]) -> None:
    """A line to each; all are written before the first one is sent."""
    for process, line in zip(processes, lines, strict=True):
        process.stdin.write(json.dumps(line) + "\n")
    for process in processes:
        process.stdin.flush()


def _answers(processes: list[Any]) -> list[Any]:
    return [json.loads(process.stdout.readline()) for process in processes]


@contextmanager
def watching(look: Callable[[], T]) -> Iterator[list[T]]:
    """What somebody sees who looks over and over while something else happens, before and after it too."""
    seen: list[T] = [look()]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.append(look())
        seen.append(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
