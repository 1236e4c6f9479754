"""The numbers of a decision about one person and type (licensing.md A-11): limit, used, cap, the place in the queue.

Also the seats that a person falls short of, in the type and in those that must come with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import capacity, drops, facts
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment, Type
from scim_service.licensing.obstacles import Looked, reserved
from scim_service.storage import tables
from scim_service.storage.work import Work

_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_KEY = (_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
_WAITING = sa.select(sa.func.count()).where(
    _assignments.c.tenant_id == _TENANT, _assignments.c.type_seq == sa.bindparam("type"), tables.licensing.WAITS
)
_NOT_BEHIND = sa.tuple_(*_KEY) <= sa.tuple_(
    sa.bindparam("priority", type_=sa.BigInteger),
    sa.bindparam("claimed_since", type_=_assignments.c.claimed_since.type),
    sa.bindparam("rank_seq", type_=sa.BigInteger),
)
_UP_TO = _WAITING.where(_NOT_BEHIND)
_FOR_SEATS = _UP_TO.where(_assignments.c.reason.in_([facts.CAP_REACHED, facts.NEEDS_APPROVAL]))
_ALL_FOR_SEATS = _WAITING.where(_assignments.c.reason.in_([facts.CAP_REACHED, facts.NEEDS_APPROVAL]))
_ALL_UNMET = sa.select(sa.func.count()).where(
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.type_seq == sa.bindparam("type"),
    _assignments.c.state == facts.BLOCKED,
    _assignments.c.reason == facts.MISSING_PREREQUISITE,
)
_UNMET = _ALL_UNMET.where(_NOT_BEHIND)
"""Who lacks the prerequisite of a type: in a bundle they may get both at once."""
_FOR_QUOTA = _UP_TO.where(
    _assignments.c.reason == facts.QUOTA,
    sa.exists().where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.user_seq == _assignments.c.user_seq,
        _claims.c.type_seq == _assignments.c.type_seq,
        _claims.c.rule_seq == sa.bindparam("rule"),
        _claims.c.until.is_(None),
    ),
)


@dataclass(frozen=True)
class Numbers:
    """Seats of the type in use, allowed (`limit`, None: no limit), bought (`cap`); who waits, and as which of them.

    `missing` is by how many seats (or places of a quota) the person falls short now; 0 where a seat is not the matter.
    """

    used: int
    limit: int | None
    cap: int | None
    waiting: int
    position: int | None
    missing: int


@dataclass(frozen=True)
class Lack:
    """So many seats of a type are missing."""

    type: str
    seats: int


def of(looked: Looked, kind: LicenseType, row: Assignment | None) -> Numbers:
    """The numbers as they stand."""
    opened, work = looked.gate, looked.gate.work
    used, limit = opened.consuming[kind.seq], opened.types[kind.seq].limit
    bought = capacity.at(opened.lines, opened.now, opened.approved).get(kind.seq, capacity.Capacity())
    waiting = int(work.value(_WAITING, type=kind.seq))
    waits = row is not None and row.state == facts.WAITING
    position = int(work.value(_UP_TO, type=kind.seq, **_key(row))) if waits and row is not None else None
    missing = _missing(looked, kind, row, used, limit)
    return Numbers(used, limit, bought.cap if kind.counted else None, waiting, position, missing)


def lacking_of_bundle(looked: Looked, others: Iterable[int]) -> tuple[Lack, ...]:
    """What is missing of the types that must come with another one (A-9), by code.

    Enough for this person and for all who may come before; nobody who waits elsewhere in vain is taken off.
    """
    kinds = sorted((looked.gate.types[seq] for seq in others), key=lambda one: one.code)
    found = [Lack(kind.code, _missing_beside(looked, kind)) for kind in kinds]
    return tuple(one for one in found if one.seats)


def _missing(looked: Looked, kind: LicenseType, row: Assignment | None, used: int, limit: int | None) -> int:
    work, kept = looked.gate.work, reserved(looked, kind.seq)
    if row is not None and row.state == facts.WAITING and row.reason == facts.QUOTA:
        return _missing_of_quota(looked, kind, row)
    if limit is None or (row is not None and row.seated and row.reason not in facts.DROPS):
        return 0
    if row is not None and row.reason in facts.DROPS and row.seated:
        return _missing_of_drop(looked, kind, used - limit)
    return max(0, used + kept + _ahead(work, kind.seq, row) - limit)


def _ahead(work: Work, type_seq: int, row: Assignment | None) -> int:
    """How many would take a seat before the next one after this person, the person counted."""
    if row is not None and row.state == facts.WAITING:
        return int(work.value(_FOR_SEATS, type=type_seq, **_key(row))) + (row.reason == facts.QUOTA)
    return 1 + int(work.value(_ALL_FOR_SEATS, type=type_seq))


def _missing_beside(looked: Looked, kind: Type) -> int:
    """The seats that are missing of a type that the person gets with another one."""
    work, row = looked.gate.work, looked.person.held.get(kind.seq)
    if kind.limit is None or (row is not None and (row.seated or row.state == facts.COVERED)):
        return 0
    ahead = _ahead(work, kind.seq, row)
    if kind.requires and row is not None:
        ahead += int(work.value(_UNMET, type=kind.seq, **_key(row))) - (row.reason == facts.MISSING_PREREQUISITE)
    elif kind.requires:
        ahead += int(work.value(_ALL_UNMET, type=kind.seq))
    return max(0, looked.gate.consuming[kind.seq] + reserved(looked, kind.seq) + ahead - kind.limit)


def _missing_of_quota(looked: Looked, kind: LicenseType, row: Assignment) -> int:
    quotas = looked.gate.rules.quotas
    mine = [one for one in looked.standing.claims(kind.seq, looked.person) if one.rule_seq in quotas]
    best = min(mine, key=lambda one: one.key, default=None)
    if best is None:
        return 0
    return int(looked.gate.work.value(_FOR_QUOTA, type=kind.seq, rule=best.rule_seq, **_key(row)))


def _missing_of_drop(looked: Looked, kind: LicenseType, surplus: int) -> int:
    """How many seats more would take this person out of the surplus, which shrinks from its most senior end (A-8)."""
    tail = drops.tail(looked.gate.work, kind.seq, surplus)
    return surplus - tail.index(looked.person.seq) if looked.person.seq in tail else 0


def _key(row: Assignment) -> dict[str, Any]:
    return {"priority": row.key[0], "claimed_since": row.key[1], "rank_seq": row.key[2]}
