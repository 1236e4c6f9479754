"""One rule for many people: what it takes, what its preview takes, and what another tenant notices meanwhile.

The rule is made as the command line makes it: one transaction of the service's own functions, in a process of its own
where others are asked over HTTP at the same time.
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa

from benchmarks import databases, machine
from benchmarks.client import Client, Flow, Times
from benchmarks.load import Directory
from scim_service.licensing import catalog, contracts, preview, rules, usage, verify
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import Work

CODE = "seat"
PREVIEW, GIVEN, TAKEN = "preview", "rule", "end of the rule"
"""What is timed: how a rule would come out, making it, deleting it."""

_groups = tables.directory.groups
_users = tables.directory.users
_SEQS = (
    sa.select(_users.c.seq)
    .where(_users.c.tenant_id == sa.bindparam("tenant"))
    .order_by(_users.c.seq)
    .limit(sa.bindparam("many"))
)


class NotSound(RuntimeError):
    """What was measured did not come to what it should; the text says where."""


@dataclass(frozen=True)
class Meanwhile:
    """What another tenant's writes took (seconds each): before, and while a rule was made, which took `seconds`."""

    quiet: Times
    busy: Times
    seconds: float


def prepare(store: Store, directory: Directory, sizes: Sequence[int]) -> None:
    """A group of the first so many people for each size, and a type with seats for all of them."""
    with store.writing(directory.tenant_id, directory.actor) as work:
        catalog.create_type(work, CODE, "Seat")
        contracts.create(work, "C-1", {CODE: max(sizes)})
        for size in sizes:
            _group(work, size)


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of processor time, here and at the database server where there is one."""

    clock: float
    processor: float


def timed(store: Store, directory: Directory, size: int, database: int = 0) -> dict[str, Spent]:
    """What the preview of a rule for so many people takes, making it, and taking it back.

    `database` is the server's process. Raises NotSound where not everybody has a seat by it, or anything is left of it.
    """

    def writing() -> Any:
        return store.writing(directory.tenant_id, directory.actor)

    spent = {PREVIEW: _spent(lambda: preview.previewed(writing, lambda work: give(work, size)), database)}
    spent[GIVEN] = _spent(lambda: preview.made(writing, lambda work: give(work, size)), database)
    expect(store, directory, size)
    spent[TAKEN] = _spent(lambda: preview.made(writing, lambda work: take(work, size)), database)
    expect(store, directory, 0)
    return spent


def give(work: Work, size: int) -> None:
    """Make the rule of the group of this size."""
    rules.create(work, name(size), CODE, exit_grace=timedelta(0))


def take(work: Work, size: int) -> None:
    """Delete it: the seats are free at once."""
    rules.delete(work, name(size), CODE)


def expect(store: Store, directory: Directory, used: int) -> None:
    """Raise NotSound unless so many seats are in use, and the tables agree with a full resolution."""
    with store.reading(directory.tenant_id, directory.actor, seconds=600) as work:
        line = next(one for one in usage.seats(work) if one.code == CODE)
        found = verify.findings(work)
    if line.used != used or found:
        raise NotSound(f"{line.used} seats are used, not {used}; {len(found)} findings: {found[:3]}")


def name(size: int) -> str:
    """The name of the group of this size."""
    return f"Group of {size}"


def meanwhile(client: Client, flow: Callable[[], Flow], url: str, directory: Directory, size: int) -> Meanwhile:
    """Write as another tenant, first for a second in peace, then for as long as a rule for so many people takes."""
    with _elsewhere(url, directory, size) as told:
        quiet = client.run([flow()], seconds=1.0, least=50, warm=5)
        told.send("now")
        busy = client.run([_until(told, flow())])
        seconds = float(told.recv())
    with databases.opened(url) as store:
        expect(store, directory, 0)
    before, during = (next(iter(run.times.values())) for run in (quiet, busy))
    return Meanwhile(before, during, seconds)


def _until(told: Connection, flow: Flow) -> Flow:
    """A flow that ends once something is told; it sends one request at least."""
    label, request = next(flow)
    while True:
        answer = yield label, request
        if told.poll():
            return
        label, request = flow.send(answer)


@contextmanager
def _elsewhere(url: str, directory: Directory, size: int) -> Iterator[Connection]:
    """A process that makes the rule when it is told to, says how long that took, and takes it back at the end."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_in_process, args=(there, url, directory, size))
    process.start()
    try:
        here.recv()
        yield here
        here.send("over")
        process.join()
    finally:
        process.terminate()
        process.join()


def _in_process(told: Connection, url: str, directory: Directory, size: int) -> None:
    with databases.opened(url) as store:
        told.send("ready")
        told.recv()
        told.send(_clocked(lambda: _change(store, directory, lambda work: give(work, size))))
        told.recv()
        _change(store, directory, lambda work: take(work, size))


def _change(store: Store, directory: Directory, act: Callable[[Work], None]) -> None:
    with store.writing(directory.tenant_id, directory.actor) as work:
        act(work)


def _spent(act: Callable[[], object], database: int) -> Spent:
    here, there = time.process_time(), machine.processor_seconds([database] if database else [])
    seconds = _clocked(act)
    elsewhere = machine.processor_seconds([database] if database else []) - there
    return Spent(seconds, time.process_time() - here + elsewhere)


def _clocked(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _group(work: Work, size: int) -> None:
    """A group straight in the tables, as a PATCH with so many members would have left it."""
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now, "document": "{}"}
    names = {"display_name": name(size), "display_name_key": name(size).lower()}
    seq = work.insert_one(_groups, id=str(uuid.uuid4()), member_count=size, feeds=False, **names, **stamps)
    found = work.rows(_SEQS, many=size)
    work.insert(tables.directory.memberships, [{"group_seq": seq, "user_seq": row.seq} for row in found])
