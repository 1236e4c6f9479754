"""The commands about who holds what: `assign`, `unassign`, `seats`, `people`, `group list`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.directory import groups
from scim_service.licensing import direct, facts, usage
from scim_service.licensing import explain as explaining
from scim_service.licensing.explain import Explanation
from scim_service.licensing.usage import Holding
from scim_service.storage.work import Work

STATES = facts.STATES


@click.command()
@arguments.slug
@arguments.user
@arguments.type_code
@click.option("--pin/--unpin", default=None, help="Fix this type in its family, whatever better one a group gives.")
@arguments.expires
@arguments.note
@arguments.preview
@arguments.as_json
def assign(
    slug: str,
    user: str,
    type_code: str,
    pin: bool | None,
    expires: datetime | None,
    note: str | None,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Give a person a license directly, whatever the groups say. Refused when no seat is free.

    Again it changes only what is given: the pin, the expiry (`never` takes it back), the note.

    \b
    Example:
      scim-service assign acme --user alice@acme.example --type analytics --expires 2027-12-31T00:00:00Z
    """
    terms: dict[str, Any] = {"pinned": pin, "expires_at": expires, "note": note}
    found = opening.change_previewed(
        slug,
        lambda work: _assigned(work, user, type_code, **terms),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    states = ", ".join(one.state for one in found) or "none"
    record = {"user": user, "type": type_code, "state": found[0].state if found else None}
    output.made(f"{output.cell(user)} now holds a direct claim to {type_code}: {states}.", record, as_json)


def _assigned(work: Work, user: str, type_code: str, **terms: Any) -> list[Explanation]:
    direct.assign(work, user, type_code, **terms)
    return explaining.explain(work, user, type_code)


@click.command()
@arguments.slug
@arguments.user
@arguments.type_code
@arguments.preview
@arguments.as_json
def unassign(slug: str, user: str, type_code: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Take a directly given license back, at once. What a group gives is refused, naming the group and the rule.

    \b
    Example:
      scim-service unassign acme --user alice@acme.example --type analytics
    """
    left = opening.change_previewed(
        slug,
        lambda work: direct.unassign(work, user, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    record = {"user": user, "type": type_code, "state": left or "released"}
    output.made(f"{output.cell(user)} has no direct claim to {type_code} any more.", record, as_json)


@click.command()
@arguments.slug
@arguments.any_type
@click.option("--state", type=click.Choice(STATES), help="Only this state.")
@arguments.as_json
def people(slug: str, type_code: str | None, state: str | None, as_json: bool) -> None:
    """List who holds a seat or waits for one: state, reason, since when, and the place in the queue.

    \b
    Example:
      scim-service people acme --type professional --state waiting
    """
    found = opening.ask_about_seats(slug, lambda work: usage.people(work, type_code, state))
    output.listing([_holding_row(one) for one in found], as_json, "Nobody.")


@click.group()
def group() -> None:
    """The groups that the identity providers pushed."""


@group.command("list")
@arguments.slug
@click.option("--with-rules/--without-rules", default=None, help="Only groups that give a license, or that give none.")
@arguments.as_json
def list_groups(slug: str, with_rules: bool | None, as_json: bool) -> None:
    """List the groups with their members and the license types that their rules give.

    \b
    Example:
      scim-service group list acme --without-rules
    """
    found = opening.ask(slug, groups.overview)
    wanted = [one for one in found if with_rules is None or bool(one.types) == with_rules]
    output.listing(
        [_group_row(one) for one in wanted], as_json, "There is no such group yet; identity providers make them."
    )


def _group_row(one: groups.GroupLine) -> dict[str, object]:
    return {
        "group": one.display_name,
        "members": one.member_count,
        "unknown": one.pending,
        "connection": one.connection,
        "types": list(one.types),
        "id": one.id,
    }


def _holding_row(one: Holding) -> dict[str, object]:
    return {
        "user": one.user_name,
        "type": one.type_code,
        "state": one.state,
        "reason": one.reason,
        "since": one.since,
        "until": one.until,
        "position": one.position,
        "source": one.sources,
        "status": one.status,
    }
