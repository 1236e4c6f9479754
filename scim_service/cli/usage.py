"""The command `usage`: seats over time, the high-water mark, and when they will be full (licensing.md part 5.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import catalog, outlook, outlook_words, overage, sentences, snapshots
from scim_service.licensing.outlook import Outlook
from scim_service.licensing.overage import HighWater
from scim_service.licensing.snapshots import Day
from scim_service.storage.work import Work

BAR = 30
"""How many columns a full bar takes."""
USED, WAITING, FREE = "█", "▒", "·"


@dataclass(frozen=True)
class Found:
    """A type with its days, today among them as far as it has come, and the high-water marks of its contracts."""

    outlook: Outlook
    days: Sequence[Day]
    waters: Sequence[HighWater]


@click.command()
@arguments.slug
@arguments.any_type
@click.option(
    "--days", type=click.IntRange(1, snapshots.KEPT_DAYS), default=14, show_default=True, help="How many days back."
)
@click.option(
    "--lang", type=click.Choice(sentences.LANGUAGES), default=sentences.ENGLISH, help="The language of the forecast."
)
@arguments.as_json
def usage(slug: str, type_code: str | None, days: int, lang: str, as_json: bool) -> None:
    """Seats over time: each day's least, mean and most in use, who waited, and a forecast of when they are full.

    Days are in UTC. Hours in which no job ran are not counted in. Where more were in use than bought, the high-water
    mark of the contract is told besides.

    \b
    Example:
      scim-service usage acme --type professional --days 30
    """
    found = opening.ask_about_seats(slug, lambda work: _found(work, type_code, days))
    if as_json:
        told = {"tenant": slug, "types": [_record(one, lang) for one in found]}
        click.echo(json.dumps(output.jsonable(told), indent=2, ensure_ascii=False))
    elif found:
        click.echo("\n\n".join(_told(one, lang) for one in found))
    else:
        click.echo(f"No license type yet. Make one with: scim-service license-type create {slug} CODE --name NAME")


def _found(work: Work, type_code: str | None, length: int) -> list[Found]:
    wanted = None if type_code is None else catalog.find_type(work, type_code).seq
    today = work.now.date()
    first = today - (length - 1) * snapshots.DAY
    now = snapshots.by_type(snapshots.summary(work, today))
    waters = overage.high_waters(work)
    return [
        Found(
            one,
            [*(day for day in one.days if day.day >= first), *now.get(one.seats.seq, ())],
            [water for water in waters if water.type_code == one.seats.code],
        )
        for one in outlook.outlooks(work, length)
        if wanted in (None, one.seats.seq)
    ]


def _record(one: Found, lang: str) -> dict[str, Any]:
    seats, made, known = one.outlook.seats, one.outlook.forecast, one.outlook.known
    highest = _highest(one)
    return {
        "type": seats.code,
        "name": seats.name,
        "used": seats.used,
        "limit": seats.limit,
        "waiting": seats.waiting,
        "high_water": highest and {"used": highest.most, "day": highest.day.isoformat()},
        "contracts": [
            {"number": water.number, "used": water.used, "cap": water.cap, "at": water.at} for water in one.waters
        ],
        "days": [_day(day) for day in one.days],
        "forecast": {
            "verdict": made.verdict,
            **{name: _text(getattr(made, name)) for name in ("full_on", "early", "late")},
            "slope": made.slope,
            "error": one.outlook.error,
            "sentence": outlook_words.sentence(one.outlook, lang),
            "limits": [{"day": _text(day), "limit": limit} for day, limit in sorted(known.limits.items())],
            "expiring": [{"day": _text(day), "claims": count} for day, count in sorted(known.expiring.items())],
            "waiting": known.waiting,
        },
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "least": day.least,
        "mean": round(day.mean, 1),
        "most": day.most,
        "limit": day.seats,
        "waiting": day.waiting,
    }


def _told(one: Found, lang: str) -> str:
    """A head line, a row a day with its bar, the high-water marks, and the forecast."""
    seats = one.outlook.seats
    lines = [f"{seats.code} ({output.cell(seats.name)}): {seats.used} / {output.cell(seats.limit)} used"]
    widest = max((max(day.most + day.waiting, day.seats or 0) for day in one.days), default=0)
    if one.days:
        lines.append(output.table([{**_day(day), "": _bar(day, widest)} for day in one.days]))
    else:
        lines.append("No hour was counted yet. The job usage-snapshot does that: scim-service jobs list")
    return "\n".join([*lines, *_marks(one), outlook_words.sentence(one.outlook, lang)])


def _marks(one: Found) -> list[str]:
    highest = _highest(one)
    told = [f"High-water mark: {highest.most} on {highest.day.isoformat()}."] if highest else []
    return told + [
        f"Contract {output.cell(water.number)}: {water.used} of {water.cap} bought, at {output.instant(water.at)}."
        for water in one.waters
    ]


def _highest(one: Found) -> Day | None:
    """The first of the days with the most seats in use."""
    return max(one.days, key=lambda day: (day.most, -day.day.toordinal()), default=None)


def _bar(day: Day, widest: int) -> str:
    """Seats in use, people who waited, free seats up to the limit."""
    parts: Mapping[str, int] = {
        USED: day.most,
        WAITING: day.waiting,
        FREE: max(0, (day.seats or 0) - day.most - day.waiting),
    }
    ends, at, bar = 0, 0, ""
    for sign, count in parts.items():
        ends += count
        until = round(ends * BAR / widest) if widest else 0
        bar, at = bar + sign * (until - at), until
    return bar


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
