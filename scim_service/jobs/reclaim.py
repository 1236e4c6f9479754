"""Every night: who does not use a license is asked, reminded, and loses it without an answer (licensing.md E-29)."""

from __future__ import annotations

from functools import partial

from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import reclaim_asks, seats
from scim_service.storage.work import EVERY_TENANT, Actor, Work

NAME = "reclaim"


def run(context: Context) -> Report:
    """What is due for questions that are open, each by itself, then new questions."""
    with context.store.reading(EVERY_TENANT, Actor("job", NAME)) as work:
        due = reclaim_asks.due(work)
    done = [tenants.each(context, NAME, [tenant], partial(_step, seq=seq, cycle=cycle)) for tenant, seq, cycle in due]
    asking = tenants.asked(context, NAME, reclaim_asks.asking_tenants)
    tenants.each(context, NAME, asking, seats.tick)
    found = [*done, tenants.each(context, NAME, asking, reclaim_asks.begin)]
    return Report(sum(one.items for one in found), sum(one.failed for one in found))


def _step(work: Work, seq: int, cycle: int) -> int:
    reclaim_asks.step(work, seq, cycle)
    return 1
