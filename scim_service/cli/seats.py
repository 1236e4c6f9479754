"""The command `seats`: how many there are of every type and who uses them, and whether the tables are right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import drops, usage, verify
from scim_service.licensing.drops import Drop
from scim_service.licensing.usage import SeatLine
from scim_service.storage.work import Work

WRONG = 1
"""The exit status of `seats verify` where something is not as it should be."""


class Seats(click.Group):
    """`seats SLUG` is `seats list SLUG`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *self.get_help_option_names(ctx)}
        return super().parse_args(ctx, args if not args or args[0] in known else ["list", *args])


@click.group(cls=Seats)
def seats() -> None:
    """Used and free seats of every license type: scim-service seats SLUG."""


@seats.command("list")
@arguments.slug
@arguments.as_json
def list_seats(slug: str, as_json: bool) -> None:
    """List every license type: cap, limit, the seats in use, who waits, is in grace or suspended, and what is above it.

    Where more seats are used than there are, `drops` says how many are given up when.

    \b
    Example:
      scim-service seats list acme
    or, which is the same:
      scim-service seats acme
    """
    found, planned = opening.ask_about_seats(slug, _seats)
    none = f"No license type yet. Make one with: scim-service license-type create {slug} CODE --name NAME"
    output.listing([_row(one, planned.get(one.code, ()), as_json) for one in found], as_json, none)


@seats.command("verify")
@arguments.slug
@arguments.as_json
def verify_seats(slug: str, as_json: bool) -> None:
    """Compare the ledger, the rows and a full resolution of everybody. Exit status 1 where they do not agree.

    \b
    Example:
      scim-service seats verify acme
    """
    found = opening.ask_about_seats(slug, verify.findings)
    if as_json:
        click.echo(json.dumps({"tenant": slug, "findings": found}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(output.cell(one) for one in found) or f"The seats of {slug} are as they should be.")
    if found:
        raise click.exceptions.Exit(WRONG)


def _seats(work: Work) -> tuple[list[SeatLine], dict[str, list[Drop]]]:
    lines = usage.seats(work)
    of_types = drops.of_types(work)
    return lines, {one.code: of_types[one.seq] for one in lines if one.seq in of_types}


def _row(one: SeatLine, planned: Sequence[Drop], as_json: bool) -> Mapping[str, Any]:
    told = [
        {"seats": drop.amount, "reason": drop.reason, "until": drop.deadline}
        if as_json
        else f"{drop.amount} until {output.instant(drop.deadline)} ({drop.reason})"
        for drop in planned
    ]
    return {
        "type": one.code,
        "name": one.name,
        "product": one.product,
        "family": one.family,
        "rank": one.rank,
        "used": one.used,
        "limit": one.limit,
        "waiting": one.waiting,
        "grace": one.grace,
        "cap": one.cap,
        "overage": one.overage,
        "suspended": one.suspended,
        "blocked": one.blocked,
        "not_accepted": one.not_accepted,
        "drops": told,
    }
