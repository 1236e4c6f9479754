"""The event log (decision 26): one append-only row per change, with all that a replay needs."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, key, metadata, tenant

ADOPTED = sa.column("action", Key) == sa.literal_column("'user:adopted'", Key)
"""A connection writes for the first time to a person that it did not make (decision 1)."""

audit = sa.Table(
    "audit",
    metadata,
    key(),
    tenant(),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", Key, nullable=False, comment="kind:name, such as connection:okta or cli"),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("action", Key, nullable=False, comment="subject:verb, such as user:created"),
    sa.Column("subject", Key, nullable=False, comment="the id of the resource or the code of the thing"),
    sa.Column("data", sa.Text, nullable=False, comment="JSON"),
    sa.Index(None, "tenant_id", "subject", "seq"),
    # Of adoptions only, of which a subject has a few however long its history is. Ask with `ADOPTED`.
    sa.Index("ix_audit_adoptions", "tenant_id", "subject", "actor", sqlite_where=ADOPTED, postgresql_where=ADOPTED),
    sqlite_autoincrement=True,
)
