"""Four processes on one database, the leader killed and frozen: each slot once, each effect once (F5)."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import tenants
from scim_service.clock import Clock
from scim_service.jobs import leases
from scim_service.jobs.leases import Leader
from scim_service.storage import tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests.conftest import Count
from tests.jobs import member
from tests.jobs.conftest import ACTOR

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
PROCESSES = 4
ROUNDS = 10 if PROVE else 1
"""How often the leader is killed, and how often it is frozen."""
SHORT = 2.0
"""The length of a lease here; takeover takes as much longer with the real one."""
PATIENCE = 120.0


class Process:
    """A member that runs, and the lines that it has said and nobody has read."""

    def __init__(self, url: str, seconds: float, began: datetime) -> None:
        command = [sys.executable, "-m", "tests.jobs.member", url, str(seconds), began.isoformat()]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.running = subprocess.Popen(command, text=True, cwd=ROOT, **pipes)
        self.said: queue.Queue[Any] = queue.Queue()
        self.told: list[str] = []
        self._listening = [
            threading.Thread(target=_listen, args=(self.running.stdout, self._keep)),
            threading.Thread(target=_listen, args=(self.running.stderr, self.told.append)),
        ]
        for thread in self._listening:
            thread.start()

    @property
    def pid(self) -> int:
        return self.running.pid

    def _keep(self, line: str) -> None:
        self.said.put(json.loads(line))

    def wait_until_ready(self) -> None:
        assert self.said.get(timeout=PATIENCE) == "ready"

    def end(self) -> int:
        """Its status, once it has ended."""
        status = self.running.wait(PATIENCE)
        for thread in self._listening:
            thread.join()
        return status

    def next_thing(self) -> Any:
        """The next thing that it does from now on."""
        while not self.said.empty():
            self.said.get_nowait()
        return self.said.get(timeout=PATIENCE)


def _listen(stream: Any, keep: Callable[[str], None]) -> None:
    with stream:
        for line in stream:
            keep(line)


class Team:
    """Four members; one that is killed is replaced."""

    def __init__(self, store: Store, seconds: float) -> None:
        self.store, self.seconds, self.began = store, seconds, store.clock.now()
        self.members = [self._new() for _ in range(PROCESSES)]
        for one in self.members:
            one.wait_until_ready()

    def _new(self) -> Process:
        return Process(self.store.database.url, self.seconds, self.began)

    def leader(self, other_than: int = 0) -> tuple[Process, Leader]:
        """Who leads, as soon as it is one of the team and not this one."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with self.store.reading(EVERY_TENANT, ACTOR) as work:
                found = leases.leader(work)
            pid = int(found.owner.split(":")[1]) if found and found.holds else 0
            if found is not None and pid != other_than:
                for one in self.members:
                    if one.pid == pid:
                        return one, found
            time.sleep(0.02)
        raise AssertionError("Nobody leads.")

    def kill(self) -> float:
        """Kill the leader between two things or within one; how long nobody led then."""
        one, _ = self.leader()
        one.next_thing()
        one.running.kill()
        one.end()
        began = time.monotonic()
        self.leader(other_than=one.pid)[0].next_thing()
        took = time.monotonic() - began
        new = self.members[self.members.index(one)] = self._new()
        new.wait_until_ready()
        return took

    def freeze(self) -> float:
        """Stop the leader until another one has led for a while, and let it go on; how long nobody led then."""
        one, before = self._frozen()
        began = time.monotonic()
        other, after = self.leader(other_than=one.pid)
        other.next_thing()
        took = time.monotonic() - began
        assert after.fence > before.fence
        one.running.send_signal(signal.SIGCONT)
        self.leader()[0].next_thing()
        return took

    def _frozen(self) -> tuple[Process, Leader]:
        """The leader, stopped where it holds no lock: on SQLite nobody else could write otherwise."""
        while True:
            one, before = self.leader()
            one.next_thing()
            one.running.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, one.pid, os.WSTOPPED)  # all of its threads have stopped: what it holds, it holds
            if self._can_write():
                return one, before
            one.running.send_signal(signal.SIGCONT)

    def _can_write(self) -> bool:
        engine = sa.create_engine(self.store.database.url, connect_args=_impatient(self.store.database.dialect))
        try:
            with engine.begin() as connection:
                connection.execute(sa.update(tables.access.tenants).values(name="Acme"))
            return True
        except sa.exc.OperationalError:
            return False
        finally:
            engine.dispose()

    def end(self) -> None:
        """Tell them to stop; they do, in peace."""
        for one in self.members:
            one.running.send_signal(signal.SIGTERM)
        assert [one.end() for one in self.members] == [0] * len(self.members)


def _impatient(dialect: str) -> dict[str, Any]:
    return {"timeout": 2} if dialect == "sqlite" else {"options": "-c lock_timeout=2s"}


@pytest.fixture
def shared(database_url: str) -> Iterator[Store]:
    """The database by the real clock, with a tenant and a counter at 0."""
    database = Database(database_url, threads=4)
    store = Store(database, Clock())
    with store.writing(EVERY_TENANT, ACTOR) as work:
        assert tenants.create(work, "acme", "Acme").id == member.TENANT
        work.connection.execute(sa.insert(tables.jobs.installation), [{"name": member.NAME, "value": "0"}])
    yield store
    database.close()


@contextmanager
def team(store: Store, seconds: float) -> Iterator[Team]:
    made = Team(store, seconds)
    try:
        yield made
        made.end()
    finally:
        for one in made.members:
            one.running.kill()
            one.end()


def effects(store: Store) -> Sequence[Any]:
    """Every message, in the order in which they were written."""
    table = tables.delivery.outbox
    with store.reading(member.TENANT, ACTOR) as work:
        found: Sequence[Any] = work.rows(
            sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")).order_by(table.c.seq)
        )
    return found


def expect_each_once(store: Store, began: datetime) -> int:
    """Everything that was due was done once, no late write is kept, each slot was run once; how many things."""
    done = effects(store)
    last = max(row.message_key for row in done)
    assert sorted(row.message_key for row in done) == [
        key for key in member.things(began, store.clock.now() + timedelta(seconds=60)) if key <= last
    ]
    fences = [int(row.facts) for row in done]
    assert fences == sorted(fences)
    with store.reading(EVERY_TENANT, ACTOR) as work:
        counter = work.value(sa.select(tables.jobs.installation.c.value).where(_OF_COUNTER))
        runs = work.rows(sa.select(tables.jobs.job_runs))
        failed = work.rows(sa.select(tables.jobs.failed_items).execution_options(across_tenants=True))
    assert int(counter) == len(done)
    assert len({row.slot for row in runs}) == len(runs)
    assert {row.error for row in runs if row.state == "failed"} <= {"The process that ran it ended."}
    assert failed == []
    return len(done)


_OF_COUNTER = tables.jobs.installation.c.name == member.NAME


@pytest.mark.parametrize(("seconds", "rounds"), [(SHORT, ROUNDS), *([(leases.SECONDS, 1)] if PROVE else [])])
def test_F_5_four_processes_whose_leader_is_killed_and_frozen_do_each_thing_once(
    shared: Store, count: Count, seconds: float, rounds: int
) -> None:
    """With a short lease, and in `make prove` with the real one too, under which another one leads within a minute."""
    longest = 0.0
    with team(shared, seconds) as four:
        for _ in range(rounds):
            longest = max(longest, four.kill(), four.freeze())
            with _locked(shared):
                time.sleep(SHORT * 2)
            four.leader()[0].next_thing()
        began = four.began
    assert longest <= 60
    count("{:,} leaders killed and frozen among four processes", 2 * rounds)
    count("{:,} things done once by four processes", expect_each_once(shared, began))


@contextmanager
def _locked(store: Store) -> Iterator[None]:
    """Nobody else may write meanwhile: the database is away for a while."""
    try:
        with store.writing(member.TENANT, ACTOR) as work:
            work.execute(sa.select(tables.jobs.leases.c.name).with_for_update())
            yield
    except errors.Unavailable as problem:
        raise AssertionError from problem
