"""Ladders: when an open invitation or verification is reminded of, and when it lapses (licensing.md T-3 to T-8). Pure.

A ladder is climbed from an anchor: a reminder at every offset, then the lapse, at which the link dies (decision 35).
Whoever comes late sends only the latest step that is due, and nobody is reminded twice within 20 hours (T-8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_service.access.tenant_settings import SEND_THEN_STOP, TenantSettings

REMINDER, LAST = "reminder", "last"
QUIET = timedelta(hours=20)
"""Never two reminders to one recipient within so long (T-8)."""

LAST_CALL = timedelta(hours=24)
"""How long the link of a last letter works: `final_step` send_then_stop moves the lapse by so much."""


@dataclass(frozen=True)
class Ladder:
    """When reminders go, counted from the anchor, and when the ladder lapses; `last_call`: with a last letter then."""

    offsets: tuple[timedelta, ...]
    lapse: timedelta
    last_call: bool = False

    @classmethod
    def of(cls, settings: TenantSettings) -> Ladder:
        """The ladder that a tenant has set."""
        offsets, lapse = settings.ladder
        return cls(offsets, lapse, settings.values["final_step"] == SEND_THEN_STOP)

    def end(self, anchor: datetime) -> datetime:
        """When the ladder lapses, and its link is dead."""
        return anchor + self.lapse + (LAST_CALL if self.last_call else timedelta(0))

    def steps(self, anchor: datetime, end: datetime) -> list[tuple[datetime, str]]:
        """Every step before the end: when it is due, and which letter it is."""
        found = [(anchor + offset, REMINDER) for offset in self.offsets if offset < self.lapse]
        if self.last_call:
            found.append((anchor + self.lapse, LAST))
        return [one for one in found if one[0] < end]


@dataclass(frozen=True)
class Turn:
    """What a ladder does now: how many of its steps are over then, which letter goes, whether it has lapsed.

    `due_at` is when to look again; None once it has lapsed.
    """

    over: int
    letter: str | None
    lapsed: bool
    due_at: datetime | None


def turn(
    ladder: Ladder, anchor: datetime, end: datetime, over: int, now: datetime, reminded_at: datetime | None = None
) -> Turn:
    """What is due now of a ladder that began at `anchor` and lapses at `end`, when `over` of its steps are over.

    Of several overdue steps only the latest goes. `reminded_at` is when the recipient was last reminded of anything:
    too near, the step waits, at the longest until the lapse.
    """
    if now >= end:
        return Turn(over, None, True, None)
    steps = ladder.steps(anchor, end)
    due = sum(at <= now for at, _ in steps)
    if due > over and reminded_at is not None and now - reminded_at < QUIET:
        return Turn(over, None, False, min(reminded_at + QUIET, end))
    following = [at for at, _ in steps[max(over, due) :]]
    letter = steps[due - 1][1] if due > over else None
    return Turn(max(over, due), letter, False, min([*following, end]))


def first_due(ladder: Ladder, anchor: datetime, end: datetime) -> datetime:
    """When a ladder that has just begun is to be looked at first."""
    return min([*(at for at, _ in ladder.steps(anchor, end)), end])
