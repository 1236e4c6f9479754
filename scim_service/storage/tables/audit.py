"""The event log (decision 26): one append-only row per change, with all that a replay needs."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, key, metadata, tenant

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
    sqlite_autoincrement=True,
)
