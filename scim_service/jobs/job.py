"""What a job is, what it is given, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_service.config import Settings
from scim_service.jobs import leases
from scim_service.jobs.leases import Lease
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work


class Stopped(Exception):
    """The process ends: the run is left as it is, for the next one to go on with."""


@dataclass(frozen=True)
class Context:
    """What every job works with; `now` is the instant of the run, `slot` the one that it was due at.

    `lease` is that under which it runs, None by hand; `is_over` says whether the process is to end.
    """

    store: Store
    settings: Settings
    now: datetime
    slot: datetime
    lease: Lease | None = None
    is_over: Callable[[], bool] = lambda: False

    def reading(self, actor: Actor, tenant_id: int = EVERY_TENANT) -> AbstractContextManager[Work]:
        """One snapshot of a tenant, or of all of them."""
        return self.store.reading(tenant_id, actor)

    @contextmanager
    def writing(self, actor: Actor, tenant_id: int, careful: bool = False) -> Iterator[Work]:
        """One write transaction of the run, kept only while this process leads. Raises Lost."""
        with self.store.writing(tenant_id, actor, careful=careful) as work:
            yield work
            if self.lease is not None:
                leases.expect(work, self.lease)


@dataclass(frozen=True)
class Report:
    """How many items a run did, and how many went wrong, each by itself."""

    items: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Job:
    """One row of the table: due once in every `every`, counted from a Monday's midnight UTC and moved by `offset`.

    A run that was missed is made up for once, late, however many were missed (licensing.md T-9).
    """

    name: str
    every: timedelta
    run: Callable[[Context], Report]
    sentence: str
    offset: timedelta = timedelta(0)
