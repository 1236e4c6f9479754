"""Notices by the clock: contracts that end (licensing.md N-6), alerts of seats that are armed again (N-5)."""

from __future__ import annotations

import sqlalchemy as sa

from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import alerts, contract_notices, gate
from scim_service.storage import tables
from scim_service.storage.work import Work

CONTRACTS, SEATS = "contract-notices", "low-seats"

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
