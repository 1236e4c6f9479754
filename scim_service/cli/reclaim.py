"""The command `reclaim`: who holds a seat and does not use it."""

from __future__ import annotations

from datetime import timedelta

import click

from scim_service.cli import arguments, opening, output
from scim_service.cli.arguments import Duration
from scim_service.licensing import reclaim as idleness


@click.group()
def reclaim() -> None:
    """Seats that are held and not used. Nothing is taken back by itself."""


@reclaim.command()
@arguments.slug
@arguments.any_type
@click.option("--idle", type=Duration(), help="Not used for so long, such as 30d; else each type's own --reclaim.")
@arguments.as_json
def report(slug: str, type_code: str | None, idle: timedelta | None, as_json: bool) -> None:
    """List who holds a seat and does not use it, who was idle longest first, and what gives the seat.

    \b
    Example:
      scim-service reclaim report acme --type professional --idle 30d
    """
    found = opening.ask_about_seats(slug, lambda work: idleness.report(work, type_code, idle))
    rows = [
        {
            "user": one.user_name,
            "type": one.type_code,
            "since": one.since,
            "days": one.days,
            "used": one.used,
            "direct": one.direct,
            "source": list(one.sources),
            "groups": list(one.groups),
        }
        for one in found
    ]
    output.listing(rows, as_json, "Nobody is idle.")
