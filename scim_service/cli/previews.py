"""How a preview is printed (licensing.md A-12): sentences, dates and sums for people, the same as data for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from scim_service.cli import output
from scim_service.licensing.letters import Mail
from scim_service.licensing.preview import Numbers, Preview, Row, Seats

MOST_NAMES = 20
"""How many people of one kind are printed by name; JSON has them all."""

TITLES = {
    "gaining": "Gaining a license",
    "losing": "Losing a license",
    "keeping": "Keeping a license that was to end",
    "moving": "Moving to another type of the family",
    "waiting": "Waiting for a seat",
    "others": "Changing otherwise, without a license gained or lost",
}


@dataclass(frozen=True)
class Beside:
    """What a command says besides its preview: in words, as data, and by the status it ends with."""

    text: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    status: int = 0


def show(preview: Preview, as_json: bool, refused: dict[str, str] | None = None, beside: Beside | None = None) -> None:
    """Print a preview; `refused` says in JSON why the change was not made; `beside` comes before it."""
    more = beside or Beside()
    if as_json:
        found = {**output.jsonable(more.record), **record(preview, refused)}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join([*([more.text] if more.text else []), told(preview)]))


def record(preview: Preview, refused: dict[str, str] | None = None) -> dict[str, Any]:
    """A preview as JSON."""
    people = {kind: [output.jsonable(_row(row, kind)) for row in preview.rows(kind)] for kind in TITLES}
    return {
        **({"refused": refused} if refused else {}),
        "version": preview.version,
        **people,
        "seats": [_seats(one) for one in preview.seats],
        "mails": [_mail(one) for one in preview.mails],
    }


def told(preview: Preview) -> str:
    """A preview in words."""
    parts = ["Preview: nothing is changed."]
    parts += [line for kind in TITLES for line in _people(kind, preview.rows(kind))]
    if len(parts) == 1:
        parts.append("Nobody gains, loses or waits.")
    parts += _sums(preview.concerned)
    parts += _letters(preview.mails)
    return "\n".join([*parts, f"Version: {preview.version} (apply exactly this with: --version {preview.version})"])


def _people(kind: str, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    yield f"{TITLES[kind]}: {len(rows)}"
    for row in rows[:MOST_NAMES]:
        yield f"  {_sentence(row, kind)}"
    if len(rows) > MOST_NAMES:
        yield f"  and {len(rows) - MOST_NAMES} more (all of them with --json)"


def _sentence(row: Row, kind: str) -> str:
    types = f"{row.moved_from} to {row.type_code}" if row.moved_from else row.type_code
    parts = [f"{output.cell(row.user)}: {types},"]
    if kind == "losing":
        parts.append(f"until {output.instant(row.until)}" if row.until else "at once")
    elif row.until:
        parts.append(f"until {output.instant(row.until)}")
    parts.append(f"{row.was or 'none'} -> {row.state}")
    if row.reason:
        parts.append(f"({row.reason})")
    if row.position:
        parts.append(f"place {row.position} in the queue")
    return " ".join(parts)


def _sums(seats: Sequence[Seats]) -> Iterator[str]:
    if seats:
        yield "Seats, before -> after:"
    for one in seats:
        before, after = one.before or Numbers(0, 0, 0), one.after
        yield (
            f"  {one.type_code}: used {before.used} -> {after.used}, "
            f"limit {_limit(before)} -> {_limit(after)}, waiting {before.waiting} -> {after.waiting}"
        )


def _limit(numbers: Numbers) -> str:
    return "none" if numbers.limit is None else str(numbers.limit)


def _letters(mails: Sequence[Mail]) -> Iterator[str]:
    if mails:
        yield "Mails that would go out:"
    for one in mails:
        times = f", {one.count} people" if one.count > 1 else ""
        words = (one.event.replace("_", " "), one.recipient.replace("_", " "))
        about = f" ({one.type_code})" if one.type_code else ""
        yield f"  {one.notice} {words[0]}{about} to the {words[1]}{times}"


def _row(row: Row, kind: str) -> dict[str, Any]:
    found = {
        "user": row.user,
        "type": row.type_code,
        "was": row.was,
        "state": row.state,
        "reason": row.reason,
        "source": list(row.source),
        "since": row.since,
        "until": row.until,
        "position": row.position,
    }
    if kind == "losing":
        found["at_once"] = row.at_once
    return {**found, "from": row.moved_from} if kind == "moving" else found


def _seats(one: Seats) -> dict[str, Any]:
    before = _numbers(one.before) if one.before else None
    return {"type": one.type_code, "before": before, "after": _numbers(one.after)}


def _numbers(one: Numbers) -> dict[str, Any]:
    return {"used": one.used, "limit": one.limit, "waiting": one.waiting}


def _mail(one: Mail) -> dict[str, Any]:
    return {
        "notice": one.notice,
        "event": one.event,
        "recipient": one.recipient,
        "type": one.type_code,
        "count": one.count,
    }
