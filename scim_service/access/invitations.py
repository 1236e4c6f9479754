"""Invitations and verifications as rows, of people and of administrators (licensing.md D-14, T-3 to T-8).

A person has one row of each kind, an administrator one. Asking again raises the row's cycle and gives it another nonce,
so that every older link is dead. What a row means to people and seats, `directory.invitations` knows; what to
administrators, `admins`. A row is locked before groups, people and seats are (decision 19).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import ladders, links
from scim_service.access.ladders import Ladder, Turn
from scim_service.access.links import Link, Subject
from scim_service.delivery import outbox
from scim_service.protocol import text
from scim_service.storage import epoch, tables
from scim_service.storage.work import Work

OPEN, DONE, LAPSED, REMOVED = "open", "done", "lapsed", "removed"
BY_HAND_EVERY = timedelta(minutes=10)
BY_HAND_A_DAY = 5
DAY = timedelta(days=1)
"""What is asked for by hand goes to one recipient at most so often (T-7)."""

REMINDERS = (
    *("invitation_reminder", "invitation_last", "verification_reminder", "verification_last"),
    "administrator_reminder",
)
"""The letters that remind: never two of them to one recipient within 20 hours (T-8)."""

_invitations = tables.access.invitations
_outbox = tables.delivery.outbox
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_MINE = _invitations.c.tenant_id == _TENANT
_THIS = (_MINE, _invitations.c.seq == sa.bindparam("which"))
_ALL = sa.select(_invitations).where(_MINE).order_by(_invitations.c.seq)
_BY_SEQ = sa.select(_invitations).where(*_THIS)
_BY_SEQ_LOCKED = _BY_SEQ.with_for_update()
_OF_PERSON = _ALL.where(_invitations.c.user_seq == sa.bindparam("user"))
_OF_PERSON_LOCKED = _OF_PERSON.with_for_update()
_OF_ADMINISTRATOR = _ALL.where(_invitations.c.administrator_seq == sa.bindparam("administrator"))
_OF_ADMINISTRATOR_LOCKED = _OF_ADMINISTRATOR.with_for_update()
_ABOUT = (
    _ALL.join(_users, sa.and_(_users.c.tenant_id == _invitations.c.tenant_id, _users.c.seq == _invitations.c.user_seq))
    .where(_users.c.tenant_id == _TENANT, _users.c.id == sa.bindparam("user_id"))
    .with_for_update(of=_invitations)
)
_DUE = (
    sa.select(_invitations.c.tenant_id, _invitations.c.seq)
    .where(tables.access.DUE, _invitations.c.due_at <= sa.bindparam("at"))
    .order_by(_invitations.c.due_at, _invitations.c.seq)
    .execution_options(across_tenants=True)
)
_DO = (
    sa.update(_invitations)
    .where(
        *_THIS,
        _invitations.c.kind == sa.bindparam("of_kind"),
        _invitations.c.cycle == sa.bindparam("of_cycle"),
        _invitations.c.state == OPEN,
        sa.or_(_invitations.c.expires_at.is_(None), _invitations.c.expires_at > sa.bindparam("at")),
    )
    .values(state=DONE, done_at=sa.bindparam("at"), due_at=None)
)
_END = (
    sa.update(_invitations)
    .where(*_THIS)
    .values(state=sa.bindparam("new_state"), done_at=sa.bindparam("at"), due_at=None)
)
_VOID = (
    sa.update(_invitations)
    .where(_MINE, _invitations.c.user_seq == sa.bindparam("user"), _invitations.c.state == OPEN)
    .values(state=REMOVED, done_at=sa.bindparam("at"), due_at=None)
)
_CHANGED = (
    *("email", "email_key", "state", "cycle", "nonce", "step", "anchor_at", "due_at", "expires_at", "sent_at"),
    *("done_at", "created_by", "details"),
)
_CHANGE = (
    sa.update(_invitations)
    .where(*_THIS)
    .values({_invitations.c[name]: sa.bindparam(f"new_{name}") for name in _CHANGED})
)
_BY_HAND = (
    sa.select(_outbox.c.created_at)
    .where(
        _outbox.c.tenant_id == _TENANT,
        _outbox.c.recipient_key.in_(sa.bindparam("keys", expanding=True)),
        _outbox.c.created_at > sa.bindparam("since"),
        _outbox.c.by_hand.is_(True),
    )
    .order_by(_outbox.c.created_at.desc())
)
_IS_QUEUED = _outbox.c.state == outbox.QUEUED
_STILL_COUNT = (
    sa.update(_outbox)
    .where(_outbox.c.tenant_id == _TENANT, _outbox.c.user_seq == sa.bindparam("user"), _outbox.c.by_hand.is_(True))
    .values(
        recipient_key=sa.bindparam("mark"),
        recipient="",
        facts="{}",
        state=sa.case((_IS_QUEUED, outbox.CANCELLED), else_=_outbox.c.state),
        ended_at=sa.case((_IS_QUEUED, sa.bindparam("at", type_=_outbox.c.ended_at.type)), else_=_outbox.c.ended_at),
        leased_until=None,
        lease=None,
    )
)
_REMINDED = sa.select(sa.func.max(_outbox.c.created_at)).where(
    _outbox.c.tenant_id == _TENANT,
    _outbox.c.recipient_key == sa.bindparam("key"),
    _outbox.c.created_at > sa.bindparam("since"),
    _outbox.c.letter.in_(REMINDERS),
    _outbox.c.state != outbox.CANCELLED,
)


@dataclass(frozen=True)
class Invitation:
    """One row: who is asked (`user_seq` or `administrator_seq`), at which address, and how far the ladder is.

    `anchor_at`, `due_at` and `expires_at` are None while the ladder does not run. `details` is what the asker wanted to
    be remembered: the type reserved, the language.
    """

    tenant_id: int
    seq: int
    kind: str
    user_seq: int | None
    administrator_seq: int | None
    email: str
    state: str
    cycle: int
    nonce: str
    step: int
    anchor_at: datetime | None
    due_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    sent_at: datetime | None
    done_at: datetime | None
    created_by: str
    details: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        """Whether an answer is awaited."""
        return self.state == OPEN

    @property
    def subject(self) -> Subject:
        """What its link is made for."""
        return Subject(self.kind, self.tenant_id, self.seq, self.cycle, self.nonce, self.email)

    @property
    def link(self) -> dict[str, Any]:
        """The fact `link` of its letters: the link itself is made when they are sent."""
        return {"kind": self.kind, "seq": self.seq, "cycle": self.cycle}


INVITED, UNVERIFIED, ACTIVE, DEACTIVATED, BANNED = "invited", "unverified", "active", "deactivated", "banned"
"""How an account stands (D-8)."""


def account_status(active: bool, banned: bool, invitation: str | None, verification: str | None) -> str:
    """How a person's account stands, by the states of the rows of both kinds; None where there is no row."""
    if banned or not active:
        return BANNED if banned else DEACTIVATED
    if invitation not in (None, DONE):
        return INVITED
    return ACTIVE if verification in (None, DONE) else UNVERIFIED


def state_of(kind: str, user_seq: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """The state of a person's row of a kind, as a column of another statement of the tenant."""
    found = sa.select(_invitations.c.state).where(
        _MINE, _invitations.c.kind == kind, _invitations.c.user_seq == user_seq
    )
    return found.scalar_subquery()


def begin(
    work: Work,
    kind: str,
    email: str,
    ladder: Ladder | None,
    *,
    user_seq: int | None = None,
    administrator_seq: int | None = None,
    details: Mapping[str, Any] | None = None,
    known: Invitation | None = None,
) -> Invitation:
    """Ask somebody: a new row, or the known one in a new cycle, whose older links are dead then.

    The ladder's clock starts now; without a ladder it does not run yet (T-3), and the link lives until it has.
    `details` left out stay as they are. The letter is the caller's.
    """
    fresh = {
        "email": email,
        "email_key": text.fold(email),
        "state": OPEN,
        "nonce": _nonce(),
        "done_at": None,
        **_climb(work, ladder),
        "sent_at": work.now,
        "created_by": str(work.actor),
    }
    if known is not None:
        kept = known.details if details is None else details
        return _changed(work, known, cycle=known.cycle + 1, details=kept, **fresh)
    more = {"kind": kind, "user_seq": user_seq, "administrator_seq": administrator_seq, "cycle": 1}
    values = {**fresh, **more, "created_at": work.now, "details": dict(details or {})}
    seq = work.insert_one(_invitations, **{**values, "details": orjson.dumps(values["details"]).decode()})
    values.pop("email_key")
    return Invitation(tenant_id=work.tenant_id, seq=seq, **values)


def start(work: Work, known: Invitation, ladder: Ladder) -> Invitation:
    """Start the clock of a row whose ladder did not run yet (T-3)."""
    return _changed(work, known, **_climb(work, ladder))


def renew(work: Work, known: Invitation) -> Invitation:
    """Give a row another link and leave its ladder where it is: what a reminder by hand does (T-7)."""
    return _changed(work, known, cycle=known.cycle + 1, nonce=_nonce(), sent_at=work.now)


def climb(work: Work, known: Invitation, turn: Turn) -> Invitation:
    """Note how far the ladder is; not for a lapse, which ends the row."""
    sent_at = work.now if turn.letter else known.sent_at
    return _changed(work, known, step=turn.over, due_at=turn.due_at, sent_at=sent_at)


def end(work: Work, known: Invitation, state: str) -> None:
    """End a row: done, lapsed or removed. Its link is dead from then on."""
    work.execute(_END, which=known.seq, new_state=state, at=work.now)


def void(work: Work, user_seq: int) -> bool:
    """Take every open row of a person back, so that the links are dead; whether there was one."""
    return work.execute(_VOID, user=user_seq, at=work.now).rowcount > 0


def living(work: Work, secret_key: str, link: Link) -> Invitation | None:
    """The row that a link of this tenant opens now, or None for a used, expired, void or swapped one."""
    found = find(work, link.seq)
    if found is None or not found.is_open or (found.expires_at is not None and found.expires_at <= work.now):
        return None
    return found if links.is_of(secret_key, epoch.of(work), link, found.subject) else None


def take(work: Work, secret_key: str, link: Link) -> Invitation | None:
    """Use a link up: the row, which is done then, or None. One statement decides, whoever else tries (L3).

    The rows of who is asked are locked, and nothing is locked before them (decision 19).
    """
    values = {"which": link.seq, "of_kind": link.kind, "of_cycle": link.cycle}
    found = living(work, secret_key, link)
    if found is None or hold(work, found) is None or work.execute(_DO, **values, at=work.now).rowcount != 1:
        return None
    return find(work, link.seq)


def find(work: Work, seq: int, *, locked: bool = False) -> Invitation | None:
    """One row, or None; perhaps locked until the commit."""
    row = work.row(_BY_SEQ_LOCKED if locked else _BY_SEQ, which=seq)
    return None if row is None else _invitation(row)


def hold(work: Work, known: Invitation) -> Invitation | None:
    """A row as it is once all rows of who is asked are locked, always in the same order; None where it is gone."""
    if known.user_seq is None:
        return find(work, known.seq, locked=True)
    rows = of_person(work, known.user_seq, locked=True)
    return next((one for one in rows.values() if one.seq == known.seq), None)


def of_person(work: Work, user_seq: int, *, locked: bool = False) -> dict[str, Invitation]:
    """A person's rows by kind; perhaps locked until the commit."""
    rows = work.rows(_OF_PERSON_LOCKED if locked else _OF_PERSON, user=user_seq)
    return {row.kind: _invitation(row) for row in rows}


def lock_about(work: Work, user_id: str) -> None:
    """Lock a person's rows until the commit: for who is about to lock the person, and may have to end them."""
    work.rows(_ABOUT, user_id=user_id)


def of_administrator(work: Work, administrator_seq: int, *, locked: bool = False) -> Invitation | None:
    """An administrator's row, or None for one who was never asked by letter."""
    row = work.row(_OF_ADMINISTRATOR_LOCKED if locked else _OF_ADMINISTRATOR, administrator=administrator_seq)
    return None if row is None else _invitation(row)


def listing(work: Work) -> list[Invitation]:
    """Every row of the tenant, the older first."""
    return [_invitation(row) for row in work.rows(_ALL)]


def due(work: Work) -> list[tuple[int, int]]:
    """(tenant, seq) of every row whose ladder has something due now, in all tenants, the longest due first."""
    return [(row.tenant_id, row.seq) for row in work.rows(_DUE, at=work.now)]


def reminded_at(work: Work, email: str) -> datetime | None:
    """When this address was last reminded of anything, within the time in which that matters (T-8)."""
    row = work.row(_REMINDED, key=text.fold(email), since=work.now - ladders.QUIET)
    return None if row is None else row[0]


def refuse_too_often(work: Work, email: str) -> None:
    """Raise Refused (`too_often`) where this address was written to by hand lately, or too often today (T-7)."""
    keys = [text.fold(email), _mark(work, email)]
    lately = [row.created_at for row in work.rows(_BY_HAND, keys=keys, since=work.now - DAY)]
    again = lately[0] + BY_HAND_EVERY if lately else work.now
    if len(lately) >= BY_HAND_A_DAY:
        again = max(again, lately[BY_HAND_A_DAY - 1] + DAY)
    if again > work.now:
        raise errors.Refused(
            f"{email} was written to by hand {len(lately)} times in the last 24 hours; that is done once in 10 minutes "
            f"and {BY_HAND_A_DAY} times a day at most. Try again after {text.format_datetime(again)}.",
            code="too_often",
        )


def keep_counting(work: Work, user_seq: int, email: str) -> None:
    """Forget what somebody who is about to be deleted was written by hand, but not how often (T-7): a mark is kept."""
    work.execute(_STILL_COUNT, user=user_seq, mark=_mark(work, email), at=work.now)


def _mark(work: Work, email: str) -> str:
    """What stands for an address that is forgotten: it tells nothing, and is known again."""
    return hashlib.sha256(f"{work.tenant_id}:{text.fold(email)}".encode()).hexdigest()


def _climb(work: Work, ladder: Ladder | None) -> dict[str, Any]:
    if ladder is None:
        return {"step": 0, "anchor_at": None, "due_at": None, "expires_at": None}
    expires = ladder.end(work.now)
    first = ladders.first_due(ladder, work.now, expires)
    return {"step": 0, "anchor_at": work.now, "due_at": first, "expires_at": expires}


def _changed(work: Work, known: Invitation, **values: Any) -> Invitation:
    whole = {name: getattr(known, name) for name in _CHANGED if name != "email_key"}
    whole |= {name: value for name, value in values.items() if name != "email_key"}
    stored = {**whole, "email_key": text.fold(whole["email"]), "details": orjson.dumps(whole["details"]).decode()}
    work.execute(_CHANGE, which=known.seq, **{f"new_{name}": stored[name] for name in _CHANGED})
    kept = {name: getattr(known, name) for name in ("tenant_id", "seq", "kind", "user_seq", "administrator_seq")}
    return Invitation(**kept, created_at=known.created_at, **whole)


def _nonce() -> str:
    return secrets.token_urlsafe(24)


def _invitation(row: Any) -> Invitation:
    values = {name: value for name, value in row._mapping.items() if name != "email_key"}
    return Invitation(**{**values, "details": orjson.loads(row.details)})
