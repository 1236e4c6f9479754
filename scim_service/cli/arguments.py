"""The arguments that commands share, and how their text becomes a duration, an instant, or seats: once, at the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from scim_service import clock, errors


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


def seats_by_code(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Seats by code of the type. Raises UsageError for a code given twice: which of them would count?"""
    found: dict[str, int] = {}
    for code, count in pairs:
        if code in found:
            raise click.UsageError(f"The seats of {code} are given twice.")
        found[code] = count
    return found


def _not_blank(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A name that an unset variable of a shell has left blank must not come to mean everybody."""
    if not value.strip():
        raise click.BadParameter("it is blank; write the group's displayName.", ctx, param)
    return value


F = TypeVar("F", bound=Callable[..., Any])


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
group = click.option("--group", required=True, metavar="NAME", callback=_not_blank, help="The group's displayName.")
exit_grace = click.option(
    "--exit-grace", type=Duration(), help="How long a seat outlives its reason, such as 24h; 0 ends it at once."
)
