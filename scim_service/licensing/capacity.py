"""How many seats there are at an instant: the contract lines valid then, with their overage (licensing.md A-1, A-2).

Periods are half-open `[from, to)`. A renewal supersedes its predecessor from its own start; other lines add up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import facts
from scim_service.storage import tables
from scim_service.storage.work import Work

_contracts = tables.licensing.contracts
_renewals = tables.licensing.renewals
_lines = tables.licensing.seat_lines
_later = _contracts.alias("later")
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_LINES = (
    sa.select(
        _lines.c.seq,
        _lines.c.contract_seq,
        _lines.c.type_seq,
        _lines.c.quantity,
        _lines.c.reserve,
        _lines.c.overage,
        _lines.c.valid_from,
        _lines.c.valid_to,
        _contracts.c.starts_at,
        _contracts.c.ends_at,
        _contracts.c.grace,
        _later.c.starts_at.label("superseded_at"),
    )
    .join(_contracts, sa.and_(_contracts.c.tenant_id == _lines.c.tenant_id, _contracts.c.seq == _lines.c.contract_seq))
    .outerjoin(
        _renewals,
        sa.and_(_renewals.c.tenant_id == _contracts.c.tenant_id, _renewals.c.renewed_seq == _contracts.c.seq),
    )
    .outerjoin(_later, sa.and_(_later.c.tenant_id == _renewals.c.tenant_id, _later.c.seq == _renewals.c.contract_seq))
    .where(_lines.c.tenant_id == _TENANT)
    .order_by(_lines.c.seq)
)

BLOCK, PERCENT, COUNT, APPROVE, TRUE_UP = "block", "percent", "count", "approve", "true_up"
MOST = 1_000_000_000


@dataclass(frozen=True)
class Line:
    """So many seats of a type, from an instant until just before another (None: open), and what is allowed beyond."""

    seq: int
    contract_seq: int
    type_seq: int
    quantity: int
    reserve: int
    overage: str
    starts: datetime
    ends: datetime | None
    contract_ends: datetime | None
    contract_grace: timedelta
    superseded_at: datetime | None

    def is_valid(self, at: datetime) -> bool:
        """Whether its seats are there at an instant."""
        return self.starts <= at and (self.ends is None or at < self.ends)

    def is_over(self, at: datetime) -> bool:
        """Whether its seats were there once, and are no more."""
        return self.ends is not None and self.starts < self.ends <= at


@dataclass(frozen=True)
class Capacity:
    """What was bought of a type (`cap`), and what may be used (`limit`, None: without limit).

    `reserve` of it is kept for direct grants. `inactive`: its contracts are over. `approval`: seats above the cap can
    be approved one by one.
    """

    cap: int = 0
    limit: int | None = 0
    reserve: int = 0
    inactive: bool = False
    approval: bool = False


@dataclass(frozen=True)
class Shortfall:
    """Why there are fewer seats than there were, and until when the surplus keeps its own (A-8, decision 43)."""

    reason: str
    deadline: datetime
    renews: bool = False


def lines(work: Work) -> list[Line]:
    """Every seat line of the tenant, past and future."""
    return [_line(row) for row in work.rows(_LINES)]


def at(known: Iterable[Line], instant: datetime, approved: Mapping[int, int] | None = None) -> dict[int, Capacity]:
    """The capacity of each type that has a line, at an instant; `approved` counts seats approved above the cap."""
    by_type: dict[int, list[Line]] = {}
    for line in known:
        by_type.setdefault(line.type_seq, []).append(line)
    granted = approved or {}
    return {seq: _capacity(found, instant, granted.get(seq, 0)) for seq, found in by_type.items()}


def next_boundary(known: Iterable[Line], after: datetime) -> datetime | None:
    """The first instant after this one at which a line begins or ends."""
    found = [instant for line in known for instant in (line.starts, line.ends) if instant is not None]
    return min((instant for instant in found if instant > after), default=None)


def shortfall(known: Iterable[Line], type_seq: int, instant: datetime, grace: timedelta) -> Shortfall:
    """Why a type has too few seats from this instant on; `grace` is the tenant's `overcap_grace`."""
    ended = [line for line in known if line.type_seq == type_seq and line.ends == instant]
    if any(line.superseded_at == instant for line in ended):
        return Shortfall(facts.CAP_DECREASE, instant + grace, renews=True)
    over = [line.contract_grace for line in ended if line.contract_ends == instant]
    if over:
        return Shortfall(facts.CONTRACT_END, instant + max(over))
    renewed = any(line.type_seq == type_seq and line.starts == instant for line in known)
    return Shortfall(facts.LINE_END if ended else facts.CAP_DECREASE, instant + grace, renews=renewed)


def parse_overage(text: str) -> str:
    """An overage as it is stored: `block`, `percent:25`, `count:3`, `approve`, `approve:2` or `true_up` (A-2).

    Raises InvalidValue for anything else.
    """
    word, _, amount = text.partition(":")
    is_number = amount.isascii() and amount.isdigit() and int(amount) <= MOST
    if text in (BLOCK, TRUE_UP, APPROVE) or (word in (PERCENT, COUNT, APPROVE) and is_number):
        return text
    raise errors.InvalidValue(
        f"{text!r} is no overage. Write block, percent:25, count:3, approve, approve:2 or true_up.",
        code="bad_overage",
    )


def _capacity(known: Sequence[Line], instant: datetime, approved: int) -> Capacity:
    valid = [line for line in known if line.is_valid(instant)]
    if not valid:
        return Capacity(inactive=any(line.is_over(instant) for line in known))
    quantities: dict[str, int] = {}
    for line in valid:
        quantities[line.overage] = quantities.get(line.overage, 0) + line.quantity
    most = _most_approved(quantities)
    granted = min(approved, most) if most is not None else approved
    limit = None if TRUE_UP in quantities else sum(_limit(*one) for one in quantities.items()) + granted
    approval = any(overage.startswith(APPROVE) for overage in quantities) and (most is None or granted < most)
    return Capacity(sum(quantities.values()), limit, sum(line.reserve for line in valid), False, approval)


def _limit(overage: str, quantity: int) -> int:
    word, _, amount = overage.partition(":")
    if word == PERCENT:
        return quantity * (100 + int(amount)) // 100
    return quantity + int(amount) if word == COUNT else quantity


def _most_approved(overages: Collection[str]) -> int | None:
    """How many seats may be approved at most; None for any number."""
    amounts = [one.partition(":")[2] for one in overages if one.startswith(APPROVE)]
    return None if "" in amounts else sum(int(amount) for amount in amounts)


def _line(row: Any) -> Line:
    ends = [one for one in (row.ends_at, row.valid_to, row.superseded_at) if one is not None]
    starts = max(one for one in (row.starts_at, row.valid_from) if one is not None)
    return Line(
        row.seq,
        row.contract_seq,
        row.type_seq,
        row.quantity,
        row.reserve,
        row.overage,
        starts,
        min(ends, default=None),
        row.ends_at,
        timedelta(seconds=row.grace),
        row.superseded_at,
    )
