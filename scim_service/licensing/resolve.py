"""Who gets what: a pure function of claims, capacity, activity and the clock (licensing.md I-6, A-3, A-5, A-7).

Types are taken by rank, the greater first, then by code. Of each: holders who still have a reason stay (I-5), the
others let go, and free seats go to who is first by the seniority key of A-3. A person holds at most one type of a
family: who is given the better one lets go of the lesser in the same breath (I-4), and who cannot have the better keeps
the lesser.

Nothing here knows a database. The people are those whom an event touched; `heads` brings in the first of a queue, and
is asked only where a seat came free. So the cost does not grow with the directory or with the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Key = tuple[int, datetime, int]
"""Seniority (A-3): smallest priority, then earliest since, then smallest seq; unique within a tenant by the last."""

ASSIGNED, GRACE, WAITING, COVERED = "assigned", "grace", "waiting", "covered"
SEATED = frozenset({ASSIGNED, GRACE})
"""The states that use a seat (licensing.md 4.2)."""

CAP_REACHED = "cap_reached"
BETTER_TYPE_HELD = "better_type_held"


@dataclass(frozen=True, slots=True)
class Type:
    """A license type as far as it decides; `limit` is None for a free type, else how many seats may be used (A-2)."""

    seq: int
    code: str
    family: str | None
    rank: int
    limit: int | None


@dataclass(slots=True)
class Claim:
    """One reason for a person to have a type (D-9): live, or lingering `until` an instant because of `ending`."""

    user_seq: int
    type_seq: int
    source: str
    rule_seq: int | None
    priority: int
    since: datetime
    rank_seq: int
    until: datetime | None = None
    ending: str | None = None
    seq: int | None = None

    @property
    def key(self) -> Key:
        return (self.priority, self.since, self.rank_seq)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The outcome for a person and a type (D-10). `since`: the seat is held, or was wanted, from then on."""

    state: str
    reason: str | None
    since: datetime
    until: datetime | None
    key: Key


@dataclass(slots=True)
class Person:
    """Someone who is looked at: activity, open claims, and what the tables say now, by type. Inactive: claims sleep."""

    seq: int
    active: bool
    claims: list[Claim] = field(default_factory=list)
    held: dict[int, Assignment] = field(default_factory=dict)
    id: str = ""


Heads = Callable[[int, int, Container[int]], Iterable[Person]]
"""(type, n, known): of the first n people who wait for the type, those who are not known yet."""

Changes = dict[tuple[int, int], Assignment | None]
"""(person, type) → the new outcome; None is released. Only what differs from what the tables say."""


@dataclass
class Outcome:
    """What must be written: the changed rows, and how many seats each type uses afterwards where that changed."""

    changes: Changes = field(default_factory=dict)
    consuming: dict[int, int] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)


def resolve(
    types: Collection[Type],
    people: Iterable[Person],
    consuming: Mapping[int, int],
    opened: Container[int],
    heads: Heads,
    now: datetime,
) -> Outcome:
    """Decide about these people, and about whoever moves up because of them.

    `consuming` counts the seats in use by type. `opened` holds the types whose capacity may have grown: their queue is
    asked even if nobody here leaves. Running it again on what came out changes nothing.
    """
    pending = _Pass(consuming, opened, heads, now)
    for person in people:
        pending.meet(person)
    for kind in in_order(types):
        pending.settle(kind)
    return pending.outcome


def in_order(types: Iterable[Type]) -> list[Type]:
    """The order in which types are decided (A-5): greater rank first, then by code."""
    return sorted(types, key=lambda kind: (-kind.rank, kind.code))


def seniority(claims: Sequence[Claim]) -> Key:
    """The key of A-3: the least over the live claims, or over the lingering ones where none is live."""
    live = [claim.key for claim in claims if claim.until is None]
    return min(live or [claim.key for claim in claims])


@dataclass
class _Pass:
    """One resolution: who is in it, who has got a seat of which family already, what comes out."""

    before: Mapping[int, int]
    opened: Container[int]
    heads: Heads
    now: datetime
    outcome: Outcome = field(default_factory=Outcome)
    concerned: dict[int, list[Person]] = field(default_factory=dict)
    seated: set[tuple[int, str]] = field(default_factory=set)
    done: dict[int, str | None] = field(default_factory=dict)

    def meet(self, person: Person) -> None:
        """Take a person in, under every type that the person has a reason for or a row of."""
        self.outcome.people[person.seq] = person
        for type_seq in {claim.type_seq for claim in person.claims} | set(person.held):
            self.concerned.setdefault(type_seq, []).append(person)
        for type_seq, row in person.held.items():
            if row.state in SEATED and type_seq in self.done:
                self._seat(person, self.done[type_seq])

    def settle(self, kind: Type) -> None:
        """A-5 for one type: keep, release, give, let wait."""
        candidates = [person for person in self.concerned.get(kind.seq, ()) if self._stands(kind, person)]
        kept = self.before.get(kind.seq, 0) - self._released(kind)
        free = None if kind.limit is None else max(0, kind.limit - kept)
        if free and (kept < self.before.get(kind.seq, 0) or kind.seq in self.opened):
            candidates += self._first_in_queue(kind, free)
        candidates.sort(key=lambda person: seniority(_claims(person, kind)))
        granted = candidates if free is None else candidates[:free]
        for person in granted:
            self._grant(kind, person)
        for person in candidates[len(granted) :]:
            self._leave_waiting(kind, person)
        self.done[kind.seq] = kind.family
        if kept + len(granted) != self.before.get(kind.seq, 0):
            self.outcome.consuming[kind.seq] = kept + len(granted)

    def _stands(self, kind: Type, person: Person) -> bool:
        """Settle whoever needs no new seat; True for a candidate for one."""
        claims = _claims(person, kind)
        live = any(claim.until is None for claim in claims)
        row = person.held.get(kind.seq)
        if claims and self._has_better(kind, person):
            self._put(kind, person, self._covered(row, claims) if live else None)
        elif claims and row is not None and row.state in SEATED:
            self._seat(person, kind.family)
            self._put(kind, person, _kept(row, claims))
        elif live:
            return True
        else:
            self._put(kind, person, None)
        return False

    def _released(self, kind: Type) -> int:
        """How many of the people here use a seat of this type and will not."""
        return sum(
            1
            for person in self.concerned.get(kind.seq, ())
            if _is_seated(person.held.get(kind.seq))
            and not _is_seated(self.outcome.changes.get((person.seq, kind.seq), person.held.get(kind.seq)))
        )

    def _first_in_queue(self, kind: Type, free: int) -> list[Person]:
        known = self.outcome.people
        waiting = sum(1 for one in self.concerned.get(kind.seq, ()) if _is_waiting(one.held.get(kind.seq)))
        found = list(self.heads(kind.seq, free + waiting, known))
        for person in found:
            self.meet(person)
        return [person for person in found if self._stands(kind, person)]

    def _grant(self, kind: Type, person: Person) -> None:
        self._seat(person, kind.family)
        key = seniority(_claims(person, kind))
        self._put(kind, person, Assignment(ASSIGNED, None, self.now, None, key))

    def _leave_waiting(self, kind: Type, person: Person) -> None:
        key = seniority(_claims(person, kind))
        self._put(kind, person, Assignment(WAITING, CAP_REACHED, key[1], None, key))

    def _covered(self, row: Assignment | None, claims: Sequence[Claim]) -> Assignment:
        since = row.since if row is not None and row.state == COVERED else self.now
        return Assignment(COVERED, BETTER_TYPE_HELD, since, None, seniority(claims))

    def _has_better(self, kind: Type, person: Person) -> bool:
        return kind.family is not None and (person.seq, kind.family) in self.seated

    def _seat(self, person: Person, family: str | None) -> None:
        if family is not None:
            self.seated.add((person.seq, family))

    def _put(self, kind: Type, person: Person, wanted: Assignment | None) -> None:
        if person.held.get(kind.seq) != wanted:
            self.outcome.changes[person.seq, kind.seq] = wanted


def _claims(person: Person, kind: Type) -> list[Claim]:
    """The person's claims for a type that count now; those of an inactive person are dormant (E-10)."""
    return [claim for claim in person.claims if claim.type_seq == kind.seq] if person.active else []


def _kept(row: Assignment, claims: Sequence[Claim]) -> Assignment:
    """A seat that stays: assigned while a reason is live, else in grace until the last one lapses (E-3)."""
    if any(claim.until is None for claim in claims):
        return Assignment(ASSIGNED, None, row.since, None, seniority(claims))
    last = max(claims, key=lambda claim: (claim.until, claim.rank_seq))
    return Assignment(GRACE, last.ending, row.since, last.until, seniority(claims))


def _is_seated(row: Assignment | None) -> bool:
    return row is not None and row.state in SEATED


def _is_waiting(row: Assignment | None) -> bool:
    return row is not None and row.state == WAITING
