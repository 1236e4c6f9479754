"""What an administrator does by hand: give a person a license, take it back (licensing.md E-1, E-9, decision 45)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import catalog, claims, resolve, rules, seats
from scim_service.licensing.resolve import Claim, Person
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

_users = tables.directory.users
_BY_NAME = (
    sa.select(_users.c.seq, _users.c.active)
    .where(_users.c.tenant_id == sa.bindparam("tenant"), _users.c.user_name_key == sa.bindparam("key"))
    .with_for_update(key_share=True)
)


def assign(work: Work, user_name: str, type_code: str) -> str:
    """Give a person a direct claim to a type; the state that came of it: `assigned`, or `covered` by a better type.

    Assigning again changes nothing. Raises Refused when no seat is free, with the numbers, and for an inactive person.
    """
    user = _lock(work, user_name)
    if not user.active:
        raise errors.Refused(f"{user_name} is not active and cannot hold a seat. Activate the person first.")
    kind = catalog.find_type(work, type_code)
    gate = seats.enter(work)
    [person] = gate.load([user.seq])
    if _direct(person, kind.seq) is None:
        _refuse_full(gate, person, kind.seq)
        gate.claims.add(person, kind.seq, claims.DIRECT, None, claims.DIRECT_PRIORITY, gate.now)
        gate.settle()
    [person] = gate.load([user.seq])
    return person.held[kind.seq].state


def unassign(work: Work, user_name: str, type_code: str) -> str | None:
    """End a person's direct claim to a type, at once (decision 42); the state that is left, by another claim, or None.

    Raises Refused for a license that is only inherited, naming group and rule (C-04), NotFound where there is none.
    """
    user = _lock(work, user_name)
    kind = catalog.find_type(work, type_code)
    gate = seats.enter(work)
    [person] = gate.load([user.seq])
    claim = _direct(person, kind.seq)
    if claim is None:
        raise _nothing_direct(work, person, user_name, kind)
    gate.claims.end(person, claim, "removed")
    gate.settle()
    [person] = gate.load([user.seq])
    row = person.held.get(kind.seq)
    return row.state if row else None


def _lock(work: Work, user_name: str) -> sa.Row[Any]:
    user = work.row(_BY_NAME, key=text.fold(user_name))
    if user is None:
        raise errors.NotFound(
            f"There is no person with the userName {user_name!r}. See who there is with: scim-service people"
        )
    return user


def _direct(person: Person, type_seq: int) -> Claim | None:
    return next((one for one in person.claims if one.source == claims.DIRECT and one.type_seq == type_seq), None)


def _refuse_full(gate: seats.Gate, person: Person, type_seq: int) -> None:
    """An act by hand needs a free seat at commit, unless the person holds this type or a better one of its family."""
    kind, used = gate.types[type_seq], gate.consuming[type_seq]
    if kind.limit is None or used < kind.limit or _needs_no_seat(gate, person, kind):
        return
    raise errors.Refused(
        f"All seats of {kind.code} are used: {used} of {kind.limit}. "
        f"Free one, or buy more and raise the contract with: scim-service contract set-seats"
    )


def _needs_no_seat(gate: seats.Gate, person: Person, kind: resolve.Type) -> bool:
    held = {seq for seq, row in person.held.items() if row.state in resolve.SEATED}
    order = resolve.in_order(one for one in gate.types.values() if one.family == kind.family and one.family is not None)
    better = {one.seq for one in order[: order.index(kind)]} if kind in order else set()
    return bool(held & (better | {kind.seq}))


def _nothing_direct(work: Work, person: Person, user_name: str, kind: catalog.LicenseType) -> errors.ScimError:
    inherited = [one for one in person.claims if one.type_seq == kind.seq]
    live = {one.rule_seq for one in inherited if one.until is None}
    givers = [f"{rule.group_name!r} (rule {rule.seq})" for rule in rules.listing(work) if rule.seq in live]
    if givers:
        return errors.Refused(
            f"{user_name} has {kind.code} by membership in the group {' and '.join(givers)}. "
            "Take the person out of the group at the identity provider, or delete the rule."
        )
    if inherited:
        return errors.Refused(f"{user_name} has {kind.code} in exit grace only; it ends by itself.")
    return errors.NotFound(f"{user_name} has no {kind.code} to take back.")
