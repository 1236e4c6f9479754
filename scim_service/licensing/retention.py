"""How long what is over is kept: the hours of use, forecasts, what idle people were asked (reliability.md D4)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from scim_service.licensing import snapshots
from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

_forecasts = tables.usage.forecasts
_asks = tables.usage.reclaim_asks
_FORECASTS = sa.delete(_forecasts).where(
    _forecasts.c.tenant_id == sa.bindparam("tenant"), _forecasts.c.day < sa.bindparam("first")
)
_ASKS = sa.delete(_asks).where(
    _asks.c.tenant_id == sa.bindparam("tenant"),
    _asks.c.ended_at < sa.bindparam("before", type_=Instant),
    sa.or_(_asks.c.not_before.is_(None), _asks.c.not_before < sa.bindparam("before", type_=Instant)),
)


def purge(work: Work, before: datetime) -> int:
    """Delete what is older than an instant; how many rows that were. The days of use stay."""
    hours = snapshots.forget(work, before)
    forecasts = work.execute(_FORECASTS, first=before.date().isoformat()).rowcount
    return hours + forecasts + work.execute(_ASKS, before=before).rowcount
