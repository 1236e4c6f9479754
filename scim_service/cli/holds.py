"""The command `hold`: seats that are kept because an identity provider removed too many people at once."""

from __future__ import annotations

from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.cli.previews import Beside
from scim_service.directory import holds as undoing
from scim_service.licensing import holds
from scim_service.licensing.holds import Confirmed, Held

NOTHING = "No seat is held."


@click.group()
def hold() -> None:
    """Seats that are kept after a mass removal: for at most as long as the tenant's hold, then the queue has them."""


@hold.command("list")
@arguments.slug
@arguments.any_type
@arguments.as_json
def list_holds(slug: str, type_code: str | None, as_json: bool) -> None:
    """List the seats that are held, for whom, and until when.

    \b
    Example:
      scim-service hold list acme
    """
    found = opening.ask_about_seats(slug, lambda work: holds.listing(work, type_code))
    output.listing([_row(one) for one in found], as_json, NOTHING)


@hold.command()
@arguments.slug
@arguments.any_type
@arguments.preview
@arguments.as_json
def confirm(slug: str, type_code: str | None, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Say that the removal was meant: the queue has the seats now.

    \b
    Example:
      scim-service hold confirm acme --type professional --dry-run
    """
    done = opening.change_previewed(
        slug,
        lambda work: holds.confirm(work, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        beside=lambda would: _confirmed(would, True),
    )
    told = _confirmed(done, False)
    output.made(told.text, told.record, as_json)


@hold.command()
@arguments.slug
@arguments.any_type
@arguments.preview
@arguments.as_json
def undo(slug: str, type_code: str | None, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Say that the removal was an error: the people are active again, with their own seats.

    Deleted people have to be sent again by the identity provider; their seats wait for them meanwhile.

    \b
    Example:
      scim-service hold undo acme
    """
    done = opening.change_previewed(
        slug,
        lambda work: undoing.undo(work, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        beside=lambda would: _undone(would, True),
    )
    told = _undone(done, False)
    output.made(told.text, told.record, as_json)


def _confirmed(done: Confirmed, dry_run: bool) -> Beside:
    served = [{"user": user, "type": code} for user, code in done.served]
    record = {"dry_run": dry_run, "ended": [_row(one) for one in done.ended], "served": served}
    names = ", ".join(f"{output.cell(user)} ({code})" for user, code in done.served) or "nobody"
    would = "would be" if dry_run else "are"
    return Beside(f"{len(done.ended)} seats {would} let go; from the queue, a seat goes to: {names}.", record)


def _undone(done: tuple[list[Held], list[Held]], dry_run: bool) -> Beside:
    restored, left = done
    record = {
        "dry_run": dry_run,
        "restored": [_row(one) for one in restored],
        "waiting_for": [_row(one) for one in left],
    }
    would = "would be" if dry_run else "are"
    people = len({one.user_id for one in restored})
    sentence = f"{people} people {would} active again with {len(restored)} seats."
    if left:
        sentence += (
            f" {len(left)} seats still wait for people who were deleted; let the identity provider send them again."
        )
    return Beside(sentence, record)


def _row(one: Held) -> dict[str, Any]:
    return {"user": one.user_name, "type": one.type_code, "state": one.state, "until": one.until, "id": one.user_id}
