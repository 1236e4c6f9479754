"""Use over time: a row an hour and a row a day for each type (licensing.md 4.6, part 5.2).

A snapshot is of the present hour; an hour that nobody was there to count is a gap, and stays one. A day is made of the
hours there are. Both are made once; to make them again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import facts, seats, usage
from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

DAY = timedelta(days=1)
KEPT_DAYS = 400
"""How long the hours are kept (reliability.md D4); days that ended longer ago are not made up for."""

_hours = tables.usage.usage_hours
_days = tables.usage.usage_days
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_HELD = (
    sa.select(_assignments.c.type_seq, sa.func.count().label("people"))
    .where(_assignments.c.tenant_id == _TENANT, _assignments.c.state == facts.SUSPENDED, _assignments.c.stop_holds)
    .group_by(_assignments.c.type_seq)
)
_IN_DAY = (
    _hours.c.tenant_id == _TENANT,
    _hours.c.hour >= sa.bindparam("begins", type_=Instant),
    _hours.c.hour < sa.bindparam("ends", type_=Instant),
)
_OF_DAY = (
    sa.select(
        _hours.c.tenant_id,
        _hours.c.type_seq,
        sa.func.min(_hours.c.used).label("least"),
        sa.cast(sa.func.avg(_hours.c.used), sa.Double).label("mean"),
        sa.func.max(_hours.c.used).label("most"),
        sa.func.max(_hours.c.waiting).label("waiting"),
        sa.func.max(_hours.c.hour).label("last_hour"),
    )
    .where(*_IN_DAY)
    .group_by(_hours.c.tenant_id, _hours.c.type_seq)
    .subquery("of_day")
)
_SUMMARY = sa.select(
    _OF_DAY.c.type_seq, _OF_DAY.c.least, _OF_DAY.c.mean, _OF_DAY.c.most, _hours.c.seats, _OF_DAY.c.waiting
).join(
    _hours,
    sa.and_(
        _hours.c.tenant_id == _OF_DAY.c.tenant_id,
        _hours.c.type_seq == _OF_DAY.c.type_seq,
        _hours.c.hour == _OF_DAY.c.last_hour,
    ),
)
_MISSING = sa.select(sa.func.min(_hours.c.hour)).where(
    _hours.c.tenant_id == _TENANT, _hours.c.hour >= sa.bindparam("after", type_=Instant)
)
_LAST_DAY = sa.select(sa.func.max(_days.c.day)).where(_days.c.tenant_id == _TENANT)
_SINCE = (
    sa.select(_days)
    .where(_days.c.tenant_id == _TENANT, _days.c.day >= sa.bindparam("first"))
    .order_by(_days.c.type_seq, _days.c.day)
)
_FORGET = sa.delete(_hours).where(_hours.c.tenant_id == _TENANT, _hours.c.hour < sa.bindparam("before"))


@dataclass(frozen=True)
class Day:
    """What the hours of a day say of a type: `most` is the high-water mark, `seats` the limit at its end, if any."""

    type_seq: int
    day: date
    least: int
    mean: float
    most: int
    seats: int | None
    waiting: int


def take(work: Work) -> int:
    """Count every type now, for the present hour, unless that was done; how many types there are."""
    seats.tick(work)
    hour = work.now.replace(minute=0, second=0, microsecond=0)
    held = {row.type_seq: row.people for row in work.rows(_HELD)}
    counted = [
        {
            "type_seq": one.seq,
            "hour": hour,
            "used": one.used,
            "seats": one.limit,
            "waiting": one.waiting,
            "grace": one.grace,
            "suspended": held.get(one.seq, 0),
        }
        for one in usage.seats(work)
    ]
    work.insert_new(_hours, counted)
    return len(counted)


def close_days(work: Work) -> int:
    """Make the rows of every day that is over and has none yet; how many rows that were."""
    made = 0
    day = _first_open(work)
    while day is not None and day < work.now.date():
        found = summary(work, day)
        work.insert_new(_days, [_row(one) for one in found])
        made += len(found)
        day = _next_with_hours(work, day + DAY)
    return made


def summary(work: Work, day: date) -> list[Day]:
    """A day by its hours, also where it is not over yet; nothing where it has none."""
    rows = work.rows(_SUMMARY, begins=_midnight(day), ends=_midnight(day + DAY))
    return [Day(row.type_seq, day, row.least, row.mean, row.most, row.seats, row.waiting) for row in rows]


def days(work: Work, first: date) -> list[Day]:
    """Every day from `first` on that is over, by type."""
    return [_day(row) for row in work.rows(_SINCE, first=first.isoformat())]


def forget(work: Work, before: datetime) -> int:
    """Delete hours that are older; the days stay. How many they were."""
    return work.execute(_FORGET, before=before).rowcount


def _first_open(work: Work) -> date | None:
    """The first day after the last one that was made that has hours."""
    last = work.value(_LAST_DAY)
    oldest = work.now.date() - KEPT_DAYS * DAY
    return _next_with_hours(work, oldest if last is None else max(date.fromisoformat(last) + DAY, oldest))


def _next_with_hours(work: Work, day: date) -> date | None:
    hour = work.value(_MISSING, after=_midnight(day))
    return None if hour is None else hour.date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _row(one: Day) -> dict[str, Any]:
    numbers = {"least": one.least, "mean": one.mean, "most": one.most, "seats": one.seats, "waiting": one.waiting}
    return {"type_seq": one.type_seq, "day": one.day.isoformat(), **numbers}


def _day(row: Any) -> Day:
    return Day(row.type_seq, date.fromisoformat(row.day), row.least, row.mean, row.most, row.seats, row.waiting)


def by_type(found: Sequence[Day]) -> dict[int, list[Day]]:
    """Days of each type, in order."""
    kept: dict[int, list[Day]] = {}
    for one in found:
        kept.setdefault(one.type_seq, []).append(one)
    return kept
