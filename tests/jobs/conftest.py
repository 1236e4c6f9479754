"""Workers in one process, on a test database, with a table of jobs and a clock of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.jobs.job import Context, Job, Report
from scim_service.jobs.worker import Worker
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests import service
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
MINUTE = timedelta(minutes=1)
SECONDS = 30.0
"""The length of a lease."""


def job(
    run: Callable[[Context], Report | None],
    name: str = "round",
    every: timedelta = MINUTE,
    offset: timedelta = MINUTE * 0,
) -> Job:
    """A job of the tests."""
    return Job(name, every, lambda context: run(context) or Report(1), "It goes round.", offset)


class Workers:
    """Makes workers on one database; their lease goes by the clock of the test too, which may be another one."""

    def __init__(self, store: Store, lease_clock: SettableClock) -> None:
        self.store = store
        self.lease_clock = lease_clock

    def make(self, *jobs: Job) -> Worker:
        settings = service.settings(self.store.database.url)
        return Worker(self.store, settings, jobs, SECONDS, time=self.lease_clock.now)

    def leader(self, *jobs: Job) -> Worker:
        made = self.make(*jobs)
        assert made.renew()
        return made

    def runs(self, job: str = "round") -> Sequence[Any]:
        table = tables.jobs.job_runs
        with self.store.reading(EVERY_TENANT, ACTOR) as work:
            return work.rows(
                sa.select(table).where(table.c.job == sa.bindparam("which")).order_by(table.c.slot), which=job
            )

    def slots(self, job: str = "round") -> list[str]:
        return [row.slot for row in self.runs(job)]


@pytest.fixture
def lease_clock() -> SettableClock:
    """The time of the lease: as the database's, it need not be that of the service."""
    return SettableClock()


@pytest.fixture
def workers(store: Store, lease_clock: SettableClock) -> Workers:
    return Workers(store, lease_clock)
