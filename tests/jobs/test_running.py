"""The scheduler of a process: APScheduler wakes, and a wall clock that is set back puts nothing to sleep (F12)."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from scim_service.clock import Clock
from scim_service.jobs import Jobs
from scim_service.jobs.job import Context, Report
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.jobs.conftest import MINUTE, job

LEASE = 0.3
PATIENCE = 20


class Beats:
    """Counts the runs of a job that is due each minute of the clock of the test."""

    def __init__(self, store: Store, clock: SettableClock) -> None:
        self.count = 0
        self.clock = clock
        self.jobs = Jobs(store, service.settings(store.database.url), [job(self.run)], LEASE)

    def run(self, context: Context) -> Report:
        self.count += 1
        return Report(1)

    def goes_on(self) -> bool:
        """Whether the job is run within some seconds, once it is due."""
        before = self.count
        self.clock.advance(MINUTE)
        end = time.monotonic() + PATIENCE
        while self.count == before and time.monotonic() < end:
            time.sleep(0.02)
        return self.count > before

    def put_off(self) -> None:
        """As it is after the wall clock was set back by a day: every tick lies a day ahead."""
        for one in self.jobs._scheduler.get_jobs():
            one.modify(next_run_time=Clock().now() + timedelta(days=1))


def test_a_job_is_woken_at_every_slot_until_the_end(store: Store, clock: SettableClock) -> None:
    beats = Beats(store, clock)
    beats.jobs.start()
    assert beats.goes_on() and beats.goes_on()
    beats.jobs.stop()
    ran = beats.count
    clock.advance(MINUTE)
    time.sleep(2 * LEASE)
    assert beats.count == ran
    assert not beats.jobs.worker.leads


def test_F_12_a_wall_clock_that_is_set_back_by_a_day_puts_no_job_to_sleep(
    store: Store, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = Beats(store, clock)
    beats.jobs.start()
    assert beats.goes_on()
    beats.put_off()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - timedelta(days=1).total_seconds())
    assert beats.goes_on()
    monkeypatch.undo()
    beats.jobs.stop()


def test_a_run_that_takes_long_is_let_end_its_item_and_no_more_is_begun(store: Store, clock: SettableClock) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def wait(context: Context) -> Report:
        begun.set()
        assert may_end.wait(PATIENCE)
        assert context.is_over()
        return Report(1)

    slow = Jobs(store, service.settings(store.database.url), [job(wait)], LEASE)
    slow.start()
    assert begun.wait(PATIENCE)
    stopping = threading.Thread(target=slow.stop)
    stopping.start()
    time.sleep(0.1)
    assert stopping.is_alive()
    may_end.set()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
