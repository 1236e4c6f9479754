"""When the seats of a type will be full: a pure function of its days, and of what is known to come (part 5.2).

The trend is the median of the slopes between every two days, which a single strange day does not move; the band is that
of the 10th and the 90th percentile. What is known is laid over it: the limit changes where a line begins or a contract
ends, a claim that expires frees its seat, and who waits takes a seat as soon as there is one.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

LOOK_BACK = 60
"""How many days the trend is made of."""
FEWEST = 14
HORIZON = 365
MONTH = 30
NEARLY = 1e-9

FULL, FULL_ON, NONE, TOO_LITTLE, NO_LIMIT = "full", "full_on", "none_within_a_year", "not_enough_data", "no_limit"


@dataclass(frozen=True)
class Trend:
    """Seats a day: the median, and the 10th and 90th percentile."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Known:
    """What is known of a type: seats in use, people who wait for one, the limit (None: none), and what is to come.

    `limits`: from which day on another limit holds. `expiring`: how many claims end on which day.
    """

    used: int
    limit: int | None
    waiting: int = 0
    limits: Mapping[date, int | None] = field(default_factory=dict)
    expiring: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Forecast:
    """The verdict, the day on which the seats are full, the band around it, and the slope (None: not enough data).

    `early` and `late` are None where that is not within a year.
    """

    verdict: str
    full_on: date | None = None
    early: date | None = None
    late: date | None = None
    slope: float | None = None


def trend(used: Mapping[date, int], today: date) -> Trend | None:
    """The trend of the days within the last 60; None where they are fewer than 14. Gaps are no days."""
    recent = sorted((day, most) for day, most in used.items() if today - timedelta(days=LOOK_BACK) <= day < today)
    if len(recent) < FEWEST:
        return None
    slopes = [
        (later_most - most) / (later - day).days
        for at, (day, most) in enumerate(recent)
        for later, later_most in recent[at + 1 :]
    ]
    tenths = statistics.quantiles(slopes, n=10, method="inclusive")
    return Trend(statistics.median(slopes), tenths[0], tenths[-1])


def forecast(used: Mapping[date, int], known: Known, today: date) -> Forecast:
    """When the seats are full, from the highest use of each day and what is known."""
    found = trend(used, today)
    slope = None if found is None else found.middle
    if known.limit is None and all(limit is None for limit in known.limits.values()):
        return Forecast(NO_LIMIT, slope=slope)
    if known.limit is not None and known.used >= known.limit:
        return Forecast(FULL, today, slope=slope)
    if found is None:
        return Forecast(TOO_LITTLE)
    day, early, late = (_full_on(known, one, today) for one in (found.middle, found.high, found.low))
    return Forecast(NONE if day is None else FULL_ON, day, early, late, slope)


def error(used_then: int, slope_then: float, days: int, used_now: int) -> float:
    """By how many seats a forecast of so many days ago was too high (or, below 0, too low)."""
    return used_then + slope_then * days - used_now


def _full_on(known: Known, slope: float, today: date) -> date | None:
    """The first day on which more seats are wanted than there are, or all of them."""
    limit, freed = known.limit, 0
    for ahead in range(HORIZON + 1):
        day = today + timedelta(days=ahead)
        limit = known.limits.get(day, limit)
        freed += known.expiring.get(day, 0)
        wanted = max(0.0, known.used + known.waiting + slope * ahead - freed)
        if limit is not None and wanted >= limit - NEARLY:
            return day
    return None
