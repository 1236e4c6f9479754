"""The command `connection`: which identity provider may write to a tenant's directory."""

from __future__ import annotations

import click

from scim_service import idp
from scim_service.access import connections
from scim_service.access.connections import Connection
from scim_service.cli import arguments, opening, output
from scim_service.config import Settings

SCIM_PATH = "/scim/v2"


@click.group()
def connection() -> None:
    """The SCIM clients of a tenant, each with the profile of its identity provider."""


@connection.command("create")
@arguments.slug
@click.option("--name", required=True, help="How you call this connection, such as okta.")
@click.option(
    "--profile", required=True, type=click.Choice(sorted(idp.PROFILES)), help="Which identity provider will call."
)
@click.option(
    "--over-cap",
    type=click.Choice(connections.OVER_CAP),
    default=connections.WAIT,
    help="A license in an attribute without a free seat: the person waits, or the request is refused (403).",
)
@arguments.as_json
def create_connection(slug: str, name: str, profile: str, over_cap: str, as_json: bool) -> None:
    """Make a connection for one identity provider. Its profile is chosen here and never guessed.

    \b
    Example:
      scim-service connection create acme --name okta --profile okta
    """
    made = opening.change(slug, lambda work: connections.create(work, name, profile, over_cap))
    sentence = f"Connection {made.name} is made. Next: scim-service token create {slug} --connection {made.name}"
    record = {"tenant": slug, "connection": made.name, "profile": made.profile, "over_cap": made.over_cap}
    output.made(sentence, record, as_json)


@connection.command("list")
@arguments.slug
@arguments.as_json
def list_connections(slug: str, as_json: bool) -> None:
    """List the connections: profile, when the identity provider last called, what it was last refused.

    \b
    Example:
      scim-service connection list acme
    """
    rows = [
        {
            "connection": one.name,
            "profile": one.profile,
            "over_cap": one.over_cap,
            "last_seen": one.last_seen_at,
            "last_error_at": one.last_error_at,
            "last_error": one.last_error,
        }
        for one in opening.ask(slug, connections.listing)
    ]
    output.listing(rows, as_json, "No connection yet. Make one with: scim-service connection create")


@connection.command()
@arguments.slug
@click.option("--name", required=True, help="The connection's name.")
@arguments.as_json
def show(slug: str, name: str, as_json: bool) -> None:
    """Show what to paste and what to tick on the identity provider's side, and when it last called.

    \b
    Example:
      scim-service connection show acme --name okta
    """
    with opening.service() as service:
        found = service.ask(slug, lambda work: connections.find(work, name))
        url = base_url(public_url(service.settings))
    record = _facts(slug, found, url)
    output.made(_sheet(slug, found, url), record, as_json)


def public_url(settings: Settings) -> str:
    """Where this service is reached: SCIM_PUBLIC_URL, else the address that it listens on."""
    if settings.public_url:
        return settings.public_url
    anywhere = settings.host in ("0.0.0.0", "::", "")
    host = "127.0.0.1" if anywhere else f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def base_url(url: str) -> str:
    """The SCIM base URL of a service that is reached at `url`."""
    return url.rstrip("/") + SCIM_PATH


def _facts(slug: str, found: Connection, url: str) -> dict[str, object]:
    return {
        "tenant": slug,
        "connection": found.name,
        "profile": found.profile,
        "over_cap": found.over_cap,
        "url": url,
        "header": "Authorization: Bearer TOKEN",
        "guide": _steps(found, url),
        "last_seen": found.last_seen_at,
        "last_error_at": found.last_error_at,
        "last_error": found.last_error,
    }


def _sheet(slug: str, found: Connection, url: str) -> str:
    seen = output.instant(found.last_seen_at) if found.last_seen_at else "never"
    lines = [
        f"Connection {output.cell(found.name)} of {slug}, profile {found.profile}: {idp.PROFILES[found.profile].title}",
        "",
        f"Base URL:   {url}",
        "Header:     Authorization: Bearer TOKEN",
        f"Token:      scim-service token create {slug} --connection {found.name}",
        f"Last seen:  {seen}",
    ]
    if found.last_error_at:
        lines.append(f"Last error: {output.instant(found.last_error_at)} {output.cell(found.last_error)}")
    steps = [f"  {number}. {step}" for number, step in enumerate(_steps(found, url), 1)]
    return "\n".join([*lines, "", "On the other side:", *steps])


def _steps(found: Connection, url: str) -> list[str]:
    return [step.replace("{url}", url) for step in idp.PROFILES[found.profile].guide]
