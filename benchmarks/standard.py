"""The standard run: 10,240 people on SQLite and PostgreSQL, beside peers and the yardstick, all in turns."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import databases, machine, operations, rigs, targets, turns
from benchmarks.client import Client
from benchmarks.rigs import NoPeer, Rig, Served, Yard
from tests.postgres import NotFound

MAIN = Served("gunicorn", 2, 4)
ONE_PROCESS = Served("gunicorn", 1, 8)
FAST = Served("granian", 2, 4)
FAST_ONE = Served("granian", 1, 8)
SLOW_AT_PEERS = frozenset(operations.FILTERS) - {"filter userName"}
"""Seconds an answer at some of them, and no target compares them."""

SPARE = 40
"""People that are never in the large group, so that there is somebody to add."""


@dataclass(frozen=True)
class Options:
    """What is run: how many people, rounds and seconds, which targets (None: all), whether beside peers."""

    people: int = 10_240
    rounds: int = 5
    seconds: float = 0.5
    only: frozenset[str] | None = None
    peers: frozenset[str] = frozenset({targets.DJANGO, targets.FLASK})
    starts: int = 5

    @property
    def group(self) -> int:
        """Members of the large group: 10,000, or as many as there are people for."""
        return min(10_000, self.people - SPARE)

    @property
    def targets(self) -> list[targets.Target]:
        """The targets that are asked for."""
        return [one for one in targets.TARGETS if self.only is None or one.id in self.only]

    def needs(self, operation: str) -> bool:
        """Whether one of the targets is found from this operation."""
        return any(operation.startswith(begin) for one in self.targets for begin in one.needs)


@dataclass
class Place:
    """The databases of a run, filled, and why something is missing."""

    urls: dict[str, str] = field(default_factory=dict)
    filled: dict[str, Any] = field(default_factory=dict)
    cluster: databases.Cluster | None = None
    missing: dict[str, str] = field(default_factory=dict)


def run(options: Options) -> dict[str, Any]:
    """Fill, start, measure; the part of the result file."""
    before = machine.description()["load"]
    with prepared(options) as place:
        starts = start_times(place.urls, options.starts) if options.only is None or "T20" in options.only else {}
        with rigs.yard() as yard:
            put_up(yard, place, options)
            measured, samples = measure(yard, place, options)
            measured = replace(measured, starts=starts)
            return {
                **heading(options, before, place.cluster),
                "rows": [one.row(measured) for one in options.targets],
                "rigs": [described(one) for one in yard.rigs.values()],
                "figures": samples.medians(),
                "notes": notes(measured),
            }


@contextmanager
def prepared(options: Options) -> Iterator[Place]:
    """Both databases, filled."""
    with ExitStack() as stack:
        place = Place()
        place.urls[targets.SQLITE] = stack.enter_context(databases.folder()).url("standard")
        try:
            place.cluster = stack.enter_context(databases.cluster())
            place.urls[targets.POSTGRESQL] = place.cluster.url("standard")
        except NotFound as reason:
            place.missing |= dict.fromkeys((targets.POSTGRESQL, targets.POSTGRESQL_GRANIAN), str(reason))
        for name, url in place.urls.items():
            place.filled[name] = rigs.fill_ours(url, options.people, name)
        yield place


def put_up(yard: Yard, place: Place, options: Options) -> None:
    """Start every server."""
    yard.yardstick(targets.YARDSTICK, MAIN)
    for name, url in place.urls.items():
        yard.ours(name, url, MAIN, *place.filled[name])
    if options.only is None or "T18" in options.only:
        for name, served in ((targets.SQLITE, FAST_ONE), (targets.POSTGRESQL, FAST)):
            if name in place.urls:
                yard.ours(f"{name}, granian", place.urls[name], served, *place.filled[name])
    place.missing |= dict.fromkeys({targets.DJANGO, targets.FLASK} - options.peers, "left out of this run")
    if options.peers:
        _peers(yard, place, options)


def _peers(yard: Yard, place: Place, options: Options) -> None:
    try:
        rigs.install_peers()
    except NoPeer as reason:
        place.missing |= dict.fromkeys(options.peers, str(reason))
        return
    for name in sorted(options.peers):
        try:
            PUT_UP[name](yard, place, options.people)
        except (NoPeer, machine.NotStarted) as reason:
            place.missing[name] = str(reason)


def _django(yard: Yard, place: Place, people: int) -> None:
    if place.cluster is None:
        raise NoPeer("there is no PostgreSQL here")
    yard.django(MAIN, place.cluster.bare("django"), people)


def _scim2_flask(yard: Yard, place: Place, people: int) -> None:
    yard.scim2_flask(ONE_PROCESS, people)


PUT_UP = {targets.DJANGO: _django, targets.FLASK: _scim2_flask}
"""Peer → what puts it up."""


def measure(yard: Yard, place: Place, options: Options) -> tuple[targets.Measured, turns.Samples]:
    """All operations of all rigs, in turns; memory at rest and after each round."""
    for rig in yard.rigs.values():
        if "postgresql" in rig.what and place.cluster is not None:
            rig.database = place.cluster.process()
    wanted = {rig.name: operations_of(rig, options) for rig in yard.rigs.values()}
    memory = {rig.name: [machine.memory_mib(rig.process)] for rig in yard.rigs.values()}

    def after(_: int) -> None:
        for rig in yard.rigs.values():
            memory[rig.name].append(machine.memory_mib(rig.process))

    found = turns.take(list(yard.rigs.values()), wanted, options.rounds, options.seconds, after)
    return targets.Measured(found, options.group, memory, missing=place.missing), found


def operations_of(rig: Rig, options: Options) -> list[operations.Operation]:
    """What a rig is asked: the yardstick its one route, granian only what is compared, peers all but the last."""
    if rig.name == targets.YARDSTICK:
        return [operations.CANNED]
    everything = [*operations.PLAIN, *operations.on_groups(options.group)]
    if rig.served.server == "granian":
        everything = [one for one in operations.PLAIN if one.name in ("GET user by id", "create user", "PATCH active")]
    if rig.name in (targets.DJANGO, targets.FLASK):
        everything = [one for one in everything[:-1] if one.name not in SLOW_AT_PEERS]
    return [one for one in everything if options.only is None or options.needs(one.name)]


def start_times(urls: Mapping[str, str], times: int) -> dict[str, list[float]]:
    """Seconds from the start of a server to its first answer, in turns."""
    commands = {name: (*rigs.service_command(url, MAIN), "/live") for name, url in urls.items()}
    commands[targets.YARDSTICK] = (*rigs.canned_command(MAIN), "/canned")
    found: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="scim-bench-log-") as place:
        for _ in range(times):
            for name, (command, environment, ready) in commands.items():
                found[name].append(start_time(command, environment, ready, Path(place) / "start.log"))
    return found


def start_time(command: list[str], environment: Mapping[str, str], ready: str, log: Path) -> float:
    """Start it, ask until it answers, end it."""
    port = machine.free_port()
    began = time.perf_counter()
    with machine.running([one.replace("PORT", str(port)) for one in command], environment, log) as process:
        machine.first_answer(Client(f"http://127.0.0.1:{port}"), ready, process, log)
        return time.perf_counter() - began


def heading(options: Options, before: str, cluster: databases.Cluster | None) -> dict[str, Any]:
    """What stands above the figures: when, where, how much."""
    seen = machine.description()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "people": f"{options.people:,}",
        "rounds": options.rounds,
        "seconds": options.seconds,
        "machine": {name: seen[name] for name in ("cores", "python")},
        "load": {"before": before, "after": seen["load"]},
        "flush_ms": round(machine.flush_ms(), 2),
        "postgresql": cluster.settings() if cluster else {},
    }


def described(rig: Rig) -> dict[str, str]:
    """A rig, for the table of rigs."""
    return {"name": rig.name, "what": rig.what, "served": str(rig.served), "command": rig.command}


def notes(found: targets.Measured) -> list[str]:
    """What a reader has to know beside the figures: who was left out, what was refused, and memory and starts."""
    samples = found.samples
    said = [f"{name} is missing: {why}" for name, why in found.missing.items()]
    said += [f"{rig} is left out of {name}: {why}" for (name, rig), why in samples.left_out.items()]
    said += [f"{rig}, {name}, {many} connections: refused {why}" for (name, rig, many), why in samples.refused.items()]
    for name, seen in found.memory.items():
        said.append(f"Memory of {name}: {seen[0]:.0f} MiB at rest, {seen[-1]:.0f} MiB after the last round")
    for name, times in found.starts.items():
        said.append(f"Start of {name}: {statistics.median(times):.2f} s to the first answer")
    return [one.replace("|", "/").replace("\n", " ")[:300] for one in said]
