"""Whether letters about invitations, verifications and administrators are still true (licensing.md 4.7; F11)."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import sqlalchemy as sa

from scim_service.access import admins, invitations, roles
from scim_service.delivery import addresses
from scim_service.delivery.entries import Entry
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

ANSWERED = "it was answered, taken back, or asked anew"
EXPIRED = "the link has expired"
ELSEWHERE = "the address was changed"
NO_ADMINISTRATOR = "that is no administrator any more"

_users = tables.directory.users
_DOCUMENT = sa.select(_users.c.document).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which")
)


def asks(work: Work, entry: Entry) -> str | None:
    """A letter with a link: the row is open, of that cycle, and of that address."""
    told = entry.facts["link"]
    row = invitations.find(work, told["seq"])
    if row is None or not row.is_open or row.cycle != told["cycle"] or row.kind != told["kind"]:
        return ANSWERED
    if row.expires_at is not None and row.expires_at <= work.now:
        return EXPIRED
    if text.fold(row.email) != text.fold(entry.recipient):
        return ELSEWHERE
    return None if row.user_seq is None else is_there(work, entry)


def is_there(work: Work, entry: Entry) -> str | None:
    """A letter to a person: letters go to that address still."""
    if entry.user_seq is None:
        return None
    document = work.value(_DOCUMENT, which=entry.user_seq)
    own = addresses.of_person(orjson.loads(document)) if document else None
    return None if text.fold(own or "") == text.fold(entry.recipient) else ELSEWHERE


def changed(work: Work, entry: Entry) -> str | None:
    """The letter to a new address, which is still that; with a link where it is to be verified."""
    return asks(work, entry) if "link" in entry.facts else is_there(work, entry)


def administers(work: Work, entry: Entry) -> str | None:
    """A letter to an administrator who has accepted, and was not removed since."""
    found = admins.find_or_none(work, entry.recipient)
    return NO_ADMINISTRATOR if found is None or found.pending else None


def is_head(work: Work, entry: Entry) -> str | None:
    """A letter to the head administrator."""
    found = admins.find_or_none(work, entry.recipient)
    return None if found is not None and found.role == roles.HEAD else NO_ADMINISTRATOR


QUESTIONS: dict[str, Callable[[Work, Entry], str | None]] = {
    **dict.fromkeys(("invitation", "invitation_reminder", "invitation_last"), asks),
    **dict.fromkeys(("verification", "verification_reminder", "verification_last"), asks),
    **dict.fromkeys(("administrator_invited", "administrator_reminder"), asks),
    **dict.fromkeys(("welcome", "belongs_to", "access_created"), is_there),
    "address_changed_new": changed,
    **dict.fromkeys(("administrator_designated", "head_handed_over"), administers),
    "head_appointed": is_head,
}
"""Letter → what has to be true when it is sent."""
