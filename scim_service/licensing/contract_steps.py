"""When a contract's end is told of (licensing.md N-6): steps before the end, at it, and around the grace's end. Pure.

A step that was missed is told late; of several that were missed only the latest. What has been over for long is not
told any more: nobody wants to hear of a contract that ended years ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scim_service.licensing.contracts import Contract

ENDS, ENDED = "contract_ends", "contract_ended"
GRACE_ENDS, GRACE_ENDED = "grace_ends", "grace_ended"
LETTERS = (ENDS, ENDED, GRACE_ENDS, GRACE_ENDED)

BEFORE_END = (90, 60, 30, 14, 7, 1)
BEFORE_GRACE_ENDS = (3, 1)
"""Days."""

EARLIEST = timedelta(days=BEFORE_END[0])
RENEWED = "the contract was renewed"
"""Why a notice that was not sent yet is taken back."""

LATER = "a later notice takes its place"

STALE = timedelta(days=30)
"""A step that was due so long ago is not told any more."""


@dataclass(frozen=True)
class Step:
    """One moment of a contract's end: its name in keys, when it is due, which letter it is."""

    offset: str
    at: datetime
    letter: str


def of(starts: datetime, ends: datetime, grace: timedelta) -> list[Step]:
    """The steps in order; those that would be before the contract began, or before its grace did, are none."""
    over = ends + grace
    before = [Step(f"{days}d", ends - timedelta(days=days), ENDS) for days in BEFORE_END]
    last = [Step(f"grace-{days}d", over - timedelta(days=days), GRACE_ENDS) for days in BEFORE_GRACE_ENDS]
    return [
        *(one for one in before if one.at >= starts),
        Step("end", ends, ENDED),
        *(one for one in last if one.at > ends),
        Step("grace-end", over, GRACE_ENDED),
    ]


def due(steps: Iterable[Step], now: datetime) -> Step | None:
    """The latest step whose time has come, unless that is long ago."""
    past = [one for one in steps if one.at <= now]
    return past[-1] if past and now - past[-1].at < STALE else None


def days_until(instant: datetime, now: datetime) -> int:
    """How many days there are left, those that have begun included."""
    return max(0, -((now - instant) // timedelta(days=1)))


def goes_on(contract: Contract, renewal: Contract | None, now: datetime) -> bool:
    """Whether a renewal follows without a gap, or is there by now: then the end is nobody's concern."""
    if renewal is None or contract.ends_at is None:
        return contract.ends_at is None
    return renewal.starts_at <= max(contract.ends_at, now)


def renewal_of(contract: Contract, everything: Sequence[Contract]) -> Contract | None:
    """The contract that takes the place of this one."""
    return next((one for one in everything if one.renewal_of == contract.number), None)


def series(contract: Contract, everything: Sequence[Contract]) -> tuple[int, int]:
    """The seq of the first contract of a chain of renewals, and which term of it this one is, from 1."""
    by_number, term = {one.number: one for one in everything}, 1
    while contract.renewal_of is not None:
        contract, term = by_number[contract.renewal_of], term + 1
    return contract.seq, term


def beginning(contract: Contract, everything: Sequence[Contract], offset: str | None = None) -> str:
    """How the keys of a contract's notices begin: of its term, or of one step of it."""
    first, term = series(contract, everything)
    return f"ctr:{first}:{term}:" + (f"{offset}:" if offset else "")
