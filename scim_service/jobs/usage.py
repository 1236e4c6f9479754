"""The jobs of use over time: an hour's numbers, a day's, and what is to be expected (licensing.md 4.6, part 5.2)."""

from __future__ import annotations

from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import outlook, snapshots

SNAPSHOT, DAILY, FORECAST = "usage-snapshot", "usage-daily", "forecast"


def snapshot(context: Context) -> Report:
    """Count the seats of every type, for the present hour."""
    return tenants.each(context, SNAPSHOT, tenants.everyone(context, SNAPSHOT), snapshots.take)


def daily(context: Context) -> Report:
    """Make the rows of the days that are over, of the hours there are."""
    return tenants.each(context, DAILY, tenants.everyone(context, DAILY), snapshots.close_days)


def forecast(context: Context) -> Report:
    """Say of every type when it will be full."""
    return tenants.each(context, FORECAST, tenants.everyone(context, FORECAST), outlook.keep)
