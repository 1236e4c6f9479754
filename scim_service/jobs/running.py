"""The scheduler of a process: APScheduler as a clock, which wakes the worker and decides nothing.

It keeps nothing (memory store), ticks in UTC, and drops no tick for being late. Its waits are told by the wall clock,
so a clock that is set back would make it sleep for as long; a watch of steady time notices and begins to count anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scim_service.clock import Clock
from scim_service.config import Settings
from scim_service.jobs import leases
from scim_service.jobs.job import Job
from scim_service.jobs.table import JOBS
from scim_service.jobs.worker import Worker
from scim_service.storage.store import Store

PULSE_SECONDS = 5.0
"""How often every job is asked whether it is due."""
THREADS = 4
"""How many jobs may run at once in a process."""
RENEWALS = 3
"""How often a lease is renewed within its length."""
LEASE, WORK = "lease", "work"


@dataclass(frozen=True)
class Beat:
    """What is done every so many seconds, in which threads."""

    name: str
    act: Callable[[], object]
    seconds: float
    executor: str


class Jobs:
    """The scheduler of one process; any number of processes may run one."""

    def __init__(
        self, store: Store, settings: Settings, jobs: Sequence[Job] = JOBS, seconds: float = leases.SECONDS
    ) -> None:
        self.worker = Worker(store, settings, jobs, seconds)
        executors = {LEASE: ThreadPoolExecutor(1), WORK: ThreadPoolExecutor(THREADS)}
        self._scheduler = BackgroundScheduler(timezone="UTC", executors=executors)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a job that still runs at its next pulse is no news
        self._pulse = min(PULSE_SECONDS, seconds / RENEWALS)
        self._beats = [
            Beat(LEASE, self.worker.renew, seconds / RENEWALS, LEASE),
            *(Beat(f"job {job.name}", partial(self.worker.turn, job), self._pulse, WORK) for job in jobs),
        ]
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._watch_the_clock, name="jobs-watch", daemon=True)

    def start(self) -> None:
        """Begin to wake the jobs, in threads of their own."""
        self.count_anew()
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Wake no job any more, wait for those that run to end after the item that they are at, and let others lead."""
        self._over.set()
        self.worker.stop()
        self._scheduler.shutdown(wait=True)
        self._watch.join()
        self.worker.leave()

    def count_anew(self) -> None:
        """Wake everything now, and from now on at its distance."""
        for beat in self._beats:
            _add(self._scheduler, beat)

    def _watch_the_clock(self) -> None:
        ahead = time.time() - time.monotonic()
        while not self._over.wait(self._pulse):
            now = time.time() - time.monotonic()
            if now < ahead - self._pulse:
                self.count_anew()
            ahead = now


def _add(scheduler: BackgroundScheduler, beat: Beat) -> None:
    """The one door to `add_job`, which has no types: late ticks are run, several of them once."""
    scheduler.add_job(
        beat.act,
        trigger="interval",
        seconds=beat.seconds,
        id=beat.name,
        executor=beat.executor,
        replace_existing=True,
        next_run_time=Clock().now(),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
