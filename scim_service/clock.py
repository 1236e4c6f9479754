"""Time: the only file that asks for it. A clock can be fixed or shifted, so that a year can be tried in a minute.

An instant is aware, in UTC, and cut to the millisecond, which is what both databases and SCIM's `meta` keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36_500)
"""A hundred years: what is added to an instant must still be one."""


class Clock:
    """Tells `now`."""

    def __init__(self, source: Callable[[], datetime] | None = None) -> None:
        self._source = source or (lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """This instant, in UTC, to the millisecond."""
        found = self._source()
        return found.replace(microsecond=found.microsecond // 1000 * 1000)

    @staticmethod
    def parse(text: str | None) -> Clock:
        """The clock of `SCIM_CLOCK`: an instant (it stands still), `+30d` or `-1h` (it is shifted), or nothing.

        Raises ValueError with a sentence.
        """
        if not text:
            return Clock()
        if text[0] in "+-":
            shift = parse_duration(text[1:]) * (1 if text[0] == "+" else -1)
            return Clock(lambda: datetime.now(UTC) + shift)
        fixed = parse_instant(text)
        return Clock(lambda: fixed)


def parse_duration(text: str) -> timedelta:
    """`90s`, `15m`, `24h`, `30d`, `2w` or `0`. Raises ValueError with a sentence."""
    if text.strip() == "0":
        return timedelta(0)
    match = DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no duration; write 0, 90s, 15m, 24h, 30d or 2w.")
    found = timedelta(**{UNITS[match[2]]: int(match[1])})
    if found > LONGEST:
        raise ValueError(f"{text!r} is too long; write at most {format_duration(LONGEST)}.")
    return found


def format_duration(value: timedelta) -> str:
    """The duration in the largest unit that holds it whole."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant with its zone, such as 2027-03-01T08:00:00Z. Raises ValueError with a sentence."""
    try:
        found = datetime.fromisoformat(text.strip())
        instant = found.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise ValueError(f"{text!r} is no instant; write it as 2027-03-01T08:00:00Z.") from problem
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as 2027-03-01T08:00:00Z.")
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def format_instant(at: datetime) -> str:
    """RFC 3339 in UTC, as 2027-03-01T08:00:00Z; milliseconds only where there are any."""
    exact = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=exact).replace("+00:00", "Z")
