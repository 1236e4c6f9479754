"""The command `invitation`: people are invited by letter, reminded, asked anew, and taken back."""

from __future__ import annotations

from typing import Any

import click

from scim_service.access.invitations import Invitation
from scim_service.cli import arguments, opening, output
from scim_service.delivery import languages
from scim_service.directory import invitations
from scim_service.directory.invitations import Invited, Standing


@click.group()
def invitation() -> None:
    """Invitations of people: a letter with a link, a seat reserved, reminders, and a lapse that frees the seat."""


@invitation.command()
@arguments.slug
@click.option("--email", required=True, metavar="EMAIL", help="Where the letter goes.")
@click.option("--user", metavar="USERNAME", help="The person's userName; the address when left out.")
@arguments.given_name
@arguments.family_name
@click.option("--type", "type_code", metavar="CODE", help="The license type that a seat is reserved of.")
@click.option("--language", type=click.Choice(languages.LANGUAGES), help="A new person's language; else the tenant's.")
@arguments.preview
@arguments.as_json
def create(
    slug: str,
    email: str,
    user: str | None,
    given_name: str,
    family_name: str,
    type_code: str | None,
    language: str | None,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Invite somebody. Who has an account already is told instead, and has the license at once.

    Without a free seat of the type nobody is invited.

    \b
    Example:
      scim-service invitation create acme --email bob@acme.example --given-name Bob --type professional
    """
    more: dict[str, Any] = {"given_name": given_name, "family_name": family_name, "user_name": user}
    made = opening.change_previewed(
        slug,
        lambda work: invitations.create(work, email, type_code=type_code, language=language, **more),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(_told(made), _made(made), as_json)


@invitation.command("list")
@arguments.slug
@arguments.as_json
def list_invitations(slug: str, as_json: bool) -> None:
    """List who is asked for what, how far the ladder is, and what comes when. Administrators are in `admin list`.

    \b
    Example:
      scim-service invitation list acme
    """
    found = opening.ask(slug, invitations.standing)
    output.listing([_row(one) for one in found], as_json, "Nobody was invited or asked to verify an address yet.")


@invitation.command()
@arguments.slug
@arguments.user
@arguments.preview
@arguments.as_json
def resend(slug: str, user: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Write anew to who has not answered: the invitation, or once that is accepted the verification.

    Older links are dead, the reminders begin again. After a lapse a free seat is needed again.

    \b
    Example:
      scim-service invitation resend acme --user bob@acme.example
    """
    made = opening.change_previewed(
        slug, lambda work: invitations.resend(work, user), dry_run=dry_run, version=version, as_json=as_json
    )
    output.made(f"The {made.kind} of {output.cell(user)} is sent again.", _asked(user, made), as_json)


@invitation.command()
@arguments.slug
@arguments.user
@arguments.as_json
def remind(slug: str, user: str, as_json: bool) -> None:
    """Remind of what is open: a letter with another link, older links are dead. Reminders by the clock go on.

    \b
    Example:
      scim-service invitation remind acme --user bob@acme.example
    """
    made = opening.change(slug, lambda work: invitations.remind(work, user))
    output.made(f"{output.cell(user)} is reminded of the {made.kind}.", _asked(user, made), as_json)


@invitation.command()
@arguments.slug
@arguments.user
@arguments.preview
@arguments.as_json
def remove(slug: str, user: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Take an invitation back that is not accepted: its links are dead, its seat is free.

    A person who is here by the invitation alone is gone with it.

    \b
    Example:
      scim-service invitation remove acme --user bob@acme.example
    """
    gone = opening.change_previewed(
        slug, lambda work: invitations.remove(work, user), dry_run=dry_run, version=version, as_json=as_json
    )
    rest = " and the person is gone" if gone else ""
    record = {"user": user, "state": "removed", "person_gone": gone}
    output.made(f"The invitation of {output.cell(user)} is taken back{rest}.", record, as_json)


def _told(made: Invited) -> str:
    license_ = f" with {made.type_code}: {made.state}" if made.type_code else ""
    if made.path == invitations.BELONGS:
        return f"{output.cell(made.user_name)} has an account already, and is told{license_}."
    return f"{output.cell(made.user_name)} is invited at {output.cell(made.email)}{license_}."


def _made(made: Invited) -> dict[str, object]:
    return {
        "user": made.user_name,
        "id": made.user_id,
        "email": made.email,
        "result": made.path,
        "type": made.type_code,
        "state": made.state,
    }


def _asked(user: str, made: Invitation) -> dict[str, object]:
    return {
        "user": user,
        "email": made.email,
        "kind": made.kind,
        "state": made.state,
        "cycle": made.cycle,
        "next_at": made.due_at,
        "until": made.expires_at,
    }


def _row(one: Standing) -> dict[str, object]:
    row = one.row
    return {
        "user": one.user_name,
        "email": row.email,
        "kind": row.kind,
        "state": row.state,
        "type": row.details.get("type"),
        "step": row.step,
        "next": one.next,
        "next_at": row.due_at,
        "since": row.done_at or row.sent_at,
        "until": row.expires_at if row.is_open else None,
        "cycle": row.cycle,
    }
