"""People ask for a license, and somebody decides (licensing.md E-22, D-15).

A type says whether it can be asked for, and what asking comes to: `auto_if_seat` is granted where a seat is free and
decided by somebody where none is, `manual` is always decided by somebody, `auto` is granted at once and waits where no
seat is free. What is granted is a claim of source `request`, through the gate like every other. The person is told
what somebody decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.licensing import catalog, claims, contracts, direct, facts, gate, request_letters, resolve
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment, Claim, Person
from scim_service.licensing.gate import Gate
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

OPEN, APPROVED, DENIED = "open", "approved", "denied"
STATES = (OPEN, APPROVED, DENIED)
COOL_DOWN = timedelta(days=7)
"""After a denial the same person asks for the same type again no sooner than this."""

REASON_LENGTH = 1_000
"""Characters of what somebody writes for a reason."""

_requests = tables.licensing.requests
_users = tables.directory.users
_types = tables.licensing.license_types
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_OF_ONE = (
    sa.select(_requests)
    .where(
        _requests.c.tenant_id == _TENANT,
        _requests.c.user_seq == sa.bindparam("user"),
        _requests.c.type_seq == sa.bindparam("type"),
    )
    .order_by(_requests.c.seq.desc())
    .limit(1)
)
_DECIDE = (
    sa.update(_requests)
    .where(_requests.c.tenant_id == _TENANT, _requests.c.seq == sa.bindparam("which"))
    .values(
        state=sa.bindparam("new_state"),
        decided_at=sa.bindparam("at"),
        decided_by=sa.bindparam("by"),
        decision=sa.bindparam("new_decision"),
        not_before=sa.bindparam("new_not_before"),
    )
)
_LISTED = (
    sa.select(_requests, _users.c.document, _types.c.code)
    .join(_users, sa.and_(_users.c.tenant_id == _requests.c.tenant_id, _users.c.seq == _requests.c.user_seq))
    .join(_types, sa.and_(_types.c.tenant_id == _requests.c.tenant_id, _types.c.seq == _requests.c.type_seq))
    .where(_requests.c.tenant_id == _TENANT)
    .order_by(_requests.c.seq)
)


@dataclass(frozen=True)
class Request:
    """Somebody asked for a type: why, what was decided by whom, and, once granted, what came of it in the queue."""

    user_name: str
    type_code: str
    reason: str
    state: str
    made_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision: str | None = None
    not_before: datetime | None = None
    license: str | None = None
    """The state of the license after an approval: assigned, waiting, covered."""


def create(work: Work, user_name: str, type_code: str, reason: str) -> Request:
    """Ask for a type on behalf of a person; by the type's mode it is granted at once, or open until somebody decides.

    Asking again while a request is open changes nothing. Raises Refused for a type that is not requestable, for who has
    it, and within the cool-down after a denial, InvalidValue for a blank reason.
    """
    written = _written(reason)
    user = direct.locked_person(work, user_name)
    direct.refuse_absent(user, user_name)
    kind = catalog.find_type(work, type_code)
    _refuse_type(kind)
    last = work.row(_OF_ONE, user=user.seq, type=kind.seq)
    if last is not None and last.state == OPEN:
        return _request(last, user_name, type_code)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    _refuse_person(work, person, user_name, kind, last)
    row = {"user_seq": user.seq, "type_seq": kind.seq, "reason": written, "state": OPEN, "made_at": work.now}
    work.insert(_requests, [row])
    audit.record(work, "request:created", person.id, type=kind.code)
    mode = kind.options.request_mode
    if mode == catalog.ALWAYS or (mode == catalog.AUTO_IF_SEAT and _has_seat(entered, person, kind)):
        return _grant(work, entered, person, (user_name, kind), f"request_mode:{mode}", None)
    return _request(work.row(_OF_ONE, user=user.seq, type=kind.seq), user_name, type_code)


def approve(work: Work, user_name: str, type_code: str, note: str = "") -> Request:
    """Grant an open request; without a free seat the person waits, before those whom groups give the type.

    Where seats above the cap have to be approved (A-2), one is, for this person; so is one for somebody who waits for
    that approval without a request. Raises NotFound where there is nothing to approve.
    """
    user = direct.locked_person(work, user_name)
    direct.refuse_absent(user, user_name)
    kind = catalog.find_type(work, type_code)
    last = work.row(_OF_ONE, user=user.seq, type=kind.seq)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    if last is not None and last.state == OPEN:
        direct.refuse_by_authority(kind)
        return _grant(work, entered, person, (user_name, kind), str(work.actor), note or None, approved=True)
    if not _needs_approval(person, kind):
        raise _nothing_open(user_name, kind)
    contracts.approve_overage(work, kind.code, user.seq)
    state = _outcome(entered, user.seq, kind)
    return Request(
        user_name, kind.code, "", APPROVED, work.now, work.now, str(work.actor), note or None, None, state.state
    )


def deny(work: Work, user_name: str, type_code: str, reason: str) -> Request:
    """Refuse an open request, with the reason that the person is told; the same may be asked again after 7 days.

    Raises NotFound where nothing is open, InvalidValue for a blank reason.
    """
    written = _written(reason)
    user = direct.locked_person(work, user_name)
    kind = catalog.find_type(work, type_code)
    last = work.row(_OF_ONE, user=user.seq, type=kind.seq)
    if last is None or last.state != OPEN:
        raise _nothing_open(user_name, kind)
    _decide(work, last.seq, DENIED, str(work.actor), written, work.now + COOL_DOWN)
    audit.record(work, "request:denied", user.id, type=kind.code, not_before=work.now + COOL_DOWN)
    again = text.format_datetime(work.now + COOL_DOWN)
    request_letters.post(work, request_letters.DENIED, last, user.id, {"reason": written, "not_before": again})
    return _request(work.row(_OF_ONE, user=user.seq, type=kind.seq), user_name, type_code)


def listing(work: Work, state: str | None = None) -> list[Request]:
    """The requests, oldest first; those of one state, or all."""
    found = [_request(row, orjson.loads(row.document)["userName"], row.code) for row in work.rows(_LISTED)]
    return [one for one in found if state in (None, one.state)]


def _grant(
    work: Work,
    entered: Gate,
    person: Person,
    what: tuple[str, LicenseType],
    by: str,
    note: str | None,
    approved: bool = False,
) -> Request:
    """Make the claim, and approve a seat above the cap where somebody who may has said yes.

    Who waited for it by other reasons, and has it now, is told of moving up (N-4) instead.
    """
    user_name, kind = what
    waited = facts.is_waiting(person.held.get(kind.seq))
    entered.claims.add(person, kind.seq, claims.REQUEST, entered.now, created_by=by)
    entered.settle([person.seq])
    [after] = entered.load([person.seq])
    if approved and _needs_approval(after, kind):
        contracts.approve_overage(work, kind.code, person.seq)
    row = _outcome(entered, person.seq, kind)
    if row.state == facts.BLOCKED:
        why = direct.REASONS.get(str(row.reason), row.reason)
        raise errors.Refused(f"{user_name} cannot have {kind.code}: {why}. Deny the request, or change that first.")
    [last] = work.rows(_OF_ONE, user=person.seq, type=kind.seq)
    _decide(work, last.seq, APPROVED, by, note, None)
    audit.record(work, "request:approved", person.id, type=kind.code, by=by, state=row.state)
    if approved and not (waited and row.state in facts.EFFECTIVE):
        request_letters.post(work, request_letters.APPROVED, last, person.id, {"state": row.state})
    decided = _request(work.row(_OF_ONE, user=person.seq, type=kind.seq), user_name, kind.code)
    return replace(decided, license=row.state)


def _has_seat(entered: Gate, person: Person, kind: LicenseType) -> bool:
    """Whether the claim would come to a license now: the decision itself is asked, and nothing of it is kept."""
    rank = entered.claims.last_rank + 1
    wish = Claim(person.seq, kind.seq, claims.REQUEST, None, claims.PRIORITY[claims.REQUEST], entered.now, rank)
    asked = replace(person, claims=[*person.claims, wish])
    outcome = resolve.resolve(
        entered.types.values(), [asked], entered.counts([asked]), resolve.Queues(), entered.now, rules=entered.rules
    )
    row = outcome.changes.get((person.seq, kind.seq), person.held.get(kind.seq))
    return row is not None and row.state in (*facts.EFFECTIVE, facts.COVERED)


def _outcome(entered: Gate, user_seq: int, kind: LicenseType) -> Assignment:
    """What came of the person and the type: there is a claim, so there is an outcome."""
    [person] = entered.load([user_seq])
    return person.held[kind.seq]


def _needs_approval(person: Person, kind: LicenseType) -> bool:
    row = person.held.get(kind.seq)
    return row is not None and (row.state, row.reason) == (facts.WAITING, facts.NEEDS_APPROVAL)


def _refuse_type(kind: LicenseType) -> None:
    if not kind.options.requestable or kind.options.grants_admin:
        raise errors.Refused(f"{kind.code} cannot be asked for. An administrator can give it: scim-service assign")
    direct.refuse_by_authority(kind)
    if kind.retired:
        raise errors.Refused(f"{kind.code} is retired and given to nobody new. Ask for another type.")


def _refuse_person(work: Work, person: Person, user_name: str, kind: LicenseType, last: Any) -> None:
    row = person.held.get(kind.seq)
    by_hand = [one for one in person.claims if one.source in direct.BY_HAND and one.type_seq == kind.seq]
    if by_hand or (row is not None and row.state in facts.EFFECTIVE and row.until is None):
        state = row.state if row is not None else "nothing"
        raise errors.Refused(f"{user_name} has {kind.code} already ({state}); there is nothing to ask for.")
    if last is not None and last.not_before is not None and last.not_before > work.now:
        at = text.format_datetime(last.not_before)
        raise errors.Refused(f"{user_name} was denied {kind.code}, and can ask for it again from {at} on.")


def _written(reason: str) -> str:
    found = reason.strip()
    if not 0 < len(found) <= REASON_LENGTH:
        raise errors.InvalidValue(f"A reason has 1 to {REASON_LENGTH} characters. Say in a few words why.")
    return found


def _nothing_open(user_name: str, kind: LicenseType) -> errors.NotFound:
    return errors.NotFound(
        f"{user_name} has no open request for {kind.code}. See what is open with: scim-service request list"
    )


def _decide(work: Work, seq: int, state: str, by: str, decision: str | None, not_before: datetime | None) -> None:
    said = {"new_state": state, "new_decision": decision, "new_not_before": not_before}
    work.execute(_DECIDE, which=seq, at=work.now, by=by, **said)


def _request(row: Any, user_name: str, type_code: str) -> Request:
    decided = (row.decided_at, row.decided_by, row.decision, row.not_before)
    return Request(user_name, type_code, row.reason, row.state, row.made_at, *decided)
