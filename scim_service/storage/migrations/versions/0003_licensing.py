"""What is sold and bought, rules, claims, assignments, the ledger."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _licensing()
    _products()
    _license_types()
    _contracts()
    _seat_lines()
    _rules()
    _claims()
    _assignments()
    _ledger()


def _licensing() -> None:
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


def _products() -> None:
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


def _license_types() -> None:
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


def _contracts() -> None:
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


def _seat_lines() -> None:
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


def _rules() -> None:
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


def _claims() -> None:
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


def _assignments() -> None:
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


def _ledger() -> None:
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
