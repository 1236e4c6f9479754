"""The command `token`: bearer tokens of a connection, shown once."""

from __future__ import annotations

from datetime import timedelta

import click

from scim_service.access import connections, credentials
from scim_service.access.credentials import Credential
from scim_service.cli import arguments, opening, output
from scim_service.licensing import direct
from scim_service.storage.work import Work

OVERLAP = timedelta(hours=24)

_connection = click.option("--connection", "name", required=True, metavar="NAME", help="The connection's name.")
_days = click.option(
    "--days",
    type=click.IntRange(1, credentials.MOST_DAYS),
    default=credentials.DAYS,
    show_default=True,
    help="How many days it lives.",
)


@click.group()
def token() -> None:
    """The bearer tokens of a connection: shown once, kept as a hash, found by their visible prefix."""


@token.command()
@arguments.slug
@_connection
@click.option(
    "--scope",
    type=click.Choice(credentials.SCOPES),
    help="read and write (which it is when left out) are for SCIM, check for the questions of /api/v1.",
)
@click.option("--user", metavar="USERNAME", help="For this person's own /Me, and for nothing else.")
@_days
@arguments.as_json
def create(slug: str, name: str, scope: str | None, user: str | None, days: int, as_json: bool) -> None:
    """Make a token and print it, alone on standard output and this once.

    \b
    Example:
      scim-service token create acme --connection okta --days 180
      scim-service token create acme --connection portal --user mara@example.com
    """
    if scope is not None and user is not None:
        raise click.UsageError("A token that stands for a person has no other scope; leave --scope out.")

    def act(work: Work) -> str:
        person = None if user is None else direct.locked_person(work, user).seq
        return credentials.create(work, connections.find(work, name), scope or credentials.WRITE, days, user_seq=person)

    made = opening.change(slug, act)
    _print_once(made, f"This token is shown only now. It lives for {days} days.", as_json)


@token.command("list")
@arguments.slug
@click.option("--connection", "name", metavar="NAME", help="Only this connection's.")
@arguments.as_json
def list_tokens(slug: str, name: str | None, as_json: bool) -> None:
    """List tokens without their secrets: prefix, scope, and until when they work.

    \b
    Example:
      scim-service token list acme --connection okta
    """

    def question(work: Work) -> list[dict[str, object]]:
        if name is not None:
            connections.find(work, name)
        return [_row(one, work) for one in credentials.listing(work, name)]

    output.listing(opening.ask(slug, question), as_json, "No token yet. Make one with: scim-service token create")


@token.command()
@arguments.slug
@click.argument("prefix")
@arguments.as_json
def revoke(slug: str, prefix: str, as_json: bool) -> None:
    """End a token now. PREFIX is what `token list` shows.

    \b
    Example:
      scim-service token revoke acme 3f9a2c71
    """
    ended = opening.change(slug, lambda work: credentials.revoke(work, prefix))
    output.made(
        f"The token {ended.prefix} of {ended.connection} is revoked.",
        {"prefix": ended.prefix, "connection": ended.connection, "state": "revoked"},
        as_json,
    )


@token.command()
@arguments.slug
@click.argument("prefix")
@_connection
@_days
@click.option(
    "--overlap",
    type=arguments.Duration(),
    default=OVERLAP,
    show_default="24h",
    help="How long the old token works beside the new one.",
)
@arguments.as_json
def rotate(slug: str, prefix: str, name: str, days: int, overlap: timedelta, as_json: bool) -> None:
    """Make a token's successor and print it; the old one works on for a while, so that nobody is cut off.

    \b
    Example:
      scim-service token rotate acme --connection okta 3f9a2c71 --overlap 24h
    """

    def act(work: Work) -> str:
        return credentials.rotate(work, connections.find(work, name), prefix, days, overlap)

    made = opening.change(slug, act)
    _print_once(made, f"This token is shown only now. {prefix} works on for {output.cell(overlap)}.", as_json)


def _print_once(token_text: str, sentence: str, as_json: bool) -> None:
    """The token on standard output, what there is to say about it on standard error."""
    output.made(token_text, {"token": token_text, "prefix": token_text[5:13]}, as_json)
    click.echo(sentence, err=True)


def _row(one: Credential, work: Work) -> dict[str, object]:
    ends = min(one.expires_at, one.revoked_at or one.expires_at)
    state = "live" if work.now < ends else "revoked" if ends == one.revoked_at else "expired"
    return {
        "prefix": one.prefix,
        "connection": one.connection,
        "scope": one.scope,
        "state": state,
        "since": one.created_at,
        "until": ends,
    }
