"""Which slot of a job is due: a pure function of its last run and now (licensing.md T-9).

A slot is an instant in UTC, so a change of local time moves none. Several that were missed are one: the latest. A slot
that lies ahead is of a clock that was set back since, and counts as never run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scim_service.jobs.job import Job

FIRST = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday."""
SKEW = timedelta(minutes=10)
"""By how much the clocks of hosts may differ."""
TRIES = 8
"""How often a run is begun before it is given up, and the next slot waited for (reliability.md F22)."""
AGAIN = timedelta(minutes=5)
"""How long a run that failed is left alone."""

RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True)
class Last:
    """The run of a job's latest slot: how it stands, under which lease, begun how often."""

    slot: datetime
    state: str
    fence: int
    tries: int
    ended_at: datetime | None


def latest(job: Job, now: datetime) -> datetime:
    """The job's last slot up to now."""
    return FIRST + job.offset + (now - FIRST - job.offset) // job.every * job.every


def following(job: Job, now: datetime) -> datetime:
    """The job's first slot after now."""
    return latest(job, now) + job.every


def due(job: Job, last: Last | None, now: datetime, fence: int) -> datetime | None:
    """The slot that whoever leads as the `fence`-th one is to run now; None where there is nothing to do."""
    slot = latest(job, now)
    if last is None or last.slot < slot or last.slot > now + SKEW:
        return slot
    return last.slot if _is_unfinished(last, now, fence) else None


def _is_unfinished(last: Last, now: datetime, fence: int) -> bool:
    """Whether a run is to be taken up again: its leader is gone, or it failed and was left alone for long enough."""
    if last.tries >= TRIES:
        return False
    if last.state == FAILED:
        return last.ended_at is None or not last.ended_at <= now < last.ended_at + AGAIN
    return last.state == RUNNING and last.fence < fence
