"""How many seats there are at an instant: the sum over the contract lines valid then (licensing.md A-1, D-5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.work import Work

_contracts = tables.licensing.contracts
_lines = tables.licensing.seat_lines
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_AT = sa.bindparam("at", type_=_contracts.c.starts_at.type)

_OF_CONTRACT = sa.and_(_contracts.c.tenant_id == _lines.c.tenant_id, _contracts.c.seq == _lines.c.contract_seq)
_LIMITS = (
    sa.select(_lines.c.type_seq, sa.func.sum(_lines.c.quantity).label("seats"))
    .join(_contracts, _OF_CONTRACT)
    .where(
        _lines.c.tenant_id == _TENANT,
        _contracts.c.starts_at <= _AT,
        sa.or_(_contracts.c.ends_at.is_(None), _contracts.c.ends_at > _AT),
        sa.or_(_lines.c.valid_from.is_(None), _lines.c.valid_from <= _AT),
        sa.or_(_lines.c.valid_to.is_(None), _lines.c.valid_to > _AT),
    )
    .group_by(_lines.c.type_seq)
)
_BOUNDARIES = [
    sa.select(sa.func.min(column)).where(column.table.c.tenant_id == _TENANT, column > _AT)
    for column in (_contracts.c.starts_at, _contracts.c.ends_at, _lines.c.valid_from, _lines.c.valid_to)
]


def limits(work: Work, at: datetime) -> dict[int, int]:
    """Seats by type at an instant, periods being half-open `[from, to)`; a type that is missing has none."""
    return {row.type_seq: int(row.seats) for row in work.rows(_LIMITS, at=at)}


def next_boundary(work: Work, after: datetime) -> datetime | None:
    """The first instant after this one at which a contract or a line begins or ends."""
    found = [work.value(statement, at=after) for statement in _BOUNDARIES]
    return min((instant for instant in found if instant is not None), default=None)
