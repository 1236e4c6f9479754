"""What `benchmarks.seats` promises, and how its figures come from what was measured.

T15 is of the paper on performance; what takes seconds has a bound in seconds, all else is a ratio of one run.
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks import targets
from benchmarks.operations import LANES
from benchmarks.resolution import GIVEN, PREVIEW, Meanwhile, Spent
from benchmarks.targets import Measured, Part, Target

WITHOUT, WITH = "create user, no license", "create user, a seat under a cap"
Of = Callable[[Spent], float]
CLOCK, PROCESSOR = operator.attrgetter("clock"), operator.attrgetter("processor")
CAP = 200
"""Seats of the tenant that has few; twice as many people want one."""


@dataclass
class Found:
    """What was measured beside the samples, by rig."""

    spent: dict[tuple[str, int, str], list[Spent]] = field(default_factory=dict)
    """(rig, people, what) → of each round."""

    filled_up: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Seats in use at the end, and at most, where few were to be had."""

    others: dict[str, list[Meanwhile]] = field(default_factory=dict)


def rows(found: Found, sizes: Sequence[int]) -> list[Target]:
    """The targets, found from the samples and from what was measured beside them."""
    largest = f"{sizes[-1]:,}"
    return [
        Target("T15", "Create with a seat under a cap against create without a license", lambda one: _t15(one, found)),
        Target("T21", "One member more or less in a group with a rule, against one without: times the cost", _t21),
        Target("T22", f"One rule for up to {largest} people, and its preview", lambda one: _t22(one, found, sizes)),
        Target("T23", f"Writes of another tenant while {largest} people are given seats", lambda one: _t23(one, found)),
    ]


def _t15(measured: Measured, found: Found) -> Iterator[Part]:
    for rig in targets.OURS:
        yield targets.faster(measured, f"{rig}, 1 connection", 0.85, WITH, rig, rig, WITHOUT)
        yield targets.more(measured, f"{rig}, 8 connections", 0.85, WITH, rig, rig, WITHOUT)
        yield targets.cheaper(measured, rig, 0.85, WITH, rig, rig, WITHOUT)
        used, most = found.filled_up.get(rig, (0, 0))
        over = f"{rig}, seats too many with 8 writers"
        yield _part(measured, rig, over, 0, partial(max, 0, most - CAP), True)
        yield _part(measured, rig, f"{rig}, share of the cap that is reached", 1, partial(operator.truediv, used, CAP))


def _t21(measured: Measured) -> Iterator[Part]:
    for rig in targets.OURS:
        for act in ("add", "remove"):
            yield targets.cost(measured, f"{rig}, {act}", 2.5, f"{act}, ruled group", rig, f"{act}, plain group")


def _t22(measured: Measured, found: Found, sizes: Sequence[int]) -> Iterator[Part]:
    base = next((size for size in sizes[:-1] if size >= 1_000), sizes[0])
    for rig in targets.OURS:
        for what in (GIVEN, PREVIEW):
            growth = f"{rig}, {what}, a person of {sizes[-1]:,} against one of {base:,}"
            for end, of in (("", CLOCK), (", by processor time", PROCESSOR)):
                ratio = partial(_growth, found, (rig, what, of), base, sizes[-1])
                yield _part(measured, rig, f"{growth}{end}", 1.5, ratio, True)
            whole = f"{rig}, {what} of {sizes[-1]:,}, seconds"
            yield _part(measured, rig, whole, 20, partial(_median, found, rig, sizes[-1], what, CLOCK), True)


def _t23(measured: Measured, found: Found) -> Iterator[Part]:
    for rig in targets.OURS:
        seen = found.others.get(rig, [])
        during = f"{rig}, median while it lasts against before"
        yield _part(measured, rig, during, 2, partial(_held_up, seen), True)
        slowest = f"{rig}, the slowest, seconds"
        yield _part(measured, rig, slowest, 1, partial(_slowest, seen), True)


def _part(
    measured: Measured, rig: str, label: str, bound: float, value: Callable[[], float], at_most: bool = False
) -> Part:
    if rig in measured.missing:
        return Part(label, None, bound, at_most, f"{rig}: {measured.missing[rig]}")
    return Part(label, value(), bound, at_most)


def _median(found: Found, rig: str, size: int, what: str, of: Of) -> float:
    return statistics.median(map(of, found.spent[rig, size, what]))


def _growth(found: Found, which: tuple[str, str, Of], small: int, large: int) -> float:
    """How many times as much one person takes among many as among few, by the rounds' own ratios."""
    rig, what, of = which
    pairs = zip(found.spent[rig, small, what], found.spent[rig, large, what], strict=True)
    return statistics.median((of(many) / large) / (of(few) / small) for few, many in pairs)


def _held_up(seen: Sequence[Meanwhile]) -> float:
    return statistics.median(one.busy.median_ms / one.quiet.median_ms for one in seen)


def _slowest(seen: Sequence[Meanwhile]) -> float:
    return max(max(one.busy.spent) for one in seen)


def figures(found: Found) -> list[dict[str, Any]]:
    """What took seconds, as the table of milliseconds has it."""
    told = {(what, size, rig): _median(found, rig, size, what, CLOCK) for rig, size, what in found.spent}
    return [
        {
            "operation": f"{what}, {size:,} people",
            "rig": rig,
            "connections": 1,
            "p50_ms": round(seconds * 1000, 3),
            "per_second": round(1 / seconds, 3),
            "processor_ms": round(_median(found, rig, size, what, PROCESSOR) * 1000, 3),
        }
        for (what, size, rig), seconds in sorted(told.items())
    ]


def notes(found: Found, sizes: Sequence[int]) -> Iterator[str]:
    """What a reader has to know beside the figures."""
    for rig, (used, most) in found.filled_up.items():
        came = f"{2 * CAP} people came for {CAP} seats on {LANES} connections"
        yield f"{rig}: {came}; {used} seats are used, and never more than {most} were"
    for rig, size, what in found.spent:
        if size == sizes[-1]:
            seconds = _median(found, rig, size, what, PROCESSOR)
            yield f"{rig}: {what}, {size:,} people, takes {seconds:.1f} s of processor time"
    for rig, seen in found.others.items():
        quiet, busy = (statistics.median(getattr(one, name).median_ms for one in seen) for name in ("quiet", "busy"))
        took, refused = statistics.median(one.seconds for one in seen), sum(one.busy.refused for one in seen)
        yield (
            f"{rig}: another tenant's create takes {quiet:.1f} ms before, and {busy:.1f} ms, the slowest "
            f"{_slowest(seen) * 1000:,.0f} ms, while a rule for {sizes[-1]:,} people is made, "
            f"which takes {took:.1f} s; {refused} are refused"
        )
