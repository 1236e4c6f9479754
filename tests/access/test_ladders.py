"""When an invitation or verification is reminded of, and when it lapses (licensing.md T-3 to T-8)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service.access import ladders
from scim_service.access.ladders import LAST, REMINDER, Ladder, Turn
from scim_service.access.tenant_settings import TenantSettings

ANCHOR = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
USUAL = Ladder.of(TenantSettings.of("{}"))
LASTING = Ladder.of(TenantSettings.of('{"final_step":"send_then_stop"}'))


def at(hours: float, over: int = 0, ladder: Ladder = USUAL, reminded: float | None = None) -> Turn:
    """The turn so many hours after the anchor."""
    reminded_at = None if reminded is None else ANCHOR + reminded * HOUR
    return ladders.turn(ladder, ANCHOR, ladder.end(ANCHOR), over, ANCHOR + hours * HOUR, reminded_at)


def after(hours: float) -> datetime:
    return ANCHOR + hours * HOUR


def test_T_3_reminders_go_the_following_day_and_three_days_later() -> None:
    assert at(0) == Turn(0, None, False, after(24))
    assert at(23.99) == Turn(0, None, False, after(24))
    assert at(24) == Turn(1, REMINDER, False, after(96))
    assert at(95, 1) == Turn(1, None, False, after(96))
    assert at(96, 1) == Turn(2, REMINDER, False, after(264))


def test_T_4_the_ladder_lapses_after_264_hours_without_another_letter() -> None:
    assert at(263.99, 2) == Turn(2, None, False, after(264))
    assert at(264, 2) == Turn(2, None, True, None)
    assert at(10_000, 0) == Turn(0, None, True, None)


def test_T_4_send_then_stop_sends_a_last_letter_whose_link_works_for_a_day() -> None:
    assert at(264, 2, LASTING) == Turn(3, LAST, False, after(288))
    assert at(287, 3, LASTING) == Turn(3, None, False, after(288))
    assert at(288, 3, LASTING) == Turn(3, None, True, None)


def test_T_8_of_several_overdue_steps_only_the_latest_goes() -> None:
    assert at(100, 0) == Turn(2, REMINDER, False, after(264))
    assert at(270, 0, LASTING) == Turn(3, LAST, False, after(288))
    assert at(300, 0, LASTING) == Turn(0, None, True, None)


@pytest.mark.parametrize(("reminded", "expected"), [(5, 25), (23.9, 43.9)])
def test_T_8_a_step_waits_until_twenty_hours_after_the_last_reminder(reminded: float, expected: float) -> None:
    assert at(24, 0, reminded=reminded) == Turn(0, None, False, after(expected))
    assert at(expected, 0, reminded=reminded).letter == REMINDER


def test_T_8_the_lapse_waits_for_nobody() -> None:
    near = Ladder((24 * HOUR, 30 * HOUR), 40 * HOUR)
    assert at(30, 1, near, reminded=24) == Turn(1, None, False, after(40))
    assert at(40, 1, near, reminded=24).lapsed


def test_steps_at_or_after_the_lapse_are_none() -> None:
    short = Ladder((2 * HOUR, 10 * HOUR), 10 * HOUR)
    assert at(2, 0, short) == Turn(1, REMINDER, False, after(10))
    assert ladders.first_due(Ladder((10 * HOUR,), HOUR), ANCHOR, after(1)) == after(1)


hours = st.integers(1, 400).map(lambda n: n * HOUR)


@given(st.sets(hours, min_size=1, max_size=5), hours, st.booleans(), st.lists(st.integers(0, 60), max_size=40))
def test_T_8_however_late_the_clock_comes_no_two_reminders_are_within_twenty_hours(
    offsets: set[timedelta], lapse: timedelta, last_call: bool, sleeps: list[int]
) -> None:
    ladder = Ladder(tuple(sorted(offsets)), lapse, last_call)
    now, over, reminded_at, sent = ANCHOR, 0, None, []
    for sleep in sleeps:
        now += sleep * HOUR
        found = ladders.turn(ladder, ANCHOR, ladder.end(ANCHOR), over, now, reminded_at)
        assert found.over >= over
        assert found.lapsed == (now >= ladder.end(ANCHOR))
        assert found.lapsed or (found.due_at is not None and now < found.due_at <= ladder.end(ANCHOR))
        if found.letter:
            assert found.over > over
            sent.append(now)
            reminded_at = now
        over = found.over
    assert all(second - first >= ladders.QUIET for first, second in itertools.pairwise(sent))
    assert len(sent) <= len(offsets) + last_call
