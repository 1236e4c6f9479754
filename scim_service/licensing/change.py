"""The smallest change that would alter what a person has of a type (licensing.md A-11): data; a door finds the words.

Pure. A change that gives is named for who has not, a change that takes away for who has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scim_service.licensing.facts import COVERED, GRACE, WAITING

ACTIVATE, JOIN, ASSIGN, RAISE_CAP = "activate_person", "join_group", "assign", "raise_cap"
REJOIN, LEAVE, UNASSIGN, GIVE_UP_BETTER = "rejoin_group", "leave_groups", "unassign", "give_up_better"


@dataclass(frozen=True)
class Change:
    """What to do: `kind`, the groups it is about (by name), and by how many seats the cap would have to grow."""

    kind: str
    groups: tuple[str, ...] = ()
    seats: int | None = None


def smallest(
    state: str | None, active: bool, position: int | None, claimed_by: Sequence[str | None], given_by: Iterable[str]
) -> Change:
    """The smallest change for one person and type.

    `state` is the assignment's, None without one; `claimed_by` names the rules' groups of the person's claims (None: a
    direct claim); `given_by` the groups that rules give the type to.
    """
    groups = tuple(dict.fromkeys(name for name in claimed_by if name is not None))
    if claimed_by and not active:
        return Change(ACTIVATE)
    if state == WAITING:
        return Change(RAISE_CAP, seats=position)
    if state == COVERED:
        return Change(GIVE_UP_BETTER)
    if state == GRACE:
        return Change(REJOIN, groups) if groups else Change(ASSIGN)
    if state is not None:
        return Change(UNASSIGN, groups) if None in claimed_by else Change(LEAVE, groups)
    offered = tuple(dict.fromkeys(given_by))
    return Change(JOIN, offered) if offered else Change(ASSIGN)
