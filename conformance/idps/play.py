"""What every provider's conversation is made of: counted and judged requests, phases, the model they change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from conformance.client import Client, Response
from conformance.idps.roster import Person, Team
from conformance.slowest import Slowest

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Progress = Callable[[str, str, int, int], None]
"""Told of a phase, "writing" or "reading back", how much is done, and of how much."""

PATIENCE = 5
"""How often a 429 or 503 with Retry-After is waited for, as providers do, before it counts."""
LONGEST_WAIT = 10.0

Item = TypeVar("Item")


class Stopped(Exception):
    """The play cannot go on: the administrator could not even save the connection. The text is what to do."""


@dataclass(frozen=True)
class Phase:
    """A part of the conversation, after which everything is read back."""

    title: str
    act: Callable[[Play], None]


@dataclass(frozen=True)
class Provider:
    """One identity provider: how it introduces itself, whom it pushes, and what it says, phase by phase.

    `query` stands at the end of its base URL.
    """

    name: str
    domain: str
    headers: Mapping[str, str]
    phases: Sequence[Phase]
    query: str = ""
    group_external_ids: bool = False


@dataclass
class Play:
    """A conversation that is going on: the line to the server, the model, and what was noticed so far."""

    client: Client
    people: list[Person]
    teams: list[Team]
    seed: int
    progress: Progress
    phase: str = ""
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    slowest: Slowest = field(default_factory=Slowest)

    def ask(self, method: str, path: str, payload: Any = None, expect: Sequence[int] = (200,)) -> Response | None:
        """The answer when its status is one of `expect` and it says what such an answer must; else it is noted, None.

        Raises Unreachable.
        """
        answer = self._answered(method, path, payload)
        fault = _fault(answer, expect)
        if fault is None:
            return answer
        self.unexpected.append(f"{self.phase}: {method} {path}: {fault}")
        return None

    def document(self, path: str) -> dict[str, Any]:
        """The resource or list at a path, empty when it could not be had."""
        answer = self.ask("GET", path)
        return {} if answer is None else answer.document()

    def look_up(self, path: str, name: str) -> dict[str, Any] | None:
        """The one resource that a look-up finds, {} for none; None when the answer was no such list, or found more."""
        answer = self.ask("GET", path)
        if answer is None:
            return None
        found, total = answer.document().get("Resources") or [], answer.document().get("totalResults")
        if total in (0, 1) and len(found) == total:
            return found[0] if found else {}
        self.unexpected.append(f"{self.phase}: looking up {name} found {total!r} with {len(found)} resources")
        return None

    def patch(self, path: str, *operations: Mapping[str, Any]) -> bool:
        """Whether a PATCH with these operations succeeded."""
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": operations}, (200, 204)) is not None

    def each(self, items: Sequence[Item], verb: str = "writing") -> Iterator[Item]:
        """The items, one by one, told to whoever watches."""
        for number, item in enumerate(items, 1):
            yield item
            self.progress(self.phase, verb, number, len(items))

    def present(self) -> list[Person]:
        """The people that the server has given an id and that are not deleted."""
        return [one for one in self.people if one.id and not one.gone]

    def pushed(self) -> list[Team]:
        """The teams that the server has given an id and that are not deleted."""
        return [one for one in self.teams if one.id and not one.gone]

    def _answered(self, method: str, path: str, payload: Any) -> Response:
        """The answer, after those that ask to come again later."""
        for attempt in range(PATIENCE + 1):
            began = time.perf_counter()
            answer = self.client.send(method, path, payload)
            self.slowest.note(method, path, answer.status, time.perf_counter() - began, self.phase)
            self.requests[method, answer.status] += 1
            wait = answer.headers.get("retry-after", "")
            if answer.status not in (429, 503) or not wait.isdigit() or attempt == PATIENCE:
                break
            time.sleep(min(float(wait), LONGEST_WAIT))
        return answer


def filtered(attribute: str, value: str, space: str = "%20") -> str:
    """`filter=` for one attribute equal to a text; `space` is how the provider encodes one."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return "filter=" + quote(f'{attribute} eq "{escaped}"', safe="@.-[]").replace("%20", space)


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in portions of `size`, none for no items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _fault(answer: Response, expect: Sequence[int]) -> str | None:
    """What is wrong with an answer; an empty 200 or 201 is (quirk 39), whatever else it may be."""
    if answer.status not in expect:
        wanted = " or ".join(str(status) for status in expect)
        return f"expected {wanted}, got {answer.status}: {answer.body[:200].decode('utf-8', 'replace') or 'no body'}"
    if answer.status in (200, 201) and not answer.document():
        return f"the {answer.status} holds no resource"
    return None


def at(kind: str, resource_id: str) -> str:
    """The path of one resource, as in /Users/2819."""
    return f"/{kind}/{quote(resource_id, safe='')}"
