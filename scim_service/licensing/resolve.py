"""Who gets what: a pure function of claims, capacity, activity and the clock (licensing.md I-6, A-3, A-5 to A-7, A-13).

Types are taken prerequisites first, then by rank, the greater first, then by code. Of each: holders who still have a
reason stay (I-5), the others let go, and free seats go to who is first by the seniority key of A-3. A person holds at
most one type of a family: who is given the better one lets go of the lesser in the same breath (I-4), and who cannot
have the better keeps the lesser.

Nothing here knows a database. The people are those whom an event touched; `Queues` brings in others, and is asked only
where a seat came free or somebody has to yield. So the cost does not grow with the directory or with the queue.

The one surprise: a round over the types may set free a seat of a type that had its turn (a family by priority, a
migration, a bundle); then there is another round, in which nothing else moves.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from scim_service.licensing import facts
from scim_service.licensing.facts import Assignment, Claim, Outcome, Person, Rules, Type, is_seated, is_waiting
from scim_service.licensing.order import in_order, seniority
from scim_service.licensing.others import Counts, Queues
from scim_service.licensing.standing import Candidate, Standing, families_of

EVERYBODY = 1 << 60
ROUNDS = 50
"""More would mean that the decision turns in a circle, which no rule allows."""

__all__ = ["Counts", "Queues", "resolve"]


def resolve(
    types: Collection[Type],
    people: Iterable[Person],
    counts: Counts,
    queues: Queues,
    now: datetime,
    *,
    opened: Container[int] = (),
    first: Container[tuple[int, int]] = (),
    rules: Rules | None = None,
) -> Outcome:
    """Decide about these people, and about whoever moves up because of them.

    `opened` holds the types whose capacity may have grown: their queue is asked even if nobody here leaves. `first`
    holds (person, type) that come before the queue: a seat that is handed over (I-4). Running it again on what came out
    changes nothing. Raises RuntimeError where the decision does not come to rest, which is a defect of this program.
    """
    pending = _Rounds(in_order(types), counts, queues, now, opened, first, rules or Rules())
    for person in people:
        pending.meet(person)
    return pending.run()


@dataclass
class _Rounds:
    """One resolution: who is in it, how many seats are in use as it goes on, what comes out."""

    order: list[Type]
    counts: Counts
    queues: Queues
    now: datetime
    opened: Container[int]
    first: Container[tuple[int, int]]
    rules: Rules

    def __post_init__(self) -> None:
        self.types = {kind.seq: kind for kind in self.order}
        self.used = {kind.seq: self.counts.used.get(kind.seq, 0) for kind in self.order}
        self.by_quota = dict(self.counts.quotas)
        self.outcome = Outcome()
        self.concerned: dict[int, dict[int, Person]] = {}
        self.reserved: dict[int, set[int]] = {}
        self.done: set[int] = set()
        self.reopened: set[int] = set()
        self.requoted: set[int] = set()
        self.direct = 0
        self.standing = Standing(self.types, families_of(self.order), self.row, self.now)
        self.bundled: dict[int, set[int]] = {}
        for bundle in self.rules.bundles.values():
            for seq in bundle:
                self.bundled.setdefault(seq, set()).update(bundle)

    def run(self) -> Outcome:
        """Rounds until nothing moves any more."""
        for _ in range(ROUNDS):
            again, self.reopened = self.reopened, set()
            for kind in self.order:
                self._settle(kind, kind.seq in again)
            if not self.reopened:
                return self._counted()
        raise RuntimeError(f"No decision after {ROUNDS} rounds about {sorted(self.outcome.people)[:20]}.")

    def meet(self, person: Person) -> None:
        """Take a person in, under every type that the person has a reason for or a row of."""
        self.outcome.people[person.seq] = person
        for type_seq in {claim.type_seq for claim in person.claims} | set(person.held) | set(person.stops):
            self.concerned.setdefault(type_seq, {})[person.seq] = person

    def row(self, person: Person, type_seq: int) -> Assignment | None:
        """The outcome as it stands."""
        key = (person.seq, type_seq)
        return self.outcome.changes[key] if key in self.outcome.changes else person.held.get(type_seq)

    def _settle(self, kind: Type, again: bool) -> None:
        """A-5 for one type: keep, release, give, let wait."""
        before = self.used[kind.seq]
        candidates = self._judge(kind, self.concerned.get(kind.seq, {}).values())
        left = kind.limit is not None and self.used[kind.seq] < max(before, self.counts.used.get(kind.seq, 0))
        moved = kind.seq in self.requoted
        self.requoted.discard(kind.seq)
        if moved or (self._free(kind) and (again or left or kind.seq in self.opened)):
            candidates += self._judge(kind, self._from_queue(kind))
        self._distribute(kind, candidates)
        if kind.yields:
            self._let_yield(kind)
        self.done.add(kind.seq)
        self.reserved.pop(kind.seq, None)

    def _judge(self, kind: Type, people: Iterable[Person]) -> list[Person]:
        """Settle whoever needs no new seat; those who do are handed back."""
        found = []
        for person in list(people):
            verdict = self.standing.verdict(kind, person)
            if isinstance(verdict, Candidate):
                found.append(person)
            elif verdict is not None and verdict.seated and self.rules.quotas:
                self._keep_under_quota(kind, person, verdict, found)
            else:
                self._put(kind, person, verdict)
        return found

    def _distribute(self, kind: Type, candidates: list[Person]) -> None:
        """Give what is free in order of seniority; who gets nothing waits, with the reason."""
        ahead = self.reserved.get(kind.seq, set())
        self.direct = self._direct_holders(kind)
        ranked = sorted(candidates, key=lambda one: (not self._is_first(one, kind, ahead), self._key(kind, one)))
        for person in ranked:
            obstacle = self._obstacle(kind, person, ahead)
            if obstacle is None:
                ahead.discard(person.seq)
                self._grant(kind, person)
            else:
                key = self._key(kind, person)
                self._put(kind, person, Assignment(facts.WAITING, obstacle, key[1], None, key))

    def _obstacle(self, kind: Type, person: Person, ahead: Container[int]) -> str | None:
        """Why there is no seat for this candidate now. The quota is asked first: a seat would not help who has none."""
        full = facts.NEEDS_APPROVAL if kind.approval else facts.CAP_REACHED
        if person.seq in ahead:
            return None
        if self.rules.quotas and self._by_quota(kind, person) is None:
            return facts.QUOTA
        if kind.limit is not None and self.used[kind.seq] + self._kept_back(kind, person) >= kind.limit:
            return full
        bundle = self._bundle(kind, person)
        return full if bundle and not all(self._has_room(self.types[seq], person) for seq in bundle) else None

    def _grant(self, kind: Type, person: Person) -> None:
        claim = self._by_quota(kind, person) if self.rules.quotas else None
        quota = claim.rule_seq if claim is not None and claim.rule_seq in self.rules.quotas else None
        key = self._key(kind, person)
        self._put(kind, person, Assignment(facts.ASSIGNED, None, self.now, None, key, quota, None, True))
        self.direct += bool(kind.reserve) and self._is_direct(person, kind.seq)
        self._grant_rest(kind, person)
        self._look_back(kind, person)

    def _grant_rest(self, kind: Type, person: Person) -> None:
        """The other types of a bundle come with it: at once where their turn is over, else first at their turn."""
        parts = self._obtainable(self._bundle(kind, person) or (), person)
        if not all(self._has_seat(self.types[seq], person) for seq in parts):
            return
        for seq in parts:
            if seq in self.done:
                self.reopened.add(seq)
            self.reserved.setdefault(seq, set()).add(person.seq)

    def _obtainable(self, bundle: Container[int], person: Person) -> list[int]:
        """The types of a bundle that only lack a seat; what requires one of them is obtained with it."""
        found: list[int] = []
        for kind in self.order:
            verdict = self.standing.verdict(kind, person) if kind.seq in bundle else None
            waits = isinstance(verdict, Assignment) and verdict.reason == facts.MISSING_PREREQUISITE
            if isinstance(verdict, Candidate) or (waits and not kind.requires.isdisjoint(found)):
                found.append(kind.seq)
        return found

    def _look_back(self, kind: Type, person: Person) -> None:
        """Types that had their turn and may have to be let go because of this grant get another one."""
        for claim in person.claims:
            other = self.types.get(claim.type_seq)
            if other is None or other.seq == kind.seq or other.seq not in self.done:
                continue
            if is_seated(self.row(person, other.seq)) and (
                (other.family is not None and other.family == kind.family) or claim.ending == facts.MIGRATING
            ):
                self.reopened.add(other.seq)

    def _let_yield(self, kind: Type) -> None:
        """A-6: while somebody waits, whose exit grace ends soonest lets go (E-3 at once)."""
        while (heir := self._longest_waiting(kind)) and (holder := self._next_to_yield(kind)):
            holder.yielded.add(kind.seq)
            self._put(kind, holder, None)
            self._distribute(kind, [heir])

    def _longest_waiting(self, kind: Type) -> Person | None:
        known = self.concerned.get(kind.seq, {}).values()
        waiting = sum(1 for one in known if is_waiting(one.held.get(kind.seq)))
        for person in self.queues.heads(kind.seq, waiting + 1, self.outcome.people):
            self.meet(person)
        found = [one for one in self.concerned.get(kind.seq, {}).values() if is_waiting(self.row(one, kind.seq))]
        full = [one for one in found if self._obstacle(kind, one, ()) in (facts.CAP_REACHED, facts.NEEDS_APPROVAL)]
        return min(full, key=lambda one: self._key(kind, one), default=None)

    def _next_to_yield(self, kind: Type) -> Person | None:
        known = self.concerned.get(kind.seq, {})
        for person in self.queues.graces(kind.seq, len(known) + 1, self.outcome.people):
            self.meet(person)
        graces = [
            (row.until, tuple(-part for part in (row.key[0], row.key[1].timestamp(), row.key[2])), one.seq)
            for one in self.concerned.get(kind.seq, {}).values()
            if (row := self.row(one, kind.seq)) and row.state == facts.GRACE and row.reason not in facts.DROPS
        ]
        return self.concerned[kind.seq][min(graces)[2]] if graces else None

    def _keep_under_quota(self, kind: Type, person: Person, kept: Assignment, found: list[Person]) -> None:
        """A-13: a seat stays attributed to a rule that still has quota, or to none; else its holder is a candidate."""
        mine = {one.rule_seq for one in self.standing.claims(kind.seq, person) if self._quota(one) is not None}
        if kept.state == facts.SUSPENDED or kept.quota_rule in mine:
            self._put(kind, person, kept)
            return
        claim = self._by_quota(kind, person, lingering=True)
        if claim is None:
            self._put(kind, person, None)
            found += [person] if self._live(kind, person) else []
            return
        quota = claim.rule_seq if self._quota(claim) is not None else None
        self._put(kind, person, replace(kept, quota_rule=quota))

    def _by_quota(self, kind: Type, person: Person, lingering: bool = False) -> Claim | None:
        """The best claim whose rule has quota left."""
        mine = [one for one in self.standing.claims(kind.seq, person) if one.until is None or lingering]
        row = self.row(person, kind.seq)
        counted = row.quota_rule if row is not None and row.seated else None
        for claim in sorted(mine, key=lambda one: (one.until is not None, one.key)):
            quota = self._quota(claim)
            if quota is None or claim.rule_seq == counted or self.by_quota.get(claim.rule_seq or 0, 0) < quota:
                return claim
        return None

    def _quota(self, claim: Claim) -> int | None:
        """The quota of a claim's rule; what it gave before it changed its type is not counted (E-25)."""
        counts = claim.rule_seq is not None and claim.ending != facts.MIGRATING
        return self.rules.quotas.get(claim.rule_seq or 0) if counts else None

    def _kept_back(self, kind: Type, person: Person) -> int:
        """Seats that are free and yet not for this person: reserved for direct grants (D-5), or for a bundle."""
        promised = len(self.reserved.get(kind.seq, ()))
        if not kind.reserve or self._is_direct(person, kind.seq):
            return promised
        return promised + max(0, kind.reserve - self.direct)

    def _direct_holders(self, kind: Type) -> int:
        """How many hold the type by a direct claim; asked only where seats are reserved for them."""
        if not kind.reserve:
            return 0
        elsewhere = self.counts.direct.get(kind.seq, frozenset()).difference(self.outcome.people)
        here = [one for one in self.concerned.get(kind.seq, {}).values() if self._is_direct(one, kind.seq)]
        return len(elsewhere) + sum(1 for one in here if is_seated(self.row(one, kind.seq)))

    def _bundle(self, kind: Type, person: Person) -> frozenset[int] | None:
        """The other types that must come with this one; None where there are none to wait for (A-9)."""
        return self.standing.together(kind.seq, person, self.rules) if kind.seq in self.bundled else None

    def _has_room(self, kind: Type, person: Person) -> bool:
        """Whether a type of a bundle has a seat for this person, those before the person counted."""
        return self._is_settled(person, kind.seq) or self._has_seat(kind, person)

    def _has_seat(self, kind: Type, person: Person) -> bool:
        promised = self.reserved.get(kind.seq, set())
        if kind.limit is None or person.seq in promised:
            return True
        if kind.seq not in self.done:
            self._from_queue(kind)
        taken = self.used[kind.seq] + len(promised)
        return taken + (0 if kind.seq in self.done else self._seniors(kind, person)) < kind.limit

    def _seniors(self, kind: Type, person: Person) -> int:
        """How many who could take a seat come before this person in a type that has not had its turn."""
        mine = self._key(kind, person)
        others = [one for one in self.concerned.get(kind.seq, {}).values() if one.seq != person.seq]
        waiting = [one for one in others if isinstance(self.standing.verdict(kind, one), Candidate)]
        if self.rules.quotas:
            waiting = [one for one in waiting if self._by_quota(kind, one) is not None]
        return sum(1 for one in waiting if (found := self._live(kind, one)) and seniority(found) < mine)

    def _live(self, kind: Type, person: Person) -> list[Claim]:
        return self.standing.live(kind.seq, person)

    def _from_queue(self, kind: Type) -> list[Person]:
        """The first of the queue, as many as there are seats; all of it where some of them may not take one."""
        known = self.outcome.people
        waiting = sum(1 for one in self.concerned.get(kind.seq, {}).values() if is_waiting(one.held.get(kind.seq)))
        everybody = bool(self.rules.quotas) or kind.seq in self.bundled or kind.reserve > 0
        count = EVERYBODY if everybody else self._free(kind) + waiting
        found = list(self.queues.heads(kind.seq, count, known))
        for person in found:
            self.meet(person)
        return found

    def _free(self, kind: Type) -> int:
        return EVERYBODY if kind.limit is None else max(0, kind.limit - self.used[kind.seq])

    def _key(self, kind: Type, person: Person) -> facts.Key:
        return seniority(self.standing.claims(kind.seq, person))

    def _is_first(self, person: Person, kind: Type, ahead: Container[int]) -> bool:
        return person.seq in ahead or (person.seq, kind.seq) in self.first

    def _is_direct(self, person: Person, type_seq: int) -> bool:
        return any(one.source == "direct" and one.until is None for one in self.standing.claims(type_seq, person))

    def _is_settled(self, person: Person, type_seq: int) -> bool:
        row = self.row(person, type_seq)
        return row is not None and (row.seated or row.state == facts.COVERED)

    def _put(self, kind: Type, person: Person, wanted: Assignment | None) -> None:
        """Note an outcome, and count what it takes or frees."""
        current = self.row(person, kind.seq)
        if wanted == current:
            return
        key = (person.seq, kind.seq)
        self.used[kind.seq] += is_seated(wanted) - is_seated(current)
        self._count_quota(current, -1)
        self._count_quota(wanted, 1)
        self._note_quota(kind, current, wanted)
        if wanted == person.held.get(kind.seq):
            self.outcome.changes.pop(key, None)
        else:
            self.outcome.changes[key] = wanted
        self._reopen_after(kind, is_seated(current) and not is_seated(wanted))

    def _reopen_after(self, kind: Type, freed: bool) -> None:
        """Types get another turn: this one where a seat came free after its own, those of a bundle with it (A-9), and
        those of a family that is not decided in the order of the turns (A-7)."""
        others = set(self.bundled.get(kind.seq, ()))
        if kind.family is not None and kind.policy != facts.HIGHEST_RANK:
            others |= {one.seq for one in self.standing.families[kind.family] if one.seq in self.done}
        self.reopened |= others - {kind.seq}
        if freed and kind.seq in self.done:
            self.reopened.add(kind.seq)

    def _count_quota(self, row: Assignment | None, step: int) -> None:
        if row is not None and row.seated and row.quota_rule is not None:
            self.by_quota[row.quota_rule] = self.by_quota.get(row.quota_rule, 0) + step

    def _note_quota(self, kind: Type, current: Assignment | None, wanted: Assignment | None) -> None:
        """A seat that stays and counts against another quota: whoever waits for a quota of the type is looked at."""
        if current is None or wanted is None or not (current.seated and wanted.seated):
            return
        if current.quota_rule != wanted.quota_rule:
            self.requoted.add(kind.seq)
            if kind.seq in self.done:
                self.reopened.add(kind.seq)

    def _counted(self) -> Outcome:
        self.outcome.consuming = {seq: used for seq, used in self.used.items() if used != self.counts.used.get(seq, 0)}
        return self.outcome
