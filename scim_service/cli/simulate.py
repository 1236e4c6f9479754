"""The command `simulate`: plays an identity provider against a running service; the play itself is in `conformance`."""

from __future__ import annotations

import sys

import click

from conformance import simulate as playing
from conformance.client import Unreachable
from conformance.report import Report
from scim_service import errors
from scim_service.cli import arguments, output


@click.command()
@click.argument("profile", type=click.Choice(list(playing.PROVIDERS)))
@click.option("--base", required=True, metavar="URL", help="The SCIM base URL, such as http://127.0.0.1:8080/scim/v2.")
@click.option(
    "--token", required=True, help="A write token of a connection with this profile; - reads it from standard input."
)
@click.option("--users", type=click.IntRange(0), default=50, show_default=True, help="How many people.")
@click.option("--groups", type=click.IntRange(0), default=5, show_default=True, help="How many groups.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed plays other people.")
@arguments.as_json
def simulate(profile: str, base: str, token: str, users: int, groups: int, seed: int, as_json: bool) -> None:
    """Play an identity provider's real conversation against any SCIM server, and read back all that it wrote.

    Connection test, look-ups before creates, group push, membership changes, rename, deactivations, reactivation; after
    each phase everything is compared. Fails on any difference. The end is a table of requests by status, the three
    slowest of them, and the seats.

    \b
    Example:
      scim-service simulate okta --base http://127.0.0.1:8080/scim/v2 --token "$TOKEN" --users 50 --seed 7
    """
    secret = sys.stdin.readline().strip() if token == "-" else token
    try:
        report = playing.simulate(profile, base, secret, users=users, groups=groups, seed=seed)
    except (Unreachable, ValueError) as problem:
        raise errors.Refused(f"{problem}.") from problem
    output.made("\n".join(report.lines()), report.as_document(), as_json)
    _expect_ok(report)


def _expect_ok(report: Report) -> None:
    if not report.ok:
        raise errors.Refused(
            f"The server does not hold what it was told: {len(report.differences)} differences, "
            f"{len(report.unexpected)} answers that were not expected."
        )
