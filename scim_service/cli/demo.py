"""The command `demo`: from nothing to a running service with something in it, and what to try first."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import click

from scim_service import config
from scim_service.cli import access, arguments, db, demo_data, opening, output, serve
from scim_service.config import Settings
from scim_service.delivery import smtp
from scim_service.endpoints import mailbox

KEY_FILE = "demo.key"
WORDS = {"mailbox": "Letters that were sent", "letters": "A sample of every letter"}


@click.command()
@serve.host_option
@serve.port_option
@arguments.as_json
def demo(host: str | None, port: int | None, as_json: bool) -> None:
    """Start a service to try out: database, two tenants, tokens, web and jobs, all in ./data (SCIM_DATA_DIR).

    The first run makes everything, a later one finds it and prints the same tokens. Delete the folder to begin anew.

    \b
    Example:
      scim-service demo --port 8080
    """
    found = config.from_environment(os.environ)
    settings = prepare(found, host or found.host, found.port if port is None else port)
    with opening.opened(settings) as service:
        planted = demo_data.plant(service, str(settings.secret_key))
        told = facts(settings, planted)
        serve.run(
            service,
            ready=lambda: output.made(welcome(settings, planted), told, as_json),
            besides=(mailbox.blueprint,),
        )


def prepare(found: Settings, host: str, port: int) -> Settings:
    """The folder, the key and the database of the demo, made where they are missing; the settings to serve it with."""
    found.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = found.secret_key or _key(found.data_dir / KEY_FILE)
    db.to_newest(found.database_url)
    return replace(found, secret_key=key, host=host, port=port, smtp_url=found.smtp_url or smtp.MAILBOX)


def facts(settings: Settings, planted: demo_data.Demo) -> dict[str, object]:
    """What `welcome` says, for a program: the base URL and the tokens."""
    tokens = [{"tenant": slug, "connection": name, "token": token} for (slug, name), token in planted.tokens.items()]
    urls = {"base": access.base_url(access.public_url(settings)), **_pages(settings)}
    return {**urls, "tokens": tokens, "user": planted.alice_id}


def welcome(settings: Settings, planted: demo_data.Demo) -> str:
    """The base URL, a token per profile, and three things to try, each one line to paste."""
    base = access.base_url(access.public_url(settings))
    acme = {name: token for (slug, name), token in planted.tokens.items() if slug == demo_data.ACME}
    tokens = [f"  {slug:<7} {name:<6} {token}" for (slug, name), token in planted.tokens.items()]
    tries = [f"  {line}" for line in _tries(base, acme, planted.alice_id)]
    return "\n".join(
        [
            "",
            f"SCIM base URL: {base}",
            *(f"{WORDS[name]}: {url}" for name, url in _pages(settings).items()),
            "",
            "Tokens (tenant, connection):",
            *tokens,
            "",
            "Try next, in another terminal in this folder:",
            *tries,
            "",
        ]
    )


def _pages(settings: Settings) -> dict[str, str]:
    """The pages that only the demo has; no mailbox where letters leave by a mail server."""
    names = ["mailbox", "letters"] if settings.smtp_url == smtp.MAILBOX else ["letters"]
    return {name: f"{access.public_url(settings)}{mailbox.blueprint.url_prefix}/{name}" for name in names}


def _tries(base: str, tokens: dict[str, str], alice_id: str | None) -> list[str]:
    header = f'"Authorization: Bearer {tokens["rfc"]}"'
    program = _program()
    return [
        f"curl -s -H {header} {base}/Users{f'/{alice_id}' if alice_id else ''}",
        f"{program} simulate okta --base {base} --token {tokens['okta']}",
        f"{program} seats {demo_data.ACME}",
    ]


def _program() -> str:
    """How the reader calls this program from the same folder, in another terminal."""
    folder = os.environ.get("SCIM_DATA_DIR")
    settings = f"SCIM_DATA_DIR={shlex.quote(folder)} " if folder else ""
    mine = Path(sys.argv[0])
    if mine.name != "scim-service":
        return f"{settings}{shlex.quote(sys.executable)} -m scim_service.cli"
    if shutil.which("scim-service") == str(mine):
        return f"{settings}scim-service"
    near = mine.resolve().is_relative_to(Path.cwd())
    return settings + shlex.quote(str(mine.resolve().relative_to(Path.cwd()) if near else mine))


def _key(file: Path) -> str:
    """The demo's secret key: made once, readable by its owner alone."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(secrets.token_urlsafe(48) + "\n")
    return file.read_text(encoding="ascii").strip()
