"""What came of a simulation, and its tables as text: requests by method and status, seats by type and state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.slowest import Slowest

SHOWN = 20
"""Differences that are printed; `--json` has them all."""


@dataclass
class Report:
    """Counts and sentences of one play. `requests` counts (method, status), `seats` state by license type, `slowest`
    keeps the three requests that took longest.

    `differences` say where the server holds something else than was written, `unexpected` which answers were not
    those that the provider needs, each with the phase in which it was first seen.
    """

    profile: str
    people: int
    teams: int
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    compared: int = 0
    seconds: float = 0.0
    seats: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: Slowest = field(default_factory=Slowest)

    @property
    def ok(self) -> bool:
        return not self.differences and not self.unexpected

    def as_document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "profile": self.profile,
            "ok": self.ok,
            "people": self.people,
            "groups": self.teams,
            "requests": _rows(self.requests),
            "compared": self.compared,
            "differences": self.differences,
            "unexpected": self.unexpected,
            "seats": {name: dict(states) for name, states in sorted(self.seats.items())},
            "slowest": [one.as_document() for one in self.slowest.found],
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> Iterator[str]:
        """The report for a reader, line by line."""
        yield f"{self.profile}: {self.people} people, {self.teams} groups, {self.seconds:.1f} s"
        yield ""
        yield from table("requests", _rows(self.requests))
        if self.slowest.found:
            yield ""
            yield from self.slowest.lines()
        if self.seats:
            yield ""
            yield from table("seats", self.seats)
        for title, lines in (("answers not expected", self.unexpected), ("differences", self.differences)):
            yield ""
            yield f"{len(lines)} {title}{f' in {self.compared} comparisons' if lines is self.differences else ''}"
            yield from (f"  {line}" for line in lines[:SHOWN])
            if len(lines) > SHOWN:
                yield f"  ... and {len(lines) - SHOWN} more, with --json"


def table(title: str, rows: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Rows and columns with a total, right-aligned; blanks for zeros."""
    columns = sorted({column for row in rows.values() for column in row})
    wide = max([len(title), *(len(name) for name in rows)])
    widths = [max(len(column), 7) for column in [*columns, "total"]]
    yield "  ".join([title.ljust(wide), *(c.rjust(w) for c, w in zip([*columns, "total"], widths, strict=True))])
    for name, row in sorted(rows.items()):
        counts = [*(row.get(column, 0) for column in columns), sum(row.values())]
        cells = (str(count or "").rjust(width) for count, width in zip(counts, widths, strict=True))
        yield "  ".join([name.ljust(wide), *cells])


def _rows(requests: Mapping[tuple[str, int], int]) -> dict[str, dict[str, int]]:
    rows: dict[str, dict[str, int]] = {}
    for (method, status), count in sorted(requests.items()):
        rows.setdefault(method, {})[str(status)] = count
    return rows
