"""What happens to people and groups, as the seats see it: each event locks, enters the gate, changes claims, settles.

Called by `directory` in the transaction of the change. Administrators' acts stand in `direct.py` and `lifecycle.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import assignments, claims, facts, gate, given, parking
from scim_service.licensing.gate import Gate
from scim_service.licensing.happenings import DEACTIVATED
from scim_service.storage import closure, tables
from scim_service.storage.work import Work, chunks

PERSON_DELETED = "person_deleted"

_rules = tables.licensing.rules
_claims = tables.licensing.claims
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_RULES_ON = (
    sa.select(_rules)
    .where(
        _rules.c.tenant_id == _TENANT,
        _rules.c.state == "bound",
        _rules.c.group_seq.in_(sa.bindparam("seqs", expanding=True)),
    )
    .order_by(_rules.c.seq)
)
_FOR_EVERYONE = (
    sa.select(_rules).where(_rules.c.tenant_id == _TENANT, _rules.c.everyone, _rules.c.enabled).order_by(_rules.c.seq)
)
_HAS_CLAIM = sa.exists().where(_claims.c.tenant_id == _TENANT, _claims.c.user_seq == sa.bindparam("which"))
LISTEN = sa.select(sa.or_(_HAS_CLAIM, sa.exists().where(*given.FILTERED)))
"""Whether a change of activity or attributes of the person `:which` may move a seat: a claim, or a rule that asks for
some. One look that spares two others where there is neither. Who asks holds the person.
"""

_FORGET_ROWS = sa.delete(_assignments).where(
    _assignments.c.tenant_id == _TENANT, _assignments.c.user_seq == sa.bindparam("which")
)


def tick(work: Work) -> int:
    """Let pass what time has decided, for the lazy clock and the job; how many outcomes changed (I-10).

    Running it again changes nothing.
    """
    return gate.enter(work).passed


def people_moved(work: Work, group_seqs: Collection[int], user_seqs: Sequence[int]) -> None:
    """These people joined or left these groups, or groups in them: rules there and above claim or let go (E-2 to E-4).

    The caller has written the memberships and holds the groups. People are ranked in the order given (X-8). They are
    held besides, unless the gate is open already: then a group was deleted, they only leave, nobody gets a first claim.
    """
    listening = rules_on(work, closure.above(work, group_seqs))
    if not listening or not user_seqs:
        return
    if not gate.is_open(work):
        assignments.lock_people(work, user_seqs)
    entered = gate.enter(work)
    inside = claims.inside(work, {rule.group_seq for rule in listening}, user_seqs)
    people = entered.load(user_seqs)
    follower = given.Follower(entered, listening, user_seqs)
    for person in people:
        follower.follow(person, [rule for rule in listening if (person.seq, rule.group_seq) in inside])
    entered.settle()


def person_made(work: Work, user_seq: int) -> bool:
    """A person was made: rules for everyone claim (D-7); whether there are any. Costs one small look where not."""
    return people_made(work, [user_seq])


def people_made(work: Work, user_seqs: Sequence[int]) -> bool:
    """These people were made, in this order: rules for everyone claim (D-7); whether there are any."""
    listening = work.rows(_FOR_EVERYONE)
    if not listening:
        return False
    entered = gate.enter(work)
    follower = given.Follower(entered, listening, user_seqs)
    for person in entered.load(user_seqs):
        follower.follow(person, listening)
    entered.settle()
    return True


def attributes_changed(work: Work, user_seq: int) -> bool:
    """A person's attributes changed: rules that ask for some of them look again (D-7); whether there are any.

    The caller holds the person, so that no membership of the person changes meanwhile.
    """
    filtered = given.filtered_rules(work)
    if not filtered:
        return False
    groups = {rule.group_seq for rule in filtered if rule.group_seq is not None}
    inside = claims.inside(work, groups, [user_seq])
    mine = [rule for rule in filtered if rule.everyone or (user_seq, rule.group_seq) in inside]
    if not mine and not claims.claimants(work, [user_seq]):
        return True
    entered = gate.enter(work)
    follower = given.Follower(entered, filtered, [user_seq])
    for person in entered.load([user_seq]):
        follower.follow(person, mine)
    entered.settle()
    return True


def activity_changed(work: Work, user_seqs: Sequence[int]) -> None:
    """These people were deactivated or banned: seats are freed at once (E-10, E-13); or claims count from now (E-11).

    The caller holds the people. Nothing is locked for people without claims (decision 20).
    """
    concerned = claims.claimants(work, user_seqs)
    if not concerned:
        return
    entered = gate.enter(work)
    people = entered.load([seq for seq in user_seqs if seq in concerned])
    leaving = [person for person in people if not person.active]
    parking.hold(entered, parking.to_park(entered, leaving))
    for person in people:
        if person.present:
            _come_back(entered, person)
        else:
            rest(entered, person)
    entered.settle([person.seq for person in people])


def person_gone(work: Work, user_seq: int) -> None:
    """A person is about to be deleted: claims end, seats are freed and the queue is served (E-19)."""
    entered = gate.enter(work) if claims.claimants(work, [user_seq]) else None
    if entered is None:
        work.execute(_FORGET_ROWS, which=user_seq)
        return
    [person] = entered.load([user_seq])
    held = parking.held_already(entered, person)
    kept = {**dict.fromkeys(type_seq for _, type_seq in parking.to_park(entered, [person])), **held}
    for claim in list(person.claims):
        entered.claims.end(person, claim, PERSON_DELETED)
    person.stops.clear()
    parking.park(entered, person, kept)
    entered.settle([user_seq])
    work.execute(_FORGET_ROWS, which=user_seq)


def rest(entered: Gate, person: facts.Person) -> None:
    """The claims of who was deactivated or banned sleep; those that were lingering end. The caller settles.

    Who is banned has nothing that waits for a return (E-13).
    """
    if person.banned:
        for seq in [seq for seq, stop in person.stops.items() if stop.by == facts.MASS_CHANGE]:
            del person.stops[seq]
    for claim in list(person.claims):
        if claim.until is not None:
            entered.claims.end(person, claim, DEACTIVATED)


def rules_on(work: Work, group_seqs: Collection[int]) -> list[Any]:
    """The rules bound to these groups, as rows, oldest first."""
    return [row for chunk in chunks(sorted(group_seqs)) for row in work.rows(_RULES_ON, seqs=list(chunk))]


def _come_back(entered: Gate, person: facts.Person) -> None:
    """Who comes back within a hold gets the own seat back; every other reason counts from now (E-11, E-27)."""
    held = {seq for seq, stop in person.stops.items() if stop.by == facts.MASS_CHANGE}
    kept = {seq for seq, row in person.held.items() if row.seated and (seq in held or row.stop is None)}
    for claim in list(person.claims):
        if claim.type_seq not in kept:
            entered.claims.renew(person, claim, entered.now)
