"""What an administrator counts: seats by type, and the people behind every number (issue part B: `seats`, `people`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.access import invitations
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.licensing import capacity, catalog, shown
from scim_service.licensing.facts import BLOCKED, EFFECTIVE, EXPIRED, GRACE, SUSPENDED, WAITING
from scim_service.storage import tables
from scim_service.storage.work import Work

_assignments = tables.licensing.assignments
_types = tables.licensing.license_types
_ledger = tables.licensing.ledger
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_INVITED_STATE = invitations.state_of(INVITATION, _users.c.seq).label("invitation")
_VERIFIED_STATE = invitations.state_of(VERIFICATION, _users.c.seq).label("verification")
_USED = sa.select(_ledger.c.type_seq, _ledger.c.consuming, _ledger.c.approved).where(_ledger.c.tenant_id == _TENANT)
_BY_STATE = (
    sa.select(_assignments.c.type_seq, _assignments.c.state, sa.func.count().label("people"))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.state.in_([WAITING, GRACE, SUSPENDED, BLOCKED, EXPIRED]),
        shown.NOT_LAPSED,
    )
    .group_by(_assignments.c.type_seq, _assignments.c.state)
)
_invitations = tables.access.invitations
_NOT_ACCEPTED = (
    sa.select(_assignments.c.type_seq, sa.func.count().label("people"))
    .join(
        _invitations,
        sa.and_(
            _invitations.c.tenant_id == _assignments.c.tenant_id,
            _invitations.c.kind == INVITATION,
            _invitations.c.user_seq == _assignments.c.user_seq,
        ),
    )
    .where(
        _assignments.c.tenant_id == _TENANT,
        sa.or_(_assignments.c.state.in_(sorted(EFFECTIVE)), _assignments.c.stop_holds.is_(True)),
        _invitations.c.state != invitations.DONE,
    )
    .group_by(_assignments.c.type_seq)
)
_PEOPLE = (
    sa.select(
        _assignments,
        _types.c.code,
        _users.c.id,
        _users.c.document,
        _users.c.active,
        _users.c.banned,
        _INVITED_STATE,
        _VERIFIED_STATE,
        *shown.SOURCE_COLUMNS,
        sa.func.row_number()
        .over(
            partition_by=[_assignments.c.type_seq, _assignments.c.state],
            order_by=[_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq],
        )
        .label("place"),
    )
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .where(_assignments.c.tenant_id == _TENANT, shown.NOT_LAPSED)
    .order_by(
        _types.c.code,
        _assignments.c.state,
        _assignments.c.priority,
        _assignments.c.claimed_since,
        _assignments.c.rank_seq,
    )
)
_OF_PERSON = _PEOPLE.where(_assignments.c.user_seq == sa.bindparam("which"))
_OF_TYPE = _types.c.code == sa.bindparam("code")
_IN_STATE = _assignments.c.state == sa.bindparam("state")
_STATEMENTS = {
    (False, False): _PEOPLE,
    (True, False): _PEOPLE.where(_OF_TYPE),
    (False, True): _PEOPLE.where(_IN_STATE),
    (True, True): _PEOPLE.where(_OF_TYPE, _IN_STATE),
}


@dataclass(frozen=True)
class SeatLine:
    """The numbers of one type. `limit` is None where there is none; `used` is the ledger's, those in `grace` included.

    `cap` is what was bought, `overage` what is used beyond it (A-4); `suspended` counts people, seat held or not;
    `not_accepted`: of the used seats, those of people who have not accepted their invitation (P-1).
    """

    code: str
    name: str
    product: str | None
    family: str | None
    rank: int
    limit: int | None
    used: int
    waiting: int
    grace: int
    suspended: int = 0
    blocked: int = 0
    cap: int | None = None
    overage: int = 0
    seq: int = 0
    not_accepted: int = 0


@dataclass(frozen=True)
class Holding:
    """A person and a type: what came of it, why, since and until when, and the place in the queue while waiting."""

    user_name: str
    user_id: str
    type_code: str
    state: str
    reason: str | None
    sources: list[str]
    since: datetime
    until: datetime | None
    position: int | None
    status: str = invitations.ACTIVE
    """How the person's account stands (D-8)."""


def seats(work: Work) -> list[SeatLine]:
    """The seats of every type, family by family."""
    rows = work.rows(_USED)
    bought = capacity.at(capacity.lines(work), work.now, {row.type_seq: row.approved for row in rows})
    used = {row.type_seq: row.consuming for row in rows}
    people = {(row.type_seq, row.state): row.people for row in work.rows(_BY_STATE, at=work.now)}
    asked = {row.type_seq: row.people for row in work.rows(_NOT_ACCEPTED)}
    lines = [
        _seat_line(kind, bought.get(kind.seq, capacity.Capacity()), used.get(kind.seq, 0), people)
        for kind in catalog.types(work)
    ]
    return [replace(one, not_accepted=asked.get(one.seq, 0)) for one in lines]


def _seat_line(
    kind: catalog.LicenseType, bought: capacity.Capacity, used: int, people: Mapping[tuple[int, str], int]
) -> SeatLine:
    waiting, grace, suspended, blocked, expired = (
        people.get((kind.seq, state), 0) for state in (WAITING, GRACE, SUSPENDED, BLOCKED, EXPIRED)
    )
    return SeatLine(
        kind.code,
        kind.name,
        kind.product,
        kind.family,
        kind.rank,
        bought.limit if kind.counted else None,
        used,
        waiting,
        grace,
        suspended,
        blocked + expired,
        bought.cap if kind.counted else None,
        max(0, used - bought.cap) if kind.counted else 0,
        kind.seq,
    )


def people(work: Work, type_code: str | None = None, state: str | None = None) -> list[Holding]:
    """Everybody who holds, waits for or is covered for a type, by type, state and seniority (A-3).

    Raises NotFound for an unknown type.
    """
    if type_code is not None:
        catalog.find_type(work, type_code)
    statement = _STATEMENTS[type_code is not None, state is not None]
    return [_holding(row) for row in work.rows(statement, code=type_code, state=state, at=work.now)]


def of_person(work: Work, user_seq: int) -> list[Holding]:
    """What one person holds, waits for or is covered for, by type."""
    rows = work.rows(_OF_PERSON, which=user_seq, at=work.now)
    places = shown.positions(work, rows)
    return [replace(_holding(row), position=places.get((user_seq, row.type_seq))) for row in rows]


def _holding(row: Any) -> Holding:
    return Holding(
        orjson.loads(row.document)["userName"],
        row.id,
        row.code,
        row.state,
        row.reason,
        shown.sources(row),
        row.since,
        row.until,
        row.place if row.state == WAITING else None,
        invitations.account_status(row.active, row.banned, row.invitation, row.verification),
    )
