"""Whether the addresses of people are theirs: who is asked to verify one, and when (licensing.md T-5; E1, E4).

Who is pushed by an identity provider with an address in a domain that the tenant has verified is never asked, and costs
no statement here. Who lets a verification lapse loses nothing but the link (T-5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scim_service import audit
from scim_service.access import invitations, tenants
from scim_service.access.invitations import DONE, OPEN, REMOVED, Invitation
from scim_service.access.ladders import Ladder
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import addresses
from scim_service.directory import letters
from scim_service.protocol import text
from scim_service.storage.work import Work


def pushed(work: Work, seq: int, document: Mapping[str, Any]) -> None:
    """Ask an active person whom an identity provider has just made to verify the address, where that is to be done."""
    email = addresses.of_person(document)
    if work.actor.connection_seq is None or not document.get("active", True) or email is None:
        return
    settings = tenants.settings_of(work)
    if _asks(settings, email):
        _ask(work, seq, document, settings, None)


def back(work: Work, seq: int, document: Mapping[str, Any], connection_seq: int | None) -> None:
    """The same for one who was pushed, and becomes active again; who has verified the address is not asked again."""
    email = addresses.of_person(document)
    if connection_seq is None or email is None:
        return
    settings = tenants.settings_of(work)
    if _asks(settings, email):
        rows = invitations.of_person(work, seq)
        known = rows.get(VERIFICATION)
        if INVITATION not in rows and (known is None or known.state not in (OPEN, DONE)):
            _ask(work, seq, document, settings, known)


def address_changed(
    work: Work, seq: int, user_id: str, before: Mapping[str, Any], after: Mapping[str, Any], active: bool
) -> None:
    """Another address: it is not verified, open invitations are void, both addresses are told (E1, E4).

    Nothing else moves with it: no license, no login, no right to reset anything.
    """
    old, new = addresses.of_person(before), addresses.of_person(after)
    if text.fold(old or "") == text.fold(new or ""):
        return
    settings = tenants.settings_of(work)
    rows = invitations.of_person(work, seq)
    if not rows and (new is None or not active or not _asks(settings, new) or work.actor.connection_seq is None):
        return
    invitation = rows.get(INVITATION)
    if invitation is not None and invitation.is_open:
        invitations.end(work, invitation, REMOVED)
        audit.record(work, "invitation:removed", user_id, why="address_changed")
    accepted = invitation is not None and invitation.state == DONE
    made = _again(work, seq, after, active, rows.get(VERIFICATION), accepted, settings)
    _tell(work, seq, before, after, made, told=accepted and active and bool(settings.values["tell_address_changes"]))


def _again(
    work: Work,
    seq: int,
    after: Mapping[str, Any],
    active: bool,
    known: Invitation | None,
    accepted: bool,
    settings: TenantSettings,
) -> Invitation | None:
    """The verification of a new address, a cycle of its own; None where none is needed, or nobody is there for it."""
    new = addresses.of_person(after)
    needed = new is not None and not _is_verified(settings, new)
    if needed and active and (accepted or known is not None or settings.values["verify_pushed"]):
        return invitations.begin(
            work, VERIFICATION, str(new), Ladder.of(settings), user_seq=seq, details={}, known=known
        )
    if known is not None:
        invitations.end(work, known, REMOVED if needed or new is None else DONE)
    return None


def _tell(
    work: Work,
    seq: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    made: Invitation | None,
    told: bool,
) -> None:
    old, new = letters.addressee(work, seq, before), letters.addressee(work, seq, after)
    if told and old is not None:
        letters.address_changed(work, old, new, made)
    elif made is not None and new is not None:
        letters.asked(work, new, made)


def _ask(work: Work, seq: int, document: Mapping[str, Any], settings: TenantSettings, known: Invitation | None) -> None:
    """A verification, whose ladder begins at once: the account is there already."""
    one = letters.addressee(work, seq, document)
    assert one is not None
    made = invitations.begin(work, VERIFICATION, one.email, Ladder.of(settings), user_seq=seq, known=known)
    letters.asked(work, one, made)


def _asks(settings: TenantSettings, email: str) -> bool:
    """Whether who is pushed with this address is asked to verify it."""
    return bool(settings.values["verify_pushed"]) and not _is_verified(settings, email)


def _is_verified(settings: TenantSettings, email: str) -> bool:
    return text.fold(email.rpartition("@")[2]) in settings.verified_domains
