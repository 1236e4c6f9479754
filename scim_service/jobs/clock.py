"""The job `clock`: time acts on the seats of tenants whom nobody asks, so that who waits is served on time (I-10)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from scim_service.jobs import items
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report
from scim_service.licensing import seats
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor

NAME = "clock"
ACTOR = Actor("job", NAME)

_licensing = tables.licensing.licensing
_DUE = (
    sa.select(_licensing.c.tenant_id)
    .where(_licensing.c.next_due <= sa.bindparam("now"))
    .order_by(_licensing.c.next_due)
    .execution_options(across_tenants=True)
)
_log = logging.getLogger("scim_service.jobs")


def run(context: Context) -> Report:
    """Let time act on every tenant where something is due."""
    due = [Item(tenant_id, "seats") for tenant_id in _due(context.store)]
    return items.isolated(context, NAME, due, lambda work, item: seats.tick(work))


def tick_due(store: Store) -> int:
    """The same for who is about to look at the numbers of everybody; how many tenants were due."""
    due = _due(store)
    for tenant_id in due:
        trouble = items.attempted(partial(_tick, store, tenant_id))
        if trouble is not None:
            about = {"job": NAME, "tenant": tenant_id}
            _log.error("job failed for an item", extra=about, exc_info=trouble.exception)
    return len(due)


def _due(store: Store) -> Sequence[int]:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        return [row.tenant_id for row in work.rows(_DUE, now=work.now)]


def _tick(store: Store, tenant_id: int, careful: bool) -> None:
    with store.writing(tenant_id, ACTOR, careful=careful) as work:
        seats.tick(work)
