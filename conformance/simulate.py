"""Plays an identity provider against a SCIM server and tells whether the server then holds what it was told.

After each phase everything that was written is read back and compared. The same seed plays the same people, and a
second play finds those of the first by look-up and goes on with them, as a provider does.

    python -m conformance.simulate okta --base http://127.0.0.1:8080/scim/v2 --token TOKEN [--users 50] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from conformance import progress as watching
from conformance import readback
from conformance.client import Client, Unreachable
from conformance.idps import entra, okta, roster
from conformance.idps.play import Play, Progress, Provider, Stopped
from conformance.report import Report

PROVIDERS: dict[str, Provider] = {one.name: one for one in (okta.PROVIDER, entra.PROVIDER)}
OK, DIFFERS, REFUSED = 0, 1, 2


def simulate(
    profile: str,
    base: str,
    token: str,
    *,
    users: int = 50,
    groups: int = 5,
    seed: int = 1,
    progress: Progress | None = None,
    out: TextIO | None = None,
) -> Report:
    """Play the whole conversation of a provider at `base`, such as https://host/scim/v2; its report, told on `out` too.

    `profile` is a name in PROVIDERS. `progress` is called with a phase, "writing" or "reading back", done, total; None
    shows a bar on stderr where that is a terminal, else a line per phase. A refused connection test ends the play.
    Raises ValueError for wrong arguments, Unreachable when no answer comes.
    """
    provider = _provider(profile, users, groups)
    show = progress or watching.shown_on(sys.stderr)
    try:
        report = _played(provider, base, token, (users, groups, seed), show)
    finally:
        if isinstance(show, watching.Bar):
            show.close()
    if out is not None:
        print("\n".join(report.lines()), file=out)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the server holds all that was written, 1 when it does not, 2 when it could not be asked."""
    options = _parser().parse_args(arguments)
    size = {"users": options.users, "groups": options.groups, "seed": options.seed}
    try:
        report = simulate(
            options.profile, options.base, options.token, out=None if options.json else sys.stdout, **size
        )
    except (Unreachable, ValueError) as problem:
        print(problem, file=sys.stderr)
        return REFUSED
    if options.json:
        print(json.dumps(report.as_document(), ensure_ascii=False, indent=2))
    return OK if report.ok else DIFFERS


def _provider(profile: str, users: int, groups: int) -> Provider:
    if profile not in PROVIDERS:
        raise ValueError(f"There is no provider {profile!r}; known are {', '.join(PROVIDERS)}.")
    if users < 0 or groups < 0:
        raise ValueError("users and groups are counts, 0 or more.")
    return PROVIDERS[profile]


def _played(provider: Provider, base: str, token: str, size: tuple[int, int, int], show: Progress) -> Report:
    """All phases, each followed by a reading of everything."""
    users, groups, seed = size
    people = roster.people(users, seed, provider.domain)
    teams = roster.teams(groups, seed, people, external_ids=provider.group_external_ids)
    begun = time.monotonic()
    report = Report(provider.name, users, groups)
    with Client(_with_query(base, provider.query), token, headers=provider.headers) as client:
        told: dict[str, Any] = {
            "requests": report.requests,
            "unexpected": report.unexpected,
            "slowest": report.slowest,
        }
        play = Play(client, people, teams, seed, show, **told)
        _phases(provider, play, report)
    report.seconds = time.monotonic() - begun
    return report


def _phases(provider: Provider, play: Play, report: Report) -> None:
    """Act and read back, phase by phase, keeping each difference with the phase that it first came up in."""
    known: set[str] = set()
    for phase in provider.phases:
        play.phase = phase.title
        try:
            phase.act(play)
        except Stopped as reason:
            play.unexpected.append(f"{phase.title}: {reason}")
            return
        found = readback.read(play)
        fresh = dict.fromkeys(line for line in found.differences if line not in known)
        known.update(fresh)
        report.differences += [f"after {phase.title!r}: {line}" for line in fresh]
        report.compared += found.compared
        report.seats = found.seats
    report.differences += [f"at the end: {one.user_name} has no id" for one in play.people if not one.id]
    report.differences += [f"at the end: group {one.name} has no id" for one in play.teams if not one.id]


def _with_query(base: str, query: str) -> str:
    """The base URL as the provider is given it: Entra's ends in a flag, unless the caller has put one there."""
    return f"{base}?{query}" if query and "?" not in base else base


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance.simulate", description="Play an identity provider.")
    parser.add_argument("profile", choices=list(PROVIDERS), help="which provider to play")
    parser.add_argument("--base", required=True, help="SCIM base URL, such as http://127.0.0.1:8080/scim/v2")
    parser.add_argument("--token", required=True, help="bearer token of a connection with this provider's profile")
    parser.add_argument("--users", type=int, default=50, metavar="N", help="how many people (default 50)")
    parser.add_argument("--groups", type=int, default=5, metavar="N", help="how many groups (default 5)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another seed plays other people (default 1)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
