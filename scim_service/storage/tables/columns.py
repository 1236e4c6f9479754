"""The kinds of column that all tables share, so that both databases keep the same values in the same order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A row's narrow inner key: 64 bits on both databases (SQLite's INTEGER is, and only that name may count up)."""

Key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared and ordered by code point on both databases."""


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC instant, in and out, also on SQLite, which forgets the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a zone; use work.now or clock.parse_instant.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def tenant() -> sa.Column[int]:
    """The tenant of a row: never null, first in every unique key (reliability.md T2)."""
    return sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id"), nullable=False)


def key() -> sa.Column[int]:
    """A row's own counting key."""
    return sa.Column("seq", Seq, primary_key=True, autoincrement=True)


def belongs(local: str, remote: str, **options: Any) -> sa.ForeignKeyConstraint:
    """A reference inside one tenant: (tenant_id, local) to (tenant_id, seq) of `remote`."""
    return sa.ForeignKeyConstraint(["tenant_id", local], [f"{remote}.tenant_id", f"{remote}.seq"], **options)
