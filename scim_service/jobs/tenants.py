"""What jobs do for one tenant after the other: each in a transaction of its own, so that none holds up another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from scim_service import errors
from scim_service.jobs.job import Context, Report
from scim_service.storage import faults
from scim_service.storage.work import EVERY_TENANT, Actor, Work

_log = logging.getLogger("scim_service.jobs")


def asked(context: Context, job: str, question: Callable[[Work], Iterable[int]]) -> list[int]:
    """Which tenants a job has to do something for; the question is one across tenants."""
    with context.store.reading(EVERY_TENANT, Actor("job", job)) as work:
        return list(question(work))


def each(context: Context, job: str, tenant_ids: Iterable[int], act: Callable[[Work], int]) -> Report:
    """Do it for each; what a busy database put off is done in the next run."""
    items = failed = 0
    for tenant_id in tenant_ids:
        try:
            with context.store.writing(tenant_id, Actor("job", job)) as work:
                items += act(work)
        except (errors.Unavailable, faults.Again):
            failed += 1
            _log.warning("a job was put off for a tenant", extra={"route": job, "tenant": tenant_id})
    return Report(items, failed)
