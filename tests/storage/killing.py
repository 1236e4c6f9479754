"""Restores that are killed, each at another call of their own code: in children, so that nothing is tidied up.

    python -m tests.storage.killing FOLDER FIRST STEP

FOLDER holds scim.db and copy.db. Of both a fresh pair is made in FOLDER/K for the call number K = FIRST, FIRST + STEP,
and so on; a child restores there and is killed before its call K. The end is the first child that came to its end.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from scim_service.clock import Clock
from scim_service.storage import restoring
from scim_service.storage.database import Database

WATCHED = ("storage/restoring.py", "storage/backup.py", "storage/beside.py")
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def silent(_what: str, _verb: str, _done: int, _total: int) -> None:
    """Shows nothing."""


def restore(live: Path, source: Path) -> None:
    """What the command does with the files."""
    with (
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, source, Clock(lambda: NOW), silent) as under_way,
    ):
        under_way.finish()


def killed_at(wanted: int, folder: Path) -> None:
    """Restore, and be killed before the call of this number that the watched files make."""
    seen = 0

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal seen
        if event in {"call", "c_call"} and frame.f_code.co_filename.endswith(WATCHED):
            seen += 1
            if seen == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    restore(folder / "scim.db", folder / "copy.db")
    sys.setprofile(None)


def one(folder: Path, number: int) -> bool:
    """Whether the child of this number was killed."""
    place = folder / str(number)
    place.mkdir()
    for name in ("scim.db", "copy.db"):
        shutil.copy(folder / name, place / name)
    child = os.fork()
    if child == 0:
        killed_at(number, place)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == signal.SIGKILL


if __name__ == "__main__":
    first, step = int(sys.argv[2]), int(sys.argv[3])
    for number in itertools.count(first, step):
        if not one(Path(sys.argv[1]), number):
            break
