"""The items of a job, each by itself: a bad one holds up no other, and is set aside after eight tries (F22).

The one place, besides the error handler, where everything is caught. What is kept of a failure is the kind of the error
and the place in this program, never a value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.jobs.job import Context, Report, Stopped
from scim_service.jobs.leases import Lost
from scim_service.storage import faults, tables
from scim_service.storage.work import Actor, Work

PACKAGE = "scim_service"
TRIES = 8
"""How often an item is tried before it is parked."""
ATTEMPTS = 3
"""How often a transaction is begun where the database asks for that (reliability.md G7)."""
LONGEST = timedelta(hours=1)

_failed = tables.jobs.failed_items
_OF_JOB = sa.select(_failed).where(_failed.c.job == sa.bindparam("which")).execution_options(across_tenants=True)
_ITEM = (
    _failed.c.tenant_id == sa.bindparam("tenant"),
    _failed.c.job == sa.bindparam("which"),
    _failed.c.item == sa.bindparam("what"),
)
_FIND = sa.select(_failed).where(*_ITEM).with_for_update()
_AGAIN = (
    sa.update(_failed)
    .where(*_ITEM)
    .values(
        tries=sa.bindparam("times"),
        error=sa.bindparam("why"),
        last_at=sa.bindparam("now"),
        parked_at=sa.bindparam("set_aside"),
    )
)
_ALL = (
    sa.select(_failed)
    .order_by(_failed.c.tenant_id, _failed.c.job, _failed.c.item)
    .execution_options(across_tenants=True)
)
_DELETE = sa.delete(_failed).where(*_ITEM)
_log = logging.getLogger("scim_service.jobs")


@dataclass(frozen=True)
class Item:
    """One thing to do for one tenant; `key` names it within the tenant and the job. `what` is the job's own."""

    tenant_id: int
    key: str
    what: Any = None


def isolated(context: Context, job: str, items: Iterable[Item], act: Callable[[Work, Item], object]) -> Report:
    """Do `act` for each item, in a transaction of its own, and go on with the next where it raises.

    A failure is counted: the item is left alone for a minute, then two, four, up to an hour, and after eight tries
    it is parked until `jobs retry`. A database that is busy is no fault of the item, and only puts it off. Raises Lost
    where another process leads by now, and Stopped where this one is to end.
    """
    done = wrong = 0
    known = _known(context, job)
    for item in items:
        if context.is_over():
            raise Stopped
        before = known.get((item.tenant_id, item.key))
        if before is not None and not _may_be_tried(before, context.now):
            continue
        trouble = attempted(partial(_do, context, job, item, act, before is not None))
        if trouble is None:
            done += 1
            continue
        wrong += 1
        _tell(job, item, trouble)
        if not trouble.is_busy:
            _count(context, job, item, trouble)
    return Report(done, wrong)


@dataclass(frozen=True)
class Failure:
    """An item that failed, and what a person is told of it."""

    tenant_id: int
    facts: Mapping[str, Any]


def failures(work: Work) -> list[Failure]:
    """Every item that failed and was not done since, of every tenant; `parked` from when it is not tried any more."""
    return [
        Failure(
            row.tenant_id,
            {
                "job": row.job,
                "item": row.item,
                "tries": row.tries,
                "error": row.error,
                "last": row.last_at,
                "parked": row.parked_at,
            },
        )
        for row in work.rows(_ALL)
    ]


def retry(work: Work, job: str, key: str) -> None:
    """Let the tenant's item be tried again, with eight tries before it. Raises NotFound where none failed."""
    if work.row(_FIND, which=job, what=key) is None:
        raise errors.NotFound(f"No item {key!r} of the job {job!r} has failed. See: scim-service jobs list")
    work.execute(_DELETE, which=job, what=key)


@dataclass(frozen=True)
class Trouble:
    """What went wrong: its kind and place in words, without values; whether the database was only busy."""

    error: str
    is_busy: bool
    exception: Exception


def attempted(act: Callable[[bool], object]) -> Trouble | None:
    """Do it, again (with True: carefully) where the database asks for that; None, or what went wrong.

    Lost and Stopped pass through.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            act(left < ATTEMPTS - 1)
            return None
        except (Lost, Stopped):
            raise
        except faults.Again as problem:
            if not left:
                return Trouble(in_words(problem), True, problem)
        except Exception as problem:
            return Trouble(in_words(problem), isinstance(problem, errors.Unavailable), problem)
    raise AssertionError


def in_words(problem: BaseException) -> str:
    """The error's kind, its code if it has one, and the innermost place in this program."""
    place, trace = "", problem.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.startswith(PACKAGE):
            place = f" at {module.removeprefix(PACKAGE + '.')}:{trace.tb_lineno}"
        trace = trace.tb_next
    code = getattr(problem, "code", None) if isinstance(problem, errors.ScimError) else None
    return f"{type(problem).__name__}{f' [{code}]' if code else ''}{place}"


def _do(
    context: Context, job: str, item: Item, act: Callable[[Work, Item], object], failed_before: bool, careful: bool
) -> None:
    with context.writing(Actor("job", job), item.tenant_id, careful=careful) as work:
        act(work, item)
        if failed_before:
            work.execute(_DELETE, which=job, what=item.key)


def _tell(job: str, item: Item, trouble: Trouble) -> None:
    about = {"job": job, "tenant": item.tenant_id}
    if trouble.is_busy:
        _log.warning("the database was busy; the item is put off", extra=about)
    else:
        _log.error("job failed for an item", extra=about, exc_info=trouble.exception)


def _count(context: Context, job: str, item: Item, trouble: Trouble) -> None:
    with context.writing(Actor("job", job), item.tenant_id) as work:
        found = work.row(_FIND, which=job, what=item.key)
        times = 1 if found is None else found.tries + 1
        told = {"error": trouble.error, "last_at": work.now, "parked_at": work.now if times >= TRIES else None}
        if found is None:
            work.insert(_failed, [{"job": job, "item": item.key, "tries": 1, "first_at": work.now, **told}])
        else:
            values = {"why": told["error"], "now": told["last_at"], "set_aside": told["parked_at"]}
            work.execute(_AGAIN, which=job, what=item.key, times=times, **values)


def _known(context: Context, job: str) -> Mapping[tuple[int, str], Any]:
    with context.reading(Actor("job", job)) as work:
        return {(row.tenant_id, row.item): row for row in work.rows(_OF_JOB, which=job)}


def _may_be_tried(before: Any, now: datetime) -> bool:
    if before.parked_at is not None:
        return False
    rest = min(timedelta(minutes=2 ** (before.tries - 1)), LONGEST)
    return not before.last_at <= now < before.last_at + rest
