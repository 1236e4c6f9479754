"""Direct licenses that a group gives too become inherited alone (licensing.md E-17, C-06): no seat moves.

Who would lose or move a seat without the direct claim keeps it: a quota that is used up, a reserve, a family ordered by
seniority. So do a pin and a lock, which say something that the group does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import assignments, catalog, claims, direct, facts, gate, resolve
from scim_service.licensing.facts import Claim, Person
from scim_service.licensing.gate import Gate
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

Key = tuple[int, int]
"""(person, type)."""

CONVERTED, PINNED, LOCKED, MOVES = "converted", "pinned", "locked", "seat_would_move"
"""What became of a direct claim, or why it stays."""

_claims = tables.licensing.claims
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_DIRECT = (
    sa.select(_claims.c.user_seq, _claims.c.type_seq, _users.c.document)
    .join(_users, sa.and_(_users.c.tenant_id == _claims.c.tenant_id, _users.c.seq == _claims.c.user_seq))
    .where(_claims.c.tenant_id == _TENANT, _claims.c.source == claims.DIRECT)
    .order_by(_claims.c.user_seq, _claims.c.type_seq)
)
_OF_TYPE = _claims.c.type_seq == sa.bindparam("type")
_OF_PERSON = _users.c.user_name_key == sa.bindparam("key")
_STATEMENTS = {
    (False, False): _DIRECT,
    (True, False): _DIRECT.where(_OF_TYPE),
    (False, True): _DIRECT.where(_OF_PERSON),
    (True, True): _DIRECT.where(_OF_TYPE, _OF_PERSON),
}


@dataclass(frozen=True)
class Converted:
    """One person and type that had both reasons, and what became of the direct one."""

    user_name: str
    type_code: str
    outcome: str


def convert(work: Work, type_code: str | None = None, user_name: str | None = None) -> list[Converted]:
    """End the direct claims of people who have the same type by a group; of one type or person, or of all.

    Answers everybody who has both. Raises NotFound for an unknown type or person. Again changes nothing.
    """
    kind = catalog.find_type(work, type_code) if type_code is not None else None
    if user_name is not None:
        direct.locked_person(work, user_name)
    statement = _STATEMENTS[kind is not None, user_name is not None]
    values = {"type": kind.seq if kind else None, "key": text.fold(user_name) if user_name is not None else None}
    rows = work.rows(statement, **values)
    assignments.lock_people(work, sorted({row.user_seq for row in rows}))
    entered = gate.enter(work)
    people = entered.load(sorted({row.user_seq for row in rows}))
    wanted = {(row.user_seq, row.type_seq) for row in rows}
    both = {key: claim for person in people for key, claim in _with_both(person) if key in wanted}
    outcomes = _outcomes(entered, people, both)
    _end(entered, people, [claim for key, claim in both.items() if outcomes[key] == CONVERTED])
    names = {row.user_seq: orjson.loads(row.document)["userName"] for row in rows}
    return [Converted(names[one], entered.types[seq].code, outcome) for (one, seq), outcome in outcomes.items()]


def _with_both(person: Person) -> Iterator[tuple[Key, Claim]]:
    """The direct claims of a present person who has a live reason besides that counts and no administrator gave."""
    counts = [one for one in person.claims if one.until is None and one.held_back is None and person.present]
    inherited = {one.type_seq for one in counts if one.source not in direct.BY_HAND}
    for claim in counts:
        if claim.source == claims.DIRECT and claim.type_seq in inherited:
            yield (person.seq, claim.type_seq), claim


def _outcomes(entered: Gate, people: Sequence[Person], both: Mapping[Key, Claim]) -> dict[Key, str]:
    """What is to become of each: the trial is repeated without those whose seat would move, until none would."""
    said = {key: PINNED if one.pinned else LOCKED if one.locked else CONVERTED for key, one in both.items()}
    while moving := _moving(entered, people, {key for key in said if said[key] == CONVERTED}):
        said |= dict.fromkeys(moving, MOVES)
    return said


def _moving(entered: Gate, people: Sequence[Person], ending: Collection[Key]) -> set[Key]:
    """Which of these direct claims cannot end without a seat being gained or lost by their person."""
    if not ending:
        return set()
    trial = [_without(person, ending) for person in people]
    types, counts = entered.types.values(), entered.counts(trial)
    found = resolve.resolve(types, trial, counts, resolve.Queues(), entered.now, rules=entered.rules)
    before = {person.seq: person.held for person in people}
    moved = {
        user
        for (user, seq), row in found.changes.items()
        if facts.is_seated(row) != facts.is_seated(before[user].get(seq))
    }
    return {key for key in ending if key[0] in moved}


def _without(person: Person, ending: Collection[Key]) -> Person:
    left = [one for one in person.claims if one.source != claims.DIRECT or (person.seq, one.type_seq) not in ending]
    return replace(person, claims=left, held=dict(person.held), stops=dict(person.stops), evicted=set(), yielded=set())


def _end(entered: Gate, people: Sequence[Person], given: Sequence[Claim]) -> None:
    by_seq = {person.seq: person for person in people}
    for claim in given:
        entered.claims.end(by_seq[claim.user_seq], claim, CONVERTED)
    entered.settle(sorted({claim.user_seq for claim in given}))
    codes = {seq: kind.code for seq, kind in entered.types.items()}
    told = [("seat:converted", by_seq[one.user_seq].id, {"type": codes[one.type_seq]}) for one in given]
    audit.record_many(entered.work, told)
