"""Bearer tokens: 256 random bits behind a visible prefix, shown once, kept as a hash (reliability.md A1 to A4).

A token reads `scim_<8 hex: prefix>_<43 characters: secret><8 hex: check>`. The check makes a mistyped or invented
token cost no query, and lets a secret scanner know ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access.connections import Connection
from scim_service.storage import tables
from scim_service.storage.work import Work

READ, WRITE, CHECK, ME = "read", "write", "check", "me"
SCOPES = (READ, WRITE, CHECK)
"""`read` and `write` are for SCIM (decision 8); `check` is for the product's questions and for nothing else (W16).

`me` is the scope of a token that stands for a person: nobody asks for it by name.
"""

DAYS, MOST_DAYS = 365, 730
TOKEN = re.compile(r"scim_([0-9a-f]{8})_([A-Za-z0-9_-]{43})([0-9a-f]{8})")

_credentials = tables.access.credentials
_connections = tables.access.connections
_tenants = tables.access.tenants
_licensing = tables.licensing.licensing
_people = tables.access.token_people
_users = tables.directory.users
_MINE = _credentials.c.tenant_id == sa.bindparam("tenant")
_BY_PREFIX = (
    sa.select(
        _credentials.c.secret_hash,
        _credentials.c.scope,
        _credentials.c.expires_at,
        _credentials.c.revoked_at,
        _credentials.c.tenant_id,
        _connections.c.seq.label("connection_seq"),
        _connections.c.name.label("connection"),
        _connections.c.profile,
        _connections.c.last_seen_at,
        _licensing.c.next_due,
        _tenants.c.settings,
    )
    .join(
        _connections,
        sa.and_(
            _connections.c.tenant_id == _credentials.c.tenant_id, _connections.c.seq == _credentials.c.connection_seq
        ),
    )
    .join(_licensing, _licensing.c.tenant_id == _credentials.c.tenant_id)
    .join(_tenants, _tenants.c.id == _credentials.c.tenant_id)
    .where(_credentials.c.prefix == sa.bindparam("prefix"))
    .execution_options(across_tenants=True)
)
_PERSON = (
    sa.select(_users.c.id, _users.c.active, _users.c.banned)
    .join(_people, sa.and_(_people.c.tenant_id == _users.c.tenant_id, _people.c.user_seq == _users.c.seq))
    .where(_users.c.tenant_id == sa.bindparam("of"), _people.c.prefix == sa.bindparam("prefix"))
)
_STANDS_FOR = sa.select(_people.c.user_seq).where(
    _people.c.tenant_id == sa.bindparam("tenant"), _people.c.prefix == sa.bindparam("prefix")
)
_LISTING = (
    sa.select(_credentials, _connections.c.name.label("connection"))
    .join(
        _connections,
        sa.and_(
            _connections.c.tenant_id == _credentials.c.tenant_id, _connections.c.seq == _credentials.c.connection_seq
        ),
    )
    .where(_MINE)
    .order_by(_connections.c.name, _credentials.c.seq)
)
_LOCK = sa.select(_credentials.c.seq).where(_MINE, _credentials.c.prefix == sa.bindparam("which")).with_for_update()
_END = (
    sa.update(_credentials)
    .where(_MINE, _credentials.c.prefix == sa.bindparam("which"))
    .values(revoked_at=sa.bindparam("at"))
)


@dataclass(frozen=True)
class Caller:
    """Who is calling: everything that the door knows after the credential, and nothing that the request said."""

    tenant_id: int
    connection_seq: int
    connection: str
    profile: str
    scope: str
    prefix: str
    last_seen_at: datetime | None
    next_due: datetime | None
    settings: str
    """The tenant's settings as they are stored: they need no statement of their own then."""
    person: str | None = None
    """The id of the person for whom the token stands; None for a machine's."""


@dataclass(frozen=True)
class Credential:
    """A token as it may be shown again: without its secret."""

    prefix: str
    connection: str
    scope: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def create(
    work: Work,
    connection: Connection,
    scope: str = WRITE,
    days: int = DAYS,
    seed: bytes | None = None,
    user_seq: int | None = None,
) -> str:
    """Make a token and return it, for the only time. Raises InvalidValue for a bad scope or more than 730 days.

    `seed` (32 bytes or more) makes the token a function of it: the demo prints its tokens again (decision 37). With a
    `user_seq` it stands for that person, and its scope is `me`.
    """
    scope = ME if user_seq is not None else scope
    if scope not in SCOPES and user_seq is None:
        raise errors.InvalidValue(f"A token's scope is one of: {', '.join(SCOPES)}.")
    if not 1 <= days <= MOST_DAYS:
        raise errors.InvalidValue(f"A token lives for 1 to {MOST_DAYS} days.")
    token = token_text(seed or secrets.token_bytes(40))
    work.insert_one(
        _credentials,
        connection_seq=connection.seq,
        prefix=token[5:13],
        secret_hash=_hash(token),
        scope=scope,
        created_at=work.now,
        expires_at=work.now + timedelta(days=days),
    )
    if user_seq is not None:
        work.insert(_people, [{"prefix": token[5:13], "user_seq": user_seq}])
    audit.record(work, "token:created", token[5:13], connection=connection.name, scope=scope, days=days)
    return token


def token_text(seed: bytes) -> str:
    """The token that belongs to a seed: its prefix and its secret are two hashes of it."""
    prefix = hashlib.sha256(b"prefix" + seed).hexdigest()[:8]
    secret = base64.urlsafe_b64encode(hashlib.sha256(b"secret" + seed).digest()).decode().rstrip("=")
    return f"scim_{prefix}_{secret}{_check(prefix, secret)}"


def authenticate(work: Work, token: str) -> Caller:
    """The caller that a token stands for. Raises Unauthorized for a token that is unknown, ended or expired."""
    match = TOKEN.fullmatch(token)
    row = work.row(_BY_PREFIX, prefix=match[1]) if match and match[3] == _check(match[1], match[2]) else None
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(token)):
        raise errors.Unauthorized("This token is not known. Make one with: scim-service token create")
    if row.revoked_at is not None and row.revoked_at <= work.now:
        raise errors.Unauthorized("This token was revoked. Make a new one with: scim-service token create")
    if row.expires_at <= work.now:
        raise errors.Unauthorized("This token has expired. Make a new one with: scim-service token rotate")
    return Caller(
        tenant_id=row.tenant_id,
        connection_seq=row.connection_seq,
        connection=row.connection,
        profile=row.profile,
        scope=row.scope,
        prefix=token[5:13],
        last_seen_at=row.last_seen_at,
        next_due=row.next_due,
        settings=row.settings,
        person=_person(work, row.tenant_id, token[5:13]) if row.scope == ME else None,
    )


def _person(work: Work, tenant_id: int, prefix: str) -> str:
    """The id of the person for whom a token stands. Raises Unauthorized once that person may not come in any more."""
    row = work.row(_PERSON, of=tenant_id, prefix=prefix)
    if row is None or not row.active or row.banned:
        raise errors.Unauthorized("The person for whom this token stands is not active any more.")
    return str(row.id)


def listing(work: Work, connection: str | None = None) -> list[Credential]:
    """The tenant's tokens, or those of one connection, without secrets."""
    found = [
        Credential(row.prefix, row.connection, row.scope, row.created_at, row.expires_at, row.revoked_at)
        for row in work.rows(_LISTING)
    ]
    return [one for one in found if connection in (None, one.connection)]


def find(work: Work, prefix: str) -> Credential:
    """The token with this visible prefix. Raises NotFound."""
    for one in listing(work):
        if one.prefix == prefix:
            return one
    raise errors.NotFound(f"There is no token with the prefix {prefix!r} in this tenant. See: scim-service token list")


def revoke(work: Work, prefix: str) -> Credential:
    """End a token now. Raises NotFound, and Refused when it has ended already."""
    found = _held(work, prefix)
    if found.revoked_at is not None and found.revoked_at <= work.now:
        raise errors.Refused(f"The token {prefix} was revoked already.")
    work.execute(_END, which=prefix, at=work.now)
    audit.record(work, "token:revoked", prefix, at=work.now)
    return found


def rotate(work: Work, connection: Connection, prefix: str, days: int, overlap: timedelta) -> str:
    """Make the successor of a token of `connection`; the old one works on for `overlap`, so that nobody is cut off.

    Raises NotFound, also for a token of another connection, and Refused for one that was revoked or rotated.
    """
    found = _held(work, prefix)
    if found.connection != connection.name:
        raise errors.NotFound(f"The token {prefix} belongs to {found.connection}; name that connection to rotate it.")
    if found.revoked_at is not None:
        raise errors.Refused(f"The token {prefix} was revoked or rotated already; create a new one instead.")
    person = work.value(_STANDS_FOR, prefix=prefix)
    token = create(work, connection, found.scope, days, user_seq=person)
    work.execute(_END, which=prefix, at=work.now + overlap)
    audit.record(work, "token:rotated", prefix, successor=token[5:13], until=work.now + overlap)
    return token


def _held(work: Work, prefix: str) -> Credential:
    """The token as it is once nobody else is ending it: locked first, then read."""
    work.execute(_LOCK, which=prefix)
    return find(work, prefix)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check(prefix: str, secret: str) -> str:
    return f"{zlib.crc32(f'{prefix}_{secret}'.encode()):08x}"
