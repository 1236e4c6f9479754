"""How long what is over is kept: tokens that ended, links that lead nowhere any more (reliability.md D4)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

LAPSED, REMOVED = "lapsed", "removed"

_credentials = tables.access.credentials
_invitations = tables.access.invitations
_BEFORE = sa.bindparam("before", type_=Instant)
_TOKENS = sa.delete(_credentials).where(
    _credentials.c.tenant_id == sa.bindparam("tenant"),
    sa.or_(_credentials.c.expires_at < _BEFORE, _credentials.c.revoked_at < _BEFORE),
)
_LINKS = sa.delete(_invitations).where(
    _invitations.c.tenant_id == sa.bindparam("tenant"),
    _invitations.c.state.in_([LAPSED, REMOVED]),
    _invitations.c.done_at < _BEFORE,
)


def purge(work: Work, before: datetime) -> int:
    """Delete what ended before an instant; how many rows that were.

    An invitation that was accepted, and an address that was verified, are facts about a person and stay with it.
    """
    return sum(work.execute(one, before=before).rowcount for one in (_TOKENS, _LINKS))
