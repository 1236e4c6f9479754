"""Who holds a seat and does not use it (licensing.md E-29): a report. `reclaim_asks.py` asks them where a type says so.

A person is idle since the product last told of activity, or since the seat was assigned where that is later, or where
nothing was ever told. A license that a group or an attribute gives is not taken back by hand: the report names the
rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.licensing import catalog, claims, facts, paths, rules
from scim_service.licensing.facts import Claim
from scim_service.storage import tables
from scim_service.storage.work import Work

_users = tables.directory.users
_accounts = tables.directory.accounts
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_BEFORE = sa.bindparam("before", type_=_assignments.c.since.type)
_IDLE = (
    sa.select(_assignments.c.user_seq, _assignments.c.since, _users.c.id, _users.c.document, _accounts.c.last_active_at)
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .outerjoin(
        _accounts,
        sa.and_(_accounts.c.tenant_id == _assignments.c.tenant_id, _accounts.c.user_seq == _assignments.c.user_seq),
    )
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        _assignments.c.state == facts.ASSIGNED,
        _assignments.c.since <= _BEFORE,
        sa.or_(_accounts.c.last_active_at.is_(None), _accounts.c.last_active_at <= _BEFORE),
    )
    .order_by(_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
)


@dataclass(frozen=True)
class Idle:
    """A seat that nobody uses: since when, whether it ever was used, and whether it can be taken back by hand.

    `groups` are those whose rules give it; `sources` as in `licenses`.
    """

    user_name: str
    type_code: str
    since: datetime
    days: int
    used: bool
    direct: bool
    sources: tuple[str, ...]
    groups: tuple[str, ...]


def report(work: Work, type_code: str | None = None, idle: timedelta | None = None) -> list[Idle]:
    """The idle holders of one type or of all, who was idle longest first.

    Without `idle` each type's own number of days counts, and types without one are left out. Raises NotFound for an
    unknown type.
    """
    kinds = catalog.types(work) if type_code is None else [catalog.find_type(work, type_code)]
    called = {rule.seq: paths.name_of(rule) for rule in rules.listing(work)}
    found = [one for kind in kinds for one in _of_type(work, kind, idle, called)]
    return sorted(found, key=lambda one: (one.since, one.type_code, one.user_name))


def idle_rows(work: Work, type_seq: int, idle: timedelta) -> Sequence[Any]:
    """Who holds a type and has not used the product for so long: user_seq, id, since, document, last_active_at."""
    return work.rows(_IDLE, type=type_seq, before=work.now - idle)


def _of_type(work: Work, kind: catalog.LicenseType, idle: timedelta | None, called: dict[int, str]) -> list[Idle]:
    limit = idle if idle is not None else timedelta(days=kind.options.reclaim) if kind.options.reclaim else None
    if limit is None:
        return []
    rows = idle_rows(work, kind.seq, limit)
    reasons = claims.of_people(work, [row.user_seq for row in rows])
    return [
        _idle(work, kind, row, [one for one in reasons.get(row.user_seq, []) if one.type_seq == kind.seq], called)
        for row in rows
    ]


def _idle(work: Work, kind: catalog.LicenseType, row: Any, mine: list[Claim], called: dict[int, str]) -> Idle:
    since = max(row.since, row.last_active_at or row.since)
    sources = dict.fromkeys("group" if one.rule_seq is not None else one.source for one in mine)
    groups = dict.fromkeys(called[one.rule_seq] for one in mine if one.rule_seq in called)
    return Idle(
        orjson.loads(row.document)["userName"],
        kind.code,
        since,
        (work.now - since).days,
        row.last_active_at is not None,
        set(sources) <= {claims.DIRECT, claims.REQUEST},
        tuple(sources),
        tuple(groups),
    )
