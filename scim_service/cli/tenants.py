"""The command `tenant`: whose directory it is, what it bought, and what it decides for all its people (D-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from scim_service.access import admins, plans, tenant_settings, tenants
from scim_service.access.tenants import Tenant
from scim_service.cli import arguments, opening, output
from scim_service.licensing import policies
from scim_service.storage.work import Work

PLAN = "How many administrators there may be: essential 2, standard 5, enterprise as agreed."
_SETTINGS = arguments.options(
    click.option(
        "--verified-domain",
        "domains",
        multiple=True,
        metavar="DOMAIN",
        help="Addresses in it need no verification; several if wanted. All that there are must be said.",
    ),
    click.option(
        "--set",
        "pairs",
        multiple=True,
        type=arguments.Named("NAME=VALUE", "overcap_grace=30d"),
        help=f"A setting, several if wanted: {', '.join(sorted(tenant_settings.BY_NAME))}.",
    ),
)


@click.group()
def tenant() -> None:
    """Customer organizations: each has its own people, groups, licenses and connections."""


@tenant.command()
@arguments.slug
@click.option("--name", required=True, help="The organization's name as people read it.")
@arguments.exit_grace
@click.option("--plan", type=click.Choice(list(plans.PLANS)), default=plans.DEFAULT, show_default=True, help=PLAN)
@_SETTINGS
@arguments.as_json
def create(
    slug: str,
    name: str,
    exit_grace: timedelta | None,
    plan: str,
    domains: tuple[str, ...],
    pairs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Make a tenant. SLUG is its short name in every later command: a-z, 0-9 and -.

    \b
    Example:
      scim-service tenant create acme --name "Acme Inc." --exit-grace 24h
    """
    grace = tenants.EXIT_GRACE if exit_grace is None else exit_grace
    settings = _settings(domains, pairs)

    def act(work: Work) -> Tenant:
        made = tenants.create(work, slug, name, grace, plan)
        return tenants.update(work, settings=settings) if settings else made

    with opening.service() as service:
        made = service.change_any(act)
    sentence = f"Tenant {made.slug} is made. Next: scim-service connection create {made.slug} …"
    output.made(sentence, _record(made), as_json)


@tenant.command()
@arguments.slug
@click.option("--name", help="The organization's name as people read it.")
@arguments.exit_grace
@click.option("--plan", type=click.Choice(list(plans.PLANS)), help=PLAN)
@_SETTINGS
@arguments.preview
@arguments.as_json
def update(
    slug: str,
    name: str | None,
    exit_grace: timedelta | None,
    plan: str | None,
    domains: tuple[str, ...],
    pairs: tuple[tuple[str, str], ...],
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Change a tenant; what is not said stays. Graces and deadlines that run already keep their instants.

    A plan is refused where the tenant has more administrators than it allows.

    \b
    Example:
      scim-service tenant update acme --set deactivate_policy=hold --dry-run
    """
    settings = _settings(domains, pairs)
    if name is None and exit_grace is None and plan is None and not settings:
        raise click.UsageError("Say what is to be changed.")

    def act(work: Work) -> Tenant:
        if plan is not None:
            admins.change_plan(work, plan)
        return policies.change(work, name=name, exit_grace=exit_grace, settings=settings)

    changed = opening.change_previewed(slug, act, dry_run=dry_run, version=version, as_json=as_json)
    output.made(f"Tenant {slug} is changed.", _record(changed), as_json)


@tenant.command("list")
@arguments.as_json
def list_tenants(as_json: bool) -> None:
    """List the tenants with the exit grace that holds where no type or rule says another.

    \b
    Example:
      scim-service tenant list
    """
    with opening.service() as service:
        found = service.ask_any(tenants.listing)
    rows = [_record(one) if as_json else _row(one) for one in found]
    output.listing(rows, as_json, "No tenant yet. Make one with: scim-service tenant create SLUG --name NAME")


def _settings(domains: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """What is to be stored. Raises UsageError for a setting that is said twice, InvalidValue for a wrong one."""
    said = [*pairs, ("verified_domains", ",".join(domains))] if domains else pairs
    return tenant_settings.parsed(arguments.by_name(said))


def _row(one: Tenant) -> dict[str, Any]:
    return {"tenant": one.slug, "name": one.name, "exit_grace": one.exit_grace, "plan": one.plan}


def _record(one: Tenant) -> dict[str, Any]:
    settings = {name: tenant_settings.BY_NAME[name].told(value) for name, value in one.settings.values.items()}
    return {**_row(one), "settings": settings}
