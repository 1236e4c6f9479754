"""Notices by the clock: contracts that end (licensing.md N-6), alerts that are armed again (N-5), removals (N-8)."""

from __future__ import annotations

import sqlalchemy as sa

from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import alerts, contract_notices, gate, removal_notices
from scim_service.storage import tables
from scim_service.storage.work import Work

CONTRACTS, SEATS, REMOVALS = "contract-notices", "low-seats", "removals"

_alerts = tables.usage.seat_alerts
_SPENT = (
    sa.select(_alerts.c.tenant_id)
    .where(sa.not_(_alerts.c.armed))
    .group_by(_alerts.c.tenant_id)
    .order_by(_alerts.c.tenant_id)
    .execution_options(across_tenants=True)
)


def contracts_end(context: Context) -> Report:
    """Tell of every contract that is at a step towards its end, or after it; once, however often this runs."""
    due = tenants.asked(context, CONTRACTS, contract_notices.concerned)
    return tenants.each(context, CONTRACTS, due, contract_notices.post)


def seats_rearm(context: Context) -> Report:
    """Arm the alerts of types that were above their thresholds for 24 hours, and note since when others are."""
    spent = tenants.asked(context, SEATS, lambda work: [row.tenant_id for row in work.rows(_SPENT)])
    return tenants.each(context, SEATS, spent, _rearm)


def _rearm(work: Work) -> int:
    return alerts.rearm(work, gate.enter(work).level())


def removals(context: Context) -> Report:
    """Tell of many people who left groups one by one; they are in their exit grace still."""
    leaving = tenants.asked(context, REMOVALS, removal_notices.leaving_tenants)
    return tenants.each(context, REMOVALS, leaving, _removals)


def _removals(work: Work) -> int:
    entered = gate.enter(work)
    return removal_notices.watch(work, entered.settings, entered.exit_grace, entered.level())
