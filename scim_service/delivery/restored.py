"""Letters after a backup was restored: what was sent since, or given up, does not leave again (reliability.md F20)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_service.storage import schema_version, tables
from scim_service.storage.work import Work, chunks

_outbox = tables.delivery.outbox
_QUEUED = (
    sa.select(_outbox.c.seq, _outbox.c.tenant_id, _outbox.c.message_key)
    .where(tables.delivery.QUEUED)
    .order_by(_outbox.c.tenant_id, _outbox.c.seq)
    .execution_options(across_tenants=True)
)
_ENDED = (
    sa.select(_outbox.c.tenant_id, _outbox.c.message_key, _outbox.c.state, _outbox.c.reason, _outbox.c.ended_at)
    .where(_outbox.c.ended_at.is_not(None), _outbox.c.message_key.in_(sa.bindparam("keys", expanding=True)))
    .execution_options(across_tenants=True)
)
_END = (
    sa.update(_outbox)
    .where(_outbox.c.tenant_id == sa.bindparam("tenant"), _outbox.c.seq == sa.bindparam("which"))
    .values(
        state=sa.bindparam("new_state"),
        reason=sa.bindparam("why"),
        ended_at=sa.bindparam("at"),
        leased_until=None,
        lease=None,
    )
)


def letters(work: Work, old: Work | None) -> int:
    """End the letters that wait in the backup and had ended in the database that it replaced; how many there were."""
    if old is None or not schema_version.has(old.connection, *_outbox.c):
        return 0
    return sum(_end(work, old, waiting) for waiting in chunks(work.rows(_QUEUED)))


def _end(work: Work, old: Work, waiting: Sequence[Any]) -> int:
    ended = {
        (row.tenant_id, row.message_key): row for row in old.rows(_ENDED, keys=[one.message_key for one in waiting])
    }
    count = 0
    for one in waiting:
        row = ended.get((one.tenant_id, one.message_key))
        if row is not None:
            ending = {"new_state": row.state, "why": row.reason, "at": row.ended_at}
            work.execute(_END, which=one.seq, tenant=one.tenant_id, **ending)
            count += 1
    return count
