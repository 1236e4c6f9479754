"""Tables of the room `licensing`: what is sold, what was bought, the rules, the claims, the assignments, the ledger."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, belongs, key, metadata, tenant

licensing = sa.Table(
    "licensing",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id"), primary_key=True, autoincrement=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False, comment="the organization's counter of A-3"),
    sa.Column("next_due", Instant, comment="the next instant at which time alone changes a seat (I-10)"),
    sa.Column("specials", sa.Boolean, nullable=False, server_default="0", comment="a rule has a quota or a bundle"),
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
    sa.Column("retired_at", Instant, comment="nothing new is given from then on"),
    sa.Column("authority", sa.Text, nullable=False, server_default="any", comment="any, groups, scim, console (X-6)"),
    sa.Column("conflict_policy", sa.Text, nullable=False, server_default="highest_rank", comment="the family's (A-7)"),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}", comment="JSON: what else D-4 says of a type"),
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
    sa.Column("grace", sa.BigInteger, nullable=False, server_default="1209600", comment="seconds after the end"),
    sa.Column("details", sa.Text, nullable=False, server_default="{}", comment="JSON: plan, contacts"),
    sa.UniqueConstraint("tenant_id", "number"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sqlite_autoincrement=True,
)

renewals = sa.Table(
    "renewals",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("renewed_seq", Seq, nullable=False, comment="superseded from the start of the other (D-5)"),
    sa.Column("contract_seq", Seq, nullable=False, comment="the contract that takes its place"),
    sa.PrimaryKeyConstraint("tenant_id", "renewed_seq"),
    sa.UniqueConstraint("tenant_id", "contract_seq"),
    belongs("renewed_seq", "contracts"),
    belongs("contract_seq", "contracts"),
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
    sa.Column("reserve", sa.BigInteger, nullable=False, server_default="0", comment="seats kept for direct grants"),
    sa.Column("overage", sa.Text, nullable=False, server_default="block", comment="block, percent:N, count:N, … (A-2)"),
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
    sa.Column("everyone", sa.Boolean, nullable=False, server_default="0", comment="of the tenant; no group"),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default="1", comment="false also out of its validity"),
    sa.Column("valid_from", Instant),
    sa.Column("valid_to", Instant),
    sa.Column("quota", sa.BigInteger, comment="how many may hold the type by this rule (A-13)"),
    sa.Column("filter", sa.Text, comment="an SCIM filter that a person must meet"),
    sa.Column("bundle", sa.BigInteger, comment="the same for rules that give their types together or not at all (A-9)"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.UniqueConstraint("tenant_id", "group_name_key", "type_seq"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(None, "tenant_id", "group_seq"),
    belongs("group_seq", "groups"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

rule_exclusions = sa.Table(
    "rule_exclusions",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("rule_seq", Seq, nullable=False),
    sa.Column("user_seq", Seq, nullable=False, comment="in the group, but gets nothing from the rule (E-9)"),
    sa.PrimaryKeyConstraint("tenant_id", "rule_seq", "user_seq"),
    sa.Index(None, "tenant_id", "user_seq"),
    belongs("rule_seq", "rules", ondelete="CASCADE"),
    belongs("user_seq", "users", ondelete="CASCADE"),
)

claims = sa.Table(
    "claims",
    metadata,
    key(),
    tenant(),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("source", Key, nullable=False, comment="direct, scim, request, or rule:<seq>"),
    sa.Column("rule_seq", Seq),
    sa.Column("priority", sa.BigInteger, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("rank_seq", sa.BigInteger, nullable=False, comment="the seq of A-3"),
    sa.Column("until", Instant, comment="null: live; else lingering until then"),
    sa.Column("ending", sa.Text, comment="why it lingers: left_group, rule_removed, migrating"),
    sa.Column("expires_at", Instant, comment="when it ends without a grace (E-26)"),
    sa.Column("held_back", sa.Text, comment="why it does not count: filter"),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default="0", comment="fixes the family's type (A-7)"),
    sa.Column("locked", sa.Boolean, nullable=False, server_default="0", comment="of a copied person (E-15)"),
    sa.Column("created_by", sa.Text, nullable=False, server_default=""),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("tenant_id", "user_seq", "type_seq", "source"),
    sa.Index(None, "tenant_id", "rule_seq", "user_seq"),
    sa.Index(
        "ix_claims_lingering",
        "tenant_id",
        "until",
        sqlite_where=sa.column("until").is_not(None),
        postgresql_where=sa.column("until").is_not(None),
    ),
    sa.Index(
        "ix_claims_expiring",
        "tenant_id",
        "expires_at",
        sqlite_where=sa.column("expires_at").is_not(None),
        postgresql_where=sa.column("expires_at").is_not(None),
    ),
    belongs("user_seq", "users"),
    belongs("type_seq", "license_types"),
    belongs("rule_seq", "rules"),
    sqlite_autoincrement=True,
)

WAITS = sa.column("state", Key) == sa.literal_column("'waiting'", Key)
"""An assignment in the queue, spelled out as the index of the queue needs it."""

SPECIAL = sa.column("state", Key).in_(
    [sa.literal_column(f"'{state}'", Key) for state in ("grace", "blocked", "expired", "suspended")]
)
"""What is neither held nor waited for nor covered: the few that some events must find by state."""

assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("state", Key, nullable=False, comment="a state of licensing.md 4.2, but released"),
    sa.Column("reason", sa.Text),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("priority", sa.BigInteger, nullable=False, comment="with the next two: the seniority key of A-3"),
    sa.Column("claimed_since", Instant, nullable=False),
    sa.Column("rank_seq", sa.BigInteger, nullable=False),
    sa.Column("quota_rule", sa.BigInteger, comment="the rule whose quota the seat counts against (A-13)"),
    sa.Column("stop", sa.Text, comment="who suspended it: administrator, mass_change (E-12, E-27)"),
    sa.Column("stop_holds", sa.Boolean, nullable=False, server_default="0", comment="suspended, seat kept"),
    sa.Column("stop_until", Instant, comment="when a suspension ends by itself"),
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
    sa.Index(
        "ix_assignments_special",
        "tenant_id",
        "type_seq",
        "state",
        "until",
        sqlite_where=SPECIAL,
        postgresql_where=SPECIAL,
    ),
    sa.Index(
        "ix_assignments_stopped",
        "tenant_id",
        "stop_until",
        sqlite_where=sa.column("stop_until").is_not(None),
        postgresql_where=sa.column("stop_until").is_not(None),
    ),
    belongs("user_seq", "users"),
    belongs("type_seq", "license_types"),
)

capacity_drops = sa.Table(
    "capacity_drops",
    metadata,
    key(),
    tenant(),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False, comment="how many seats too many are in use (D-13)"),
    sa.Column("reason", sa.Text, nullable=False, comment="cap_decrease, contract_end, line_end"),
    sa.Column("deadline", Instant, nullable=False),
    sa.Index(None, "tenant_id", "deadline"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

parked_seats = sa.Table(
    "parked_seats",
    metadata,
    key(),
    tenant(),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("user_name_key", Key, nullable=False, comment="of the person who was deleted (E-27)"),
    sa.Column("user_id", Key, nullable=False),
    sa.Column("until", Instant, nullable=False, comment="the queue gets the seat then"),
    sa.Index(None, "tenant_id", "user_name_key"),
    sa.Index(None, "tenant_id", "until"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

removals = sa.Table(
    "removals",
    metadata,
    key(),
    tenant(),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False, comment="how many lost the type's seat at that instant"),
    sa.Index(None, "tenant_id", "type_seq", "at"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

high_waters = sa.Table(
    "high_waters",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("contract_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False, comment="the most that were used in the contract's period (A-4)"),
    sa.Column("cap", sa.BigInteger, nullable=False, comment="what had been bought at that instant"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("people", sa.Text, nullable=False, comment="JSON: the ids of those beyond the cap, least senior last"),
    sa.PrimaryKeyConstraint("tenant_id", "contract_seq", "type_seq"),
    belongs("contract_seq", "contracts"),
    belongs("type_seq", "license_types"),
)

requests = sa.Table(
    "requests",
    metadata,
    key(),
    tenant(),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", Key, nullable=False, comment="open, approved, denied (E-22)"),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("decided_by", sa.Text),
    sa.Column("decision", sa.Text, comment="what the decider wrote"),
    sa.Column("not_before", Instant, comment="after a denial: when the person may ask again"),
    sa.Index(None, "tenant_id", "user_seq", "type_seq"),
    belongs("user_seq", "users", ondelete="CASCADE"),
    belongs("type_seq", "license_types"),
    sqlite_autoincrement=True,
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("type_seq", Seq, nullable=False),
    sa.Column("consuming", sa.BigInteger, nullable=False),
    sa.Column("high_water", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("approved", sa.BigInteger, nullable=False, server_default="0", comment="seats approved above the cap"),
    sa.PrimaryKeyConstraint("tenant_id", "type_seq"),
    sa.CheckConstraint("consuming >= 0", name="ck_ledger_consuming"),
    belongs("type_seq", "license_types"),
)
