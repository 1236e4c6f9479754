"""Tables of the room `licensing` about use over time: numbers, forecasts, alerts, what idle people were asked."""

from typing import Any

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, belongs, key, metadata, tenant

seat_alerts = sa.Table(
    "seat_alerts",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("threshold", Key, nullable=False, comment="seats_low, none_left (N-5)"),
    sa.Column("arming", sa.BigInteger, nullable=False, comment="how often it was armed: once a letter for each"),
    sa.Column("armed", sa.Boolean, nullable=False),
    sa.Column("clear_since", Instant, comment="above the threshold since; armed again after 24 h of that"),
    sa.PrimaryKeyConstraint("tenant_id", "type_seq", "threshold"),
    belongs("type_seq", "license_types"),
)

reclaim_asks = sa.Table(
    "reclaim_asks",
    metadata,
    key(),
    tenant(),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("cycle", sa.BigInteger, nullable=False),
    sa.Column("nonce", Key, nullable=False, comment="with the secret key it makes the link, which is kept nowhere"),
    sa.Column("state", Key, nullable=False, comment="open, kept, given_up, released, reported, over (E-29)"),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("due_at", Instant, comment="when the reminder, or the release, is due"),
    sa.Column("ended_at", Instant),
    sa.Column("not_before", Instant, comment="after an answer: when the person may be asked again"),
    sa.UniqueConstraint("tenant_id", "user_seq", "type_seq"),
    belongs("user_seq", "users", ondelete="CASCADE"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)


def _usage(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Numbers of a type over time, a row per type and period."""
    return sa.Table(
        name,
        metadata,
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("type_seq", Seq, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("tenant_id", "type_seq", columns[0].name),
        belongs("type_seq", "license_types"),
    )


usage_hours = _usage(
    "usage_hours",
    sa.Column("hour", Instant, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("seats", sa.BigInteger, comment="the limit at that hour; null for none"),
    sa.Column("waiting", sa.BigInteger, nullable=False),
    sa.Column("grace", sa.BigInteger, nullable=False),
    sa.Column("suspended", sa.BigInteger, nullable=False, comment="suspended with the seat held"),
)

usage_days = _usage(
    "usage_days",
    sa.Column("day", Key, nullable=False, comment="as 2027-03-01, in UTC"),
    sa.Column("least", sa.BigInteger, nullable=False),
    sa.Column("mean", sa.Double, nullable=False),
    sa.Column("most", sa.BigInteger, nullable=False, comment="the day's high-water mark"),
    sa.Column("seats", sa.BigInteger, comment="the limit at the day's end; null for none"),
    sa.Column("waiting", sa.BigInteger, nullable=False, comment="the most who waited"),
)

forecasts = _usage(
    "forecasts",
    sa.Column("day", Key, nullable=False, comment="the day on which it was made"),
    sa.Column("verdict", Key, nullable=False, comment="full, full_on, none_within_a_year, not_enough_data, no_limit"),
    sa.Column("full_on", Key, comment="the day on which the seats are full"),
    sa.Column("early", Key, comment="the band's first day"),
    sa.Column("late", Key, comment="the band's last day; null: not within the horizon"),
    sa.Column("slope", sa.Double, comment="seats a day"),
    sa.Column("error", sa.Double, comment="seats by which last month's forecast of today was wrong"),
)
