"""What the clock does to open invitations and verifications: reminders and lapses (licensing.md T-3 to T-6, T-8).

The job asks which rows are due and gives each a transaction of its own; whoever comes second finds nothing to do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.access import admin_letters, invitations, ladders, tenants
from scim_service.access.invitations import DONE, LAPSED, Invitation
from scim_service.access.ladders import LAST, Ladder, Turn
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.access.tenant_settings import RELEASE
from scim_service.directory import invitations as asking
from scim_service.directory import letters
from scim_service.storage import tables
from scim_service.storage.work import Work

_users = tables.directory.users
_administrators = tables.access.administrators
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_PERSON = (
    sa.select(_users.c.id)
    .where(_users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which"))
    .with_for_update(key_share=True)
)
_ROLE = sa.select(_administrators.c.role).where(
    _administrators.c.tenant_id == _TENANT, _administrators.c.seq == sa.bindparam("which")
)


def advance(work: Work, seq: int) -> bool:
    """Let time act on one row, which is locked first; whether anything was due."""
    known = invitations.find(work, seq)
    row = None if known is None else invitations.hold(work, known)
    if row is None or not row.is_open or row.due_at is None or row.due_at > work.now:
        return False
    assert row.anchor_at is not None and row.expires_at is not None
    ladder = Ladder.of(tenants.settings_of(work))
    reminded_at = invitations.reminded_at(work, row.email)
    turn = ladders.turn(ladder, row.anchor_at, row.expires_at, row.step, work.now, reminded_at)
    if turn.lapsed:
        _lapse(work, row)
    else:
        _remind(work, row, turn)
    return True


def _remind(work: Work, row: Invitation, turn: Turn) -> None:
    climbed = invitations.climb(work, row, turn)
    if turn.letter is None:
        return
    skipped = list(range(row.step + 1, turn.over))
    if row.administrator_seq is not None:
        admin_letters.reminded(work, climbed, str(work.value(_ROLE, which=row.administrator_seq)))
    else:
        letters.reminded(work, climbed, LAST if turn.letter == LAST else turn.letter)
    audit.record(work, "invitation:reminded", _subject(work, row), kind=row.kind, step=turn.over, skipped=skipped)


def _lapse(work: Work, row: Invitation) -> None:
    """The link is dead, and the place in the plan or the seat of whom the console invited is free (T-4)."""
    rows = {} if row.user_seq is None else invitations.of_person(work, row.user_seq, locked=True)
    subject = _subject(work, row)
    invitations.end(work, row, LAPSED)
    audit.record(work, "invitation:lapsed", subject, kind=row.kind, cycle=row.cycle)
    verification = rows.get(VERIFICATION)
    if row.kind == INVITATION and verification is not None and verification.is_open:
        invitations.end(work, verification, LAPSED)
    invitation = rows.get(INVITATION)
    counts = invitation is not None and (row.kind == INVITATION or invitation.state == DONE)
    releases = tenants.settings_of(work).values["on_lapse"] == RELEASE
    if row.user_seq is not None and counts and releases and asking.is_of_console(work, subject):
        asking.free(work, row.user_seq, asking.reserved(rows), LAPSED)


def _subject(work: Work, row: Invitation) -> str:
    """What the event log calls who is asked: the person, who is locked from here on, or the administrator."""
    if row.user_seq is None:
        return f"administrator:{row.administrator_seq}"
    return str(work.value(_PERSON, which=row.user_seq))
