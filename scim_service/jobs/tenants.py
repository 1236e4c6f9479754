"""What jobs do for one tenant after the other: each is an item by itself, so that none holds up another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from scim_service.jobs import items
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report
from scim_service.storage import tables
from scim_service.storage.work import Actor, Work

WHOLE = "tenant"
"""The key of an item that is the whole tenant."""

_tenants = tables.access.tenants
_EVERYONE = sa.select(_tenants.c.id).order_by(_tenants.c.id)


def asked(context: Context, job: str, question: Callable[[Work], Iterable[int]]) -> list[int]:
    """Which tenants a job has to do something for; the question is one across tenants."""
    with context.reading(Actor("job", job)) as work:
        return list(question(work))


def everyone(context: Context, job: str) -> list[int]:
    """Every tenant."""
    return asked(context, job, lambda work: [row.id for row in work.rows(_EVERYONE)])


def each(context: Context, job: str, tenant_ids: Iterable[int], act: Callable[[Work], int]) -> Report:
    """Do it for each; the report counts what was done, not the tenants."""
    return all_of(context, job, [Item(one, WHOLE) for one in tenant_ids], lambda work, _item: act(work))


def all_of(context: Context, job: str, found: Iterable[Item], act: Callable[[Work, Item], int]) -> Report:
    """Do it for each item; the report counts what was done, not the items."""
    done: dict[tuple[int, str], int] = {}

    def counted(work: Work, item: Item) -> None:
        done[item.tenant_id, item.key] = act(work, item)

    report = items.isolated(context, job, found, counted)
    return Report(sum(done.values()), report.failed)
