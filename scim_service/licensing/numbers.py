"""The numbers of a decision about one person and type (licensing.md A-11): limit, used, cap, the place in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import capacity, drops, facts
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment
from scim_service.licensing.obstacles import Looked, reserved
from scim_service.storage import tables

_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_KEY = (_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
_WAITING = sa.select(sa.func.count()).where(
    _assignments.c.tenant_id == _TENANT, _assignments.c.type_seq == sa.bindparam("type"), tables.licensing.WAITS
)
_UP_TO = _WAITING.where(
    sa.tuple_(*_KEY)
    <= sa.tuple_(
        sa.bindparam("priority", type_=sa.BigInteger),
        sa.bindparam("claimed_since", type_=_assignments.c.claimed_since.type),
        sa.bindparam("rank_seq", type_=sa.BigInteger),
    )
)
_FOR_SEATS = _UP_TO.where(_assignments.c.reason.in_([facts.CAP_REACHED, facts.NEEDS_APPROVAL]))
_ALL_FOR_SEATS = _WAITING.where(_assignments.c.reason.in_([facts.CAP_REACHED, facts.NEEDS_APPROVAL]))
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


def _missing(looked: Looked, kind: LicenseType, row: Assignment | None, used: int, limit: int | None) -> int:
    work, kept = looked.gate.work, reserved(looked, kind.seq)
    if row is not None and row.state == facts.WAITING and row.reason == facts.QUOTA:
        return _missing_of_quota(looked, kind, row)
    if limit is None or (row is not None and row.seated and row.reason not in facts.DROPS):
        return 0
    if row is not None and row.reason in facts.DROPS and row.seated:
        return _missing_of_drop(looked, kind, used - limit)
    if row is not None and row.state == facts.WAITING:
        ahead = int(work.value(_FOR_SEATS, type=kind.seq, **_key(row)))
    else:
        ahead = 1 + int(work.value(_ALL_FOR_SEATS, type=kind.seq))
    return max(0, used + kept + ahead - limit)


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
