"""A row of the outbox as those see it who send it, or ask whether it is still true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.storage import tables

_outbox = tables.delivery.outbox


@dataclass(frozen=True)
class Entry:
    """One message in the outbox: `facts` are JSON values; `key` names it in its tenant; `reason` is data, not a text.

    `user_seq`: the person it is about, None where it is about nobody.
    """

    seq: int
    tenant_id: int
    key: str
    letter: str
    recipient: str
    language: str
    facts: Mapping[str, Any]
    user_seq: int | None
    created_at: datetime
    due_at: datetime
    tries: int
    state: str
    reason: str | None
    ended_at: datetime | None
    leased_until: datetime | None


def entry(row: sa.Row[Any]) -> Entry:
    """A row of `columns` as an Entry."""
    values = dict(row._mapping)
    return Entry(key=values.pop("message_key"), facts=orjson.loads(values.pop("facts")), **values)


columns = (
    _outbox.c.seq,
    _outbox.c.tenant_id,
    _outbox.c.message_key,
    _outbox.c.letter,
    _outbox.c.recipient,
    _outbox.c.language,
    _outbox.c.facts,
    _outbox.c.user_seq,
    _outbox.c.created_at,
    _outbox.c.due_at,
    _outbox.c.tries,
    _outbox.c.state,
    _outbox.c.reason,
    _outbox.c.ended_at,
    _outbox.c.leased_until,
)
"""What to select of the outbox for `entry`."""
