"""All that a database holds, to see whether a request left something behind."""

from __future__ import annotations

import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.store import Store

NOTES = {"connections"}
"""What the door notes beside a request: when a connection was seen, and what it was refused."""


def everything(store: Store) -> dict[str, list[str]]:
    """Every row of every table, as text, but for what the door notes."""
    with store.database.reads.connect() as connection:
        return {
            table.name: sorted(
                str(tuple(row)) for row in connection.execute(sa.select(table).execution_options(across_tenants=True))
            )
            for table in tables.metadata.tables.values()
            if table.name not in NOTES
        }
