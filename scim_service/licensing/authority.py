"""Who may give a type (licensing.md X-6), and what that makes of what a person's attributes say."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import claims, facts, gate
from scim_service.storage import tables
from scim_service.storage.work import Work

WORDS = ANY, GROUPS, SCIM, CONSOLE = "any", "groups", "scim", "console"
"""Everybody, groups only, attributes that identity providers write, or the console."""

DEAF = (GROUPS, CONSOLE)
"""Under these a value in a person's attributes does not count."""

_claims = tables.licensing.claims
_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_TYPE: sa.BindParameter[Any] = sa.bindparam("type")
_RULE_FOR = sa.select(_rules.c.group_name).where(_rules.c.tenant_id == _TENANT, _rules.c.type_seq == _TYPE)
_NOT_BY_HAND = sa.select(sa.func.count()).where(
    _claims.c.tenant_id == _TENANT, _claims.c.type_seq == _TYPE, _claims.c.source != claims.DIRECT
)
_BY_ATTRIBUTE = (
    sa.select(_claims.c.user_seq)
    .where(_claims.c.tenant_id == _TENANT, _claims.c.type_seq == sa.bindparam("type"), _claims.c.source == claims.SCIM)
    .order_by(_claims.c.rank_seq)
)


def held_back(authority: str) -> str | None:
    """Why a value in a person's attributes does not count under an authority; None where it does."""
    return facts.AUTHORITY if authority in DEAF else None


def follow(work: Work, type_seq: int, authority: str) -> None:
    """A type has another authority: what attributes say of it counts from now on, or does not any more."""
    entered = gate.enter(work)
    people = entered.load([row.user_seq for row in work.rows(_BY_ATTRIBUTE, type=type_seq)])
    for person in people:
        for claim in [one for one in person.claims if (one.source, one.type_seq) == (claims.SCIM, type_seq)]:
            entered.claims.amend(person, claim, held_back=held_back(authority))
    entered.settle()


def refuse_givers(work: Work, type_seq: int, code: str) -> None:
    """Raise Refused where rules or attributes give a type: who grants administration is made by hand (decision 7).

    The caller holds the tenant's row, which who makes a rule takes too, and the gate, which who writes attributes takes
    too: either sees the type as it is afterwards.
    """
    groups = ", ".join(repr(row.group_name) for row in work.rows(_RULE_FOR, type=type_seq))
    if groups:
        raise errors.Refused(f"{code} is given by rules (for {groups}), and so cannot grant administration.")
    others = work.value(_NOT_BY_HAND, type=type_seq)
    if others:
        raise errors.Refused(f"{code} is held otherwise than by hand ({others}), so it cannot grant administration.")
