"""What must be true of a tenant's tables whatever happened, asked of the tables alone (licensing.md 4.3)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import capacity
from scim_service.storage import tables
from scim_service.storage.work import Work

_directory = tables.directory
_licensing = tables.licensing


def faults(work: Work) -> list[str]:
    """Everything that is wrong, a sentence each; empty for a sound tenant."""
    return [*_directory_faults(work), *_seat_faults(work), *_claim_faults(work)]


def _rows(work: Work, table: Any) -> list[Any]:
    return list(work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant"))))


def _directory_faults(work: Work) -> list[str]:
    found = []
    groups, people = _rows(work, _directory.groups), _rows(work, _directory.users)
    members = Counter(row.group_seq for row in _rows(work, _directory.memberships))
    members.update(row.group_seq for row in _rows(work, _directory.nestings))
    fed = _below(work, {row.group_seq for row in _rows(work, _licensing.rules) if row.state == "bound"})
    totals: Counter[str] = Counter()
    for row in _rows(work, _directory.totals):
        totals[row.resource_type] += row.value
    for group in groups:
        if group.member_count != members[group.seq]:
            found.append(f"{group.display_name} counts {group.member_count} members and has {members[group.seq]}")
        if group.feeds != (group.seq in fed):
            found.append(f"{group.display_name} says feeds={group.feeds}, and it is not so")
    if totals["User"] != len(people) or totals["Group"] != len(groups):
        found.append(f"totals are {dict(totals)}, and there are {len(people)} people and {len(groups)} groups")
    return found


def _seat_faults(work: Work) -> list[str]:
    found = []
    everybody = {row.seq for row in _rows(work, _directory.users)}
    active = {row.seq for row in _rows(work, _directory.users) if row.active}
    assignments = _rows(work, _licensing.assignments)
    used = Counter(row.type_seq for row in assignments if uses_a_seat(row))
    used.update(row.type_seq for row in _rows(work, _licensing.parked_seats))
    waiting = Counter(row.type_seq for row in assignments if row.state == "waiting")
    bought = capacity.at(capacity.lines(work), work.now)
    for row in _rows(work, _licensing.ledger):
        limit = bought[row.type_seq].limit if row.type_seq in bought else 0
        assert limit is not None
        if row.consuming != used[row.type_seq]:
            found.append(f"the ledger says {row.consuming}, the rows say {used[row.type_seq]}")
        if used[row.type_seq] > limit:
            found.append(f"{used[row.type_seq]} seats of {limit} are given")
        if used[row.type_seq] < limit and waiting[row.type_seq]:
            found.append(f"{waiting[row.type_seq]} wait beside {limit - used[row.type_seq]} free seats")
    banned = {row.seq for row in _rows(work, _directory.users) if row.banned}
    for row in assignments:
        states = {"blocked", "suspended"} if row.user_seq in banned else {"suspended"}
        parked = row.stop == "mass_change_hold"
        if row.user_seq in banned | (everybody - active) and (
            row.state not in states or (uses_a_seat(row) and not parked)
        ):
            found.append(f"person {row.user_seq} is inactive or banned and {row.state}")
    return found


def uses_a_seat(row: Any) -> bool:
    """Whether a row of assignments uses a seat: effective, or suspended with the seat held."""
    return row.state in {"assigned", "grace"} or (row.state == "suspended" and row.stop_holds)


def _claim_faults(work: Work) -> list[str]:
    found = []
    claims = _rows(work, _licensing.claims)
    memberships = _rows(work, _directory.memberships)
    assigned = {(row.user_seq, row.type_seq) for row in _rows(work, _licensing.assignments)}
    active = {row.seq for row in _rows(work, _directory.users) if row.active}
    for rule in _rows(work, _licensing.rules):
        below = _below(work, {rule.group_seq}) if rule.state == "bound" else set()
        wanted = {row.user_seq for row in memberships if row.group_seq in below}
        held = {row.user_seq for row in claims if row.rule_seq == rule.seq and row.until is None}
        if wanted != held:
            found.append(
                f"the rule of {rule.group_name}: {len(wanted - held)} claims are missing, {len(held - wanted)} too many"
            )
    for claim in claims:
        if claim.until is None and claim.user_seq in active and (claim.user_seq, claim.type_seq) not in assigned:
            found.append(f"person {claim.user_seq} has a claim and no outcome")
    return found


def _below(work: Work, seqs: set[int]) -> set[int]:
    """These groups and all inside them, by walking the edges here and not by the program's own query."""
    edges = _rows(work, _directory.nestings)
    found, new = set(seqs), set(seqs)
    while new:
        new = {edge.child_seq for edge in edges if edge.group_seq in new} - found
        found |= new
    return found
