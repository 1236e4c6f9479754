"""Ties between types: policies of families, pins, prerequisites, exclusions, yielding (A-6, A-7, A-9, A-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, facts, usage
from scim_service.licensing.catalog import Options
from tests.licensing.conftest import HOUR, NOW, Organization

Made = Mapping[str, Any]


def sells(acme: Organization, seats: dict[str, int], **kinds: Made) -> None:
    """Types with these definitions, in this order, and a contract; who leaves a group loses the seat at once."""
    with acme.writing() as work:
        for code, made in kinds.items():
            options = Options(**made.get("options", {}))
            plain = {name: value for name, value in made.items() if name != "options"}
            catalog.create_type(work, code, code, options=options, **{"exit_grace": NOW, **plain})
        contracts.create(work, "C-1", seats)


def told(acme: Organization, name: str) -> dict[str, tuple[str, str | None]]:
    with acme.reading() as work:
        return {one.type_code: (one.state, one.reason) for one in usage.people(work) if one.user_name == name}


def groups(acme: Organization, **given: str) -> None:
    """A group for each type, named after it."""
    for group, code in given.items():
        acme.makes(group)
        acme.gives(group, code)


FAMILY = {"family": "suite"}


def test_A_7_by_rule_priority_the_more_senior_reason_decides_not_the_rank(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2, "conflict_policy": facts.RULE_PRIORITY}}
    sells(acme, {"basic": 1, "pro": 1}, **kinds)
    acme.has("ann", "ben")
    acme.makes("B", "ann", "ben")
    acme.makes("P", "ann")
    acme.gives("P", "pro", priority=50)
    acme.gives("B", "basic", priority=10)
    assert told(acme, "ann") == {"basic": ("assigned", None), "pro": ("covered", facts.BETTER_TYPE_HELD)}
    acme.check()


def test_A_7_by_rule_priority_the_lesser_reason_serves_while_the_better_waits(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2, "conflict_policy": facts.RULE_PRIORITY}}
    sells(acme, {"basic": 0, "pro": 1}, **kinds)
    acme.has("ann", "ben")
    acme.makes("B", "ann")
    acme.makes("P", "ann", "ben")
    acme.gives("B", "basic", priority=10)
    acme.gives("P", "pro", priority=50)
    assert told(acme, "ann") == {"basic": ("waiting", facts.CAP_REACHED), "pro": ("assigned", None)}
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"basic": 1})
    assert told(acme, "ann") == {"basic": ("assigned", None), "pro": ("covered", facts.BETTER_TYPE_HELD)}
    assert told(acme, "ben") == {"pro": ("assigned", None)}
    acme.check()


def test_A_7_manual_the_incumbent_stays_and_the_newcomer_is_blocked(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2, "conflict_policy": facts.MANUAL}}
    sells(acme, {"basic": 2, "pro": 2}, **kinds)
    acme.has("ann", "ben")
    groups(acme, B="basic", P="pro")
    acme.join("B", "ann")
    acme.join("P", "ann")
    assert told(acme, "ann") == {"basic": ("assigned", None), "pro": ("blocked", facts.CONFLICT)}
    acme.leave("B", "ann")
    assert told(acme, "ann") == {"pro": ("assigned", None)}
    acme.check()


def test_A_7_manual_where_neither_is_held_both_are_blocked(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2, "conflict_policy": facts.MANUAL}}
    sells(acme, {"basic": 0, "pro": 0}, **kinds)
    acme.has("ann")
    groups(acme, B="basic", P="pro")
    acme.join("B", "ann")
    acme.join("P", "ann")
    assert {row[1] for row in told(acme, "ann").values()} == {facts.CONFLICT}
    acme.check()


def test_A_7_a_pin_fixes_the_type_and_there_is_no_fallback(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2}}
    sells(acme, {"basic": 1, "pro": 1}, **kinds)
    acme.has("ann", "ben")
    groups(acme, B="basic", P="pro")
    acme.join("P", "ann", "ben")
    with acme.writing() as work:
        assert direct.assign(work, "ann", "basic", pinned=True) == "assigned"
    assert told(acme, "ann") == {"basic": ("assigned", None), "pro": ("covered", facts.PINNED)}
    assert told(acme, "ben") == {"pro": ("assigned", None)}
    acme.check()


def test_D_4_without_fallback_who_waits_for_the_better_holds_nothing_lesser(acme: Organization) -> None:
    kinds = {"basic": {**FAMILY, "rank": 1}, "pro": {**FAMILY, "rank": 2, "options": {"fallback": False}}}
    sells(acme, {"basic": 1, "pro": 0}, **kinds)
    acme.has("ann")
    groups(acme, B="basic", P="pro")
    acme.join("P", "ann")
    acme.join("B", "ann")
    assert told(acme, "ann") == {"basic": ("covered", facts.BETTER_TYPE_AWAITED), "pro": ("waiting", facts.CAP_REACHED)}
    acme.check()


def test_A_9_without_its_prerequisite_a_type_is_blocked_and_with_it_given_in_the_same_step(acme: Organization) -> None:
    sells(acme, {"base": 1, "addon": 5}, base={"rank": 1}, addon={"rank": 9, "options": {"requires": ("base",)}})
    acme.has("ann")
    groups(acme, Base="base", Add="addon")
    acme.join("Add", "ann")
    assert told(acme, "ann") == {"addon": ("blocked", facts.MISSING_PREREQUISITE)}
    acme.join("Base", "ann")
    assert told(acme, "ann") == {"addon": ("assigned", None), "base": ("assigned", None)}
    acme.leave("Base", "ann")
    assert told(acme, "ann") == {"addon": ("blocked", facts.MISSING_PREREQUISITE)}
    assert acme.line("addon").used == 0
    acme.check()


def test_decision_44_a_prerequisite_in_grace_counts_and_a_waiting_one_does_not(acme: Organization) -> None:
    sells(
        acme,
        {"base": 1, "addon": 5},
        base={"rank": 1, "exit_grace": HOUR},
        addon={"rank": 9, "options": {"requires": ("base",)}},
    )
    acme.has("ann", "ben")
    groups(acme, Base="base", Add="addon")
    acme.join("Base", "ann", "ben")
    acme.join("Add", "ann", "ben")
    assert told(acme, "ben") == {
        "addon": ("blocked", facts.MISSING_PREREQUISITE),
        "base": ("waiting", facts.CAP_REACHED),
    }
    acme.leave("Base", "ann")
    assert told(acme, "ann") == {"addon": ("assigned", None), "base": ("grace", facts.LEFT_GROUP)}
    acme.check()


def test_A_9_who_moves_up_to_the_prerequisite_gets_what_requires_it(acme: Organization) -> None:
    sells(acme, {"base": 1, "addon": 5}, base={}, addon={"options": {"requires": ("base",)}})
    acme.has("ann", "ben")
    groups(acme, Base="base", Add="addon")
    acme.join("Base", "ann", "ben")
    acme.join("Add", "ben")
    acme.leave("Base", "ann")
    assert told(acme, "ben") == {"addon": ("assigned", None), "base": ("assigned", None)}
    acme.check()


def test_A_10_of_types_that_exclude_each_other_the_greater_rank_wins(acme: Organization) -> None:
    sells(acme, {"red": 1, "blue": 2}, red={"rank": 5}, blue={"rank": 1, "options": {"excludes": ("red",)}})
    acme.has("ann", "ben")
    groups(acme, R="red", B="blue")
    acme.join("B", "ann", "ben")
    acme.join("R", "ann", "ben")
    assert told(acme, "ann") == {"blue": ("blocked", facts.CONFLICT), "red": ("assigned", None)}
    assert told(acme, "ben") == {"blue": ("assigned", None), "red": ("waiting", facts.CAP_REACHED)}
    acme.leave("R", "ann")
    assert told(acme, "ann") == {"blue": ("assigned", None)}
    assert told(acme, "ben") == {"blue": ("blocked", facts.CONFLICT), "red": ("assigned", None)}
    acme.check()


def test_A_10_of_equal_ranks_the_more_senior_reason_wins(acme: Organization) -> None:
    sells(acme, {"red": 1, "blue": 1}, blue={}, red={"options": {"excludes": ("blue",)}})
    acme.has("ann")
    groups(acme, R="red", B="blue")
    acme.join("R", "ann")
    acme.join("B", "ann")
    assert told(acme, "ann") == {"blue": ("blocked", facts.CONFLICT), "red": ("assigned", None)}
    acme.check()


def test_A_6_whose_grace_ends_soonest_yields_to_who_waits(acme: Organization, clock: Any) -> None:
    sells(acme, {"pro": 2}, pro={"exit_grace": 10 * HOUR, "options": {"grace_yields": True}})
    acme.has("ann", "ben", "cem", "dee")
    groups(acme, Sales="pro")
    acme.join("Sales", "ann", "ben")
    acme.leave("Sales", "ben")
    clock.advance(HOUR)
    acme.leave("Sales", "ann")
    assert {row[0] for name in ("ann", "ben") for row in told(acme, name).values()} == {"grace"}
    acme.join("Sales", "cem")
    assert (told(acme, "ben"), told(acme, "cem")) == ({}, {"pro": ("assigned", None)})
    assert told(acme, "ann") == {"pro": ("grace", facts.LEFT_GROUP)}
    assert any(one.data.get("reason") == "yielded" for one in acme.events("ben"))
    acme.check()


def test_A_6_who_enters_a_grace_while_somebody_waits_yields_at_once(acme: Organization) -> None:
    sells(acme, {"pro": 1}, pro={"exit_grace": HOUR, "options": {"grace_yields": True}})
    acme.has("ann", "ben")
    groups(acme, Sales="pro")
    acme.join("Sales", "ann", "ben")
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()


def test_E_24_a_greater_rank_moves_people_within_the_family(acme: Organization) -> None:
    sells(acme, {"basic": 2, "pro": 2}, basic={**FAMILY, "rank": 1}, pro={**FAMILY, "rank": 2})
    acme.has("ann")
    groups(acme, B="basic", P="pro")
    acme.join("B", "ann")
    acme.join("P", "ann")
    with acme.writing() as work:
        catalog.update_type(work, "basic", rank=9)
    assert told(acme, "ann") == {"basic": ("assigned", None), "pro": ("covered", facts.BETTER_TYPE_HELD)}
    acme.check()


def test_E_24_types_that_become_a_family_leave_each_person_one(acme: Organization) -> None:
    sells(acme, {"basic": 2, "pro": 2}, basic={"rank": 1}, pro={**FAMILY, "rank": 2})
    acme.has("ann", "ben")
    groups(acme, B="basic", P="pro")
    acme.join("B", "ann", "ben")
    acme.join("P", "ann")
    with acme.writing() as work:
        catalog.update_type(work, "basic", family="suite")
    assert told(acme, "ann") == {"basic": ("covered", facts.BETTER_TYPE_HELD), "pro": ("assigned", None)}
    assert told(acme, "ben") == {"basic": ("assigned", None)}
    acme.check()


def test_X_5_a_retired_type_is_kept_by_its_holders_and_blocked_for_others(acme: Organization) -> None:
    sells(acme, {"pro": 5}, pro={})
    acme.has("ann", "ben")
    groups(acme, Sales="pro")
    acme.join("Sales", "ann")
    with acme.writing() as work:
        catalog.retire_type(work, "pro")
    acme.join("Sales", "ben")
    assert (told(acme, "ann"), told(acme, "ben")) == (
        {"pro": ("assigned", None)},
        {"pro": ("blocked", facts.RETIRED)},
    )
    acme.check()


@pytest.mark.parametrize(
    "options",
    [
        {"requires": ("nothing",)},
        {"requires": ("pro",)},
        {"excludes": ("basic",)},
        {"requires": ("other",), "excludes": ("other",)},
        {"request_mode": "perhaps"},
    ],
)
def test_D_4_ties_that_cannot_be_are_refused(acme: Organization, options: dict[str, Any]) -> None:
    sells(acme, {}, basic=FAMILY, pro=FAMILY, other={})
    with pytest.raises(errors.InvalidValue), acme.writing() as work:
        catalog.update_type(work, "pro", **options)


def test_D_4_prerequisites_in_a_circle_are_refused(acme: Organization) -> None:
    sells(acme, {}, one={}, two={"options": {"requires": ("one",)}}, three={"options": {"requires": ("two",)}})
    with pytest.raises(errors.InvalidValue, match="one, three, two"), acme.writing() as work:
        catalog.update_type(work, "one", requires=("three",))


def test_E_26_a_license_ends_at_its_expiry_without_a_grace(acme: Organization, clock: Any) -> None:
    sells(acme, {"pro": 1}, pro={"exit_grace": timedelta(days=9)})
    acme.has("ann", "ben")
    groups(acme, Sales="pro")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro", expires_at=work.now + HOUR)
    acme.join("Sales", "ben")
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    clock.advance(HOUR)
    acme.tick()
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()
