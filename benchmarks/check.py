"""What "is this person licensed now?" costs, compared with reading the person by SCIM: measured in turns, as a ratio.

    python -m benchmarks.check [--people 2000] [--turns 500]

Each turn asks the whole application twice about the same person, once at each door, in changing order, so that both
meet the same weather. Every person is in a group that gives a license.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from benchmarks import databases
from benchmarks.members import crowded, fill
from scim_service.access import connections, credentials
from scim_service.licensing import catalog, contracts, rules
from scim_service.storage.store import Store
from tests import service
from tests.postgres import NotFound
from tests.service import Cast


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on both databases and print a table; 0 unless there is no database at all."""
    options = _options(arguments)
    print(f"| a check, of {options.people} people | SCIM GET by id, ms | check by id, ms | ratio |")
    print("|---|---|---|---|")
    kinds: list[tuple[str, Callable[[], AbstractContextManager[Store]]]] = [
        ("SQLite", databases.sqlite),
        ("PostgreSQL", databases.postgresql),
    ]
    for name, opened in kinds:
        try:
            with opened() as store:
                read, check = measure(store, options.people, options.turns)
                print(f"| {name} | {read:.2f} | {check:.2f} | {check / read:.2f} |", flush=True)
        except NotFound as reason:
            print(f"{name}: left out, {reason}", file=sys.stderr)
    return 0


def measure(store: Store, people: int, turns: int) -> tuple[float, float]:
    """Medians in milliseconds: of a SCIM GET by id, and of a check by id of the same person."""
    cast = service.assemble(store)
    ids = fill(cast, people)
    token = sell(cast, ids)
    spent: dict[str, list[float]] = {"read": [], "check": []}
    for turn in range(turns):
        person = ids[turn * 7919 % len(ids)]
        asked = [
            ("read", f"/scim/v2/Users/{person}", cast.acme.token),
            ("check", f"/api/v1/people/{person}/licenses/seat", token),
        ]
        for which, path, secret in asked if turn % 2 else reversed(asked):
            spent[which].append(_timed(cast, path, secret))
    return statistics.median(spent["read"]), statistics.median(spent["check"])


def sell(cast: Cast, ids: Sequence[str]) -> str:
    """A group of these people that gives them a license; the token that asks about it."""
    group = cast.acme.group("Everybody")["id"]
    crowded(cast, group, ids)
    with cast.writing() as work:
        catalog.create_type(work, "seat", "Seat")
        contracts.create(work, "C-1", {"seat": len(ids)})
    with cast.writing() as work:
        rules.create(work, "Everybody", "seat")
        return credentials.create(work, connections.find(work, "rfc"), scope=credentials.CHECK)


def _timed(cast: Cast, path: str, token: str) -> float:
    client = cast.acme.client
    began = time.perf_counter()
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    spent = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.get_data(as_text=True)}")
    return spent


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--people", type=int, default=2_000, help="how many there are [2000]")
    parser.add_argument("--turns", type=int, default=500, help="how often each is measured [500]")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
