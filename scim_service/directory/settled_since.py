"""Invitations after a backup was restored: what was answered since, or taken back, is not asked again (F20).

Their links are dead by the epoch. Without this the ladders would go on reminding people who have accepted long ago,
and would send new links to those whose invitation was taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.access import invitations as rows
from scim_service.access.invitations import DONE, OPEN, REMOVED, Invitation
from scim_service.access.links import INVITATION
from scim_service.directory import answers, invitations
from scim_service.storage import schema_version, tables
from scim_service.storage.work import Work, chunks

_invitations = tables.access.invitations
_users = tables.directory.users
_AWAITED = (
    sa.select(_invitations.c.tenant_id, _invitations.c.seq, _invitations.c.created_at)
    .where(_invitations.c.state == OPEN)
    .order_by(_invitations.c.tenant_id, _invitations.c.seq)
    .execution_options(across_tenants=True)
)
_KNOWN = (
    sa.select(_invitations.c.tenant_id, _invitations.c.seq, _invitations.c.created_at, _invitations.c.state)
    .where(_invitations.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .execution_options(across_tenants=True)
)
_TENANTS = sa.select(tables.access.tenants.c.id)
_NAME = sa.select(_users.c.user_name_key).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which")
)


def settle(work: Work, old: Work | None, of_tenant: Callable[[int], Work]) -> dict[str, int]:
    """Settle what is open by the backup and was settled in the database that it replaced; how many, by what became."""
    if old is None or not schema_version.has(old.connection, *_invitations.c):
        return {}
    tenants = {row.id for row in old.rows(_TENANTS)}
    found: Counter[str] = Counter()
    for awaited in chunks([row for row in work.rows(_AWAITED) if row.tenant_id in tenants]):
        known = {_key(row): row.state for row in old.rows(_KNOWN, seqs=[one.seq for one in awaited])}
        for one in awaited:
            state = known.get(_key(one), REMOVED)  # its row goes with a person who is deleted
            if state in (DONE, REMOVED) and _settled(of_tenant(one.tenant_id), one.seq, state):
                found[state] += 1
    return dict(found)


def _key(row: Any) -> Sequence[Any]:
    return row.tenant_id, row.seq, row.created_at


def _settled(work: Work, seq: int, state: str) -> bool:
    """Whether the row came to this state; not one that went with another, nor of somebody who is inactive."""
    row = rows.find(work, seq)
    if row is None or not row.is_open:
        return False
    try:
        with work.part():
            _done(work, row) if state == DONE else _removed(work, row)
    except errors.NotFound:
        return False
    return True


def _done(work: Work, row: Invitation) -> None:
    rows.end(work, row, DONE)
    answers.answered(work, row)


def _removed(work: Work, row: Invitation) -> None:
    if row.kind == INVITATION and row.user_seq is not None:
        invitations.remove(work, str(work.value(_NAME, which=row.user_seq)))
    else:
        rows.end(work, row, REMOVED)
