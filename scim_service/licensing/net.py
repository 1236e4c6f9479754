"""What became of each person and type over a whole change: the steps between are nobody's business. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scim_service.licensing import facts, happenings, letters
from scim_service.licensing.facts import Assignment, Person
from scim_service.licensing.happenings import YIELDED, Effect


@dataclass(frozen=True)
class Net:
    """What became of one person and type over a whole transaction."""

    person: Person
    type_seq: int
    change: letters.Change
    reason: str | None


def of(effects: Iterable[Effect]) -> list[Net]:
    """One change per person and type, those that came back to where they were left out; in order of appearance."""
    found: dict[tuple[int, int], Net] = {}
    for one in effects:
        key = (one.person.seq, one.type_seq)
        known = found[key].change if key in found else letters.Change(one.before, one.before)
        dropped = known.dropped or (one.before is not None and letters.is_drop(one.before) and _gone(one.after))
        yielded = one.after is None and one.type_seq in one.person.yielded
        change = letters.Change(known.before, one.after, dropped, yielded)
        found[key] = Net(one.person, one.type_seq, change, YIELDED if yielded else one.reason)
    return [one for one in found.values() if _differs(one.change.before, one.change.after)]


def _gone(row: Assignment | None) -> bool:
    """Whether a capacity drop has taken the seat: its person waits, or the license has expired (A-8)."""
    return row is not None and row.state in (facts.WAITING, facts.EXPIRED)


def _differs(before: Assignment | None, after: Assignment | None) -> bool:
    return (before is not None or after is not None) and happenings.differs(before, after)
