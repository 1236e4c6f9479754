"""The scheduler of a process: it wakes the jobs.

The lazy clock lets seats lapse when a request comes (licensing.md I-10); the job `clock` does the same for tenants whom
nobody asks, so that who waits gets the seat on time. Running it twice, or in several processes, changes nothing more.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler

from scim_service import errors
from scim_service.licensing import seats
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor

CLOCK_SECONDS = 15

_licensing = tables.licensing.licensing
_DUE = (
    sa.select(_licensing.c.tenant_id)
    .where(_licensing.c.next_due <= sa.bindparam("now"))
    .order_by(_licensing.c.next_due)
    .execution_options(across_tenants=True)
)
_log = logging.getLogger("scim_service.jobs")


class Jobs:
    """The scheduler of one process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(self._clock, "interval", seconds=CLOCK_SECONDS, max_instances=1, coalesce=True)

    def start(self) -> None:
        """Begin to wake the jobs, in a thread of their own."""
        self._scheduler.start()

    def stop(self) -> None:
        """Wake no job any more, and wait for the one that runs."""
        self._scheduler.shutdown(wait=True)

    def _clock(self) -> None:
        try:
            tick_due(self._store)
        except Exception:
            _log.exception("job failed", extra={"route": "clock"})


def tick_due(store: Store) -> int:
    """Let time act on the seats of every tenant where something is due; the number of tenants that were due."""
    with store.reading(EVERY_TENANT, Actor("job", "clock")) as work:
        due = [row.tenant_id for row in work.rows(_DUE, now=work.now)]
    for tenant_id in due:
        _tick(store, tenant_id)
    return len(due)


def _tick(store: Store, tenant_id: int) -> None:
    """One tenant's turn. A busy database puts it off to the next round; what else goes wrong holds up no other one."""
    try:
        with store.writing(tenant_id, Actor("job", "clock")) as work:
            seats.tick(work)
    except errors.Unavailable:
        _log.warning("seats of a tenant could not be locked in time", extra={"route": "clock", "tenant": tenant_id})
    except Exception:
        _log.exception("job failed for a tenant", extra={"route": "clock", "tenant": tenant_id})
