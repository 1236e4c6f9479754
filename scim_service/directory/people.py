"""What an administrator does with people: add, copy, replace, deactivate, ban (licensing.md E-1, E-10 to E-15, E-23).

Beside SCIM, and never against it: the rows are the same, `users.py` writes them, an identity provider may go on with a
person made here. A ban is the one thing that no SCIM write lifts. Each act is whole in one transaction: a person who
comes to no seat is not made. Making people stands here and calls `licensing`, never the reverse (decision 31).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import invitations
from scim_service.access.invitations import Invitation
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.directory import accounts, grants, letters, users
from scim_service.directory.accounts import Account
from scim_service.directory.documents import Resource
from scim_service.directory.grants import Grant
from scim_service.licensing import direct, facts, gate, lifecycle, permissions, seats, usage
from scim_service.licensing.permissions import Permission
from scim_service.licensing.usage import Holding
from scim_service.storage import tables
from scim_service.storage.work import Work

REASON_CHARACTERS = 500
BY_HAND, BY_SCIM = "console", "scim"
"""Who made an account (D-8)."""

_users = tables.directory.users
_BAN = (
    sa.update(_users)
    .where(_users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which"))
    .values(banned=sa.bindparam("new_banned"))
)


@dataclass(frozen=True)
class Made:
    """Somebody who was made by hand, and the license that came with it."""

    person: Resource
    type_code: str | None = None
    state: str | None = None
    grants: int = 0


@dataclass(frozen=True)
class Profile:
    """All that an administrator looks at of one person."""

    person: Resource
    banned: bool
    account: Account
    licenses: list[Holding]
    permissions: list[Permission]
    grants: list[Grant]
    asked: Mapping[str, Invitation] = field(default_factory=dict)
    """The invitation and the verification, by kind, as far as there are any."""

    @property
    def status(self) -> str:
        """How the account stands (D-8)."""
        states = (self.asked[kind].state if kind in self.asked else None for kind in (INVITATION, VERIFICATION))
        return invitations.account_status(self.person.active, self.banned, *states)

    @property
    def provisioned_by(self) -> str:
        """Who made the person: a SCIM client, or somebody by hand (D-8)."""
        return BY_HAND if self.person.connection_seq is None else BY_SCIM


def form(user_name: str, given_name: str = "", family_name: str = "", email: str = "") -> dict[str, Any]:
    """A User as the form for a new person asks for it (BW-22): names and one address."""
    name = {"givenName": given_name, "familyName": family_name}
    found: dict[str, Any] = {"userName": user_name}
    if given_name or family_name:
        found["name"] = {key: value for key, value in name.items() if value}
        found["displayName"] = f"{given_name} {family_name}".strip()
    if email:
        found["emails"] = [{"value": email, "type": "work", "primary": True}]
    return found


def add(
    work: Work,
    payload: Mapping[str, Any],
    type_code: str | None = None,
    *,
    replaces: str | None = None,
    expires_at: datetime | None = None,
    note: str = "",
    reason: str = "",
    notify: bool = False,
) -> Made:
    """Make a person from nothing, with a license given directly where a type is named (E-1); no grants.

    `replaces` deactivates somebody in the same step, whose seat goes to the new person and not to the queue (LX-14);
    the type is that person's, unless another is named. `notify`: the person is told by a letter (N-3). Raises Refused
    where no seat is free; then nothing is made.
    """
    direct.refuse_past(work, expires_at)
    if replaces is not None:
        made = _in_place_of(work, replaces, payload, type_code, reason, expires_at=expires_at, note=note)
        return _notified(work, made, notify)
    person = users.create(work, payload)
    state = None
    if type_code is not None:
        terms: dict[str, Any] = {"expires_at": expires_at, "note": note}
        state = direct.assign(work, person.document["userName"], type_code, **terms)
    _record(work, "person:added", person.id, reason, type=type_code)
    return _notified(work, Made(person, type_code, state), notify)


def copy(
    work: Work,
    from_name: str,
    payload: Mapping[str, Any],
    type_code: str | None = None,
    *,
    reason: str = "",
    notify: bool = False,
) -> Made:
    """Make a person like another one (E-15): the same type, locked, with a seat of its own, and the same grants.

    Not copied: groups, keys, rights of administration, pins. `type_code` chooses where the original holds several.
    Raises Refused where the original holds none, or no seat is free; then nothing is made.
    """
    original = direct.locked_person(work, from_name)
    person = users.create(work, payload)
    gate.enter(work)
    code = _one_type(work, original.seq, from_name, type_code)
    state = direct.assign(work, person.document["userName"], code, locked=True)
    copied = grants.copy(work, original.seq, person)
    _record(work, "person:copied", person.id, reason, type=code, original=original.id)
    return _notified(work, Made(person, code, state, copied), notify)


def reassign(work: Work, from_name: str, type_code: str, payload: Mapping[str, Any], *, reason: str = "") -> Made:
    """Hand somebody's license to a person who is made in the same step (E-14); else as `lifecycle.reassign`."""
    direct.locked_person(work, from_name)
    person = users.create(work, payload)
    state = lifecycle.reassign(work, from_name, type_code, person.document["userName"], reason=reason)
    _record(work, "person:added", person.id, reason, type=type_code)
    return Made(person, type_code, state)


def deactivate(work: Work, user_name: str, *, reason: str = "") -> Resource:
    """End a person's access at once (E-10): claims sleep, seats go to the queue, sessions and keys are void.

    Nothing is deleted (LX-15). Of who is inactive nothing changes.
    """
    user = _held(work, user_name)
    if not user.active:
        return users.find(work, user.id)
    _record(work, "person:deactivated", user.id, reason)
    return users.turn(work, user.id, False)


def reactivate(work: Work, user_name: str, *, reason: str = "") -> Resource:
    """Let a person in again (E-11): every reason counts from now, with a seat where one is free, else waiting.

    Raises Refused for somebody who is banned.
    """
    user = direct.locked_person(work, user_name)
    if user.banned:
        raise errors.Refused(
            f"{user_name} is banned. Lift the ban first: scim-service person unban", code="person_banned"
        )
    if user.active:
        return users.find(work, user.id)
    _record(work, "person:reactivated", user.id, reason)
    return users.turn(work, user.id, True)


def ban(work: Work, user_name: str, reason: str) -> Account:
    """Keep a person out, whatever the identity provider says of `active` (E-13); the reason is mandatory.

    At once: not effective, seats to the queue, sessions and keys void. Banning again changes the reason. Raises
    InvalidValue for a blank reason.
    """
    if not reason.strip():
        raise errors.InvalidValue("A ban needs a reason. Say why with --reason.", code="blank_reason")
    _refuse_long(reason)
    user = _held(work, user_name)
    if user.banned:
        account = accounts.change(work, user.seq, ban_reason=reason.strip())
    else:
        work.execute(_BAN, which=user.seq, new_banned=True)
        account = accounts.change(work, user.seq, ban_reason=reason.strip(), banned_at=work.now)
        accounts.void(work, user.seq)
        invitations.void(work, user.seq)
    _record(work, "person:banned", user.id, reason)
    if not user.banned:
        seats.activity_changed(work, [user.seq])
    return account


def unban(work: Work, user_name: str, *, reason: str = "") -> Resource:
    """Lift a ban (E-13): from then on `active` counts again, and every reason counts from now (E-11).

    Raises Refused for somebody who is not banned.
    """
    user = direct.locked_person(work, user_name)
    if not user.banned:
        raise errors.Refused(f"{user_name} is not banned.", code="not_banned")
    work.execute(_BAN, which=user.seq, new_banned=False)
    accounts.change(work, user.seq, ban_reason=None, banned_at=None)
    _record(work, "person:unbanned", user.id, reason)
    seats.activity_changed(work, [user.seq])
    return users.find(work, user.id)


def flag(
    work: Work,
    user_name: str,
    *,
    void_sessions: bool = False,
    void_api_keys: bool = False,
    must_change_password: bool | None = None,
    privacy_override: bool | None = None,
    reason: str = "",
) -> Account:
    """Set the switches of an account (E-23); None leaves one as it is. No seat moves. The account as it is then."""
    user = direct.locked_person(work, user_name)
    known = accounts.find(work, user.seq)
    wanted: dict[str, datetime | None] = {}
    if void_sessions:
        wanted["sessions_void_before"] = work.now
    if void_api_keys:
        wanted["api_keys_void_before"] = work.now
    for name, on in {"must_change_password": must_change_password, "privacy_override": privacy_override}.items():
        if on is not None:
            wanted[name] = (getattr(known, name) or work.now) if on else None
    found = accounts.change(work, user.seq, **wanted)
    if found != known:
        _record(work, "account:changed", user.id, reason, **wanted)
    return found


def active(work: Work, user_name: str, at: datetime | None = None) -> Account:
    """Note that the product saw this person at an instant, now unless it says otherwise; never earlier than known.

    Who is seen is not idle (E-29). Raises NotFound, and InvalidValue for an instant that has not come.
    """
    seen = at or work.now
    if seen > work.now:
        raise errors.InvalidValue("Nobody was active in the future. Give an instant that has passed.", code="future")
    user = direct.locked_person(work, user_name)
    last = accounts.find(work, user.seq).last_active_at
    return accounts.change(work, user.seq, last_active_at=seen if last is None else max(last, seen))


def grant(work: Work, user_name: str, resources: list[str], team: str = "") -> list[Grant]:
    """Grant things to a person (D-18); all grants as they are then."""
    user = direct.locked_person(work, user_name)
    grants.add(work, user, resources, team)
    return grants.of_person(work, user.seq)


def revoke(work: Work, user_name: str, resources: list[str], team: str = "") -> list[Grant]:
    """Take grants back; all grants as they are then. Raises NotFound for one that is not there."""
    user = direct.locked_person(work, user_name)
    grants.remove(work, user, resources, team)
    return grants.of_person(work, user.seq)


def profile(work: Work, user_name: str) -> Profile:
    """A person with licenses, account, permissions and grants. Raises NotFound."""
    user = direct.found_person(work, user_name)
    return Profile(
        users.find(work, user.id),
        user.banned,
        accounts.find(work, user.seq),
        usage.of_person(work, user.seq),
        permissions.of_person(work, user.seq),
        grants.of_person(work, user.seq),
        invitations.of_person(work, user.seq),
    )


def _held(work: Work, user_name: str) -> Any:
    """A person whose links may have to die, locked after the invitations (decision 19). Raises NotFound."""
    invitations.of_person(work, direct.found_person(work, user_name).seq, locked=True)
    return direct.locked_person(work, user_name)


def _notified(work: Work, made: Made, notify: bool) -> Made:
    """Tell somebody who was made, if that is wanted. Raises InvalidValue for who has no address to be told at."""
    if notify and not letters.access_created(work, made.person.seq, made.person.document, made.type_code):
        raise errors.InvalidValue("Nobody can be told without an address. Give one: --email", code="no_address")
    return made


def _in_place_of(
    work: Work, leaver_name: str, payload: Mapping[str, Any], type_code: str | None, reason: str, **terms: Any
) -> Made:
    """LX-14: somebody is deactivated and somebody else made, who comes before the queue for the seat."""
    leaver = direct.locked_person(work, leaver_name)
    if not leaver.active:
        raise errors.Refused(
            f"{leaver_name} is inactive already and holds no seat that could be handed on.", code="person_inactive"
        )
    person = users.create(work, payload)
    gate.enter(work)
    code = type_code or _one_type(work, leaver.seq, leaver_name, None)
    states: list[str] = []

    def hand_on(work: Work, seqs: list[int]) -> None:
        states.append(lifecycle.succeed(work, seqs[0], person.document["userName"], code, **terms))

    users.turn(work, leaver.id, False, hand_on)
    _record(work, "person:replaced", leaver.id, reason, type=code, by=person.id)
    _record(work, "person:added", person.id, reason, type=code)
    return Made(person, code, states[0])


def _one_type(work: Work, user_seq: int, user_name: str, wanted: str | None) -> str:
    """The type that somebody holds, which is the wanted one where there are several. The gate is open."""
    states = (*facts.EFFECTIVE, facts.SUSPENDED)
    held = [one.type_code for one in usage.of_person(work, user_seq) if one.state in states]
    if wanted is not None and wanted in held:
        return wanted
    if wanted is not None or not held:
        what = wanted or "license"
        raise errors.Refused(f"{user_name} holds no {what} that could be copied or handed on.", code="not_held")
    if len(held) > 1:
        raise errors.Refused(
            f"{user_name} holds several types: {', '.join(held)}. Choose one with --type.", code="several_types"
        )
    return held[0]


def _record(work: Work, action: str, subject: str, reason: str, **data: Any) -> None:
    """The act, with what was said about it; the changes that it made stand in the log as events of their own."""
    _refuse_long(reason)
    told = {name: value for name, value in data.items() if value is not None or name in _SWITCHES}
    audit.record(work, action, subject, **({"reason": reason.strip()} if reason.strip() else {}), **told)


_SWITCHES = ("must_change_password", "privacy_override")
"""What is told also where it was taken back."""


def _refuse_long(reason: str) -> None:
    if len(reason) > REASON_CHARACTERS:
        raise errors.InvalidValue(f"A reason has at most {REASON_CHARACTERS} characters.", code="long_reason")
