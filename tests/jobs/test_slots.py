"""Which slot is due: late, once, never skipped, whatever the clock does (licensing.md T-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scim_service.jobs import slots
from scim_service.jobs.job import Job, Report
from scim_service.jobs.slots import DONE, FAILED, RUNNING, Last

HOURLY = Job("hourly", timedelta(hours=1), lambda _: Report(), "", timedelta(minutes=10))
DAILY = Job("daily", timedelta(days=1), lambda _: Report(), "", timedelta(minutes=5))
WEEKLY = Job("weekly", timedelta(days=7), lambda _: Report(), "")
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


def last(slot: datetime, state: str = DONE, fence: int = 1, tries: int = 1, ended_at: datetime | None = None) -> Last:
    return Last(slot, state, fence, tries, ended_at)


@pytest.mark.parametrize(
    ("job", "now", "slot"),
    [
        (HOURLY, datetime(2027, 3, 1, 12, 10, tzinfo=UTC), datetime(2027, 3, 1, 12, 10, tzinfo=UTC)),
        (HOURLY, datetime(2027, 3, 1, 12, 9, 59, 999000, tzinfo=UTC), datetime(2027, 3, 1, 11, 10, tzinfo=UTC)),
        (HOURLY, datetime(2027, 3, 1, 0, 5, tzinfo=UTC), datetime(2027, 2, 28, 23, 10, tzinfo=UTC)),
        (DAILY, datetime(2028, 2, 29, 0, 5, tzinfo=UTC), datetime(2028, 2, 29, 0, 5, tzinfo=UTC)),
        (DAILY, datetime(2028, 3, 1, 0, 4, tzinfo=UTC), datetime(2028, 2, 29, 0, 5, tzinfo=UTC)),
        (WEEKLY, datetime(2027, 3, 7, 23, 59, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_T_9_a_slot_is_counted_from_midnight_in_utc(job: Job, now: datetime, slot: datetime) -> None:
    assert slots.latest(job, now) == slot
    assert slots.following(job, now) == slot + job.every


def test_T_9_a_week_begins_on_monday() -> None:
    assert slots.latest(WEEKLY, NOON).strftime("%A") == "Monday"


@pytest.mark.parametrize("day", [datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)])
def test_T_9_daylight_saving_neither_skips_a_slot_nor_doubles_one(day: datetime) -> None:
    paris = ZoneInfo("Europe/Paris")
    hours = {slots.latest(HOURLY, (day + timedelta(minutes=one)).astimezone(paris)) for one in range(24 * 60)}
    assert len(hours) == 25  # that of the evening before, and one in each hour


def test_T_9_who_never_ran_is_due() -> None:
    assert slots.due(HOURLY, None, NOON, 1) == slots.latest(HOURLY, NOON)


def test_T_9_what_was_done_is_due_no_more_until_the_next_slot() -> None:
    done = slots.latest(HOURLY, NOON)
    assert slots.due(HOURLY, last(done), NOON, 1) is None
    assert slots.due(HOURLY, last(done), done + HOURLY.every - MOMENT, 1) is None
    assert slots.due(HOURLY, last(done), done + HOURLY.every, 1) == done + HOURLY.every


def test_T_9_slots_that_were_missed_are_one_however_late() -> None:
    done = slots.latest(HOURLY, NOON)
    later = NOON + timedelta(days=400, minutes=30)
    assert slots.due(HOURLY, last(done), later, 1) == slots.latest(HOURLY, later)


def test_F_12_slots_of_a_clock_that_was_set_back_are_due_again_and_hosts_may_differ_by_minutes() -> None:
    done = slots.latest(HOURLY, NOON)
    assert slots.due(HOURLY, last(done), NOON - timedelta(days=1), 1) == done - timedelta(days=1)
    assert slots.due(HOURLY, last(done), done - slots.SKEW, 1) is None


def test_T_9_what_a_former_leader_left_is_taken_up_again() -> None:
    slot = slots.latest(HOURLY, NOON)
    assert slots.due(HOURLY, last(slot, RUNNING, fence=1), NOON, 1) is None
    assert slots.due(HOURLY, last(slot, RUNNING, fence=1), NOON, 2) == slot


def test_F_22_a_run_that_failed_is_left_alone_for_a_while_and_given_up_after_eight_tries() -> None:
    slot = slots.latest(HOURLY, NOON)
    assert slots.due(HOURLY, last(slot, FAILED, ended_at=NOON), NOON, 1) is None
    assert slots.due(HOURLY, last(slot, FAILED, ended_at=NOON), NOON + slots.AGAIN, 1) == slot
    assert slots.due(HOURLY, last(slot, FAILED, ended_at=NOON + timedelta(days=1)), NOON, 1) == slot
    assert slots.due(HOURLY, last(slot, FAILED, tries=8, ended_at=NOON), NOON + slots.AGAIN, 1) is None
    assert slots.due(HOURLY, last(slot, RUNNING, tries=8, fence=1), NOON, 2) is None
