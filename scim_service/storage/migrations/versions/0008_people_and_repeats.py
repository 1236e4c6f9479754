"""For whom a token stands, and the answers that are given again to a request that is sent again."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _token_people()
    _repeats()


def _token_people() -> None:
    op.create_table(
        "token_people",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("prefix", Key, nullable=False, comment="of the credential"),
        sa.Column("user_seq", Seq, nullable=False, comment="for whom it stands; gone with the person"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_token_people_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "prefix", name=op.f("pk_token_people")),
    )
    op.create_index(op.f("ix_token_people_tenant_id_user_seq"), "token_people", ["tenant_id", "user_seq"])


def _repeats() -> None:
    op.create_table(
        "repeats",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("connection_seq", Seq, nullable=False),
        sa.Column("key_hash", Key, nullable=False, comment="SHA-256 of an Idempotency-Key, in hex (reliability.md F2)"),
        sa.Column("request_hash", Key, nullable=False, comment="SHA-256 of method, address and body, in hex"),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_repeats_tenant_id_connection_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "connection_seq", "key_hash", name=op.f("pk_repeats")),
    )
    op.create_index(op.f("ix_repeats_tenant_id_created_at"), "repeats", ["tenant_id", "created_at"])
