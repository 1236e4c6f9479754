"""Measuring in turns: in each round every rig does every operation, so that a busy neighbor hits them all.

A figure is the median over rounds; a ratio is the median of the rounds' own ratios, so that it never compares two
moments.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.operations import Operation, Wrong
from benchmarks.rigs import Rig

WARM = 2
Key = tuple[str, str, int]
"""(label, rig, connections)"""


@dataclass
class Samples:
    """What each round found: median milliseconds and answers per second, by label, rig and connections."""

    p50_ms: dict[Key, list[float]] = field(default_factory=dict)
    rates: dict[Key, list[float]] = field(default_factory=dict)
    processor_ms: dict[Key, list[float]] = field(default_factory=dict)
    """Of the server and its database, for each answer."""

    refused: dict[Key, str] = field(default_factory=dict)
    left_out: dict[tuple[str, str], str] = field(default_factory=dict)
    """(operation, rig) → why it was not measured."""

    def has(self, label: str, *rigs: str, connections: int = 1) -> bool:
        """Whether all of these rigs were measured."""
        return all((label, rig, connections) in self.p50_ms for rig in rigs)

    def faster(self, label: str, rig: str, other: str, other_label: str = "", connections: int = 1) -> float:
        """How many times as fast an answer of `rig` is as one of `other`, by the median time."""
        mine = self.p50_ms[label, rig, connections]
        theirs = self.p50_ms[other_label or label, other, connections]
        return statistics.median(b / a for a, b in zip(mine, theirs, strict=True))

    def more(self, label: str, rig: str, other: str, other_label: str = "", connections: int = 8) -> float:
        """How many times as many answers per second `rig` gives as `other`."""
        mine = self.rates[label, rig, connections]
        theirs = self.rates[other_label or label, other, connections]
        return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))

    def cheaper(self, label: str, rig: str, other: str, other_label: str = "", connections: int = 8) -> float:
        """How many times the processor time of `rig` an answer of `other` takes."""
        mine = self.processor_ms[label, rig, connections]
        theirs = self.processor_ms[other_label or label, other, connections]
        return statistics.median(b / a for a, b in zip(mine, theirs, strict=True))

    def medians(self) -> list[dict[str, Any]]:
        """Every figure, as the result file keeps it."""
        return [
            {
                "operation": label,
                "rig": rig,
                "connections": connections,
                "p50_ms": round(statistics.median(found), 3),
                "per_second": round(statistics.median(self.rates[label, rig, connections]), 1),
                "processor_ms": round(statistics.median(self.processor_ms[label, rig, connections]), 3),
            }
            for (label, rig, connections), found in sorted(self.p50_ms.items())
        ]


def take(
    rigs: Sequence[Rig],
    wanted: Mapping[str, Sequence[Operation]],
    rounds: int,
    seconds: float,
    after: Callable[[int], None] = lambda number: None,
) -> Samples:
    """Measure: `wanted` has each rig's operations, by its name; `after` is called at the end of each round."""
    found = Samples()
    todo = {rig.name: [one for one in wanted[rig.name] if _is_right(found, rig, one)] for rig in rigs}
    names = list(dict.fromkeys(one.name for rig in rigs for one in todo[rig.name]))
    for number in range(rounds):
        turned = [*rigs[number % len(rigs) :], *rigs[: number % len(rigs)]]
        for place, name in enumerate(names):
            _tell(f"round {number + 1} of {rounds}, {place + 1} of {len(names)}: {name}")
            for rig in turned:
                for one in todo[rig.name]:
                    if one.name == name:
                        _measure(found, rig, one, seconds)
        after(number)
    _tell("")
    return found


def _is_right(found: Samples, rig: Rig, operation: Operation) -> bool:
    try:
        operation.proof(rig)
    except Wrong as reason:
        found.left_out[operation.name, rig.name] = str(reason)
        return False
    return True


def _measure(found: Samples, rig: Rig, operation: Operation, seconds: float) -> None:
    for connections in operation.connections:
        flows = [operation.flow(rig, lane) for lane in range(connections)]
        before = rig.processor_seconds()
        run = rig.client.run(flows, seconds * operation.seconds, operation.least, WARM)
        spent = (rig.processor_seconds() - before) * 1000
        answers = sum(len(times.spent) for times in run.times.values()) + WARM * connections
        for label, times in run.times.items():
            key = (label, rig.name, connections)
            found.p50_ms.setdefault(key, []).append(times.median_ms)
            found.rates.setdefault(key, []).append(len(times.spent) / run.seconds)
            found.processor_ms.setdefault(key, []).append(spent / answers)
            if times.refused:
                found.refused[key] = f"{times.refused} of {len(times.spent)}: {times.refusal}"


def _tell(text: str) -> None:
    print(f"\r\033[K{text}", end="" if text else "\r", file=sys.stderr, flush=True)
