"""The targets: what each promises, and how its figures come from the samples. Every figure is a ratio of one run.

Y is the canned route under the same server and workers. One more target: a function that gives its parts, and a row in
TARGETS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import operations
from benchmarks.turns import Samples

SQLITE, POSTGRESQL, YARDSTICK = "SQLite", "PostgreSQL", "Y"
SQLITE_GRANIAN, POSTGRESQL_GRANIAN = "SQLite, granian", "PostgreSQL, granian"
DJANGO, FLASK = "django-scim2", "scim2-flask"
GET = "GET user by id"
NO = " without members"
OURS = (SQLITE, POSTGRESQL)


@dataclass(frozen=True)
class Part:
    """One figure of a target: what it is of, the ratio (None where it could not be had), and the bound it aims at."""

    label: str
    value: float | None
    bound: float
    at_most: bool = False
    why: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio is on the right side of its bound; None where there is none."""
        if self.value is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound


@dataclass(frozen=True)
class Measured:
    """All that a run found: the samples, memory and start-up by rig, and why rigs are missing."""

    samples: Samples
    group: int
    """Members of the large group."""

    memory: Mapping[str, list[float]] = field(default_factory=dict)
    """Rig → MiB at rest before anything, and after each round."""

    starts: Mapping[str, list[float]] = field(default_factory=dict)
    """Rig → seconds to the first answer, in turns."""

    missing: Mapping[str, str] = field(default_factory=dict)

    def part(
        self,
        label: str,
        bound: float,
        of: Iterable[tuple[str, str, int]],
        ratio: Callable[[], float],
        at_most: bool = False,
    ) -> Part:
        """The figure, or why there is none; `of` are the samples that it needs."""
        for operation, rig, connections in of:
            if rig in self.missing:
                return Part(label, None, bound, at_most, f"{rig}: {self.missing[rig]}")
            if not self.samples.has(operation, rig, connections=connections):
                reasons = [why for (_, who), why in self.samples.left_out.items() if who == rig]
                return Part(label, None, bound, at_most, f"{rig}: {'; '.join(reasons) or 'not measured'}")
        return Part(label, ratio(), bound, at_most)


def faster(found: Measured, label: str, bound: float, operation: str, rig: str, other: str, than: str = "") -> Part:
    """How many times as fast as `other`, on one connection."""
    of = [(operation, rig, 1), (than or operation, other, 1)]
    return found.part(label, bound, of, lambda: found.samples.faster(operation, rig, other, than))


def more(found: Measured, label: str, bound: float, operation: str, rig: str, other: str, than: str = "") -> Part:
    """How many times as many per second as `other`, on eight connections."""
    of = [(operation, rig, 8), (than or operation, other, 8)]
    return found.part(label, bound, of, lambda: found.samples.more(operation, rig, other, than))


def cheaper(found: Measured, label: str, bound: float, operation: str, rig: str, other: str, than: str = "") -> Part:
    """How many times the processor time `other` takes, on eight connections: what a busy machine does not blur."""
    of = [(operation, rig, 8), (than or operation, other, 8)]
    label = f"{label}, by processor time"
    return found.part(label, bound, of, lambda: found.samples.cheaper(operation, rig, other, than))


def cost(found: Measured, label: str, bound: float, operation: str, rig: str, than: str) -> Part:
    """How many times as long as another operation of the same rig, on one connection; at most `bound`."""
    of = [(operation, rig, 1), (than, rig, 1)]
    return found.part(label, bound, of, lambda: found.samples.faster(than, rig, rig, operation), at_most=True)


def _t1(found: Measured) -> Iterator[Part]:
    for rig, one, eight in ((SQLITE, 0.45, 0.35), (POSTGRESQL, 0.30, 0.22)):
        yield faster(found, f"{rig}, 1 connection, of Y", one, GET, rig, YARDSTICK, "canned")
        yield more(found, f"{rig}, 8 connections, of Y", eight, GET, rig, YARDSTICK, "canned")
        yield cheaper(found, f"{rig}, of Y", eight, GET, rig, YARDSTICK, "canned")


def _t2(found: Measured) -> Iterator[Part]:
    yield more(found, "PostgreSQL, of django-scim2", 2.5, GET, POSTGRESQL, DJANGO)
    yield cheaper(found, "PostgreSQL, of django-scim2", 2.5, GET, POSTGRESQL, DJANGO)
    yield more(found, "SQLite, of scim2-flask", 3, GET, SQLITE, FLASK)
    yield cheaper(found, "SQLite, of scim2-flask", 3, GET, SQLITE, FLASK)


def _t3(found: Measured) -> Iterator[Part]:
    bounds = [0.85, 0.85, 0.85, 0.7, 0.7]
    for rig in OURS:
        for name, bound in zip(operations.FILTERS, bounds, strict=True):
            yield faster(found, f"{rig}, {name.removeprefix('filter ')}", bound, name, rig, rig, GET)


def _t4(found: Measured) -> Iterator[Part]:
    yield more(found, "PostgreSQL, of django-scim2", 6, "filter userName", POSTGRESQL, DJANGO)
    yield cheaper(found, "PostgreSQL, of django-scim2", 6, "filter userName", POSTGRESQL, DJANGO)


def _t5(found: Measured) -> Iterator[Part]:
    yield more(found, "of django-scim2", 1.8, "create user", POSTGRESQL, DJANGO)
    yield cheaper(found, "of django-scim2", 1.8, "create user", POSTGRESQL, DJANGO)
    yield more(found, "8 connections, of Y", 0.12, "create user", POSTGRESQL, YARDSTICK, "canned")


def _t6(found: Measured) -> Iterator[Part]:
    yield faster(found, "1 connection, of Y", 0.25, "create user", SQLITE, YARDSTICK, "canned")
    yield more(found, "8 connections, of Y", 0.10, "create user", SQLITE, YARDSTICK, "canned")
    yield cheaper(found, "of Y", 0.10, "create user", SQLITE, YARDSTICK, "canned")


def _t7(found: Measured) -> Iterator[Part]:
    yield more(found, "PostgreSQL, of django-scim2", 2, "PATCH active", POSTGRESQL, DJANGO)
    yield cheaper(found, "PostgreSQL, of django-scim2", 2, "PATCH active", POSTGRESQL, DJANGO)
    yield more(found, "SQLite, of scim2-flask", 1.5, "PATCH active", SQLITE, FLASK)
    yield cheaper(found, "SQLite, of scim2-flask", 1.5, "PATCH active", SQLITE, FLASK)


def _t8(found: Measured) -> Iterator[Part]:
    for rig in OURS:
        for act in ("add", "remove"):
            yield cost(found, f"{rig}, {act}", 1.15, f"{act} @{found.group}{NO}", rig, f"{act} @0{NO}")


def _t9(found: Measured) -> Iterator[Part]:
    for rig, peer, bound in ((POSTGRESQL, DJANGO, 80), (SQLITE, FLASK, 400)):
        for act in ("add", "remove"):
            yield faster(found, f"{rig}, {act}, of {peer}", bound, f"{act} @{found.group}", rig, peer)


def _t10(found: Measured) -> Iterator[Part]:
    for rig in OURS:
        yield cost(found, f"{rig}, against adding one", 12, "add 1000", rig, "add @0")
    yield faster(found, "PostgreSQL, of django-scim2", 8, "add 1000", POSTGRESQL, DJANGO)


def _t11(found: Measured) -> Iterator[Part]:
    for rig in OURS:
        yield cost(found, rig, 1.2, f"GET group @{found.group} without members", rig, GET)


def _t12(found: Measured) -> Iterator[Part]:
    for rig, bound in ((POSTGRESQL, 8), (SQLITE, 15)):
        yield faster(found, f"{rig}, of django-scim2", bound, f"GET group @{found.group}", rig, DJANGO)


def _t18(found: Measured) -> Iterator[Part]:
    yield more(found, "PostgreSQL 2x4, GET by id", 1.2, GET, POSTGRESQL_GRANIAN, POSTGRESQL)
    for name in ("create user", "PATCH active"):
        yield more(found, f"SQLite 1x8, {name}", 1.3, name, SQLITE_GRANIAN, SQLITE)


def _t19(found: Measured) -> Iterator[Part]:
    for rig in OURS:
        seen = found.memory.get(rig, [])
        if len(seen) > 1:
            yield Part(f"{rig}, MiB at rest", seen[0], 120, at_most=True)
            yield Part(f"{rig}, last round against the first", seen[-1] / seen[1], 1.1, at_most=True)


def _t20(found: Measured) -> Iterator[Part]:
    for rig in OURS:
        pairs = list(zip(found.starts.get(rig, []), found.starts.get(YARDSTICK, []), strict=True))
        if pairs:
            ratios = sorted(one / canned for one, canned in pairs)
            yield Part(f"{rig}, of Y's", ratios[len(ratios) // 2], 3, at_most=True)


@dataclass(frozen=True)
class Target:
    """A promise: its number, its sentence, and how its parts are found."""

    id: str
    sentence: str
    parts: Callable[[Measured], Iterable[Part]]
    needs: tuple[str, ...] = ()
    """How the names of the operations begin that it is found from."""

    def row(self, found: Measured) -> dict[str, Any]:
        """As the result file keeps it."""
        parts = [
            {
                "label": part.label,
                "value": None if part.value is None else float(f"{part.value:.3g}"),
                "bound": part.bound,
                "at_most": part.at_most,
                "met": part.met,
                "why": part.why,
            }
            for part in self.parts(found)
        ]
        return {"id": self.id, "sentence": self.sentence, "parts": parts}


TARGETS = [
    Target("T1", "GET of a user by id, as a share of Y", _t1, ("GET user",)),
    Target("T2", "GET of a user by id against peers, requests per second", _t2, ("GET user",)),
    Target("T3", "Filters, as a share of GET by id, one connection", _t3, ("GET user", "filter")),
    Target("T4", "Filter userName eq against a peer, requests per second", _t4, ("filter userName",)),
    Target("T5", "Create a user on PostgreSQL, with index and event rows in the same commit", _t5, ("create",)),
    Target("T6", "Create a user on SQLite, as a share of Y", _t6, ("create",)),
    Target("T7", "PATCH of active against peers, requests per second", _t7, ("PATCH",)),
    Target(
        "T8", "One member more or less in a large group, against an empty one: times the cost", _t8, ("one member",)
    ),
    Target("T9", "One member more or less in a large group against peers: times as fast", _t9, ("one member",)),
    Target(
        "T10",
        "PATCH that adds 1,000 members: times the cost of one, and times as fast as a peer",
        _t10,
        ("one member", "add 1000"),
    ),
    Target("T11", "GET of a large group without its members: times the cost of GET of a user", _t11, ("GET",)),
    Target("T12", "GET of a large group with all members: times as fast as a peer", _t12, ("GET group",)),
    Target(
        "T18", "granian against gunicorn, requests per second at 8 connections", _t18, ("GET user", "create", "PATCH")
    ),
    Target("T19", "Memory of 2 workers", _t19, ("GET user",)),
    Target("T20", "From start to the first answer, times the canned route's", _t20),
]
