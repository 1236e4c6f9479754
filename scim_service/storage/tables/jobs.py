"""Tables of the room `jobs`: who leads, which slot was done, which item is set aside (licensing.md T-9, D-17).

Leases and runs belong to the installation, not to a tenant.
"""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, metadata, tenant

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", Key, primary_key=True),
    sa.Column("owner", Key, nullable=False, comment="a process: host, number, and a random part"),
    sa.Column("until", Instant, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False, comment="rises with every new owner: a late write is refused"),
)

job_runs = sa.Table(
    "job_runs",
    metadata,
    sa.Column("job", Key, nullable=False),
    sa.Column("slot", Key, nullable=False, comment="the instant that the run is for: one run each, whoever comes"),
    sa.Column("owner", Key, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("state", Key, nullable=False, comment="running, done, failed"),
    sa.Column("items", sa.BigInteger, nullable=False, comment="how many things were done"),
    sa.Column("failed", sa.BigInteger, nullable=False, comment="how many went wrong, each by itself"),
    sa.Column("tries", sa.BigInteger, nullable=False, comment="how often it was begun"),
    sa.Column("error", sa.Text),
    sa.PrimaryKeyConstraint("job", "slot"),
    sa.Index(None, "started_at"),
)

failed_items = sa.Table(
    "failed_items",
    metadata,
    tenant(),
    sa.Column("job", Key, nullable=False),
    sa.Column("item", Key, nullable=False, comment="what went wrong, by its key"),
    sa.Column("tries", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False, comment="the kind of error and where; no personal value"),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("parked_at", Instant, comment="after eight tries: not tried any more until somebody says so"),
    sa.PrimaryKeyConstraint("tenant_id", "job", "item"),
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", Key, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What is true of the whole installation: its epoch (storage/epoch.py)."""
