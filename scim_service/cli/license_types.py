"""The command `license-type`: what is sold, and how types stand to each other (licensing.md D-4, E-24)."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import catalog, facts
from scim_service.licensing.catalog import LicenseType, Options


class Rights(click.ParamType[dict[str, Any]]):
    """A JSON object."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        try:
            found = value if isinstance(value, dict) else json.loads(value)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.fail(f"{value!r} is no JSON object; write it like '{{\"rooms\": 5}}'.", param, ctx)
        return found


def _codes(name: str, sentence: str) -> Any:
    return click.option(f"--{name}", multiple=True, metavar="CODE", help=f"{sentence}; several if wanted.")


_DETAILS = arguments.options(
    click.option("--name-fr", help="The name in French."),
    click.option("--product", help="The product that it belongs to; made when first named."),
    click.option("--family", help="Types of one family stand for each other."),
    click.option("--rank", type=int, help="Higher is better, within the family; 0 unless given."),
    arguments.exit_grace,
    click.option("--authority", type=click.Choice(catalog.AUTHORITIES), help="Who gives it; anybody unless given."),
    click.option(
        "--conflict-policy", type=click.Choice(facts.POLICIES), help="How its family decides between several types."
    ),
    _codes("requires", "One of these must be held too"),
    _codes("excludes", "Never held together with this one"),
    _codes("implies", "Brings the rights of this one"),
    click.option("--rights", type=Rights(), help="What it allows, for the product that sells it."),
    click.option("--reclaim", type=arguments.Duration(), help="Reported as unused after so many days, such as 30d."),
    click.option(
        "--reclaim-asks/--reclaim-reports",
        default=None,
        help="Whether who does not use it is asked, and loses it without an answer; else it is only reported.",
    ),
    click.option("--request-mode", type=click.Choice(catalog.REQUEST_MODES), help="What a request for it comes to."),
    click.option("--requestable/--not-requestable", default=None, help="Whether people may ask for it."),
    click.option("--assignable/--not-assignable", default=None, help="Whether it may be given by hand."),
    click.option("--fallback/--no-fallback", default=None, help="Whether who waits for it may hold a lesser type."),
    click.option("--grace-yields/--grace-stays", default=None, help="Whether who waits cuts an exit grace short."),
    click.option("--suspend-frees/--suspend-holds", default=None, help="What a suspension does with the seat."),
    click.option("--grants-admin/--grants-no-admin", default=None, help="Whether it makes an administrator here."),
)
_EMPTY: dict[str, Any] = {
    "name_fr": None,
    "product": None,
    "family": None,
    "exit_grace": None,
    "requires": (),
    "excludes": (),
    "implies": (),
    "rights": {},
    "reclaim": None,
}
"""What stands for nothing, of what `--unset` may name."""


@click.group()
def license_type() -> None:
    """What a person can hold a seat of. Of one family a person holds one type: the highest rank there is a seat for."""


@license_type.command()
@arguments.slug
@click.argument("code")
@click.option("--name", required=True, help="The type's name as people read it.")
@_DETAILS
@click.option("--free", is_flag=True, help="Not counted: no contract and no cap.")
@arguments.preview
@arguments.as_json
def create(
    slug: str, code: str, name: str, free: bool, dry_run: bool, version: str | None, as_json: bool, **given: Any
) -> None:
    """Make a license type. CODE is its short name in every later command.

    \b
    Example:
      scim-service license-type create acme professional --name Professional --family suite --rank 20
    """
    details = _in_days(arguments.said(given))
    names = {one.name for one in fields(Options)}
    options = Options(**{key: value for key, value in details.items() if key in names})
    own = {key: value for key, value in details.items() if key not in names}
    made = opening.change_previewed(
        slug,
        lambda work: catalog.create_type(work, code, name, counted=not free, options=options, **own),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"License type {made.code} is made.", _record(made), as_json)


@license_type.command()
@arguments.slug
@click.argument("code")
@click.option("--name", help="The type's name as people read it.")
@_DETAILS
@arguments.unset(*_EMPTY)
@arguments.preview
@arguments.as_json
def update(
    slug: str, code: str, unset: tuple[str, ...], dry_run: bool, version: str | None, as_json: bool, **given: Any
) -> None:
    """Change what is said of a license type; everybody whom it concerns is looked at again. What is not said stays.

    \b
    Example:
      scim-service license-type update acme professional --rank 30 --dry-run
    """
    changes = _in_days(arguments.said(given, unset, _EMPTY))
    if not changes:
        raise click.UsageError("Say what is to be changed.")
    changed = opening.change_previewed(
        slug,
        lambda work: catalog.update_type(work, code, **changes),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"License type {changed.code} is changed.", _record(changed), as_json)


@license_type.command()
@arguments.slug
@click.argument("code")
@arguments.preview
@arguments.as_json
def retire(slug: str, code: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Give a license type to nobody new; who holds it keeps it. A type is never deleted.

    \b
    Example:
      scim-service license-type retire acme professional
    """
    retired = opening.change_previewed(
        slug, lambda work: catalog.retire_type(work, code), dry_run=dry_run, version=version, as_json=as_json
    )
    output.made(f"License type {retired.code} is retired: who holds it keeps it.", _record(retired), as_json)


@license_type.command("list")
@arguments.slug
@arguments.as_json
def list_types(slug: str, as_json: bool) -> None:
    """List the license types, with family and rank, whether they are counted, their ties and their exit grace.

    \b
    Example:
      scim-service license-type list acme
    """
    found = opening.ask(slug, catalog.types)
    rows = [_record(one) if as_json else _row(one) for one in found]
    output.listing(rows, as_json, f"No license type yet. Make one with: scim-service license-type create {slug}")


def _in_days(given: dict[str, Any]) -> dict[str, Any]:
    """`reclaim` is kept in whole days."""
    idle = given.get("reclaim")
    if isinstance(idle, timedelta):
        if idle < timedelta(days=1) or idle % timedelta(days=1):
            raise click.UsageError("--reclaim is a number of whole days, such as 30d.")
        return {**given, "reclaim": idle.days}
    return given


def _row(one: LicenseType) -> dict[str, Any]:
    return {
        "type": one.code,
        "name": one.name,
        "product": one.product,
        "family": one.family,
        "rank": one.rank,
        "free": not one.counted,
        "exit_grace": one.exit_grace,
        "authority": one.authority,
        "requires": list(one.options.requires),
        "excludes": list(one.options.excludes),
        "retired": one.retired,
    }


def _record(one: LicenseType) -> dict[str, Any]:
    options = {field.name: getattr(one.options, field.name) for field in fields(Options)}
    days = None if one.options.reclaim is None else timedelta(days=one.options.reclaim)
    return {**options, "reclaim": days, **_row(one), "conflict_policy": one.conflict_policy}
