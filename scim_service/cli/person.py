"""The command `person`: people by hand, beside what an identity provider does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.cli import arguments, opening, output
from scim_service.cli.arguments import Instant
from scim_service.directory import people
from scim_service.directory.accounts import Account
from scim_service.directory.documents import Resource
from scim_service.directory.grants import Grant
from scim_service.directory.people import Made, Profile
from scim_service.licensing import permissions
from scim_service.storage.work import Work

_notify = click.option("--notify", is_flag=True, help="Tell the new person by a letter.")
_new_user = click.option("--user", required=True, metavar="USERNAME", help="The userName of the new person.")


@click.group()
def person() -> None:
    """People by hand: made, copied, replaced, deactivated, banned; the switches of their accounts, and their grants."""


@person.command()
@arguments.slug
@_new_user
@arguments.given_name
@arguments.family_name
@arguments.email
@arguments.any_type
@click.option("--replace", "replaces", metavar="USERNAME", help="Deactivate this person, whose seat the new one gets.")
@arguments.expires
@arguments.note
@_notify
@arguments.reason
@arguments.preview
@arguments.as_json
def add(
    slug: str,
    user: str,
    given_name: str,
    family_name: str,
    email: str,
    type_code: str | None,
    replaces: str | None,
    expires: datetime | None,
    note: str | None,
    notify: bool,
    reason: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Make a person from nothing. With --type the person gets that license; without a free seat nobody is made.

    \b
    Example:
      scim-service person add acme --user bob@acme.example --given-name Bob --type professional
      scim-service person add acme --user bob@acme.example --replace alice@acme.example
    """
    if type_code is None and replaces is None and (expires or note):
        raise click.UsageError("--expires and --note are of a license; name it with --type.")
    form = people.form(user, given_name, family_name, email)
    terms: dict[str, Any] = {"expires_at": expires, "note": note or "", "reason": reason, "replaces": replaces}
    terms["notify"] = notify
    made = opening.change_previewed(
        slug,
        lambda work: people.add(work, form, type_code, **terms),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    _made(made, as_json)


@person.command()
@arguments.slug
@click.option("--from", "from_user", required=True, metavar="USERNAME", help="Whose type and grants are copied.")
@_new_user
@arguments.given_name
@arguments.family_name
@arguments.email
@arguments.any_type
@_notify
@arguments.reason
@arguments.preview
@arguments.as_json
def copy(
    slug: str,
    from_user: str,
    user: str,
    given_name: str,
    family_name: str,
    email: str,
    type_code: str | None,
    notify: bool,
    reason: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Make a person like another one: the same type, for ever, with a seat of its own, and the same grants.

    \b
    Example:
      scim-service person copy acme --from alice@acme.example --user bob@acme.example --given-name Bob
    """
    form = people.form(user, given_name, family_name, email)
    made = opening.change_previewed(
        slug,
        lambda work: people.copy(work, from_user, form, type_code, reason=reason, notify=notify),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    _made(made, as_json)


@person.command()
@arguments.slug
@arguments.user
@arguments.reason
@arguments.preview
@arguments.as_json
def deactivate(slug: str, user: str, reason: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """End a person's access at once: seats go to the queue, sessions and API keys are void. Nothing is deleted.

    \b
    Example:
      scim-service person deactivate acme --user alice@acme.example
    """
    _turned(slug, user, lambda work: people.deactivate(work, user, reason=reason), dry_run, version, as_json)


@person.command()
@arguments.slug
@arguments.user
@arguments.reason
@arguments.preview
@arguments.as_json
def reactivate(slug: str, user: str, reason: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Let a person in again: a seat where one is free, else a place at the end of the queue.

    \b
    Example:
      scim-service person reactivate acme --user alice@acme.example
    """
    _turned(slug, user, lambda work: people.reactivate(work, user, reason=reason), dry_run, version, as_json)


@person.command()
@arguments.slug
@arguments.user
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the event log as it is typed.")
@arguments.preview
@arguments.as_json
def ban(slug: str, user: str, reason: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Keep a person out, whatever the identity provider says. Only `person unban` lifts it.

    \b
    Example:
      scim-service person ban acme --user mallory@acme.example --reason "sold the address book"
    """
    account = opening.change_previewed(
        slug, lambda work: people.ban(work, user, reason), dry_run=dry_run, version=version, as_json=as_json
    )
    record = {"user": user, "banned": True, "reason": account.ban_reason, "since": account.banned_at}
    output.made(f"{output.cell(user)} is banned.", record, as_json)


@person.command()
@arguments.slug
@arguments.user
@arguments.reason
@arguments.preview
@arguments.as_json
def unban(slug: str, user: str, reason: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Lift a ban: `active` counts again, and every reason for a license counts from now.

    \b
    Example:
      scim-service person unban acme --user mallory@acme.example
    """
    _turned(slug, user, lambda work: people.unban(work, user, reason=reason), dry_run, version, as_json)


@person.command()
@arguments.slug
@arguments.user
@click.option("--void-sessions", is_flag=True, help="Sessions from before now are void.")
@click.option("--void-api-keys", is_flag=True, help="API keys from before now are void.")
@click.option("--must-change-password/--may-keep-password", default=None, help="At the next login.")
@click.option("--privacy-override/--no-privacy-override", default=None, help="Whether privacy settings are overridden.")
@arguments.reason
@arguments.as_json
def flags(
    slug: str,
    user: str,
    void_sessions: bool,
    void_api_keys: bool,
    must_change_password: bool | None,
    privacy_override: bool | None,
    reason: str,
    as_json: bool,
) -> None:
    """Set the switches of an account, which the product obeys; without any, show them.

    \b
    Example:
      scim-service person flags acme --user alice@acme.example --void-api-keys --reason "lost laptop"
    """
    switches: dict[str, Any] = {
        "void_sessions": void_sessions,
        "void_api_keys": void_api_keys,
        "must_change_password": must_change_password,
        "privacy_override": privacy_override,
    }
    found = opening.change(slug, lambda work: people.flag(work, user, reason=reason, **switches))
    output.listing([{"user": user, **_account(found)}], as_json, "Nothing.")


@person.command("grants")
@arguments.slug
@arguments.user
@click.option("--add", "added", multiple=True, metavar="KEY", help="Grant this thing; repeatable.")
@click.option("--remove", "removed", multiple=True, metavar="KEY", help="Take this grant back; repeatable.")
@click.option("--team", default="", metavar="TEAM", help="The team that the grants are in.")
@arguments.as_json
def change_grants(
    slug: str, user: str, added: tuple[str, ...], removed: tuple[str, ...], team: str, as_json: bool
) -> None:
    """Grant a person things of the product, by keys of its own, or take them back; lists what is granted then.

    \b
    Example:
      scim-service person grants acme --user alice@acme.example --add file-17 --team B
    """

    def act(work: Work) -> list[Grant]:
        if removed:
            people.revoke(work, user, list(removed), team)
        return people.grant(work, user, list(added), team)

    found = opening.change(slug, act)
    output.listing([_grant(one) for one in found], as_json, f"{output.cell(user)} has no grant.")


@person.command()
@arguments.slug
@arguments.user
@click.option("--at", type=Instant(), help="When, such as 2027-03-01T08:00:00Z; now unless given.")
@arguments.as_json
def active(slug: str, user: str, at: datetime | None, as_json: bool) -> None:
    """Note that a person was active in the product; who was not for long is idle (see reclaim report).

    \b
    Example:
      scim-service person active acme --user alice@acme.example --at 2027-03-01T08:00:00Z
    """
    found = opening.change(slug, lambda work: people.active(work, user, at))
    record = {"user": user, "last_active_at": found.last_active_at}
    output.made(f"{output.cell(user)} was active last at {output.cell(found.last_active_at)}.", record, as_json)


@person.command()
@arguments.slug
@arguments.user
@arguments.as_json
def show(slug: str, user: str, as_json: bool) -> None:
    """Show a person: activity, ban, licenses, what the person may do, switches, grants.

    \b
    Example:
      scim-service person show acme --user alice@acme.example
    """
    found = opening.ask_about_seats(slug, lambda work: people.profile(work, user))
    record = _profile(found)
    output.made("\n".join(_told(record)), record, as_json)


def _turned(
    slug: str, user: str, act: Callable[[Work], Resource], dry_run: bool, version: str | None, as_json: bool
) -> None:
    found = opening.change_previewed(slug, act, dry_run=dry_run, version=version, as_json=as_json)
    word = "active" if found.active else "inactive"
    output.made(f"{output.cell(user)} is {word} now.", {"user": user, "active": found.active}, as_json)


def _made(made: Made, as_json: bool) -> None:
    user = made.person.document["userName"]
    record = {"user": user, "id": made.person.id, "type": made.type_code, "state": made.state, "grants": made.grants}
    license_ = f" with {made.type_code}: {made.state}" if made.type_code else ""
    output.made(f"{output.cell(user)} is made{license_}.", record, as_json)


def _account(account: Account) -> dict[str, Any]:
    return {name: value for name, value in asdict(account).items() if name not in {"ban_reason", "banned_at"}}


def _grant(one: Grant) -> dict[str, Any]:
    return {"resource": one.resource, "team": one.team or None, "since": one.granted_at}


def _profile(found: Profile) -> dict[str, Any]:
    account = found.account
    return {
        "user": found.person.document["userName"],
        "id": found.person.id,
        "status": found.status,
        "active": found.person.active,
        "banned": found.banned,
        "provisioned_by": found.provisioned_by,
        "invitation": found.asked[INVITATION].state if INVITATION in found.asked else None,
        "verification": found.asked[VERIFICATION].state if VERIFICATION in found.asked else None,
        "ban_reason": account.ban_reason,
        "banned_since": account.banned_at,
        "flags": _account(account),
        "licenses": [
            {
                "type": one.type_code,
                "state": one.state,
                "reason": one.reason,
                "source": one.sources,
                "since": one.since,
                "until": one.until,
                "position": one.position,
            }
            for one in found.licenses
        ],
        "permissions": [{"type": one.type_code, "by": one.by, "rights": dict(one.rights)} for one in found.permissions],
        "rights": permissions.rights(found.permissions),
        "grants": [_grant(one) for one in found.grants],
    }


def _told(record: dict[str, Any]) -> list[str]:
    """The same for reading: the plain facts as lines, each list as a table."""
    plain = {name: value for name, value in record.items() if not isinstance(value, dict | list)}
    lines = [f"{name.replace('_', ' ')}: {output.cell(value)}" for name, value in plain.items()]
    lines += [f"{name.replace('_', ' ')}: {output.cell(value)}" for name, value in record["flags"].items() if value]
    for name in ("licenses", "permissions", "grants"):
        if record[name]:
            lines += ["", output.table([_plain(one) for one in record[name]])]
    return lines


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row for reading: rights as `name=value`."""
    named = {key: value for key, value in row.items() if isinstance(value, dict)}
    return {**row, **{key: [f"{name}={value}" for name, value in one.items()] for key, one in named.items()}}
