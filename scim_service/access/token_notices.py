"""Tokens that end soon are told of, 30 and 7 days before (reliability.md A3).

A token that was revoked or rotated, or beside which another one of its connection and scope lives longer, ends without
anybody having to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.access import roles, tenants, told
from scim_service.access.admins import Administrator
from scim_service.delivery import languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

LETTER = "token_expires"
DAYS = (7, 30)
DAY = timedelta(days=1)

_credentials = tables.access.credentials
_other = _credentials.alias("other")
_connections = tables.access.connections
_ENDING = (
    sa.select(_credentials, _connections.c.name.label("connection"))
    .join(
        _connections,
        sa.and_(
            _connections.c.tenant_id == _credentials.c.tenant_id, _connections.c.seq == _credentials.c.connection_seq
        ),
    )
    .where(
        _credentials.c.tenant_id == sa.bindparam("tenant"),
        _credentials.c.revoked_at.is_(None),
        _credentials.c.expires_at > sa.bindparam("now", type_=Instant),
        _credentials.c.expires_at <= sa.bindparam("beyond", type_=Instant),
        ~sa.exists().where(
            _other.c.tenant_id == _credentials.c.tenant_id,
            _other.c.connection_seq == _credentials.c.connection_seq,
            _other.c.scope == _credentials.c.scope,
            _other.c.revoked_at.is_(None),
            _other.c.expires_at > _credentials.c.expires_at,
        ),
    )
    .order_by(_credentials.c.seq)
)
_CONCERNED = (
    sa.select(_credentials.c.tenant_id)
    .where(
        _credentials.c.revoked_at.is_(None),
        _credentials.c.expires_at > sa.bindparam("now", type_=Instant),
        _credentials.c.expires_at <= sa.bindparam("beyond", type_=Instant),
    )
    .group_by(_credentials.c.tenant_id)
    .order_by(_credentials.c.tenant_id)
    .execution_options(across_tenants=True)
)


def concerned(work: Work) -> list[int]:
    """The tenants that have a token which ends within 30 days."""
    return [row.tenant_id for row in work.rows(_CONCERNED, now=work.now, beyond=work.now + max(DAYS) * DAY)]


def post(work: Work) -> int:
    """Tell of every token that is at its 30th or 7th day, once each; of both where the first was missed, the latter.

    How many tokens there are to be told of.
    """
    ending = [(row, days) for row in _ending(work) if (days := _step(row, work)) is not None]
    if ending:
        readers = [one for one in told.everybody(work) if one.may(roles.TOKENS)]
        language = languages.of_tenant(tenants.settings_of(work))
        outbox.post(work, [one for row, days in ending for one in _messages(work, row, days, readers, language)])
    return len(ending)


def is_over(work: Work, key: str) -> bool:
    """Whether the token of a message's key ends no more without a successor."""
    prefix = key.split(":")[1]
    return all(row.prefix != prefix for row in _ending(work))


def _ending(work: Work) -> Iterable[Any]:
    return work.rows(_ENDING, now=work.now, beyond=work.now + max(DAYS) * DAY)


def _step(row: Any, work: Work) -> int | None:
    """The number of days whose notice is due; None where the token was made later than that."""
    due = [days for days in DAYS if row.expires_at - days * DAY <= work.now]
    return next((days for days in due if row.created_at < row.expires_at - days * DAY), None) if due else None


def _messages(work: Work, row: Any, days: int, readers: Iterable[Administrator], language: str) -> list[Message]:
    left = -(-(row.expires_at - work.now) // DAY)
    facts = {"connection": f"{row.connection} ({row.prefix})", "days": left}
    return [Message(f"tok:{row.prefix}:{days}:{one.seq}", LETTER, one.email, language, facts) for one in readers]
