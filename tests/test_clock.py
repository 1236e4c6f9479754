"""Time as settings and commands write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from scim_service import clock
from scim_service.clock import Clock


def test_now_is_aware_in_utc_and_cut_to_the_millisecond() -> None:
    told = Clock(lambda: datetime(2027, 3, 1, 8, 0, 0, 123_999, UTC)).now()
    assert told == datetime(2027, 3, 1, 8, 0, 0, 123_000, UTC)
    assert Clock().now().utcoffset() == timedelta(0)


def test_a_clock_without_a_text_is_the_real_one() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= Clock.parse(None).now() <= datetime.now(UTC)
    assert before <= Clock.parse("").now() <= datetime.now(UTC)


def test_a_clock_of_an_instant_stands_still() -> None:
    fixed = Clock.parse("2027-03-01T10:00:00+02:00")
    assert fixed.now() == fixed.now() == datetime(2027, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(("text", "shift"), [("+30d", timedelta(days=30)), ("-1h", timedelta(hours=-1))])
def test_a_shifted_clock_runs_on(text: str, shift: timedelta) -> None:
    apart = Clock.parse(text).now() - datetime.now(UTC) - shift
    assert abs(apart) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        (" 30d ", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        ("36500d", clock.LONGEST),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert clock.parse_duration(text) == duration
    assert clock.parse_duration(clock.format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "24", "1.5h", "24H", "-1h", "1h30m", "٣h", "36501d", "999999w", "0 h"])
def test_what_is_no_duration_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"write .*\.$"):
        clock.parse_duration(text)


def test_the_longest_shift_still_tells_an_instant() -> None:
    assert Clock.parse("+36500d").now().year > 2100
    assert Clock.parse("-36500d").now().year > 1900


@pytest.mark.parametrize(
    ("duration", "text"),
    [(timedelta(hours=24), "1d"), (timedelta(minutes=90), "90m"), (timedelta(seconds=61), "61s"), (timedelta(0), "0")],
)
def test_a_duration_is_shown_in_the_largest_whole_unit(duration: timedelta, text: str) -> None:
    assert clock.format_duration(duration) == text


def test_an_instant_needs_its_zone_and_is_told_in_utc() -> None:
    found = clock.parse_instant("2027-03-01T10:00:00.123999+02:00")
    assert found == datetime(2027, 3, 1, 8, 0, 0, 123_000, UTC)
    assert found.tzinfo is UTC
    assert clock.parse_instant("2027-03-01T08:00:00Z") == datetime(2027, 3, 1, 9, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-03-01", "2027-03-01T08:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2027-03-01T08:00:00Z"):
        clock.parse_instant(text)
