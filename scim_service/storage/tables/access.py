"""Tables of the room `access`: tenants, their connections, and the credentials of these."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, belongs, key, metadata, tenant

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("slug", Key, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("exit_grace", sa.BigInteger, nullable=False, comment="seconds"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("plan", Key, nullable=False, server_default="standard"),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}", comment="JSON: those of licensing.md 4.0"),
    sqlite_autoincrement=True,
)

connections = sa.Table(
    "connections",
    metadata,
    key(),
    tenant(),
    sa.Column("name", Key, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant),
    sa.Column("last_error_at", Instant),
    sa.Column("last_error", sa.Text),
    sa.Column("over_cap", sa.Text, nullable=False, server_default="wait", comment="wait or strict (X-4)"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sqlite_autoincrement=True,
)

credentials = sa.Table(
    "credentials",
    metadata,
    key(),
    tenant(),
    sa.Column("connection_seq", sa.BigInteger, nullable=False),
    sa.Column("prefix", Key, nullable=False, unique=True),
    sa.Column("secret_hash", Key, nullable=False, comment="SHA-256 of the whole token, in hex"),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    belongs("connection_seq", "connections"),
    sa.Index(None, "tenant_id", "connection_seq"),
    sqlite_autoincrement=True,
)

administrators = sa.Table(
    "administrators",
    metadata,
    key(),
    tenant(),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", Key, nullable=False, comment="folded"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", Key, nullable=False, comment="a role of D-12"),
    sa.Column("products", sa.Text, nullable=False, server_default="[]", comment="JSON: a license administrator's"),
    sa.Column("invited_at", Instant, nullable=False),
    sa.Column("accepted_at", Instant, comment="null: invited, and counted against the plan's limit"),
    sa.Column("last_active_at", Instant),
    sa.UniqueConstraint("tenant_id", "email_key"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(
        "uq_administrators_head",
        "tenant_id",
        unique=True,
        sqlite_where=sa.column("role") == sa.literal_column("'head'"),
        postgresql_where=sa.column("role") == sa.literal_column("'head'"),
    ),
    sqlite_autoincrement=True,
)
