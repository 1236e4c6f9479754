"""Tables of the room `delivery`: what is to be told to whom (licensing.md D-17, part 4.7)."""

import sqlalchemy as sa

from scim_service.storage.tables.columns import Instant, Key, Seq, key, metadata, tenant

QUEUED = sa.column("state", Key) == sa.literal_column("'queued'", Key)
"""A message that is still to be sent, spelled out as the index of what is due needs it."""

ABOUT = sa.column("user_seq").is_not(None)
"""A message about a person, spelled out as the index of those needs it."""

DEAD = sa.column("state", Key) == sa.literal_column("'dead'", Key)
"""A message that was given up, spelled out as the index of what administrators are told of needs it."""

outbox = sa.Table(
    "outbox",
    metadata,
    key(),
    tenant(),
    sa.Column("message_key", Key, nullable=False, comment="names the message: written twice, it is sent once"),
    sa.Column("letter", Key, nullable=False, comment="which letter of delivery/letters"),
    sa.Column("recipient", sa.Text, nullable=False, comment="the address as it was when the message was written"),
    sa.Column("recipient_key", Key, nullable=False, comment="folded"),
    sa.Column("language", Key, nullable=False),
    sa.Column("facts", sa.Text, nullable=False, comment="JSON: what the letter says; never a link, never a secret"),
    sa.Column("user_seq", Seq, comment="the person it is about; null where it is about nobody"),
    sa.Column("by_hand", sa.Boolean, nullable=False, comment="somebody asked for it: the limits of T-7 count it"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False, comment="when it is tried next"),
    sa.Column("tries", sa.BigInteger, nullable=False),
    sa.Column("state", Key, nullable=False, comment="queued, sent, cancelled, dead"),
    sa.Column("reason", sa.Text, comment="why it was not sent, or what the mail server said last"),
    sa.Column("ended_at", Instant, comment="when it was sent, cancelled or given up"),
    sa.Column("leased_until", Instant, comment="a sender has it in hand until then"),
    sa.Column("lease", Key, comment="which sender"),
    sa.UniqueConstraint("tenant_id", "message_key"),
    sa.Index(None, "tenant_id", "recipient_key", "created_at"),
    sa.Index("ix_outbox_person", "tenant_id", "user_seq", sqlite_where=ABOUT, postgresql_where=ABOUT),
    sa.Index("ix_outbox_due", "due_at", sqlite_where=QUEUED, postgresql_where=QUEUED),
    sa.Index("ix_outbox_dead", "ended_at", sqlite_where=DEAD, postgresql_where=DEAD),
    sqlite_autoincrement=True,
)
