"""What a job is, what it is given, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_service.config import Settings
from scim_service.storage.store import Store


@dataclass(frozen=True)
class Context:
    """What every job works with; `now` is the instant of the run, `slot` the one that it was due at."""

    store: Store
    settings: Settings
    now: datetime
    slot: datetime


@dataclass(frozen=True)
class Report:
    """How many items a run did, and how many went wrong, each by itself."""

    items: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Job:
    """One row of the table: due once in every `every`, counted from midnight UTC and moved by `offset`.

    A run that was missed is made up for once, late, however many were missed (licensing.md T-9).
    """

    name: str
    every: timedelta
    run: Callable[[Context], Report]
    sentence: str
    offset: timedelta = timedelta(0)
