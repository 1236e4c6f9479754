"""What was bought: contracts, their seat lines, renewals (licensing.md D-5, E-18, E-21). `capacity.py` counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import names
from scim_service.delivery import outbox
from scim_service.licensing import capacity, catalog, contract_steps, facts, gate, passing
from scim_service.licensing.capacity import Shortfall
from scim_service.licensing.gate import Gate
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST_SEATS = capacity.MOST
GRACE = timedelta(days=14)
REJECT, FREEZE, IMMEDIATE = "reject", "freeze", "immediate"
MODES = (REJECT, FREEZE, IMMEDIATE)
"""When seats fall below what is used (E-21): refuse, let the surplus keep its seats for a while, or take them."""

_contracts = tables.licensing.contracts
_renewals = tables.licensing.renewals
_lines = tables.licensing.seat_lines
_types = tables.licensing.license_types
_old = _contracts.alias("old")
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_ALL = (
    sa.select(_contracts, _old.c.number.label("renewal_of"))
    .outerjoin(
        _renewals,
        sa.and_(_renewals.c.tenant_id == _contracts.c.tenant_id, _renewals.c.contract_seq == _contracts.c.seq),
    )
    .outerjoin(_old, sa.and_(_old.c.tenant_id == _renewals.c.tenant_id, _old.c.seq == _renewals.c.renewed_seq))
    .where(_contracts.c.tenant_id == _TENANT)
    .order_by(_contracts.c.starts_at, _contracts.c.seq)
)
_BY_NUMBER = _ALL.where(_contracts.c.number == sa.bindparam("number"))
_LINES = (
    sa.select(_lines, _types.c.code)
    .join(_types, sa.and_(_types.c.tenant_id == _lines.c.tenant_id, _types.c.seq == _lines.c.type_seq))
    .where(_lines.c.tenant_id == _TENANT, _lines.c.contract_seq == sa.bindparam("contract"))
    .order_by(_types.c.code, _lines.c.seq)
)
_SET_QUANTITY = (
    sa.update(_lines)
    .where(_lines.c.tenant_id == _TENANT, _lines.c.seq == sa.bindparam("which"))
    .values(quantity=sa.bindparam("new_quantity"))
)


@dataclass(frozen=True)
class SeatLine:
    """So many seats of a type, in the contract's period or a part of it; `reserve` of them for direct grants."""

    type_code: str
    quantity: int
    starts: datetime | None = None
    ends: datetime | None = None
    reserve: int = 0
    overage: str = capacity.BLOCK
    seq: int = 0


@dataclass(frozen=True)
class Contract:
    """Seat lines, from `starts_at` until just before `ends_at` (None: open), then `grace` in which holders stay."""

    seq: int
    number: str
    starts_at: datetime
    ends_at: datetime | None
    grace: timedelta = GRACE
    renewal_of: str | None = None
    lines: tuple[SeatLine, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seats(self) -> dict[str, int]:
        """Seats by type code, all lines added up."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.type_code] = found.get(line.type_code, 0) + line.quantity
        return found


@dataclass(frozen=True)
class Terms:
    """When a contract holds, and what comes after; `overage` and `reserve` by type code."""

    starts: datetime | None = None
    ends: datetime | None = None
    grace: timedelta = GRACE
    overage: Mapping[str, str] = field(default_factory=dict)
    reserve: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def create(
    work: Work,
    number: str,
    seats: Mapping[str, int],
    starts: datetime | None = None,
    ends: datetime | None = None,
    terms: Terms | None = None,
) -> Contract:
    """Sign a contract, from now on unless it says otherwise; its seats go to who waits, in the same transaction (A-5).

    Raises InvalidValue for a period or a number of seats that cannot be, NotFound for an unknown type, Uniqueness for a
    taken number.
    """
    given = terms or Terms(starts, ends)
    return _sign(work, gate.enter(work), number, _planned(work, seats, given), given, None)


def renew(work: Work, number: str, new_number: str, seats: Mapping[str, int], terms: Terms) -> Contract:
    """Sign the contract that supersedes another from its own start on (D-5, E-18): the same people stay.

    Without a start it follows the old one's end, or begins now where that is open or past; seats that are not named
    stay as they were. With fewer seats than holders the surplus keeps its seats for `overcap_grace`. Notices of the old
    one's end that were not sent yet are taken back (N-6).
    """
    old = find(work, number)
    if work.value(_RENEWED, contract=old.seq) is not None:
        raise errors.Refused(
            f"The contract {number!r} is renewed already; renew its renewal, or change the seats of that.",
            code="renewed_already",
        )
    begins = terms.starts or max(work.now, old.ends_at or work.now)
    if begins < old.starts_at:
        raise errors.InvalidValue(
            f"A renewal cannot start before what it renews, which starts at {old.starts_at:%Y-%m-%d %H:%M} UTC.",
            code="bad_period",
        )
    kept = [replace(line, seq=0) for line in old.lines if line.type_code not in seats and _outlasts(line, begins)]
    inherited = {line.type_code: line.overage for line in old.lines}
    overage = {code: terms.overage.get(code, inherited.get(code, capacity.BLOCK)) for code in seats}
    details = {**old.details, **terms.details}
    given = replace(terms, starts=begins, overage={**overage, **terms.overage}, details=details)
    planned = [*_planned(work, seats, given), *kept]
    signed = _sign(work, gate.enter(work), new_number, planned, given, old)
    if contract_steps.goes_on(old, signed, work.now):
        outbox.cancel_all(work, contract_steps.beginning(old, listing(work)), contract_steps.RENEWED)
    return signed


def add_line(work: Work, number: str, line: SeatLine) -> Contract:
    """Add seats of a type to a contract, for a part of its time if it says so; who waits gets them (A-5)."""
    contract = find(work, number)
    if line.starts is not None and line.ends is not None and line.ends <= line.starts:
        raise errors.InvalidValue(
            "A line ends after it starts. Give an end later than its start, or none.", code="bad_period"
        )
    _refuse_line(work, line)
    entered = gate.enter(work)
    _insert_lines(work, contract.seq, [line])
    audit.record(work, "contract:changed", number, line=line_facts(line))
    _take_effect(entered)
    return find(work, number)


def set_seats(work: Work, number: str, seats: Mapping[str, int], mode: str = REJECT) -> Contract:
    """Change how many seats a contract has of the types named; the others stay. More seats go to who waits (A-5).

    Below what is used (E-21): `reject` raises Refused with the excess, `freeze` lets the surplus keep its seats for the
    tenant's `overcap_grace`, `immediate` takes them now, from the least senior on.
    """
    if mode not in MODES:
        raise errors.InvalidValue(f"A mode is one of: {', '.join(MODES)}.", code="bad_mode")
    contract = find(work, number)
    entered = gate.enter(work)
    for line in _planned(work, seats, Terms()):
        _set_line(work, contract, line)
    entered.reread_lines()
    before = entered.refresh_capacity()
    if mode == REJECT:
        _refuse_excess(entered, {seq: kind.limit for seq, kind in before.items()})
    audit.record(work, "contract:changed", number, seats=dict(seats), mode=mode)
    grace = timedelta(0) if mode == IMMEDIATE else entered.settings.overcap_grace
    _take_effect(entered, Shortfall(facts.CAP_DECREASE, entered.now + grace))
    return find(work, number)


def approve_overage(work: Work, type_code: str, user_seq: int | None = None) -> int:
    """Approve one more seat above the cap of a type whose line says `approve` (A-2); the seats approved so far.

    It goes to the head of the queue, or to the person for whom it was approved, whom the caller holds. Raises Refused
    where there is no such line, or its maximum is reached.
    """
    kind = catalog.find_type(work, type_code)
    entered = gate.enter(work)
    if not entered.types[kind.seq].approval:
        raise errors.Refused(
            f"No contract allows a seat of {type_code} above its cap to be approved. Buy more instead.",
            code="no_approval",
        )
    entered.approved[kind.seq] += 1
    work.execute(_APPROVE, type=kind.seq)
    audit.record(work, "overage:approved", type_code, approved=entered.approved[kind.seq])
    _take_effect(entered, heir=None if user_seq is None else (user_seq, kind.seq))
    return entered.approved[kind.seq]


def find(work: Work, number: str) -> Contract:
    """The contract with this number. Raises NotFound."""
    row = work.row(_BY_NUMBER, number=number)
    if row is None:
        raise errors.NotFound(
            f"There is no contract {number!r}. Make it with: scim-service contract create", code="unknown_contract"
        )
    return _contract(work, row)


def listing(work: Work) -> list[Contract]:
    """Every contract, by its start."""
    return [_contract(work, row) for row in work.rows(_ALL)]


_ledger = tables.licensing.ledger
_APPROVE = (
    sa.update(_ledger)
    .where(_ledger.c.tenant_id == _TENANT, _ledger.c.type_seq == sa.bindparam("type"))
    .values(approved=_ledger.c.approved + 1)
)
_RENEWED = sa.select(_renewals.c.contract_seq).where(
    _renewals.c.tenant_id == _TENANT, _renewals.c.renewed_seq == sa.bindparam("contract")
)


def _sign(
    work: Work, entered: Gate, number: str, planned: Sequence[SeatLine], terms: Terms, old: Contract | None
) -> Contract:
    starts_at = terms.starts or work.now
    _refuse_names(number, terms.details)
    if terms.ends is not None and terms.ends <= starts_at:
        raise errors.InvalidValue(
            "A contract ends after it starts. Give an end later than its start, or none.", code="bad_period"
        )
    grace = catalog.seconds_of(terms.grace)
    details = orjson.dumps(dict(terms.details)).decode()
    seq = work.insert_one(
        _contracts, number=number, starts_at=starts_at, ends_at=terms.ends, grace=grace, details=details
    )
    if old is not None:
        work.insert(_renewals, [{"renewed_seq": old.seq, "contract_seq": seq}])
    _insert_lines(work, seq, planned)
    signed = find(work, number)
    audit.record(work, "contract:created", number, seats=signed.seats, **facts_of(signed))
    grace_of_surplus = entered.now + entered.settings.overcap_grace
    _take_effect(entered, Shortfall(facts.CAP_DECREASE, grace_of_surplus, renews=True) if old else None)
    return find(work, number)


def _refuse_names(number: str, details: Mapping[str, Any]) -> None:
    names.check("A contract's number", number)
    for contact in details.get("contacts", ()):
        names.check("A contract's contact", contact)
    if "plan" in details:
        names.check("A contract's plan", details["plan"])


def _take_effect(entered: Gate, why: Shortfall | None = None, heir: tuple[int, int] | None = None) -> None:
    """Seats that are there now go to who waits, to the `heir` first; those that are missing are a surplus (A-8)."""
    entered.reread_lines()
    before = entered.refresh_capacity()
    reasons = dict.fromkeys(entered.types, why) if why else {}
    changed = {seq: reason for seq, reason in reasons.items() if reason is not None}
    heirs = [heir] if heir is not None else []
    touched = [*dict.fromkeys([*passing.turned(entered, before), *(user_seq for user_seq, _ in heirs)])]
    entered.settle(touched, opened=set(entered.types), first=heirs, why=changed)
    entered.reschedule()
    if why is not None and why.deadline <= entered.now:
        passing.catch_up(entered)


def _refuse_excess(entered: Gate, before: Mapping[int, int | None]) -> None:
    for seq, kind in entered.types.items():
        limit, used, old = kind.limit, entered.consuming[seq], before[seq]
        if limit is not None and (old is None or limit < old) and limit < used:
            raise errors.Refused(
                f"{used} seats of {kind.code} are used, {used - limit} more than the {limit} that would be left. "
                f"Free {used - limit} first, keep at least {used}, or say --mode freeze.",
                code="below_use",
            )


def _planned(work: Work, seats: Mapping[str, int], terms: Terms) -> list[SeatLine]:
    found = []
    unknown = {*terms.overage, *terms.reserve} - set(seats)
    if unknown:
        raise errors.InvalidValue(
            f"There are no seats of {', '.join(sorted(unknown))} in this contract.", code="unknown_license"
        )
    for code, quantity in seats.items():
        overage = terms.overage.get(code, capacity.BLOCK)
        line = SeatLine(code, quantity, None, None, terms.reserve.get(code, 0), overage)
        _refuse_line(work, line)
        found.append(line)
    return found


def _refuse_line(work: Work, line: SeatLine) -> None:
    """Raise where there cannot be such a line."""
    code, quantity = line.type_code, line.quantity
    if not catalog.find_type(work, code).counted:
        raise errors.InvalidValue(
            f"{code} is a free type: it has no seats to count. Leave it out of the contract.", code="free_type"
        )
    if not 0 <= quantity <= MOST_SEATS:
        raise errors.InvalidValue(f"A line of {code} has 0 to {MOST_SEATS:,} seats.", code="bad_quantity")
    if not 0 <= line.reserve <= quantity:
        raise errors.InvalidValue(
            f"Of {quantity} seats of {code}, 0 to {quantity} can be reserved.", code="bad_reserve"
        )
    capacity.parse_overage(line.overage)


def _set_line(work: Work, contract: Contract, wanted: SeatLine) -> None:
    """The open line of a type gets the quantity; other lines of that type, which are for a part of the time, stay."""
    mine = [line for line in contract.lines if line.type_code == wanted.type_code]
    whole = [line for line in mine if line.starts is None and line.ends is None]
    if whole:
        work.execute(_SET_QUANTITY, which=whole[0].seq, new_quantity=wanted.quantity)
    else:
        _insert_lines(work, contract.seq, [wanted])


def _insert_lines(work: Work, contract_seq: int, planned: Sequence[SeatLine]) -> None:
    rows = [
        {
            "contract_seq": contract_seq,
            "type_seq": catalog.find_type(work, line.type_code).seq,
            "quantity": line.quantity,
            "valid_from": line.starts,
            "valid_to": line.ends,
            "reserve": line.reserve,
            "overage": line.overage,
        }
        for line in planned
    ]
    work.insert(_lines, rows)


def _outlasts(line: SeatLine, instant: datetime) -> bool:
    return line.ends is None or line.ends > instant


def facts_of(contract: Contract) -> dict[str, Any]:
    """A contract as the event log keeps it, under its number."""
    return {
        "starts_at": contract.starts_at,
        "ends_at": contract.ends_at,
        "grace": catalog.seconds_of(contract.grace),
        "renewal_of": contract.renewal_of,
        "details": dict(contract.details),
        "lines": [line_facts(line) for line in contract.lines],
    }


def line_facts(line: SeatLine) -> dict[str, Any]:
    """A seat line as the event log keeps it."""
    times = {"from": line.starts, "to": line.ends}
    return {
        "type": line.type_code,
        "quantity": line.quantity,
        **times,
        "reserve": line.reserve,
        "overage": line.overage,
    }


def _contract(work: Work, row: Any) -> Contract:
    found = tuple(
        SeatLine(one.code, one.quantity, one.valid_from, one.valid_to, one.reserve, one.overage, one.seq)
        for one in work.rows(_LINES, contract=row.seq)
    )
    grace = timedelta(seconds=row.grace)
    return Contract(
        row.seq, row.number, row.starts_at, row.ends_at, grace, row.renewal_of, found, orjson.loads(row.details)
    )
