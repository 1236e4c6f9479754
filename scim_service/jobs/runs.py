"""The runs of jobs, a row for each slot: who inserts it does the work (licensing.md T-9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_service import clock
from scim_service.jobs import slots
from scim_service.jobs.job import Report
from scim_service.jobs.leases import Lease
from scim_service.jobs.slots import DONE, FAILED, RUNNING, Last
from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

BY_HAND = "by hand at "
NOT_ENDED = "The process that ran it ended."

_runs = tables.jobs.job_runs
_JOB = _runs.c.job == sa.bindparam("which")
_BY_TIME = _runs.c.slot < sa.literal(":")
"""Slots that are instants: they begin with a digit."""
_THIS = (_JOB, _runs.c.slot == sa.bindparam("at"))
_FIND = sa.select(_runs).where(*_THIS)
_LAST = sa.select(_runs).where(_JOB, _BY_TIME).order_by(_runs.c.slot.desc()).limit(1)
_FORGET = sa.delete(_runs).where(_JOB, _BY_TIME, _runs.c.slot > sa.bindparam("far"))
_KEPT = {True: timedelta(days=7), False: timedelta(days=90)}
"""How long a run is remembered: one that went well and found nothing to do, and another one."""
_OLD = sa.delete(_runs).where(_runs.c.started_at < sa.bindparam("before"))
_PURGE = {
    True: _OLD.where(_runs.c.state == DONE, _runs.c["items"] == 0, _runs.c.failed == 0),
    False: _OLD,
}
_LEAVE = (
    sa.update(_runs)
    .where(_JOB, _BY_TIME, _runs.c.slot < sa.bindparam("at"), _runs.c.state == RUNNING)
    .where(_runs.c.fence < sa.bindparam("number"))
    .values(state=FAILED, error=NOT_ENDED, ended_at=sa.bindparam("now"))
)
_MY_RUN = (*_THIS, _runs.c.owner == sa.bindparam("me"), _runs.c.fence == sa.bindparam("number"))
_END = (
    sa.update(_runs)
    .where(*_MY_RUN)
    .values(
        state=sa.bindparam("outcome"),
        items=sa.bindparam("done"),
        failed=sa.bindparam("wrong"),
        error=sa.bindparam("why"),
        ended_at=sa.bindparam("now"),
    )
)
_NEW = {
    "job": sa.bindparam("which"),
    "slot": sa.bindparam("at"),
    "owner": sa.bindparam("me"),
    "fence": sa.bindparam("number", type_=sa.BigInteger),
    "started_at": sa.bindparam("now", type_=Instant),
    "state": RUNNING,
    "items": 0,
    "failed": 0,
    "tries": 1,
}
_INSERT = sa.insert(_runs).values(_NEW)
_LATEST = (
    sa.select(
        _runs,
        sa.func.row_number().over(partition_by=_runs.c.job, order_by=_runs.c.started_at.desc()).label("place"),
    )
).subquery()
_LISTING = sa.select(_LATEST).where(_LATEST.c.place == 1)


@dataclass(frozen=True)
class Run:
    """A run that this process has begun."""

    job: str
    slot: str
    owner: str
    fence: int


@dataclass(frozen=True)
class Shown:
    """The newest run of a job, as a person is told of it."""

    job: str
    slot: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    items: int
    failed: int
    error: str | None


def name_of(slot: datetime) -> str:
    """A slot as it is kept: such names have the order of their instants."""
    return clock.format_instant(slot)


def last(work: Work, job: str) -> Last | None:
    """The run of the job's latest slot; what was done by hand is none."""
    row = work.row(_LAST, which=job)
    return row and Last(clock.parse_instant(row.slot), row.state, row.fence, row.tries, row.ended_at)


def begin(work: Work, job: str, slot: datetime, lease: Lease) -> Run | None:
    """The run of this slot, for whoever inserts it, or takes up again what was left or failed; None for the others.

    Older runs that nobody ended are over by that, and slots far ahead are forgotten: the clock was set back.
    """
    at, number = name_of(slot), lease.fence
    work.execute(_FORGET, which=job, far=name_of(work.now + slots.SKEW))
    work.execute(_LEAVE, which=job, at=at, number=number, now=work.now)
    again = {"again": work.now - slots.AGAIN, "now": work.now}
    begun = work.value(_beginning(work.dialect), which=job, at=at, me=lease.owner, number=number, **again)
    return None if begun is None else Run(job, at, lease.owner, number)


def begin_by_hand(work: Work, job: str, owner: str) -> Run:
    """A run that somebody asked for: under no lease, beside those of the clock, and never taken up by another one."""
    run = Run(job, f"{BY_HAND}{clock.format_instant(work.now)} ({owner[-8:]})", owner, 0)
    work.execute(_INSERT, which=job, at=run.slot, me=owner, number=0, now=work.now)
    return run


def end(work: Work, run: Run, report: Report, error: str | None) -> None:
    """Say how a run ended."""
    outcome = DONE if error is None else FAILED
    told = {"outcome": outcome, "done": report.items, "wrong": report.failed, "why": error, "now": work.now}
    work.execute(_END, which=run.job, at=run.slot, me=run.owner, number=run.fence, **told)


def find(work: Work, run: Run) -> Shown:
    """How a run stands."""
    (row,) = work.rows(_FIND, which=run.job, at=run.slot)
    return _shown(row)


def purge(work: Work) -> int:
    """Forget old runs; how many they were."""
    return sum(work.execute(_PURGE[one], before=work.now - kept).rowcount for one, kept in _KEPT.items())


def newest(work: Work) -> dict[str, Shown]:
    """The newest run of each job, by name."""
    return {row.job: _shown(row) for row in work.rows(_LISTING)}


def _shown(row: Any) -> Shown:
    return Shown(row.job, row.slot, row.started_at, row.ended_at, row.state, row.items, row.failed, row.error)


_statements: dict[str, Any] = {}


def _beginning(dialect: str) -> Any:
    """The one statement that decides: it answers nothing where the slot is somebody's, or done."""
    if dialect not in _statements:
        insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
        made = insert(_runs).values(_NEW)
        given = made.excluded
        is_left = sa.and_(_runs.c.state == RUNNING, _runs.c.fence < given.fence)
        ended_long_ago = _runs.c.ended_at <= sa.bindparam("again", type_=Instant)
        is_failed = sa.and_(_runs.c.state == FAILED, sa.or_(ended_long_ago, _runs.c.ended_at > given.started_at))
        _statements[dialect] = made.on_conflict_do_update(
            index_elements=[_runs.c.job, _runs.c.slot],
            set_={
                "owner": given.owner,
                "fence": given.fence,
                "started_at": given.started_at,
                "ended_at": None,
                "error": None,
                "state": RUNNING,
                "tries": _runs.c.tries + 1,
            },
            where=sa.and_(_runs.c.tries < slots.TRIES, sa.or_(is_left, is_failed)),
        ).returning(_runs.c.tries)
    return _statements[dialect]
