"""Time and mail: the outbox, invitations, leases and runs of jobs, alerts, numbers over time, the epoch."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from scim_service.storage.tables.columns import Instant, Key, Seq

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _outbox()
    _invitations()
    _leases()
    _job_runs()
    _failed_items()
    _installation()
    _seat_alerts()
    _reclaim_asks()
    _usage_hours()
    _usage_days()
    _forecasts()


def _columns_of_outbox() -> list[sa.Column[Any]]:
    return [
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("message_key", Key, nullable=False, comment="names the message: written twice, it is sent once"),
        sa.Column("letter", Key, nullable=False, comment="which letter of delivery/letters"),
        sa.Column("recipient", sa.Text(), nullable=False, comment="the address as it was when the message was written"),
        sa.Column("recipient_key", Key, nullable=False, comment="folded"),
        sa.Column("language", Key, nullable=False),
        sa.Column(
            "facts", sa.Text(), nullable=False, comment="JSON: what the letter says; never a link, never a secret"
        ),
        sa.Column("user_seq", Seq, nullable=True, comment="the person it is about; null where it is about nobody"),
        sa.Column("by_hand", sa.Boolean(), nullable=False, comment="somebody asked for it: the limits of T-7 count it"),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("due_at", Instant(timezone=True), nullable=False, comment="when it is tried next"),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("state", Key, nullable=False, comment="queued, sent, cancelled, dead"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was not sent, or what the mail server said last"),
        sa.Column("ended_at", Instant(timezone=True), nullable=True, comment="when it was sent, cancelled or given up"),
        sa.Column("leased_until", Instant(timezone=True), nullable=True, comment="a sender has it in hand until then"),
        sa.Column("lease", Key, nullable=True, comment="which sender"),
    ]


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_columns_of_outbox(),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outbox_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("tenant_id", "message_key", name=op.f("uq_outbox_tenant_id_message_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'queued'"),
            postgresql_where=sa.text("state = 'queued'"),
        )
        batch_op.create_index(
            "ix_outbox_person",
            ["tenant_id", "user_seq"],
            unique=False,
            sqlite_where=sa.text("user_seq IS NOT NULL"),
            postgresql_where=sa.text("user_seq IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_dead",
            ["ended_at"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            batch_op.f("ix_outbox_tenant_id_recipient_key_created_at"),
            ["tenant_id", "recipient_key", "created_at"],
            unique=False,
        )


def _columns_of_invitations() -> list[sa.Column[Any]]:
    return [
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", Key, nullable=False, comment="invitation, verification (D-14)"),
        sa.Column("user_seq", Seq, nullable=True, comment="the person who is asked; null for an administrator"),
        sa.Column("administrator_seq", Seq, nullable=True, comment="the administrator who is asked; null for a person"),
        sa.Column("email", sa.Text(), nullable=False, comment="where the link was sent; another address kills it"),
        sa.Column("email_key", Key, nullable=False, comment="folded"),
        sa.Column("state", Key, nullable=False, comment="open, done, lapsed, removed"),
        sa.Column(
            "cycle", sa.BigInteger(), nullable=False, comment="rises with every resend: older links are dead (T-7)"
        ),
        sa.Column("nonce", Key, nullable=False, comment="with the secret key it makes the link, which is kept nowhere"),
        sa.Column("step", sa.BigInteger(), nullable=False, comment="how many steps of the ladder are over"),
        sa.Column(
            "anchor_at",
            Instant(timezone=True),
            nullable=True,
            comment="where the ladder's clock starts; null: it does not run yet (T-3)",
        ),
        sa.Column("due_at", Instant(timezone=True), nullable=True, comment="when the next step, or the lapse, is due"),
        sa.Column(
            "expires_at",
            Instant(timezone=True),
            nullable=True,
            comment="when the link dies; null: with the ladder, which does not run yet",
        ),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("sent_at", Instant(timezone=True), nullable=True, comment="when the last letter of it was written"),
        sa.Column("done_at", Instant(timezone=True), nullable=True, comment="accepted, verified, lapsed or removed"),
        sa.Column("created_by", sa.Text(), nullable=False, comment="the actor who asked for it"),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON: the type reserved, whether an account existed"),
    ]


def _invitations() -> None:
    op.create_table(
        "invitations",
        *_columns_of_invitations(),
        sa.ForeignKeyConstraint(
            ["tenant_id", "administrator_seq"],
            ["administrators.tenant_id", "administrators.seq"],
            name=op.f("fk_invitations_tenant_id_administrator_seq"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_invitations_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_invitations")),
        sa.UniqueConstraint("tenant_id", "kind", "administrator_seq", name="uq_invitations_administrator"),
        sa.UniqueConstraint("tenant_id", "kind", "user_seq", name=op.f("uq_invitations_tenant_id_kind_user_seq")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_invitations_tenant_id_seq")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_invitations_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_invitations_tenant_id_email_key"), ["tenant_id", "email_key"], unique=False
        )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", Key, nullable=False),
        sa.Column("owner", Key, nullable=False, comment="a process: host, number, and a random part"),
        sa.Column("until", Instant(timezone=True), nullable=False),
        sa.Column(
            "fence", sa.BigInteger(), nullable=False, comment="rises with every new owner: a late write is refused"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def _job_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("job", Key, nullable=False),
        sa.Column("slot", Key, nullable=False, comment="the instant that the run is for: one run each, whoever comes"),
        sa.Column("owner", Key, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Instant(timezone=True), nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.Column("state", Key, nullable=False, comment="running, done, failed"),
        sa.Column("items", sa.BigInteger(), nullable=False, comment="how many things were done"),
        sa.Column("failed", sa.BigInteger(), nullable=False, comment="how many went wrong, each by itself"),
        sa.Column("tries", sa.BigInteger(), nullable=False, comment="how often it was begun"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_job_runs")),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_runs_started_at"), ["started_at"], unique=False)


def _failed_items() -> None:
    op.create_table(
        "failed_items",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("job", Key, nullable=False),
        sa.Column("item", Key, nullable=False, comment="what went wrong, by its key"),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False, comment="the kind of error and where; no personal value"),
        sa.Column("first_at", Instant(timezone=True), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=False),
        sa.Column(
            "parked_at",
            Instant(timezone=True),
            nullable=True,
            comment="after eight tries: not tried any more until somebody says so",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_failed_items_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "job", "item", name=op.f("pk_failed_items")),
    )


def _installation() -> None:
    made = op.create_table(
        "installation",
        sa.Column("name", Key, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.bulk_insert(made, [{"name": "epoch", "value": "1"}])


def _seat_alerts() -> None:
    op.create_table(
        "seat_alerts",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("threshold", Key, nullable=False, comment="seats_low, none_left (N-5)"),
        sa.Column("arming", sa.BigInteger(), nullable=False, comment="how often it was armed: once a letter for each"),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column(
            "clear_since",
            Instant(timezone=True),
            nullable=True,
            comment="above the threshold since; armed again after 24 h of that",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_seat_alerts_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", "threshold", name=op.f("pk_seat_alerts")),
    )


def _reclaim_asks() -> None:
    op.create_table(
        "reclaim_asks",
        sa.Column("seq", Seq, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_seq", Seq, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("nonce", Key, nullable=False, comment="with the secret key it makes the link, which is kept nowhere"),
        sa.Column("state", Key, nullable=False, comment="open, kept, given_up, released, reported, over (E-29)"),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", Instant(timezone=True), nullable=False),
        sa.Column("due_at", Instant(timezone=True), nullable=True, comment="when the reminder, or the release, is due"),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.Column(
            "not_before",
            Instant(timezone=True),
            nullable=True,
            comment="after an answer: when the person may be asked again",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_reclaim_asks_tenant_id_type_seq"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_seq"],
            ["users.tenant_id", "users.seq"],
            name=op.f("fk_reclaim_asks_tenant_id_user_seq"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_reclaim_asks_tenant_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reclaim_asks")),
        sa.UniqueConstraint(
            "tenant_id", "user_seq", "type_seq", name=op.f("uq_reclaim_asks_tenant_id_user_seq_type_seq")
        ),
        sqlite_autoincrement=True,
    )


def _usage_hours() -> None:
    op.create_table(
        "usage_hours",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("hour", Instant(timezone=True), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=True, comment="the limit at that hour; null for none"),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("grace", sa.BigInteger(), nullable=False),
        sa.Column("suspended", sa.BigInteger(), nullable=False, comment="suspended with the seat held"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_usage_hours_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", "hour", name=op.f("pk_usage_hours")),
    )


def _usage_days() -> None:
    op.create_table(
        "usage_days",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("day", Key, nullable=False, comment="as 2027-03-01, in UTC"),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False, comment="the day's high-water mark"),
        sa.Column("seats", sa.BigInteger(), nullable=True, comment="the limit at the day's end; null for none"),
        sa.Column("waiting", sa.BigInteger(), nullable=False, comment="the most who waited"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_usage_days_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", "day", name=op.f("pk_usage_days")),
    )


def _forecasts() -> None:
    op.create_table(
        "forecasts",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        sa.Column("day", Key, nullable=False, comment="the day on which it was made"),
        sa.Column(
            "verdict", Key, nullable=False, comment="full, full_on, none_within_a_year, not_enough_data, no_limit"
        ),
        sa.Column("full_on", Key, nullable=True, comment="the day on which the seats are full"),
        sa.Column("early", Key, nullable=True, comment="the band's first day"),
        sa.Column("late", Key, nullable=True, comment="the band's last day; null: not within the horizon"),
        sa.Column("slope", sa.Double(), nullable=True, comment="seats a day"),
        sa.Column(
            "error", sa.Double(), nullable=True, comment="seats by which last month's forecast of today was wrong"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "type_seq"],
            ["license_types.tenant_id", "license_types.seq"],
            name=op.f("fk_forecasts_tenant_id_type_seq"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", "day", name=op.f("pk_forecasts")),
    )
