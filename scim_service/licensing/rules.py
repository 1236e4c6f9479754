"""Which groups give which license types (licensing.md D-7), and how a rule finds its group (decision 30).

A row is one group (or everyone) and one type; types that are given together or not at all share a `bundle` (A-9).

A rule is named for a group. It is `unbound` until there is one of that name, then `bound` to that very group, whatever
it is called later (E-5), and `orphaned` when that group is deleted: a new group of the same name is another group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from scim_service import audit, errors
from scim_service.access import names
from scim_service.licensing import assignments, catalog, claims, facts, gate, given, rule_rows, seats
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Person
from scim_service.licensing.gate import Gate
from scim_service.licensing.rule_rows import BOUND, ORPHANED, UNBOUND, Rule, Terms, exclusions, find, listing
from scim_service.protocol import text
from scim_service.storage import closure
from scim_service.storage.work import Work

__all__ = [
    "BOUND",
    "EVERYONE",
    "ORPHANED",
    "UNBOUND",
    "Rule",
    "Terms",
    "bind",
    "create",
    "delete",
    "exclusions",
    "find",
    "listing",
    "orphan",
    "relink",
    "update",
]

EVERYONE = ""
"""The name of no group: a rule for every person of the tenant."""
MIGRATION_GRACE = timedelta(days=30)


def create(
    work: Work,
    group_name: str,
    type_code: str,
    *more_codes: str,
    terms: Terms | None = None,
    atomic: bool = False,
    exclude: Iterable[str] = (),
    priority: int | None = None,
    exit_grace: timedelta | None = None,
) -> Rule:
    """Give everybody in a group, and in the groups inside it, a claim to a type, in the order of joining (E-7, A-3).

    `EVERYONE` as the name is everybody of the tenant. With `more_codes` one rule for each, `atomic`: together or not at
    all (A-9). `exclude` names people (userName) who get nothing. Answers the first rule. Raises NotFound for an unknown
    type or person, Uniqueness for a rule that is there already. A group that does not exist is no error: the rule waits
    for it, unbound.
    """
    found = terms or Terms(100 if priority is None else priority, exit_grace)
    closure.lock_nesting(work)
    kinds = [catalog.find_type(work, code) for code in (type_code, *more_codes)]
    _refuse(group_name, found, kinds, atomic)
    group_seq = rule_rows.first_group(work, group_name)
    if group_seq is None and group_name:
        names.check("The name of a group that is yet to come", group_name)
    seqs = [rule_rows.insert(work, group_name, kind, found) for kind in kinds]
    if atomic:
        rule_rows.tie(work, seqs)
    rule_rows.exclude(work, seqs, exclude)
    if group_seq is not None:
        _bind(work, seqs, group_seq)
    else:
        _apply(work, seqs, None)
    return rule_rows.rule_of(rule_rows.by_seq(work, seqs[0]))


def update(
    work: Work,
    group_name: str,
    type_code: str,
    *,
    exclude: Iterable[str] = (),
    include: Iterable[str] = (),
    to_type: str | None = None,
    migration_grace: timedelta = MIGRATION_GRACE,
    **changes: Any,
) -> Rule:
    """Change a rule's terms; everybody whom it concerns is looked at again (E-7, E-8, E-25).

    `to_type` gives another type from now on: each member keeps the old one for `migration_grace`, or until the new one
    has a seat. `exclude` and `include` name people who get nothing from it, or something again.
    """
    closure.lock_nesting(work)
    row = rule_rows.expect(work, group_name, type_code)
    before = rule_rows.rule_of(row)
    wanted = replace(before.terms, **changes)
    kind = catalog.find_type(work, to_type or type_code)
    _refuse(group_name, wanted, [kind], False)
    moves = kind.seq != row.type_seq
    if moves and rule_rows.by_name(work, row.group_name, kind.code) is not None:
        raise errors.Uniqueness(f"There is a rule already that gives {kind.code} to {group_name!r}.", code="taken")
    _lock_below(work, row)
    rule_rows.exclude(work, [row.seq], exclude)
    rule_rows.include(work, row.seq, include)
    rule_rows.change(work, row, wanted, kind.seq)
    facts_now = {"group": row.group_name, "type": kind.code, **wanted.columns()}
    audit.record(work, "rule:changed", claims.source_of(row.seq), **facts_now)
    _apply(work, [row.seq], row.group_seq, (row.type_seq, migration_grace) if moves else None)
    return rule_rows.rule_of(rule_rows.by_seq(work, row.seq))


def delete(work: Work, group_name: str, type_code: str) -> Rule:
    """End a rule; who has no other claim keeps the seat for the exit grace (E-8). Raises NotFound."""
    closure.lock_nesting(work)
    row = rule_rows.expect(work, group_name, type_code)
    _lock_below(work, row)
    gate.enter(work)
    audit.record(work, "rule:deleted", claims.source_of(row.seq), group=row.group_name, type=type_code)
    people = claims.of_rule(work, row.seq)
    claims.forget_rule(work, row.seq)
    rule_rows.drop(work, row.seq)
    gate.reopen(work)
    _let_go(gate.enter(work), row, people, facts.RULE_REMOVED)
    if row.group_seq is not None:
        closure.refresh_feeds(work, [row.group_seq])
    return rule_rows.rule_of(row)


def relink(work: Work, group_name: str, type_code: str) -> Rule:
    """Bind an orphaned rule to the group that now has its name (E-6, decision 30): never by itself, only when told to.

    Raises NotFound for no such rule or no such group, Refused for a rule that is not orphaned.
    """
    closure.lock_nesting(work)
    row = rule_rows.expect(work, group_name, type_code)
    if row.state != ORPHANED:
        raise errors.Refused(
            f"This rule is {row.state}; only an orphaned rule can be linked again.", code="not_orphaned"
        )
    group_seq = rule_rows.first_group(work, row.group_name)
    if group_seq is None:
        raise errors.NotFound(
            f"There is no group {row.group_name!r} to link to. Push it first, then run this again.",
            code="unknown_group",
        )
    _bind(work, [row.seq], group_seq)
    return rule_rows.rule_of(rule_rows.by_seq(work, row.seq))


def bind(work: Work, group_seq: int, display_name: str) -> bool:
    """A group was made or renamed: rules that wait for a group of this name bind to it; True when some did.

    The caller holds the group and `closure.lock_nesting`. Rules bound to the group already follow its new name.
    """
    key = text.fold(display_name)
    bound = seats.rules_on(work, [group_seq])
    if any(rule.group_name_key != key for rule in bound):
        rule_rows.rename(work, group_seq, display_name)
    given_types = {rule.type_seq for rule in bound}
    waiting = [rule.seq for rule in rule_rows.unbound_of_name(work, display_name) if rule.type_seq not in given_types]
    if waiting:
        _bind(work, waiting, group_seq)
    return bool(waiting)


def orphan(work: Work, group_seq: int) -> None:
    """A group is about to be deleted: its rules are orphaned, its people leave as if one by one (E-6)."""
    bound = seats.rules_on(work, [group_seq])
    if not bound:
        return
    entered = gate.enter(work)
    for rule in bound:
        rule_rows.move(work, rule.seq, ORPHANED, None)
        audit.record(work, "rule:orphaned", claims.source_of(rule.seq), group=rule.group_name)
        _let_go(entered, rule, claims.of_rule(work, rule.seq), facts.LEFT_GROUP)


def _bind(work: Work, rule_seqs: Sequence[int], group_seq: int) -> None:
    """Bind rules to a group and claim for everybody in it. Locks: nestings (held), groups, people, gate."""
    closure.lock_groups(work, closure.below(work, [group_seq]))
    for seq in rule_seqs:
        rule_rows.move(work, seq, BOUND, group_seq)
        audit.record(work, "rule:bound", claims.source_of(seq), group_id=rule_rows.by_seq(work, seq).group_id)
    closure.refresh_feeds(work, [group_seq])
    _apply(work, rule_seqs, group_seq)


def _apply(
    work: Work, rule_seqs: Sequence[int], group_seq: int | None, moved: tuple[int, timedelta] | None = None
) -> None:
    """Make the claims of these rules what they give now, for everybody in the group, or in the tenant.

    `moved`: the type that they gave until now, and how long it may be kept (E-25). The caller holds the groups.
    """
    rows = [row for seq in rule_seqs if (row := rule_rows.by_seq(work, seq)) is not None]
    bound = [row for row in rows if row.state == BOUND]
    members = _members(work, bound[0], group_seq) if bound else []
    known = [seq for row in rows for seq in claims.of_rule(work, row.seq)]
    wanted = list(dict.fromkeys([*members, *known]))
    present = assignments.lock_people(work, wanted) if not gate.is_open(work) else set(wanted)
    gate.reopen(work)
    entered = gate.enter(work)
    if any(rule_rows.is_special(work, row) for row in rows):
        entered.mark_special()
        entered.read()
    touched = [seq for seq in wanted if seq in present]
    follower, inside = given.Follower(entered, bound, touched), set(members)
    for person in entered.load(touched):
        if moved is not None:
            _migrate(entered, person, bound, *moved)
        follower.follow(person, bound if person.seq in inside else ())
    entered.settle(touched, opened={row.type_seq for row in rows})
    entered.reschedule()


def _members(work: Work, row: Any, group_seq: int | None) -> list[int]:
    if row.everyone:
        return rule_rows.everybody(work)
    return claims.everybody_in(work, closure.below(work, [group_seq])) if group_seq is not None else []


def _migrate(entered: Gate, person: Person, rows: Sequence[Any], type_seq: int, grace: timedelta) -> None:
    """What the rule gave this person until now is kept for a while, or until the other type has a seat (E-25)."""
    sources = {claims.source_of(row.seq) for row in rows}
    for claim in [one for one in person.claims if one.source in sources and one.type_seq == type_seq]:
        entered.claims.leave(person, claim, facts.MIGRATING, grace, entered.now)


def _let_go(entered: Gate, rule: Any, user_seqs: Sequence[int], ending: str) -> None:
    """End every claim that a rule made to these people, each after its grace."""
    source, grace = claims.source_of(rule.seq), entered.grace(rule.type_seq, rule.exit_grace)
    for person in entered.load(user_seqs):
        for claim in [one for one in person.claims if one.source == source]:
            entered.claims.leave(person, claim, ending, grace, entered.now)
    entered.settle(user_seqs)


def _lock_below(work: Work, row: Any) -> None:
    if row.group_seq is not None:
        closure.lock_groups(work, closure.below(work, [row.group_seq]))


def _refuse(group_name: str, terms: Terms, kinds: Sequence[LicenseType], atomic: bool) -> None:
    if group_name and not group_name.strip():
        raise errors.InvalidValue("A rule is named for a group: give the group's displayName.", code="unknown_group")
    if not 1 <= terms.priority <= 1_000_000:
        raise errors.InvalidValue(
            "A rule's priority is 1 (first) to 1000000; direct grants come before all rules.", code="bad_priority"
        )
    if terms.quota is not None and not 0 <= terms.quota <= 1_000_000_000:
        raise errors.InvalidValue("A rule's quota is a number of people, 0 or more.", code="bad_quota")
    if terms.valid_from and terms.valid_to and terms.valid_to <= terms.valid_from:
        raise errors.InvalidValue("A rule's validity ends after it begins.", code="bad_period")
    if terms.filter is not None:
        given.parsed(terms.filter)
    if len({kind.seq for kind in kinds}) < len(kinds):
        raise errors.InvalidValue("A rule names each type once.", code="type_twice")
    if atomic and len(kinds) < 2:
        raise errors.InvalidValue("A bundle has two types at least; name another with --type.", code="small_bundle")
    for kind in kinds:
        if kind.options.grants_admin:
            raise errors.Refused(
                f"{kind.code} grants administration and is given by hand only, never by a group. "
                "Use: scim-service assign",
                code="grants_admin",
            )
        if kind.authority in (catalog.SCIM, catalog.CONSOLE):
            raise errors.Refused(
                f"{kind.code} cannot be given by a group: its authority is {kind.authority}.", code="other_authority"
            )
