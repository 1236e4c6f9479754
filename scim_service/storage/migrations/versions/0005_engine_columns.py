"""Columns of the whole license engine: settings, suspensions, quotas, what a claim is beside its source."""

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _assignments()
    _claims()
    _connections()
    _contracts()
    _ledger()
    _license_types()
    _licensing()
    _rules()
    _seat_lines()
    _tenants()
    _users()
    _comments()


def _assignments() -> None:
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "quota_rule",
                sa.BigInteger(),
                nullable=True,
                comment="the rule whose quota the seat counts against (A-13)",
            )
        )
        batch_op.add_column(
            sa.Column(
                "stop", sa.Text(), nullable=True, comment="who suspended it: administrator, mass_change (E-12, E-27)"
            )
        )
        batch_op.add_column(
            sa.Column("stop_holds", sa.Boolean(), server_default="0", nullable=False, comment="suspended, seat kept")
        )
        batch_op.add_column(
            sa.Column("stop_until", Instant(timezone=True), nullable=True, comment="when a suspension ends by itself")
        )
        batch_op.create_index(
            "ix_assignments_special",
            ["tenant_id", "type_seq", "state", "until"],
            unique=False,
            sqlite_where=sa.text("state IN ('grace', 'blocked', 'expired', 'suspended')"),
            postgresql_where=sa.text("state IN ('grace', 'blocked', 'expired', 'suspended')"),
        )
        batch_op.create_index(
            "ix_assignments_stopped",
            ["tenant_id", "stop_until"],
            unique=False,
            sqlite_where=sa.text("stop_until IS NOT NULL"),
            postgresql_where=sa.text("stop_until IS NOT NULL"),
        )


def _claims() -> None:
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "expires_at", Instant(timezone=True), nullable=True, comment="when it ends without a grace (E-26)"
            )
        )
        batch_op.add_column(sa.Column("held_back", sa.Text(), nullable=True, comment="why it does not count: filter"))
        batch_op.add_column(
            sa.Column(
                "pinned",
                sa.Boolean(),
                server_default="0",
                nullable=False,
                comment="fixes the family's type (A-7)",
            )
        )
        batch_op.add_column(
            sa.Column("locked", sa.Boolean(), server_default="0", nullable=False, comment="of a copied person (E-15)")
        )
        batch_op.add_column(sa.Column("created_by", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("note", sa.Text(), server_default="", nullable=False))
        batch_op.create_index(
            "ix_claims_expiring",
            ["tenant_id", "expires_at"],
            unique=False,
            sqlite_where=sa.text("expires_at IS NOT NULL"),
            postgresql_where=sa.text("expires_at IS NOT NULL"),
        )


def _connections() -> None:
    with op.batch_alter_table("connections", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("over_cap", sa.Text(), server_default="wait", nullable=False, comment="wait or strict (X-4)")
        )


def _contracts() -> None:
    with op.batch_alter_table("contracts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "grace", sa.BigInteger(), server_default="1209600", nullable=False, comment="seconds after the end"
            )
        )
        batch_op.add_column(
            sa.Column("details", sa.Text(), server_default="{}", nullable=False, comment="JSON: plan, contacts")
        )


def _ledger() -> None:
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "approved", sa.BigInteger(), server_default="0", nullable=False, comment="seats approved above the cap"
            )
        )


def _license_types() -> None:
    with op.batch_alter_table("license_types", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("retired_at", Instant(timezone=True), nullable=True, comment="nothing new is given from then on")
        )
        batch_op.add_column(
            sa.Column(
                "authority", sa.Text(), server_default="any", nullable=False, comment="any, groups, scim, console (X-6)"
            )
        )
        batch_op.add_column(
            sa.Column(
                "conflict_policy",
                sa.Text(),
                server_default="highest_rank",
                nullable=False,
                comment="the family's (A-7)",
            )
        )
        batch_op.add_column(
            sa.Column(
                "settings", sa.Text(), server_default="{}", nullable=False, comment="JSON: what else D-4 says of a type"
            )
        )


def _licensing() -> None:
    with op.batch_alter_table("licensing", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "specials",
                sa.Boolean(),
                server_default="0",
                nullable=False,
                comment="a rule has a quota or a bundle",
            )
        )


def _rules() -> None:
    with op.batch_alter_table("rules", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("everyone", sa.Boolean(), server_default="0", nullable=False, comment="of the tenant; no group")
        )
        batch_op.add_column(
            sa.Column(
                "enabled",
                sa.Boolean(),
                server_default="1",
                nullable=False,
                comment="false also out of its validity",
            )
        )
        batch_op.add_column(sa.Column("valid_from", Instant(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("valid_to", Instant(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("quota", sa.BigInteger(), nullable=True, comment="how many may hold the type by this rule (A-13)")
        )
        batch_op.add_column(
            sa.Column("filter", sa.Text(), nullable=True, comment="an SCIM filter that a person must meet")
        )
        batch_op.add_column(
            sa.Column(
                "bundle",
                sa.BigInteger(),
                nullable=True,
                comment="the same for rules that give their types together or not at all (A-9)",
            )
        )
        batch_op.add_column(sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))


def _seat_lines() -> None:
    with op.batch_alter_table("seat_lines", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "reserve", sa.BigInteger(), server_default="0", nullable=False, comment="seats kept for direct grants"
            )
        )
        batch_op.add_column(
            sa.Column(
                "overage",
                sa.Text(),
                server_default="block",
                nullable=False,
                comment="block, percent:N, count:N, … (A-2)",
            )
        )


def _tenants() -> None:
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan", Key, server_default="standard", nullable=False))
        batch_op.add_column(
            sa.Column(
                "settings", sa.Text(), server_default="{}", nullable=False, comment="JSON: those of licensing.md 4.0"
            )
        )


def _users() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "banned",
                sa.Boolean(),
                server_default="0",
                nullable=False,
                comment="no SCIM write lifts it (E-13)",
            )
        )


def _comments() -> None:
    """What older columns are for, said anew; SQLite keeps no comments."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.alter_column("assignments", "state", comment="a state of licensing.md 4.2, but released")
    op.alter_column("claims", "source", comment="direct, scim, request, or rule:<seq>")
    op.alter_column("claims", "ending", comment="why it lingers: left_group, rule_removed, migrating")
