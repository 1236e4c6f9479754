"""Messages in the outbox of a test, and the job that sends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.config import Settings
from scim_service.delivery import entries, outbox
from scim_service.delivery.entries import Entry
from scim_service.jobs import outbox as job
from scim_service.jobs.job import Context, Report
from scim_service.storage import tables
from tests import service
from tests.mailserver import MailServer
from tests.service import Cast

OUTBOX = tables.delivery.outbox
USERS = tables.directory.users
ALL = sa.select(*entries.columns).order_by(OUTBOX.c.seq).execution_options(across_tenants=True)


_CLEAR = sa.delete(OUTBOX).execution_options(across_tenants=True)


@dataclass
class Post:
    """A service with its outbox; the mail server is the one whose URL is in `smtp_url`."""

    cast: Cast
    smtp_url: str | None = None
    operator: str | None = "operator@vendor.example"
    public_url: str = "https://scim.acme.example"

    @property
    def settings(self) -> Settings:
        wanted = {
            "SCIM_SMTP_URL": self.smtp_url,
            "SCIM_OPERATOR_EMAIL": self.operator,
            "SCIM_PUBLIC_URL": self.public_url,
            "SCIM_MAIL_FROM": "no-reply@vendor.example",
            "SCIM_HOST": "0.0.0.0",
        }
        return service.settings(self.cast.store.database.url, **{name: one for name, one in wanted.items() if one})

    def clear(self) -> None:
        """Forget what making the cast has posted."""
        with self.cast.writing() as work:
            work.execute(_CLEAR)

    def use(self, server: MailServer) -> None:
        self.smtp_url = server.url()

    def write(self, *recipients: str, tenant_id: int | None = None, letter: str = "welcome", **more: Any) -> None:
        """A letter to each of these, about nobody unless told."""
        facts: Mapping[str, Any] = more.pop("facts", {"type": None})
        with self.cast.writing(tenant_id) as work:
            outbox.post(
                work, [outbox.Message(f"{letter}:{one}", letter, one, "en", facts, **more) for one in recipients]
            )

    def run(self) -> Report:
        """One round of the job, now."""
        now = self.cast.store.clock.now()
        return job.run(Context(self.cast.store, self.settings, now, now))

    def entries(self) -> list[Entry]:
        """Everything in the outbox, of every tenant, in the order in which it was written."""
        with self.cast.reading() as work:
            return [entries.entry(row) for row in work.rows(ALL)]

    def states(self, recipients: Iterable[str] = ()) -> dict[str, str]:
        """Recipient → state of the message."""
        wanted = set(recipients)
        return {one.recipient: one.state for one in self.entries() if not wanted or one.recipient in wanted}

    def seq(self, user_name: str) -> int:
        """A person of Acme, as the outbox knows people."""
        named = (USERS.c.tenant_id == sa.bindparam("tenant"), USERS.c.user_name_key == user_name)
        with self.cast.reading() as work:
            return int(work.value(sa.select(USERS.c.seq).where(*named)))
