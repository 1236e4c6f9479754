"""A row of the outbox as those see it who send it, or ask whether it is still true."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.protocol.text import fold
from scim_service.storage import tables
from scim_service.storage.work import Work

MOST = 1_000
"""A listing has at most so many, the newest ones."""

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

_MINE = _outbox.c.tenant_id == sa.bindparam("tenant")
_FIND = sa.select(*columns).where(_MINE, _outbox.c.seq == sa.bindparam("which"))
_NEWEST = sa.select(*columns).where(_MINE).order_by(_outbox.c.seq.desc()).limit(MOST)
_WANTED = {
    "state": _outbox.c.state == sa.bindparam("wanted_state"),
    "letter": _outbox.c.letter == sa.bindparam("wanted_letter"),
    "to": _outbox.c.recipient_key == sa.bindparam("wanted_to"),
}
_LISTINGS = {
    names: _NEWEST.where(*(_WANTED[one] for one in names))
    for count in range(len(_WANTED) + 1)
    for names in itertools.combinations(_WANTED, count)
}


def find(work: Work, seq: int) -> Entry | None:
    """One message of the tenant, or None."""
    row = work.row(_FIND, which=seq)
    return None if row is None else entry(row)


def listing(work: Work, state: str | None = None, letter: str | None = None, to: str | None = None) -> list[Entry]:
    """The tenant's newest messages, the newest last: of one state, of one letter, to one address."""
    wanted = {"state": state, "letter": letter, "to": None if to is None else fold(to)}
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = work.rows(_LISTINGS[tuple(given)], **{f"wanted_{name}": value for name, value in given.items()})
    return [entry(row) for row in reversed(rows)]
