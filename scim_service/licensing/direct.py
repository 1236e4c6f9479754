"""What an administrator does by hand: give a person a license, take it back (licensing.md E-1, E-9, decision 45).

Whoever refuses an act by hand finds the sentences here, each with its stable code; `lifecycle.py` has the other acts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
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
_FIND = sa.select(_users.c.seq, _users.c.id, _users.c.active, _users.c.banned).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.user_name_key == sa.bindparam("key")
)
_LOCK = _FIND.with_for_update(key_share=True)

ENDLESS = datetime.max.replace(tzinfo=UTC)
"""The expiry of a license that has one no more."""

BY_HAND = (claims.DIRECT, claims.REQUEST)
"""The sources of what an administrator gave, of own accord or because it was asked for, and can take back."""
REMOVED = "removed"


def assign(
    work: Work,
    user_name: str,
    type_code: str,
    *,
    pinned: bool | None = None,
    locked: bool = False,
    expires_at: datetime | None = None,
    note: str | None = None,
) -> str:
    """Give a person a direct claim to a type; the state that came of it: `assigned`, or `covered` by a better type.

    `pinned` fixes the type of the family (A-7), `locked` for ever (E-15), `expires_at` ends it by itself (E-26;
    `ENDLESS` takes that back). Assigning again changes nothing but these, and of these only what is given. Raises
    Refused where no seat is free or the person or type cannot have one, with the reason; InvalidValue for an expiry
    that has passed.
    """
    refuse_past(work, expires_at)
    user = locked_person(work, user_name)
    refuse_absent(user, user_name)
    kind = catalog.find_type(work, type_code)
    refuse_by_authority(kind)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    claim = direct_claim(person, kind.seq)
    given = {"pinned": pinned, "expires_at": expires_at, "note": note}
    more: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if expires_at == ENDLESS:
        more["expires_at"] = None
    if claim is None:
        refuse_locked_family(entered, person, user_name, kind.seq)
        refuse_stopped(person, user_name, kind)
        refuse_full(entered, person, kind.seq)
        made_by = str(work.actor)
        entered.claims.add(person, kind.seq, claims.DIRECT, entered.now, locked=locked, created_by=made_by, **more)
    else:
        entered.claims.amend(person, claim, **more)
    entered.settle()
    return expect_given(entered, user.seq, user_name, kind.seq)


def unassign(work: Work, user_name: str, type_code: str) -> str | None:
    """End what an administrator gave, at once (decision 42); the state that is left, by another claim, or None.

    Raises Refused for a license that is only inherited,
    naming group and rule (C-04), NotFound where there is none.
    """
    user = locked_person(work, user_name)
    kind = catalog.find_type(work, type_code)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    mine = by_hand(person, kind.seq)
    if not mine:
        raise nothing_direct(work, person, user_name, kind)
    end(entered, person, kind.seq, mine, REMOVED)
    entered.settle()
    [person] = entered.load([user.seq])
    row = person.held.get(kind.seq)
    return row.state if row else None


def end(entered: Gate, person: Person, type_seq: int, given: Iterable[Claim], why: str) -> None:
    """End these claims at once; with the last reason for a type its suspension ends too, which was of that license."""
    for claim in given:
        entered.claims.end(person, claim, why)
    if not any(one.type_seq == type_seq for one in person.claims):
        person.stops.pop(type_seq, None)


def expect_given(entered: Gate, user_seq: int, user_name: str, type_seq: int) -> str:
    """The state that an act by hand came to. Raises Refused where it is no license, so that nothing of it is kept."""
    [person] = entered.load([user_seq])
    row, kind = person.held.get(type_seq), entered.types[type_seq]
    if row is not None and row.state in (*facts.EFFECTIVE, facts.COVERED, facts.SUSPENDED):
        return row.state
    if row is not None and row.state == facts.WAITING:
        raise full(entered, kind)
    reason = row.reason if row is not None else "no_reason"
    raise errors.Refused(f"{user_name} cannot have {kind.code}: {REASONS.get(str(reason), reason)}.", code=str(reason))


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
            f"{user_name} is banned and cannot hold a seat. Lift the ban first: scim-service person unban",
            code="person_banned",
        )
    if not user.active:
        raise errors.Refused(
            f"{user_name} is not active and cannot hold a seat. "
            "Activate the person first: scim-service person reactivate",
            code="person_inactive",
        )


def refuse_past(work: Work, expires_at: datetime | None) -> None:
    """Raise InvalidValue for an expiry that has passed."""
    if expires_at is not None and expires_at <= work.now:
        raise errors.InvalidValue("A license expires in the future. Give a later instant, or none.", code="past_expiry")


def refuse_by_authority(kind: catalog.LicenseType) -> None:
    """Raise Refused where a type is not given by hand (X-6), or not at all any more."""
    if kind.authority in (catalog.GROUPS, catalog.SCIM):
        where = "groups" if kind.authority == catalog.GROUPS else "the identity provider's attributes"
        raise errors.Refused(
            f"{kind.code} is given by {where} only. Give it there, or change the type's authority.",
            code="other_authority",
        )
    if not kind.options.assignable:
        raise errors.Refused(f"{kind.code} is not given by hand. Choose another type.", code="not_assignable")


def refuse_stopped(person: Person, user_name: str, kind: catalog.LicenseType) -> None:
    """Raise Refused where the license is suspended: a grant beside that would give nothing."""
    if kind.seq in person.stops:
        raise errors.Refused(
            f"{kind.code} is suspended for {user_name}. Resume it first: scim-service seat resume", code="suspended"
        )


def refuse_locked_family(entered: Gate, person: Person, user_name: str, type_seq: int) -> None:
    """Raise Refused where a copied person would get another type in the place of the locked one (E-15, BW-27)."""
    family = entered.types[type_seq].family
    locked = [entered.types[one.type_seq] for one in person.claims if one.locked and one.type_seq != type_seq]
    for kind in locked:
        if family is not None and kind.family == family:
            raise locked_type(user_name, kind.code)


def locked_type(user_name: str, code: str) -> errors.Refused:
    """The refusal of another type for a copied person."""
    return errors.Refused(
        f"{user_name} was copied from somebody with {code}, and so cannot get another type in its place. "
        "Another type means a new person: scim-service person add",
        code="locked_type",
    )


def locked_person(work: Work, user_name: str) -> Any:
    """The person with this userName (seq, id, active, banned), locked until the commit. Raises NotFound."""
    return _person(work, _LOCK, user_name)


def found_person(work: Work, user_name: str) -> Any:
    """The same without a lock, to look."""
    return _person(work, _FIND, user_name)


def _person(work: Work, statement: sa.Select[Any], user_name: str) -> Any:
    user = work.row(statement, key=text.fold(user_name))
    if user is None:
        raise errors.NotFound(
            f"There is no person with the userName {user_name!r}. See who there is with: scim-service people",
            code="unknown_person",
        )
    return user


def locked_pair(work: Work, first_name: str, second_name: str) -> tuple[Any, Any]:
    """Two people as `locked_person`, locked by seq (decision 19), answered in the order asked for."""
    seqs = {name: found_person(work, name).seq for name in (first_name, second_name)}
    found = {name: locked_person(work, name) for name in sorted(seqs, key=lambda one: seqs[one])}
    return found[first_name], found[second_name]


def direct_claim(person: Person, type_seq: int) -> Claim | None:
    """The person's direct claim to a type."""
    return next((one for one in person.claims if one.source == claims.DIRECT and one.type_seq == type_seq), None)


def by_hand(person: Person, type_seq: int) -> list[Claim]:
    """The person's claims to a type that an administrator gave, the direct one first."""
    mine = [one for one in person.claims if one.source in BY_HAND and one.type_seq == type_seq]
    return sorted(mine, key=lambda one: BY_HAND.index(one.source))


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
        f"Free one, or buy more and raise the contract with: scim-service contract set-seats",
        code="seat_limit_reached",
    )


def _needs_no_seat(entered: Gate, person: Person, kind: Type) -> bool:
    held = {seq for seq, row in person.held.items() if row.seated}
    mine = [one for one in entered.types.values() if one.family == kind.family and one.family is not None]
    found = order.in_order(mine)
    better = {one.seq for one in found[: found.index(kind)]} if kind in found else set()
    return bool(held & (better | {kind.seq}))


def nothing_direct(work: Work, person: Person, user_name: str, kind: catalog.LicenseType) -> errors.ScimError:
    """Why there is nothing to take back by hand: the license is inherited, in grace, or not there at all."""
    mine = [one for one in person.claims if one.type_seq == kind.seq]
    live = [one for one in mine if one.until is None]
    if live:
        return inherited(work, live, user_name, kind)
    if mine:
        return errors.Refused(
            f"{user_name} has {kind.code} in exit grace only; it ends by itself.", code="in_grace_only"
        )
    return errors.NotFound(f"{user_name} has no {kind.code} to take back.", code="no_license")


def inherited(work: Work, given: Iterable[Claim], user_name: str, kind: catalog.LicenseType) -> errors.Refused:
    """The refusal of an act by hand on what groups or attributes give: names them, and says what to do (E-9, C-04)."""
    seqs = {one.rule_seq for one in given}
    mine = [rule for rule in rules.listing(work) if rule.seq in seqs]
    if not mine:
        return errors.Refused(
            f"{user_name} has {kind.code} by an attribute that the identity provider writes. "
            "Take the value away there.",
            code="inherited_license",
        )
    givers = " and ".join(f"{_giver(rule)} (rule {rule.seq})" for rule in mine)
    which = "--everyone" if mine[0].everyone else f"--group {mine[0].group_name!r}"
    return errors.Refused(
        f"{user_name} has {kind.code} by {givers}. Take the person out of the group at the identity provider, or "
        f"exclude the person from this rule: scim-service rule update {which} --type {kind.code} --exclude USERNAME",
        code="inherited_license",
    )


def _giver(rule: rules.Rule) -> str:
    return "the rule for everyone" if rule.everyone else f"membership in the group {rule.group_name!r}"
