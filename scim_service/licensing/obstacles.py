"""What stands between a person and a license, by name: the type in conflict, the filter that is not met, the quota that
is used up, who suspended it, until when (licensing.md A-11, I-8).

A table from the reason of an outcome to what is known about it; and the rules that reach a person and give nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import assignments, facts, given
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment, Claim, Person
from scim_service.licensing.gate import Gate
from scim_service.licensing.order import seniority
from scim_service.licensing.paths import Ways, name_of
from scim_service.licensing.rule_rows import Rule
from scim_service.licensing.standing import Standing
from scim_service.protocol import filters
from scim_service.storage import tables

NO_REASON = "no_reason"
EXCLUDED, RULE_DISABLED, RULE_OVER = "excluded", "rule_disabled", "rule_over"
"""Why there is no claim, although the person is in the group of a rule; a filter that is not met is `filter`."""

_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_accounts = tables.directory.accounts
_exclusions = tables.licensing.rule_exclusions
_contracts = tables.licensing.contracts
_BAN = sa.select(_accounts.c.ban_reason, _accounts.c.banned_at).where(
    _accounts.c.tenant_id == _TENANT, _accounts.c.user_seq == sa.bindparam("which")
)
_EXCLUDED = sa.select(_exclusions.c.rule_seq).where(
    _exclusions.c.tenant_id == _TENANT, _exclusions.c.user_seq == sa.bindparam("which")
)
_NUMBERS = sa.select(_contracts.c.seq, _contracts.c.number).where(_contracts.c.tenant_id == _TENANT)


@dataclass(frozen=True)
class Fact:
    """One thing that decides against a person: `kind` is the reason it explains, the rest whom or what it names."""

    kind: str
    types: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    filter: str | None = None
    at: datetime | None = None
    by: str | None = None
    text: str | None = None
    used: int | None = None
    limit: int | None = None


@dataclass
class Looked:
    """All that was read about one person: the gate as it stands, the person, the rules and how they reach them."""

    gate: Gate
    person: Person
    standing: Standing
    rules: Sequence[Rule]
    ways: Ways
    by_seq: Mapping[int, Rule] = field(init=False)

    def __post_init__(self) -> None:
        self.by_seq = {rule.seq: rule for rule in self.rules}

    def rule(self, seq: int | None) -> Rule | None:
        """The rule with this seq, if there still is one."""
        return self.by_seq.get(seq) if seq is not None else None

    def together(self, type_seq: int) -> frozenset[int]:
        """The other types that must come with this one for the person to get it (A-9)."""
        return self.standing.together(type_seq, self.person, self.gate.rules) or frozenset()

    def codes(self, seqs: Sequence[int]) -> tuple[str, ...]:
        """The codes of types, in the given order."""
        return tuple(self.gate.types[seq].code for seq in seqs)


@dataclass(frozen=True)
class _Asked:
    """One type of one person, with what was decided."""

    looked: Looked
    kind: LicenseType
    row: Assignment | None
    claims: Sequence[Claim]

    @property
    def counting(self) -> list[Claim]:
        return self.looked.standing.claims(self.kind.seq, self.looked.person)


def of_reason(
    looked: Looked, kind: LicenseType, row: Assignment | None, claims: Sequence[Claim], reason: str | None
) -> Fact | None:
    """What is known about the reason of an outcome."""
    found = _BY_REASON.get(str(reason))
    return found(_Asked(looked, kind, row, claims)) if found is not None else None


def idle_rules(looked: Looked, kind: LicenseType, claims: Sequence[Claim]) -> list[Fact]:
    """The rules that reach the person and give no live claim to the type, in their order, each with why."""
    known = {one.rule_seq for one in claims if one.until is None}
    idle = [
        rule
        for rule in looked.rules
        if rule.type_code == kind.code and rule.seq in looked.ways.reached and rule.seq not in known
    ]
    if not idle:
        return []
    work = looked.gate.work
    excluded = {row.rule_seq for row in work.rows(_EXCLUDED, which=looked.person.seq)}
    document = given.documents(work, [looked.person.seq]).get(looked.person.seq, {})
    found = [_idle(looked, rule, rule.seq in excluded, document) for rule in idle]
    return [one for one in found if one is not None]


def _idle(looked: Looked, rule: Rule, excluded: bool, document: Mapping[str, Any]) -> Fact | None:
    terms, name = rule.terms, (name_of(rule),)
    if not terms.enabled:
        return Fact(RULE_DISABLED, rules=name)
    if terms.valid_to is not None and terms.valid_to <= looked.gate.now:
        return Fact(RULE_OVER, rules=name, at=terms.valid_to)
    if excluded:
        return Fact(EXCLUDED, rules=name)
    if terms.filter is not None and not filters.match(given.parsed(terms.filter), document):
        return Fact(facts.FILTER, rules=name, filter=terms.filter)
    return None


def _full(asked: _Asked) -> Fact:
    """No seat: because all are used, because the rest is reserved, or because a bundle is given whole (A-9)."""
    kind = asked.looked.gate.types[asked.kind.seq]
    used, limit = asked.looked.gate.consuming[kind.seq], kind.limit
    reason = asked.row.reason if asked.row else facts.CAP_REACHED
    if limit is None or used + reserved(asked.looked, kind.seq) < limit:
        return Fact(str(reason), types=asked.looked.codes(_missing_of_bundle(asked)), used=used, limit=limit)
    return Fact(str(reason), used=used, limit=limit)


def reserved(looked: Looked, type_seq: int) -> int:
    """How many seats are kept from this person for direct grants (D-5)."""
    kind = looked.gate.types[type_seq]
    is_direct = any(
        one.source == "direct" and one.until is None for one in looked.standing.claims(kind.seq, looked.person)
    )
    if not kind.reserve or is_direct:
        return 0
    return max(0, kind.reserve - len(assignments.direct_holders(looked.gate.work, type_seq)))


def _missing_of_bundle(asked: _Asked) -> list[int]:
    """The types of the person's bundle that have no seat left; all others of them where the seats go to seniors."""
    looked = asked.looked
    others = looked.together(asked.kind.seq)
    kinds = sorted((looked.gate.types[seq] for seq in others), key=lambda one: one.code)
    full = [one.seq for one in kinds if one.limit is not None and looked.gate.consuming[one.seq] >= one.limit]
    return full or [one.seq for one in kinds]


def _quota(asked: _Asked) -> Fact:
    """The best claim's rule whose quota is used up (A-13)."""
    quotas = asked.looked.gate.rules.quotas
    mine = sorted((one for one in asked.counting if one.rule_seq in quotas), key=lambda one: one.key)
    if not mine:
        return Fact(facts.QUOTA)
    seq = int(mine[0].rule_seq or 0)
    used = assignments.by_quota(asked.looked.gate.work, [asked.kind.seq]).get(seq, 0)
    return Fact(facts.QUOTA, rules=(name_of(asked.looked.rule(seq)),), used=used, limit=quotas[seq])


def _conflict(asked: _Asked) -> Fact:
    looked = asked.looked
    kind = looked.gate.types[asked.kind.seq]
    found = looked.standing.conflicting(kind, looked.person, asked.counting)
    return Fact(facts.CONFLICT, types=tuple(one.code for one in found))


def _prerequisite(asked: _Asked) -> Fact:
    required = asked.looked.gate.types[asked.kind.seq].requires
    return Fact(facts.MISSING_PREREQUISITE, types=tuple(sorted(asked.looked.codes(sorted(required)))))


def _covering(asked: _Asked) -> Fact | None:
    found = asked.looked.standing.covering(asked.looked.gate.types[asked.kind.seq], asked.looked.person)
    return Fact(found[0], types=(found[1].code,)) if found else None


def _held_back(reason: str) -> Callable[[_Asked], Fact | None]:
    def fact(asked: _Asked) -> Fact | None:
        mine = sorted((one for one in asked.claims if one.held_back == reason), key=seniority_of)
        rule = asked.looked.rule(mine[0].rule_seq) if mine else None
        if rule is None:
            return None
        at = rule.terms.valid_from if reason == facts.NOT_YET_VALID else None
        return Fact(reason, rules=(name_of(rule),), filter=rule.terms.filter, at=at)

    return fact


def seniority_of(claim: Claim) -> facts.Key:
    """The key of one claim."""
    return seniority([claim])


def _banned(asked: _Asked) -> Fact:
    row = asked.looked.gate.work.row(_BAN, which=asked.looked.person.seq)
    return Fact(facts.BANNED, at=row.banned_at, text=row.ban_reason) if row else Fact(facts.BANNED)


def _suspended(asked: _Asked) -> Fact:
    """By whom, and when: the event says it."""
    reason = str(asked.row.reason if asked.row else "")
    told = audit.about(asked.looked.gate.work, asked.looked.person.id)
    mine = [one for one in told if one.action == "license:suspended" and one.data["type"] == asked.kind.code]
    begun = [one for one in mine if one.data["from"] != facts.SUSPENDED] or mine
    return Fact(reason, at=begun[-1].at, by=begun[-1].actor) if begun else Fact(reason)


def _contract(reason: str) -> Callable[[_Asked], Fact]:
    """The contracts of the type that are over, the last to end named, and since when (E-18)."""

    def fact(asked: _Asked) -> Fact:
        opened = asked.looked.gate
        over = [one for one in opened.lines if one.type_seq == asked.kind.seq and one.is_over(opened.now)]
        last = max((one.ends for one in over if one.ends is not None), default=None)
        called = {row.seq: row.number for row in opened.work.rows(_NUMBERS)}
        found = sorted({called[one.contract_seq] for one in over if one.ends == last})
        limit = opened.types[asked.kind.seq].limit
        return Fact(reason, contracts=tuple(found), at=last, used=opened.consuming[asked.kind.seq], limit=limit)

    return fact


def _rules_of_claims(reason: str) -> Callable[[_Asked], Fact]:
    def fact(asked: _Asked) -> Fact:
        mine = [one for one in asked.claims if one.ending == reason]
        return Fact(reason, rules=tuple(dict.fromkeys(name_of(asked.looked.rule(one.rule_seq)) for one in mine)))

    return fact


def _migrating(asked: _Asked) -> Fact:
    """The types that take this one's place (E-25)."""
    known, going = asked.looked.gate.types, [one for one in asked.claims if one.ending == facts.MIGRATING]
    mine = asked.looked.person.claims
    heirs = [one for one in mine if any(facts.takes_place_of(known, one, claim) for claim in going)]
    return Fact(facts.MIGRATING, types=asked.looked.codes([one.type_seq for one in heirs]))


_BY_REASON: dict[str, Callable[[_Asked], Fact | None]] = {
    facts.CAP_REACHED: _full,
    facts.NEEDS_APPROVAL: _full,
    facts.QUOTA: _quota,
    facts.CONFLICT: _conflict,
    facts.MISSING_PREREQUISITE: _prerequisite,
    facts.BETTER_TYPE_HELD: _covering,
    facts.BETTER_TYPE_AWAITED: _covering,
    facts.PINNED: _covering,
    facts.FILTER: _held_back(facts.FILTER),
    facts.NOT_YET_VALID: _held_back(facts.NOT_YET_VALID),
    facts.BANNED: _banned,
    facts.ADMINISTRATOR: _suspended,
    facts.MASS_CHANGE: _suspended,
    facts.LEFT_GROUP: _rules_of_claims(facts.LEFT_GROUP),
    facts.RULE_REMOVED: _rules_of_claims(facts.RULE_REMOVED),
    facts.MIGRATING: _migrating,
    facts.CAP_DECREASE: _contract(facts.CAP_DECREASE),
    facts.CONTRACT_END: _contract(facts.CONTRACT_END),
    facts.LINE_END: _contract(facts.LINE_END),
    facts.CONTRACT_INACTIVE: _contract(facts.CONTRACT_INACTIVE),
}
