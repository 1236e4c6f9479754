"""After a backup was restored: what was ended since does not come back to life (reliability.md F20).

The backup holds links, sessions, tokens and bans as they were. The epoch rises, which voids links and sessions; what
the replaced database says of tokens, bans, accounts and letters is carried over. Who is active and who is there is the
backup's, since to bring that back may be why it was restored; it is told, and the identity provider's next cycle heals
it, as ids stay.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.access import restored as access
from scim_service.access.restored import Rights, Tokens
from scim_service.delivery import restored as delivery
from scim_service.directory import accounts, people, settled_since
from scim_service.storage import epoch, schema_version, tables
from scim_service.storage.work import CHUNK, Work

MOST = 1_000
"""How many people are named in a review."""
BANNED = "banned before a backup was restored"

_tenants = tables.access.tenants
_users = tables.directory.users
_accounts = tables.directory.accounts
_EVERY_TENANT = sa.select(_tenants.c.id, _tenants.c.slug).order_by(_tenants.c.id)
_SHUT_OUT = (
    sa.select(
        _users.c.id,
        _users.c.banned,
        _accounts.c.ban_reason,
        _accounts.c.sessions_void_before,
        _accounts.c.api_keys_void_before,
    )
    .join(_accounts, sa.and_(_accounts.c.tenant_id == _users.c.tenant_id, _accounts.c.user_seq == _users.c.seq))
    .where(
        sa.or_(
            _users.c.banned,
            _accounts.c.sessions_void_before.is_not(None),
            _accounts.c.api_keys_void_before.is_not(None),
        )
    )
    .order_by(_users.c.tenant_id, _users.c.id)
    .execution_options(across_tenants=True)
)
_BY_ID = (
    sa.select(_users.c.tenant_id, _users.c.seq, _users.c.id, _users.c.user_name_key, _users.c.banned)
    .where(_users.c.id.in_(sa.bindparam("ids", expanding=True)))
    .execution_options(across_tenants=True)
)
_EVERYBODY = (
    sa.select(_users.c.tenant_id, _users.c.id, _users.c.active)
    .order_by(_users.c.tenant_id, _users.c.id)
    .execution_options(across_tenants=True, yield_per=1_000)
)


@dataclass(frozen=True)
class Group:
    """Some people: how many, and the ids of the first thousand."""

    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """What a restore did beside bringing the data back, and what somebody should look at.

    `compared`: whether the replaced database could be asked. `invitations`: how many were answered or taken back since,
    by what became of them. `banned` were banned again; `deactivated` and `deleted` since the backup are people who are
    active, or there, again; `letters` had left already.
    """

    epoch: int
    compared: bool
    tokens: Tokens
    administrators: tuple[Rights, ...]
    invitations: Mapping[str, int]
    banned: tuple[str, ...]
    deactivated: Group
    deleted: Group
    letters: int


def review(work: Work, old: Work | None) -> Review:
    """Raise the epoch of a restored database and end what was ended since; `old` reads the one that it replaces."""
    new_epoch = epoch.rise(work, above=0 if old is None else epoch.of_any(old.connection))
    mine = {row.id: replace(work, tenant_id=row.id, notes={}) for row in work.rows(_EVERY_TENANT)}
    tokens = access.tokens(work, old)
    administrators = access.administrators(work, old)
    settled = settled_since.settle(work, old, mine.__getitem__)
    banned = _shut_out(work, old, mine)
    deactivated, deleted = _came_back(work, old)
    for tenant in work.rows(_EVERY_TENANT):
        audit.record(mine[tenant.id], "tenant:restored", tenant.slug, epoch=new_epoch)
        mine[tenant.id].finish()
    letters = delivery.letters(work, old)  # those too that were written just now and had been sent before
    return Review(new_epoch, old is not None, tokens, administrators, settled, banned, deactivated, deleted, letters)


def _shut_out(work: Work, old: Work | None, mine: Mapping[int, Work]) -> tuple[str, ...]:
    """Bans, and the instants before which sessions and API keys are void; the ids of those who were banned again."""
    if old is None or not schema_version.has(old.connection, _users.c.banned, *_accounts.c):
        return ()
    rows = iter(old.rows(_SHUT_OUT))
    banned: list[str] = []
    while chunk := {row.id: row for row in islice(rows, CHUNK)}:
        for person in work.rows(_BY_ID, ids=list(chunk)):
            if chunk[person.id].banned and not person.banned:
                people.ban(mine[person.tenant_id], person.user_name_key, chunk[person.id].ban_reason or BANNED)
                banned.append(person.id)
            _void(mine[person.tenant_id], person.seq, chunk[person.id])
    return tuple(banned)


def _void(work: Work, user_seq: int, since: Any) -> None:
    known = accounts.find(work, user_seq)
    sessions = _later(known.sessions_void_before, since.sessions_void_before)
    keys = _later(known.api_keys_void_before, since.api_keys_void_before)
    accounts.change(work, user_seq, sessions_void_before=sessions, api_keys_void_before=keys)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _came_back(work: Work, old: Work | None) -> tuple[Group, Group]:
    """Who is active again, and who is there again, by going through both databases in the same order."""
    if old is None:
        return _group([]), _group([])
    with closing(_everybody(work)) as people_now, closing(_everybody(old)) as known:
        return _merged(people_now, known)


def _merged(people_now: Iterator[Any], known: Iterator[Any]) -> tuple[Group, Group]:
    active: list[str] = []
    there: list[str] = []
    one = next(known, None)
    for person in people_now:
        while one is not None and (one.tenant_id, one.id) < (person.tenant_id, person.id):
            one = next(known, None)
        if one is None or (one.tenant_id, one.id) != (person.tenant_id, person.id):
            there.append(person.id)
        elif person.active and not one.active:
            active.append(person.id)
    return _group(active), _group(there)


def _everybody(work: Work) -> Generator[Any, None, None]:
    with work.connection.execute(_EVERYBODY) as rows:
        yield from rows


def _group(ids: Sequence[str]) -> Group:
    return Group(len(ids), tuple(ids[:MOST]))
