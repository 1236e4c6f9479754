"""The administrators' weekly letter: Monday 07:00 in the tenant's own time zone, once a week (licensing.md 4.6).

Looked at every quarter of an hour, as time zones differ by that; summer time moves the hour in UTC, not the letter's. A
week in which there is nothing to say leaves a row that says so: what happens on Tuesday is for the next Monday.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo

import sqlalchemy as sa

from scim_service.access import roles, told
from scim_service.access.admins import Administrator
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import outbox
from scim_service.delivery.outbox import Message
from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report
from scim_service.licensing import digest, seats
from scim_service.licensing.digest import Period
from scim_service.protocol.text import fold
from scim_service.storage import tables
from scim_service.storage.work import Actor, Work

NAME = "digest"
LETTER = "digest"
HOUR = time(7)
NOTHING, LATER = "there was nothing to say", "a later digest takes its place"

_tenants = tables.access.tenants
_ALL = (
    sa.select(_tenants.c.id, _tenants.c.settings, _tenants.c.created_at)
    .order_by(_tenants.c.id)
    .execution_options(across_tenants=True)
)
_SETTINGS = sa.select(_tenants.c.settings).where(_tenants.c.id == sa.bindparam("tenant"))


def run(context: Context) -> Report:
    """Write the digest of each tenant whose Monday has come, and which has not had it."""
    found = tenants.asked(context, NAME, _concerned)
    return tenants.each(context, NAME, [one for one in found if not _was_told(context, one)], _post)


def slot(now: datetime, zone: tzinfo) -> datetime:
    """The latest Monday 07:00 of a time zone, in UTC. Pure."""
    here = now.astimezone(zone)
    monday = here.date() - timedelta(days=here.weekday())
    found = datetime.combine(monday, HOUR, zone)
    return (found if found <= here else datetime.combine(monday - timedelta(days=7), HOUR, zone)).astimezone(UTC)


def week(instant: datetime, zone: tzinfo) -> str:
    """The week that a digest is of, as 2027-W09."""
    year, number, _ = instant.astimezone(zone).isocalendar()
    return f"{year}-W{number:02}"


def _concerned(work: Work) -> Iterable[int]:
    for row in work.rows(_ALL):
        settings = TenantSettings.of(row.settings)
        if settings.has_digest and row.created_at <= slot(work.now, settings.time_zone):
            yield row.id


def _was_told(context: Context, tenant_id: int) -> bool:
    with context.reading(Actor("job", NAME), tenant_id) as work:
        settings = TenantSettings.of(work.value(_SETTINGS))
        return outbox.has_any(work, _beginning(slot(work.now, settings.time_zone), settings))


def _beginning(due: datetime, settings: TenantSettings) -> str:
    return f"dig:{week(due, settings.time_zone)}:"


def _post(work: Work) -> int:
    settings = TenantSettings.of(work.value(_SETTINGS))
    due = slot(work.now, settings.time_zone)
    beginning = _beginning(due, settings)
    readers = [one for one in told.of_any_product(told.everybody(work)) if _was_there(one, due)]
    if not readers or outbox.has_any(work, beginning):
        return 0
    seats.tick(work)
    outbox.cancel_all(work, "dig:", LATER)
    found = digest.of(work, Period(slot(due - timedelta(seconds=1), settings.time_zone), due))
    silent, sent = [], 0
    for one in readers:
        products = one.products if one.role == roles.LICENSE_ADMINISTRATOR else None
        said = found.told(products, settings.language)
        key, facts = f"{beginning}{fold(one.email)}", {"week": week(due, settings.time_zone), **said}
        outbox.post(work, [Message(key, LETTER, one.email, settings.language, facts)])
        silent += [] if said else [key]
        sent += bool(said)
    outbox.cancel(work, silent, NOTHING)
    return sent


def _was_there(administrator: Administrator, due: datetime) -> bool:
    return administrator.accepted_at is not None and administrator.accepted_at <= due
