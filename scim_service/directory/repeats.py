"""Answers that are given again: a POST or PATCH with an Idempotency-Key is done once, however often it is sent (F2).

The answer is a row in the transaction of the change, so that there is never one without the other. A refusal is not
kept: what was wrong may be right the next time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import errors
from scim_service.storage import tables
from scim_service.storage.work import Work

KEPT = timedelta(hours=24)

_repeats = tables.directory.repeats
_MINE = (
    _repeats.c.tenant_id == sa.bindparam("tenant"),
    _repeats.c.connection_seq == sa.bindparam("connection"),
    _repeats.c.key_hash == sa.bindparam("hash"),
)
_FIND = sa.select(_repeats).where(*_MINE)
_FORGET = sa.delete(_repeats).where(*_MINE)
_PURGE = sa.delete(_repeats).where(
    _repeats.c.tenant_id == sa.bindparam("tenant"),
    _repeats.c.created_at <= sa.bindparam("until", type_=_repeats.c.created_at.type),
)
_TRY_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("number", type_=sa.BigInteger)))


@dataclass(frozen=True)
class Sent:
    """A request that has a key: hashes of the key, and of all that makes it another request."""

    key_hash: str
    request_hash: str

    @staticmethod
    def of(key: str, *request: bytes) -> Sent:
        """Of a key and the parts of a request."""
        whole = b"".join(len(part).to_bytes(8) + part for part in request)
        return Sent(hashlib.sha256(key.encode()).hexdigest(), hashlib.sha256(whole).hexdigest())


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: str


def known(work: Work, sent: Sent) -> Answer | None:
    """What was answered to this request before; None for a new one, which nobody else can begin until the commit.

    Raises Refused (409) where it is being done right now, Unprocessable (422) where another request had the key.
    """
    connection = work.actor.connection_seq
    if work.dialect == "postgresql" and not work.value(_TRY_LOCK, number=_number(work, sent)):
        raise running()
    row = work.row(_FIND, connection=connection, hash=sent.key_hash)
    if row is None:
        return None
    if row.created_at + KEPT <= work.now:
        work.execute(_FORGET, connection=connection, hash=sent.key_hash)
        return None
    if row.request_hash != sent.request_hash:
        raise errors.Unprocessable(
            "This Idempotency-Key came with another request before. Send this one with a new key."
        )
    return Answer(row.status, orjson.loads(row.headers), row.body)


def keep(work: Work, sent: Sent, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keep what is answered, for 24 hours."""
    row: dict[str, Any] = {
        "connection_seq": work.actor.connection_seq,
        "key_hash": sent.key_hash,
        "request_hash": sent.request_hash,
        "status": status,
        "headers": orjson.dumps(dict(headers)).decode(),
        "body": body,
        "created_at": work.now,
    }
    work.insert(_repeats, [row])


def purge(work: Work) -> int:
    """Forget the tenant's answers that are older than 24 hours; how many went. For the purge job."""
    return work.execute(_PURGE, until=work.now - KEPT).rowcount


def running() -> errors.Refused:
    """The refusal of a request whose twin is being done."""
    return errors.Refused("A request with this Idempotency-Key is being worked on. Send it again in a moment.")


def _number(work: Work, sent: Sent) -> int:
    """The key as a number to lock by, of this tenant and connection."""
    text = f"{work.tenant_id} {work.actor.connection_seq} {sent.key_hash}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
