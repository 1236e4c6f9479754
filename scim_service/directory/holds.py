"""A mass removal that was an error is undone: the people are active again, with their own seats (licensing.md E-27)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.directory import documents
from scim_service.licensing import holds, seats
from scim_service.licensing.holds import Held
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_LOCK = (
    sa.select(_users.c.seq, _users.c.id, _users.c.document)
    .where(_users.c.tenant_id == _TENANT, _users.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .where(_users.c.active.is_(False))
    .order_by(_users.c.seq)
    .with_for_update(key_share=True)
)
_ACTIVATE = (
    sa.update(_users)
    .where(_users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which"))
    .values(
        active=sa.true(),
        version=_users.c.version + 1,
        modified_at=sa.bindparam("at"),
        document=sa.bindparam("new_document"),
    )
)


def undo(work: Work, type_code: str | None = None) -> tuple[list[Held], list[Held]]:
    """Make everybody active again whose seat is held; what was restored, and the seats of deleted people, which stay.

    A deleted person's data is gone: the identity provider has to send it again, and the seat waits for the userName.
    """
    found = holds.listing(work, type_code)
    rows = [row for chunk in chunks(holds.people_of(found)) for row in work.rows(_LOCK, seqs=list(chunk))]
    changed = [
        {
            "which": row.seq,
            "at": work.now,
            "new_document": documents.text_of({**documents.stored(row.document), "active": True}),
        }
        for row in rows
    ]
    work.many(_ACTIVATE, changed)
    told = [("user:changed", row.id, {"attributes": ["active"], "active": True, "undone": "hold"}) for row in rows]
    audit.record_many(work, told)
    seats.activity_changed(work, [row.seq for row in rows])
    restored = {row.seq for row in rows}
    return [one for one in found if one.user_seq in restored], [one for one in found if one.user_seq is None]
