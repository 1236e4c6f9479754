"""The arguments that commands share, and how their text becomes a duration, an instant, or seats: once, at the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from scim_service import clock, config, errors
from scim_service.licensing import direct

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Duration(click.ParamType[timedelta]):
    """`24h`, `30d`, `90m`, or `0`."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return clock.parse_duration(value)
        except (ValueError, errors.ScimError):
            self.fail(f"{value!r} is not a duration; write 24h, 30d or 0.", param, ctx)


class Instant(click.ParamType[datetime]):
    """`2027-03-01T08:00:00Z`."""

    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return clock.parse_instant(value)
        except (ValueError, errors.ScimError):
            self.fail(f"{value!r} is not an instant; write it like 2027-03-01T08:00:00Z.", param, ctx)


class Expiry(Instant):
    """An instant, or `never`, which takes an expiry back."""

    name = "INSTANT|never"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        return direct.ENDLESS if value == "never" else super().convert(value, param, ctx)


class DatabaseUrl(click.ParamType[str]):
    """A database, as in SCIM_DATABASE_URL."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return config.database_url(str(value))
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


class Seats(click.ParamType[tuple[str, int]]):
    """`CODE=COUNT`: so many seats of one license type."""

    name = "CODE=COUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        code, _, count = str(value).rpartition("=")
        if not code or not (count.isascii() and count.isdigit()):
            self.fail(f"{value!r} does not say seats; write them like basic=40.", param, ctx)
        return code, int(count)


class Named(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`, such as an overage by the type's code, or a setting."""

    def __init__(self, name: str, example: str) -> None:
        self.name = name
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not name or not sign:
            self.fail(f"{value!r} is not {self.name}; write it like {self.example}.", param, ctx)
        return name, text


def by_name(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Values by name. Raises UsageError for a name given twice: which of them would count?"""
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise click.UsageError(f"{name} is given twice.")
        found[name] = value
    return found


def seats_by_code(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Seats by code of the type. Raises UsageError for a code given twice: which of them would count?"""
    found: dict[str, int] = {}
    for code, count in pairs:
        if code in found:
            raise click.UsageError(f"The seats of {code} are given twice.")
        found[code] = count
    return found


def not_blank(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A name that an unset variable of a shell has left blank must not come to mean everybody."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is blank; write the group's displayName.", ctx, param)
    return value


def options(*shared: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in this order."""

    def wrap(command: F) -> F:
        for one in reversed(shared):
            command = one(command)
        return command

    return wrap


def said(given: Mapping[str, Any], unset: Iterable[str] = (), empty: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options that were given; those named in `unset` with what stands for nothing, of `empty`.

    Raises UsageError for one that is both given and taken away.
    """
    found = {name: value for name, value in given.items() if value is not None and value != ()}
    for name in unset:
        if name in found:
            raise click.UsageError(f"{name.replace('_', '-')} is both given and taken away.")
        found[name] = (empty or {})[name]
    return found


def preview(command: F) -> F:
    """The options `--dry-run` and `--version` (as `dry_run`, `version`), for a command that changes access (A-12)."""
    dry_run = click.option("--dry-run", is_flag=True, help="Print who would gain, lose or wait; change nothing.")
    version = click.option("--version", metavar="V", help="Do it only if it comes to what the preview V said.")
    return dry_run(version(command))


slug = click.argument("slug")
"""The tenant, always first."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
user = click.option("--user", required=True, metavar="USERNAME", help="The person's userName.")
type_code = click.option("--type", "type_code", required=True, metavar="CODE", help="The license type's code.")
any_type = click.option("--type", "type_code", metavar="CODE", help="Only this license type.")
group = click.option("--group", required=True, metavar="NAME", callback=not_blank, help="The group's displayName.")
exit_grace = click.option(
    "--exit-grace", type=Duration(), help="How long a seat outlives its reason, such as 24h; 0 ends it at once."
)
expires = click.option(
    "--expires", type=Expiry(), help="When the license ends by itself, such as 2027-03-01T08:00:00Z."
)
note = click.option("--note", metavar="TEXT", help="What is to be remembered of the license.")
reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the event log as it is typed.")
given_name = click.option("--given-name", default="", metavar="TEXT", help="The first name.")
family_name = click.option("--family-name", default="", metavar="TEXT", help="The last name.")
email = click.option("--email", default="", metavar="EMAIL", help="The address at work.")


def unset(*names: str) -> Callable[[F], F]:
    """The option `--unset NAME`, several if wanted: back to what holds where nothing is said."""
    return click.option(
        "--unset",
        multiple=True,
        type=click.Choice([name.replace("_", "-") for name in names]),
        callback=lambda _context, _option, value: tuple(name.replace("-", "_") for name in value),
        help="Take this away again, several if wanted.",
    )
