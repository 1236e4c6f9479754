"""Cases that random walks through the engine found (tests/model/test_engine.py), each as short as it can be told."""

from __future__ import annotations

from typing import Any

from scim_service.licensing import catalog, contracts, direct, facts, rules
from scim_service.licensing.catalog import Options
from tests.conftest import START, SettableClock
from tests.licensing.conftest import HOUR, Organization


def sells(acme: Organization, seats: dict[str, int], **kinds: dict[str, Any]) -> None:
    """Types with these fields and options, and a contract."""
    with acme.writing() as work:
        for code, made in kinds.items():
            catalog.create_type(work, code, code, **made)
        contracts.create(work, "C-1", seats)


def test_A_9_a_seat_that_comes_free_later_in_a_bundle_serves_who_waits_for_the_whole(acme: Organization) -> None:
    needs = Options(requires=("base",))
    sells(
        acme,
        {"base": 2, "gold": 1, "extra": 1},
        base={"family": "f"},
        gold={"family": "f", "rank": 1},
        extra={"options": needs},
    )
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    with acme.writing() as work:
        rules.create(work, "Sales", "base", "extra", atomic=True)
    assert acme.states("base") == {"ann": "assigned", "ben": "waiting 1"}
    with acme.writing() as work:
        direct.assign(work, "ann", "gold")
    assert acme.states("base") == {"ann": "covered", "ben": "assigned"}
    assert acme.states("extra") == {"ann": "blocked", "ben": "assigned"}
    acme.check()


def test_A_9_no_seat_is_kept_for_a_part_of_a_bundle_that_the_person_cannot_have(acme: Organization) -> None:
    sells(acme, {"plain": 2, "base": 1, "extra": 1}, plain={}, base={}, extra={"options": Options(requires=("base",))})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    with acme.writing() as work:
        rules.create(work, "Sales", "plain", "extra", atomic=True)
    assert acme.states("plain") == {"ann": "assigned", "ben": "assigned"}
    acme.check()


def test_A_8_another_contract_takes_the_surplus_away_though_nobody_moves(acme: Organization) -> None:
    sells(acme, {"pro": 1}, pro={})
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 0}, "freeze")
    assert acme.states("pro") == {"ann": "grace"}
    with acme.writing() as work:
        contracts.create(work, "C-2", {"pro": 1})
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_A_13_the_quota_of_an_orphaned_rule_counts_those_who_are_in_grace_by_it(acme: Organization) -> None:
    sells(acme, {"pro": 1}, pro={})
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    acme.drops("Sales")
    with acme.writing() as work:
        rules.update(work, "Sales", "pro", quota=1)
    assert acme.states("pro") == {"ann": "grace"}
    acme.check()


def test_E_25_seats_of_the_type_that_a_rule_gave_before_do_not_count_against_its_quota(acme: Organization) -> None:
    sells(acme, {"old": 2, "new": 0}, old={}, new={})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "old")
    with acme.writing() as work:
        rules.update(work, "Sales", "old", to_type="new", quota=1)
    assert acme.states("old") == {"ann": "grace", "ben": "grace"}
    assert acme.states("new") == {"ann": "waiting 1", "ben": "waiting 2"}
    acme.check()


def test_A_13_who_is_in_grace_and_has_no_quota_does_not_wait(acme: Organization) -> None:
    sells(acme, {"pro": 2}, pro={})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    acme.leave("Sales", "ann")
    with acme.writing() as work:
        rules.update(work, "Sales", "pro", quota=0)
    assert acme.states("pro") == {"ben": "waiting 1"}
    acme.check()


def test_A_7_by_rule_priority_who_loses_the_senior_type_is_looked_at_for_the_other(acme: Organization) -> None:
    family: dict[str, Any] = {"family": "f", "conflict_policy": facts.RULE_PRIORITY}
    sells(acme, {"basic": 1, "pro": 0}, basic=family, pro={**family, "rank": 1})
    acme.has("ann")
    for group, code in {"Everyone": "basic", "Sales": "pro"}.items():
        acme.makes(group, "ann")
        acme.gives(group, code)
    assert acme.states("pro") == {"ann": "covered"}
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"basic": 0}, "immediate")
    assert acme.states("basic") == {"ann": "waiting 1"}
    assert acme.states("pro") == {"ann": "waiting 1"}
    acme.check()


def test_D_7_a_rule_that_begins_gives_to_those_who_meet_its_filter_only(
    acme: Organization, clock: SettableClock
) -> None:
    sells(acme, {"pro": 2}, pro={})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro", terms=rules.Terms(filter='userName eq "ann"', valid_from=START + HOUR))
    clock.advance(HOUR)
    acme.tick()
    assert acme.states("pro") == {"ann": "assigned", "ben": "blocked"}
    acme.check()


def test_I_1_who_gets_one_bundle_whole_is_promised_no_seat_of_another_that_is_full(acme: Organization) -> None:
    sells(acme, {"base": 1, "extra": 2, "rare": 1}, base={"rank": 2}, extra={"rank": 1}, rare={})
    acme.has("ann", "ben")
    acme.makes("All", "ann", "ben")
    acme.makes("Field", "ben")
    with acme.writing() as work:
        rules.create(work, "All", "extra", "rare", atomic=True)
    assert acme.states("rare") == {"ann": "assigned", "ben": "waiting 1"}
    with acme.writing() as work:
        rules.create(work, "Field", "base", "extra", atomic=True)
    assert acme.states("extra") == {"ann": "assigned", "ben": "assigned"}
    assert acme.states("rare") == {"ann": "assigned", "ben": "waiting 1"}
    acme.check()


def test_A_13_what_a_deleted_rule_gave_counts_against_no_quota(acme: Organization) -> None:
    sells(acme, {"pro": 1, "other": 1}, pro={}, other={})
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro", terms=rules.Terms(quota=1))
    acme.gives("Sales", "other", terms=rules.Terms(quota=1))
    with acme.writing() as work:
        rules.delete(work, "Sales", "pro")
    assert acme.states("pro") == {"ann": "grace"}
    acme.check()


def test_A_9_a_part_of_a_bundle_that_a_better_type_covers_is_waited_for_no_more(acme: Organization) -> None:
    family: dict[str, Any] = {"family": "f"}
    sells(acme, {"plain": 1, "pro": 0, "max": 1}, plain={"rank": 5}, pro=family, max={**family, "rank": 1})
    acme.has("ann")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, "Sales", "plain", "pro", atomic=True)
    assert acme.states("plain") == {"ann": "waiting 1"}
    with acme.writing() as work:
        direct.assign(work, "ann", "max")
    assert acme.states("plain") == {"ann": "assigned"}
    acme.check()


def test_I_1_no_seat_is_promised_because_another_type_covered_a_part_of_the_bundle_a_moment_ago(
    acme: Organization,
) -> None:
    family: dict[str, Any] = {"family": "f", "conflict_policy": facts.RULE_PRIORITY}
    needs, apart = Options(requires=("base",)), Options(excludes=("basic",))
    kinds = {"basic": family, "pro": {**family, "rank": 1}, "base": {"options": apart}, "extra": {"options": needs}}
    sells(acme, {"basic": 1, "pro": 1, "base": 1, "extra": 1}, **kinds)
    acme.has("zoe", "ann")
    acme.makes("All", "ann")
    acme.gives("All", "basic")
    acme.makes("Top", "zoe")
    acme.gives("Top", "pro")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "base", "extra", atomic=True)
    assert acme.states("pro") == {"zoe": "assigned", "ann": "covered"}
    with acme.writing() as work:
        catalog.update_type(work, "base", rank=2)
    assert acme.line("pro").used == 1
    acme.check()
