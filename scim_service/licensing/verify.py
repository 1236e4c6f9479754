"""Is what the tables say right? The ledger, the rows, and a full resolution of everybody, compared (I-6, I-12).

Reads only. An empty answer means that nothing is left to do and every count is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import assignments, facts, gate, resolve
from scim_service.licensing.facts import Person, is_seated
from scim_service.licensing.gate import Gate
from scim_service.storage import tables
from scim_service.storage.work import Work

_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_parked = tables.licensing.parked_seats
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_CONCERNED = [
    sa.select(table.c.user_seq).where(table.c.tenant_id == _TENANT).group_by(table.c.user_seq)
    for table in (_claims, _assignments)
]
_PARKED = (
    sa.select(_parked.c.type_seq, sa.func.count().label("seats"))
    .where(_parked.c.tenant_id == _TENANT)
    .group_by(_parked.c.type_seq)
)


def findings(work: Work) -> list[str]:
    """What is not as it should be, a sentence each; empty when everything is."""
    looked = gate.look(work)
    seqs = sorted({row.user_seq for statement in _CONCERNED for row in work.rows(statement)})
    people = list(assignments.people(work, seqs, looked.settings.keeps_inactive).values())
    return [
        *_counts(work, looked, people),
        *_families(looked, people),
        *_drops(looked),
        *_left_to_do(looked, people),
    ]


def _counts(work: Work, looked: Gate, people: Sequence[Person]) -> Iterable[str]:
    """I-12 and I-1: the ledger is the number of rows that use a seat, and no more than the limit without a drop."""
    parked = {row.type_seq: row.seats for row in work.rows(_PARKED)}
    used = Counter(seq for person in people for seq, row in person.held.items() if is_seated(row))
    for seq, kind in looked.types.items():
        rows, ledger = used[seq] + parked.get(seq, 0), looked.consuming[seq]
        if rows != ledger:
            yield f"{kind.code}: the ledger says {ledger} seats, {rows} are used."


def _families(looked: Gate, people: Sequence[Person]) -> Iterable[str]:
    """A-7: at most one type of a family is held, migrations aside."""
    for person in people:
        held = Counter(
            looked.types[seq].family
            for seq, row in person.held.items()
            if is_seated(row) and looked.types[seq].family is not None and row.reason != facts.MIGRATING
        )
        for family, count in held.items():
            if count > 1:
                yield f"person {person.id} holds {count} types of the family {family}."


def _drops(looked: Gate) -> Iterable[str]:
    """A-8: the drops of a type are its surplus."""
    for seq, kind in looked.types.items():
        surplus = 0 if kind.limit is None else max(0, looked.consuming[seq] - kind.limit)
        planned = sum(one.amount for one in looked.drops.get(seq, ()))
        if surplus != planned:
            yield f"{kind.code}: {surplus} seats too many are used, {planned} are planned to be given up."


def _left_to_do(looked: Gate, people: Sequence[Person]) -> Iterable[str]:
    """I-6: resolving everybody changes nothing."""
    counts = looked.counts(people)
    outcome = resolve.resolve(
        looked.types.values(),
        people,
        counts,
        resolve.Queues(),
        looked.now,
        opened=set(looked.types),
        rules=looked.rules,
    )
    for (user_seq, type_seq), wanted in outcome.changes.items():
        person = outcome.people[user_seq]
        before = person.held.get(type_seq)
        yield (
            f"person {person.id} and {looked.types[type_seq].code}: {_told(before)} in the table, "
            f"{_told(wanted)} by the rules."
        )


def _told(row: facts.Assignment | None) -> str:
    return "nothing" if row is None else f"{row.state} ({row.reason})" if row.reason else row.state
