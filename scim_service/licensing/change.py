"""The smallest change that would alter what a person has of a type (licensing.md A-11): data; `words.py` has the words.

A change that gives is named for who has not, a change that takes away for who has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scim_service.licensing import catalog, facts, numbers
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Claim
from scim_service.licensing.numbers import Lack, Numbers
from scim_service.licensing.obstacles import EXCLUDED, NO_REASON, RULE_DISABLED, RULE_OVER, Fact, Looked
from scim_service.licensing.paths import EVERYBODY, REMOVED, name_of
from scim_service.licensing.rule_rows import BOUND

ACTIVATE, LIFT_BAN, RESUME, UNDO_HOLD = "activate_person", "lift_ban", "resume", "undo_hold"
JOIN, ASSIGN, ADD_ATTRIBUTE = "join_group", "assign", "add_attribute"
RAISE_CAP, APPROVE, RAISE_QUOTA, RENEW = "raise_cap", "approve_overage", "raise_quota", "renew_contract"
REJOIN, MEET_FILTER, INCLUDE, EXCLUDE = "rejoin_group", "meet_filter", "end_exclusion", "exclude"
ENABLE_RULE, EXTEND_RULE, BEGIN_RULE = "enable_rule", "extend_rule", "begin_rule"
GET_PREREQUISITE, GIVE_UP_OTHER, UNPIN = "get_prerequisite", "give_up_other", "unpin"
LEAVE, UNASSIGN, REMOVE_ATTRIBUTE, END_ALL = "leave_groups", "unassign", "remove_attribute", "end_all_reasons"
GIVE_UP_BETTER, CHOOSE_OTHER, AWAIT_OTHER = "give_up_better", "choose_other_type", "await_other"
KINDS = (
    *(ACTIVATE, LIFT_BAN, RESUME, UNDO_HOLD, JOIN, ASSIGN, ADD_ATTRIBUTE, RAISE_CAP, APPROVE, RAISE_QUOTA, RENEW),
    *(
        REJOIN,
        MEET_FILTER,
        INCLUDE,
        EXCLUDE,
        ENABLE_RULE,
        EXTEND_RULE,
        BEGIN_RULE,
        GET_PREREQUISITE,
        GIVE_UP_OTHER,
        UNPIN,
    ),
    *(LEAVE, UNASSIGN, REMOVE_ATTRIBUTE, END_ALL, GIVE_UP_BETTER, CHOOSE_OTHER, AWAIT_OTHER),
)
"""Every kind of change; each has its words in each language."""


@dataclass(frozen=True)
class Change:
    """What to do: `kind`, whom or what it is about by name, and how many seats (or places of a quota) it takes.

    `groups` are those of the rules concerned, `types` by code. `besides` are seats of other types that it takes too,
    because they come together (A-9).
    """

    kind: str
    groups: tuple[str, ...] = ()
    seats: int | None = None
    types: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    filter: str | None = None
    besides: tuple[Lack, ...] = ()


@dataclass(frozen=True)
class Case:
    """What is known of one person and type when the smallest change is looked for."""

    state: str
    reason: str | None
    kind: LicenseType
    looked: Looked
    claims: Sequence[Claim]
    numbers: Numbers
    found: Sequence[Fact]

    @property
    def missing(self) -> int | None:
        """The seats that it takes besides; None for none."""
        return self.numbers.missing or None

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the rules that the claims come from."""
        mine = [self.looked.rule(one.rule_seq) for one in self.claims if one.rule_seq is not None]
        return tuple(dict.fromkeys(name for rule in mine if (name := name_of(rule)) != REMOVED))

    @property
    def named(self) -> Fact:
        """The fact of the reason."""
        return next((one for one in self.found if one.kind == self.reason), Fact(str(self.reason)))


def smallest(case: Case) -> Change:
    """The smallest change for one person and type."""
    person = case.looked.person
    if case.claims and person.banned:
        return Change(LIFT_BAN)
    if case.claims and not person.active:
        return Change(ACTIVATE)
    found = _BY_REASON.get(str(case.reason))
    if found is not None:
        return found(case)
    return _give(case) if not case.claims else _take_away(case)


def _give(case: Case) -> Change:
    """There is no reason: a group that has a rule, or a grant where the type may be granted (X-6)."""
    offered = _offered(case)
    if offered:
        groups, besides = min(offered, key=lambda one: sum(lack.seats for lack in one[1]))
        return Change(JOIN, groups, case.missing, besides=besides)
    if case.kind.authority == catalog.SCIM:
        return Change(ADD_ATTRIBUTE, seats=case.missing, types=(case.kind.code,))
    return Change(ASSIGN, seats=case.missing, types=(case.kind.code,))


def _offered(case: Case) -> list[tuple[tuple[str, ...], tuple[Lack, ...]]]:
    """Groups whose rule gives the type, together where they take the same seats of other types besides."""
    found: dict[tuple[Lack, ...], dict[str, None]] = {}
    for rule in case.looked.rules:
        over = rule.terms.valid_to is not None and rule.terms.valid_to <= case.looked.gate.now
        if rule.type_code == case.kind.code and rule.state == BOUND and rule.terms.enabled and not over:
            others = case.looked.gate.rules.bundles.get(rule.seq, frozenset()) - {case.kind.seq}
            found.setdefault(numbers.lacking_of_bundle(case.looked, others), {})[name_of(rule)] = None
    return [(tuple(groups), besides) for besides, groups in found.items()]


def _take_away(case: Case) -> Change:
    """It is held: what would end it, which is every reason that is live."""
    live = [one for one in case.claims if one.until is None]
    kinds = {"group" if one.source.startswith("rule:") else one.source for one in live}
    code = (case.kind.code,)
    if kinds == {"group"} and EVERYBODY not in case.groups:
        return Change(LEAVE, case.groups)
    if kinds == {"group"} and case.groups == (EVERYBODY,):
        return Change(EXCLUDE, case.groups)
    if kinds == {"direct"} or kinds == {"request"}:
        return Change(UNASSIGN, types=code)
    return Change(REMOVE_ATTRIBUTE, types=code) if kinds == {"scim"} else Change(END_ALL, case.groups, types=code)


def _regain(case: Case) -> Change:
    """In grace because a reason is gone: the person left the group, or is in it and gets nothing any more."""
    idle = next((one for one in case.found if one.kind in _IDLE), None)
    if idle is not None:
        return Change(_IDLE[idle.kind], idle.rules, filter=idle.filter)
    return Change(REJOIN, case.groups) if case.groups and case.reason == facts.LEFT_GROUP else _give_by_hand(case)


def _give_by_hand(case: Case) -> Change:
    by_hand = case.kind.authority in (catalog.ANY, catalog.CONSOLE) and case.kind.options.assignable
    return Change(ASSIGN, types=(case.kind.code,)) if by_hand else _give(case)


def _seats(kind: str) -> Callable[[Case], Change]:
    """More seats of the type, and of those of its bundle that have too few."""

    def change(case: Case) -> Change:
        lacks = _lacks(case)
        types = {one.code: one for one in case.looked.gate.types.values()}
        above = all(types[one.type].approval for one in lacks)
        first, *rest = lacks
        return Change(kind if above else RAISE_CAP, seats=first.seats, types=(first.type,), besides=tuple(rest))

    return change


def _lacks(case: Case) -> list[Lack]:
    """The seats that are missing, at least one: where seniors take what is free, the types that are named lack it."""
    mine = [Lack(case.kind.code, case.numbers.missing)] if case.missing else []
    others = case.looked.together(case.kind.seq) if case.state == facts.WAITING else ()
    found = [*mine, *numbers.lacking_of_bundle(case.looked, others)]
    return found or [Lack(code, 1) for code in case.named.types or (case.kind.code,)]


def _of_rule(kind: str) -> Callable[[Case], Change]:
    return lambda case: Change(kind, case.named.rules, filter=case.named.filter)


def _of_types(kind: str) -> Callable[[Case], Change]:
    return lambda case: Change(kind, types=case.named.types)


def _of_contract(case: Case) -> Change:
    """Renew what is over; where seats lack only, buy them."""
    missing = max(1, case.numbers.missing)
    if case.named.contracts:
        return Change(RENEW, seats=missing, types=(case.kind.code,), contracts=case.named.contracts)
    return Change(RAISE_CAP, seats=missing, types=(case.kind.code,))


def _quota(case: Case) -> Change:
    return Change(RAISE_QUOTA, case.named.rules, seats=max(1, case.numbers.missing))


_IDLE = {
    facts.FILTER: MEET_FILTER,
    EXCLUDED: INCLUDE,
    RULE_DISABLED: ENABLE_RULE,
    RULE_OVER: EXTEND_RULE,
}
"""What makes a rule give that reaches the person and gives nothing."""

_BY_REASON: dict[str, Callable[[Case], Change]] = {
    facts.CAP_REACHED: _seats(RAISE_CAP),
    facts.NEEDS_APPROVAL: _seats(APPROVE),
    facts.QUOTA: _quota,
    facts.CAP_DECREASE: _seats(RAISE_CAP),
    facts.LINE_END: _of_contract,
    facts.CONTRACT_END: _of_contract,
    facts.CONTRACT_INACTIVE: _of_contract,
    facts.LEFT_GROUP: _regain,
    facts.RULE_REMOVED: _give_by_hand,
    facts.VALUE_REMOVED: lambda case: Change(ADD_ATTRIBUTE, types=(case.kind.code,)),
    facts.AUTHORITY: _give,
    facts.MIGRATING: _of_types(AWAIT_OTHER),
    facts.ADMINISTRATOR: lambda case: Change(RESUME, types=(case.kind.code,)),
    facts.MASS_CHANGE: lambda case: Change(UNDO_HOLD, types=(case.kind.code,)),
    facts.CONFLICT: _of_types(GIVE_UP_OTHER),
    facts.MISSING_PREREQUISITE: _of_types(GET_PREREQUISITE),
    facts.BETTER_TYPE_HELD: _of_types(GIVE_UP_BETTER),
    facts.BETTER_TYPE_AWAITED: _of_types(AWAIT_OTHER),
    facts.PINNED: _of_types(UNPIN),
    facts.NOT_YET_VALID: _of_rule(BEGIN_RULE),
    facts.RETIRED: lambda case: Change(CHOOSE_OTHER, types=(case.kind.code,)),
    **{reason: _of_rule(kind) for reason, kind in _IDLE.items()},
    NO_REASON: _give,
}
