"""Several real processes on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from scim_service.access import connections
from scim_service.storage.store import Store
from tests import service
from tests.service import Cast

ROOT = Path(__file__).parents[2]
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"

Race = Callable[[Sequence[Sequence[list[Any]]]], list[tuple[list[Any], str]]]


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme and Globex on a fresh database."""
    return service.assemble(store)


@pytest.fixture
def race(cast: Cast, database_url: str) -> Race:
    """Runs each list of acts in a process of its own, all at once; every (act, outcome), nothing lost."""
    with cast.reading() as work:
        connection = connections.find(work, "rfc").seq

    def run(shares: Sequence[Sequence[list[Any]]]) -> list[tuple[list[Any], str]]:
        arguments = [database_url, str(cast.acme_id), str(connection), cast.store.clock.now().isoformat()]
        command = [sys.executable, "-m", "tests.races.worker", *arguments]
        running = [_start(command, share) for share in shares]
        found: list[tuple[list[Any], str]] = []
        for process, acts in zip(running, shares, strict=True):
            output, trouble = process.communicate(timeout=240)
            assert process.returncode == 0, trouble
            lines = [json.loads(line) for line in output.splitlines()]
            assert len(lines) == len(acts)
            found += [(act, outcome) for act, outcome in lines]
        return found

    return run


def _start(command: list[str], acts: Sequence[list[Any]]) -> subprocess.Popen[str]:
    """A process with its acts waiting in a file, so that all of them begin at about the same time."""
    read, write = os.pipe()
    process = subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        pipe.writelines(json.dumps(act) + "\n" for act in acts)
    return process
