"""Licenses in a person's attributes become claims of source `scim` (licensing.md X-2 to X-6).

Two attributes speak of licenses: `licenseType` of our extension, for clients that cannot send lists, and the
entitlements of the type License. Both are kept and read back as they were written; here the difference between two
documents becomes claims. A value that was taken away lingers for the type's exit grace (E-3); where another type of the
family took its place it is in `grace(migrating)`, that is at most until the other one has its seat (E-25). Every other
value of entitlements and roles is the client's own (decision 11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scim_service import errors
from scim_service.access import connections
from scim_service.licensing import authority, catalog, claims, facts, gate
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Person
from scim_service.licensing.gate import Gate
from scim_service.protocol import schema
from scim_service.protocol.text import fold
from scim_service.storage.work import Work

TYPE_OF_ENTITLEMENT = "license"
"""What the `type` of an entitlement must be, in any case, for its value to be a license type."""

ACCEPTED_SHOWN = 50
"""How many accepted values a refusal names."""


def written(work: Work, user_seq: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """A person's document was written: claims follow the license values that came and went, if any did.

    The caller holds the person. Without such a difference nothing is asked and nothing locked. Raises InvalidValue for
    a value that gives no license (X-5, X-6), SeatLimitReached where the connection is strict and no seat is left (X-4).
    """
    old, new = values(before), values(after)
    if set(old) == set(new):
        return False
    entered = gate.enter(work)
    kinds = catalog.types(work)
    strict = connections.is_strict(work)
    fresh = [_accepted(kinds, value, strict) for value in new if value not in old]
    wanted = {kind.seq: kind for value in new if (kind := _kind(kinds, value)) is not None}
    [person] = entered.load([user_seq])
    _claim(entered, person, wanted)
    _let_go(entered, person, wanted)
    entered.settle([user_seq])
    if strict:
        _expect_seats(entered, user_seq, fresh)
    return True


def values(document: Mapping[str, Any]) -> list[str]:
    """The license values in a document, each once: licenseType first, then entitlements in their order (X-8)."""
    single = (document.get(schema.LICENSE_URN) or {}).get("licenseType")
    several = [
        one.get("value")
        for one in document.get("entitlements") or ()
        if fold(str(one.get("type", ""))) == TYPE_OF_ENTITLEMENT
    ]
    return list(dict.fromkeys(value for value in (single, *several) if value))


def _accepted(kinds: Sequence[LicenseType], value: str, strict: bool) -> LicenseType:
    """The type that a new value gives. Raises InvalidValue for one that gives none, naming those that do."""
    kind = _kind(kinds, value)
    if kind is None:
        raise _refusal(kinds, "There is no license type of this value.")
    if kind.options.grants_admin:
        raise _refusal(kinds, f"{kind.code} gives rights of administration; it is given in the console only.")
    if kind.authority == catalog.CONSOLE or not kind.options.assignable:
        raise _refusal(kinds, f"{kind.code} is not given by attributes.")
    if strict and authority.held_back(kind.authority):
        raise _refusal(kinds, f"{kind.code} is given by groups only.")
    return kind


def _refusal(kinds: Iterable[LicenseType], what: str) -> errors.InvalidValue:
    codes = sorted(kind.code for kind in kinds if _is_offered(kind))
    known = ", ".join(codes[:ACCEPTED_SHOWN]) + (", …" if len(codes) > ACCEPTED_SHOWN else "")
    return errors.InvalidValue(f"{what} Accepted values: {known}." if known else f"{what} No value is accepted yet.")


def _is_offered(kind: LicenseType) -> bool:
    gives = kind.options.assignable and not kind.options.grants_admin
    return gives and not kind.retired and authority.held_back(kind.authority) is None


def _kind(kinds: Iterable[LicenseType], value: str) -> LicenseType | None:
    """The type with this code; in another case too, where only one is meant (the attributes are not caseExact)."""
    alike = [kind for kind in kinds if fold(kind.code) == fold(value)]
    exact = [kind for kind in alike if kind.code == value]
    found = exact or alike
    return found[0] if len(found) == 1 else None


def _claim(entered: Gate, person: Person, wanted: Mapping[int, LicenseType]) -> None:
    """A claim for every value: new, revived within its grace, or as it is."""
    known = {claim.type_seq: claim for claim in person.claims if claim.source == claims.SCIM}
    for seq, kind in wanted.items():
        claim, back = known.get(seq), authority.held_back(kind.authority)
        if claim is None:
            by = str(entered.work.actor)
            entered.claims.add(person, seq, claims.SCIM, entered.now, held_back=back, created_by=by)
        elif claim.until is not None:
            entered.claims.revive(person, claim)


def _let_go(entered: Gate, person: Person, wanted: Mapping[int, LicenseType]) -> None:
    """Claims whose value is gone linger (E-3), or migrate to the value of the same family (E-25)."""
    families = {kind.family for kind in wanted.values() if kind.family and authority.held_back(kind.authority) is None}
    for claim in list(person.claims):
        if claim.source == claims.SCIM and claim.type_seq not in wanted:
            moves = entered.types[claim.type_seq].family in families
            why = facts.MIGRATING if moves else facts.VALUE_REMOVED
            entered.claims.leave(person, claim, why, entered.grace(claim.type_seq, None), entered.now)


def _expect_seats(entered: Gate, user_seq: int, fresh: Iterable[LicenseType]) -> None:
    """Raise SeatLimitReached where a new value came to no seat, so that nothing of the request is kept (X-4)."""
    [person] = entered.load([user_seq])
    for kind in fresh:
        row = person.held.get(kind.seq)
        if row is not None and (row.state == facts.WAITING or row.reason == facts.CONTRACT_INACTIVE):
            used, limit = entered.consuming[kind.seq], entered.types[kind.seq].limit
            raise errors.SeatLimitReached(
                f"No seat of {kind.code} is left: {used} of {limit} are used. Free one or buy more, then send it again."
            )
