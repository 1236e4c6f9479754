"""What people are written to about invitations, verification and access (licensing.md N-2, N-3, BK-11, BK-16, BK-20).

A letter is a row of the outbox in the transaction of the change; it goes to the address that the person's document says
now, in the person's language (N-9). A person without an address is written to by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.access import tenants
from scim_service.access.admin_letters import expiry, step_key
from scim_service.access.invitations import Invitation
from scim_service.access.ladders import LAST, REMINDER
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.delivery import addresses, languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import catalog
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

LETTERS = {
    (INVITATION, REMINDER): "invitation_reminder",
    (INVITATION, LAST): "invitation_last",
    (VERIFICATION, REMINDER): "verification_reminder",
    (VERIFICATION, LAST): "verification_last",
}
"""(kind of row, step of the ladder) → the letter."""

HAND = "hand"
_users = tables.directory.users
_DOCUMENT = sa.select(_users.c.document).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which")
)


@dataclass(frozen=True)
class Addressee:
    """Somebody who is written to: the person's seq, the address and the language."""

    seq: int
    email: str
    language: str


def addressee(work: Work, seq: int, document: Mapping[str, Any], email: str | None = None) -> Addressee | None:
    """Who gets letters for a person with this document, at `email` where another address is meant; None for nobody."""
    found = email or addresses.of_person(document)
    if found is None:
        return None
    return Addressee(seq, found, languages.of_person(document, tenants.settings_of(work)))


def asked(work: Work, one: Addressee, row: Invitation) -> None:
    """The first letter of a cycle: the invitation, which somebody asked for by hand, or the verification."""
    facts: dict[str, Any] = {"link": row.link}
    if row.kind == INVITATION:
        by = work.actor.name if work.actor.kind == "administrator" else None
        facts |= {"type": type_fact(work, one, row), "invited_by": by, "expires_at": expiry(row)}
    post(work, step_key(row, 0), row.kind, one, facts, by_hand=_is_by_hand(row))


def verification_by_hand(work: Work, one: Addressee, row: Invitation) -> None:
    """A verification letter that somebody asked for (T-7)."""
    post(work, step_key(row, 0), VERIFICATION, one, {"link": row.link}, by_hand=True)


def reminded(work: Work, row: Invitation, step: str = REMINDER, *, by_hand: bool = False) -> None:
    """A reminder, by the clock or by hand; the last one where the ladder ends with a letter."""
    document = _document(work, row.user_seq)
    one = addressee(work, int(row.user_seq or 0), document, row.email)
    if one is None:
        return
    facts: dict[str, Any] = {"link": row.link}
    if step != LAST:
        facts["expires_at"] = expiry(row)
    if row.kind == INVITATION and step != LAST:
        facts["type"] = type_fact(work, one, row)
    post(work, step_key(row, HAND if by_hand else row.step), LETTERS[row.kind, step], one, facts, by_hand=by_hand)


def welcome(work: Work, user_seq: int, row: Invitation) -> None:
    """Once, when somebody has accepted and verified (T-1)."""
    one = addressee(work, user_seq, _document(work, user_seq))
    if one is not None:
        post(work, f"wel:{user_seq}", "welcome", one, {"type": type_fact(work, one, row)})


def belongs(work: Work, one: Addressee, code: str | None) -> None:
    """That somebody with an account belongs to the organization, with this license (T-2); at most once a day."""
    key = f"bel:{one.seq}:{code or '-'}:{work.now:%Y-%m-%d}"
    post(work, key, "belongs_to", one, {"type": named(work, one.language, code)})


def access_created(work: Work, seq: int, document: Mapping[str, Any], code: str | None) -> bool:
    """That access was created by hand or from a file (N-3); whether there is an address to tell it to."""
    one = addressee(work, seq, document)
    if one is not None:
        facts = {"type": named(work, one.language, code), "user_name": document["userName"]}
        post(work, f"acc:{seq}:{code or '-'}:{text.format_datetime(work.now)}", "access_created", one, facts)
    return one is not None


def address_changed(work: Work, before: Addressee, after: Addressee | None, row: Invitation | None) -> None:
    """To both addresses, that the address was changed (E4); the new one gets the link that verifies it."""
    instant = text.format_datetime(work.now)
    post(work, f"adr:{before.seq}:old:{instant}", "address_changed_old", before, {})
    if after is not None:
        key = f"adr:{before.seq}:new:{instant}" if row is None else step_key(row, 0)
        post(work, key, "address_changed_new", after, {} if row is None else {"link": row.link})


def type_fact(work: Work, one: Addressee, row: Invitation) -> dict[str, Any] | None:
    """The fact `type`: what was reserved with an invitation."""
    return named(work, one.language, row.details.get("type"))


def named(work: Work, language: str, code: str | None) -> dict[str, Any] | None:
    """A type as letters name it."""
    if code is None:
        return None
    return {"code": code, "name": catalog.find_type(work, code).called(language)}


def post(work: Work, key: str, letter: str, one: Addressee, facts: Mapping[str, Any], *, by_hand: bool = False) -> None:
    """One letter to one person."""
    outbox.post(work, [Message(key, letter, one.email, one.language, facts, user_seq=one.seq, by_hand=by_hand)])


def _is_by_hand(row: Invitation) -> bool:
    return row.kind == INVITATION


def _document(work: Work, user_seq: int | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(work.value(_DOCUMENT, which=user_seq) or "{}")
    return found
