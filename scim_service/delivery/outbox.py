"""The outbox: what is to be told is a row in the transaction of the change (reliability.md G1, G2; licensing.md D-17).

A message has a key of its own. Writing it again, in whatever transaction, changes nothing: that is what makes a job
that runs twice tell once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

QUEUED, SENT, CANCELLED, DEAD = "queued", "sent", "cancelled", "dead"
FORGOTTEN = "the person is gone"

MANY = 1_000
"""From so many messages on it is worth it."""

_WATCHED = "delivery.watched"
_outbox = tables.delivery.outbox
_MINE = _outbox.c.tenant_id == sa.bindparam("tenant")
_IS_QUEUED = _outbox.c.state == QUEUED
_CANCEL = (
    sa.update(_outbox)
    .where(_MINE, tables.delivery.QUEUED, _outbox.c.message_key.in_(sa.bindparam("keys", expanding=True)))
    .values(state=CANCELLED, reason=sa.bindparam("why"), ended_at=sa.bindparam("at"), leased_until=None, lease=None)
)
_CANCEL_ALL = (
    sa.update(_outbox)
    .where(
        _MINE,
        tables.delivery.QUEUED,
        _outbox.c.message_key >= sa.bindparam("beginning"),
        _outbox.c.message_key < sa.bindparam("beyond"),
    )
    .values(state=CANCELLED, reason=sa.bindparam("why"), ended_at=sa.bindparam("at"), leased_until=None, lease=None)
)
_LAST = "\U0010ffff"
"""No text that begins like another one comes after that one with this behind it, as keys are ordered by code point."""

_users = tables.directory.users
_FORGET = (
    sa.update(_outbox)
    .where(_MINE, _outbox.c.recipient != "")
    .values(
        recipient="",
        recipient_key="",
        facts="{}",
        reason=sa.case((_IS_QUEUED, FORGOTTEN), else_=_outbox.c.reason),
        ended_at=sa.case((_IS_QUEUED, sa.bindparam("at", type_=_outbox.c.ended_at.type)), else_=_outbox.c.ended_at),
        state=sa.case((_IS_QUEUED, CANCELLED), else_=_outbox.c.state),
        leased_until=None,
        lease=None,
    )
)
_FORGET_ONE = _FORGET.where(_outbox.c.user_seq == sa.bindparam("which"))
_FORGET_THE_GONE = _FORGET.where(
    _outbox.c.user_seq.is_not(None),
    ~sa.exists().where(_users.c.tenant_id == _outbox.c.tenant_id, _users.c.seq == _outbox.c.user_seq),
)
_PURGE = sa.delete(_outbox).where(_MINE, _outbox.c.ended_at < sa.bindparam("before"))
_KNOWN = sa.select(_outbox.c.message_key).where(_MINE, _outbox.c.message_key.in_(sa.bindparam("keys", expanding=True)))
_ANY = (
    sa.select(_outbox.c.seq)
    .where(_MINE, _outbox.c.message_key >= sa.bindparam("beginning"), _outbox.c.message_key < sa.bindparam("beyond"))
    .limit(1)
)


@dataclass(frozen=True)
class Message:
    """One mail to one address: `letter` and its `facts` (JSON values), in `language` (en, fr).

    `key` names it within the tenant. `not_before`: when it may leave, at once where None. `by_hand`: somebody asked for
    it, and the limits of T-7 count it. `user_seq`: the person it is about.
    """

    key: str
    letter: str
    recipient: str
    language: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    user_seq: int | None = None
    not_before: datetime | None = None
    by_hand: bool = False


def post(work: Work, messages: Iterable[Message]) -> None:
    """Put messages in the outbox; those whose key is there already, in whatever state, stay as they are.

    Of very many the known ones are looked up first, so that the rest goes in as fast as the database takes it. Two
    transactions that write very many of the same keys at once are the callers' to keep apart: the gate's lock does.
    """
    found = list(messages)
    watched = work.notes.get(_WATCHED)
    if watched is not None and found:
        before = known(work, [one.key for one in found])
        watched.extend(one for one in found if one.key not in before)
    if len(found) >= MANY:
        before = known(work, [one.key for one in found])
        work.insert(_outbox, [_row(work, one) for one in found if one.key not in before])
    else:
        work.insert_new(_outbox, [_row(work, one) for one in found])


def watch(work: Work) -> None:
    """From now on keep in mind what this transaction posts, for a preview."""
    work.notes[_WATCHED] = []


def watched(work: Work) -> list[Message]:
    """What was posted for the first time since this transaction is watched; nothing where it is not."""
    return list(work.notes.get(_WATCHED, ()))


def known(work: Work, keys: Sequence[str]) -> set[str]:
    """Those of these keys that were posted before, whatever became of them."""
    return {row.message_key for chunk in chunks(keys) for row in work.rows(_KNOWN, keys=list(chunk))}


def has_any(work: Work, beginning: str, since: str = "") -> bool:
    """Whether anything was posted before whose key begins like this, and goes on with `since` or what comes after."""
    return work.row(_ANY, beginning=beginning + since, beyond=beginning + _LAST) is not None


def cancel(work: Work, keys: Sequence[str], reason: str) -> None:
    """Take messages back that were not sent yet; the reason is kept with them."""
    for chunk in chunks(keys):
        work.execute(_CANCEL, keys=list(chunk), why=reason, at=work.now)


def cancel_all(work: Work, beginning: str, reason: str) -> None:
    """Take back every message that was not sent yet and whose key begins like this."""
    work.execute(_CANCEL_ALL, beginning=beginning, beyond=beginning + _LAST, why=reason, at=work.now)


def forget(work: Work, user_seq: int) -> None:
    """A person was deleted: nothing personal stays in what was, or was to be, told about or to that person."""
    work.execute(_FORGET_ONE, which=user_seq, at=work.now)


def forget_the_gone(work: Work) -> int:
    """The same for whoever is gone, should a message have come after; how many messages that were."""
    return work.execute(_FORGET_THE_GONE, at=work.now).rowcount


def purge(work: Work, before: datetime) -> int:
    """Delete what was sent, cancelled or given up before an instant; how many messages that were.

    Their keys go with them: what is told once is told again should it come up after that.
    """
    return work.execute(_PURGE, before=before).rowcount


def _row(work: Work, message: Message) -> dict[str, Any]:
    return {
        "message_key": message.key,
        "letter": message.letter,
        "recipient": message.recipient,
        "recipient_key": text.fold(message.recipient),
        "language": message.language,
        "facts": orjson.dumps(message.facts).decode(),
        "user_seq": message.user_seq,
        "by_hand": message.by_hand,
        "created_at": work.now,
        "due_at": message.not_before or work.now,
        "tries": 0,
        "state": QUEUED,
    }
