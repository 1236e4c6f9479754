"""Tables of the room `directory`: people, groups, who is in which, and the totals of both.

A resource is its document (as sent, without what is computed) beside the columns that decide something. Memberships are
rows, changed by deltas (house.md part 3); `user_values` is the index that filters use (performance.md 5.2).
"""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, belongs, key, metadata, tenant

users = sa.Table(
    "users",
    metadata,
    key(),
    tenant(),
    sa.Column("id", Key, nullable=False),
    sa.Column("user_name_key", Key, nullable=False, comment="folded userName (decision 2)"),
    sa.Column("display", sa.Text, nullable=False, comment="what groups show as members[].display"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Column("connection_seq", sa.BigInteger, comment="who made or adopted the person"),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("banned", sa.Boolean, nullable=False, server_default="0", comment="no SCIM write lifts it (E-13)"),
    sa.UniqueConstraint("tenant_id", "id"),
    sa.UniqueConstraint("tenant_id", "user_name_key"),
    sa.UniqueConstraint("tenant_id", "seq"),
    belongs("connection_seq", "connections"),
    sqlite_autoincrement=True,
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("ban_reason", sa.Text),
    sa.Column("banned_at", Instant),
    sa.Column("sessions_void_before", Instant, comment="sessions from before are void (decision 32)"),
    sa.Column("api_keys_void_before", Instant),
    sa.Column("must_change_password", Instant, comment="asked for since"),
    sa.Column("privacy_override", Instant, comment="on since"),
    sa.Column("last_active_at", Instant, comment="told by the product"),
    sa.PrimaryKeyConstraint("tenant_id", "user_seq"),
    belongs("user_seq", "users", ondelete="CASCADE"),
)

resource_grants = sa.Table(
    "resource_grants",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("resource", Key, nullable=False, comment="a key of the product's own (D-18)"),
    sa.Column("team", Key, nullable=False, comment="empty for none"),
    sa.Column("granted_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "user_seq", "resource", "team"),
    belongs("user_seq", "users", ondelete="CASCADE"),
)

user_values = sa.Table(
    "user_values",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("path", sa.SmallInteger, nullable=False, comment="number of an indexed path (index_rows.INDEXED)"),
    sa.Column("value", Key, nullable=False, comment="folded unless caseExact, cut at 200 characters"),
    sa.Column("user_seq", Seq, nullable=False),
    sa.Column("item", sa.SmallInteger, nullable=False, comment="ordinal of the element in a multi-valued attribute"),
    sa.Column("whole", sa.Text, comment="the uncut value, only where it was cut"),
    sa.PrimaryKeyConstraint("tenant_id", "path", "value", "user_seq", "item"),
    belongs("user_seq", "users", ondelete="CASCADE"),
    sa.Index(None, "tenant_id", "user_seq"),
    sqlite_with_rowid=False,
)

groups = sa.Table(
    "groups",
    metadata,
    key(),
    tenant(),
    sa.Column("id", Key, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("display_name_key", Key, nullable=False),
    sa.Column("unique_name_key", Key, comment="the key again where the connection's profile wants names unique"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Column("connection_seq", sa.BigInteger),
    sa.Column("member_count", sa.BigInteger, nullable=False),
    sa.Column("feeds", sa.Boolean, nullable=False, comment="a rule here or on an ancestor group (decision 20)"),
    sa.Column("document", sa.Text, nullable=False),
    sa.UniqueConstraint("tenant_id", "id"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.UniqueConstraint("tenant_id", "connection_seq", "unique_name_key"),
    sa.Index(None, "tenant_id", "display_name_key"),
    belongs("connection_seq", "connections"),
    sqlite_autoincrement=True,
)

memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True, comment="the order of joining"),
    tenant(),
    sa.Column("group_seq", Seq, nullable=False),
    sa.Column("user_seq", Seq, nullable=False),
    sa.UniqueConstraint("tenant_id", "group_seq", "user_seq"),
    sa.Index(None, "tenant_id", "user_seq"),
    belongs("group_seq", "groups"),
    belongs("user_seq", "users"),
    sqlite_autoincrement=True,
)

nestings = sa.Table(
    "nestings",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("group_seq", Seq, nullable=False, comment="the group that has a member"),
    sa.Column("child_seq", Seq, nullable=False, comment="the group that is the member"),
    sa.PrimaryKeyConstraint("tenant_id", "group_seq", "child_seq"),
    sa.Index(None, "tenant_id", "child_seq"),
    belongs("group_seq", "groups"),
    belongs("child_seq", "groups"),
)

pending_members = sa.Table(
    "pending_members",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("group_seq", Seq, nullable=False),
    sa.Column("member_id", Key, nullable=False, comment="an id that nobody has yet (decision 4)"),
    sa.PrimaryKeyConstraint("tenant_id", "group_seq", "member_id"),
    sa.Index(None, "tenant_id", "member_id"),
    belongs("group_seq", "groups"),
)


def _external_ids(name: str, owner: str) -> sa.Table:
    """An externalId row per connection and resource, case-exact and unique there (decision 1)."""
    return sa.Table(
        name,
        metadata,
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("connection_seq", Seq, nullable=False),
        sa.Column("external_id", Key, nullable=False),
        sa.Column("owner_seq", Seq, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection_seq", "external_id"),
        sa.UniqueConstraint("tenant_id", "connection_seq", "owner_seq"),
        sa.Index(None, "tenant_id", "owner_seq"),
        belongs("connection_seq", "connections"),
        belongs("owner_seq", owner, ondelete="CASCADE"),
    )


user_external_ids = _external_ids("user_external_ids", "users")
group_external_ids = _external_ids("group_external_ids", "groups")

repeats = sa.Table(
    "repeats",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("connection_seq", Seq, nullable=False),
    sa.Column("key_hash", Key, nullable=False, comment="SHA-256 of an Idempotency-Key, in hex (reliability.md F2)"),
    sa.Column("request_hash", Key, nullable=False, comment="SHA-256 of method, address and body, in hex"),
    sa.Column("status", sa.BigInteger, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON"),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "connection_seq", "key_hash"),
    sa.Index(None, "tenant_id", "created_at"),
    belongs("connection_seq", "connections"),
)

totals = sa.Table(
    "totals",
    metadata,
    tenant(),
    sa.Column("resource_type", Key, nullable=False),
    sa.Column("bucket", sa.SmallInteger, nullable=False, comment="spread over rows so that writers rarely meet"),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "resource_type", "bucket"),
)
