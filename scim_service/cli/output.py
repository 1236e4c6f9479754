"""How the commands print: aligned plain tables for people, JSON for programs, the same facts in both."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from scim_service import clock

if TYPE_CHECKING:
    from conformance.idps.play import Progress

NOTHING = "-"
UNBREAKABLE = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
"""Spaces that French punctuation wants."""


def listing(records: Sequence[Mapping[str, Any]], as_json: bool, none: str) -> None:
    """Print records as a table headed by their keys, or as a JSON list; `none` is the sentence for an empty table."""
    if as_json:
        click.echo(json.dumps([jsonable(one) for one in records], indent=2, ensure_ascii=False))
    elif records:
        click.echo(table(records))
    else:
        click.echo(none)


def made(sentence: str, record: Mapping[str, Any], as_json: bool) -> None:
    """Print what a command has done: the sentence, or the record as JSON."""
    click.echo(json.dumps(jsonable(record), indent=2, ensure_ascii=False) if as_json else sentence)


@contextmanager
def watched() -> Iterator[Progress]:
    """A bar on standard error that shows how far a long thing is, where somebody watches a terminal; else nothing."""
    from conformance import progress

    if not sys.stderr.isatty():
        yield progress.silent
        return
    bar = progress.Bar(sys.stderr)
    try:
        yield bar
    finally:
        bar.close()


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Columns as wide as their widest cell; numbers stand to the right."""
    names = list(records[0])
    heads = [name.replace("_", " ").upper() for name in names]
    rows = [[cell(one[name]) for name in names] for one in records]
    widths = [max(width(row[at]) for row in [heads, *rows]) for at in range(len(names))]
    right = [_is_number_column([one[name] for one in records]) for name in names]
    return "\n".join(_line(row, widths, right) for row in [heads, *rows])


def cell(value: Any) -> str:
    """One value as a person reads it; control characters of a name never reach the terminal."""
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(cell(one) for one in value)
    return "".join(
        letter if letter.isprintable() or letter in UNBREAKABLE else "\N{REPLACEMENT CHARACTER}"
        for letter in str(_plain(value))
    )


def instant(at: datetime) -> str:
    """RFC 3339 in UTC; milliseconds only where there are any."""
    return clock.format_instant(at)


def width(text: str) -> int:
    """How many columns of a terminal a text takes: wide East Asian letters two, combining marks none."""
    return sum(0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for text, wide, is_right in zip(row, widths, right, strict=True):
        blank = " " * (wide - width(text))
        padded.append(blank + text if is_right else text + blank)
    return "  ".join(padded).rstrip()


def _is_number_column(values: Sequence[Any]) -> bool:
    given = [one for one in values if one is not None]
    return bool(given) and all(isinstance(one, int) and not isinstance(one, bool) for one in given)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, timedelta):
        return clock.format_duration(value)
    return value


def jsonable(value: Any) -> Any:
    """A value as JSON keeps it: instants and durations as text."""
    if isinstance(value, Mapping):
        return {name: jsonable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(one) for one in value]
    return _plain(value)
