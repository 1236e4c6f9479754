"""The job `purge`: what is over for longer than it is kept is deleted (reliability.md D4, licensing.md 4.6)."""

from __future__ import annotations

from datetime import timedelta

from scim_service.access import retention as of_access
from scim_service.delivery import outbox
from scim_service.jobs import runs, tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import retention as of_licensing
from scim_service.licensing import snapshots
from scim_service.storage.work import EVERY_TENANT, Actor, Work

NAME = "purge"
RETENTION = timedelta(days=snapshots.KEPT_DAYS)
"""How long messages, hours, tokens and links are kept once they are over."""


def run(context: Context) -> Report:
    """Delete what is over, tenant by tenant, and old runs of jobs."""
    with context.writing(Actor("job", NAME), EVERY_TENANT) as work:
        forgotten = runs.purge(work)
    found = tenants.each(context, NAME, tenants.everyone(context, NAME), _purge)
    return Report(found.items + forgotten, found.failed)


def _purge(work: Work) -> int:
    before = work.now - RETENTION
    messages = outbox.forget_the_gone(work) + outbox.purge(work, before)
    return messages + of_access.purge(work, before) + of_licensing.purge(work, before)
