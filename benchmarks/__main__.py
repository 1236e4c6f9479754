"""`python -m benchmarks`: measure, and write the tables in README.md and docs/benchmarks.md anew.

With `--only` or `--results` nothing is written but what is asked for: the table goes to standard output.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import report, standard

DURABLE = frozenset({"T5", "T6", "T7"})
"""The targets that are measured once more with the databases on the disk, where a commit waits for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, store, print, publish."""
    end_as_interrupted()
    given = _parser().parse_args(arguments)
    only = frozenset(given.only.split(",")) if given.only else None
    options = standard.Options(given.people, given.rounds, given.seconds, only, frozenset(given.peers), given.starts)
    found = {"standard": measured(options, given.place)}
    if only is None and given.place != tempfile.gettempdir() and not given.results:
        found["disk"] = measured(replace(options, only=DURABLE), tempfile.gettempdir())
    for part, one in found.items():
        if given.results or only is None:
            report.store(part, one, given.results or report.RESULTS)
    if only is None and not given.results:
        report.publish()
    print(report.block(found))
    return 0


def measured(options: standard.Options, place: str) -> dict[str, Any]:
    """A run whose databases are kept in `place`."""
    before, tempfile.tempdir = tempfile.tempdir, place
    try:
        return standard.run(options)
    finally:
        tempfile.tempdir = before


def end_as_interrupted() -> None:
    """TERM ends a run as Ctrl-C does: every server is stopped, every folder taken away."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def memory_or_disk() -> str:
    """Where the databases of a run are kept: in memory where there is such a place, so that no disk is measured."""
    shared = Path("/dev/shm")
    return str(shared) if os.access(shared, os.W_OK) else tempfile.gettempdir()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, default=10_240, help="how many people there are [10240]")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured [5]")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each time [0.5]")
    parser.add_argument("--starts", type=int, default=5, help="how often each server is started [5]")
    parser.add_argument("--only", default="", metavar="T1,T8", help="only these targets; the tables stay as they are")
    parser.add_argument("--peers", nargs="*", choices=sorted(standard.PUT_UP), default=sorted(standard.PUT_UP))
    parser.add_argument("--place", default=memory_or_disk(), help="where the databases are kept [%(default)s]")
    parser.add_argument("--results", type=Path, help="write the results there; the tables stay as they are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
