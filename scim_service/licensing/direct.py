"""What an administrator does by hand: give a person a license, take it back (licensing.md E-1, E-9, decision 45)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import catalog, claims, facts, gate, order, rules
from scim_service.licensing.facts import Claim, Person, Type
from scim_service.licensing.gate import Gate
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

_users = tables.directory.users
_BY_NAME = (
    sa.select(_users.c.seq, _users.c.id, _users.c.active, _users.c.banned)
    .where(_users.c.tenant_id == sa.bindparam("tenant"), _users.c.user_name_key == sa.bindparam("key"))
    .with_for_update(key_share=True)
)


BY_HAND = (claims.DIRECT, claims.REQUEST)
"""Sources of claims that somebody in the console made, and takes back."""


def assign(
    work: Work,
    user_name: str,
    type_code: str,
    *,
    pinned: bool = False,
    locked: bool = False,
    expires_at: datetime | None = None,
    note: str = "",
) -> str:
    """Give a person a direct claim to a type; the state that came of it: `assigned`, or `covered` by a better type.

    `pinned` fixes the type of the family (A-7), `locked` for ever (E-15), `expires_at` ends it by itself (E-26).
    Assigning again changes nothing but these. Raises Refused where no seat is free or the person or type cannot have
    one, with the reason; InvalidValue for an expiry that has passed.
    """
    if expires_at is not None and expires_at <= work.now:
        raise errors.InvalidValue("A license expires in the future. Give a later instant, or none.")
    user = locked_person(work, user_name)
    refuse_absent(user, user_name)
    kind = catalog.find_type(work, type_code)
    refuse_by_authority(kind)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    claim = direct_claim(person, kind.seq)
    more: dict[str, Any] = {"pinned": pinned, "expires_at": expires_at, "note": note}
    if claim is None:
        refuse_full(entered, person, kind.seq)
        entered.claims.add(
            person, kind.seq, claims.DIRECT, entered.now, locked=locked, created_by=str(work.actor), **more
        )
    else:
        entered.claims.amend(person, claim, **more)
    entered.settle()
    return expect_given(entered, user.seq, user_name, kind.seq)


def unassign(work: Work, user_name: str, type_code: str) -> str | None:
    """End a person's direct claim to a type, or an approved request, at once (decision 42).

    The answer is the state that is left by another claim, or None. Raises Refused for a license that is only inherited,
    naming group and rule (C-04), NotFound where there is none.
    """
    user = locked_person(work, user_name)
    kind = catalog.find_type(work, type_code)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    mine = [one for one in person.claims if one.source in BY_HAND and one.type_seq == kind.seq]
    if not mine:
        raise nothing_direct(work, person, user_name, kind)
    for claim in mine:
        entered.claims.end(person, claim, "removed")
    entered.settle()
    [person] = entered.load([user.seq])
    row = person.held.get(kind.seq)
    return row.state if row else None


def expect_given(entered: Gate, user_seq: int, user_name: str, type_seq: int) -> str:
    """The state that an act by hand came to. Raises Refused where it is no license, so that nothing of it is kept."""
    [person] = entered.load([user_seq])
    row, kind = person.held.get(type_seq), entered.types[type_seq]
    if row is not None and row.state in (*facts.EFFECTIVE, facts.COVERED, facts.SUSPENDED):
        return row.state
    if row is not None and row.state == facts.WAITING:
        raise full(entered, kind)
    reason = row.reason if row is not None else "no_reason"
    raise errors.Refused(f"{user_name} cannot have {kind.code}: {REASONS.get(str(reason), reason)}.")


REASONS = {
    facts.CONFLICT: "it excludes another type that the person has, or wants",
    facts.MISSING_PREREQUISITE: "it requires another type that the person does not hold",
    facts.CONTRACT_INACTIVE: "its contract is over; renew it first",
    facts.RETIRED: "it is retired; choose another type",
    facts.PINNED: "another type of its family is pinned for the person",
}
"""Why an act by hand was refused, in words."""


def refuse_absent(user: Any, user_name: str) -> None:
    """Raise Refused for a person who is inactive or banned."""
    if user.banned:
        raise errors.Refused(
            f"{user_name} is banned and cannot hold a seat. Lift the ban first: scim-service person unban"
        )
    if not user.active:
        raise errors.Refused(f"{user_name} is not active and cannot hold a seat. Activate the person first.")


def refuse_by_authority(kind: catalog.LicenseType) -> None:
    """Raise Refused where a type is not given by hand (X-6), or not at all any more."""
    if kind.authority in (catalog.GROUPS, catalog.SCIM):
        where = "groups" if kind.authority == catalog.GROUPS else "the identity provider's attributes"
        raise errors.Refused(f"{kind.code} is given by {where} only. Give it there, or change the type's authority.")
    if not kind.options.assignable:
        raise errors.Refused(f"{kind.code} is not assignable.")


def locked_person(work: Work, user_name: str) -> Any:
    """The person with this userName (seq, active, banned), locked until the commit. Raises NotFound."""
    user = work.row(_BY_NAME, key=text.fold(user_name))
    if user is None:
        raise errors.NotFound(
            f"There is no person with the userName {user_name!r}. See who there is with: scim-service people"
        )
    return user


def direct_claim(person: Person, type_seq: int) -> Claim | None:
    """The person's direct claim to a type."""
    return next((one for one in person.claims if one.source == claims.DIRECT and one.type_seq == type_seq), None)


def refuse_full(entered: Gate, person: Person, type_seq: int) -> None:
    """An act by hand needs a free seat at commit, unless the person holds this type or a better one of its family."""
    kind, used = entered.types[type_seq], entered.consuming[type_seq]
    if kind.limit is None or used < kind.limit or _needs_no_seat(entered, person, kind):
        return
    raise full(entered, kind)


def full(entered: Gate, kind: Type) -> errors.Refused:
    """The refusal of a full cap, with its numbers."""
    used, limit = entered.consuming[kind.seq], kind.limit
    what = "All seats" if limit is None or used >= limit else "All seats that are free for this"
    return errors.Refused(
        f"{what} of {kind.code} are used: {used} of {limit}. "
        f"Free one, or buy more and raise the contract with: scim-service contract set-seats"
    )


def _needs_no_seat(entered: Gate, person: Person, kind: Type) -> bool:
    held = {seq for seq, row in person.held.items() if row.seated}
    mine = [one for one in entered.types.values() if one.family == kind.family and one.family is not None]
    found = order.in_order(mine)
    better = {one.seq for one in found[: found.index(kind)]} if kind in found else set()
    return bool(held & (better | {kind.seq}))


def nothing_direct(work: Work, person: Person, user_name: str, kind: catalog.LicenseType) -> errors.ScimError:
    """Why there is nothing to take back by hand: the license is inherited, in grace, or not there at all."""
    inherited = [one for one in person.claims if one.type_seq == kind.seq]
    live = {one.rule_seq for one in inherited if one.until is None}
    givers = [f"{rule.group_name!r} (rule {rule.seq})" for rule in rules.listing(work) if rule.seq in live]
    if givers:
        return errors.Refused(
            f"{user_name} has {kind.code} by membership in the group {' and '.join(givers)}. "
            "Take the person out of the group at the identity provider, or delete the rule."
        )
    if any(one.source == claims.SCIM and one.until is None for one in inherited):
        return errors.Refused(
            f"{user_name} has {kind.code} by an attribute that the identity provider writes. Take the value away there."
        )
    if inherited:
        return errors.Refused(f"{user_name} has {kind.code} in exit grace only; it ends by itself.")
    return errors.NotFound(f"{user_name} has no {kind.code} to take back.")
