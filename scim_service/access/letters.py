"""A message of the outbox becomes a letter: the tenant that sends it is added, and the links that it needs are made.

Links are made here and now, from rows, and are kept nowhere (reliability.md L1). A link whose row has moved on is not
made: then there is no letter either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from scim_service.access import links
from scim_service.access.links import GIVE_UP, INVITATION, KEEP, VERIFICATION, Subject
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import languages, letters
from scim_service.delivery.entries import Entry
from scim_service.delivery.letters import samples
from scim_service.delivery.letters.facts import Sender
from scim_service.delivery.letters.letter import Letter
from scim_service.storage import epoch, tables
from scim_service.storage.work import Work

HIDDEN = "(the link is in the letter only)"
"""In place of a link, where a letter is shown to somebody else than the one it is for."""

_tenants = tables.access.tenants
_invitations = tables.access.invitations
_asks = tables.usage.reclaim_asks
_TENANT = sa.select(_tenants.c.name, _tenants.c.settings).where(_tenants.c.id == sa.bindparam("tenant"))
_INVITATION = sa.select(_invitations).where(
    _invitations.c.tenant_id == sa.bindparam("tenant"), _invitations.c.seq == sa.bindparam("which")
)
_ASK = sa.select(_asks).where(_asks.c.tenant_id == sa.bindparam("tenant"), _asks.c.seq == sa.bindparam("which"))
_ROWS = {INVITATION: _INVITATION, VERIFICATION: _INVITATION, KEEP: _ASK, GIVE_UP: _ASK}
"""Kind of link → the row that it is for."""


class DeadLink(Exception):
    """A letter's link would lead nowhere: what it was for is over, or was asked for again since."""


def live(work: Work, entry: Entry, secret_key: str, base: str | None) -> Letter:
    """The letter as it is sent, its links made under the URL `base`.

    Raises DeadLink, and LookupError, TypeError or ValueError for facts that make no letter. A letter that needs a link
    raises NoBase where there is no URL.
    """
    return _written(work, entry, lambda link: _link(work, entry, link, secret_key, base))


def shown(work: Work, entry: Entry) -> Letter:
    """The letter for somebody who looks after it: without its links."""
    return _written(work, entry, lambda link: HIDDEN)


def sender(work: Work) -> Sender:
    """The tenant as its letters name it."""
    name, settings = _tenant(work)
    return Sender(
        name,
        settings.values["product_name"],
        settings.values["product_url"],
        settings.values["documentation_url"],
        settings.values["support_contact"],
        settings.time_zone,
    )


def language(work: Work) -> str:
    """The language in which the tenant's administrators are written to."""
    return languages.of_tenant(_tenant(work)[1])


def sample(name: str, spoken: str) -> Letter:
    """A letter as it looks, to whom it may concern."""
    return letters.write(name, samples.FACTS[name], samples.SENDER, spoken, samples.LINKS)


class NoBase(Exception):
    """A letter needs a link, and there is no URL to make it under."""


def _tenant(work: Work) -> tuple[str, TenantSettings]:
    row = work.row(_TENANT)
    assert row is not None
    return row.name, TenantSettings.of(row.settings)


def _written(work: Work, entry: Entry, made: Callable[[Mapping[str, Any]], str]) -> Letter:
    spoken = entry.language if entry.language in languages.LANGUAGES else languages.LANGUAGES[0]
    found = {name: made(link) for name, link in _links(entry.facts)}
    return letters.write(entry.letter, entry.facts, sender(work), spoken, found)


def _links(facts: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The facts that stand for links."""
    for name, value in facts.items():
        if isinstance(value, Mapping) and value.get("kind") in links.KINDS:
            yield name, value


def _link(work: Work, entry: Entry, link: Mapping[str, Any], secret_key: str, base: str | None) -> str:
    row = work.row(_ROWS[link["kind"]], which=link["seq"])
    if row is None or row.cycle != link["cycle"]:
        raise DeadLink
    if base is None:
        raise NoBase
    email = getattr(row, "email", entry.recipient)
    subject = Subject(link["kind"], entry.tenant_id, row.seq, row.cycle, row.nonce, email)
    return links.made(secret_key, epoch.of(work), base, subject)
