"""People, groups, and who is in which."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _users()
    _user_values()
    _groups()
    _memberships()
    _nestings()
    _pending_members()
    _user_external_ids()
    _group_external_ids()
    _totals()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("user_name_key", Key, nullable=False, comment="folded userName (decision 2)"),
        sa.Column("display", sa.Text(), nullable=False, comment="what groups show as members[].display"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("modified_at", Instant(timezone=True), nullable=False),
        sa.Column("connection_seq", sa.BigInteger(), nullable=True, comment="who made or adopted the person"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_users_tenant_id_connection_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_users_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_users")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_users_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_users_tenant_id_seq")),
        sa.UniqueConstraint("tenant_id", "user_name_key", name=op.f("uq_users_tenant_id_user_name_key")),
        sqlite_autoincrement=True,
    )


def _user_values() -> None:
    op.create_table(
        "user_values",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.SmallInteger(), nullable=False, comment="number of an indexed path (index_rows.INDEXED)"),
        sa.Column("value", Key, nullable=False, comment="folded unless caseExact, cut at 200 characters"),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column(
            "item", sa.SmallInteger(), nullable=False, comment="ordinal of the element in a multi-valued attribute"
        ),
        sa.Column("whole", sa.Text(), nullable=True, comment="the uncut value, only where it was cut"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_user_values_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "path", "value", "user_seq", "item", name=op.f("pk_user_values")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("user_values", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_values_tenant_id_user_seq"), ["tenant_id", "user_seq"], unique=False)


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("display_name_key", Key, nullable=False),
        sa.Column(
            "unique_name_key",
            Key,
            nullable=True,
            comment="the key again where the connection's profile wants names unique",
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("modified_at", Instant(timezone=True), nullable=False),
        sa.Column("connection_seq", sa.BigInteger(), nullable=True),
        sa.Column("member_count", sa.BigInteger(), nullable=False),
        sa.Column("feeds", sa.Boolean(), nullable=False, comment="a rule here or on an ancestor group (decision 20)"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_groups_tenant_id_connection_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_groups_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_groups")),
        sa.UniqueConstraint(
            "tenant_id",
            "connection_seq",
            "unique_name_key",
            name=op.f("uq_groups_tenant_id_connection_seq_unique_name_key"),
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_groups_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_groups_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_groups_tenant_id_display_name_key"), ["tenant_id", "display_name_key"], unique=False
        )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("seq", Seq, autoincrement=True, nullable=False, comment="the order of joining"),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("group_seq", Seq, nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_seq"],
            ["groups.tenant_id", "groups.seq"],
            name=op.f("fk_memberships_tenant_id_group_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"], ["users.tenant_id", "users.seq"], name=op.f("fk_memberships_tenant_id_user_seq")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "tenant_id", "group_seq", "user_seq", name=op.f("uq_memberships_tenant_id_group_seq_user_seq")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_tenant_id_user_seq"), ["tenant_id", "user_seq"], unique=False)


def _nestings() -> None:
    op.create_table(
        "nestings",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("group_seq", Seq, nullable=False, comment="the group that has a member"),
        sa.Column("child_seq", Seq, nullable=False, comment="the group that is the member"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "child_seq"], ["groups.tenant_id", "groups.seq"], name=op.f("fk_nestings_tenant_id_child_seq")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_seq"], ["groups.tenant_id", "groups.seq"], name=op.f("fk_nestings_tenant_id_group_seq")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_seq", "child_seq", name=op.f("pk_nestings")),
    )
    with op.batch_alter_table("nestings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nestings_tenant_id_child_seq"), ["tenant_id", "child_seq"], unique=False)


def _pending_members() -> None:
    op.create_table(
        "pending_members",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("group_seq", Seq, nullable=False),
        sa.Column("member_id", Key, nullable=False, comment="an id that nobody has yet (decision 4)"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_seq"],
            ["groups.tenant_id", "groups.seq"],
            name=op.f("fk_pending_members_tenant_id_group_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_seq", "member_id", name=op.f("pk_pending_members")),
    )
    with op.batch_alter_table("pending_members", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_pending_members_tenant_id_member_id"), ["tenant_id", "member_id"], unique=False
        )


def _user_external_ids() -> None:
    op.create_table(
        "user_external_ids",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("connection_seq", Seq, nullable=False),
        sa.Column("external_id", Key, nullable=False),
        sa.Column("owner_seq", Seq, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_user_external_ids_tenant_id_connection_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_user_external_ids_tenant_id_owner_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "connection_seq", "external_id", name=op.f("pk_user_external_ids")),
        sa.UniqueConstraint(
            "tenant_id",
            "connection_seq",
            "owner_seq",
            name=op.f("uq_user_external_ids_tenant_id_connection_seq_owner_seq"),
        ),
    )
    with op.batch_alter_table("user_external_ids", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_external_ids_tenant_id_owner_seq"), ["tenant_id", "owner_seq"], unique=False
        )


def _group_external_ids() -> None:
    op.create_table(
        "group_external_ids",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("connection_seq", Seq, nullable=False),
        sa.Column("external_id", Key, nullable=False),
        sa.Column("owner_seq", Seq, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_seq"],
            ["connections.tenant_id", "connections.seq"],
            name=op.f("fk_group_external_ids_tenant_id_connection_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_seq"],
            ["groups.tenant_id", "groups.seq"],
            name=op.f("fk_group_external_ids_tenant_id_owner_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "connection_seq", "external_id", name=op.f("pk_group_external_ids")),
        sa.UniqueConstraint(
            "tenant_id",
            "connection_seq",
            "owner_seq",
            name=op.f("uq_group_external_ids_tenant_id_connection_seq_owner_seq"),
        ),
    )
    with op.batch_alter_table("group_external_ids", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_group_external_ids_tenant_id_owner_seq"), ["tenant_id", "owner_seq"], unique=False
        )


def _totals() -> None:
    op.create_table(
        "totals",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("resource_type", Key, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False, comment="spread over rows so that writers rarely meet"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_totals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "resource_type", "bucket", name=op.f("pk_totals")),
    )
