"""THE gate: every seat that is given or freed, by whatever path, passes here (licensing.md I-2).

`enter` locks the tenant's licensing row as its first act, so claims and seats are read under the lock (measured:
reading before locking lost a seat 12 of 12 times), and lets pass, one by one and in order, every instant up to now at
which time alone decided something (I-10, `passing.py`). The caller changes claims, suspensions or capacity; `settle`
resolves the people who were touched, writes rows, ledger and events in the same transaction, and raises where an
invariant would break.

Locks before the gate: groups, then people; after it only counters (decision 19).
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.access.tenant_settings import TenantSettings
from scim_service.licensing import (
    assignments,
    capacity,
    claims,
    drops,
    facts,
    happenings,
    kinds,
    notices,
    overage,
    parking,
    passing,
    removal_notices,
    resolve,
)
from scim_service.licensing.alerts import Level
from scim_service.licensing.capacity import Line, Shortfall
from scim_service.licensing.drops import Drop
from scim_service.licensing.facts import Person, Rules, Type
from scim_service.licensing.happenings import Effect
from scim_service.licensing.standing import kept
from scim_service.storage import tables
from scim_service.storage.work import Work

_tenants = tables.access.tenants
_licensing = tables.licensing.licensing
_types = tables.licensing.license_types
_ledger = tables.licensing.ledger
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_LOOK = (
    sa.select(
        _licensing.c.last_seq,
        _licensing.c.next_due,
        _licensing.c.specials,
        _tenants.c.exit_grace,
        _tenants.c.settings,
    )
    .join(_tenants, _tenants.c.id == _licensing.c.tenant_id)
    .where(_licensing.c.tenant_id == _TENANT)
)
_LOCK = _LOOK.with_for_update(of=_licensing)
_SAVE = (
    sa.update(_licensing)
    .where(_licensing.c.tenant_id == _TENANT)
    .values(last_seq=sa.bindparam("new_last_seq"), next_due=sa.bindparam("new_next_due"))
)
_MARK_SPECIAL = sa.update(_licensing).where(_licensing.c.tenant_id == _TENANT).values(specials=sa.true())
_TYPES = (
    sa.select(_types, _ledger.c.consuming, _ledger.c.approved)
    .join(_ledger, sa.and_(_ledger.c.tenant_id == _types.c.tenant_id, _ledger.c.type_seq == _types.c.seq))
    .where(_types.c.tenant_id == _TENANT)
)

_NOTE = "licensing.gate"
EFFECTS = "licensing.effects"
"""Where a transaction gathers what came of it, for a preview (A-12)."""
_START = "licensing.start"
_LATEST = "licensing.latest"


class Broken(RuntimeError):
    """An invariant of licensing.md 4.3 would not hold: a defect of this program. The transaction is undone."""


@dataclass(frozen=True)
class Start(Level):
    """How the seats were when a transaction entered the gate, after what time alone had decided: `effects` of it."""

    effects: int


@dataclass
class Gate:
    """The open gate of one transaction. `now` is the instant that is being decided, at most `work.now`."""

    work: Work
    exit_grace: timedelta
    settings: TenantSettings
    next_due: datetime | None
    specials: bool
    now: datetime
    claims: claims.Changes
    lines: list[Line] = field(default_factory=list)
    types: dict[int, Type] = field(default_factory=dict)
    consuming: dict[int, int] = field(default_factory=dict)
    approved: dict[int, int] = field(default_factory=dict)
    graces: dict[int, timedelta | None] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    drops: dict[int, list[Drop]] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    passed: int = 0
    """How many outcomes changed by time alone while entering."""
    earlier: Level | None = None
    """How the seats were before time alone decided something, if it did."""

    def load(self, user_seqs: Sequence[int]) -> list[Person]:
        """These people as they are now, with claims and assignments, in the given order."""
        missing = [seq for seq in user_seqs if seq not in self.people]
        self.people |= assignments.people(self.work, missing, self.settings.keeps_inactive)
        return [self.people[seq] for seq in user_seqs if seq in self.people]

    def read(self) -> None:
        """Every type of the tenant with its limit and the seats in use, and what is rare, where there is any."""
        self.lines = capacity.lines(self.work)
        rows = self.work.rows(_TYPES)
        self.approved = {row.seq: row.approved for row in rows}
        self.consuming = {row.seq: row.consuming for row in rows}
        self.graces = {row.seq: None if row.exit_grace is None else timedelta(seconds=row.exit_grace) for row in rows}
        self.types = kinds.read_types(rows, capacity.at(self.lines, self.now, self.approved))
        if self.specials:
            self.rules = kinds.special_rules(self.work)
            self.drops = drops.of_types(self.work)

    def mark_special(self) -> None:
        """From now on whoever enters looks for quotas, bundles, drops and parked seats too."""
        if not self.specials:
            self.specials = True
            self.work.execute(_MARK_SPECIAL)

    def grace(self, type_seq: int, of_rule: int | None) -> timedelta:
        """The exit grace that counts: the rule's (in seconds), else the type's, else the tenant's (decision 28)."""
        if of_rule is not None:
            return timedelta(seconds=of_rule)
        of_type = self.graces[type_seq]
        return self.exit_grace if of_type is None else of_type

    def settle(
        self,
        user_seqs: Sequence[int] | None = None,
        opened: Collection[int] = (),
        first: Collection[tuple[int, int]] = (),
        why: Mapping[int, Shortfall] | None = None,
    ) -> int:
        """Resolve these people (or those whose claims changed) and whoever moves up; how many outcomes changed.

        `opened` holds the types whose capacity may have grown, `first` who comes before the queue (I-4), `why` the
        reason of a shortfall by type. All that came out is written: claims, rows, ledger, drops, events. Raises Broken
        instead of writing what must not be.
        """
        people = self.load(self.claims.touched() if user_seqs is None else user_seqs)
        parking.lift(people)
        if self.specials and (own := parking.unpark(self, people)):
            first, opened = [*first, *own], {*opened, *(type_seq for _, type_seq in own)}
        outcome = resolve.resolve(
            self.types.values(),
            people,
            self.counts(people),
            resolve.Queues(self._heads, self._graces),
            self.now,
            opened=opened,
            first=set(first),
            rules=self.rules,
        )
        happenings.end_outlived(self, outcome)
        effects = happenings.effects(outcome, self.claims.told)
        events = [*happenings.of_claims(self), *happenings.of_licenses(self, effects)]
        reasoned = {claim.type_seq for _, _, claim in self.claims.told if claim.type_seq in self.drops}
        self._write(outcome)
        audit.record_many(self.work, events)
        self._note(effects)
        moved = {effect.type_seq for effect in effects} | set(why or ()) | reasoned | self.drops.keys() & set(opened)
        marked = sum(self._mark_surplus(seq, (why or {}).get(seq)) for seq in sorted(moved))
        self.people.clear()
        return len(outcome.changes) + marked

    def level(self) -> Level:
        """How many seats there are now, and are used."""
        return Level(self.types, dict(self.consuming))

    def correct(self, type_seq: int, used: int) -> None:
        """The ledger's number was wrong (I-12): so many seats are used; the caller has counted, and settles."""
        assignments.count(self.work, type_seq, used - self.consuming[type_seq], None)
        self.consuming[type_seq] = used

    def refresh_capacity(self) -> dict[int, Type]:
        """Look up the limits anew, because contracts changed or time passed; the types as they were before."""
        before = dict(self.types)
        now = capacity.at(self.lines, self.now, self.approved)
        self.types = {seq: kinds.with_capacity(kind, now.get(seq)) for seq, kind in before.items()}
        return before

    def reread_lines(self) -> None:
        """Contracts were written: look at their lines again."""
        self.lines = capacity.lines(self.work)

    def save(self, next_due: datetime | None) -> None:
        """Keep the licensing row: the counter of A-3, and when time alone next decides something (decision 23)."""
        self.next_due = next_due
        self.work.execute(_SAVE, new_last_seq=self.claims.last_rank, new_next_due=next_due)

    def reschedule(self) -> None:
        """Look up anew when time alone next decides something."""
        self.save(passing.first_due(self))

    def late(self) -> dict[str, datetime]:
        """The instant that decided, for an event that is written later than that."""
        return {} if self.now == self.work.now else {"effective": self.now}

    def _write(self, outcome: facts.Outcome) -> None:
        lapse, ranked = self.claims.earliest_lapse(), self.claims.ranked
        moved = self.claims.lapses_moved or self.claims.expiring or happenings.moves_stops(outcome)
        self.claims.write(self.work)
        assignments.write(self.work, outcome.changes, outcome.people)
        self._count(outcome.consuming)
        if moved:
            self.reschedule()
            return
        due = min((instant for instant in (self.next_due, lapse) if instant is not None), default=None)
        if ranked or due != self.next_due:
            self.save(due)

    def _count(self, consuming: Mapping[int, int]) -> None:
        for type_seq, used in sorted(consuming.items()):
            kind = self.types[type_seq]
            if not assignments.count(self.work, type_seq, used - self.consuming[type_seq], kind.limit):
                raise Broken(f"More seats of {kind.code} would be used than the {kind.limit} that there are (I-1).")
            grown = used > self.consuming[type_seq]
            self.consuming[type_seq] = used
            if grown:
                overage.note_high_water(self.work, self.lines, type_seq, used, self.now)

    def counts(self, people: Iterable[Person]) -> resolve.Counts:
        """What is counted over everybody, as far as a decision about these people needs it."""
        reserved = [seq for seq, kind in self.types.items() if kind.reserve]
        limited = {seq for person in people for seq in [*person.held, *(one.type_seq for one in person.claims)]}
        quotas = assignments.by_quota(self.work, limited or self.types) if self.rules.quotas else {}
        direct = {seq: assignments.direct_holders(self.work, seq) for seq in reserved}
        return resolve.Counts(self.consuming, quotas, direct)

    def _heads(self, type_seq: int, first: int, known: Container[int]) -> list[Person]:
        return self._unknown(assignments.queue(self.work, type_seq, first), known)

    def _graces(self, type_seq: int, first: int, known: Container[int]) -> list[Person]:
        return self._unknown(assignments.in_grace(self.work, type_seq, first), known)

    def _unknown(self, seqs: Sequence[int], known: Container[int]) -> list[Person]:
        new = [seq for seq in seqs if seq not in known]
        return list(assignments.people(self.work, new, self.settings.keeps_inactive).values())

    def _mark_surplus(self, type_seq: int, why: Shortfall | None) -> int:
        """Keep the drops of a type equal to its surplus, and tell who stands under them (A-8)."""
        kind, known = self.types[type_seq], self.drops.get(type_seq, [])
        surplus = 0 if kind.limit is None else max(0, self.consuming[type_seq] - kind.limit)
        if not surplus and not known:
            return 0
        by_default = Shortfall(facts.CAP_DECREASE, self.now + self.settings.overcap_grace)
        wanted = drops.adjusted(known, surplus, why or by_default)
        if wanted != known:
            self.mark_special()
            self.drops[type_seq] = wanted
            drops.write(self.work, type_seq, wanted)
            self.reschedule()
        return self._remark(type_seq, wanted, surplus)

    def _remark(self, type_seq: int, wanted: Sequence[Drop], surplus: int) -> int:
        under = drops.marks(drops.tail(self.work, type_seq, surplus), wanted)
        self.people.clear()
        changes: facts.Changes = {}
        people = self.load(sorted({*under, *drops.marked_people(self.work, type_seq)}))
        for person in people:
            row = person.held[type_seq]
            mine = [one for one in person.claims if one.type_seq == type_seq and one.held_back is None]
            base = kept(facts.unmarked(row), mine)
            now = drops.marked(base, under.get(person.seq))
            if now != row:
                changes[person.seq, type_seq] = now
        outcome = facts.Outcome(changes, {}, {person.seq: person for person in people})
        effects = happenings.effects(outcome)
        assignments.write(self.work, changes, outcome.people)
        audit.record_many(self.work, happenings.of_licenses(self, effects))
        self._note(effects)
        return len(changes)

    def _note(self, effects: Sequence[Effect]) -> None:
        self.work.notes.setdefault(EFFECTS, []).extend(effects)


def enter(work: Work) -> Gate:
    """Lock the tenant's licensing row, let pass what time has decided, and hand out the gate of this transaction.

    The caller has locked the groups and people that it will need. A second call in a transaction gives the same gate.
    """
    known = work.notes.get(_NOTE)
    if isinstance(known, Gate):
        known.work = work
        known.people.clear()
        return known
    gate = _read(work, _LOCK)
    passing.catch_up(gate)
    work.notes[_NOTE] = gate
    work.notes[_LATEST] = gate
    if _START not in work.notes:
        if gate.earlier is not None:
            notices.post(work, notices.due(work, gate.settings, effects(work), gate.earlier, gate.level()))
        work.notes[_START] = Start(gate.types, dict(gate.consuming), len(effects(work)))
        work.at_end(_NOTE, _tell)
    return gate


def look(work: Work) -> Gate:
    """The gate as it would be found, without a lock, and without letting time pass: to look, never to settle."""
    return _read(work, _LOOK)


def _read(work: Work, statement: sa.Select[Any]) -> Gate:
    row = work.row(statement)
    if row is None:
        raise Broken(f"Tenant {work.tenant_id} has no licensing row.")
    settings, grace = TenantSettings.of(row.settings), timedelta(seconds=row.exit_grace)
    found = Gate(work, grace, settings, row.next_due, row.specials, work.now, claims.Changes(row.last_seq))
    found.read()
    return found


def is_open(work: Work) -> bool:
    """Whether this transaction has entered the gate: no group and no person may be locked any more."""
    return _NOTE in work.notes


def reopen(work: Work) -> None:
    """The catalog or the rules changed: whoever enters next in this transaction reads them anew."""
    work.notes.pop(_NOTE, None)


def effects(work: Work) -> list[Effect]:
    """What came of this transaction so far: every outcome that changed, in order; what time alone decided included."""
    found: list[Effect] = work.notes.get(EFFECTS, [])
    return found


def start(work: Work) -> Start | None:
    """How the seats were when this transaction entered the gate first; None while it has not."""
    found: Start | None = work.notes.get(_START)
    return found


def to_tell(work: Work) -> notices.Due:
    """What has to be told of all that came of this transaction so far, apart from what time alone had decided."""
    started, latest = start(work), work.notes.get(_LATEST)
    if started is None or not isinstance(latest, Gate):
        return notices.Due()
    return notices.due(work, latest.settings, effects(work)[started.effects :], started, latest.level())


def _tell(work: Work) -> None:
    """The last act of a transaction that has entered the gate."""
    notices.post(work, to_tell(work))
    started, latest = start(work), work.notes[_LATEST]
    if started is not None:
        removal_notices.post_left(work, latest.settings, effects(work)[started.effects :], started)
