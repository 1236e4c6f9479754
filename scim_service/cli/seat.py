"""The command `seat`: what becomes of a license after it was given, by hand."""

from __future__ import annotations

import click

from scim_service.cli import arguments, opening, output
from scim_service.directory import people
from scim_service.licensing import conversion, lifecycle
from scim_service.storage.work import Work

RELEASED = "released"
"""What is said where nothing is left."""


@click.group()
def seat() -> None:
    """What becomes of a license that somebody has: stopped, resumed, taken back, handed on, exchanged."""


@seat.command()
@arguments.slug
@arguments.user
@arguments.type_code
@click.option(
    "--free-seat/--hold-seat", default=None, help="Give the seat to the queue, or hold it; as the type says otherwise."
)
@arguments.reason
@arguments.preview
@arguments.as_json
def suspend(
    slug: str,
    user: str,
    type_code: str,
    free_seat: bool | None,
    reason: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Stop a license without ending it. The seat is held, so that `seat resume` always restores it.

    \b
    Example:
      scim-service seat suspend acme --user alice@acme.example --type professional
    """
    state = opening.change_previewed(
        slug,
        lambda work: lifecycle.suspend(work, user, type_code, free_seat=free_seat, reason=reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    _told(f"{type_code} of {output.cell(user)} is {state}.", user, type_code, state, as_json)


@seat.command()
@arguments.slug
@arguments.user
@arguments.type_code
@arguments.reason
@arguments.preview
@arguments.as_json
def resume(
    slug: str, user: str, type_code: str, reason: str, dry_run: bool, version: str | None, as_json: bool
) -> None:
    """End a suspension. A seat that was held is in use again; for a freed one the person may have to wait.

    \b
    Example:
      scim-service seat resume acme --user alice@acme.example --type professional
    """
    state = opening.change_previewed(
        slug,
        lambda work: lifecycle.resume(work, user, type_code, reason=reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    _told(f"{type_code} of {output.cell(user)} is {state or RELEASED}.", user, type_code, state, as_json)


@seat.command()
@arguments.slug
@arguments.user
@arguments.any_type
@arguments.reason
@arguments.preview
@arguments.as_json
def remove(
    slug: str, user: str, type_code: str | None, reason: str, dry_run: bool, version: str | None, as_json: bool
) -> None:
    """Take back what was given by hand, at once; without --type all of it. What a group gives is refused by name.

    \b
    Example:
      scim-service seat remove acme --user alice@acme.example --type professional
    """
    left = opening.change_previewed(
        slug,
        lambda work: lifecycle.remove(work, user, type_code, reason=reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    rows = [{"user": user, "type": code, "state": state or RELEASED} for code, state in left.items()]
    output.listing(rows, as_json, "Nothing.")


@seat.command()
@arguments.slug
@click.option("--from", "from_user", required=True, metavar="USERNAME", help="Who has the license now.")
@click.option("--to", "to_user", required=True, metavar="USERNAME", help="Who gets it.")
@arguments.type_code
@click.option("--create", is_flag=True, help="Make the person of --to in the same step.")
@arguments.given_name
@arguments.family_name
@arguments.email
@arguments.reason
@arguments.preview
@arguments.as_json
def reassign(
    slug: str,
    from_user: str,
    to_user: str,
    type_code: str,
    create: bool,
    given_name: str,
    family_name: str,
    email: str,
    reason: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Hand a license that was given by hand to somebody else, with the same seat: the queue does not move.

    \b
    Example:
      scim-service seat reassign acme --from alice@acme.example --to bob@acme.example --type professional
    """
    if not create and (given_name or family_name or email):
        raise click.UsageError("Names and an address are for a person who is made in the same step; add --create.")
    form = people.form(to_user, given_name, family_name, email)

    def act(work: Work) -> str | None:
        if create:
            return people.reassign(work, from_user, type_code, form, reason=reason).state
        return lifecycle.reassign(work, from_user, type_code, to_user, reason=reason)

    state = opening.change_previewed(slug, act, dry_run=dry_run, version=version, as_json=as_json)
    sentence = f"{type_code} of {output.cell(from_user)} is {output.cell(to_user)}'s now: {state}."
    _told(sentence, to_user, type_code, state, as_json)


@seat.command("change-type")
@arguments.slug
@arguments.user
@arguments.type_code
@click.option("--to", "to_code", required=True, metavar="CODE", help="The type instead.")
@click.option("--pin", is_flag=True, help="Fix the new type in its family, whatever a group gives.")
@arguments.reason
@arguments.preview
@arguments.as_json
def change_type(
    slug: str,
    user: str,
    type_code: str,
    to_code: str,
    pin: bool,
    reason: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Exchange a license for one of another type in one step. Without a free seat of that type nothing changes.

    \b
    Example:
      scim-service seat change-type acme --user alice@acme.example --type basic --to professional
    """
    state = opening.change_previewed(
        slug,
        lambda work: lifecycle.change_type(work, user, type_code, to_code, pin=pin, reason=reason),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    _told(f"{output.cell(user)} has {to_code} instead of {type_code}: {state}.", user, to_code, state, as_json)


@seat.command()
@arguments.slug
@click.option("--user", metavar="USERNAME", help="Only this person.")
@arguments.any_type
@arguments.preview
@arguments.as_json
def convert(
    slug: str, user: str | None, type_code: str | None, dry_run: bool, version: str | None, as_json: bool
) -> None:
    """End the direct licenses of people who have the same by a group. No seat moves; where one would, it stays.

    \b
    Example:
      scim-service seat convert acme --type professional --dry-run
    """
    found = opening.change_previewed(
        slug,
        lambda work: conversion.convert(work, type_code, user),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    rows = [{"user": one.user_name, "type": one.type_code, "outcome": one.outcome} for one in found]
    output.listing(rows, as_json, "Nobody has a type both directly and by a group.")


def _told(sentence: str, user: str, type_code: str, state: str | None, as_json: bool) -> None:
    output.made(sentence, {"user": user, "type": type_code, "state": state or RELEASED}, as_json)
