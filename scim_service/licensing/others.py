"""What a decision is told of the people whom the event did not touch: who is next, and what is counted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field

from scim_service.licensing.facts import Person

Ask = Callable[[int, int, Container[int]], Iterable[Person]]
"""(type, n, known): of the first n, those who are not known yet."""


def nobody(_type: int, _first: int, _known: Container[int]) -> Iterable[Person]:
    """A queue in which nobody stands."""
    return ()


@dataclass(frozen=True)
class Queues:
    """How the decision brings in people whom the event did not touch.

    `heads`: those who wait for a type, in the published order; `graces`: those in exit grace, whose ends soonest first.
    """

    heads: Ask = nobody
    graces: Ask = nobody


@dataclass(frozen=True)
class Counts:
    """What is counted over everybody: seats in use by type, holders by rule with a quota, who holds by a direct claim.

    The last only for types with a reserve.
    """

    used: Mapping[int, int]
    quotas: Mapping[int, int] = field(default_factory=dict)
    direct: Mapping[int, frozenset[int]] = field(default_factory=dict)
