"""How a rule reaches a person: from the rule's group down, through groups in groups, to one that the person is in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.licensing.rule_rows import Rule
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST_PATHS = 20
"""How many paths to one group are told; more say nothing new."""

EVERYBODY = "(everyone)"
REMOVED = "(a rule that was deleted)"
"""What stands where a rule has no group's name."""

_groups = tables.directory.groups
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_USER: sa.BindParameter[Any] = sa.bindparam("user")

_RULE_GROUPS = sa.select(_rules.c.seq, _rules.c.group_seq).where(
    _rules.c.tenant_id == _TENANT, _rules.c.group_seq.is_not(None)
)
_DIRECTLY_IN = sa.select(_memberships.c.group_seq).where(
    _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _USER
)


def _edges_above() -> sa.Select[Any]:
    """(group_seq, child_seq): the nestings above the groups that the person is in, each once."""
    reached = _DIRECTLY_IN.with_only_columns(_memberships.c.group_seq.label("seq")).cte("reached", recursive=True)
    reached = reached.union(
        sa.select(_nestings.c.group_seq).where(_nestings.c.tenant_id == _TENANT, _nestings.c.child_seq == reached.c.seq)
    )
    return (
        sa.select(_nestings.c.group_seq, _nestings.c.child_seq)
        .join(reached, reached.c.seq == _nestings.c.child_seq)
        .where(_nestings.c.tenant_id == _TENANT)
        .order_by(_nestings.c.group_seq, _nestings.c.child_seq)
    )


_EDGES = _edges_above()
_NAMES = sa.select(_groups.c.seq, _groups.c.display_name).where(
    _groups.c.tenant_id == _TENANT, _groups.c.seq.in_(sa.bindparam("seqs", expanding=True))
)


@dataclass(frozen=True)
class Ways:
    """The paths from the groups of rules (by the rule's seq) down to one person, as groups' names.

    `reached`: the rules whose group the person is in, or that are for everyone.
    """

    paths: Mapping[int, list[list[str]]]
    reached: Collection[int]


def name_of(rule: Rule | None) -> str:
    """What a rule is called: by its group."""
    return REMOVED if rule is None else EVERYBODY if rule.everyone else rule.group_name


def ways(work: Work, user_seq: int, rules: Sequence[Rule]) -> Ways:
    """How each of these rules reaches a person, if at all."""
    bound = {row.seq: row.group_seq for row in work.rows(_RULE_GROUPS)}
    direct = {row.group_seq for row in work.rows(_DIRECTLY_IN, user=user_seq)}
    below: dict[int, list[int]] = {}
    for row in work.rows(_EDGES, user=user_seq):
        below.setdefault(row.group_seq, []).append(row.child_seq)
    found = {rule.seq: _paths(bound[rule.seq], direct, below) for rule in rules if rule.seq in bound}
    named = {seq for paths in found.values() for path in paths for seq in path}
    called = {row.seq: row.display_name for row in work.rows(_NAMES, seqs=sorted(named))}
    paths = {seq: [[called[one] for one in path] for path in some] for seq, some in found.items() if some}
    return Ways(paths, {*paths, *(rule.seq for rule in rules if rule.everyone)})


def _paths(start: int, direct: Collection[int], below: Mapping[int, list[int]]) -> list[list[int]]:
    """The shortest paths first, at most MOST_PATHS, none through a group twice; all edges lead to the person."""
    found: list[list[int]] = []
    open_paths = [[start]]
    while open_paths and len(found) < MOST_PATHS:
        found += [path for path in open_paths if path[-1] in direct]
        longer = [[*path, child] for path in open_paths for child in below.get(path[-1], ()) if child not in path]
        open_paths = longer[:MOST_PATHS]
    return found[:MOST_PATHS]
