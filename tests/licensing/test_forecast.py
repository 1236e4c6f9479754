"""When the seats will be full: the pure function of licensing.md part 5.2."""

from __future__ import annotations

import itertools
import statistics
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service.licensing import forecast
from scim_service.licensing.forecast import Forecast, Known

TODAY = date(2027, 4, 1)
DAY = timedelta(days=1)


def rising(first: int, last: int, per_day: float = 1.0) -> dict[date, int]:
    """Used rises to `last`, which is today's number."""
    count = round((last - first) / per_day)
    return {TODAY - (count - at) * DAY: round(first + at * per_day) for at in range(count)}


def made(used: dict[date, int], known: Known) -> Forecast:
    return forecast.forecast(used, known, TODAY)


def test_used_rises_one_a_day_from_40_to_70_limit_100_is_30_days() -> None:
    found = made(rising(40, 70), Known(70, 100))
    assert (found.verdict, found.full_on, found.slope) == ("full_on", TODAY + 30 * DAY, 1.0)
    assert (found.early, found.late) == (found.full_on, found.full_on)


def test_a_single_strange_day_moves_nothing() -> None:
    used = rising(40, 70)
    used[TODAY - 10 * DAY] = 4_000
    found = made(used, Known(70, 100))
    assert (found.early, found.full_on, found.late) == (TODAY + 30 * DAY,) * 3


def test_the_band_is_that_of_the_steep_and_the_flat_slopes() -> None:
    used = {TODAY - at * DAY: 70 - at + (at % 3) for at in range(1, 40)}
    slopes = [(used[b] - used[a]) / (b - a).days for a, b in itertools.combinations(sorted(used), 2)]
    tenths = statistics.quantiles(slopes, n=10, method="inclusive")
    trend = forecast.trend(used, TODAY)
    assert trend == forecast.Trend(statistics.median(slopes), tenths[0], tenths[8])
    found = made(used, Known(70, 100))
    assert found.early is not None and found.full_on is not None and found.late is not None
    assert found.early < found.full_on < found.late


@pytest.mark.parametrize(("days", "verdict"), [(13, "not_enough_data"), (14, "full_on")])
def test_a_forecast_takes_14_days(days: int, verdict: str) -> None:
    used = {TODAY - at * DAY: 70 - at for at in range(1, days + 1)}
    assert made(used, Known(70, 100)).verdict == verdict


def test_only_the_last_60_days_count_and_today_does_not() -> None:
    used = {TODAY - at * DAY: 50 for at in range(1, 61)}
    older = {TODAY - at * DAY: 10 for at in range(61, 200)}
    assert made({**used, **older, TODAY: 90}, Known(50, 100)).verdict == "none_within_a_year"


def test_gaps_stay_gaps() -> None:
    used = {day: most for day, most in rising(40, 70).items() if day.day % 2}
    found = made(used, Known(70, 100))
    assert (found.slope, found.full_on) == (1.0, TODAY + 30 * DAY)


def test_where_use_falls_or_stands_nothing_is_full_within_a_year() -> None:
    assert made(rising(40, 70, 1) | {}, Known(70, 100_000)).verdict == "none_within_a_year"
    falling = {TODAY - at * DAY: 50 + at for at in range(1, 30)}
    found = made(falling, Known(50, 100))
    assert (found.verdict, found.full_on, found.slope) == ("none_within_a_year", None, -1.0)


def test_what_is_full_is_full_whatever_is_known_of_it() -> None:
    assert made({}, Known(100, 100)) == Forecast("full", TODAY)
    assert made({}, Known(120, 100)).verdict == "full"
    assert made(rising(40, 70), Known(70, 70)).slope == 1.0


def test_without_a_limit_nothing_is_ever_full() -> None:
    assert made(rising(40, 70), Known(70, None)).verdict == "no_limit"


def test_a_line_that_begins_puts_it_off() -> None:
    more = Known(70, 100, limits={TODAY + 20 * DAY: 110})
    assert made(rising(40, 70), more).full_on == TODAY + 40 * DAY


def test_a_contract_that_ends_is_the_day() -> None:
    ending = Known(70, 100, limits={TODAY + 20 * DAY: 0})
    found = made(rising(40, 70), ending)
    assert (found.full_on, found.early, found.late) == (TODAY + 20 * DAY,) * 3


def test_a_limit_that_goes_puts_it_off_for_ever() -> None:
    freed = Known(70, 100, limits={TODAY + 20 * DAY: None})
    assert made(rising(40, 70), freed).verdict == "none_within_a_year"


def test_claims_that_expire_free_their_seats() -> None:
    expiring = Known(70, 100, expiring={TODAY + 10 * DAY: 5, TODAY + 32 * DAY: 3, TODAY + 60 * DAY: 50})
    assert made(rising(40, 70), expiring).full_on == TODAY + 38 * DAY


def test_who_waits_takes_the_seats_that_come() -> None:
    waiting = Known(70, 100, waiting=10)
    assert made(rising(40, 70), waiting).full_on == TODAY + 20 * DAY


def test_last_months_error_is_told_in_seats() -> None:
    assert forecast.error(40, 1.0, 30, 65) == 5.0
    assert forecast.error(40, 0.5, 30, 60) == -5.0


@given(
    st.dictionaries(st.integers(1, 60), st.integers(0, 500), min_size=14, max_size=60),
    st.integers(0, 500),
    st.integers(1, 1_000),
)
def test_a_forecast_without_events_is_the_free_seats_by_the_slope(ago: dict[int, int], used: int, limit: int) -> None:
    found = made({TODAY - at * DAY: most for at, most in ago.items()}, Known(used, limit))
    if used >= limit:
        assert found.verdict == "full"
    elif found.full_on is not None:
        assert found.slope is not None
        left = (limit - used) / found.slope
        assert left - 1e-6 <= (found.full_on - TODAY).days < left + 1
    else:
        assert found.slope is not None
        assert found.slope * forecast.HORIZON < limit - used
    band = [day or date.max for day in (found.early, found.full_on, found.late)]
    assert found.verdict == "full" or band == sorted(band)
