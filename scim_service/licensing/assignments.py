"""The rows of assignments and of the ledger, read and written for the gate alone (licensing.md I-2, D-10, D-11).

There is one open row per person and type; history lives in the event log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import claims, facts
from scim_service.licensing.facts import Assignment, Changes, Person, Stop
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_ledger = tables.licensing.ledger
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQS: sa.BindParameter[Any] = sa.bindparam("seqs", expanding=True)
_DELTA = sa.bindparam("delta", type_=sa.BigInteger)
_OF_ONE = (
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.user_seq == sa.bindparam("which_user"),
    _assignments.c.type_seq == sa.bindparam("which_type"),
)

_PEOPLE = sa.select(_users.c.seq, _users.c.id, _users.c.active, _users.c.banned).where(
    _users.c.tenant_id == _TENANT, _users.c.seq.in_(_SEQS)
)
_PEOPLE_SHARED = _PEOPLE.order_by(_users.c.seq).with_for_update(read=True)
_ALL_HELD = sa.select(_assignments).where(_assignments.c.tenant_id == _TENANT)
_HELD = _ALL_HELD.where(_assignments.c.user_seq.in_(_SEQS))
_HELD_OF_RUN = _ALL_HELD.where(_assignments.c.user_seq.between(sa.bindparam("low"), sa.bindparam("high")))
_QUEUE = (
    sa.select(_assignments.c.user_seq)
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        tables.licensing.WAITS,
        _users.c.active,
    )
    .order_by(_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
    .limit(sa.bindparam("first"))
)
_GRACES = (
    sa.select(_assignments.c.user_seq)
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        _assignments.c.state == facts.GRACE,
        _assignments.c.reason.not_in(sorted(facts.DROPS)),
    )
    .order_by(
        _assignments.c.until,
        _assignments.c.priority.desc(),
        _assignments.c.claimed_since.desc(),
        _assignments.c.rank_seq.desc(),
    )
    .limit(sa.bindparam("first"))
)
_IN_STATES = sa.select(_assignments.c.user_seq).where(
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.type_seq == sa.bindparam("type"),
    _assignments.c.state.in_(sa.bindparam("states", expanding=True)),
)
USES_SEAT = sa.or_(
    _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
    sa.and_(_assignments.c.state == facts.SUSPENDED, _assignments.c.stop_holds),
)
"""A row that uses a seat."""

_BY_QUOTA = (
    sa.select(_assignments.c.quota_rule, sa.func.count().label("people"))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq.in_(sa.bindparam("types", expanding=True)),
        _assignments.c.quota_rule.is_not(None),
        USES_SEAT,
    )
    .group_by(_assignments.c.quota_rule)
)
_DIRECT = (
    sa.select(_assignments.c.user_seq)
    .join(
        _claims,
        sa.and_(
            _claims.c.tenant_id == _assignments.c.tenant_id,
            _claims.c.user_seq == _assignments.c.user_seq,
            _claims.c.type_seq == _assignments.c.type_seq,
        ),
    )
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        _claims.c.source == claims.DIRECT,
        _claims.c.until.is_(None),
        USES_SEAT,
    )
)
_STOPS_DUE = sa.select(_assignments.c.user_seq, _assignments.c.type_seq).where(
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.stop_until.is_not(None),
    _assignments.c.stop_until <= sa.bindparam("at"),
)
_COLUMNS = (
    "state",
    "reason",
    "since",
    "until",
    "priority",
    "claimed_since",
    "rank_seq",
    "quota_rule",
    "stop",
    "stop_holds",
    "stop_until",
)
_CHANGE = (
    sa.update(_assignments)
    .where(*_OF_ONE)
    .values({_assignments.c[name]: sa.bindparam(f"new_{name}") for name in _COLUMNS})
)
_RELEASE = sa.delete(_assignments).where(*_OF_ONE)
_COUNTED = _ledger.c.consuming + _DELTA
_COUNT = (
    sa.update(_ledger)
    .where(_ledger.c.tenant_id == _TENANT, _ledger.c.type_seq == sa.bindparam("which"))
    .values(
        consuming=_COUNTED,
        high_water=sa.case((_ledger.c.high_water < _COUNTED, _COUNTED), else_=_ledger.c.high_water),
        version=_ledger.c.version + 1,
    )
)
_COUNT_UNDER_LIMIT = _COUNT.where(sa.bindparam("limit", type_=sa.BigInteger) >= _COUNTED)


def lock_people(work: Work, user_seqs: Sequence[int]) -> set[int]:
    """Hold these people as they are (activity, existence) until the commit, by seq; those that still exist.

    Taken before the gate (decision 19): else somebody could be deactivated unseen while getting a first claim.
    """
    return {row.seq for chunk in chunks(sorted(user_seqs)) for row in work.rows(_PEOPLE_SHARED, seqs=list(chunk))}


def people(work: Work, user_seqs: Sequence[int], keeps: bool = False) -> dict[int, Person]:
    """These people with their open claims and assignments, in the given order: three statements for each 500.

    `keeps`: the tenant holds the seats of inactive people.
    """
    found = {
        row.seq: Person(row.seq, row.active, id=row.id, banned=row.banned, keeps=keeps)
        for chunk in chunks(user_seqs)
        for row in work.rows(_PEOPLE, seqs=list(chunk))
    }
    for seq, held in claims.of_people(work, user_seqs).items():
        found[seq].claims = held
    for row in claims.rows_of_people(work, _HELD, _HELD_OF_RUN, user_seqs):
        person = found[row.user_seq]
        person.held[row.type_seq] = made = _assignment(row)
        if made.stop is not None:
            person.stops[row.type_seq] = made.stop
    return {seq: found[seq] for seq in user_seqs if seq in found}


def queue(work: Work, type_seq: int, first: int) -> list[int]:
    """The first people who wait for a type, in the published order (A-3)."""
    return [row.user_seq for row in work.rows(_QUEUE, type=type_seq, first=first)]


def in_grace(work: Work, type_seq: int, first: int) -> list[int]:
    """The first people whose exit grace for a type ends, of equal ends the least senior (A-6)."""
    return [row.user_seq for row in work.rows(_GRACES, type=type_seq, first=first)]


def in_states(work: Work, type_seq: int, states: Collection[str]) -> list[int]:
    """Who is in one of these states of a type."""
    return [row.user_seq for row in work.rows(_IN_STATES, type=type_seq, states=sorted(states))]


def by_quota(work: Work, type_seqs: Collection[int]) -> dict[int, int]:
    """How many seats count against the quota of each rule (A-13)."""
    return {row.quota_rule: row.people for row in work.rows(_BY_QUOTA, types=sorted(type_seqs))}


def direct_holders(work: Work, type_seq: int) -> frozenset[int]:
    """Who holds a seat of a type and has a direct claim to it (D-5, reserve)."""
    return frozenset(row.user_seq for row in work.rows(_DIRECT, type=type_seq))


def stops_due(work: Work, at: datetime) -> list[tuple[int, int]]:
    """(person, type) whose suspension ends by itself by `at`."""
    return [(row.user_seq, row.type_seq) for row in work.rows(_STOPS_DUE, at=at)]


def write(work: Work, changes: Changes, loaded: Mapping[int, Person]) -> None:
    """Write the outcomes that differ: rows that are new, changed, or released."""
    new, changed, released = [], [], []
    for (user_seq, type_seq), wanted in changes.items():
        known = type_seq in loaded[user_seq].held
        if wanted is None:
            released.append({"which_user": user_seq, "which_type": type_seq})
        elif known:
            columns = {f"new_{name}": value for name, value in _columns(wanted).items()}
            changed.append({"which_user": user_seq, "which_type": type_seq, **columns})
        else:
            new.append({"user_seq": user_seq, "type_seq": type_seq, **_columns(wanted)})
    work.many(_RELEASE, released)
    work.many(_CHANGE, changed)
    work.insert(_assignments, new)


def count(work: Work, type_seq: int, delta: int, limit: int | None) -> bool:
    """Change the seats in use; False where that would pass the limit, whoever forgot a lock (I-1)."""
    if delta > 0 and limit is not None:
        return work.execute(_COUNT_UNDER_LIMIT, which=type_seq, delta=delta, limit=limit).rowcount == 1
    return work.execute(_COUNT, which=type_seq, delta=delta).rowcount == 1


def _assignment(row: sa.Row[Any]) -> Assignment:
    key = (row.priority, row.claimed_since, row.rank_seq)
    seated = row.state in facts.EFFECTIVE or (row.state == facts.SUSPENDED and row.stop_holds)
    stop = Stop(row.stop, row.stop_holds, row.stop_until) if row.stop is not None else None
    return Assignment(row.state, row.reason, row.since, row.until, key, row.quota_rule, stop, seated)


def _columns(wanted: Assignment) -> dict[str, Any]:
    priority, claimed_since, rank_seq = wanted.key
    return {
        "state": wanted.state,
        "reason": wanted.reason,
        "since": wanted.since,
        "until": wanted.until,
        "priority": priority,
        "claimed_since": claimed_since,
        "rank_seq": rank_seq,
        "quota_rule": wanted.quota_rule,
        "stop": wanted.stop.by if wanted.stop else None,
        "stop_holds": wanted.seated and wanted.state == facts.SUSPENDED,
        "stop_until": wanted.stop.until if wanted.stop else None,
    }
