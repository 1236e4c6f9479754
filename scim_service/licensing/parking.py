"""The brake on mass removals (licensing.md E-27, decision 41): access ends at once, seats wait a day for their people.

An identity provider that deactivates or deletes many people at once may be in error. Beyond the threshold their seats
are not handed to the queue: those of inactive people are suspended and held, those of deleted people are parked under
the folded userName. Whoever comes back within the hold gets the own seat back; an administrator confirms or undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import assignments, facts
from scim_service.licensing.facts import Person, Stop
from scim_service.storage import tables

if TYPE_CHECKING:
    from scim_service.licensing.gate import Gate

PROVIDER = "connection"
"""The kind of actor whose removals are counted; administrators are exempt."""

_removals = tables.licensing.removals
_parked = tables.licensing.parked_seats
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_TYPE: sa.BindParameter[Any] = sa.bindparam("type")

_RECENT = sa.select(sa.func.coalesce(sa.func.sum(_removals.c.people), 0)).where(
    _removals.c.tenant_id == _TENANT, _removals.c.type_seq == _TYPE, _removals.c.at > sa.bindparam("since")
)
_FORGET_OLD = sa.delete(_removals).where(
    _removals.c.tenant_id == _TENANT, _removals.c.type_seq == _TYPE, _removals.c.at <= sa.bindparam("since")
)
_DUE = sa.select(_parked).where(_parked.c.tenant_id == _TENANT, _parked.c.until <= sa.bindparam("at"))
_END = sa.delete(_parked).where(_parked.c.tenant_id == _TENANT, _parked.c.seq == sa.bindparam("which"))
_OF_NAMES = (
    sa.select(_parked.c.seq, _parked.c.type_seq, _users.c.seq.label("user_seq"))
    .join(
        _users,
        sa.and_(_users.c.tenant_id == _parked.c.tenant_id, _users.c.user_name_key == _parked.c.user_name_key),
    )
    .where(_parked.c.tenant_id == _TENANT, _users.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(_parked.c.seq)
)
_NAME_KEY = sa.select(_users.c.user_name_key).where(
    _users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which")
)
_ALL = sa.select(_parked).where(_parked.c.tenant_id == _TENANT).order_by(_parked.c.seq)


@dataclass(frozen=True)
class Parked:
    """A seat that waits for a person who was deleted."""

    seq: int
    type_seq: int
    user_id: str
    until: datetime


def to_park(gate: Gate, people: Sequence[Person]) -> list[tuple[Person, int]]:
    """(person, type): the seats of these people that must not go to the queue, because too many are being removed.

    Counts what goes, and what goes too fast.
    """
    brake = gate.settings.mass_change
    if brake is None or gate.work.actor.kind != PROVIDER:
        return []
    found: list[tuple[Person, int]] = []
    for type_seq, losing in _losing(gate, people).items():
        gate.work.execute(_FORGET_OLD, type=type_seq, since=gate.now - brake.window)
        recent = int(gate.work.value(_RECENT, type=type_seq, since=gate.now - brake.window))
        at_start = gate.consuming[type_seq] + recent
        allowed = max(brake.people, at_start * brake.percent // 100)
        gate.work.insert(_removals, [{"type_seq": type_seq, "at": gate.now, "people": len(losing)}])
        found += [(one, type_seq) for one in losing[max(0, allowed - recent) :]]
    return found


def hold(gate: Gate, parked: Iterable[tuple[Person, int]]) -> None:
    """Suspend these licenses with the seat held, for as long as the tenant says."""
    brake = gate.settings.mass_change
    if brake is None:
        return
    for person, type_seq in parked:
        person.stops[type_seq] = Stop(facts.MASS_CHANGE, True, gate.now + brake.hold)


def park(gate: Gate, parked: Sequence[tuple[Person, int]]) -> None:
    """Keep the seats of people who are about to be deleted; what they held is gone, the count stays."""
    brake = gate.settings.mass_change
    if brake is None or not parked:
        return
    gate.mark_special()
    for person, type_seq in parked:
        key = gate.work.value(_NAME_KEY, which=person.seq)
        row = {"type_seq": type_seq, "user_name_key": key, "user_id": person.id, "until": gate.now + brake.hold}
        gate.work.insert(_parked, [row])
        _count(gate, type_seq, 1)
        audit.record(gate.work, "seat:parked", person.id, type=gate.types[type_seq].code, until=row["until"])
    gate.reschedule()


def unpark(gate: Gate, people: Sequence[Person]) -> list[tuple[int, int]]:
    """(person, type) whose parked seat is theirs again: they have a reason for the type, and the name it waits for."""
    wanted = {(one.seq, claim.type_seq) for one in people for claim in one.claims if claim.until is None}
    if not wanted:
        return []
    found = []
    for row in gate.work.rows(_OF_NAMES, seqs=sorted({seq for seq, _ in wanted})):
        if (row.user_seq, row.type_seq) in wanted:
            end(gate, row.seq, row.type_seq)
            found.append((row.user_seq, row.type_seq))
    return found


def release_due(gate: Gate) -> None:
    """The hold of parked seats is over: the queue may have them."""
    for row in gate.work.rows(_DUE, at=gate.now) if gate.specials else ():
        end(gate, row.seq, row.type_seq)


def end(gate: Gate, seq: int, type_seq: int) -> None:
    """Let go of one parked seat; the caller settles the type."""
    gate.work.execute(_END, which=seq)
    _count(gate, type_seq, -1)
    audit.record(gate.work, "seat:unparked", str(seq), type=gate.types[type_seq].code)


def listing(gate: Gate) -> list[Parked]:
    """The seats that wait for people who were deleted."""
    return [Parked(row.seq, row.type_seq, row.user_id, row.until) for row in gate.work.rows(_ALL)]


def _losing(gate: Gate, people: Sequence[Person]) -> dict[int, list[Person]]:
    found: dict[int, list[Person]] = {}
    for person in people:
        for type_seq, row in person.held.items():
            if row.seated and gate.types[type_seq].limit is not None:
                found.setdefault(type_seq, []).append(person)
    return found


def _count(gate: Gate, type_seq: int, step: int) -> None:
    assignments.count(gate.work, type_seq, step, None)
    gate.consuming[type_seq] += step
