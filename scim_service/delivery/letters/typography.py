"""How words are set: values that come from outside made fit for a line, the spaces that French punctuation wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

MOST = 300
"""More characters of a value nobody reads in a letter."""

CUT = "…"
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Characters that cannot be seen and still are part of words, and of emoji."""

THIN, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
_FRENCH = (
    (re.compile(r" (?=[;!?])"), THIN),
    (re.compile(r" (?=:)|(?<=«) | (?=»)"), WIDE),
    (re.compile(r"(?<=\{n\}) |(?<=\}) (?=h \{)|(?<=h) (?=\{minute\})"), WIDE),
)
_ENGLISH = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_FRENCH_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
    "novembre", "décembre",
)  # fmt: skip
_MONTHS = {"en": _ENGLISH, "fr": _FRENCH_MONTHS}


def line(text: str) -> str:
    """A value from outside as part of a line: no control, no character that cannot be seen, not without end.

    What turns the direction of writing is taken out too, so that a name cannot make the rest of a line look like
    something else.
    """
    plain = "".join(one if one.isprintable() or one in JOINERS else _instead(one) for one in text[: MOST * 4])
    short = " ".join(plain.split())
    return short if len(short) <= MOST else short[: MOST - 1] + CUT


def filled(sentence: str, values: Mapping[str, Any]) -> str:
    """A sentence with its placeholders filled; a value's own period at its end stays the only one there."""
    for name in (name for name, value in values.items() if str(value).endswith(".")):
        sentence = sentence.replace(f"{{{name}}}.", f"{{{name}}}")
    return sentence.format(**values)


def lines(value: Any) -> Any:
    """The same for every text in a JSON value."""
    if isinstance(value, str):
        return line(value)
    if isinstance(value, dict):
        return {name: lines(one) for name, one in value.items()}
    return [lines(one) for one in value] if isinstance(value, list | tuple) else value


def template(text: str, language: str) -> str:
    """A sentence of ours with the spaces that its language wants; placeholders stay as they are."""
    for pattern, space in _FRENCH if language == "fr" else ():
        text = pattern.sub(space, text)
    return text


def number(value: int, language: str) -> str:
    """`12,000`, or `12 000` in French."""
    return f"{value:,}".replace(",", THIN) if language == "fr" else f"{value:,}"


def instant(at: datetime, zone: ZoneInfo, language: str) -> str:
    """`March 1, 2027 at 9:00 AM (Europe/Paris)`, `1er mars 2027 à 9 h 00 (Europe/Paris)`: the minute that has begun."""
    there = at.astimezone(zone)
    month = _MONTHS[language][there.month - 1]
    if language == "fr":
        day = "1er" if there.day == 1 else str(there.day)
        return f"{day}{WIDE}{month} {there.year} à {there.hour}{WIDE}h{WIDE}{there:%M} ({zone.key})"
    half = "AM" if there.hour < 12 else "PM"
    return f"{month}{WIDE}{there.day}, {there.year} at {there.hour % 12 or 12}:{there:%M}{WIDE}{half} ({zone.key})"


def _instead(unseen: str) -> str:
    return " " if unseen.isspace() or ord(unseen) < 32 else ""
