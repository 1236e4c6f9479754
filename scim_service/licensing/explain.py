"""Why a person has a license, or waits for it, or has none (licensing.md A-11, I-8): every claim with its path.

A path runs from the rule's group down, through the groups in it, to the group that the person is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import catalog, claims, rules, shown
from scim_service.licensing.change import Change, smallest
from scim_service.licensing.facts import Claim
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST_PATHS = 20
"""How many paths to one group are told; more say nothing new."""

NONE, DORMANT, NO_REASON, INACTIVE = "none", "dormant", "no_reason", "person_inactive"
"""What is said where there is no assignment: no claim, or claims that sleep while the person is inactive (E-10)."""
REMOVED = "(a rule that was deleted)"

_users = tables.directory.users
_groups = tables.directory.groups
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_assignments = tables.licensing.assignments
_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_USER: sa.BindParameter[Any] = sa.bindparam("user")

_PERSON = sa.select(_users.c.seq, _users.c.active).where(
    _users.c.tenant_id == _TENANT, _users.c.user_name_key == sa.bindparam("key")
)
_HELD = sa.select(_assignments).where(
    _assignments.c.tenant_id == _TENANT, _assignments.c.user_seq == _USER, shown.NOT_LAPSED
)
_RULE_GROUPS = sa.select(_rules.c.seq, _rules.c.group_seq).where(
    _rules.c.tenant_id == _TENANT, _rules.c.group_seq.is_not(None)
)
_DIRECTLY_IN = sa.select(_memberships.c.group_seq).where(
    _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _USER
)


def _edges_above() -> sa.Select[Any]:
    """(group_seq, child_seq): the nestings above the groups that the person is in, each once."""
    start = sa.select(_memberships.c.group_seq.label("seq")).where(
        _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _USER
    )
    reached = start.cte("reached", recursive=True)
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
class ClaimLine:
    """One reason. `rule` names the group of the rule (None for a direct claim); `until` is set while it lingers."""

    source: str
    rule: str | None
    paths: list[list[str]]
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Explanation:
    """A person and a type. `state` is the assignment's, or `none`, or `dormant` for an inactive person's claims."""

    type_code: str
    state: str
    reason: str | None
    since: datetime | None
    until: datetime | None
    position: int | None
    claims: list[ClaimLine]
    change: Change


def explain(work: Work, user_name: str, type_code: str | None = None) -> list[Explanation]:
    """Every type that the person has a reason for, better types first; or the one type asked for, held or not.

    Raises NotFound for an unknown person or type.
    """
    person = work.row(_PERSON, key=text.fold(user_name))
    if person is None:
        raise errors.NotFound(
            f"There is no person with the userName {user_name!r}. See who there is with: scim-service people"
        )
    kinds = [catalog.find_type(work, type_code)] if type_code is not None else catalog.types(work)
    reasons: dict[int, list[Claim]] = {}
    for claim in claims.of_people(work, [person.seq]).get(person.seq, []):
        reasons.setdefault(claim.type_seq, []).append(claim)
    held = {row.type_seq: row for row in work.rows(_HELD, user=person.seq, at=work.now)}
    places = shown.positions(work, held.values())
    listed = rules.listing(work)
    ways = _ways(work, person.seq, listed, {claim.rule_seq for found in reasons.values() for claim in found})
    return [
        _explanation(
            _Facts(kind.code, held.get(kind.seq), places.get((person.seq, kind.seq)), person.active),
            [_line(claim, ways) for claim in reasons.get(kind.seq, ())],
            [rule.group_name for rule in listed if rule.type_code == kind.code and rule.state == rules.BOUND],
        )
        for kind in kinds
        if type_code is not None or kind.seq in held or kind.seq in reasons
    ]


@dataclass(frozen=True)
class _Facts:
    """What the tables say of one person and type; `row` is the assignment."""

    code: str
    row: Any
    position: int | None
    active: bool


@dataclass(frozen=True)
class _Ways:
    """What the rules of a person's claims are called, and the paths from their groups down to the person."""

    names: Mapping[int, str]
    paths: Mapping[int, list[list[str]]]


def _ways(work: Work, user_seq: int, listed: Sequence[rules.Rule], of_claims: set[int | None]) -> _Ways:
    names = {rule.seq: rule.group_name for rule in listed if rule.seq in of_claims}
    groups = {row.seq: row.group_seq for row in work.rows(_RULE_GROUPS) if row.seq in of_claims}
    direct = {row.group_seq for row in work.rows(_DIRECTLY_IN, user=user_seq)}
    below: dict[int, list[int]] = {}
    for row in work.rows(_EDGES, user=user_seq):
        below.setdefault(row.group_seq, []).append(row.child_seq)
    found = {seq: _paths(group_seq, direct, below) for seq, group_seq in groups.items()}
    shown_groups = {seq for paths in found.values() for path in paths for seq in path}
    called = {row.seq: row.display_name for row in work.rows(_NAMES, seqs=sorted(shown_groups))}
    return _Ways(names, {seq: [[called[one] for one in path] for path in paths] for seq, paths in found.items()})


def _paths(start: int, direct: set[int], below: Mapping[int, list[int]]) -> list[list[int]]:
    """The shortest paths first, at most MOST_PATHS, none through a group twice; all edges lead to the person."""
    found: list[list[int]] = []
    open_paths = [[start]]
    while open_paths and len(found) < MOST_PATHS:
        found += [path for path in open_paths if path[-1] in direct]
        longer = [[*path, child] for path in open_paths for child in below.get(path[-1], ()) if child not in path]
        open_paths = longer[:MOST_PATHS]
    return found[:MOST_PATHS]


def _explanation(facts: _Facts, lines: list[ClaimLine], given_by: Sequence[str]) -> Explanation:
    row = facts.row
    state = row.state if row is not None else None
    claimed_by = [line.rule for line in lines if line.rule != REMOVED]
    change = smallest(state, facts.active, facts.position, claimed_by, given_by)
    if row is not None:
        return Explanation(facts.code, row.state, row.reason, row.since, row.until, facts.position, lines, change)
    if lines and not facts.active:
        return Explanation(facts.code, DORMANT, INACTIVE, None, None, None, lines, change)
    return Explanation(facts.code, NONE, NO_REASON, None, None, None, lines, change)


def _line(claim: Claim, ways: _Ways) -> ClaimLine:
    if claim.source == claims.DIRECT:
        return ClaimLine("direct", None, [], claim.since, claim.until)
    seq = claim.rule_seq
    if seq is None or seq not in ways.names:
        return ClaimLine("group", REMOVED, [], claim.since, claim.until)
    return ClaimLine("group", ways.names[seq], ways.paths.get(seq, []), claim.since, claim.until)
