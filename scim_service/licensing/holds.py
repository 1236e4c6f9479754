"""Seats that are held because an identity provider removed too many people at once (licensing.md E-27).

`parking.py` holds them; here is what is held, and how an administrator confirms that the removal was meant. To undo it
is to make people active again, which is the directory's (`directory/holds.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import assignments, catalog, facts, gate, parking
from scim_service.licensing.happenings import Effect
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

DEACTIVATED, DELETED = "deactivated", "deleted"

_users = tables.directory.users
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_HELD = (
    sa.select(_assignments.c.user_seq, _assignments.c.type_seq, _assignments.c.stop_until, _users.c.id)
    .add_columns(_users.c.document)
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.stop_until.is_not(None),
        _assignments.c.stop == facts.MASS_CHANGE,
    )
    .order_by(_assignments.c.stop_until, _assignments.c.user_seq, _assignments.c.type_seq)
)
_NAMES = sa.select(_users.c.id, _users.c.document).where(
    _users.c.tenant_id == _TENANT, _users.c.id.in_(sa.bindparam("ids", expanding=True))
)


@dataclass(frozen=True)
class Held:
    """One seat that is kept, for whom and until when. Of a deleted person the folded userName is known, and no seq."""

    user_name: str
    user_id: str
    type_code: str
    state: str
    until: datetime | None
    user_seq: int | None
    seq: int | None = None
    """Of the parked seat of a deleted person."""


@dataclass(frozen=True)
class Confirmed:
    """Which seats were let go, and who got one for that: (userName, type)."""

    ended: list[Held]
    served: list[tuple[str, str]]


def listing(work: Work, type_code: str | None = None) -> list[Held]:
    """Every seat that is held, those of people who can come back first. Raises NotFound for an unknown type."""
    kinds = {kind.seq: kind.code for kind in _kinds(work, type_code)}
    people = [
        Held(_name(row.document), row.id, kinds[row.type_seq], DEACTIVATED, row.stop_until, row.user_seq)
        for row in work.rows(_HELD)
        if row.type_seq in kinds
    ]
    parked = [
        Held(one.user_name_key, one.user_id, kinds[one.type_seq], DELETED, one.until, None, one.seq)
        for one in parking.listing(work)
        if one.type_seq in kinds
    ]
    return [*people, *parked]


def confirm(work: Work, type_code: str | None = None) -> Confirmed:
    """The removal was meant: what is held is let go, and the queue has it in the same transaction."""
    assignments.lock_people(work, people_of(listing(work, type_code)))
    entered = gate.enter(work)
    ended = listing(work, type_code)
    seqs = {kind.code: kind.seq for kind in catalog.types(work)}
    people = {person.seq: person for person in entered.load(people_of(ended))}
    for one in ended:
        if one.user_seq is not None:
            people[one.user_seq].stops.pop(seqs[one.type_code], None)
        elif one.seq is not None:
            parking.end(entered, one.seq, seqs[one.type_code])
    before = len(gate.effects(work))
    entered.settle(list(people), opened={seqs[one.type_code] for one in ended})
    for code in sorted({one.type_code for one in ended}):
        audit.record(work, "hold:confirmed", code, seats=sum(1 for one in ended if one.type_code == code))
    return Confirmed(ended, _served(work, gate.effects(work)[before:], {seq: code for code, seq in seqs.items()}))


def people_of(held: Iterable[Held]) -> list[int]:
    """The people who are there still, each once, in the order of their numbers."""
    return sorted({one.user_seq for one in held if one.user_seq is not None})


def _kinds(work: Work, type_code: str | None) -> Sequence[catalog.LicenseType]:
    return catalog.types(work) if type_code is None else [catalog.find_type(work, type_code)]


def _served(work: Work, effects: Iterable[Effect], codes: dict[int, str]) -> list[tuple[str, str]]:
    """Who got a seat."""
    got = [one for one in effects if not facts.is_seated(one.before) and facts.is_seated(one.after)]
    ids = [one.person.id for one in got]
    names = {row.id: _name(row.document) for chunk in chunks(ids) for row in work.rows(_NAMES, ids=list(chunk))}
    return [(names[one.person.id], codes[one.type_seq]) for one in got]


def _name(document: str) -> str:
    found: str = orjson.loads(document)["userName"]
    return found
