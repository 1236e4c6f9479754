"""Why a person has a license, or waits for it, or has none, and what would change that (licensing.md A-11, I-8).

As data: the outcome with its reason, every claim with its group paths and whether it is the one that counts, the
numbers of the decision, what ends it, what stands in the way, and the smallest change. `words.py` makes a sentence of
it. What gives nothing is looked at on the fly: a rule whose group the person is in, and that still makes no claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import assignments, catalog, change, ends, facts, gate, numbers, obstacles, paths
from scim_service.licensing import rule_rows as rules
from scim_service.licensing.change import Case, Change
from scim_service.licensing.ends import Ending
from scim_service.licensing.facts import Assignment, Claim
from scim_service.licensing.numbers import Numbers
from scim_service.licensing.obstacles import Fact, Looked
from scim_service.licensing.standing import Standing, families_of
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

NONE, DORMANT = "none", "dormant"
"""What is said where there is no assignment: no claim, or claims that sleep while the person is inactive (E-10)."""
REMOVED = paths.REMOVED

_users = tables.directory.users
_PERSON = sa.select(_users.c.seq).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.user_name_key == sa.bindparam("key")
)

LIVE, LINGERING, SLEEPING, HELD_BACK = "live", "lingering", "dormant", "held_back"
"""How a claim counts (D-9)."""


@dataclass(frozen=True)
class ClaimLine:
    """One reason. `rule` names the group of the rule (None for a direct claim); `until` is set while it lingers.

    `effective`: the one that decides the place in the queue, by its `priority` and `since` (A-3).
    """

    source: str
    rule: str | None
    paths: list[list[str]]
    since: datetime
    until: datetime | None
    status: str
    priority: int
    effective: bool = False
    ending: str | None = None
    held_back: str | None = None
    expires_at: datetime | None = None
    pinned: bool = False
    locked: bool = False
    created_by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Explanation:
    """A person and a type. `state` is the assignment's, or `none`, or `dormant` for an inactive person's claims."""

    user_name: str
    type_code: str
    state: str
    reason: str | None
    since: datetime | None
    until: datetime | None
    claims: list[ClaimLine]
    rank: int
    numbers: Numbers
    facts: list[Fact]
    ends: Ending | None
    change: Change
    holds: bool = False
    """Whether it uses a seat, which a suspended license may."""

    @property
    def position(self) -> int | None:
        """The place in the queue, from 1."""
        return self.numbers.position

    @property
    def blocking(self) -> Fact | None:
        """What the sentence names: the fact of the reason."""
        return next((one for one in self.facts if one.kind == self.reason), None)


def explain(work: Work, user_name: str, type_code: str | None = None) -> list[Explanation]:
    """Every type that the person has a reason for, better types first; or the one type asked for, held or not.

    Raises NotFound for an unknown person or type.
    """
    seq = work.value(_PERSON, key=text.fold(user_name))
    if seq is None:
        raise errors.NotFound(
            f"There is no person with the userName {user_name!r}. See who there is with: scim-service people"
        )
    kinds = [catalog.find_type(work, type_code)] if type_code is not None else catalog.types(work)
    looked = _look(work, int(seq))
    concerned = {*looked.person.held, *(claim.type_seq for claim in looked.person.claims)}
    return [_explanation(looked, user_name, kind) for kind in kinds if type_code is not None or kind.seq in concerned]


def _look(work: Work, user_seq: int) -> Looked:
    """Read once what every type's explanation needs."""
    opened = gate.look(work)
    person = assignments.people(work, [user_seq], opened.settings.keeps_inactive)[user_seq]
    person.held = {seq: row for seq, row in person.held.items() if not _is_over(row, work.now)}
    listed = rules.listing(work)
    standing = Standing(
        opened.types, families_of(opened.types.values()), lambda one, type_seq: one.held.get(type_seq), work.now
    )
    return Looked(opened, person, standing, listed, paths.ways(work, user_seq, listed))


def _is_over(row: Assignment, now: datetime) -> bool:
    """A grace that has lapsed is not there, even if nobody could let the queue move yet (decision 23)."""
    return row.state == facts.GRACE and row.until is not None and row.until <= now


def _explanation(looked: Looked, user_name: str, kind: catalog.LicenseType) -> Explanation:
    person, row = looked.person, looked.person.held.get(kind.seq)
    claims = [one for one in person.claims if one.type_seq == kind.seq]
    idle = obstacles.idle_rules(looked, kind, claims)
    state, reason = _outcome(looked, kind, row, claims, idle)
    blocking = obstacles.of_reason(looked, kind, row, claims, reason)
    found = [one for one in [blocking, *idle] if one is not None]
    counted = numbers.of(looked, kind, row)
    case = Case(state, reason, kind, looked, claims, counted, found)
    return Explanation(
        user_name,
        kind.code,
        state,
        reason,
        row.since if row else None,
        row.until if row else None,
        _lines(looked, kind, claims),
        kind.rank,
        counted,
        found,
        ends.of(looked, kind, row, claims),
        change.smallest(case),
        row is not None and row.seated,
    )


def _outcome(
    looked: Looked,
    kind: catalog.LicenseType,
    row: Assignment | None,
    claims: Sequence[Claim],
    idle: Sequence[Fact],
) -> tuple[str, str | None]:
    """The state and the reason; why there is nothing is found here."""
    if row is not None:
        return row.state, row.reason
    if claims and not looked.person.present:
        return DORMANT, facts.INACTIVE
    if idle:
        return NONE, idle[0].kind
    return NONE, facts.RETIRED if kind.retired else obstacles.NO_REASON


def _lines(looked: Looked, kind: catalog.LicenseType, claims: Sequence[Claim]) -> list[ClaimLine]:
    counting = looked.standing.claims(kind.seq, looked.person)
    best = min(counting, key=lambda one: (one.until is not None, one.key), default=None)
    return [replace(_line(looked, one), effective=one is best) for one in claims]


def _line(looked: Looked, claim: Claim) -> ClaimLine:
    rule = looked.rule(claim.rule_seq)
    is_rule = claim.source.startswith("rule:")
    own: dict[str, Any] = {
        name: getattr(claim, name)
        for name in ("ending", "held_back", "expires_at", "pinned", "locked", "created_by", "note")
    }
    return ClaimLine(
        "group" if is_rule else claim.source,
        paths.name_of(rule) if is_rule else None,
        looked.ways.paths.get(claim.rule_seq or 0, []),
        claim.since,
        claim.until,
        _status(looked, claim),
        claim.priority,
        **own,
    )


def _status(looked: Looked, claim: Claim) -> str:
    if not looked.person.present:
        return SLEEPING
    return LINGERING if claim.until is not None else HELD_BACK if claim.held_back else LIVE
