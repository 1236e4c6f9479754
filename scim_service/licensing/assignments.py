"""The rows of assignments and of the ledger, read and written for the gate alone (licensing.md I-2, D-10, D-11).

There is one open row per person and type; history lives in the event log.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import claims
from scim_service.licensing.resolve import Assignment, Changes, Person
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_assignments = tables.licensing.assignments
_ledger = tables.licensing.ledger
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQS: sa.BindParameter[Any] = sa.bindparam("seqs", expanding=True)
_DELTA = sa.bindparam("delta", type_=sa.BigInteger)
_OF_ONE = (
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.user_seq == sa.bindparam("which_user"),
    _assignments.c.type_seq == sa.bindparam("which_type"),
)

_PEOPLE = sa.select(_users.c.seq, _users.c.id, _users.c.active).where(
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
_CHANGE = (
    sa.update(_assignments)
    .where(*_OF_ONE)
    .values(
        state=sa.bindparam("new_state"),
        reason=sa.bindparam("new_reason"),
        since=sa.bindparam("new_since"),
        until=sa.bindparam("new_until"),
        priority=sa.bindparam("new_priority"),
        claimed_since=sa.bindparam("new_claimed_since"),
        rank_seq=sa.bindparam("new_rank_seq"),
    )
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


def people(work: Work, user_seqs: Sequence[int]) -> dict[int, Person]:
    """These people with their open claims and assignments, in the given order: three statements for each 500."""
    found = {
        row.seq: Person(row.seq, row.active, id=row.id)
        for chunk in chunks(user_seqs)
        for row in work.rows(_PEOPLE, seqs=list(chunk))
    }
    for seq, held in claims.of_people(work, user_seqs).items():
        found[seq].claims = held
    for row in claims.rows_of_people(work, _HELD, _HELD_OF_RUN, user_seqs):
        found[row.user_seq].held[row.type_seq] = _assignment(row)
    return {seq: found[seq] for seq in user_seqs if seq in found}


def first_in_queue(work: Work, type_seq: int, first: int, known: Container[int]) -> list[Person]:
    """Of the `first` people who wait for a type, those who are not known, in published order (A-3)."""
    seqs = [row.user_seq for row in work.rows(_QUEUE, type=type_seq, first=first)]
    return list(people(work, [seq for seq in seqs if seq not in known]).values())


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
    return Assignment(row.state, row.reason, row.since, row.until, key)


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
    }
