"""What holds for one person and one type before any seat is counted: a chain of questions, the first answer counts.

The chain is the table of licensing.md 4.2 read from the top: suspended, absent, without a reason, blocked or covered by
another type, kept. Whoever passes all of it is a candidate for a seat. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scim_service.licensing import facts
from scim_service.licensing.facts import Assignment, Claim, Key, Person, Rules, Stop, Type, is_seated
from scim_service.licensing.order import seniority

Row = Callable[[Person, int], Assignment | None]
"""(person, type) → the outcome as it stands in this resolution."""


class Candidate:
    """Somebody who needs a new seat."""


CANDIDATE = Candidate()
Verdict = Assignment | Candidate | None
"""None: released."""


@dataclass
class Standing:
    """Answers the questions for the types of a tenant; `row` tells what this resolution has decided so far."""

    types: Mapping[int, Type]
    families: Mapping[str, Sequence[Type]]
    row: Row
    now: datetime

    def verdict(self, kind: Type, person: Person) -> Verdict:
        """What becomes of this person and type without a new seat, or CANDIDATE."""
        row, claims = self.row(person, kind.seq), self.claims(kind.seq, person)
        stop = person.stops.get(kind.seq)
        if stop is not None:
            return self._suspended(kind, person, row, stop, claims)
        if not person.present:
            return self._absent(kind, person, row)
        if not claims:
            return self._without_reason(kind, person, row)
        live = any(claim.until is None for claim in claims)
        covered = self.covering(kind, person)
        if covered:
            return self._still(row, facts.COVERED, covered[0], claims) if live else None
        blocked = self._blocked(kind, person, claims)
        if blocked:
            return self._still(row, facts.BLOCKED, blocked, claims) if live else None
        if row is not None and row.seated and kind.seq not in person.evicted:
            return kept(row, claims)
        return self._newcomer(kind, row, claims) if live else None

    def claims(self, type_seq: int, person: Person) -> list[Claim]:
        """The claims that count now: of a present person, not held back, not migrated away from (E-25)."""
        if not person.present:
            return []
        mine = [one for one in person.claims if one.type_seq == type_seq and one.held_back is None]
        if type_seq in person.yielded:
            mine = [one for one in mine if one.until is None]
        return [one for one in mine if not (one.ending == facts.MIGRATING and self._arrived(person, one))]

    def live(self, type_seq: int, person: Person) -> list[Claim]:
        """Those of them that do not linger."""
        return [one for one in self.claims(type_seq, person) if one.until is None]

    def together(self, type_seq: int, person: Person, rules: Rules) -> frozenset[int] | None:
        """The other types that must come with this one; None where a reason of the person's stands alone (A-9).

        A type of the bundle that its rule does not give to this person now is not waited for.
        """
        bundles = [rules.bundles.get(one.rule_seq or 0) for one in self.live(type_seq, person)]
        if not bundles or None in bundles or bundles[0] is None:
            return None
        claims = [claim for seq in bundles[0] for claim in self.live(seq, person)]
        given = {one.type_seq for one in claims if rules.bundles.get(one.rule_seq or 0) == bundles[0]}
        return (bundles[0] & given) - {type_seq}

    def better(self, kind: Type, person: Person) -> list[Type]:
        """The types of the family that the person would rather have, by the policy of the family (A-7)."""
        if kind.family is None or kind.policy == facts.MANUAL:
            return []
        others = [one for one in self.families[kind.family] if one.seq != kind.seq]
        if kind.policy == facts.RULE_PRIORITY:
            mine = self.claims(kind.seq, person)
            return [one for one in others if (theirs := self.claims(one.seq, person)) and _precedes(theirs, mine)]
        return [one for one in others if (-one.rank, one.code) < (-kind.rank, kind.code)]

    def _suspended(
        self, kind: Type, person: Person, row: Assignment | None, stop: Stop, claims: Sequence[Claim]
    ) -> Verdict:
        """E-12, E-27: not effective; the seat is kept while there is a reason for it, or while it is parked.

        It is not kept where it would not be if the license were not suspended: beside a better type, or blocked.
        """
        parked = stop.by == facts.MASS_CHANGE or self._may_keep(kind, person, claims)
        keeps = stop.holds and is_seated(row) and parked and kind.seq not in person.evicted
        if not keeps and stop.by == facts.MASS_CHANGE:
            return self._absent(kind, person, None) if not person.present else None
        since = row.since if row is not None else self.now
        quota = row.quota_rule if row is not None and keeps else None
        mine = claims or [one for one in person.claims if one.type_seq == kind.seq]
        key, held = _asleep(mine, since), replace(stop, holds=keeps)
        return Assignment(facts.SUSPENDED, stop.by, since, stop.until, key, quota, held, keeps)

    def _may_keep(self, kind: Type, person: Person, claims: Sequence[Claim]) -> bool:
        """Whether there is a reason to hold the seat, and no other type stands against that (A-7, A-9, A-10)."""
        if not person.present:
            return person.keeps and not person.banned and any(one.type_seq == kind.seq for one in person.claims)
        return bool(claims) and not self.covering(kind, person) and not self._blocked(kind, person, claims)

    def _absent(self, kind: Type, person: Person, row: Assignment | None) -> Verdict:
        """Inactive or banned: claims sleep; the seat goes, unless the tenant keeps the seats of inactive people."""
        mine = [one for one in person.claims if one.type_seq == kind.seq]
        if person.banned:
            return self._still(row, facts.BLOCKED, facts.BANNED, mine) if mine else None
        if person.keeps and mine and row is not None and row.seated and kind.seq not in person.evicted:
            key = _asleep(mine, row.since)
            return replace(row, state=facts.SUSPENDED, reason=facts.INACTIVE, until=None, key=key, seated=True)
        return None

    def _without_reason(self, kind: Type, person: Person, row: Assignment | None) -> Verdict:
        back = [one for one in person.claims if one.type_seq == kind.seq and one.held_back and one.until is None]
        return self._still(row, facts.BLOCKED, str(back[0].held_back), back) if back else None

    def covering(self, kind: Type, person: Person) -> tuple[str, Type] | None:
        """Which other type of the family stands before this one, and why."""
        if kind.family is None:
            return None
        pins = [one.type_seq for one in person.claims if one.pinned and self._is_of(one, kind.family)]
        if pins and kind.seq not in pins and person.present:
            return facts.PINNED, self.types[pins[0]]
        for other in self.better(kind, person):
            row = self.row(person, other.seq)
            if is_seated(row) and not self._only_migrating(person, other.seq):
                return facts.BETTER_TYPE_HELD, other
            if row is not None and row.state == facts.WAITING and not other.fallback:
                return facts.BETTER_TYPE_AWAITED, other
        return None

    def conflicting(self, kind: Type, person: Person, claims: Sequence[Claim]) -> list[Type]:
        """The types that the person must not have this one beside, and has or wants before it (A-7 manual, A-10)."""
        found = []
        if kind.family is not None and kind.policy == facts.MANUAL and not is_seated(self.row(person, kind.seq)):
            others = [one for one in self.families[kind.family] if one.seq != kind.seq]
            found = [one for one in others if self._is_live(one.seq, person) or is_seated(self.row(person, one.seq))]
        excluded = (self.types[seq] for seq in sorted(kind.excludes) if seq in self.types)
        return [*found, *(one for one in excluded if self._yields_to(kind, one, person, claims))]

    def _blocked(self, kind: Type, person: Person, claims: Sequence[Claim]) -> str | None:
        """Why the person must not have it, whatever seats there are (A-7 manual, A-9, A-10)."""
        if self.conflicting(kind, person, claims):
            return facts.CONFLICT
        effective = {seq for seq in kind.requires if self._is_effective(person, seq)}
        return facts.MISSING_PREREQUISITE if kind.requires and not effective else None

    def _yields_to(self, kind: Type, other: Type, person: Person, claims: Sequence[Claim]) -> bool:
        """A-10: the greater rank wins where it is held; of equal ranks the more senior reason, held or not."""
        theirs = self.claims(other.seq, person)
        if not theirs:
            return False
        if kind.rank != other.rank:
            return other.rank > kind.rank and is_seated(self.row(person, other.seq))
        return _precedes(theirs, claims)

    def _newcomer(self, kind: Type, row: Assignment | None, claims: Sequence[Claim]) -> Verdict:
        if kind.retired:
            return self._still(row, facts.BLOCKED, facts.RETIRED, claims)
        if kind.inactive:
            was_here = row is not None and (row.seated or row.state == facts.EXPIRED)
            state, reason = (
                (facts.EXPIRED, facts.CONTRACT_END) if was_here else (facts.BLOCKED, facts.CONTRACT_INACTIVE)
            )
            return self._still(row, state, reason, claims)
        return CANDIDATE

    def _still(self, row: Assignment | None, state: str, reason: str, claims: Sequence[Claim]) -> Assignment:
        """Without a seat, in a state that began when it began."""
        same = row is not None and (row.state, row.reason) == (state, reason)
        since = row.since if row is not None and same else self.now
        return Assignment(state, reason, since, None, seniority(claims))

    def _arrived(self, person: Person, claim: Claim) -> bool:
        """Whether the claim that takes this one's place has its seat."""
        heirs = [one for one in person.claims if facts.takes_place_of(self.types, one, claim)]
        return any(self._is_effective(person, one.type_seq) for one in heirs)

    def _only_migrating(self, person: Person, type_seq: int) -> bool:
        mine = self.claims(type_seq, person)
        return bool(mine) and all(one.ending == facts.MIGRATING for one in mine)

    def _is_of(self, claim: Claim, family: str) -> bool:
        kind = self.types.get(claim.type_seq)
        return kind is not None and kind.family == family and claim.until is None and claim.held_back is None

    def _is_effective(self, person: Person, type_seq: int) -> bool:
        row = self.row(person, type_seq)
        return row is not None and row.state in facts.EFFECTIVE

    def _is_live(self, type_seq: int, person: Person) -> bool:
        return bool(self.live(type_seq, person))


def kept(row: Assignment, claims: Sequence[Claim]) -> Assignment:
    """A seat that stays: assigned while a reason is live, else in grace until the last one lapses (E-3).

    Who is in the surplus of a capacity drop stays so; `drops.py` says who is.
    """
    key = seniority(claims)
    surplus = row.until if row.state == facts.GRACE and row.reason in facts.DROPS else None
    if any(claim.until is None for claim in claims):
        state, reason = (facts.GRACE, row.reason) if surplus else (facts.ASSIGNED, None)
        return Assignment(state, reason, row.since, surplus, key, row.quota_rule, None, True)
    last = max(claims, key=lambda claim: (claim.until, claim.rank_seq))
    if surplus is not None and last.until is not None and surplus <= last.until:
        return Assignment(facts.GRACE, row.reason, row.since, surplus, key, row.quota_rule, None, True)
    return Assignment(facts.GRACE, last.ending, row.since, last.until, key, row.quota_rule, None, True)


def _asleep(claims: Sequence[Claim], since: datetime) -> Key:
    """The place of a suspended license among the holders: by its reasons, also while they sleep or are held back."""
    found = [one for one in claims if one.held_back is None] or claims
    return seniority(found) if found else (0, since, 0)


def families_of(types: Iterable[Type]) -> dict[str, list[Type]]:
    """The types of each family, in the given order."""
    found: dict[str, list[Type]] = {}
    for kind in types:
        if kind.family is not None:
            found.setdefault(kind.family, []).append(kind)
    return found


def _precedes(first: Sequence[Claim], second: Sequence[Claim]) -> bool:
    return seniority(first) < seniority(second)
