"""Who has which message in hand, and what became of it (licensing.md 4.6; reliability.md F4, F11).

A sender takes messages for a while (the lease), sends them with no transaction open, and says of each, by its lease,
what became of it. Those of a sender that was killed come back when the lease ends. One that was sent is marked at once;
only a kill between the server's answer and the mark sends it twice, under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.delivery import entries, outbox
from scim_service.delivery.entries import Entry
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

LEASE = timedelta(minutes=10)
"""Much longer than a session, so that clocks of hosts which differ by minutes take nothing from each other."""

SLACK = timedelta(minutes=2)
"""A message is not begun when less of its lease is left: a session takes a minute at most."""

BATCH = 20
"""How many messages a sender takes at once."""

WAITS = (
    *(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6)),
    *(timedelta(days=1), timedelta(days=1), timedelta(hours=15, minutes=24)),
)
"""How long to wait after each try; together three days, after which a message is given up."""

HELD = timedelta(hours=1)
"""How long a message waits that cannot be sent for want of a setting; that costs it no try."""

_outbox = tables.delivery.outbox
_NOW = sa.bindparam("at", type_=_outbox.c.due_at.type)
_FREE = sa.or_(
    _outbox.c.leased_until.is_(None),
    _outbox.c.leased_until <= _NOW,
    _outbox.c.leased_until > sa.bindparam("too_far", type_=_outbox.c.due_at.type),
)
_DUE = (tables.delivery.QUEUED, _outbox.c.due_at <= _NOW, _FREE)
_turn = sa.func.row_number().over(partition_by=_outbox.c.tenant_id, order_by=(_outbox.c.due_at, _outbox.c.seq))
_ranked = sa.select(_outbox.c.seq, _outbox.c.due_at, _turn.label("turn")).where(*_DUE).subquery()
_NEXT = (
    sa.select(_ranked.c.seq)
    .order_by(_ranked.c.turn, _ranked.c.due_at, _ranked.c.seq)
    .limit(sa.bindparam("most"))
    .execution_options(across_tenants=True)
)
_LOCKED = (
    sa.select(*entries.columns)
    .where(*_DUE, _outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .with_for_update(skip_locked=True)
    .execution_options(across_tenants=True)
)
_TAKE = (
    sa.update(_outbox)
    .where(_outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .values(lease=sa.bindparam("mine"), leased_until=sa.bindparam("until"))
    .execution_options(across_tenants=True)
)
_RELEASE = (
    sa.update(_outbox)
    .where(tables.delivery.QUEUED, _outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .where(_outbox.c.lease == sa.bindparam("mine"))
    .values(lease=None, leased_until=None)
    .execution_options(across_tenants=True)
)
_MINE = (
    _outbox.c.tenant_id == sa.bindparam("tenant"),
    _outbox.c.seq == sa.bindparam("which"),
    tables.delivery.QUEUED,
    _outbox.c.lease == sa.bindparam("mine"),
)
_HELD_STILL = sa.select(_outbox.c.seq).where(*_MINE, _outbox.c.leased_until > sa.bindparam("least"))
_END = (
    sa.update(_outbox)
    .where(*_MINE)
    .values(
        state=sa.bindparam("new_state"),
        reason=sa.bindparam("why"),
        ended_at=sa.bindparam("at"),
        tries=sa.bindparam("times"),
        leased_until=None,
        lease=None,
    )
)
_PUT_OFF = (
    sa.update(_outbox)
    .where(*_MINE)
    .values(
        reason=sa.bindparam("why"),
        due_at=sa.bindparam("next"),
        tries=sa.bindparam("times"),
        leased_until=None,
        lease=None,
    )
)

_AGAIN = (
    sa.update(_outbox)
    .where(_outbox.c.tenant_id == sa.bindparam("tenant"), _outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .where(_outbox.c.state.in_((outbox.QUEUED, outbox.DEAD)), _FREE)
    .values(state=outbox.QUEUED, due_at=_NOW, tries=0, ended_at=None, leased_until=None, lease=None)
)


def take(work: Work, lease: str, most: int = BATCH) -> list[Entry]:
    """Messages that are due, for this sender alone until the lease ends; of each tenant in turn, the oldest first.

    So a tenant's thousand messages do not stand before another one's only one.
    """
    now = {"at": work.now, "too_far": work.now + 2 * LEASE}
    found = [row.seq for row in work.rows(_NEXT, most=most, **now)]
    if not found:
        return []
    free = {row.seq: entries.entry(row) for row in work.rows(_LOCKED, seqs=found, **now)}
    if free:
        work.execute(_TAKE, seqs=list(free), mine=lease, until=work.now + LEASE)
    return [free[seq] for seq in found if seq in free]


def release(work: Work, taken: Sequence[Entry], lease: str) -> None:
    """Give back what was taken and not tried."""
    work.execute(_RELEASE, seqs=[one.seq for one in taken], mine=lease)


def is_held(work: Work, entry: Entry, lease: str) -> bool:
    """Whether this sender still has the message in hand, for long enough to send it."""
    return work.row(_HELD_STILL, which=entry.seq, mine=lease, least=work.now + SLACK) is not None


def sent(work: Work, entry: Entry, lease: str) -> bool:
    """The mail server has it. Whether the message was still this sender's to mark."""
    return _ended(work, entry, lease, outbox.SENT, None)


def cancelled(work: Work, entry: Entry, lease: str, reason: str) -> bool:
    """It is not to be sent any more."""
    return _ended(work, entry, lease, outbox.CANCELLED, reason, tried=False)


def dead(work: Work, entry: Entry, lease: str, reason: str) -> bool:
    """It cannot be sent, and is tried no more."""
    return _ended(work, entry, lease, outbox.DEAD, reason)


def put_off(work: Work, entry: Entry, lease: str, reason: str, most: int = len(WAITS) + 1) -> bool:
    """It could not be sent now: it is tried later, or was tried often enough (`most` times) and is given up."""
    if entry.tries + 1 >= most:
        return dead(work, entry, lease, reason)
    return _later(work, entry, lease, reason, WAITS[entry.tries], tries=entry.tries + 1)


def held(work: Work, entry: Entry, lease: str, reason: str) -> bool:
    """It waits for a setting, as long as that takes."""
    return _later(work, entry, lease, reason, HELD, tries=entry.tries)


def again(work: Work, taken: Sequence[Entry]) -> int:
    """Have messages sent that were given up, or wait for their next try: now, with all their tries before them.

    How many; one that a sender has in hand at this moment, and one that has ended otherwise, stays as it is.
    """
    now = {"at": work.now, "too_far": work.now + 2 * LEASE}
    return sum(work.execute(_AGAIN, seqs=[one.seq for one in some], **now).rowcount for some in chunks(taken))


def _later(work: Work, entry: Entry, lease: str, reason: str, wait: timedelta, tries: int) -> bool:
    values: dict[str, Any] = {"why": reason, "next": work.now + wait, "times": tries}
    return work.execute(_PUT_OFF, which=entry.seq, mine=lease, **values).rowcount == 1


def _ended(work: Work, entry: Entry, lease: str, state: str, reason: str | None, tried: bool = True) -> bool:
    values: dict[str, Any] = {"new_state": state, "why": reason, "at": work.now, "times": entry.tries + int(tried)}
    return work.execute(_END, which=entry.seq, mine=lease, **values).rowcount == 1
