"""The command `contract`: how much was bought, from when to when, and what is allowed beyond (licensing.md D-5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import capacity, contracts, overage
from scim_service.licensing.contracts import Contract, SeatLine, Terms
from scim_service.licensing.overage import HighWater
from scim_service.storage.work import Work

_number = click.option("--number", required=True, help="The contract's number.")
_OVERAGE = arguments.Named("CODE=OVERAGE", "basic=percent:25")
_TERMS = arguments.options(
    click.option("--starts", type=arguments.Instant(), help="From when it counts; from now unless given."),
    click.option("--ends", type=arguments.Instant(), help="Until when it counts; without end unless given."),
    click.option(
        "--grace", type=arguments.Duration(), help="How long holders stay after its end: 14d, or as the renewed one."
    ),
    click.option(
        "--overage",
        multiple=True,
        type=_OVERAGE,
        help="What is allowed above the seats of a type: block, percent:25, count:3, approve, approve:2 or true_up.",
    ),
    click.option(
        "--reserve", multiple=True, type=arguments.Seats(), help="So many of the seats are kept for direct grants."
    ),
    click.option("--plan", help="The plan that it is for."),
    click.option("--contact", multiple=True, help="Whom its notices concern, several if wanted."),
)


@click.group()
def contract() -> None:
    """How many seats of each license type were bought, from when to when."""


@contract.command()
@arguments.slug
@click.argument("more", nargs=-1, type=arguments.Seats(), metavar="[CODE=COUNT]...")
@_number
@click.option(
    "--seats", multiple=True, required=True, type=arguments.Seats(), help="Seats of a type, several if wanted."
)
@_TERMS
@arguments.preview
@arguments.as_json
def create(
    slug: str,
    more: tuple[tuple[str, int], ...],
    number: str,
    seats: tuple[tuple[str, int], ...],
    dry_run: bool,
    version: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Make a contract with its seats; the cap of a type is the sum over all contracts that are valid now.

    \b
    Example:
      scim-service contract create acme --number C-1 --seats basic=40 professional=10 --ends 2028-03-01T00:00:00Z
    """
    wanted, terms = arguments.seats_by_code([*seats, *more]), _terms(**given)
    made = opening.change_previewed(
        slug,
        lambda work: contracts.create(work, number, wanted, terms=terms),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"Contract {made.number} is made: {_seats(made)}.", _record(made), as_json)


@contract.command()
@arguments.slug
@click.argument("more", nargs=-1, type=arguments.Seats(), metavar="[CODE=COUNT]...")
@_number
@click.option("--as", "new_number", required=True, metavar="NEW", help="The number of the new contract.")
@click.option("--seats", multiple=True, type=arguments.Seats(), help="Seats that change; the others stay.")
@_TERMS
@arguments.preview
@arguments.as_json
def renew(
    slug: str,
    more: tuple[tuple[str, int], ...],
    number: str,
    new_number: str,
    seats: tuple[tuple[str, int], ...],
    dry_run: bool,
    version: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Put a new contract in the place of another, from the end of that one on unless --starts says else.

    The same people stay. With fewer seats than holders, the least senior keep theirs for the tenant's overcap_grace.

    \b
    Example:
      scim-service contract renew acme --number C-1 --as C-2 --seats basic=50 --ends 2029-03-01T00:00:00Z
    """
    wanted = arguments.seats_by_code([*seats, *more])
    made = opening.change_previewed(
        slug,
        lambda work: _renewed(work, number, new_number, wanted, given),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"Contract {made.number} renews {number}: {_seats(made)}.", _record(made), as_json)


@contract.command()
@arguments.slug
@_number
@click.option("--seats", required=True, type=arguments.Seats(), help="So many seats of a type.")
@click.option("--from", "starts", type=arguments.Instant(), help="From when; as the contract unless given.")
@click.option("--to", "ends", type=arguments.Instant(), help="Until when; as the contract unless given.")
@click.option("--overage", metavar="OVERAGE", default=capacity.BLOCK, help="What is allowed above them; block.")
@click.option("--reserve", type=click.IntRange(min=0), default=0, help="So many of them for direct grants.")
@arguments.preview
@arguments.as_json
def add_line(
    slug: str,
    number: str,
    seats: tuple[str, int],
    starts: datetime | None,
    ends: datetime | None,
    overage: str,
    reserve: int,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Add seats to a contract, for a part of its time if wanted.

    \b
    Example:
      scim-service contract add-line acme --number C-1 --seats basic=10 --from 2027-06-01T00:00:00Z
    """
    line = SeatLine(*seats, starts, ends, reserve, overage)
    changed = opening.change_previewed(
        slug,
        lambda work: contracts.add_line(work, number, line),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"Contract {changed.number} has now: {_seats(changed)}.", _record(changed), as_json)


@contract.command()
@arguments.slug
@click.argument("seats", nargs=-1, required=True, type=arguments.Seats(), metavar="CODE=COUNT...")
@_number
@click.option(
    "--mode",
    type=click.Choice(contracts.MODES),
    default=contracts.REJECT,
    show_default=True,
    help="Below what is used: refuse, let the surplus keep its seats for a while, or take them now.",
)
@arguments.preview
@arguments.as_json
def set_seats(
    slug: str,
    seats: tuple[tuple[str, int], ...],
    number: str,
    mode: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Change how many seats of a type a contract has. Fewer than are used is refused, unless --mode says else.

    \b
    Example:
      scim-service contract set-seats acme --number C-1 basic=60
    """
    wanted = arguments.seats_by_code(seats)
    changed = opening.change_previewed(
        slug,
        lambda work: contracts.set_seats(work, number, wanted, mode),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"Contract {changed.number} has now: {_seats(changed)}.", _record(changed), as_json)


@contract.command()
@arguments.slug
@arguments.type_code
@arguments.preview
@arguments.as_json
def approve_overage(slug: str, type_code: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Approve one more seat above the cap of a type whose overage is approve; who waited longest gets it.

    \b
    Example:
      scim-service contract approve-overage acme --type professional
    """
    approved = opening.change_previewed(
        slug,
        lambda work: contracts.approve_overage(work, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    record = {"type": type_code, "approved": approved}
    output.made(f"Approved above the cap of {type_code} so far: {approved}.", record, as_json)


@contract.command()
@arguments.slug
@_number
@arguments.as_json
def show(slug: str, number: str, as_json: bool) -> None:
    """Show a contract: its time, its lines, and the most that was used above them.

    \b
    Example:
      scim-service contract show acme --number C-1
    """
    found, waters = opening.ask(slug, lambda work: (contracts.find(work, number), overage.high_waters(work)))
    marks = [one for one in waters if one.number == number]
    record = {**_record(found), "high_waters": [_mark(one) for one in marks]}
    output.made(_sheet(found, marks), record, as_json)


@contract.command("list")
@arguments.slug
@arguments.as_json
def list_contracts(slug: str, as_json: bool) -> None:
    """List the contracts, the one that starts first at the top.

    \b
    Example:
      scim-service contract list acme
    """
    found = opening.ask(slug, contracts.listing)
    rows = [_record(one) if as_json else _row(one) for one in found]
    output.listing(rows, as_json, f"No contract yet. Make one with: scim-service contract create {slug}")


def _renewed(work: Work, number: str, new_number: str, seats: dict[str, int], given: dict[str, Any]) -> Contract:
    grace = given["grace"] if given["grace"] is not None else contracts.find(work, number).grace
    return contracts.renew(work, number, new_number, seats, _terms(**{**given, "grace": grace}))


def _terms(
    starts: datetime | None,
    ends: datetime | None,
    grace: timedelta | None,
    overage: Sequence[tuple[str, str]],
    reserve: Sequence[tuple[str, int]],
    plan: str | None,
    contact: Sequence[str],
) -> Terms:
    details = {"plan": plan, "contacts": list(contact)}
    more = {name: value for name, value in details.items() if value not in (None, [])}
    return Terms(
        starts,
        ends,
        contracts.GRACE if grace is None else grace,
        arguments.by_name(overage),
        arguments.by_name(reserve),
        more,
    )


def _seats(found: Contract) -> str:
    return ", ".join(f"{code}={count}" for code, count in found.seats.items())


def _row(found: Contract) -> dict[str, Any]:
    return {
        "number": found.number,
        "seats": _seats(found),
        "starts": found.starts_at,
        "ends": found.ends_at,
        "grace": found.grace,
        "renewal_of": found.renewal_of,
    }


def _record(found: Contract) -> dict[str, Any]:
    lines = [{"line": one.seq, **_line(one)} for one in found.lines]
    more = {"plan": found.details.get("plan"), "contacts": found.details.get("contacts", [])}
    return {**_row(found), "seats": found.seats, **more, "lines": lines}


def _line(one: SeatLine) -> dict[str, Any]:
    return {
        "type": one.type_code,
        "quantity": one.quantity,
        "from": one.starts,
        "to": one.ends,
        "reserve": one.reserve,
        "overage": one.overage,
    }


def _mark(one: HighWater) -> dict[str, Any]:
    return {
        "type": one.type_code,
        "used": one.used,
        "cap": one.cap,
        "true_up": one.true_up,
        "at": one.at,
        "people": one.people,
    }


def _sheet(found: Contract, marks: Sequence[HighWater]) -> str:
    ends = output.instant(found.ends_at) if found.ends_at else "without end"
    head = [
        f"Contract {output.cell(found.number)}, from {output.instant(found.starts_at)}, until {ends}",
        f"Grace after the end: {output.cell(found.grace)}",
    ]
    head += [f"Renews {output.cell(found.renewal_of)}"] if found.renewal_of else []
    parts = ["\n".join(head), output.table([_line(one) for one in found.lines])]
    if marks:
        parts.append(
            "Most ever used above:\n" + output.table([{**_mark(one), "people": len(one.people)} for one in marks])
        )
    return "\n\n".join(parts)
