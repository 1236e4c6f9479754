"""THE gate: every seat that is given or freed, by whatever path, passes here (licensing.md I-2).

`enter` locks the tenant's licensing row as its first act, so claims and seats are read under the lock (measured:
reading before locking lost a seat 12 of 12 times), and lets pass, one by one and in order, every instant up to now at
which time alone decided something (I-10). The caller changes claims or capacity; `settle` resolves the people who were
touched, writes rows, ledger and events in the same transaction, and raises where an invariant would break.

Locks before the gate: groups, then people; after it only counters (decision 19).
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import assignments, capacity, claims, resolve
from scim_service.licensing.resolve import Person
from scim_service.storage import closure, tables
from scim_service.storage.work import Work, chunks

_tenants = tables.access.tenants
_licensing = tables.licensing.licensing
_types = tables.licensing.license_types
_ledger = tables.licensing.ledger
_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_LOCK = (
    sa.select(_licensing.c.last_seq, _licensing.c.next_due, _tenants.c.exit_grace)
    .join(_tenants, _tenants.c.id == _licensing.c.tenant_id)
    .where(_licensing.c.tenant_id == _TENANT)
    .with_for_update(of=_licensing)
)
_SAVE = (
    sa.update(_licensing)
    .where(_licensing.c.tenant_id == _TENANT)
    .values(last_seq=sa.bindparam("new_last_seq"), next_due=sa.bindparam("new_next_due"))
)
_TYPES = (
    sa.select(
        _types.c.seq,
        _types.c.code,
        _types.c.family,
        _types.c.rank,
        _types.c.counted,
        _types.c.exit_grace,
        _ledger.c.consuming,
    )
    .join(_ledger, sa.and_(_ledger.c.tenant_id == _types.c.tenant_id, _ledger.c.type_seq == _types.c.seq))
    .where(_types.c.tenant_id == _TENANT)
)
_RULES_ON = (
    sa.select(_rules)
    .where(
        _rules.c.tenant_id == _TENANT,
        _rules.c.state == "bound",
        _rules.c.group_seq.in_(sa.bindparam("seqs", expanding=True)),
    )
    .order_by(_rules.c.seq)
)

Event = tuple[str, str, dict[str, Any]]

_NOTE = "licensing.gate"
RELEASED = "released"
DEACTIVATED, PERSON_DELETED, LAPSED = "deactivated", "person_deleted", "lapsed"
"""Why a claim ended at once, as the event log says it."""


class Broken(RuntimeError):
    """An invariant of licensing.md 4.3 would not hold: a defect of this program. The transaction is undone."""


@dataclass
class Gate:
    """The open gate of one transaction. `now` is the instant that is being decided, at most `work.now`."""

    work: Work
    exit_grace: timedelta
    next_due: datetime | None
    now: datetime
    claims: claims.Changes
    types: dict[int, resolve.Type] = field(default_factory=dict)
    consuming: dict[int, int] = field(default_factory=dict)
    graces: dict[int, timedelta | None] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    passed: int = 0
    """How many outcomes changed by time alone while entering."""

    def load(self, user_seqs: Sequence[int]) -> list[Person]:
        """These people as they are now, with claims and assignments, in the given order."""
        missing = [seq for seq in user_seqs if seq not in self.people]
        self.people |= assignments.people(self.work, missing)
        return [self.people[seq] for seq in user_seqs if seq in self.people]

    def read_types(self) -> None:
        """Every type of the tenant, with its limit and the seats in use."""
        limits = capacity.limits(self.work, self.now)
        for row in self.work.rows(_TYPES):
            limit = limits.get(row.seq, 0) if row.counted else None
            self.types[row.seq] = resolve.Type(row.seq, row.code, row.family, row.rank, limit)
            self.consuming[row.seq] = row.consuming
            self.graces[row.seq] = None if row.exit_grace is None else timedelta(seconds=row.exit_grace)

    def grace(self, type_seq: int, of_rule: int | None) -> timedelta:
        """The exit grace that counts: the rule's (in seconds), else the type's, else the tenant's (decision 28)."""
        if of_rule is not None:
            return timedelta(seconds=of_rule)
        of_type = self.graces[type_seq]
        return self.exit_grace if of_type is None else of_type

    def follow(self, rule: Any, person: Person, belongs: bool) -> None:
        """Make a person's claim by a rule agree with whether the person is in the rule's group (E-2, E-3)."""
        source = claims.source_of(rule.seq)
        claim = next((one for one in person.claims if one.source == source and one.type_seq == rule.type_seq), None)
        if claim is not None and belongs and claim.until is not None:
            self.claims.revive(person, claim)
        elif claim is not None and not belongs:
            grace = self.grace(rule.type_seq, rule.exit_grace)
            self.claims.leave(person, claim, claims.LEFT_GROUP, grace, self.now)
        elif claim is None and belongs:
            self.claims.add(person, rule.type_seq, source, rule.seq, rule.priority, self.now)

    def settle(self, user_seqs: Sequence[int] | None = None, opened: Collection[int] = ()) -> int:
        """Resolve these people (or those whose claims changed) and whoever moves up; how many outcomes changed.

        `opened` holds the types whose capacity may have grown. All that came out is written: claims, rows, ledger,
        events. Raises Broken instead of writing what must not be.
        """
        people = self.load(self.claims.touched() if user_seqs is None else user_seqs)
        outcome = resolve.resolve(self.types.values(), people, self.consuming, opened, self._heads, self.now)
        events = [*self._claim_events(), *self._license_events(outcome)]
        lapse, ranked, moved = self.claims.earliest_lapse(), self.claims.ranked, self.claims.lapses_moved
        self.claims.write(self.work)
        assignments.write(self.work, outcome.changes, outcome.people)
        self._count(outcome.consuming)
        audit.record_many(self.work, events)
        self._schedule(lapse, ranked, moved)
        self.people.clear()
        return len(outcome.changes)

    def refresh_capacity(self) -> None:
        """Look up the limits anew, because contracts changed or time passed."""
        limits = capacity.limits(self.work, self.now)
        for seq, kind in self.types.items():
            if kind.limit is not None:
                self.types[seq] = replace(kind, limit=limits.get(seq, 0))

    def reschedule(self) -> None:
        """Look up anew when time alone next decides something (decision 23)."""
        found = [claims.first_lapse(self.work), capacity.next_boundary(self.work, self.now)]
        self._save(min((instant for instant in found if instant is not None), default=None))

    def catch_up(self) -> None:
        """Let every instant up to now pass, in order: what lapsed ends, what began counts, the queue moves (I-10)."""
        while self.next_due is not None and self.next_due <= self.work.now:
            self.now = self.next_due
            self.refresh_capacity()
            lapsed = claims.lapsed(self.work, self.now)
            self._end_lapsed(self.load(lapsed))
            self.passed += self.settle(lapsed, opened=self.types)
            self.reschedule()
        if self.now != self.work.now:
            self.now = self.work.now
            self.refresh_capacity()

    def _end_lapsed(self, people: Iterable[Person]) -> None:
        for person in people:
            for claim in list(person.claims):
                if claim.until is not None and claim.until <= self.now:
                    self.claims.end(person, claim, LAPSED)

    def _heads(self, type_seq: int, first: int, known: Container[int]) -> list[Person]:
        return assignments.first_in_queue(self.work, type_seq, first, known)

    def _count(self, consuming: dict[int, int]) -> None:
        for type_seq, used in sorted(consuming.items()):
            kind = self.types[type_seq]
            if not assignments.count(self.work, type_seq, used - self.consuming[type_seq], kind.limit):
                raise Broken(f"More seats of {kind.code} would be used than the {kind.limit} that there are (I-1).")
            self.consuming[type_seq] = used

    def _schedule(self, lapse: datetime | None, ranked: bool, moved: bool) -> None:
        """Keep the licensing row; the due instant moves earlier by itself, and later only by a look at the tables."""
        if moved:
            self.reschedule()
            return
        due = min((instant for instant in (self.next_due, lapse) if instant is not None), default=None)
        if ranked or due != self.next_due:
            self._save(due)

    def _save(self, next_due: datetime | None) -> None:
        self.next_due = next_due
        self.work.execute(_SAVE, new_last_seq=self.claims.last_rank, new_next_due=next_due)

    def _claim_events(self) -> Iterator[Event]:
        codes = {seq: kind.code for seq, kind in self.types.items()}
        for action, person, claim in self.claims.told:
            yield action, person.id, {**claims.facts(claim, codes), **self._late()}

    def _license_events(self, outcome: resolve.Outcome) -> Iterator[Event]:
        """One event per change that somebody could see, with what was and what is (decision 26)."""
        endings = {(claim.user_seq, claim.type_seq): claim.ending for _, _, claim in self.claims.told}
        for (user_seq, type_seq), wanted in outcome.changes.items():
            person = outcome.people[user_seq]
            before = person.held.get(type_seq)
            if before is not None and wanted is not None and replace(before, key=wanted.key) == wanted:
                continue
            reason = wanted.reason if wanted else self._why_released(person, endings.get((user_seq, type_seq)))
            yield (
                f"license:{wanted.state if wanted else RELEASED}",
                person.id,
                {
                    "type": self.types[type_seq].code,
                    "from": before.state if before else None,
                    "reason": reason,
                    "since": wanted.since if wanted else None,
                    "until": wanted.until if wanted else None,
                    **self._late(),
                },
            )

    def _why_released(self, person: Person, ending: str | None) -> str:
        return ending or (resolve.BETTER_TYPE_HELD if person.active else DEACTIVATED)

    def _late(self) -> dict[str, datetime]:
        """The instant that decided, where the event is written later than that."""
        return {} if self.now == self.work.now else {"effective": self.now}


def enter(work: Work) -> Gate:
    """Lock the tenant's licensing row, let pass what time has decided, and hand out the gate of this transaction.

    The caller has locked the groups and people that it will need. A second call in a transaction gives the same gate.
    """
    known = work.notes.get(_NOTE)
    if isinstance(known, Gate):
        known.work = work
        known.people.clear()
        return known
    row = work.row(_LOCK)
    if row is None:
        raise Broken(f"Tenant {work.tenant_id} has no licensing row.")
    gate = Gate(work, timedelta(seconds=row.exit_grace), row.next_due, work.now, claims.Changes(row.last_seq))
    gate.read_types()
    gate.catch_up()
    work.notes[_NOTE] = gate
    return gate


def is_open(work: Work) -> bool:
    """Whether this transaction has entered the gate: no group and no person may be locked any more."""
    return _NOTE in work.notes


def reopen(work: Work) -> None:
    """The catalog changed: whoever enters next in this transaction reads the types anew."""
    work.notes.pop(_NOTE, None)


def tick(work: Work) -> int:
    """Let pass what time has decided, for the lazy clock and the job; how many outcomes changed (I-10).

    Running it again changes nothing.
    """
    return enter(work).passed


def people_moved(work: Work, group_seqs: Collection[int], user_seqs: Sequence[int]) -> None:
    """These people joined or left these groups, or groups in them: rules there and above claim or let go (E-2 to E-4).

    The caller has written the memberships and holds the groups. People are ranked in the order given (X-8). They are
    held besides, unless the gate is open already: then a group was deleted, they only leave, nobody gets a first claim.
    """
    listening = rules_on(work, closure.above(work, group_seqs))
    if not listening or not user_seqs:
        return
    if not is_open(work):
        assignments.lock_people(work, user_seqs)
    gate = enter(work)
    inside = claims.inside(work, {rule.group_seq for rule in listening}, user_seqs)
    for person in gate.load(user_seqs):
        for rule in listening:
            gate.follow(rule, person, (person.seq, rule.group_seq) in inside)
    gate.settle()


def activity_changed(work: Work, user_seqs: Sequence[int]) -> None:
    """`users.active` of these people was changed: seats are freed at once (E-10), or claims count from now on (E-11).

    The caller holds the people. Nothing is locked for people without claims (decision 20).
    """
    concerned = claims.claimants(work, user_seqs)
    if not concerned:
        return
    gate = enter(work)
    for person in gate.load([seq for seq in user_seqs if seq in concerned]):
        for claim in list(person.claims):
            if person.active:
                gate.claims.renew(person, claim, gate.now)
            elif claim.until is not None:
                gate.claims.end(person, claim, DEACTIVATED)
    gate.settle([seq for seq in user_seqs if seq in concerned])


def person_gone(work: Work, user_seq: int) -> None:
    """A person is about to be deleted: claims end, seats are freed and the queue is served (E-19)."""
    if not claims.claimants(work, [user_seq]):
        return
    gate = enter(work)
    for person in gate.load([user_seq]):
        for claim in list(person.claims):
            gate.claims.end(person, claim, PERSON_DELETED)
    gate.settle([user_seq])


def rules_on(work: Work, group_seqs: Collection[int]) -> list[Any]:
    """The rules bound to these groups, as rows, oldest first."""
    return [row for chunk in chunks(sorted(group_seqs)) for row in work.rows(_RULES_ON, seqs=list(chunk))]
