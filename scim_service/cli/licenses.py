"""The commands `license-type` and `contract`: what is sold, and how much of it was bought."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import catalog, contracts
from scim_service.licensing.contracts import Contract

_number = click.option("--number", required=True, help="The contract's number.")


@click.group()
def license_type() -> None:
    """What a person can hold a seat of. Of one family a person holds one type: the highest rank there is a seat for."""


@license_type.command()
@arguments.slug
@click.argument("code")
@click.option("--name", required=True, help="The type's name as people read it.")
@click.option("--product", help="The product that it belongs to; made when first named.")
@click.option("--family", help="Types of one family stand for each other.")
@click.option("--rank", type=int, default=0, show_default=True, help="Higher is better, within the family.")
@click.option("--free", is_flag=True, help="Not counted: no contract and no cap.")
@arguments.exit_grace
@arguments.as_json
def create(
    slug: str,
    code: str,
    name: str,
    product: str | None,
    family: str | None,
    rank: int,
    free: bool,
    exit_grace: timedelta | None,
    as_json: bool,
) -> None:
    """Make a license type. CODE is its short name in every later command.

    \b
    Example:
      scim-service license-type create acme professional --name Professional --family suite --rank 20
    """
    made = opening.change(
        slug,
        lambda work: catalog.create_type(
            work, code, name, product=product, family=family, rank=rank, counted=not free, exit_grace=exit_grace
        ),
    )
    record = {
        "type": made.code,
        "name": made.name,
        "product": made.product,
        "family": made.family,
        "rank": made.rank,
        "free": not made.counted,
        "exit_grace": made.exit_grace,
    }
    output.made(f"License type {made.code} is made.", record, as_json)


@license_type.command("list")
@arguments.slug
@arguments.as_json
def list_types(slug: str, as_json: bool) -> None:
    """List the license types, with family and rank, whether they are counted, and their exit grace.

    \b
    Example:
      scim-service license-type list acme
    """
    rows = [
        {
            "type": one.code,
            "name": one.name,
            "product": one.product,
            "family": one.family,
            "rank": one.rank,
            "free": not one.counted,
            "exit_grace": one.exit_grace,
        }
        for one in opening.ask(slug, catalog.types)
    ]
    output.listing(rows, as_json, f"No license type yet. Make one with: scim-service license-type create {slug}")


@click.group()
def contract() -> None:
    """How many seats of each license type were bought, from when to when."""


@contract.command("create")
@arguments.slug
@click.argument("more", nargs=-1, type=arguments.Seats(), metavar="[CODE=COUNT]...")
@_number
@click.option(
    "--seats", multiple=True, required=True, type=arguments.Seats(), help="Seats of a type, several if wanted."
)
@click.option("--starts", type=arguments.Instant(), help="From when it counts; from now unless given.")
@click.option("--ends", type=arguments.Instant(), help="Until when it counts; without end unless given.")
@arguments.as_json
def create_contract(
    slug: str,
    more: tuple[tuple[str, int], ...],
    number: str,
    seats: tuple[tuple[str, int], ...],
    starts: datetime | None,
    ends: datetime | None,
    as_json: bool,
) -> None:
    """Make a contract with its seats; the cap of a type is the sum over all contracts that are valid now.

    \b
    Example:
      scim-service contract create acme --number C-1 --seats basic=40 professional=10 --ends 2028-03-01T00:00:00Z
    """
    wanted = arguments.seats_by_code([*seats, *more])
    made = opening.change(slug, lambda work: contracts.create(work, number, wanted, starts, ends))
    output.made(f"Contract {made.number} is made: {_seats(made)}.", _facts(made), as_json)


@contract.command()
@arguments.slug
@click.argument("seats", nargs=-1, required=True, type=arguments.Seats(), metavar="CODE=COUNT...")
@_number
@arguments.as_json
def set_seats(slug: str, seats: tuple[tuple[str, int], ...], number: str, as_json: bool) -> None:
    """Change how many seats of a type a contract has. Fewer than are used is refused, with the excess.

    \b
    Example:
      scim-service contract set-seats acme --number C-1 basic=60
    """
    wanted = arguments.seats_by_code(seats)
    changed = opening.change(slug, lambda work: contracts.set_seats(work, number, wanted))
    output.made(f"Contract {changed.number} has now: {_seats(changed)}.", _facts(changed), as_json)


def _seats(found: Contract) -> str:
    return ", ".join(f"{code}={count}" for code, count in found.seats.items())


def _facts(found: Contract) -> dict[str, object]:
    return {"number": found.number, "seats": found.seats, "starts": found.starts_at, "ends": found.ends_at}
