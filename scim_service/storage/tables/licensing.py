"""Tables of the room `licensing`: what is sold, what was bought, the rules, the claims, the assignments, the ledger."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, belongs, key, metadata, tenant

licensing = sa.Table(
    "licensing",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id"), primary_key=True, autoincrement=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False, comment="the organization's counter of A-3"),
    sa.Column("next_due", Instant, comment="the next instant at which time alone changes a seat (I-10)"),
)

products = sa.Table(
    "products",
    metadata,
    key(),
    tenant(),
    sa.Column("code", Key, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("tenant_id", "code"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sqlite_autoincrement=True,
)

license_types = sa.Table(
    "license_types",
    metadata,
    key(),
    tenant(),
    sa.Column("code", Key, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("product_seq", sa.BigInteger),
    sa.Column("family", Key),
    sa.Column("rank", sa.BigInteger, nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False, comment="false: free, without a cap"),
    sa.Column("exit_grace", sa.BigInteger, comment="seconds; the tenant's where null"),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("tenant_id", "code"),
    sa.UniqueConstraint("tenant_id", "seq"),
    belongs("product_seq", "products"),
    sqlite_autoincrement=True,
)

contracts = sa.Table(
    "contracts",
    metadata,
    key(),
    tenant(),
    sa.Column("number", Key, nullable=False),
    sa.Column("starts_at", Instant, nullable=False),
    sa.Column("ends_at", Instant),
    sa.UniqueConstraint("tenant_id", "number"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sqlite_autoincrement=True,
)

seat_lines = sa.Table(
    "seat_lines",
    metadata,
    key(),
    tenant(),
    sa.Column("contract_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("valid_from", Instant),
    sa.Column("valid_to", Instant),
    sa.Index(None, "tenant_id", "type_seq"),
    belongs("contract_seq", "contracts"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

rules = sa.Table(
    "rules",
    metadata,
    key(),
    tenant(),
    sa.Column("group_seq", Seq, comment="null while unbound or orphaned"),
    sa.Column("group_name", sa.Text, nullable=False),
    sa.Column("group_name_key", Key, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="unbound, bound, orphaned (decision 30)"),
    sa.Column("priority", sa.BigInteger, nullable=False),
    sa.Column("exit_grace", sa.BigInteger, comment="seconds; the type's where null"),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("tenant_id", "group_name_key", "type_seq"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(None, "tenant_id", "group_seq"),
    belongs("group_seq", "groups"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

claims = sa.Table(
    "claims",
    metadata,
    key(),
    tenant(),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("source", Key, nullable=False, comment="direct, or rule:<seq>"),
    sa.Column("rule_seq", Seq),
    sa.Column("priority", sa.BigInteger, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("rank_seq", sa.BigInteger, nullable=False, comment="the seq of A-3"),
    sa.Column("until", Instant, comment="null: live; else lingering until then"),
    sa.Column("ending", sa.Text, comment="why it lingers: left_group, rule_removed"),
    sa.UniqueConstraint("tenant_id", "user_seq", "type_seq", "source"),
    sa.Index(None, "tenant_id", "rule_seq", "user_seq"),
    sa.Index(
        "ix_claims_lingering",
        "tenant_id",
        "until",
        sqlite_where=sa.column("until").is_not(None),
        postgresql_where=sa.column("until").is_not(None),
    ),
    belongs("user_seq", "users"),
    belongs("type_seq", "license_types"),
    belongs("rule_seq", "rules"),
    sqlite_autoincrement=True,
)

WAITS = sa.column("state", Key) == sa.literal_column("'waiting'", Key)
"""An assignment in the queue, spelled out as the index of the queue needs it."""

assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("state", Key, nullable=False, comment="assigned, grace, waiting, covered (licensing.md 4.2)"),
    sa.Column("reason", sa.Text),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("priority", sa.BigInteger, nullable=False, comment="with the next two: the seniority key of A-3"),
    sa.Column("claimed_since", Instant, nullable=False),
    sa.Column("rank_seq", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "user_seq", "type_seq"),
    # Of who waits only: it is small, and a statement about one row cannot take it for the key. Ask with `WAITS`.
    sa.Index(
        "ix_assignments_queue",
        "tenant_id",
        "type_seq",
        "priority",
        "claimed_since",
        "rank_seq",
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    ),
    belongs("user_seq", "users"),
    belongs("type_seq", "license_types"),
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("consuming", sa.BigInteger, nullable=False),
    sa.Column("high_water", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "type_seq"),
    sa.CheckConstraint("consuming >= 0", name="ck_ledger_consuming"),
    belongs("type_seq", "license_types"),
)
