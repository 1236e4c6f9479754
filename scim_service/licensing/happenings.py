"""What came of a decision: the outcomes that somebody could see, the claims that end with them, and the events.

An event is one row of the log (decision 26): a claim that was added, revived, renewed, amended, left to linger or
ended; a license with what it was and what it is. Together they are all that a replay needs (I-6, `replay.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scim_service.licensing import claims, facts
from scim_service.licensing.facts import Assignment, Outcome, Person

if TYPE_CHECKING:
    from scim_service.licensing.gate import Gate

Event = tuple[str, str, dict[str, Any]]
Told = tuple[str, Person, facts.Claim]
"""A claim that changed: the action, whose it is, the claim."""
RELEASED = "released"
DEACTIVATED, YIELDED, MIGRATED = "deactivated", "yielded", "migrated"
"""Why a license or a claim ended, as the event log says it."""


@dataclass(frozen=True)
class Effect:
    """What became of one person and type: the row before and after (None: none), the person as the engine knew them.

    `reason` is the row's, or why there is none any more.
    """

    person: Person
    type_seq: int
    before: Assignment | None
    after: Assignment | None
    reason: str | None


def effects(outcome: Outcome, told: Iterable[Told] = ()) -> list[Effect]:
    """The changes that somebody could see; `told` are the claims that changed with them."""
    endings = {(claim.user_seq, claim.type_seq): claim.ending for _, _, claim in told}
    found = []
    for (user_seq, type_seq), wanted in outcome.changes.items():
        person = outcome.people[user_seq]
        before = person.held.get(type_seq)
        if differs(before, wanted):
            reason = wanted.reason if wanted else _why_released(person, endings.get((user_seq, type_seq)))
            found.append(Effect(person, type_seq, before, wanted, reason))
    return found


def differs(before: Assignment | None, after: Assignment | None) -> bool:
    """Whether somebody could see the change; one of seniority alone is none."""
    return before is None or after is None or replace(before, key=after.key) != after


def end_outlived(gate: Gate, outcome: Outcome) -> None:
    """End the claims that the decision cut short: a grace that yielded (A-6), a migration that arrived (E-25)."""
    for person in outcome.people.values():
        for claim in list(person.claims):
            if claim.until is None:
                continue
            if claim.type_seq in person.yielded:
                gate.claims.end(person, claim, YIELDED)
            elif claim.ending == facts.MIGRATING and _has_arrived(gate, outcome, person, claim):
                gate.claims.end(person, claim, MIGRATED)


def moves_stops(outcome: Outcome) -> bool:
    """Whether a suspension that ends by itself begins or ends."""
    stops = [
        row.stop
        for (user_seq, type_seq), wanted in outcome.changes.items()
        for row in (wanted, outcome.people[user_seq].held.get(type_seq))
        if row is not None
    ]
    return any(stop is not None and stop.until is not None for stop in stops)


def of_claims(gate: Gate) -> Iterator[Event]:
    """The events of the claims that changed since the gate settled last."""
    codes = {seq: kind.code for seq, kind in gate.types.items()}
    for action, person, claim in gate.claims.told:
        yield action, person.id, {**claims.facts_of(claim, codes), **gate.late()}


def of_licenses(gate: Gate, found: Sequence[Effect]) -> Iterator[Event]:
    """One event per change, with what was and what is."""
    for effect in found:
        after, person = effect.after, effect.person
        yield (
            f"license:{after.state if after else RELEASED}",
            person.id,
            {
                "type": gate.types[effect.type_seq].code,
                "from": effect.before.state if effect.before else None,
                **(facts_of(after) if after else {"since": None, "until": None}),
                "reason": effect.reason,
                **gate.late(),
            },
        )


def facts_of(row: Assignment) -> dict[str, Any]:
    """An outcome as the event log keeps it, besides its state; what only some outcomes have, only there.

    Its place in an order is not kept: it follows from the claims (A-3).
    """
    stop = {"by": row.stop.by, "until": row.stop.until} if row.stop else None
    holds = True if row.state == facts.SUSPENDED and row.seated else None
    found = {"stop": stop, "holds": holds, "quota_rule": row.quota_rule}
    rare = {name: value for name, value in found.items() if value is not None}
    return {"reason": row.reason, "since": row.since, "until": row.until, **rare}


def _has_arrived(gate: Gate, outcome: Outcome, person: Person, claim: facts.Claim) -> bool:
    for other in person.claims:
        if facts.takes_place_of(gate.types, other, claim):
            key = (person.seq, other.type_seq)
            row = outcome.changes[key] if key in outcome.changes else person.held.get(other.type_seq)
            if row is not None and row.state in facts.EFFECTIVE:
                return True
    return False


def _why_released(person: Person, ending: str | None) -> str:
    if ending:
        return ending
    return facts.BETTER_TYPE_HELD if person.present else facts.BANNED if person.banned else DEACTIVATED
