"""The brake on mass removals (licensing.md E-27, decision 41): access ends at once, seats wait a day for their people.

An identity provider that deactivates or deletes many people at once may be in error. Beyond the threshold their seats
are not handed to the queue: those of inactive people are suspended and held, those of deleted people are parked under
the folded userName. Whoever comes back within the hold gets the own seat back; an administrator confirms or undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.access.tenant_settings import MassChange
from scim_service.licensing import assignments, facts, removal_notices
from scim_service.licensing.facts import Person, Stop
from scim_service.licensing.removal_notices import PROVIDER
from scim_service.storage import tables
from scim_service.storage.work import Work

if TYPE_CHECKING:
    from scim_service.licensing.gate import Gate

_removals = tables.licensing.removals
_parked = tables.licensing.parked_seats
_assignments = tables.licensing.assignments
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_TYPE: sa.BindParameter[Any] = sa.bindparam("type")

_RECENT = sa.select(sa.func.coalesce(sa.func.sum(_removals.c.people), 0)).where(
    _removals.c.tenant_id == _TENANT, _removals.c.type_seq == _TYPE, _removals.c.at > sa.bindparam("since")
)
_FORGET_OLD = sa.delete(_removals).where(
    _removals.c.tenant_id == _TENANT, _removals.c.type_seq == _TYPE, _removals.c.at <= sa.bindparam("since")
)
_HELD_SINCE = sa.select(sa.func.count()).where(
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.type_seq == _TYPE,
    _assignments.c.since <= sa.bindparam("since", type_=_assignments.c.since.type),
    sa.or_(
        _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
        sa.and_(_assignments.c.stop_holds, _assignments.c.stop != facts.MASS_CHANGE),
    ),
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
    user_name_key: str


def to_park(gate: Gate, people: Sequence[Person]) -> list[tuple[Person, int]]:
    """(person, type): the seats of these people that must not go to the queue, because too many are being removed.

    Counts what goes, and what goes too fast; what is held already is not counted again. The administrators are told.
    """
    brake = gate.settings.mass_change
    if brake is None or gate.work.actor.kind != PROVIDER:
        return []
    found: list[tuple[Person, int]] = []
    seen: dict[int, tuple[int, int]] = {}
    for type_seq, losing in _losing(gate, people).items():
        gate.work.execute(_FORGET_OLD, type=type_seq, since=gate.now - brake.window)
        recent = int(gate.work.value(_RECENT, type=type_seq, since=gate.now - brake.window))
        allowed = _allowed(gate, brake, type_seq, recent, len(losing))
        gate.work.insert(_removals, [{"type_seq": type_seq, "at": gate.now, "people": len(losing)}])
        too_many = losing[max(0, allowed - recent) :]
        if too_many:
            seen[type_seq] = (recent + len(losing), max(recent + len(losing) - allowed, len(too_many)))
        found += [(one, type_seq) for one in too_many]
    removal_notices.post(
        gate.work, gate.settings, removal_notices.PARKED, removal_notices.parked(seen, gate.now + brake.hold)
    )
    return found


def held_already(gate: Gate, person: Person) -> dict[int, datetime | None]:
    """The seats of a person that a hold keeps, and until when; none where an administrator is at work."""
    if gate.work.actor.kind != PROVIDER:
        return {}
    return {seq: stop.until for seq, stop in person.stops.items() if _is_held(person, seq)}


def hold(gate: Gate, parked: Iterable[tuple[Person, int]]) -> None:
    """Suspend these licenses with the seat held, for as long as the tenant says.

    What an administrator suspended stays so, and its seat goes: a hold that ends must not lift it (E-12).
    """
    brake = gate.settings.mass_change
    if brake is None:
        return
    for person, type_seq in parked:
        if type_seq not in person.stops:
            person.stops[type_seq] = Stop(facts.MASS_CHANGE, True, gate.now + brake.hold)


def lift(people: Iterable[Person]) -> None:
    """Who is back, and has a reason for a type whose seat is held, has the own seat again; until then it stays held."""
    for person in people:
        for type_seq in [seq for seq, stop in person.stops.items() if stop.by == facts.MASS_CHANGE]:
            if person.present and type_seq in _wanted(person):
                del person.stops[type_seq]


def park(gate: Gate, person: Person, kept: Mapping[int, datetime | None]) -> None:
    """Keep seats of a person who is about to be deleted, by type and until when; None: as long as the tenant says."""
    brake = gate.settings.mass_change
    if brake is None or not kept:
        return
    gate.mark_special()
    for type_seq, until in sorted(kept.items()):
        key = gate.work.value(_NAME_KEY, which=person.seq)
        ends = until or gate.now + brake.hold
        row = {"type_seq": type_seq, "user_name_key": key, "user_id": person.id, "until": ends}
        seat = gate.work.insert_one(_parked, **row)
        _count(gate, type_seq, 1)
        code = gate.types[type_seq].code
        audit.record(gate.work, "seat:parked", person.id, type=code, until=row["until"], seat=seat)
    gate.reschedule()


def unpark(gate: Gate, people: Sequence[Person]) -> list[tuple[int, int]]:
    """(person, type) whose parked seat is theirs again: they have a reason for the type, and the name it waits for."""
    wanted = {(one.seq, type_seq) for one in people if one.present for type_seq in _wanted(one)}
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


def listing(work: Work) -> list[Parked]:
    """The seats that wait for people who were deleted."""
    return [Parked(row.seq, row.type_seq, row.user_id, row.until, row.user_name_key) for row in work.rows(_ALL)]


def _allowed(gate: Gate, brake: MassChange, type_seq: int, recent: int, losing: int) -> int:
    """How many may be removed within the window: so many people, or a part of the holders when it began.

    Seats that went to the queue since then do not raise it. As that has to be counted over all holders, it is asked
    only where a part of those who hold seats now is not enough.
    """
    enough = max(brake.people, gate.consuming[type_seq] * brake.percent // 100)
    if recent + losing <= enough:
        return enough
    still = int(gate.work.value(_HELD_SINCE, type=type_seq, since=gate.now - brake.window))
    return max(brake.people, (still + recent) * brake.percent // 100)


def _losing(gate: Gate, people: Sequence[Person]) -> dict[int, list[Person]]:
    found: dict[int, list[Person]] = {}
    for person in people:
        for type_seq, row in person.held.items():
            if row.seated and gate.types[type_seq].limit is not None and not _is_held(person, type_seq):
                found.setdefault(type_seq, []).append(person)
    return found


def _wanted(person: Person) -> set[int]:
    """The types that the person has a reason for which counts."""
    return {one.type_seq for one in person.claims if one.until is None and one.held_back is None}


def _is_held(person: Person, type_seq: int) -> bool:
    stop, row = person.stops.get(type_seq), person.held.get(type_seq)
    return stop is not None and stop.by == facts.MASS_CHANGE and row is not None and row.seated


def _count(gate: Gate, type_seq: int, step: int) -> None:
    assignments.count(gate.work, type_seq, step, None)
    gate.consuming[type_seq] += step
