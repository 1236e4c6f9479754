"""Connections: one SCIM client of a tenant each, with a profile that says how that identity provider differs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import sqlalchemy as sa

from scim_service import audit, errors, idp
from scim_service.access import names
from scim_service.storage import tables
from scim_service.storage.work import Work

SEEN_EVERY = timedelta(minutes=1)
"""`last_seen_at` is a write at most this often, never one per request (decision 22)."""

_connections = tables.access.connections
_MINE = _connections.c.tenant_id == sa.bindparam("tenant")
_BY_NAME = sa.select(_connections).where(_MINE, _connections.c.name == sa.bindparam("name"))
_ALL = sa.select(_connections).where(_MINE).order_by(_connections.c.name)
_THIS = sa.update(_connections).where(_MINE, _connections.c.seq == sa.bindparam("connection"))
_OVER_CAP = sa.select(_connections.c.over_cap).where(_MINE, _connections.c.seq == sa.bindparam("connection"))
_SEEN = _THIS.values(last_seen_at=sa.bindparam("at"))
_FAILED = _THIS.values(last_error_at=sa.bindparam("at"), last_error=sa.bindparam("error"))


WAIT, STRICT = "wait", "strict"
OVER_CAP = (WAIT, STRICT)


@dataclass(frozen=True)
class Connection:
    """A SCIM client: its profile is chosen when it is made and never guessed."""

    seq: int
    name: str
    profile: str
    created_at: datetime
    last_seen_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    over_cap: str = WAIT


def create(work: Work, name: str, profile: str, over_cap: str = WAIT) -> Connection:
    """Make a connection; `over_cap` says what becomes of a license in an attribute where no seat is left (X-4).

    Raises InvalidValue for an unknown profile or word or a bad name, Uniqueness for a taken name.
    """
    if over_cap not in OVER_CAP:
        raise errors.InvalidValue(f"Over the cap a connection does one of: {', '.join(OVER_CAP)}.")
    if profile not in idp.PROFILES:
        raise errors.InvalidValue(f"There is no profile {profile!r}. Choose one of: {', '.join(sorted(idp.PROFILES))}.")
    names.check("A connection's name", name)
    seq = work.insert_one(_connections, name=name, profile=profile, created_at=work.now, over_cap=over_cap)
    audit.record(work, "connection:created", name, profile=profile, over_cap=over_cap)
    return Connection(seq, name, profile, work.now, None, None, None, over_cap)


def find(work: Work, name: str) -> Connection:
    """The connection with this name. Raises NotFound naming those that exist."""
    row = work.row(_BY_NAME, name=name)
    if row is None:
        known = ", ".join(one.name for one in listing(work)) or "none yet"
        raise errors.NotFound(
            f"There is no connection {name!r} in this tenant (there is: {known}).", code="unknown_connection"
        )
    return _connection(row)


def is_strict(work: Work) -> bool:
    """Whether the caller's connection wants a license refused where no seat is left (X-4); nobody else does."""
    seq = work.actor.connection_seq
    return seq is not None and work.value(_OVER_CAP, connection=seq) == STRICT


def listing(work: Work) -> list[Connection]:
    """The tenant's connections, by name."""
    return [_connection(row) for row in work.rows(_ALL)]


def seen(work: Work, connection_seq: int) -> None:
    """Note that the connection was heard of at `work.now`."""
    work.execute(_SEEN, connection=connection_seq, at=work.now)


def failed(work: Work, connection_seq: int, error: str) -> None:
    """Note what the connection was last refused, for its administrator to see."""
    work.execute(_FAILED, connection=connection_seq, at=work.now, error=error)


def _connection(row: sa.Row[tuple[object, ...]]) -> Connection:
    return Connection(**{one.name: row._mapping[one.name] for one in fields(Connection)})
