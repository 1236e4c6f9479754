"""Which groups give which license types (licensing.md D-7), and how a rule finds its group (decision 30).

A rule is named for a group. It is `unbound` until there is one of that name, then `bound` to that very group, whatever
it is called later (E-5), and `orphaned` when that group is deleted: a new group of the same name is another group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.licensing import assignments, catalog, claims, seats
from scim_service.protocol import text
from scim_service.storage import closure, tables
from scim_service.storage.work import Work

UNBOUND, BOUND, ORPHANED = "unbound", "bound", "orphaned"

_rules = tables.licensing.rules
_types = tables.licensing.license_types
_groups = tables.directory.groups
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_KEY: sa.BindParameter[Any] = sa.bindparam("key")
_OF_ONE = (_rules.c.tenant_id == _TENANT, _rules.c.seq == sa.bindparam("which"))

_ALL = (
    sa.select(_rules, _types.c.code, _groups.c.id.label("group_id"))
    .join(_types, sa.and_(_types.c.tenant_id == _rules.c.tenant_id, _types.c.seq == _rules.c.type_seq))
    .outerjoin(_groups, sa.and_(_groups.c.tenant_id == _rules.c.tenant_id, _groups.c.seq == _rules.c.group_seq))
    .where(_rules.c.tenant_id == _TENANT)
    .order_by(_rules.c.priority, _rules.c.seq)
)
_BY_SEQ = _ALL.where(_rules.c.seq == sa.bindparam("which"))
_BY_NAME = _ALL.where(_rules.c.group_name_key == _KEY, _types.c.code == sa.bindparam("code"))
_UNBOUND_OF_NAME = (
    sa.select(_rules)
    .where(_rules.c.tenant_id == _TENANT, _rules.c.group_name_key == _KEY, _rules.c.state == UNBOUND)
    .order_by(_rules.c.seq)
)
_FIRST_GROUP = (
    sa.select(_groups.c.seq)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.display_name_key == _KEY)
    .order_by(_groups.c.seq)
    .limit(1)
)
_MOVE = sa.update(_rules).where(*_OF_ONE).values(state=sa.bindparam("new_state"), group_seq=sa.bindparam("new_group"))
_namesake = _rules.alias("namesake")
_RENAME = (
    sa.update(_rules)
    .where(
        _rules.c.tenant_id == _TENANT,
        _rules.c.group_seq == sa.bindparam("group"),
        ~sa.exists().where(
            _namesake.c.tenant_id == _TENANT,
            _namesake.c.group_name_key == _KEY,
            _namesake.c.type_seq == _rules.c.type_seq,
        ),
    )
    .values(group_name=sa.bindparam("new_name"), group_name_key=_KEY)
)
_DROP = sa.delete(_rules).where(*_OF_ONE)


@dataclass(frozen=True)
class Rule:
    """A group's people have a claim to a type. `exit_grace` None: the type's; `group_id` None: no group."""

    seq: int
    group_name: str
    group_id: str | None
    type_code: str
    state: str
    priority: int
    exit_grace: timedelta | None


def create(
    work: Work, group_name: str, type_code: str, *, priority: int = 100, exit_grace: timedelta | None = None
) -> Rule:
    """Give everybody in a group, and in the groups inside it, a claim to a type, in the order of joining (E-7, A-3).

    Raises NotFound for an unknown type, Uniqueness for a rule that is there already. A group that does not exist is no
    error: the rule waits for it, unbound.
    """
    kind = catalog.find_type(work, type_code)
    key = text.fold(group_name)
    _refuse_values(group_name, priority)
    closure.lock_nesting(work)
    group_seq = work.value(_FIRST_GROUP, key=key)
    values = {"priority": priority, "exit_grace": catalog.seconds_of(exit_grace)}
    names = {"group_name": group_name, "group_name_key": key}
    seq = work.insert_one(
        _rules, type_seq=kind.seq, state=UNBOUND, group_seq=None, created_at=work.now, **names, **values
    )
    audit.record(work, "rule:created", claims.source_of(seq), group=group_name, type=type_code, **values)
    if group_seq is not None:
        _bind(work, [seq], group_seq)
    return _rule(work.row(_BY_SEQ, which=seq))


def listing(work: Work) -> list[Rule]:
    """Every rule, in the order in which they count: by priority, then by age."""
    return [_rule(row) for row in work.rows(_ALL)]


def delete(work: Work, group_name: str, type_code: str) -> Rule:
    """End a rule; who has no other claim keeps the seat for the exit grace (E-8). Raises NotFound."""
    closure.lock_nesting(work)
    row = work.row(_BY_NAME, key=text.fold(group_name), code=type_code)
    if row is None:
        raise _no_such_rule(group_name, type_code)
    if row.group_seq is not None:
        closure.lock_groups(work, closure.below(work, [row.group_seq]))
    gate = seats.enter(work)
    audit.record(work, "rule:deleted", claims.source_of(row.seq), group=row.group_name, type=type_code)
    _let_go(gate, row, claims.RULE_REMOVED)
    claims.forget_rule(work, row.seq)
    work.execute(_DROP, which=row.seq)
    if row.group_seq is not None:
        closure.refresh_feeds(work, [row.group_seq])
    return _rule(row)


def relink(work: Work, group_name: str, type_code: str) -> Rule:
    """Bind an orphaned rule to the group that now has its name (E-6, decision 30): never by itself, only when told to.

    Raises NotFound for no such rule or no such group, Refused for a rule that is not orphaned.
    """
    closure.lock_nesting(work)
    row = work.row(_BY_NAME, key=text.fold(group_name), code=type_code)
    if row is None:
        raise _no_such_rule(group_name, type_code)
    if row.state != ORPHANED:
        raise errors.Refused(f"This rule is {row.state}; only an orphaned rule can be linked again.")
    group_seq = work.value(_FIRST_GROUP, key=row.group_name_key)
    if group_seq is None:
        raise errors.NotFound(f"There is no group {row.group_name!r} to link to. Push it first, then run this again.")
    _bind(work, [row.seq], group_seq)
    return _rule(work.row(_BY_SEQ, which=row.seq))


def bind(work: Work, group_seq: int, display_name: str) -> bool:
    """A group was made or renamed: rules that wait for a group of this name bind to it; True when some did.

    The caller holds the group and `closure.lock_nesting`. Rules bound to the group already follow its new name.
    """
    key = text.fold(display_name)
    bound = seats.rules_on(work, [group_seq])
    if any(rule.group_name_key != key for rule in bound):
        work.execute(_RENAME, group=group_seq, key=key, new_name=display_name)
    given = {rule.type_seq for rule in bound}
    waiting = [rule.seq for rule in work.rows(_UNBOUND_OF_NAME, key=key) if rule.type_seq not in given]
    if waiting:
        _bind(work, waiting, group_seq)
    return bool(waiting)


def orphan(work: Work, group_seq: int) -> None:
    """A group is about to be deleted: its rules are orphaned, its people leave as if one by one (E-6)."""
    bound = seats.rules_on(work, [group_seq])
    if not bound:
        return
    gate = seats.enter(work)
    for rule in bound:
        work.execute(_MOVE, which=rule.seq, new_state=ORPHANED, new_group=None)
        audit.record(work, "rule:orphaned", claims.source_of(rule.seq), group=rule.group_name)
        _let_go(gate, rule, claims.LEFT_GROUP)


def _bind(work: Work, rule_seqs: Sequence[int], group_seq: int) -> None:
    """Bind rules to a group and claim for everybody in it. Locks: nestings (held), groups, people, gate."""
    group_seqs = closure.below(work, [group_seq])
    closure.lock_groups(work, group_seqs)
    for seq in rule_seqs:
        work.execute(_MOVE, which=seq, new_state=BOUND, new_group=group_seq)
        audit.record(work, "rule:bound", claims.source_of(seq), group_seq=group_seq)
    closure.refresh_feeds(work, [group_seq])
    user_seqs = claims.everybody_in(work, group_seqs)
    present = assignments.lock_people(work, user_seqs)
    gate = seats.enter(work)
    bound = [rule for rule in seats.rules_on(work, [group_seq]) if rule.seq in rule_seqs]
    for person in gate.load([seq for seq in user_seqs if seq in present]):
        for rule in bound:
            gate.follow(rule, person, belongs=True)
    gate.settle()


def _let_go(gate: seats.Gate, rule: Any, ending: str) -> None:
    """End every claim that a rule made, each after its grace."""
    source, grace = claims.source_of(rule.seq), gate.grace(rule.type_seq, rule.exit_grace)
    for person in gate.load(claims.of_rule(gate.work, rule.seq)):
        for claim in [one for one in person.claims if one.source == source]:
            gate.claims.leave(person, claim, ending, grace, gate.now)
    gate.settle()


def _no_such_rule(group_name: str, type_code: str) -> errors.NotFound:
    return errors.NotFound(
        f"There is no rule that gives {type_code} to the group {group_name!r}. See them with: scim-service rule list"
    )


def _refuse_values(group_name: str, priority: int) -> None:
    if not group_name.strip():
        raise errors.InvalidValue("A rule is named for a group: give the group's displayName.")
    if not 1 <= priority <= 1_000_000:
        raise errors.InvalidValue("A rule's priority is 1 (first) to 1000000; direct grants come before all rules.")


def _rule(row: Any) -> Rule:
    grace = catalog.duration_of(row.exit_grace)
    return Rule(row.seq, row.group_name, row.group_id, row.code, row.state, row.priority, grace)
