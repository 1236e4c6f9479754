"""Upgrades that are killed, each before another statement: in children, so that nothing is tidied up.

    python -m tests.storage.killing_upgrades URL

Reads a number from each line: a child upgrades the database, and is killed before its statement of that number (a
commit counts as one). Answers "killed", or "done" where the child came to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from scim_service.storage import migrations


def killed_before(wanted: int, url: str) -> None:
    """Upgrade, and be killed before the statement of this number."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(Engine, "before_cursor_execute", count)
    sa.event.listen(Engine, "commit", count)
    migrations.upgrade(url)


def ending_of(number: int, url: str) -> str:
    """How the child of this number ended."""
    child = os.fork()
    if child == 0:
        killed_before(number, url)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return "killed" if status else "done"


if __name__ == "__main__":
    for line in sys.stdin:
        print(ending_of(int(line), sys.argv[1]), flush=True)
