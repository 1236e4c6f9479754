"""The program `scim-service`: its table of commands, and how a refusal is told."""

from __future__ import annotations

import importlib
import keyword
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

import scim_service
from scim_service import config, errors

REFUSED = 2
STOPPED = 130
"""What a shell expects of a program that the reader stopped with Ctrl-C."""

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Run": {
        "demo": ("demo", "Start a service to try out: database, two tenants, tokens, all in ./data."),
        "serve": ("serve", "Serve SCIM over HTTP, with the jobs in the same process."),
        "worker": ("worker", "Run the jobs alone, on any number of hosts."),
        "jobs": ("jobs", "What runs by the clock, how it went, what is set aside."),
        "db": ("db", "Bring the database to this program's schema, check it, or move to another one."),
    },
    "Keep": {
        "backup": ("keeping", "Write the database into one file, while the service runs."),
        "restore": ("keeping", "Bring a backup back; nothing that was ended comes back to life."),
    },
    "Let an identity provider in": {
        "tenant": ("tenants", "Customer organizations."),
        "connection": ("access", "The SCIM clients of a tenant: one per identity provider."),
        "token": ("tokens", "The bearer tokens of a connection."),
    },
    "Say who administers": {
        "admin": ("admins", "Who may administer a tenant, and who is at the head."),
    },
    "Say what was bought, and for whom": {
        "license-type": ("license_types", "What a person can hold a seat of."),
        "contract": ("contracts", "How many seats were bought."),
        "rule": ("rules", "Which groups give which license."),
        "assign": ("people", "Give a person a license directly."),
        "unassign": ("people", "Take a directly given license back."),
        "seat": ("seat", "Suspend, resume, remove, hand on or exchange a license."),
        "invitation": ("invitations", "People invited by letter: asked, reminded, asked anew, taken back."),
        "person": ("person", "People by hand: add, copy, replace, deactivate, ban."),
        "request": ("requests", "What people ask for, and what was decided."),
        "hold": ("holds", "Seats kept after too many removals at once."),
        "import": ("sheets", "People and licenses from a CSV file."),
    },
    "Ask": {
        "seats": ("seats", "Used and free seats of every license type."),
        "usage": ("usage", "Seats over time, and when they will be full."),
        "people": ("people", "Who holds a seat, who waits, and why."),
        "export": ("sheets", "Who holds a seat, who waits, as a CSV file."),
        "reclaim": ("reclaim", "Who holds a seat and does not use it."),
        "explain": ("explain", "Why a person has a license, or has not."),
        "group": ("people", "The groups that the identity providers pushed."),
        "outbox": ("outbox", "Which letters wait, were sent, or could not be, and why."),
        "log": ("log", "What happened, and whether it adds up to what there is."),
    },
    "Try": {
        "simulate": ("simulate", "Play an identity provider's conversation, reading back all that it wrote."),
    },
}
"""Section → command → (module of this room, one line of help)."""

COMMANDS = {name: row for section in SECTIONS.values() for name, row in section.items()}


class Program(click.Group):
    """The root command: imports a command's module when it is called, and turns a refusal into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"scim_service.cli.{COMMANDS[cmd_name][0]}")
        word = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, f"{word}_" if keyword.iskeyword(word) else word)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()], col_max=24)

    def main(  # type: ignore[override]  # click overloads it by standalone_mode, which is always off here
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run and exit: 0, 2 for what was refused, 130 for what the reader stopped."""
        options = {**extra, "standalone_mode": False}
        odd = next((one for one in (sys.argv[1:] if args is None else args) if not _is_text(one)), None)
        if odd is not None:
            _leave(f"The argument {odd!a} is not UTF-8 text. Set the terminal to UTF-8, and type it again.", REFUSED)
        try:
            status = super().main(args, prog_name or "scim-service", **options)
        except click.Abort:
            _leave("Stopped.", STOPPED)
        except click.UsageError as error:
            _leave(_usage(error), REFUSED)
        except click.ClickException as error:
            _leave(error.format_message(), REFUSED)
        except errors.ScimError as error:
            _leave(f"{error.detail} [{error.code}]" if error.code else error.detail, REFUSED)
        except config.ConfigError as error:
            _leave(f"These settings of the environment are wrong: {error}.", REFUSED)
        except OSError as error:
            _leave(_trouble(error), REFUSED)
        sys.exit(status if isinstance(status, int) else 0)


def _is_text(argument: str) -> bool:
    """Bytes that are no text in the terminal's encoding arrive as lone surrogates, which no database keeps."""
    return not any("\ud800" <= letter <= "\udfff" for letter in argument)


def _usage(error: click.UsageError) -> str:
    where = error.ctx.command_path if error.ctx else "scim-service"
    return f"{' '.join(error.format_message().split())} See: {where} --help"


def _trouble(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}." if error.filename else f"{what}."


def _leave(sentence: str, status: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(status)


@click.command(
    "scim-service", cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(scim_service.__version__, message="scim-service %(version)s")
def root() -> None:
    """A license-aware SCIM 2.0 service: identity providers push people and groups, seats are given under caps.

    Settings come from the environment (SCIM_DATABASE_URL, SCIM_DATA_DIR, SCIM_PUBLIC_URL, SCIM_SECRET_KEY, …). An
    error is one sentence and exit status 2, with a code in brackets where scripts may rely on one. A listing prints
    JSON with --json. What changes access takes --dry-run, and --version to do just what was previewed. The tenant's
    slug always comes first.

    \b
    Begin with:
      scim-service demo
    \b
    Or set up your own:
      scim-service db upgrade
      scim-service tenant create acme --name "Acme Inc."
      scim-service connection create acme --name okta --profile okta
      scim-service token create acme --connection okta
      scim-service connection show acme --name okta
    """
