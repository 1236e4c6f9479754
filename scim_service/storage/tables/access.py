"""Tables of the room `access`: tenants, their connections and credentials, administrators, invitations."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, belongs, key, metadata, tenant

DUE = sa.column("due_at").is_not(None)
"""An invitation about which something is due by the clock, spelled out as its index needs it."""

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("slug", Key, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("exit_grace", sa.BigInteger, nullable=False, comment="seconds"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("plan", Key, nullable=False, server_default="standard"),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}", comment="JSON: those of licensing.md 4.0"),
    sqlite_autoincrement=True,
)

connections = sa.Table(
    "connections",
    metadata,
    key(),
    tenant(),
    sa.Column("name", Key, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant),
    sa.Column("last_error_at", Instant),
    sa.Column("last_error", sa.Text),
    sa.Column("over_cap", sa.Text, nullable=False, server_default="wait", comment="wait or strict (X-4)"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sqlite_autoincrement=True,
)

credentials = sa.Table(
    "credentials",
    metadata,
    key(),
    tenant(),
    sa.Column("connection_seq", sa.BigInteger, nullable=False),
    sa.Column("prefix", Key, nullable=False, unique=True),
    sa.Column("secret_hash", Key, nullable=False, comment="SHA-256 of the whole token, in hex"),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    belongs("connection_seq", "connections"),
    sa.Index(None, "tenant_id", "connection_seq"),
    sqlite_autoincrement=True,
)

token_people = sa.Table(
    "token_people",
    metadata,
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("prefix", Key, nullable=False, comment="of the credential"),
    sa.Column("user_seq", Seq, nullable=False, comment="for whom it stands; gone with the person"),
    sa.PrimaryKeyConstraint("tenant_id", "prefix"),
    sa.Index(None, "tenant_id", "user_seq"),
    belongs("user_seq", "users", ondelete="CASCADE"),
)

administrators = sa.Table(
    "administrators",
    metadata,
    key(),
    tenant(),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", Key, nullable=False, comment="folded"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", Key, nullable=False, comment="a role of D-12"),
    sa.Column("products", sa.Text, nullable=False, server_default="[]", comment="JSON: a license administrator's"),
    sa.Column("invited_at", Instant, nullable=False),
    sa.Column("accepted_at", Instant, comment="null: invited, and counted against the plan's limit"),
    sa.Column("last_active_at", Instant),
    sa.UniqueConstraint("tenant_id", "email_key"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(
        "uq_administrators_head",
        "tenant_id",
        unique=True,
        sqlite_where=sa.column("role") == sa.literal_column("'head'"),
        postgresql_where=sa.column("role") == sa.literal_column("'head'"),
    ),
    sqlite_autoincrement=True,
)

invitations = sa.Table(
    "invitations",
    metadata,
    key(),
    tenant(),
    sa.Column("kind", Key, nullable=False, comment="invitation, verification (D-14)"),
    sa.Column("user_seq", Seq, comment="the person who is asked; null for an administrator"),
    sa.Column("administrator_seq", Seq, comment="the administrator who is asked; null for a person"),
    sa.Column("email", sa.Text, nullable=False, comment="where the link was sent; another address kills it"),
    sa.Column("email_key", Key, nullable=False, comment="folded"),
    sa.Column("state", Key, nullable=False, comment="open, done, lapsed, removed"),
    sa.Column("cycle", sa.BigInteger, nullable=False, comment="rises with every resend: older links are dead (T-7)"),
    sa.Column("nonce", Key, nullable=False, comment="with the secret key it makes the link, which is kept nowhere"),
    sa.Column("step", sa.BigInteger, nullable=False, comment="how many steps of the ladder are over"),
    sa.Column("anchor_at", Instant, comment="where the ladder's clock starts; null: it does not run yet (T-3)"),
    sa.Column("due_at", Instant, comment="when the next step, or the lapse, is due"),
    sa.Column("expires_at", Instant, comment="when the link dies; null: with the ladder, which does not run yet"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("sent_at", Instant, comment="when the last letter of it was written"),
    sa.Column("done_at", Instant, comment="accepted, verified, lapsed or removed"),
    sa.Column("created_by", sa.Text, nullable=False, comment="the actor who asked for it"),
    sa.Column("details", sa.Text, nullable=False, comment="JSON: the type reserved, whether an account existed"),
    sa.UniqueConstraint("tenant_id", "kind", "user_seq"),
    sa.UniqueConstraint("tenant_id", "kind", "administrator_seq", name="uq_invitations_administrator"),
    sa.UniqueConstraint("tenant_id", "seq"),
    sa.Index(None, "tenant_id", "email_key"),
    sa.Index("ix_invitations_due", "due_at", sqlite_where=DUE, postgresql_where=DUE),
    belongs("user_seq", "users", ondelete="CASCADE"),
    belongs("administrator_seq", "administrators", ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
