"""The brake on mass removals, and what an administrator makes of it (licensing.md E-27, decision 41)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scim_service.directory import holds as undoing
from scim_service.licensing import direct, facts, gate, holds, seats
from scim_service.storage import tables
from scim_service.storage.work import Actor
from tests.licensing.conftest import HOUR, NOW, Organization, next_due, sales, since_of
from tests.rows import everything

DAY = timedelta(days=1)
PROVIDER, ADMINISTRATOR = Actor("connection", "okta"), Actor("cli")
NAMES = [f"p{number:02}" for number in range(12)]
"""Two more than may be removed at once."""


@pytest.fixture
def full(acme: Organization) -> Organization:
    """Twelve people hold all twelve seats of `pro` by the group Sales; Dan and Eva wait."""
    sales(acme, 12, *NAMES, "dan", "eva", exit_grace=NOW)
    acme.actor = PROVIDER
    return acme


def held(acme: Organization) -> dict[str, str]:
    """Whose seats are held: userName → how the person was removed."""
    with acme.reading() as work:
        return {one.user_name: one.state for one in holds.listing(work)}


def waiting(acme: Organization) -> list[str]:
    return [name for name, state in acme.states("pro").items() if state.startswith("waiting")]


def test_E_27_ten_removals_in_ten_minutes_are_normal_and_the_eleventh_seat_is_held(full: Organization) -> None:
    for name in NAMES[:10]:
        full.turn(name, False)
    assert held(full) == {} and waiting(full) == []
    full.turn(NAMES[10], False)
    assert held(full) == {NAMES[10]: "deactivated"}
    assert full.states("pro")[NAMES[10]] == "suspended"
    assert (full.line("pro").used, full.line("pro").suspended) == (4, 1)
    full.check()


def test_E_27_of_many_holders_a_fifth_may_go(acme: Organization, clock: Any) -> None:
    names = [f"q{number:02}" for number in range(60)]
    sales(acme, 60, *names, exit_grace=NOW)
    acme.actor = PROVIDER
    clock.advance(HOUR)
    for name in names[:12]:
        acme.turn(name, False)
    assert held(acme) == {}
    acme.turn(names[12], False)
    assert held(acme) == {names[12]: "deactivated"}
    acme.check()


def test_E_27_a_queue_that_refills_the_seats_does_not_raise_the_threshold(acme: Organization, clock: Any) -> None:
    names = [f"q{number:02}" for number in range(60)]
    sales(acme, 60, *names, *(f"w{number:02}" for number in range(20)), exit_grace=NOW)
    acme.actor = PROVIDER
    clock.advance(HOUR)
    for name in names[:13]:
        acme.turn(name, False)
    assert held(acme) == {names[12]: "deactivated"}
    assert len(waiting(acme)) == 20 - 12
    acme.check()


def test_E_27_removals_that_are_ten_minutes_apart_are_not_added_up(full: Organization, clock: Any) -> None:
    for name in NAMES[:10]:
        full.turn(name, False)
    clock.advance(timedelta(minutes=10))
    full.turn(NAMES[10], False)
    assert held(full) == {}
    full.check()


def test_E_27_seats_of_deleted_people_are_held_and_not_handed_to_the_queue(full: Organization) -> None:
    for name in NAMES:
        full.delete(name)
    assert held(full) == {NAMES[10]: "deleted", NAMES[11]: "deleted"}
    assert full.states("pro") == {"dan": "assigned", "eva": "assigned"}
    assert full.line("pro").used == 4
    full.check()


def test_E_27_the_queue_gets_nothing_of_what_is_held_until_the_hold_is_over(full: Organization, clock: Any) -> None:
    full.has("fay", "gus")
    full.join("Sales", "fay", "gus")
    for name in NAMES[:8]:
        full.turn(name, False)
    full.has(*(more := [f"z{number}" for number in range(8)]))
    full.join("Sales", *more)
    for name in NAMES[8:]:
        full.turn(name, False)
    assert held(full) == {NAMES[10]: "deactivated", NAMES[11]: "deactivated"}
    assert len(waiting(full)) == 2
    clock.advance(DAY - timedelta(seconds=1))
    full.tick()
    assert len(waiting(full)) == 2
    clock.advance(timedelta(seconds=1))
    full.tick()
    assert waiting(full) == [] and held(full) == {}
    assert next_due(full) is None
    full.check()


def test_E_27_who_is_restored_has_the_own_seat_back_since_when_it_was_held(full: Organization, clock: Any) -> None:
    before = since_of(full, NAMES[11])
    for name in NAMES:
        full.turn(name, False)
    clock.advance(HOUR)
    full.turn(NAMES[11], True)
    full.turn(NAMES[0], True)
    assert full.states("pro")[NAMES[11]] == "assigned"
    assert since_of(full, NAMES[11]) == before
    assert since_of(full, NAMES[0]) == clock.instant
    assert held(full) == {NAMES[10]: "deactivated"}
    full.check()


def test_E_27_who_is_taken_out_of_the_group_too_has_the_own_seat_back_once_both_are_undone(
    full: Organization, clock: Any
) -> None:
    before = since_of(full, NAMES[11])
    full.has(*(more := [f"z{number}" for number in range(10)]))
    full.join("Sales", *more)
    for name in NAMES:
        full.turn(name, False)
    full.leave("Sales", *NAMES)
    assert held(full) == {NAMES[10]: "deactivated", NAMES[11]: "deactivated"}
    full.check()
    clock.advance(HOUR)
    full.turn(NAMES[11], True)
    assert full.states("pro")[NAMES[11]] == "suspended" and len(waiting(full)) == 2
    full.join("Sales", NAMES[11])
    assert full.states("pro")[NAMES[11]] == "assigned"
    assert since_of(full, NAMES[11]) == before
    full.check()
    full.turn(NAMES[10], True)
    clock.advance(23 * HOUR)
    full.tick()
    assert NAMES[10] not in full.states("pro") and len(waiting(full)) == 1
    full.check()


def test_E_27_a_person_who_is_made_again_with_the_user_name_has_the_seat_back(full: Organization) -> None:
    full.has(*(more := [f"z{number}" for number in range(8)]))
    full.join("Sales", *more)
    for name in NAMES:
        full.delete(name)
    full.has("ida")
    full.join("Sales", "ida")
    assert full.states("pro")["ida"] == "waiting 1"
    full.has(NAMES[11])
    assert full.states("pro").get(NAMES[11]) is None
    full.join("Sales", NAMES[11])
    assert full.states("pro")[NAMES[11]] == "assigned"
    assert full.states("pro")["ida"] == "waiting 1"
    assert held(full) == {NAMES[10]: "deleted"}
    full.check()


def test_E_27_who_is_made_again_inactive_has_no_seat_yet_and_it_stays_held(full: Organization) -> None:
    for name in NAMES:
        full.delete(name)
    full.has(NAMES[11], active=False)
    full.join("Sales", NAMES[11])
    assert held(full) == {NAMES[10]: "deleted", NAMES[11]: "deleted"}
    full.turn(NAMES[11], True)
    assert full.states("pro")[NAMES[11]] == "assigned"
    assert held(full) == {NAMES[10]: "deleted"}
    full.check()


def test_E_27_a_parked_seat_whose_person_needs_none_goes_to_the_queue(acme: Organization) -> None:
    acme.sells({"pro": 12, "max": 1}, ("pro", "max"))
    acme.has(*NAMES, "dan")
    acme.makes("Sales", *NAMES)
    acme.makes("Top")
    acme.gives("Sales", "pro", exit_grace=NOW)
    acme.gives("Top", "max", exit_grace=NOW)
    acme.actor = PROVIDER
    for name in NAMES:
        acme.delete(name)
    acme.has(*(more := [f"z{number}" for number in range(10)]), NAMES[11])
    acme.join("Sales", *more, "dan")
    assert acme.states("pro")["dan"] == "waiting 1"
    acme.join("Top", NAMES[11])
    acme.join("Sales", NAMES[11])
    assert acme.states("pro")[NAMES[11]] == "covered"
    assert acme.states("pro")["dan"] == "assigned"
    acme.check()


def test_E_27_a_hold_never_outlives_its_day_even_where_the_person_is_deleted_meanwhile(
    full: Organization, clock: Any
) -> None:
    for name in NAMES:
        full.turn(name, False)
    clock.advance(23 * HOUR)
    full.delete(NAMES[11])
    assert held(full) == {NAMES[10]: "deactivated", NAMES[11]: "deleted"}
    full.check()
    clock.advance(HOUR)
    full.tick()
    assert held(full) == {}
    assert full.line("pro").used == 2
    full.check()


def test_E_27_administrators_are_exempt(full: Organization) -> None:
    full.actor = ADMINISTRATOR
    for name in NAMES:
        full.turn(name, False)
    assert held(full) == {} and waiting(full) == []
    full.check()


def test_E_27_an_administrator_who_deletes_a_held_person_frees_the_seat(full: Organization) -> None:
    for name in NAMES:
        full.turn(name, False)
    full.actor = ADMINISTRATOR
    full.delete(NAMES[11])
    assert held(full) == {NAMES[10]: "deactivated"}
    assert full.line("pro").used == 3
    full.check()


def test_E_27_memberships_that_end_do_not_park(full: Organization) -> None:
    full.leave("Sales", *NAMES)
    assert held(full) == {}
    assert full.states("pro") == {"dan": "assigned", "eva": "assigned"}
    full.check()


def test_E_12_a_hold_does_not_lift_what_an_administrator_suspended(full: Organization) -> None:
    full.actor = ADMINISTRATOR
    with full.writing() as work:
        entered = gate.enter(work)
        [person] = entered.load([full.people[NAMES[11]]])
        person.stops[next(iter(person.held))] = facts.Stop(facts.ADMINISTRATOR)
        entered.settle([person.seq])
    full.actor = PROVIDER
    for name in NAMES:
        full.turn(name, False)
    assert held(full) == {NAMES[10]: "deactivated"}
    full.turn(NAMES[11], True)
    assert full.states("pro")[NAMES[11]] == "suspended"
    full.check()


def test_E_27_confirming_hands_the_seats_to_the_queue_now(full: Organization) -> None:
    full.has(*(more := [f"z{number}" for number in range(10)]))
    full.join("Sales", *more)
    for name in NAMES[:11]:
        full.turn(name, False)
    full.delete(NAMES[11])
    assert waiting(full) == more[8:]
    full.actor = ADMINISTRATOR
    with full.writing() as work:
        done = holds.confirm(work)
    assert {one.user_name: one.state for one in done.ended} == {NAMES[10]: "deactivated", NAMES[11]: "deleted"}
    assert done.served == [(name, "pro") for name in more[8:]]
    assert waiting(full) == [] and held(full) == {}
    full.turn(NAMES[10], True)
    assert full.states("pro")[NAMES[10]] == "waiting 1"
    full.check()


def test_E_27_undoing_makes_the_people_active_again_with_their_own_seats(full: Organization, clock: Any) -> None:
    before = since_of(full, NAMES[10])
    for name in NAMES[:11]:
        full.turn(name, False)
    full.delete(NAMES[11])
    full.actor = ADMINISTRATOR
    clock.advance(HOUR)
    with full.writing() as work:
        restored, left = undoing.undo(work)
    assert [one.user_name for one in restored] == [NAMES[10]]
    assert [one.user_name for one in left] == [NAMES[11]]
    assert full.states("pro")[NAMES[10]] == "assigned"
    assert since_of(full, NAMES[10]) == before
    assert held(full) == {NAMES[11]: "deleted"}
    assert next(one for one in full.events(NAMES[10])[::-1] if one.action == "user:changed").data["active"] is True
    full.check()
    kept = everything(full.store)
    with full.writing() as work:
        assert undoing.undo(work)[0] == []
    assert everything(full.store) == kept


def test_E_13_who_is_banned_while_held_frees_the_seat(full: Organization) -> None:
    for name in NAMES:
        full.turn(name, False)
    full.actor = ADMINISTRATOR
    ban(full, NAMES[11])
    assert held(full) == {NAMES[10]: "deactivated"}
    full.check()


def ban(acme: Organization, name: str) -> None:
    users = tables.directory.users
    with acme.writing() as work:
        mine = (users.c.tenant_id == work.tenant_id, users.c.seq == acme.people[name])
        work.execute(users.update().where(*mine).values(banned=True))
        seats.activity_changed(work, [acme.people[name]])


def test_E_27_a_direct_license_is_held_too_and_not_made_again_with_the_name(acme: Organization) -> None:
    acme.sells({"pro": 12})
    acme.has(*NAMES)
    with acme.writing() as work:
        for name in NAMES:
            direct.assign(work, name, "pro")
    acme.actor = PROVIDER
    for name in NAMES:
        acme.delete(name)
    acme.has(NAMES[11])
    assert held(acme) == {NAMES[10]: "deleted", NAMES[11]: "deleted"}
    assert acme.states("pro") == {}
    acme.check()
