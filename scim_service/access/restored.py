"""Who may come in after a backup was restored: what was revoked since stays revoked (reliability.md F20).

`old` reads the database that the backup replaced, where there is one that can be read. Looks across tenants: a restore
concerns the whole installation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.storage import schema_version, tables
from scim_service.storage.work import Work

_tenants = tables.access.tenants
_connections = tables.access.connections
_credentials = tables.access.credentials
_administrators = tables.access.administrators
_TOKENS = (
    sa.select(
        _credentials.c.prefix,
        _credentials.c.tenant_id,
        _credentials.c.expires_at,
        _credentials.c.revoked_at,
        _tenants.c.slug.label("tenant"),
        _connections.c.name.label("connection"),
    )
    .join(_tenants, _tenants.c.id == _credentials.c.tenant_id)
    .join(
        _connections,
        sa.and_(
            _connections.c.tenant_id == _credentials.c.tenant_id, _connections.c.seq == _credentials.c.connection_seq
        ),
    )
    .order_by(_credentials.c.seq)
    .execution_options(across_tenants=True)
)
_END = (
    sa.update(_credentials)
    .where(_credentials.c.tenant_id == sa.bindparam("tenant"), _credentials.c.prefix == sa.bindparam("which"))
    .values(revoked_at=sa.bindparam("at"))
)
_ADMINISTRATORS = (
    sa.select(
        _tenants.c.slug.label("tenant"), _administrators.c.email, _administrators.c.email_key, _administrators.c.role
    )
    .join(_tenants, _tenants.c.id == _administrators.c.tenant_id)
    .order_by(_tenants.c.slug, _administrators.c.email_key)
    .execution_options(across_tenants=True)
)


@dataclass(frozen=True)
class Token:
    """A token by its visible prefix, and whose it is."""

    tenant: str
    connection: str
    prefix: str


@dataclass(frozen=True)
class Tokens:
    """`revoked` again, as they were since the backup; `lost`, as they were made since, so that who has one is cut off.

    `review` are those that work and of which nothing says that they should: the replaced database did not know them,
    or there was none that could be asked.
    """

    revoked: tuple[Token, ...]
    lost: tuple[Token, ...]
    review: tuple[Token, ...]


@dataclass(frozen=True)
class Rights:
    """Somebody who administers a tenant again; `since` is what the replaced database said: another role, or None."""

    tenant: str
    email: str
    role: str
    since: str | None


def tokens(work: Work, old: Work | None) -> Tokens:
    """Revoke what was revoked since the backup, at the instant at which it was, and tell what is to be looked at."""
    mine = {row.prefix: row for row in work.rows(_TOKENS)}
    known = {} if old is None else {row.prefix: row for row in old.rows(_TOKENS)}
    ended = [row for prefix, row in mine.items() if prefix in known and _ended_since(row, known[prefix])]
    for row in ended:
        _revoke(replace(work, tenant_id=row.tenant_id), row.prefix, known[row.prefix].revoked_at)
    return Tokens(
        revoked=_told(ended),
        lost=_told(row for prefix, row in known.items() if prefix not in mine and _is_live(row, work.now)),
        review=_told(row for prefix, row in mine.items() if prefix not in known and _is_live(row, work.now)),
    )


def administrators(work: Work, old: Work | None) -> tuple[Rights, ...]:
    """Who has a role by the backup and had another one, or none, in the database that it replaced. Changes nothing."""
    if old is None or not schema_version.has(old.connection, _administrators.c.role):
        return ()
    known = {(row.tenant, row.email_key): row.role for row in old.rows(_ADMINISTRATORS)}
    found = [(row, known.get((row.tenant, row.email_key))) for row in work.rows(_ADMINISTRATORS)]
    return tuple(Rights(row.tenant, row.email, row.role, since) for row, since in found if since != row.role)


def _ended_since(mine: Any, known: Any) -> bool:
    """Whether the token ends earlier than the backup knows."""
    return known.revoked_at is not None and (mine.revoked_at is None or known.revoked_at < mine.revoked_at)


def _revoke(work: Work, prefix: str, at: datetime) -> None:
    work.execute(_END, which=prefix, at=at)
    audit.record(work, "token:revoked", prefix, at=at, reason="restored")


def _is_live(row: Any, now: datetime) -> bool:
    return bool(row.expires_at > now and (row.revoked_at is None or row.revoked_at > now))


def _told(rows: Iterable[Any]) -> tuple[Token, ...]:
    return tuple(Token(row.tenant, row.connection, row.prefix) for row in rows)
