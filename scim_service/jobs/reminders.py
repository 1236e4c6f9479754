"""The job `reminders`: due steps of invitations and verifications, and their lapses (licensing.md T-3 to T-8)."""

from __future__ import annotations

from scim_service.access import invitations
from scim_service.directory import reminders
from scim_service.jobs import tenants
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report
from scim_service.storage.work import Actor, Work

NAME = "reminders"


def run(context: Context) -> Report:
    """Let time act on every row that is due, each in a transaction of its own."""
    with context.reading(Actor("job", NAME)) as work:
        due = [Item(tenant_id, f"invitation:{seq}", seq) for tenant_id, seq in invitations.due(work)]
    return tenants.all_of(context, NAME, due, _advance)


def _advance(work: Work, item: Item) -> int:
    return reminders.advance(work, item.what)
