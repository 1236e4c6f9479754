"""What people and administrators answer by the links of their letters (licensing.md T-1, T-3; reliability.md L3, L5).

Looking changes nothing; answering uses the link up by one conditional statement, before anything else is locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import admins, invitations, links, tenants
from scim_service.access.invitations import DONE, Invitation
from scim_service.access.ladders import Ladder
from scim_service.access.links import INVITATION, KEEP, VERIFICATION, Link
from scim_service.delivery import languages
from scim_service.directory import letters
from scim_service.licensing import catalog, reclaim_asks
from scim_service.storage import epoch, tables
from scim_service.storage.work import Work

_users = tables.directory.users
_tenants = tables.access.tenants
_administrators = tables.access.administrators
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_PERSON = sa.select(_users.c.id, _users.c.document, _users.c.active, _users.c.banned).where(
    _users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which")
)
_PERSON_LOCKED = _PERSON.with_for_update(key_share=True)
_ROLE = sa.select(_administrators.c.role).where(
    _administrators.c.tenant_id == _TENANT, _administrators.c.seq == sa.bindparam("which")
)
_NAME = sa.select(_tenants.c.name).where(_tenants.c.id == _TENANT)


@dataclass(frozen=True)
class Page:
    """What the page of a living link tells: whose organization, to which address, for what.

    `kind` is the link's; `language` the person's own, None where that is not known; `role` an administrator's;
    `type_names` what the license reserved is called, by language. `verified`: after the answer, whether the address is
    known to be the person's. The URLs are the tenant's, empty where it has set none. `idle_days`: for how long a
    license was not used; `reported`: it could only be told that it is not needed, as a group gives it.
    """

    kind: str
    language: str | None
    tenant_language: str
    tenant: str
    product: str
    email: str
    role: str | None = None
    type_names: Mapping[str, str] = field(default_factory=dict)
    verified: bool = False
    product_url: str = ""
    documentation_url: str = ""
    support_contact: str = ""
    idle_days: int = 0
    reported: bool = False


def look(work: Work, secret_key: str, link: Link) -> Page:
    """What a living link's page tells. Raises NotFound for every other link, in the same words."""
    row = invitations.living(work, secret_key, link)
    if row is None:
        raise dead()
    return _page(work, row, _person(work, row, _PERSON))


def accept(work: Work, secret_key: str, link: Link) -> Page:
    """Answer a link: the account is made, or the address verified, or the administrator here (T-1, BK-19).

    Raises NotFound for a link that is not alive, or was used by somebody else a moment ago; nothing is changed then.
    """
    row = invitations.take(work, secret_key, link)
    if row is None:
        raise dead()
    return answered(work, row)


def answered(work: Work, row: Invitation) -> Page:
    """What follows once a link was used, whose row is done. Raises NotFound for somebody who cannot answer."""
    if row.administrator_seq is not None:
        admins.accepted(work, row.administrator_seq)
        return _page(work, row, None)
    rows = invitations.of_person(work, int(row.user_seq or 0))
    person = _person(work, row, _PERSON_LOCKED)
    act = _accepted if row.kind == INVITATION else _verified
    act(work, person.id, rows)
    invitation, verification = rows.get(INVITATION), rows.get(VERIFICATION)
    both = [one is not None and one.state == DONE for one in (invitation, verification)]
    if all(both) and invitation is not None:
        letters.welcome(work, int(row.user_seq or 0), invitation)
    return _page(work, row, person, verified=both[1])


def look_at_license(work: Work, secret_key: str, link: Link) -> Page:
    """The question whether an idle license is needed (E-29), as `look`."""
    _expect_asked(work, secret_key, link)
    return _page_of_license(work, link)


def answer_for_license(work: Work, secret_key: str, link: Link) -> Page:
    """Keep an idle license, or give it back (E-29), as `accept`: the question's row is held, and answered once."""
    _expect_asked(work, secret_key, link)
    page = _page_of_license(work, link)
    state = reclaim_asks.answer(work, link.seq, link.cycle, link.kind == KEEP)
    return replace(page, reported=state == reclaim_asks.REPORTED)


def dead() -> errors.NotFound:
    """The one refusal of every link that opens nothing: used, expired, taken back, another's, made up (L6)."""
    return errors.NotFound("This link does not work, or does not work any more.", code="dead_link")


def _expect_asked(work: Work, secret_key: str, link: Link) -> None:
    subject = reclaim_asks.subject(work, link.kind, link.seq)
    if subject is None or not links.is_of(secret_key, epoch.of(work), link, subject):
        raise dead()


def _page_of_license(work: Work, link: Link) -> Page:
    asked = reclaim_asks.look(work, link.seq, link.cycle)
    if asked is None:
        raise dead()
    settings, name = tenants.settings_of(work), str(work.value(_NAME))
    return Page(
        link.kind,
        asked.language,
        languages.of_tenant(settings),
        name,
        settings.values["product_name"] or name,
        asked.user_name,
        type_names={one: asked.kind.told(one)["name"] for one in languages.LANGUAGES},
        idle_days=asked.idle_days,
        support_contact=settings.values["support_contact"],
    )


def _accepted(work: Work, user_id: str, rows: dict[str, Invitation]) -> None:
    """The account is there from now on (a0): the ladder of the verification begins (T-3, BK-15)."""
    audit.record(work, "invitation:accepted", user_id)
    verification = rows.get(VERIFICATION)
    if verification is not None and verification.is_open and verification.anchor_at is None:
        invitations.start(work, verification, Ladder.of(tenants.settings_of(work)))


def _verified(work: Work, user_id: str, rows: dict[str, Invitation]) -> None:
    audit.record(work, "address:verified", user_id)


def _person(work: Work, row: Invitation, statement: sa.Select[Any]) -> Any:
    """The person who is asked; None for an administrator. Raises NotFound for who cannot answer: inactive, banned."""
    if row.user_seq is None:
        return None
    person = work.row(statement, which=row.user_seq)
    if person is None or not person.active or person.banned:
        raise dead()
    return person


def _page(work: Work, row: Invitation, person: Any, *, verified: bool = False) -> Page:
    settings = tenants.settings_of(work)
    name = str(work.value(_NAME))
    document = {} if person is None else orjson.loads(person.document)
    role = None if row.administrator_seq is None else work.value(_ROLE, which=row.administrator_seq)
    return Page(
        row.kind,
        languages.preferred(str(document.get("preferredLanguage") or "")),
        languages.of_tenant(settings),
        name,
        settings.values["product_name"] or name,
        row.email,
        role,
        _type_names(work, row.details.get("type")),
        verified,
        *(settings.values[one] for one in ("product_url", "documentation_url", "support_contact")),
    )


def _type_names(work: Work, code: str | None) -> dict[str, str]:
    if code is None:
        return {}
    kind = catalog.find_type(work, code)
    return {one: kind.called(one) for one in languages.LANGUAGES}
