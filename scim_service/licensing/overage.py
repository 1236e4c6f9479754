"""Use above what was bought: the high-water mark of each contract period, and who was beyond the cap (A-4, C-27)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.licensing import facts
from scim_service.licensing.capacity import Line
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST_NAMES = 1_000
"""How many people beyond the cap are kept by name; the figure itself has no bound."""

_waters = tables.licensing.high_waters
_assignments = tables.licensing.assignments
_users = tables.directory.users
_contracts = tables.licensing.contracts
_types = tables.licensing.license_types
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_OF_ONE = (
    _waters.c.tenant_id == _TENANT,
    _waters.c.contract_seq == sa.bindparam("contract"),
    _waters.c.type_seq == sa.bindparam("type"),
)
_HIGHEST = sa.select(_waters.c.used).where(*_OF_ONE)
_FORGET = sa.delete(_waters).where(*_OF_ONE)
_BEYOND = (
    sa.select(_users.c.id)
    .join(
        _assignments, sa.and_(_assignments.c.tenant_id == _users.c.tenant_id, _assignments.c.user_seq == _users.c.seq)
    )
    .where(
        _users.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
    )
    .order_by(_assignments.c.priority.desc(), _assignments.c.claimed_since.desc(), _assignments.c.rank_seq.desc())
    .limit(sa.bindparam("first"))
)
_LISTED = (
    sa.select(_waters, _contracts.c.number, _types.c.code)
    .join(
        _contracts, sa.and_(_contracts.c.tenant_id == _waters.c.tenant_id, _contracts.c.seq == _waters.c.contract_seq)
    )
    .join(_types, sa.and_(_types.c.tenant_id == _waters.c.tenant_id, _types.c.seq == _waters.c.type_seq))
    .where(_waters.c.tenant_id == _TENANT)
    .order_by(_contracts.c.number, _types.c.code)
)


@dataclass(frozen=True)
class HighWater:
    """The most seats of a type in use in a contract's period, what was bought then, and the ids of those beyond it."""

    number: str
    type_code: str
    used: int
    cap: int
    at: datetime
    people: list[str]

    @property
    def true_up(self) -> int:
        """How many seats a true-up contract owes (A-4)."""
        return max(0, self.used - self.cap)


def note_high_water(work: Work, lines: Iterable[Line], type_seq: int, used: int, now: datetime) -> None:
    """More seats are in use than bought, and more than ever in the period: keep how many, when, and who."""
    valid = [line for line in lines if line.type_seq == type_seq and line.is_valid(now)]
    cap = sum(line.quantity for line in valid)
    if not valid or used <= cap:
        return
    people = [row.id for row in work.rows(_BEYOND, type=type_seq, first=min(used - cap, MOST_NAMES))]
    for contract_seq in sorted({line.contract_seq for line in valid}):
        if used <= (work.value(_HIGHEST, contract=contract_seq, type=type_seq) or 0):
            continue
        work.execute(_FORGET, contract=contract_seq, type=type_seq)
        facts_now = {"used": used, "cap": cap, "at": now, "people": orjson.dumps(people[::-1]).decode()}
        work.insert(_waters, [{"contract_seq": contract_seq, "type_seq": type_seq, **facts_now}])


def high_waters(work: Work) -> list[HighWater]:
    """Every mark, by contract and type."""
    return [
        HighWater(row.number, row.code, row.used, row.cap, row.at, orjson.loads(row.people))
        for row in work.rows(_LISTED)
    ]
