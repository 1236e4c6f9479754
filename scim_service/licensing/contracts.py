"""What was bought: contracts and their seat lines (licensing.md D-5). Capacity follows from them (`capacity.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.licensing import catalog
from scim_service.licensing import seats as gates
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST_SEATS = 1_000_000_000

_contracts = tables.licensing.contracts
_lines = tables.licensing.seat_lines
_types = tables.licensing.license_types
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_BY_NUMBER = sa.select(_contracts).where(
    _contracts.c.tenant_id == _TENANT, _contracts.c.number == sa.bindparam("number")
)
_SEATS = (
    sa.select(_types.c.code, sa.func.sum(_lines.c.quantity).label("seats"))
    .join(_types, sa.and_(_types.c.tenant_id == _lines.c.tenant_id, _types.c.seq == _lines.c.type_seq))
    .where(_lines.c.tenant_id == _TENANT, _lines.c.contract_seq == sa.bindparam("contract"))
    .group_by(_types.c.code)
    .order_by(_types.c.code)
)
_DROP_LINES = sa.delete(_lines).where(
    _lines.c.tenant_id == _TENANT,
    _lines.c.contract_seq == sa.bindparam("contract"),
    _lines.c.type_seq == sa.bindparam("type"),
)


@dataclass(frozen=True)
class Contract:
    """Seats by type code, from `starts_at` until just before `ends_at` (None: open)."""

    seq: int
    number: str
    starts_at: datetime
    ends_at: datetime | None
    seats: dict[str, int]


def create(
    work: Work,
    number: str,
    seats: Mapping[str, int],
    starts: datetime | None = None,
    ends: datetime | None = None,
) -> Contract:
    """Sign a contract, from now on unless it says otherwise; its seats go to who waits, in the same transaction (A-5).

    Raises InvalidValue for a period or a number of seats that cannot be, NotFound for an unknown type, Uniqueness for a
    taken number.
    """
    starts_at = starts or work.now
    if not number.strip() or len(number) > 256:
        raise errors.InvalidValue("A contract's number is a text of 1 to 256 characters.")
    if ends is not None and ends <= starts_at:
        raise errors.InvalidValue("A contract ends after it starts. Give an end later than its start, or none.")
    lines = _type_seqs(work, seats)
    gate = gates.enter(work)
    seq = work.insert_one(_contracts, number=number, starts_at=starts_at, ends_at=ends)
    work.insert(_lines, [_line(seq, type_seq, quantity) for type_seq, quantity in lines.items()])
    audit.record(work, "contract:created", number, seats=dict(seats), starts_at=starts_at, ends_at=ends)
    _take_effect(gate)
    return Contract(seq, number, starts_at, ends, dict(seats))


def set_seats(work: Work, number: str, seats: Mapping[str, int]) -> Contract:
    """Change how many seats a contract has of the types named; the others stay. More seats go to who waits (A-5).

    Raises Refused when the limit would fall below what is used, with the excess (decision 29, E-21).
    """
    contract = find(work, number)
    lines = _type_seqs(work, seats)
    gate = gates.enter(work)
    before = {seq: kind.limit for seq, kind in gate.types.items()}
    for type_seq, quantity in lines.items():
        work.execute(_DROP_LINES, contract=contract.seq, type=type_seq)
        work.insert(_lines, [_line(contract.seq, type_seq, quantity)])
    gate.refresh_capacity()
    _refuse_excess(gate, before)
    audit.record(work, "contract:changed", number, seats=dict(seats))
    _take_effect(gate)
    return find(work, number)


def find(work: Work, number: str) -> Contract:
    """The contract with this number. Raises NotFound."""
    row = work.row(_BY_NUMBER, number=number)
    if row is None:
        raise errors.NotFound(f"There is no contract {number!r}. Make it with: scim-service contract create")
    held = {line.code: int(line.seats) for line in work.rows(_SEATS, contract=row.seq)}
    return Contract(row.seq, row.number, row.starts_at, row.ends_at, held)


def _take_effect(gate: gates.Gate) -> None:
    gate.refresh_capacity()
    gate.settle([], opened=gate.types)
    gate.reschedule()


def _refuse_excess(gate: gates.Gate, before: Mapping[int, int | None]) -> None:
    for seq, kind in gate.types.items():
        limit, used, old = kind.limit, gate.consuming[seq], before[seq]
        if limit is not None and old is not None and limit < old and limit < used:
            raise errors.Refused(
                f"{used} seats of {kind.code} are used, {used - limit} more than the {limit} that would be left. "
                f"Free {used - limit} first, or keep at least {used}."
            )


def _type_seqs(work: Work, seats: Mapping[str, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for code, quantity in seats.items():
        kind = catalog.find_type(work, code)
        if not kind.counted:
            raise errors.InvalidValue(f"{code} is a free type: it has no seats to count. Leave it out of the contract.")
        if not 0 <= quantity <= MOST_SEATS:
            raise errors.InvalidValue(f"A line of {code} has 0 to {MOST_SEATS:,} seats.")
        found[kind.seq] = quantity
    return found


def _line(contract_seq: int, type_seq: int, quantity: int) -> dict[str, int | None]:
    return {
        "contract_seq": contract_seq,
        "type_seq": type_seq,
        "quantity": quantity,
        "valid_from": None,
        "valid_to": None,
    }
