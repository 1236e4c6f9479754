"""The forecast of every type, made of the tables, and kept a row a day so that a month later its error is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import capacity, facts, forecast, snapshots, usage
from scim_service.licensing.capacity import Line
from scim_service.licensing.forecast import Forecast, Known
from scim_service.licensing.snapshots import Day
from scim_service.licensing.usage import SeatLine
from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

_forecasts = tables.usage.forecasts
_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_other = _claims.alias("other")
_ledger = tables.licensing.ledger
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_QUEUED = (
    sa.select(_assignments.c.type_seq, sa.func.count().label("people"))
    .where(
        _assignments.c.tenant_id == _TENANT,
        tables.licensing.WAITS,
        _assignments.c.reason.in_([facts.CAP_REACHED, facts.NEEDS_APPROVAL]),
    )
    .group_by(_assignments.c.type_seq)
)
_EXPIRING = (
    sa.select(_claims.c.type_seq, _claims.c.expires_at)
    .join(
        _assignments,
        sa.and_(
            _assignments.c.tenant_id == _claims.c.tenant_id,
            _assignments.c.user_seq == _claims.c.user_seq,
            _assignments.c.type_seq == _claims.c.type_seq,
        ),
    )
    .where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.expires_at < sa.bindparam("beyond", type_=Instant),
        _claims.c.until.is_(None),
        _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
        ~sa.exists().where(
            _other.c.tenant_id == _claims.c.tenant_id,
            _other.c.user_seq == _claims.c.user_seq,
            _other.c.type_seq == _claims.c.type_seq,
            _other.c.until.is_(None),
            _other.c.expires_at.is_(None),
        ),
    )
)
_APPROVED = sa.select(_ledger.c.type_seq, _ledger.c.approved).where(_ledger.c.tenant_id == _TENANT)
_MADE_ON = sa.select(_forecasts).where(_forecasts.c.tenant_id == _TENANT, _forecasts.c.day == sa.bindparam("on"))


@dataclass(frozen=True)
class Outlook:
    """A type as it stands, its days, what is known to come, the forecast, and last month's error (None: not known)."""

    seats: SeatLine
    days: Sequence[Day]
    known: Known
    forecast: Forecast
    error: float | None = None


@dataclass(frozen=True)
class _Tables:
    lines: Sequence[Line]
    approved: Mapping[int, int]
    queued: Mapping[int, int]
    expiring: Mapping[int, Mapping[date, int]] = field(default_factory=dict)


def outlooks(work: Work, length: int = forecast.LOOK_BACK) -> list[Outlook]:
    """Every type: its last `length` days, and what is to be expected of it."""
    today = work.now.date()
    longest = max(length, forecast.LOOK_BACK)
    by_type = snapshots.by_type(snapshots.days(work, today - timedelta(days=longest)))
    found, then = _tables(work), _made(work, today - timedelta(days=forecast.MONTH))
    return [_outlook(one, by_type.get(one.seq, ()), found, then.get(one.seq), work.now) for one in usage.seats(work)]


def keep(work: Work) -> int:
    """Write down today's forecasts, unless that was done; how many types there are."""
    made = outlooks(work)
    work.insert_new(_forecasts, [_row(one, work.now.date()) for one in made])
    return len(made)


def _outlook(seats: SeatLine, days: Sequence[Day], found: _Tables, then: Any, now: datetime) -> Outlook:
    today = now.date()
    limits = {} if seats.cap is None else _limits(found, seats.seq, now)
    expiring = found.expiring.get(seats.seq, {})
    known = Known(seats.used, seats.limit, found.queued.get(seats.seq, 0), limits, expiring)
    used = {one.day: one.most for one in days}
    made = forecast.forecast(used, known, today)
    return Outlook(seats, days, known, made, _error(used, then, seats.used, today))


def _limits(found: _Tables, type_seq: int, now: datetime) -> dict[date, int | None]:
    """From which day on another limit holds, within the horizon; what changes during a day holds for all of it."""
    mine = [line for line in found.lines if line.type_seq == type_seq]
    end = now + timedelta(days=forecast.HORIZON)
    instants = {at for line in mine for at in (line.starts, line.ends) if at is not None and now < at <= end}
    return {
        at.date(): capacity.at(mine, at, found.approved).get(type_seq, capacity.Capacity()).limit
        for at in sorted(instants)
    }


def _error(used: Mapping[date, int], then: Any, used_now: int, today: date) -> float | None:
    """How wrong the forecast of a month ago was, which began with the day before it."""
    began = used.get(today - timedelta(days=forecast.MONTH + 1))
    if then is None or then.slope is None or began is None:
        return None
    return forecast.error(began, then.slope, forecast.MONTH + 1, used_now)


def _tables(work: Work) -> _Tables:
    beyond = work.now + timedelta(days=forecast.HORIZON)
    expiring: dict[int, Counter[date]] = {}
    for row in work.rows(_EXPIRING, beyond=beyond):
        expiring.setdefault(row.type_seq, Counter())[max(row.expires_at, work.now).date()] += 1
    return _Tables(
        capacity.lines(work),
        {row.type_seq: row.approved for row in work.rows(_APPROVED)},
        {row.type_seq: row.people for row in work.rows(_QUEUED)},
        expiring,
    )


def _made(work: Work, day: date) -> dict[int, Any]:
    return {row.type_seq: row for row in work.rows(_MADE_ON, on=day.isoformat())}


def _row(one: Outlook, today: date) -> dict[str, Any]:
    made = one.forecast
    days = {name: getattr(made, name) for name in ("full_on", "early", "late")}
    return {
        "type_seq": one.seats.seq,
        "day": today.isoformat(),
        "verdict": made.verdict,
        **{name: day and day.isoformat() for name, day in days.items()},
        "slope": made.slope,
        "error": one.error,
    }
