"""Tenants, connections, credentials, and the event log."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tenants()
    _connections()
    _credentials()
    _audit()


def _tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("slug", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exit_grace", sa.BigInteger(), nullable=False, comment="seconds"),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
        sqlite_autoincrement=True,
    )


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", Key, nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("last_seen_at", Instant(timezone=True), nullable=True),
        sa.Column("last_error_at", Instant(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_connections_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_connections")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_connections_tenant_id_name")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_connections_tenant_id_seq")),
        sqlite_autoincrement=True,
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("connection_seq", sa.BigInteger(), nullable=False),
        sa.Column("prefix", Key, nullable=False),
        sa.Column("secret_hash", Key, nullable=False, comment="SHA-256 of the whole token, in hex"),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("revoked_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_credentials_tenant_id_connection_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_credentials_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_credentials")),
        sa.UniqueConstraint("prefix", name=op.f("uq_credentials_prefix")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("credentials", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_credentials_tenant_id_connection_seq"), ["tenant_id", "connection_seq"], unique=False
        )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("actor", Key, nullable=False, comment="kind:name, such as connection:okta or cli"),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("action", Key, nullable=False, comment="subject:verb, such as user:created"),
        sa.Column("subject", Key, nullable=False, comment="the id of the resource or the code of the thing"),
        sa.Column("data", sa.Text(), nullable=False, comment="JSON"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_tenant_id_subject_seq"), ["tenant_id", "subject", "seq"], unique=False
        )
