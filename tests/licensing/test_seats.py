"""Who gets a seat: queue, families, grace, the clock (licensing.md A-3, A-5, A-7, E-2, E-3, I-10); both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scim_service.licensing import catalog, contracts, shown, usage
from tests.licensing.conftest import HOUR, NOW, Organization, next_due, sales, since_of


def test_A_5_a_freed_seat_goes_to_who_waited_longest_in_the_same_transaction(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem", exit_grace=NOW)
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"ben": "assigned", "cem": "waiting 1"}
    acme.check()


def test_A_3_a_smaller_priority_goes_first_whoever_came_first(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    acme.has("vip")
    acme.makes("Chiefs", "vip")
    acme.gives("Chiefs", "pro", priority=10)
    assert acme.states("pro") == {"ann": "assigned", "vip": "waiting 1", "ben": "waiting 2"}
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"vip": "assigned", "ben": "waiting 1"}
    acme.check()


def test_I_5_a_newcomer_of_better_priority_never_takes_a_seat_from_its_holder(acme: Organization) -> None:
    sales(acme, 1, "ann")
    acme.has("vip")
    acme.makes("Chiefs", "vip")
    acme.gives("Chiefs", "pro", priority=1)
    assert acme.states("pro") == {"ann": "assigned", "vip": "waiting 1"}


def test_I_7_a_claim_is_kept_where_nothing_was_bought(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    assert acme.states("pro") == {"ann": "waiting 1"}
    with acme.writing() as work:
        contracts.create(work, "C-1", {"pro": 1})
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_D_4_a_free_type_has_no_cap(acme: Organization) -> None:
    acme.sells({"viewer": None})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "viewer")
    assert acme.states("viewer") == {"ann": "assigned", "ben": "assigned"}
    assert (acme.line("viewer").limit, acme.line("viewer").used) == (None, 2)


def test_A_7_a_better_type_covers_the_lesser_and_its_seat_goes_to_who_waits(suite: Organization) -> None:
    suite.join("Everyone", "ann", "ben", "cem")
    suite.join("Sales", "ann")
    assert suite.states("pro") == {"ann": "assigned"}
    assert suite.states("basic") == {"ann": "covered", "ben": "assigned", "cem": "assigned"}
    suite.check()


def test_A_7_who_cannot_have_the_better_type_keeps_the_lesser_and_waits(suite: Organization) -> None:
    suite.join("Sales", "ann")
    suite.join("Sales", "ben")
    suite.join("Everyone", "ben")
    assert suite.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    assert suite.states("basic") == {"ben": "assigned"}
    suite.check()


def test_I_4_a_promotion_gives_up_the_lesser_seat_in_the_same_step(suite: Organization) -> None:
    suite.join("Everyone", "ann", "ben", "cem")
    suite.join("Sales", "ann", "ben")
    assert suite.states("basic") == {"ann": "covered", "ben": "assigned", "cem": "assigned"}
    suite.leave("Sales", "ann")
    assert suite.states("pro") == {"ben": "assigned"}
    assert suite.states("basic") == {"ann": "assigned", "ben": "covered", "cem": "assigned"}
    suite.check()


def test_A_7_who_loses_the_better_type_falls_back_or_queues_for_the_lesser(suite: Organization) -> None:
    suite.join("Everyone", "ann", "ben", "cem")
    suite.join("Sales", "ann")
    suite.leave("Sales", "ann")
    assert suite.states("pro") == {}
    assert suite.states("basic") == {"ben": "assigned", "cem": "assigned", "ann": "waiting 1"}
    suite.check()


def test_E_3_who_leaves_keeps_the_seat_for_the_grace_then_it_goes_to_the_queue(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"ann": "grace", "ben": "waiting 1"}
    assert next_due(acme) == clock.now() + HOUR
    clock.advance(HOUR - timedelta(milliseconds=1))
    assert acme.tick() == 0
    clock.advance(timedelta(milliseconds=1))
    assert acme.tick() == 2
    assert acme.states("pro") == {"ben": "assigned"}
    assert acme.tick() == 0
    assert next_due(acme) is None
    acme.check()


def test_E_3_a_waiting_person_who_leaves_just_leaves_the_queue(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    acme.leave("Sales", "ben")
    assert acme.states("pro") == {"ann": "assigned", "cem": "waiting 1"}
    acme.check()


def test_E_2_who_comes_back_within_the_grace_has_the_same_seat_and_place(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    with acme.reading() as work:
        before = shown.licenses(work, list(acme.people.values()))
    acme.leave("Sales", "ann", "ben")
    clock.advance(timedelta(minutes=59))
    acme.join("Sales", "ben", "ann")
    with acme.reading() as work:
        assert shown.licenses(work, list(acme.people.values())) == before
    assert next_due(acme) is None
    acme.check()


def test_X_9_a_move_between_groups_in_two_requests_keeps_the_seat(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    acme.makes("Support")
    acme.gives("Support", "pro")
    since = since_of(acme, "ann")
    acme.leave("Sales", "ann")
    clock.advance(timedelta(minutes=10))
    acme.join("Support", "ann")
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    clock.advance(HOUR)
    acme.tick()
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    assert since_of(acme, "ann") == since
    acme.check()


def test_decision_28_the_rule_then_the_type_then_the_tenant_says_how_long_the_grace_is(
    founded: Callable[..., Organization], clock: Any
) -> None:
    acme = founded("acme", HOUR)
    acme.has("ann")
    with acme.writing() as work:
        for code, grace in {"one": None, "two": 2 * HOUR, "three": 2 * HOUR}.items():
            catalog.create_type(work, code, code, counted=False, exit_grace=grace)
    acme.makes("Sales", "ann")
    for code, grace in {"one": None, "two": None, "three": 3 * HOUR}.items():
        acme.gives("Sales", code, exit_grace=grace)
    acme.leave("Sales", "ann")
    with acme.reading() as work:
        found = {one.type_code: one.until - work.now for one in usage.people(work) if one.until}
    assert found == {"one": HOUR, "two": 2 * HOUR, "three": 3 * HOUR}


def test_a_grace_ends_on_a_whole_second_never_early(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann")
    clock.advance(timedelta(milliseconds=1))
    acme.leave("Sales", "ann")
    assert next_due(acme) == clock.now() + HOUR + timedelta(milliseconds=999)


def test_I_10_every_due_instant_passes_in_order_however_late(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    start = clock.now()
    acme.leave("Sales", "ann")
    clock.advance(timedelta(minutes=10))
    with acme.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, start + 3 * HOUR, start + 4 * HOUR)
    clock.advance(timedelta(days=2))
    assert acme.tick() == 4
    assert acme.states("pro") == {"ben": "assigned", "cem": "grace"}
    assert (since_of(acme, "ben"), since_of(acme, "cem")) == (start + HOUR, start + 3 * HOUR)
    assert acme.line("pro").limit == 1
    with acme.reading() as work:
        told = [(one.state, one.reason) for one in usage.people(work)]
    assert told == [("assigned", None), ("grace", "contract_end")]


def test_I_10_the_next_change_sees_what_lapsed_before_it(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    acme.has("cem")
    acme.leave("Sales", "ann")
    clock.advance(2 * HOUR)
    acme.join("Sales", "cem")
    assert acme.states("pro") == {"ben": "assigned", "cem": "waiting 1"}


def test_decision_23_what_has_lapsed_shows_as_not_effective_before_anybody_ticked(
    acme: Organization, clock: Any
) -> None:
    sales(acme, 1, "ann", "ben")
    acme.leave("Sales", "ann")
    clock.advance(HOUR)
    with acme.reading() as work:
        found = shown.licenses(work, [acme.people["ann"], acme.people["ben"]])
    assert [one["state"] for one in found[acme.people["ben"]]] == ["waiting"]
    assert acme.people["ann"] not in found
    assert acme.line("pro").grace == 0


@pytest.mark.parametrize("seed", range(4))
def test_house_19_random_events_leave_what_the_pure_function_would_decide(
    acme: Organization, clock: Any, seed: int
) -> None:
    chance = random.Random(seed)
    acme.sells({"basic": 3, "pro": 2, "max": 1, "extra": 2, "viewer": None}, ("basic", "pro", "max"))
    names = [f"p{number}" for number in range(12)]
    acme.has(*names)
    groups = {"A": "basic", "B": "pro", "C": "max", "D": "extra", "E": "viewer", "F": "pro"}
    for group, code in groups.items():
        acme.makes(group)
        acme.gives(group, code, priority=chance.choice([50, 100]), exit_grace=chance.choice([NOW, None]))
    acme.nest("A", "B")
    inactive: set[str] = set()
    for _ in range(60):
        event, name, group = chance.randrange(8), chance.choice(sorted(acme.people)), chance.choice(list(groups))
        if event in (0, 1, 2):
            acme.join(group, *chance.sample(sorted(acme.people), 3))
        elif event == 3:
            acme.leave(group, *chance.sample(sorted(acme.people), 2))
        elif event == 4:
            inactive ^= {name}
            acme.turn(name, name not in inactive)
        elif event == 5:
            clock.advance(timedelta(minutes=chance.randrange(90)))
            acme.tick()
        elif event == 6:
            with acme.writing() as work:
                contracts.set_seats(work, "C-1", {"pro": max(acme.line("pro").used, chance.randrange(5))})
        elif len(acme.people) > 6:
            acme.delete(name)
            inactive.discard(name)
        acme.check()
