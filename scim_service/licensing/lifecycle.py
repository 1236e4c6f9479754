"""What becomes of a license by hand: stopped, resumed, taken back, handed on, exchanged (licensing.md E-9 to E-17).

Every act is one step of one transaction through the gate: it comes to what it promises, or it is refused with a stable
code and leaves nothing. A swap names who comes before the queue (`first`), so that nobody else gets the seat between
(I-4). Giving and taking back stand in `direct.py`, what happens to people in `directory/people.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scim_service import audit, errors
from scim_service.licensing import catalog, claims, direct, facts, gate, seats
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment, Claim, Person, Stop
from scim_service.licensing.gate import Gate
from scim_service.storage.work import Work

REASSIGNED, TYPE_CHANGED = "reassigned", "type_changed"
"""Why a claim ended, as the event log says it."""


@dataclass(frozen=True)
class _Case:
    """One person and type, locked, as an act finds them."""

    entered: Gate
    person: Person
    user_name: str
    kind: LicenseType

    @property
    def row(self) -> Assignment | None:
        return self.person.held.get(self.kind.seq)

    @property
    def given(self) -> list[Claim]:
        """What an administrator gave."""
        return direct.by_hand(self.person, self.kind.seq)

    @property
    def others(self) -> list[Claim]:
        """The reasons that no administrator gave, live or lingering, as far as they count."""
        mine = [one for one in self.person.claims if one.type_seq == self.kind.seq and one.held_back is None]
        return [one for one in mine if one.source not in direct.BY_HAND]

    def record(self, action: str, **data: Any) -> None:
        """Write what was done into the event log; the changes that it made stand there as events of their own."""
        told = {name: value for name, value in data.items() if value not in (None, "")}
        audit.record(self.entered.work, action, self.person.id, type=self.kind.code, **told)

    def state(self) -> str | None:
        """What the tables say after the gate has settled; None where there is no license any more."""
        [person] = self.entered.load([self.person.seq])
        row = person.held.get(self.kind.seq)
        return row.state if row else None


def suspend(work: Work, user_name: str, type_code: str, *, free_seat: bool | None = None, reason: str = "") -> str:
    """Stop a license without ending it (E-12): not effective, the seat is held, so that `resume` always restores it.

    `free_seat` frees the seat instead; None is what the type says. Again changes nothing, but may free a seat that is
    held. Raises Refused where no seat is held, or the person is inactive or banned.
    """
    case = _locked(work, user_name, type_code)
    frees = case.kind.options.suspend_frees if free_seat is None else free_seat
    stop, row = case.person.stops.get(case.kind.seq), case.row
    if row is None or not (row.seated or stop):
        raise _not_held(case)
    if stop is not None and not (frees and row.seated):
        return row.state
    case.person.stops[case.kind.seq] = Stop(facts.ADMINISTRATOR, not frees)
    case.entered.settle([case.person.seq])
    case.record("seat:suspended", frees=frees, reason=reason)
    return facts.SUSPENDED


def resume(work: Work, user_name: str, type_code: str, *, reason: str = "") -> str | None:
    """End a suspension (E-12). A held seat is effective again, with its place; a freed one is a grant as E-11.

    The state that came of it: `waiting` where no seat is free for a freed one, None where no reason is left. Of a
    license that is not suspended nothing changes. Raises NotFound where there is none.
    """
    case = _locked(work, user_name, type_code)
    row = case.row
    if row is None:
        raise errors.NotFound(f"{user_name} has no {case.kind.code} to resume.", code="no_license")
    if case.person.stops.pop(case.kind.seq, None) is None:
        return row.state
    if not row.seated:
        for claim in [one for one in case.person.claims if one.type_seq == case.kind.seq and one.until is None]:
            case.entered.claims.renew(case.person, claim, case.entered.now)
    case.entered.settle([case.person.seq])
    state = case.state()
    case.record("seat:resumed", state=state, reason=reason)
    return state


def remove(work: Work, user_name: str, type_code: str | None = None, *, reason: str = "") -> dict[str, str | None]:
    """Take away what an administrator gave, at once; of one type or, without one, of all (E-9, BK-07).

    By code of the type: the state that another claim leaves, or None. Raises Refused for a license that is inherited,
    naming group and rule; then nothing is taken away.
    """
    user = direct.locked_person(work, user_name)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    kinds = [catalog.find_type(work, type_code)] if type_code is not None else _reasons(work, person)
    if not kinds:
        raise errors.NotFound(f"{user_name} has no license to take away.", code="no_license")
    cases = [_Case(entered, person, user_name, kind) for kind in kinds]
    for case in cases:
        _refuse_to_remove(work, case, whole=type_code is None)
    for case in cases:
        direct.end(entered, person, case.kind.seq, case.given, direct.REMOVED)
    entered.settle([person.seq])
    for case in cases:
        case.record("seat:removed", reason=reason)
    return {case.kind.code: case.state() for case in cases}


def reassign(work: Work, user_name: str, type_code: str, to_user_name: str, *, reason: str = "") -> str:
    """Hand one person's license to another one, in one step with the same seat (E-14); the state of the other.

    Expiry and note go along; a lock, a pin and a suspension do not. Raises Refused where the license is inherited or
    holds no seat, where the other one has the type already, or could not hold it.
    """
    case, heir = _pair(work, user_name, type_code, to_user_name)
    direct.refuse_by_authority(case.kind)
    claim = _to_hand_on(work, case)
    _refuse_heir(case, heir, to_user_name)
    entered, kind = case.entered, case.kind
    _give_up(case, REASSIGNED)
    more = {"expires_at": claim.expires_at, "note": claim.note, "created_by": str(work.actor)}
    entered.claims.add(heir, kind.seq, claims.DIRECT, entered.now, **more)
    entered.settle([case.person.seq, heir.seq], first={(heir.seq, kind.seq)})
    state = _expect_seat(entered, heir.seq, to_user_name, kind)
    case.record("seat:reassigned", to=heir.id, reason=reason)
    audit.record(work, "seat:received", heir.id, type=kind.code, **{"from": case.person.id})
    return state


def change_type(
    work: Work, user_name: str, type_code: str, to_code: str, *, pin: bool = False, reason: str = ""
) -> str:
    """Exchange a person's license for one of another type, in one step (E-16); the state of the new one.

    What a group gives is refused with the rule, unless `pin` fixes the new type in the family (A-7). Raises Refused
    where the new type has no seat, and for a copied person's license, for ever; then nothing has changed.
    """
    case = _locked(work, user_name, type_code)
    kind = catalog.find_type(work, to_code)
    claim = _to_exchange(work, case, kind, pin)
    direct.refuse_by_authority(kind)
    entered, person = case.entered, case.person
    before = case.row
    kept = {} if claim is None else {"expires_at": claim.expires_at, "note": claim.note, "pinned": claim.pinned}
    _give_up(case, TYPE_CHANGED, keep_others=pin)
    known = direct.direct_claim(person, kind.seq)
    if known is None:
        more = {**kept, "pinned": pin or kept.get("pinned", False), "created_by": str(work.actor)}
        entered.claims.add(person, kind.seq, claims.DIRECT, entered.now, **more)
    else:
        entered.claims.amend(person, known, pinned=pin or known.pinned)
    entered.settle([person.seq], first={(person.seq, kind.seq)})
    state = direct.expect_given(entered, person.seq, user_name, kind.seq)
    if before is not None and before.seated:
        state = _expect_seat(entered, person.seq, user_name, kind)
    case.record("seat:type-changed", to=kind.code, pinned=pin or None, reason=reason)
    return state


def succeed(work: Work, leaver_seq: int, heir_name: str, type_code: str, **more: Any) -> str:
    """The leaver was deactivated and somebody else comes in the place (LX-14); the state of who comes.

    The seats that the leaver had are freed, and the heir comes before the queue for this one. `more` are fields of the
    new claim. The caller holds both people and has written the activity. Raises Refused where no seat came free.
    """
    user = direct.locked_person(work, heir_name)
    kind = catalog.find_type(work, type_code)
    direct.refuse_by_authority(kind)
    entered = gate.enter(work)
    [leaver, heir] = entered.load([leaver_seq, user.seq])
    leaver.keeps = False
    seats.rest(entered, leaver)
    entered.claims.add(heir, kind.seq, claims.DIRECT, entered.now, created_by=str(work.actor), **more)
    entered.settle([leaver.seq, heir.seq], first={(heir.seq, kind.seq)})
    return direct.expect_given(entered, heir.seq, heir_name, kind.seq)


def _locked(work: Work, user_name: str, type_code: str) -> _Case:
    """Lock the person, enter the gate, and find both. Raises NotFound, and Refused for who is inactive or banned."""
    user = direct.locked_person(work, user_name)
    direct.refuse_absent(user, user_name)
    kind = catalog.find_type(work, type_code)
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    return _Case(entered, person, user_name, kind)


def _pair(work: Work, user_name: str, type_code: str, to_user_name: str) -> tuple[_Case, Person]:
    """The same for a person and the one who comes in the place, locked in the order of decision 19."""
    giver, taker = direct.locked_pair(work, user_name, to_user_name)
    if giver.seq == taker.seq:
        raise errors.InvalidValue("A license is reassigned to another person. Name one with --to.", code="same_person")
    direct.refuse_absent(taker, to_user_name)
    kind = catalog.find_type(work, type_code)
    entered = gate.enter(work)
    [person, heir] = entered.load([giver.seq, taker.seq])
    return _Case(entered, person, user_name, kind), heir


def _to_hand_on(work: Work, case: _Case) -> Claim:
    """The claim that goes to another person."""
    if not case.given:
        raise direct.nothing_direct(work, case.person, case.user_name, case.kind)
    live = [one for one in case.others if one.until is None]
    if live:
        raise direct.inherited(work, live, case.user_name, case.kind)
    if not facts.is_seated(case.row):
        raise _not_held(case)
    known = case.entered.types[case.kind.seq]
    if known.limit is not None and case.entered.consuming[known.seq] > known.limit:
        raise direct.full(case.entered, known)
    return case.given[0]


def _refuse_heir(case: _Case, heir: Person, heir_name: str) -> None:
    direct.refuse_stopped(heir, heir_name, case.kind)
    direct.refuse_locked_family(case.entered, heir, heir_name, case.kind.seq)
    if direct.by_hand(heir, case.kind.seq) or facts.is_seated(heir.held.get(case.kind.seq)):
        raise errors.Refused(
            f"{heir_name} has {case.kind.code} already. Reassign to somebody who has not, or take one back: "
            "scim-service seat remove",
            code="already_held",
        )


def _to_exchange(work: Work, case: _Case, to: LicenseType, pin: bool) -> Claim | None:
    """The claim that is exchanged; None where a group gives the license and the new type is pinned beside it."""
    if case.kind.seq == to.seq:
        raise errors.InvalidValue(f"{to.code} is the same type. Name another with --to.", code="same_type")
    locked = [one for one in case.given if one.locked]
    if locked:
        raise direct.locked_type(case.user_name, case.kind.code)
    for kind in (case.kind, to):
        direct.refuse_stopped(case.person, case.user_name, kind)
    if pin:
        _refuse_pin(case, to)
    live = [one for one in case.others if one.until is None]
    if live and not pin:
        raise _pin_instead(direct.inherited(work, live, case.user_name, case.kind), case, to)
    if not case.given and not live:
        raise direct.nothing_direct(work, case.person, case.user_name, case.kind)
    direct.refuse_locked_family(case.entered, case.person, case.user_name, to.seq)
    return case.given[0] if case.given else None


def _refuse_pin(case: _Case, to: LicenseType) -> None:
    if case.kind.family is None or case.kind.family != to.family:
        raise errors.InvalidValue(
            f"A pin fixes the type within a family, and {case.kind.code} and {to.code} are not of one.",
            code="not_one_family",
        )


def _pin_instead(refused: errors.Refused, case: _Case, to: LicenseType) -> errors.Refused:
    """The refusal of an inherited license, with the way out that E-16 leaves."""
    if case.kind.family is None or case.kind.family != to.family:
        return refused
    return errors.Refused(f"{refused.detail} Or fix {to.code} for the person with --pin.", code=refused.code)


def _give_up(case: _Case, why: str, *, keep_others: bool = False) -> None:
    """End what an administrator gave; what lingers from elsewhere ends too, as the seat goes on to another license."""
    rest = [] if keep_others else [one for one in case.others if one.until is not None]
    direct.end(case.entered, case.person, case.kind.seq, [*case.given, *rest], why)


def _expect_seat(entered: Gate, user_seq: int, user_name: str, kind: LicenseType) -> str:
    """The state, which must be effective: a swap in which a seat is lost is none."""
    state = direct.expect_given(entered, user_seq, user_name, kind.seq)
    if state not in facts.EFFECTIVE:
        [person] = entered.load([user_seq])
        reason = person.held[kind.seq].reason
        raise errors.Refused(
            f"{user_name} would not hold {kind.code}, because of another type of its family: {reason}. "
            "Take that away first.",
            code=reason,
        )
    return state


def _not_held(case: _Case) -> errors.ScimError:
    state = case.row.state if case.row else None
    if state is None:
        return errors.NotFound(f"{case.user_name} has no {case.kind.code}.", code="no_license")
    return errors.Refused(f"{case.user_name} holds no seat of {case.kind.code}: it is {state}.", code="not_held")


def _reasons(work: Work, person: Person) -> list[LicenseType]:
    """The types that the person has a live reason for."""
    live = {one.type_seq for one in person.claims if one.until is None}
    return [kind for kind in catalog.types(work) if kind.seq in live]


def _refuse_to_remove(work: Work, case: _Case, whole: bool) -> None:
    """Raise where nothing was given by hand; or, where the person is to lose everything, where something would stay."""
    live = [one for one in case.others if one.until is None]
    if not case.given:
        raise direct.nothing_direct(work, case.person, case.user_name, case.kind)
    if whole and live:
        raise direct.inherited(work, live, case.user_name, case.kind)
