"""externalId: what a connection calls a resource, a row per connection and resource (decision 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.joined import Part
from scim_service.storage.work import Work

_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
NOBODY = 0
"""The connection of an actor that is none: it sees no externalId and writes none."""


class ExternalIds:
    """The externalIds of one resource type; `table` keeps them."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        mine = (table.c.tenant_id == _TENANT, table.c.connection_seq == sa.bindparam("connection"))
        self._remove = sa.delete(table).where(*mine, table.c.owner_seq == sa.bindparam("owner"))

    def of(self, resources: sa.Table) -> sa.ColumnElement[bool]:
        """The join condition for the externalId that the connection `:connection` gave to a row of `resources`."""
        return sa.and_(
            self.table.c.tenant_id == resources.c.tenant_id,
            self.table.c.owner_seq == resources.c.seq,
            self.table.c.connection_seq == sa.bindparam("connection"),
        )

    def part(self, work: Work, external_id: str | None) -> Part:
        """The connection's externalId of a resource that is being made (`Work.insert_with`)."""
        connection = work.actor.connection_seq
        known = connection is not None and external_id is not None
        rows = [{"connection_seq": connection, "external_id": external_id}] if known else []
        return Part(self.table, rows, "owner_seq")

    def keep(self, work: Work, seq: int, before: str | None, after: str | None) -> None:
        """Make `after` the connection's externalId. Raises Uniqueness (from the key) when another resource has it."""
        connection = work.actor.connection_seq
        if connection is None or before == after:
            return
        if before is not None:
            work.execute(self._remove, connection=connection, owner=seq)
        if after is not None:
            work.insert(self.table, [{"connection_seq": connection, "external_id": after, "owner_seq": seq}])

    def keep_new(self, work: Work, given: Iterable[tuple[int, str | None]]) -> None:
        """Keep the externalIds of new resources, as (seq, externalId); None for one that came without."""
        connection = work.actor.connection_seq
        known = [(seq, one) for seq, one in given if one is not None]
        if connection is not None:
            rows = [{"connection_seq": connection, "external_id": one, "owner_seq": seq} for seq, one in known]
            work.insert(self.table, rows)


def connection_of(work: Work) -> int:
    """What `:connection` is bound to in statements that show externalIds."""
    return work.actor.connection_seq or NOBODY


USERS = ExternalIds(tables.directory.user_external_ids)
GROUPS = ExternalIds(tables.directory.group_external_ids)
