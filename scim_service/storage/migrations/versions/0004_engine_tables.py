"""Tables of the whole license engine: drops, requests, renewals, exclusions, accounts, administrators."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _administrators()
    _renewals()
    _accounts()
    _capacity_drops()
    _high_waters()
    _parked_seats()
    _removals()
    _requests()
    _resource_grants()
    _rule_exclusions()


def _administrators() -> None:
    op.create_table(
        "administrators",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", Key, nullable=False, comment="folded"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", Key, nullable=False, comment="a role of D-12"),
        sa.Column(
            "products", sa.Text(), server_default="[]", nullable=False, comment="JSON: a license administrator's"
        ),
        sa.Column("invited_at", Instant(timezone=True), nullable=False),
        sa.Column(
            "accepted_at",
            Instant(timezone=True),
            nullable=True,
            comment="null: invited, and counted against the plan's limit",
        ),
        sa.Column("last_active_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_administrators_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_administrators")),
        sa.UniqueConstraint("tenant_id", "email_key", name=op.f("uq_administrators_tenant_id_email_key")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_administrators_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("administrators", schema=None) as batch_op:
        batch_op.create_index(
            "uq_administrators_head",
            ["tenant_id"],
            unique=True,
            sqlite_where=sa.text("role = 'head'"),
            postgresql_where=sa.text("role = 'head'"),
        )


def _renewals() -> None:
    op.create_table(
        "renewals",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("renewed_seq", Seq, nullable=False, comment="superseded from the start of the other (D-5)"),
        sa.Column("contract_seq", Seq, nullable=False, comment="the contract that takes its place"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_seq"],
            ["contracts.tenant_id", "contracts.seq"],
            name=op.f("fk_renewals_tenant_id_contract_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "renewed_seq"],
            ["contracts.tenant_id", "contracts.seq"],
            name=op.f("fk_renewals_tenant_id_renewed_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "renewed_seq", name=op.f("pk_renewals")),
        sa.UniqueConstraint("tenant_id", "contract_seq", name=op.f("uq_renewals_tenant_id_contract_seq")),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("ban_reason", sa.Text(), nullable=True),
        sa.Column("banned_at", Instant(timezone=True), nullable=True),
        sa.Column(
            "sessions_void_before",
            Instant(timezone=True),
            nullable=True,
            comment="sessions from before are void (decision 32)",
        ),
        sa.Column("api_keys_void_before", Instant(timezone=True), nullable=True),
        sa.Column("must_change_password", Instant(timezone=True), nullable=True, comment="asked for since"),
        sa.Column("privacy_override", Instant(timezone=True), nullable=True, comment="on since"),
        sa.Column("last_active_at", Instant(timezone=True), nullable=True, comment="told by the product"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_accounts_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_seq", name=op.f("pk_accounts")),
    )


def _capacity_drops() -> None:
    op.create_table(
        "capacity_drops",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="how many seats too many are in use (D-13)"),
        sa.Column("reason", sa.Text(), nullable=False, comment="cap_decrease, contract_end, line_end"),
        sa.Column("deadline", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_capacity_drops_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_capacity_drops_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_capacity_drops")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("capacity_drops", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_capacity_drops_tenant_id_deadline"), ["tenant_id", "deadline"], unique=False
        )


def _high_waters() -> None:
    op.create_table(
        "high_waters",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("contract_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column(
            "used", sa.BigInteger(), nullable=False, comment="the most that were used in the contract's period (A-4)"
        ),
        sa.Column("cap", sa.BigInteger(), nullable=False, comment="what had been bought at that instant"),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column(
            "people", sa.Text(), nullable=False, comment="JSON: the ids of those beyond the cap, least senior last"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_seq"],
            ["contracts.tenant_id", "contracts.seq"],
            name=op.f("fk_high_waters_tenant_id_contract_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_high_waters_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "contract_seq", "type_seq", name=op.f("pk_high_waters")),
    )


def _parked_seats() -> None:
    op.create_table(
        "parked_seats",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("user_name_key", Key, nullable=False, comment="of the person who was deleted (E-27)"),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=False, comment="the queue gets the seat then"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_parked_seats_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_parked_seats_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_parked_seats")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("parked_seats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_seats_tenant_id_until"), ["tenant_id", "until"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_parked_seats_tenant_id_user_name_key"), ["tenant_id", "user_name_key"], unique=False
        )


def _removals() -> None:
    op.create_table(
        "removals",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False, comment="how many lost the type's seat at that instant"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_removals_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_removals_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_removals")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("removals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_removals_tenant_id_type_seq_at"), ["tenant_id", "type_seq", "at"], unique=False
        )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", Key, nullable=False, comment="open, approved, denied (E-22)"),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.Column("decided_at", Instant(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True, comment="what the decider wrote"),
        sa.Column(
            "not_before", Instant(timezone=True), nullable=True, comment="after a denial: when the person may ask again"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_requests_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_requests_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_requests_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_requests")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_requests_tenant_id_user_seq_type_seq"), ["tenant_id", "user_seq", "type_seq"], unique=False
        )


def _resource_grants() -> None:
    op.create_table(
        "resource_grants",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("resource", Key, nullable=False, comment="a key of the product's own (D-18)"),
        sa.Column("team", Key, nullable=False, comment="empty for none"),
        sa.Column("granted_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_resource_grants_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_seq", "resource", "team", name=op.f("pk_resource_grants")),
    )


def _rule_exclusions() -> None:
    op.create_table(
        "rule_exclusions",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("rule_seq", Seq, nullable=False),
        sa.Column("user_seq", Seq, nullable=False, comment="in the group, but gets nothing from the rule (E-9)"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_seq"],
            ["rules.tenant_id", "rules.seq"],
            name=op.f("fk_rule_exclusions_tenant_id_rule_seq"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_rule_exclusions_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "rule_seq", "user_seq", name=op.f("pk_rule_exclusions")),
    )
    with op.batch_alter_table("rule_exclusions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rule_exclusions_tenant_id_user_seq"), ["tenant_id", "user_seq"], unique=False
        )
