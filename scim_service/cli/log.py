"""The command `log`: what happened, and whether the tables can be rebuilt from it (licensing.md I-6, decision 26)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

import click

from scim_service import audit
from scim_service.audit import Event
from scim_service.cli import arguments, opening, output
from scim_service.cli.program import REFUSED
from scim_service.licensing import replay
from scim_service.licensing.replay import Finding
from scim_service.storage.work import Work

MOST = 100_000


@click.group()
def log() -> None:
    """What happened: one row per change, by whom and when."""


@log.command("list")
@arguments.slug
@click.option("--subject", metavar="ID", help="Only about this: a person's or group's id, a code, a number, rule:SEQ.")
@click.option("--since", type=arguments.Instant(), help="Only from this instant on.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=1_000, show_default=True, help="The latest so many events."
)
@arguments.as_json
def list_events(slug: str, subject: str | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """List the latest events, oldest first.

    \b
    Example:
      scim-service log list acme --subject PRO --since 2027-03-01T08:00:00Z
    """
    found = opening.ask(slug, lambda work: audit.listing(work, subject, since, limit))
    if as_json:
        output.listing([asdict(one) for one in found], as_json, "")
    else:
        output.listing([_row(one) for one in found], as_json, "Nothing happened.")


@log.command("replay")
@arguments.slug
@click.option("--check", is_flag=True, help="Compare with the tables; exit status 2 where they differ.")
@arguments.as_json
def replay_log(slug: str, check: bool, as_json: bool) -> int:
    """Replay the log from empty: what it comes to, and with --check whether the tables say the same.

    Compared are license types, contracts, rules, claims, licenses, parked seats and the ledger.

    \b
    Example:
      scim-service log replay acme --check
    """
    with opening.service() as found:
        counts, findings = found.ask_patiently(slug, lambda work: _replayed(work, check))
    record = {"counts": counts, "findings": [asdict(one) for one in findings] if check else None}
    output.made("\n".join(_told(counts, findings, check)), record, as_json)
    return REFUSED if findings else 0


def _replayed(work: Work, check: bool) -> tuple[dict[str, int], list[Finding]]:
    rebuilt = replay.fold(audit.everything(work))
    return rebuilt.counts(), replay.differences(rebuilt, replay.tabled(work)) if check else []


def _told(counts: dict[str, int], findings: list[Finding], check: bool) -> list[str]:
    lines = ["The log comes to: " + ", ".join(f"{kind} {count}" for kind, count in counts.items()) + "."]
    if check:
        lines += [output.cell(str(one)) for one in findings]
        lines.append(f"{len(findings)} differences." if findings else "The tables say the same.")
    return lines


def _row(one: Event) -> dict[str, object]:
    data = json.dumps({name: value for name, value in one.data.items() if value is not None}, ensure_ascii=False)
    return {"at": one.at, "actor": one.actor, "action": one.action, "subject": one.subject, "data": data}
