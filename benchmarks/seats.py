"""What licenses cost: creates under a cap, members of a group with a rule, one rule for many people, and the others.

    python -m benchmarks.seats [--people 100000] [--rounds 5] [--seconds 0.5]

Several tenants of one server each: one without licenses, one whose every new person takes a seat, one with few seats,
one with groups, one with many people. What is compared is asked in turns.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import __main__ as command
from benchmarks import (
    databases,
    load,
    machine,
    operations,
    people,
    report,
    resolution,
    rigs,
    seat_targets,
    standard,
    targets,
    turns,
)
from benchmarks.client import Client, Flow
from benchmarks.load import Directory
from benchmarks.operations import LANES, Operation, Wrong
from benchmarks.rigs import Rig, Yard
from benchmarks.seat_targets import CAP, WITH, WITHOUT, Found
from benchmarks.targets import Measured
from scim_service.access import connections, credentials, tenants
from scim_service.licensing import catalog, contracts, rules, usage
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.postgres import NotFound

SIZES = (100, 1_000, 10_000, 100_000)
SPARE = 32
GROUPS = ("plain", "ruled")
LICENSE = "urn:ietf:params:scim:schemas:extension:scim-service:license:2.0:User"


@dataclass(frozen=True)
class Filled:
    """A database with its tenants: who may ask in each of them, and the ids of those who join groups."""

    url: str
    tenants: Mapping[str, Directory]
    members: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, store, print, publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seats", description=__doc__)
    parser.add_argument("--people", type=int, default=SIZES[-1], help="the most people of one rule [100000]")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured [5]")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each time [0.5]")
    parser.add_argument("--place", default=command.memory_or_disk(), help="where the databases are kept [%(default)s]")
    parser.add_argument("--results", type=Path, help="write the results there; the tables stay as they are")
    command.end_as_interrupted()
    given = parser.parse_args(arguments)
    tempfile.tempdir = given.place
    sizes = [size for size in SIZES if size < given.people] + [given.people]
    found = run(sizes, standard.Options(given.people, given.rounds, given.seconds))
    report.store("seats", found, given.results or report.RESULTS)
    if not given.results:
        report.publish()
    print(report.block({"seats": found}))
    return 0


def run(sizes: Sequence[int], options: standard.Options) -> dict[str, Any]:
    """Fill both databases, serve them, measure; the part of the result file."""
    before = machine.description()["load"]
    with ExitStack() as stack:
        urls = {targets.SQLITE: stack.enter_context(databases.folder()).url("seats")}
        missing: dict[str, str] = {}
        cluster = None
        try:
            cluster = stack.enter_context(databases.cluster())
            urls[targets.POSTGRESQL] = cluster.url("seats")
        except NotFound as reason:
            missing[targets.POSTGRESQL] = str(reason)
        filled = {name: fill(name, url, sizes) for name, url in urls.items()}
        yard = stack.enter_context(rigs.yard())
        for name, one in filled.items():
            rig = yard.ours(name, one.url, standard.MAIN, one.tenants["teams"], list(one.members))
            rig.database = cluster.process() if cluster is not None and name == targets.POSTGRESQL else 0
        samples, found = measured(yard, filled, sizes, options)
        result = Measured(samples, 0, missing=missing)
        return {
            **standard.heading(options, before, cluster),
            "rows": [one.row(result) for one in seat_targets.rows(found, sizes)],
            "rigs": [standard.described(rig) for rig in yard.rigs.values()],
            "figures": [*samples.medians(), *seat_targets.figures(found)],
            "notes": [*standard.notes(result), *seat_targets.notes(found, sizes)],
        }


# ---- databases


def fill(label: str, url: str, sizes: Sequence[int]) -> Filled:
    """The tenants of a database."""
    with databases.opened(url) as store, load.progress(label) as told:
        made = {slug: _tenant(store, slug) for slug in ("none", "capped", "few", "teams")}
        _sells(store, made["capped"], 1_000_000)
        _sells(store, made["few"], CAP)
        _sells(store, made["teams"], 1_000_000, group="ruled")
        load.fill(store, made["teams"], SPARE)
        made["many"] = load.prepare(store)
        load.fill(store, made["many"], sizes[-1], told)
        resolution.prepare(store, made["many"], sizes)
        return Filled(url, made, load.ids(store, made["teams"], SPARE))


def _tenant(store: Store, slug: str) -> Directory:
    with store.writing(EVERY_TENANT, Actor("cli", "bench")) as work:
        work.tenant_id = tenants.create(work, slug, slug.title()).id
        tenants.update(work, settings={"verified_domains": [people.DOMAIN.removeprefix("@")]})
        connection = connections.create(work, "rfc", "rfc")
        token = credentials.create(work, connection)
        return Directory(work.tenant_id, Actor("connection", "rfc", connection.seq), token)


def _sells(store: Store, directory: Directory, seats: int, group: str = rules.EVERYONE) -> None:
    """So many seats, which everybody in the group has a claim to."""
    with store.writing(directory.tenant_id, directory.actor) as work:
        catalog.create_type(work, "seat", "Seat")
        contracts.create(work, "C-1", {"seat": seats})
        rules.create(work, group, "seat", exit_grace=timedelta(0))


# ---- what is asked


def measured(
    yard: Yard, filled: Mapping[str, Filled], sizes: Sequence[int], options: standard.Options
) -> tuple[turns.Samples, Found]:
    """All of it, in turns."""
    found = Found()
    every = list(yard.rigs.values())
    wanted = {rig.name: [*_creates(rig, filled[rig.name]), _members()] for rig in every}
    samples = turns.take(every, wanted, options.rounds, options.seconds)
    for rig in every:
        found.filled_up[rig.name] = fill_up(rig, filled[rig.name])
    for number in range(options.rounds):
        for rig in every if number % 2 else reversed(every):
            one = filled[rig.name]
            with databases.opened(one.url) as store:
                for size in sizes:
                    for what, spent in resolution.timed(store, one.tenants["many"], size, rig.database).items():
                        found.spent.setdefault((rig.name, size, what), []).append(spent)
            writes = _client(rig, one.tenants["none"])
            there = resolution.meanwhile(writes, _posts(writes, WITHOUT), one.url, one.tenants["many"], sizes[-1])
            found.others.setdefault(rig.name, []).append(there)
    return samples, found


def _creates(rig: Rig, filled: Filled) -> list[Operation]:
    """A new person without a license, and one who takes a seat under a cap."""
    without, capped = (_client(rig, filled.tenants[slug]) for slug in ("none", "capped"))

    def proof(_: Rig) -> None:
        answer = capped.call("POST", "/Users", _person())
        shown = answer.document.get(LICENSE, {}).get("licenses", [{}])
        if answer.status != 201 or shown[0].get("state") != "assigned":
            raise Wrong(f"{WITH}: {answer.status} {answer.body[:200]!r}")

    plain = Operation(WITHOUT, lambda _rig, _lane: _posts(without, WITHOUT)())
    return [plain, Operation(WITH, lambda _rig, _lane: _posts(capped, WITH)(), proof=proof)]


def _members() -> Operation:
    """One member in and out of an empty group without a rule, and of one with a rule, in turns."""

    def flow(rig: Rig, lane: int) -> Flow:
        for member in itertools.cycle(rig.ids):
            for number, kind in enumerate(GROUPS):
                place = f"/Groups/{rig.groups[number]}{operations.NO_MEMBERS}"
                for act, operation in (("add", people.members([member])), ("remove", rig.removal(member))):
                    yield f"{act}, {kind} group", rig.client.request("PATCH", place, people.patch(operation))

    def proof(rig: Rig) -> None:
        for number, kind in enumerate(GROUPS):
            body = {"schemas": [people.GROUP], "displayName": kind, "members": [{"value": rig.ids[0]}]}
            answer = rig.client.call("POST", "/Groups", body)
            shown = rig.client.call("GET", f"/Users/{rig.ids[0]}").document.get(LICENSE, {}).get("licenses", [])
            if answer.status != 201 or [one["state"] for one in shown] != ["assigned"] * number:
                raise Wrong(f"a {kind} group: {answer.status} {answer.body[:200]!r}, licenses {shown}")
            rig.groups[number] = answer.document["id"]
            place = f"/Groups/{rig.groups[number]}"
            rig.client.call("PATCH", place, people.patch(rig.removal(rig.ids[0])))

    return Operation("member of a group", flow, (1,), 2 * len(GROUPS) + 2, 4.0, proof)


def _client(rig: Rig, directory: Directory) -> Client:
    """A client of the same server, in another tenant."""
    host, port = rig.client.address
    return Client(f"http://{host}:{port}/scim/v2", directory.token)


def _posts(client: Client, label: str, most: int = sys.maxsize) -> Callable[[], Flow]:
    def flow() -> Flow:
        for _ in range(most):
            yield label, client.request("POST", "/Users", _person())

    return flow


def _person() -> dict[str, Any]:
    number = next(operations.FRESH)
    return people.document(number, f"new{number:07d}x{time.time_ns()}{people.DOMAIN}")


def fill_up(rig: Rig, filled: Filled) -> tuple[int, int]:
    """Twice as many people as there are seats come on eight connections: seats in use at the end, and at most."""
    few = filled.tenants["few"]
    client = _client(rig, few)
    with databases.opened(filled.url) as store, _watching(store, few) as seen:
        client.run([_posts(client, WITH, 2 * CAP // LANES)() for _ in range(LANES)])
    return seen[-1], max(seen)


@contextmanager
def _watching(store: Store, directory: Directory) -> Iterator[list[int]]:
    """The seats in use, looked at over and over, and once at the end."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        with store.reading(directory.tenant_id, directory.actor) as work:
            seen.append(usage.seats(work)[0].used)

    def watch() -> None:
        while not over.wait(0.01):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        look()


if __name__ == "__main__":
    sys.exit(main())
