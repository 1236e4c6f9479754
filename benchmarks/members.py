"""What one member more costs in a group of 10,000, compared with an empty one: measured in turns, as a ratio.

    python -m benchmarks.members [--members 10000] [--turns 200]

Each turn sends the same PATCH through the whole application twice, to a new empty group and to the large one, in
changing order, so that both meet the same weather. `ruled` groups feed a license rule with seats for all, seats
move too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa

from benchmarks import databases
from scim_service.licensing import catalog, contracts, rules
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import Work
from tests import service
from tests.postgres import NotFound
from tests.service import Cast

_groups = tables.directory.groups
_BY_ID = sa.select(_groups.c.seq).where(
    _groups.c.tenant_id == sa.bindparam("tenant"), _groups.c.id == sa.bindparam("id")
)
_COUNT = (
    sa.update(_groups)
    .where(_groups.c.tenant_id == sa.bindparam("tenant"), _groups.c.seq == sa.bindparam("which"))
    .values(member_count=sa.bindparam("count"))
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on both databases and print a table; 0 unless there is no database at all."""
    options = _options(arguments)
    print(f"| one member more, {options.members} against 0 | empty, ms | large, ms | ratio |")
    print("|---|---|---|---|")
    kinds: list[tuple[str, Callable[[], AbstractContextManager[Store]]]] = [
        ("SQLite", databases.sqlite),
        ("PostgreSQL", databases.postgresql),
    ]
    for name, opened in kinds:
        try:
            with opened() as store:
                measure(name, store, options.members, options.turns)
        except NotFound as reason:
            print(f"{name}: left out, {reason}", file=sys.stderr)
    return 0


def measure(name: str, store: Store, members: int, turns: int) -> None:
    """Fill a database, take turns, print a row without and a row with a rule."""
    cast = service.assemble(store)
    people = fill(cast, members + 2 * turns)
    for label, ruled in (("no rule", False), ("ruled", True)):
        fresh = people[members : members + turns] if not ruled else people[members + turns :]
        empty, large = take_turns(cast, people[:members], fresh, ruled)
        row = f"{name}, {label} | {empty:.2f} | {large:.2f} | {large / empty:.2f}"
        print(f"| {row} |", flush=True)


def take_turns(cast: Cast, crowd: Sequence[str], fresh: Sequence[str], ruled: bool) -> tuple[float, float]:
    """Medians in milliseconds: of an add to an empty group, and to a group that the crowd is in."""
    word = "Ruled" if ruled else "Plain"
    large = cast.acme.group(f"{word} large")["id"]
    crowded(cast, large, crowd)
    empty = [cast.acme.group(f"{word} {number}")["id"] for number in range(len(fresh))]
    if ruled:
        sell(cast, [f"{word} large", *[f"{word} {number}" for number in range(len(fresh))]])
    spent: dict[str, list[float]] = {"empty": [], "large": []}
    for number, person in enumerate(fresh):
        pair = [("empty", empty[number]), ("large", large)]
        for which, group in pair if number % 2 else reversed(pair):
            spent[which].append(_timed(cast, group, person))
    return statistics.median(spent["empty"]), statistics.median(spent["large"])


def sell(cast: Cast, names: Sequence[str]) -> None:
    """One license type with seats for all, and a rule for each of these groups."""
    with cast.writing() as work:
        catalog.create_type(work, "seat", "Seat")
        contracts.create(work, "C-1", {"seat": 1_000_000})
    for name in names:
        with cast.writing() as work:
            rules.create(work, name, "seat")


def fill(cast: Cast, count: int) -> list[str]:
    """People straight in the tables; their ids."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    with cast.writing() as work:
        work.insert(tables.directory.users, [_person(work, number, one) for number, one in enumerate(ids)])
    return ids


def crowded(cast: Cast, group_id: str, ids: Sequence[str]) -> None:
    """Put people into a group, straight in the tables."""
    users = tables.directory.users
    with cast.writing() as work:
        group = work.value(_BY_ID, id=group_id)
        rows = work.rows(sa.select(users.c.seq, users.c.id).where(users.c.tenant_id == sa.bindparam("tenant")))
        wanted = set(ids)
        seqs = [row.seq for row in rows if row.id in wanted]
        work.insert(tables.directory.memberships, [{"group_seq": group, "user_seq": seq} for seq in seqs])
        work.execute(_COUNT, which=group, count=len(seqs))


def _person(work: Work, number: int, new_id: str) -> dict[str, object]:
    return {
        "id": new_id,
        "user_name_key": f"person{number}@example.com",
        "display": f"Person {number}",
        "active": True,
        "version": 1,
        "created_at": work.now,
        "modified_at": work.now,
        "document": f'{{"userName":"person{number}@example.com","active":true}}',
    }


def _timed(cast: Cast, group_id: str, person: str) -> float:
    body = {
        "schemas": [service.PATCH],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": person}]}],
    }
    began = time.perf_counter()
    answer = cast.acme.send("PATCH", f"/Groups/{group_id}?excludedAttributes=members", body)
    spent = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise SystemExit(f"PATCH answered {answer.status}: {answer.text}")
    return spent


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.members", description=__doc__)
    parser.add_argument("--members", type=int, default=10_000, help="how many are in the large group [10000]")
    parser.add_argument("--turns", type=int, default=200, help="how often each is measured [200]")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
