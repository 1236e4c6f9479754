"""What time alone decides (licensing.md I-10): graces, expiries, drops, holds, lines and rules that begin or end.

Every instant up to now is let pass in order, as if a job had run on the second: so a late, repeated or missing run of
the clock changes nothing about who is entitled when asked. Called by the gate when it is entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scim_service.licensing import assignments, capacity, claims, drops, facts, given, parking
from scim_service.licensing.capacity import Shortfall
from scim_service.licensing.facts import Person, Type
from scim_service.storage import tables

if TYPE_CHECKING:
    from scim_service.licensing.gate import Gate

MOMENT = timedelta(microseconds=1)
"""Just before: how things were until an instant."""

LAPSED, EXPIRED = "lapsed", "expired"
_claims = tables.licensing.claims
_assignments = tables.licensing.assignments
_drops = tables.licensing.capacity_drops
_parked = tables.licensing.parked_seats
_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_AT = sa.bindparam("at", type_=_rules.c.valid_from.type)


def _earliest(column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    where = (column.table.c.tenant_id == _TENANT, column.is_not(None), *conditions)
    return sa.select(sa.func.min(column)).where(*where).scalar_subquery()


_FIRST_DUE = sa.select(
    _earliest(_claims.c.until).label("lapse"),
    _earliest(_claims.c.expires_at).label("expiry"),
    _earliest(_assignments.c.stop_until).label("stop"),
    _earliest(_drops.c.deadline).label("drop"),
    _earliest(_parked.c.until).label("parked"),
    _earliest(_rules.c.valid_from, _rules.c.valid_from > _AT, _rules.c.state == "bound").label("begin"),
    _earliest(_rules.c.valid_to, _rules.c.valid_to > _AT, _rules.c.state == "bound").label("end"),
)
_RULES_TURNING = sa.select(_rules).where(
    _rules.c.tenant_id == _TENANT,
    _rules.c.state == "bound",
    _rules.c.enabled,
    sa.or_(_rules.c.valid_from == _AT, _rules.c.valid_to == _AT),
)


def first_due(gate: Gate) -> datetime | None:
    """The next instant at which time alone decides something."""
    row = gate.work.row(_FIRST_DUE, at=gate.now)
    found = [*(row or ()), capacity.next_boundary(gate.lines, gate.now)]
    return min((instant for instant in found if instant is not None), default=None)


def catch_up(gate: Gate) -> None:
    """Let every instant up to now pass, in order: what lapsed ends, what began counts, the queue moves."""
    if gate.next_due is None or gate.next_due > gate.work.now:
        return
    gate.now = gate.next_due - MOMENT
    gate.refresh_capacity()
    gate.earlier = gate.level()
    while gate.next_due is not None and gate.next_due <= gate.work.now:
        gate.now = gate.next_due
        _pass_instant(gate)
        gate.reschedule()
    if gate.now != gate.work.now:
        gate.now = gate.work.now
        gate.refresh_capacity()


def _pass_instant(gate: Gate) -> None:
    before = gate.refresh_capacity()
    touched = dict.fromkeys(turned(gate, before))
    due = drops.take_due(gate.work, gate.now)
    gate.drops = {seq: [one for one in known if one.deadline > gate.now] for seq, known in gate.drops.items()}
    touched |= dict.fromkeys(seq for people in due.values() for seq in people)
    touched |= dict.fromkeys(claims.lapsed(gate.work, gate.now))
    stops = assignments.stops_due(gate.work, gate.now)
    touched |= dict.fromkeys(user_seq for user_seq, _ in stops)
    touched |= dict.fromkeys(_turn_rules(gate))
    people = gate.load(list(touched))
    _end_stops(gate, stops)
    for type_seq, seqs in due.items():
        for person in gate.load(seqs):
            person.evicted.add(type_seq)
    _end_lapsed(gate, people)
    parking.release_due(gate)
    gate.passed += gate.settle(list(touched), opened=gate.types, why=_shortfalls(gate, before))


def turned(gate: Gate, before: dict[int, Type]) -> Iterable[int]:
    """Who must be looked at again: contracts are over or there again (E-18), or seats can be approved, or not (A-2)."""
    for seq, kind in gate.types.items():
        if (kind.inactive, kind.approval) != (before[seq].inactive, before[seq].approval):
            yield from assignments.in_states(gate.work, seq, (facts.WAITING, facts.BLOCKED, facts.EXPIRED))


def _shortfalls(gate: Gate, before: dict[int, Type]) -> dict[int, Shortfall]:
    """Why a type has another limit from this instant on, for the types that have (A-8)."""
    grace = gate.settings.overcap_grace
    changed = [seq for seq, kind in gate.types.items() if kind.limit != before[seq].limit]
    return {seq: capacity.shortfall(gate.lines, seq, gate.now, grace) for seq in changed}


def _end_lapsed(gate: Gate, people: Iterable[Person]) -> None:
    for person in people:
        for claim in list(person.claims):
            if claim.until is not None and claim.until <= gate.now:
                gate.claims.end(person, claim, LAPSED)
            elif claim.expires_at is not None and claim.expires_at <= gate.now:
                gate.claims.end(person, claim, EXPIRED)


def _end_stops(gate: Gate, stops: Iterable[tuple[int, int]]) -> None:
    """A hold is over: what the removal would have done at once happens now (E-27)."""
    for user_seq, type_seq in stops:
        for person in gate.load([user_seq]):
            person.stops.pop(type_seq, None)


def _turn_rules(gate: Gate) -> Iterable[int]:
    """Rules begin to count, or end as if they were deleted (D-7, E-8); whose claims that concerns."""
    found: dict[int, None] = {}
    for rule in gate.work.rows(_RULES_TURNING, at=gate.now):
        people = gate.load(claims.of_rule(gate.work, rule.seq))
        filtered = given.Follower(gate, [rule], [person.seq for person in people])
        source, grace = claims.source_of(rule.seq), gate.grace(rule.type_seq, rule.exit_grace)
        for person in people:
            for claim in [one for one in person.claims if one.source == source]:
                if rule.valid_to is not None and rule.valid_to <= gate.now:
                    gate.claims.leave(person, claim, facts.RULE_REMOVED, grace, gate.now)
                elif claim.held_back == facts.NOT_YET_VALID:
                    gate.claims.amend(person, claim, held_back=filtered.held_back(rule, person))
            found[person.seq] = None
    return found
