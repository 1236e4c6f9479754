"""Every night: who does not use a license is asked, reminded, and loses it without an answer (licensing.md E-29)."""

from __future__ import annotations

from scim_service.jobs import tenants
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report
from scim_service.licensing import reclaim_asks, seats
from scim_service.storage.work import Actor, Work

NAME = "reclaim"


def run(context: Context) -> Report:
    """What is due for questions that are open, each by itself, then new questions."""
    with context.reading(Actor("job", NAME)) as work:
        due = [Item(tenant, f"{seq}:{cycle}", (seq, cycle)) for tenant, seq, cycle in reclaim_asks.due(work)]
    gone_on = tenants.all_of(context, NAME, due, _step)
    asking = tenants.asked(context, NAME, reclaim_asks.asking_tenants)
    tenants.each(context, NAME, asking, seats.tick)
    asked = tenants.each(context, NAME, asking, reclaim_asks.begin)
    return Report(gone_on.items + asked.items, gone_on.failed + asked.failed)


def _step(work: Work, item: Item) -> int:
    reclaim_asks.step(work, *item.what)
    return 1
