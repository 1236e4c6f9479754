"""Who is told that letters could not be delivered: administrators and the operator, at most once a day (N-8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from scim_service.access import letters, told
from scim_service.delivery import addresses, outbox
from scim_service.delivery.outbox import Message
from scim_service.jobs import items
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context
from scim_service.protocol.text import fold, format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Actor, Work

NAME, LETTER = "outbox", "dead_letters"
EVERY = timedelta(days=1)
KNOWN = timedelta(days=7)
"""What died longer ago nobody is told of any more."""

_outbox = tables.delivery.outbox
_DIED = (tables.delivery.DEAD, _outbox.c.letter != LETTER, _outbox.c.ended_at > sa.bindparam("since"))
_CONCERNED = (
    sa.select(_outbox.c.tenant_id)
    .where(*_DIED)
    .group_by(_outbox.c.tenant_id)
    .order_by(_outbox.c.tenant_id)
    .execution_options(across_tenants=True)
)
_TENANT: sa.BindParameter[int] = sa.bindparam("tenant")
_TOLD = sa.select(sa.func.max(_outbox.c.created_at)).where(_outbox.c.tenant_id == _TENANT, _outbox.c.letter == LETTER)
_DEATHS = (
    sa.select(_outbox.c.created_at, _outbox.c.reason)
    .where(_outbox.c.tenant_id == _TENANT, *_DIED)
    .order_by(_outbox.c.ended_at.desc(), _outbox.c.seq.desc())
)


def tell(context: Context) -> None:
    """Post the alert of each tenant where letters died since the last one, if that is a day ago."""
    with context.reading(Actor("job", NAME)) as work:
        concerned = [row.tenant_id for row in work.rows(_CONCERNED, since=work.now - KNOWN)]
    alerts = [Item(tenant_id, "dead-letters") for tenant_id in concerned]
    items.isolated(context, NAME, alerts, lambda work, item: post(work))


def post(work: Work) -> None:
    """The alert of one tenant, if one is due."""
    last = work.value(_TOLD)
    if last is not None and work.now - last < EVERY:
        return
    died = work.rows(_DEATHS, since=last or work.now - KNOWN)
    if died:
        oldest = min(one.created_at for one in died)
        facts = {"count": len(died), "oldest_at": format_datetime(oldest), "reason": died[0].reason}
        outbox.post(work, list(_messages(work, facts)))


def _messages(work: Work, facts: dict[str, object]) -> Iterable[Message]:
    language = letters.language(work)
    people = [one.email for one in told.of_any_product(told.everybody(work))]
    for recipient in [*people, addresses.OPERATOR]:
        yield Message(f"dead:{work.now:%Y-%m-%d}:{fold(recipient)}", LETTER, recipient, language, facts)
