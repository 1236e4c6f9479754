"""The command `request`: people ask for a license, and somebody decides."""

from __future__ import annotations

from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.cli.previews import Beside
from scim_service.licensing import requests
from scim_service.licensing.requests import Request


@click.group()
def request() -> None:
    """Requests of people for a license: made, approved, denied."""


@request.command()
@arguments.slug
@arguments.user
@arguments.type_code
@click.option("--reason", required=True, help="Why the person needs it, for who decides.")
@arguments.preview
@arguments.as_json
def create(
    slug: str, user: str, type_code: str, reason: str, dry_run: bool, version: str | None, as_json: bool
) -> None:
    """Ask for a license. By the type's mode it is granted at once, or stays open until somebody decides.

    \b
    Example:
      scim-service request create acme --user alice@acme.example --type analytics --reason "Quarterly report"
    """
    made = opening.change_previewed(
        slug,
        lambda work: requests.create(work, user, type_code, reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        beside=_would,
    )
    output.made(_told(made), _row(made), as_json)


@request.command()
@arguments.slug
@arguments.user
@arguments.type_code
@click.option("--reason", default="", help="What is kept beside the decision.")
@arguments.preview
@arguments.as_json
def approve(
    slug: str, user: str, type_code: str, reason: str, dry_run: bool, version: str | None, as_json: bool
) -> None:
    """Grant an open request; without a free seat the person waits. Approves one seat above the cap where that is asked.

    \b
    Example:
      scim-service request approve acme --user alice@acme.example --type analytics
    """
    made = opening.change_previewed(
        slug,
        lambda work: requests.approve(work, user, type_code, reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        beside=_would,
    )
    output.made(_told(made), _row(made), as_json)


@request.command()
@arguments.slug
@arguments.user
@arguments.type_code
@click.option("--reason", required=True, help="What the person is told.")
@arguments.as_json
def deny(slug: str, user: str, type_code: str, reason: str, as_json: bool) -> None:
    """Refuse an open request, with the reason. The person can ask again after 7 days.

    \b
    Example:
      scim-service request deny acme --user alice@acme.example --type analytics --reason "No budget this year"
    """
    made = opening.change(slug, lambda work: requests.deny(work, user, type_code, reason))
    output.made(_told(made), _row(made), as_json)


@request.command("list")
@arguments.slug
@click.option("--state", type=click.Choice(requests.STATES), help="Only this state.")
@arguments.as_json
def list_requests(slug: str, state: str | None, as_json: bool) -> None:
    """List the requests, oldest first, with what was decided.

    \b
    Example:
      scim-service request list acme --state open
    """
    found = opening.ask(slug, lambda work: requests.listing(work, state))
    rows = [{name: value for name, value in _row(one).items() if name != "license"} for one in found]
    output.listing(rows, as_json, "No request.")


def _would(made: Request) -> Beside:
    """What would become of the request, beside the preview of the seats."""
    return Beside(f"The request would be {made.state}.", {"request": _row(made)})


def _told(made: Request) -> str:
    who = f"The request of {output.cell(made.user_name)} for {made.type_code}"
    if made.state == requests.APPROVED:
        return f"{who} is approved; the license is {made.license}."
    if made.not_before is not None:
        return f"{who} is denied; it can be made again from {output.instant(made.not_before)} on."
    return f"{who} is open. Decide it with: scim-service request approve, or request deny"


def _row(one: Request) -> dict[str, Any]:
    return {
        "user": one.user_name,
        "type": one.type_code,
        "state": one.state,
        "reason": one.reason,
        "since": one.made_at,
        "decided_at": one.decided_at,
        "decided_by": one.decided_by,
        "decision": one.decision,
        "not_before": one.not_before,
        "license": one.license,
    }
