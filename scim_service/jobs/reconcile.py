"""Every night: is what the tables say right? Mended where that is safe, told in any case (licensing.md I-12, N-8)."""

from __future__ import annotations

import sqlalchemy as sa

from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import healing, seats, verify
from scim_service.storage import tables
from scim_service.storage.work import Actor, Work

NAME = "reconcile"
PATIENCE = 1_800
"""For how many seconds a tenant may be looked at."""

_licensing = tables.licensing.licensing
_ALL = sa.select(_licensing.c.tenant_id).order_by(_licensing.c.tenant_id).execution_options(across_tenants=True)


def run(context: Context) -> Report:
    """Compare ledger, rows and a resolution of everybody, for every tenant; `failed` counts those that differ."""
    found = tenants.asked(context, NAME, lambda work: [row.tenant_id for row in work.rows(_ALL)])
    wrong = {tenant_id: findings for tenant_id in found if (findings := _lasting(context, tenant_id))}
    tenants.each(context, NAME, wrong, lambda work: _healed(work, wrong[work.tenant_id]))
    return Report(len(found), len(wrong))


def _lasting(context: Context, tenant_id: int) -> list[str]:
    """What is wrong, and is so still when it is looked at again: an instant that passed meanwhile is no fault."""
    return _findings(context, tenant_id) and _findings(context, tenant_id)


def _findings(context: Context, tenant_id: int) -> list[str]:
    tenants.each(context, NAME, [tenant_id], seats.tick)
    with context.store.reading(tenant_id, Actor("job", NAME), seconds=PATIENCE) as work:
        return verify.findings(work)


def _healed(work: Work, findings: list[str]) -> int:
    done = healing.heal(work)
    return healing.report(work, [*done, *(verify.findings(work) if done else findings)])
