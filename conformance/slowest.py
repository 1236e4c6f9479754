"""Keeps the slowest requests of a play, told by what they ask for and never by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

KEPT = 3

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Timed:
    """One request: `path` is a template, such as /Users/{id}; `ms` from its first byte to the answer's last."""

    method: str
    path: str
    status: int
    ms: float
    phase: str

    def as_document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "ms": round(self.ms, 1),
            "phase": self.phase,
        }


@dataclass
class Slowest:
    """The three slowest of all requests that were noted, slowest first; of those alike in time, the first noted."""

    found: list[Timed] = field(default_factory=list)

    def note(self, method: str, path: str, status: int, seconds: float, phase: str) -> None:
        """Take one request into account."""
        ms = seconds * 1000
        if len(self.found) == KEPT and ms <= self.found[-1].ms:
            return
        self.found.append(Timed(method, template(path), status, ms, phase))
        self.found.sort(key=lambda one: -one.ms)
        del self.found[KEPT:]

    def lines(self) -> Iterator[str]:
        """A table for a reader, with a heading; nothing where nothing was noted."""
        if not self.found:
            return
        wide = max(len(one.path) for one in self.found)
        yield f"{'slowest':<7}  {'':<{wide}}  status       ms  phase"
        for one in self.found:
            yield f"{one.method:<7}  {one.path:<{wide}}  {one.status:>6}  {one.ms:>7.1f}  {one.phase}"


def template(path: str) -> str:
    """A path without the ids and values in it: /Users/{id}, /Users?filter=userName eq {value}&count={value}."""
    place, _, query = path.partition("?")
    kind, _, resource_id = place.lstrip("/").partition("/")
    asked = [f"{name}={_asked(name, value)}" for name, value in parse_qsl(query, keep_blank_values=True)]
    return f"/{kind}{'/{id}' if resource_id else ''}{'?' + '&'.join(asked) if asked else ''}"


def _asked(name: str, value: str) -> str:
    if name == "filter":
        return _LITERAL.sub("{value}", value)
    return value if name in {"attributes", "excludedAttributes"} else "{value}" if value else ""
