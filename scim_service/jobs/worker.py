"""One process's part in the jobs: it leads if it can, and who leads runs what is due (licensing.md T-9).

Any number of these work on one database. The lease says who looks for what is due; the row of the slot decides who does
it; the number of the lease refuses what a former leader still wanted to write.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from scim_service.config import Settings
from scim_service.jobs import items, leases, runs, slots
from scim_service.jobs.job import Context, Job, Report, Stopped
from scim_service.jobs.leases import Lease, Lost
from scim_service.jobs.runs import Run
from scim_service.jobs.slots import DONE, FAILED
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor

HOUR = 3_600
UNTOLD = "untold"
"""The run stands as running under the lease of this process, which takes another name, and so another number."""

_log = logging.getLogger("scim_service.jobs")


def new_owner() -> str:
    """A name for this process that no other one has, or had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Worker:
    """Takes the lease and keeps it (`renew`), and runs jobs whose slot is due (`turn`); safe for several threads.

    `seconds` is the length of the lease; `time`, for tests, tells its time in place of the database.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        jobs: Sequence[Job],
        seconds: float = leases.SECONDS,
        time: Callable[[], datetime] | None = None,
    ) -> None:
        self.jobs = tuple(jobs)
        self._store = store
        self._settings = settings
        self._seconds = seconds
        self._time = time
        self._owner = new_owner()
        self._lease: Lease | None = None
        self._done: dict[str, datetime] = {}
        self._over = threading.Event()

    @property
    def leads(self) -> bool:
        """Whether this process held the lease when it was last asked for."""
        return self._lease is not None

    def tick(self) -> int:
        """Renew the lease and run every job that is due, one after the other; how many were run."""
        return sum(self.turn(job) for job in self.jobs) if self.renew() else 0

    def renew(self) -> bool:
        """Take the lease, or keep it; whether this process leads."""
        trouble = items.attempted(self._take)
        if trouble is not None:
            self._lease = None
            _log.error("job failed: no lease", extra={"job": "lease"}, exc_info=trouble.exception)
        return self.leads

    def turn(self, job: Job) -> bool:
        """Run the job if this process leads and its slot is due; whether it did."""
        lease, now = self._lease, self._store.clock.now()
        if lease is None or self._over.is_set() or self._done.get(job.name) == slots.latest(job, now):
            return False
        ran: list[bool] = []
        try:
            trouble = items.attempted(lambda careful: ran.append(self._turn(job, lease)))
        except Lost:
            _log.warning("another process leads by now; what this one was about to write is not kept")
            self._lease = None if self._lease == lease else self._lease
            return True
        except Stopped:
            _log.info("the run is left to the next process", extra={"job": job.name})
            return True
        if trouble is not None:
            _log.error("job failed", extra={"job": job.name}, exc_info=trouble.exception)
        return any(ran)

    def stop(self) -> None:
        """Begin no run any more, and end those under way after the item that they are at."""
        self._over.set()

    def leave(self) -> None:
        """Give the lease up, so that the next one need not wait for its end."""
        lease, self._lease = self._lease, None
        if lease is not None:
            items.attempted(partial(self._release, lease))

    def _take(self, careful: bool) -> None:
        with self._store.writing(EVERY_TENANT, self._actor(), careful=careful) as work:
            lease = leases.take(work, self._owner, self._seconds, self._time and self._time())
        if lease != self._lease:
            self._done.clear()
            told = "this process leads the jobs" if lease else "another process leads the jobs"
            _log.info(told, extra={"job": "lease", "status": lease.fence if lease else None})
        self._lease = lease

    def _release(self, lease: Lease, careful: bool) -> None:
        with self._store.writing(EVERY_TENANT, self._actor(), careful=careful) as work:
            leases.release(work, lease, self._time and self._time())

    def _turn(self, job: Job, lease: Lease) -> bool:
        actor = self._actor(job)
        with self._store.reading(EVERY_TENANT, actor) as work:
            last = runs.last(work, job.name)
            slot = slots.due(job, last, work.now, lease.fence)
        if slot is None:
            if last is not None and last.state == DONE:
                self._done[job.name] = last.slot
            return False
        with self._store.writing(EVERY_TENANT, actor) as work:
            run = runs.begin(work, job.name, slot, lease)
            leases.expect(work, lease)
        if run is None:
            return False
        context = Context(self._store, self._settings, work.now, slot, lease, self._over.is_set)
        outcome = perform(context, job, run)
        if outcome == DONE:
            self._done[job.name] = slot
        elif outcome == UNTOLD:
            self._owner, self._lease = new_owner(), None
        return True

    def _actor(self, job: Job | None = None) -> Actor:
        return Actor("job", job.name if job else "lease")


def perform(context: Context, job: Job, run: Run) -> str:
    """Run a job that was begun, and write down how it ended: `done`, `failed`, or `untold` where that cannot be.

    Raises Lost and Stopped.
    """
    began = time.perf_counter()
    reports: list[Report] = []
    trouble = items.attempted(lambda careful: reports.append(job.run(context)))
    report = reports[-1] if reports else Report()
    error = None if trouble is None else trouble.error
    ended = partial(_end, context, job, run, report, error)
    told = items.attempted(ended)
    _say(job, run, report, time.perf_counter() - began, trouble or told)
    if told is not None:
        return UNTOLD
    return DONE if trouble is None else FAILED


def _end(context: Context, job: Job, run: Run, report: Report, error: str | None, careful: bool) -> None:
    with context.writing(Actor("job", job.name), EVERY_TENANT, careful=careful) as work:
        runs.end(work, run, report, error)


def _say(job: Job, run: Run, report: Report, seconds: float, trouble: items.Trouble | None) -> None:
    about = {"job": job.name, "slot": run.slot, "items": report.items, "failed": report.failed}
    about["ms"] = round(seconds * 1000, 1)
    if trouble is not None:
        _log.error("job failed", extra=about, exc_info=trouble.exception)
    else:
        is_news = report.items or report.failed or job.every.total_seconds() >= HOUR
        _log.log(logging.INFO if is_news else logging.DEBUG, "job", extra=about)
