"""The first schema."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    op.create_table(
        "contracts",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("number", Key, nullable=False),
        sa.Column("starts_at", Instant(timezone=True), nullable=False),
        sa.Column("ends_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contracts_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_contracts")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_contracts_tenant_id_number")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_contracts_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "licensing",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False, comment="the organization's counter of A-3"),
        sa.Column(
            "next_due",
            Instant(timezone=True),
            nullable=True,
            comment="the next instant at which time alone changes a seat (I-10)",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_licensing_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_licensing")),
    )
    op.create_table(
        "products",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("code", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_products_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_products")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_products_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_products_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "totals",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("resource_type", Key, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False, comment="spread over rows so that writers rarely meet"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_totals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "resource_type", "bucket", name=op.f("pk_totals")),
    )
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

    op.create_table(
        "license_types",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("code", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_seq", sa.BigInteger(), nullable=True),
        sa.Column("family", Key, nullable=True),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False, comment="false: free, without a cap"),
        sa.Column("exit_grace", sa.BigInteger(), nullable=True, comment="seconds; the tenant's where null"),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_seq"],
            ["products.tenant_id", "products.seq"],
            name=op.f("fk_license_types_tenant_id_product_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_license_types_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_license_types")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_license_types_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_license_types_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
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
    op.create_table(
        "assignments",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("state", Key, nullable=False, comment="assigned, grace, waiting, covered (licensing.md 4.2)"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False, comment="with the next two: the seniority key of A-3"),
        sa.Column("claimed_since", Instant(timezone=True), nullable=False),
        sa.Column("rank_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_assignments_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"], ["users.tenant_id", "users.seq"], name=op.f("fk_assignments_tenant_id_user_seq")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_seq", "type_seq", name=op.f("pk_assignments")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_assignments_queue",
            ["tenant_id", "type_seq", "priority", "claimed_since", "rank_seq"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

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

    op.create_table(
        "ledger",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("consuming", sa.BigInteger(), nullable=False),
        sa.Column("high_water", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("consuming >= 0", name="ck_ledger_consuming"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_ledger_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", name=op.f("pk_ledger")),
    )
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

    op.create_table(
        "rules",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("group_seq", Seq, nullable=True, comment="null while unbound or orphaned"),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("group_name_key", Key, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="unbound, bound, orphaned (decision 30)"),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("exit_grace", sa.BigInteger(), nullable=True, comment="seconds; the type's where null"),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_seq"], ["groups.tenant_id", "groups.seq"], name=op.f("fk_rules_tenant_id_group_seq")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_rules_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_rules_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_rules")),
        sa.UniqueConstraint(
            "tenant_id", "group_name_key", "type_seq", name=op.f("uq_rules_tenant_id_group_name_key_type_seq")
        ),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_rules_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rules_tenant_id_group_seq"), ["tenant_id", "group_seq"], unique=False)

    op.create_table(
        "seat_lines",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contract_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", Instant(timezone=True), nullable=True),
        sa.Column("valid_to", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_seq"],
            ["contracts.tenant_id", "contracts.seq"],
            name=op.f("fk_seat_lines_tenant_id_contract_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_seat_lines_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_seat_lines_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_seat_lines")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("seat_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seat_lines_tenant_id_type_seq"), ["tenant_id", "type_seq"], unique=False)

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

    op.create_table(
        "claims",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("source", Key, nullable=False, comment="direct, or rule:<seq>"),
        sa.Column("rule_seq", Seq, nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.Column("rank_seq", sa.BigInteger(), nullable=False, comment="the seq of A-3"),
        sa.Column("until", Instant(timezone=True), nullable=True, comment="null: live; else lingering until then"),
        sa.Column("ending", sa.Text(), nullable=True, comment="why it lingers: left_group, rule_removed"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_seq"], ["rules.tenant_id", "rules.seq"], name=op.f("fk_claims_tenant_id_rule_seq")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_claims_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"], ["users.tenant_id", "users.seq"], name=op.f("fk_claims_tenant_id_user_seq")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_claims_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_claims")),
        sa.UniqueConstraint(
            "tenant_id", "user_seq", "type_seq", "source", name=op.f("uq_claims_tenant_id_user_seq_type_seq_source")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(
            "ix_claims_lingering",
            ["tenant_id", "until"],
            unique=False,
            sqlite_where=sa.text("until IS NOT NULL"),
            postgresql_where=sa.text("until IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_claims_tenant_id_rule_seq_user_seq"), ["tenant_id", "rule_seq", "user_seq"], unique=False
        )
