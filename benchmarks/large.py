"""Growth: the same service with more and more people, each size a server of its own, all measured in turns.

    python -m benchmarks.large [--people 10240 100000 1000000] [--rounds 5] [--seconds 0.5]

The smallest size is what the others are compared with. Groups have 10,000 members, and 50,000 where there are people
for it. With django-scim2 at 100,000 people, where that is one of the sizes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import __main__ as command
from benchmarks import databases, machine, operations, report, rigs, standard, targets, turns
from benchmarks.operations import Operation
from benchmarks.rigs import NoPeer, Rig, Yard
from benchmarks.targets import Measured, Part
from tests.postgres import NotFound

LARGE_GROUP = 50_000
KEYED = ("GET user by id", *operations.FILTERS, "first page of 100", "create user", "PATCH active")
BOUNDS = {"create user": 1.6, "PATCH active": 1.6, "first page of 100": 1.5}
"""Times the cost at the smallest size; 1.3 for reads by a key."""

WITH_PEER = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, store, print, publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[10_240, 100_000, 1_000_000], help="the sizes")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured [5]")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each time [0.5]")
    parser.add_argument("--place", default=command.memory_or_disk(), help="where the databases are kept [%(default)s]")
    parser.add_argument("--no-peers", action="store_true", help="without django-scim2")
    command.end_as_interrupted()
    given = parser.parse_args(arguments)
    tempfile.tempdir = given.place
    found = run(sorted(given.people), given.rounds, given.seconds, not given.no_peers)
    report.store("large", found)
    report.publish()
    print(report.block({"large": found}))
    return 0


def run(sizes: Sequence[int], rounds: int, seconds: float, peers: bool) -> dict[str, Any]:
    """Fill every size on both databases, then measure all; the part of the result file."""
    before = machine.description()["load"]
    options = standard.Options(people=sizes[-1], rounds=rounds, seconds=seconds)
    with ExitStack() as stack:
        places: list[tuple[str, databases.Folder | databases.Cluster]] = []
        places.append((targets.SQLITE, stack.enter_context(databases.folder())))
        missing: dict[str, str] = {}
        cluster = None
        try:
            cluster = stack.enter_context(databases.cluster())
            places.append((targets.POSTGRESQL, cluster))
        except NotFound as reason:
            missing |= {label(targets.POSTGRESQL, size): str(reason) for size in sizes}
        yard = stack.enter_context(rigs.yard())
        for name, place in places:
            for size in sizes:
                put_up(yard, label(name, size), place.url(str(size)), size)
        if peers and cluster is not None and WITH_PEER in sizes:
            _put_up_peer(yard, cluster, missing)
        return measured(yard, sizes, options, cluster, missing, before)


def measured(
    yard: Yard,
    sizes: Sequence[int],
    options: standard.Options,
    cluster: databases.Cluster | None,
    missing: dict[str, str],
    before: str,
) -> dict[str, Any]:
    """Take turns; the part of the result file."""
    for rig in yard.rigs.values():
        if "postgresql" in rig.what and cluster is not None:
            rig.database = cluster.process()
    wanted = {rig.name: operations_of(rig) for rig in yard.rigs.values()}
    samples = turns.take(list(yard.rigs.values()), wanted, options.rounds, options.seconds)
    found = Measured(samples, LARGE_GROUP, missing=missing)
    return {
        **standard.heading(options, before, cluster),
        "people": ", ".join(f"{size:,}" for size in sizes),
        "rows": [row(found, *one, sizes) for one in ROWS],
        "rigs": [standard.described(rig) for rig in yard.rigs.values()],
        "figures": samples.medians(),
        "notes": standard.notes(found),
    }


def label(name: str, size: int) -> str:
    """What the rig of a size is called."""
    return f"{name}, {size:,}"


def put_up(yard: Yard, name: str, url: str, size: int) -> None:
    """Fill a database and serve it."""
    yard.ours(name, url, standard.MAIN, *rigs.fill_ours(url, size, name))


def _put_up_peer(yard: Yard, cluster: databases.Cluster, missing: dict[str, str]) -> None:
    try:
        rigs.install_peers()
        yard.django(standard.MAIN, cluster.bare("django"), WITH_PEER)
    except (NoPeer, machine.NotStarted) as reason:
        missing[targets.DJANGO] = str(reason)


def operations_of(rig: Rig) -> list[Operation]:
    """What a rig is asked: the peer one filter, ours everything that goes by a key, and its groups."""
    if rig.name == targets.DJANGO:
        return [one for one in operations.PLAIN if one.name in ("GET user by id", "filter userName")]
    plain = [one for one in operations.PLAIN if one.name in KEYED]
    sizes = [size for size in (0, 10_000, LARGE_GROUP) if size + standard.SPARE <= len(rig.ids)]
    groups = [
        operations.one_member(sizes, operations.NO_MEMBERS),
        operations.get_group(sizes[-1], operations.NO_MEMBERS),
    ]
    return [*plain, *groups]


def row(found: Measured, identity: str, sentence: str, parts: Any, sizes: Sequence[int]) -> dict[str, Any]:
    """A target as the result file keeps it."""
    return targets.Target(identity, sentence, lambda seen: parts(seen, sizes)).row(found)


def _t4(found: Measured, sizes: Sequence[int]) -> Iterator[Part]:
    if WITH_PEER in sizes:
        rig = label(targets.POSTGRESQL, WITH_PEER)
        yield targets.more(found, f"{rig}, of django-scim2", 25, "filter userName", rig, targets.DJANGO)
        yield targets.cheaper(found, f"{rig}, of django-scim2", 25, "filter userName", rig, targets.DJANGO)


def _t8(found: Measured, sizes: Sequence[int]) -> Iterator[Part]:
    for name in targets.OURS:
        for size in sizes:
            members = LARGE_GROUP if size > LARGE_GROUP else 10_000
            for act in ("add", "remove"):
                big, empty = (f"{act} @{one}{targets.NO}" for one in (members, 0))
                yield targets.cost(
                    found, f"{label(name, size)}, {act} @{members:,}", 1.15, big, label(name, size), empty
                )


def _t11(found: Measured, sizes: Sequence[int]) -> Iterator[Part]:
    for name in targets.OURS:
        for size in sizes:
            members = LARGE_GROUP if size > LARGE_GROUP else 10_000
            rig = label(name, size)
            yield targets.cost(
                found, f"{rig}, @{members:,}", 1.2, f"GET group @{members}{targets.NO}", rig, targets.GET
            )


def _t14(found: Measured, sizes: Sequence[int]) -> Iterator[Part]:
    for name in targets.OURS:
        for size in sizes[1:]:
            for operation in KEYED:
                rig, small = label(name, size), label(name, sizes[0])
                of = [(operation, rig, 1), (operation, small, 1)]
                yield found.part(
                    f"{rig}, {operation}",
                    BOUNDS.get(operation, 1.3),
                    of,
                    lambda rig=rig, small=small, operation=operation: found.samples.faster(operation, small, rig),  # type: ignore[misc]
                    at_most=True,
                )


ROWS = [
    ("T4", "Filter userName eq against a peer with as many people, requests per second", _t4),
    ("T8", "One member more or less in a large group, against an empty one: times the cost", _t8),
    ("T11", "GET of a large group without its members: times the cost of GET of a user", _t11),
    ("T14", "Many people against few: times the cost", _t14),
]


if __name__ == "__main__":
    sys.exit(main())
