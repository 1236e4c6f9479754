"""Fewer seats than holders: the surplus keeps its seats until a deadline (licensing.md A-8, D-13, decision 43).

A type's drops always add up to its surplus. Who is in it follows from seniority: the least senior first, those whose
reasons are already gone before all others, and the least senior of all under the earliest deadline. As others leave,
the surplus shrinks from its most senior end. Suspended licenses stand under no drop, as there is nothing to lose but
the seat; at a deadline they let go of it where too few others do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import facts
from scim_service.licensing.capacity import Shortfall
from scim_service.storage import tables
from scim_service.storage.work import Work

_drops = tables.licensing.capacity_drops
_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_TYPE: sa.BindParameter[Any] = sa.bindparam("type")
_AT = sa.bindparam("at", type_=_drops.c.deadline.type)

_ALL = sa.select(_drops).where(_drops.c.tenant_id == _TENANT).order_by(_drops.c.deadline, _drops.c.seq)
_FORGET = sa.delete(_drops).where(_drops.c.tenant_id == _TENANT, _drops.c.type_seq == _TYPE)
_DUE_TYPES = (
    sa.select(_drops.c.type_seq, sa.func.sum(_drops.c.amount).label("amount"))
    .where(_drops.c.tenant_id == _TENANT, _drops.c.deadline <= _AT)
    .group_by(_drops.c.type_seq)
)
_END_DUE = sa.delete(_drops).where(_drops.c.tenant_id == _TENANT, _drops.c.deadline <= _AT)
_MARKED = (
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.type_seq == _TYPE,
    _assignments.c.state == facts.GRACE,
    _assignments.c.reason.in_(sorted(facts.DROPS)),
)
_MARKS = sa.select(_assignments.c.user_seq).where(*_MARKED)
_DUE = sa.select(_assignments.c.user_seq).where(*_MARKED, _assignments.c.until <= _AT)
_LEAST_SENIOR = (
    _assignments.c.priority.desc(),
    _assignments.c.claimed_since.desc(),
    _assignments.c.rank_seq.desc(),
)
_HAS_REASON = sa.exists().where(
    _claims.c.tenant_id == _TENANT,
    _claims.c.user_seq == _assignments.c.user_seq,
    _claims.c.type_seq == _assignments.c.type_seq,
    _claims.c.until.is_(None),
)
_TAIL = (
    sa.select(_assignments.c.user_seq)
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == _TYPE,
        _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
    )
    .order_by(_HAS_REASON, *_LEAST_SENIOR)
    .limit(sa.bindparam("first"))
)
_HELD_SUSPENDED = (
    sa.select(_assignments.c.user_seq)
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == _TYPE,
        _assignments.c.state == facts.SUSPENDED,
        _assignments.c.stop_holds,
    )
    .order_by(*_LEAST_SENIOR)
    .limit(sa.bindparam("first"))
)


@dataclass(frozen=True)
class Drop:
    """So many seats too many in use, for a reason, until a deadline."""

    amount: int
    reason: str
    deadline: datetime


def of_types(work: Work) -> dict[int, list[Drop]]:
    """The drops of each type that has some, the earliest deadline first."""
    found: dict[int, list[Drop]] = {}
    for row in work.rows(_ALL):
        found.setdefault(row.type_seq, []).append(Drop(row.amount, row.reason, row.deadline))
    return found


def adjusted(known: Sequence[Drop], surplus: int, why: Shortfall | None) -> list[Drop]:
    """The drops that add up to this surplus: fewer from the earliest on, or one more because of `why`. Pure."""
    drops = [one for one in known if not (why is not None and why.renews and one.reason == facts.CONTRACT_END)]
    missing = surplus - sum(one.amount for one in drops)
    if missing > 0 and why is not None:
        drops.append(Drop(missing, why.reason, why.deadline))
    return _shrunk(sorted(drops, key=lambda one: one.deadline), max(0, -missing))


def marks(tail: Iterable[int], drops: Sequence[Drop]) -> dict[int, Drop]:
    """Under which drop each person of the surplus stands; `tail` names them, the least senior first. Pure."""
    places = [one for one in drops for _ in range(one.amount)]
    return dict(zip(tail, places, strict=False))


def marked(base: facts.Assignment, drop: Drop | None) -> facts.Assignment:
    """A held seat, as its reasons alone would have it, under a drop; a reason that lapses earlier goes first. Pure."""
    if drop is None or (base.until is not None and base.until < drop.deadline):
        return base
    return replace(base, state=facts.GRACE, reason=drop.reason, until=drop.deadline)


def write(work: Work, type_seq: int, drops: Sequence[Drop]) -> None:
    """Put these drops in the place of a type's."""
    work.execute(_FORGET, type=type_seq)
    rows = [{"amount": one.amount, "reason": one.reason, "deadline": one.deadline} for one in drops]
    work.insert(_drops, [{"type_seq": type_seq, **row} for row in rows])


def tail(work: Work, type_seq: int, surplus: int) -> list[int]:
    """The least senior effective holders, as many as the surplus."""
    return [row.user_seq for row in work.rows(_TAIL, type=type_seq, first=surplus)] if surplus else []


def marked_people(work: Work, type_seq: int) -> list[int]:
    """Who stands under a drop of this type now."""
    return [row.user_seq for row in work.rows(_MARKS, type=type_seq)]


def take_due(work: Work, at: datetime) -> dict[int, list[int]]:
    """Take away the drops whose deadline has come; who loses the seat, by type."""
    found = {row.type_seq: _losing(work, row.type_seq, int(row.amount), at) for row in work.rows(_DUE_TYPES, at=at)}
    if found:
        work.execute(_END_DUE, at=at)
    return found


def _losing(work: Work, type_seq: int, amount: int, at: datetime) -> list[int]:
    """Who stands under the drops that are due; and of the suspended seats as many as that is too few."""
    due = [row.user_seq for row in work.rows(_DUE, type=type_seq, at=at)]
    missing = amount - len(due)
    rest = work.rows(_HELD_SUSPENDED, type=type_seq, first=missing) if missing > 0 else ()
    return [*due, *(row.user_seq for row in rest)]


def _shrunk(drops: Sequence[Drop], by: int) -> list[Drop]:
    found = []
    for one in drops:
        less = min(by, one.amount)
        by -= less
        if one.amount > less:
            found.append(replace(one, amount=one.amount - less))
    return found
