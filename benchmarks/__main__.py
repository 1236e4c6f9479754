"""`python -m benchmarks`: measure, and write the tables in README.md and docs/benchmarks.md anew.

With `--only` or `--results` nothing is written but what is asked for: the table goes to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report, standard


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, store, print, publish."""
    given = _parser().parse_args(arguments)
    only = frozenset(given.only.split(",")) if given.only else None
    options = standard.Options(given.people, given.rounds, given.seconds, only, not given.no_peers, given.starts)
    found = standard.run(options)
    if given.results:
        report.store("standard", found, given.results)
    elif only is None:
        report.store("standard", found)
        report.publish()
    print(report.block({"standard": found}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, default=10_240, help="how many people there are [10240]")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured [5]")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each time [0.5]")
    parser.add_argument("--starts", type=int, default=5, help="how often each server is started [5]")
    parser.add_argument("--only", default="", metavar="T1,T8", help="only these targets; the tables stay as they are")
    parser.add_argument("--no-peers", action="store_true", help="without django-scim2 and scim2-flask")
    parser.add_argument("--results", type=Path, help="write the results there; the tables stay as they are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
