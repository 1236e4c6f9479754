"""The job `reminders`: due steps of invitations and verifications, and their lapses (licensing.md T-3 to T-8)."""

from __future__ import annotations

from scim_service.access import invitations
from scim_service.directory import reminders
from scim_service.jobs.job import Context, Report
from scim_service.storage.work import EVERY_TENANT, Actor

ACTOR = Actor("job", "reminders")


def run(context: Context) -> Report:
    """Let time act on every row that is due, each in a transaction of its own."""
    with context.store.reading(EVERY_TENANT, ACTOR) as work:
        due = invitations.due(work)
    done = 0
    for tenant_id, seq in due:
        with context.store.writing(tenant_id, ACTOR) as work:
            done += reminders.advance(work, seq)
    return Report(done)
