"""Several workers on one database: each slot once, whatever becomes of who leads (licensing.md T-9, F5)."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.jobs import leases, runs, slots, worker
from scim_service.jobs.job import Context, Report, Stopped
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests.conftest import SettableClock
from tests.jobs.conftest import ACTOR, MINUTE, Workers, job

LEASE = timedelta(seconds=30)


@pytest.fixture
def ran() -> list[str]:
    """The slots that the job was run for, in order."""
    return []


def noting(ran: list[str]) -> Any:
    def run(context: Context) -> None:
        ran.append(context.slot.strftime("%d %H:%M"))

    return run


def test_T_9_of_two_workers_the_one_that_leads_does_the_slot(workers: Workers, ran: list[str]) -> None:
    round_ = job(noting(ran))
    first, second = workers.leader(round_), workers.make(round_)
    assert not second.renew()
    assert (second.turn(round_), first.turn(round_), first.turn(round_)) == (False, True, False)
    assert ran == ["01 08:00"]
    (row,) = workers.runs()
    assert (row.state, row.items, row.failed, row.tries, row.error) == ("done", 1, 0, 1, None)


def test_T_9_two_that_both_believe_to_lead_do_a_slot_once(workers: Workers, ran: list[str]) -> None:
    round_ = job(noting(ran))
    first, second = workers.leader(round_), workers.make(round_)
    second._lease, second._owner = first._lease, first._owner
    assert [first.turn(round_), second.turn(round_)] == [True, False]
    assert ran == ["01 08:00"]


def test_T_9_missed_slots_are_made_up_for_once(workers: Workers, ran: list[str], clock: SettableClock) -> None:
    round_ = job(noting(ran))
    first = workers.leader(round_)
    first.turn(round_)
    clock.advance(timedelta(days=3, minutes=2, seconds=30))
    assert [first.turn(round_), first.turn(round_)] == [True, False]
    assert ran == ["01 08:00", "04 08:02"]


def test_F_12_a_clock_that_jumps_a_day_ahead_and_back_stops_no_job(
    workers: Workers, ran: list[str], clock: SettableClock
) -> None:
    round_ = job(noting(ran))
    first = workers.leader(round_)
    for step in (timedelta(0), timedelta(days=1), MINUTE, -timedelta(days=1), MINUTE, MINUTE):
        clock.advance(step)
        first.tick()
    assert ran == ["01 08:00", "02 08:00", "02 08:01", "01 08:01", "01 08:02", "01 08:03"]


def test_F_12_a_clock_that_is_set_back_stops_a_job_for_minutes_at_most(
    workers: Workers, ran: list[str], clock: SettableClock
) -> None:
    round_ = job(noting(ran))
    first = workers.leader(round_)
    clock.advance(timedelta(days=1))
    for _ in range(60):
        clock.advance(MINUTE)
        first.tick()
    clock.advance(-timedelta(hours=1))
    before = len(ran)
    for _ in range(30):
        clock.advance(MINUTE)
        first.tick()
    assert len(ran) - before >= 30 - slots.SKEW / MINUTE - 1


def test_F_5_what_a_killed_leader_left_is_finished_by_the_next(
    workers: Workers, ran: list[str], lease_clock: SettableClock
) -> None:
    def die(context: Context) -> None:
        raise Stopped

    first, second = workers.leader(job(die)), workers.make(job(noting(ran)))
    assert first.tick() == 1
    assert workers.runs()[0].state == "running"
    assert second.tick() == 0
    lease_clock.advance(LEASE)
    assert second.tick() == 1
    assert ran == ["01 08:00"]
    (row,) = workers.runs()
    assert (row.state, row.fence, row.tries) == ("done", 2, 2)


def test_F_5_a_run_that_was_left_is_over_once_a_later_slot_is_run(
    workers: Workers, ran: list[str], lease_clock: SettableClock, clock: SettableClock
) -> None:
    def die(context: Context) -> None:
        raise Stopped

    workers.leader(job(die)).tick()
    lease_clock.advance(LEASE)
    clock.advance(timedelta(hours=1))
    workers.make(job(noting(ran))).tick()
    assert ran == ["01 09:00"]
    assert [(row.state, row.error) for row in workers.runs()] == [
        ("failed", "The process that ran it ended."),
        ("done", None),
    ]


def test_F_5_a_frozen_leader_that_wakes_up_writes_nothing_more(
    workers: Workers, ran: list[str], lease_clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    second = workers.make(job(noting(ran)))

    def freeze(context: Context) -> None:
        lease_clock.advance(LEASE)
        assert second.tick() == 1
        with context.writing(ACTOR, EVERY_TENANT) as work:
            leases.release(work, leases.Lease(second._owner, 2))

    first = workers.leader(job(freeze))
    assert first.tick() == 1
    assert not first.leads
    (row,) = workers.runs()
    assert (row.state, row.fence) == ("done", 2)
    assert second.renew()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_worker_that_leaves_is_followed_at_once(workers: Workers, ran: list[str], clock: SettableClock) -> None:
    round_ = job(noting(ran))
    first, second = workers.leader(round_), workers.make(round_)
    first.stop()
    first.leave()
    assert first.turn(round_) is False
    assert second.tick() == 1


def test_F_22_a_run_that_raises_is_tried_again_later_and_given_up_after_eight_tries(
    workers: Workers, ran: list[str], clock: SettableClock, lease_clock: SettableClock
) -> None:
    def fail(context: Context) -> None:
        ran.append("")
        raise LookupError("a value that nobody is to see")

    yearly = job(fail, every=timedelta(days=364))
    first = workers.leader(yearly)
    for _ in range(60):
        clock.advance(MINUTE)
        first.tick()
    assert len(ran) == 8
    (row,) = workers.runs()
    assert (row.state, row.tries) == ("failed", 8)
    assert row.error.startswith("LookupError at jobs.")
    assert "nobody" not in row.error


def test_a_job_that_raises_holds_up_no_other(workers: Workers, ran: list[str]) -> None:
    def fail(context: Context) -> None:
        raise LookupError

    first = workers.leader(job(fail, "bad"), job(noting(ran), "good"))
    assert first.tick() == 2
    assert ran == ["01 08:00"]


def test_a_run_whose_end_could_not_be_written_is_taken_up_under_a_new_number(
    workers: Workers, ran: list[str], monkeypatch: pytest.MonkeyPatch, lease_clock: SettableClock
) -> None:
    def refuse(*_: object) -> None:
        raise errors.Unavailable("The database is away.")

    round_ = job(noting(ran))
    first = workers.leader(round_)
    with monkeypatch.context() as patched:
        patched.setattr(runs, "end", refuse)
        first.tick()
    assert first.tick() == 0
    lease_clock.advance(LEASE)
    assert first.tick() == 1
    (row,) = workers.runs()
    assert (row.state, row.fence, row.tries) == ("done", 2, 2)


def test_a_long_run_keeps_the_lease_and_other_jobs_go_on(workers: Workers, ran: list[str]) -> None:
    begun, over = threading.Event(), threading.Event()

    def wait(context: Context) -> None:
        begun.set()
        assert over.wait(20)

    slow, quick = job(wait, "slow"), job(noting(ran), "quick")
    first = workers.leader(slow, quick)
    thread = threading.Thread(target=first.turn, args=(slow,))
    thread.start()
    assert begun.wait(20)
    assert first.renew()
    assert first.turn(quick)
    assert not first.turn(slow)
    over.set()
    thread.join()
    assert [row.state for row in workers.runs("slow")] == ["done"]


def test_a_run_is_logged_with_its_slot_and_numbers(workers: Workers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "scim_service.jobs")
    first = workers.leader(job(lambda _: Report(3, 1)))
    first.tick()
    told = [record.__dict__ for record in caplog.records if record.getMessage() == "job"]
    assert [(one["job"], one["slot"], one["items"], one["failed"]) for one in told] == [
        ("round", "2027-03-01T08:00:00Z", 3, 1)
    ]
    assert told[0]["ms"] >= 0


def test_by_hand_a_job_runs_beside_the_clock_and_is_no_slot(workers: Workers, ran: list[str], store: Store) -> None:
    round_ = job(noting(ran))
    first = workers.leader(round_)
    now = store.clock.now()
    for _ in range(2):
        with store.writing(EVERY_TENANT, ACTOR) as work:
            run = runs.begin_by_hand(work, "round", worker.new_owner())
        assert worker.perform(Context(store, first._settings, now, now), round_, run) == "done"
    assert first.tick() == 1
    assert len(ran) == 3
    assert [slot.split(" (")[0] for slot in workers.slots()] == [
        "2027-03-01T08:00:00Z",
        *["by hand at 2027-03-01T08:00:00Z"] * 2,
    ]
