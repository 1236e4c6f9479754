"""Capacity over time: overage, reserves, drops with deadlines, contract ends, renewals (licensing.md A-1, A-2, A-8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import capacity, catalog, contracts, direct, drops, facts, overage, usage
from scim_service.licensing.capacity import Shortfall
from scim_service.licensing.contracts import SeatLine, Terms
from scim_service.licensing.drops import Drop
from tests.conftest import START
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
THREE = ("ann", "ben", "cem")


def signs(acme: Organization, number: str, seats: dict[str, int], **terms: Any) -> None:
    with acme.writing() as work:
        contracts.create(work, number, seats, terms=Terms(**terms))


def sets(acme: Organization, count: int, mode: str = contracts.REJECT) -> None:
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": count}, mode)


def reasons(acme: Organization, code: str = "pro") -> dict[str, tuple[str, str | None, datetime | None]]:
    with acme.reading() as work:
        return {one.user_name: (one.state, one.reason, one.until) for one in usage.people(work, code)}


@pytest.mark.parametrize(
    ("overage_word", "limit", "assigned"),
    [("block", 2, 2), ("percent:50", 3, 3), ("percent:49", 2, 2), ("count:1", 3, 3), ("true_up", None, 4)],
)
def test_A_2_the_limit_is_the_cap_and_what_is_allowed_beyond_it(
    acme: Organization, overage_word: str, limit: int | None, assigned: int
) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 2}, overage={"pro": overage_word})
    acme.has(*THREE, "dee")
    acme.makes("Sales", *THREE, "dee")
    acme.gives("Sales", "pro")
    line = acme.line("pro")
    assert (line.cap, line.limit, line.used, line.overage) == (2, limit, assigned, max(0, assigned - 2))
    acme.check()


def test_A_2_above_the_cap_each_approval_gives_one_seat_up_to_the_maximum(acme: Organization) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 1}, overage={"pro": "approve:1"})
    acme.has(*THREE)
    acme.makes("Sales", *THREE)
    acme.gives("Sales", "pro")
    assert reasons(acme)["ben"][:2] == ("waiting", facts.NEEDS_APPROVAL)
    with acme.writing() as work:
        assert contracts.approve_overage(work, "pro") == 1
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    assert reasons(acme)["cem"][1] == facts.CAP_REACHED
    acme.check()
    with pytest.raises(errors.Refused), acme.writing() as work:
        contracts.approve_overage(work, "pro")
    assert acme.line("pro").used == 2
    acme.check()


def test_A_4_a_true_up_keeps_how_many_when_and_who_at_the_highest(acme: Organization, clock: Any) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 1}, overage={"pro": "true_up"})
    acme.has(*THREE)
    acme.makes("Sales", *THREE)
    acme.gives("Sales", "pro", exit_grace=NOW)
    clock.advance(DAY)
    acme.leave("Sales", "cem")
    with acme.reading() as work:
        [water] = [one for one in overage.high_waters(work) if one.number == "C-2"]
    assert (water.used, water.cap, water.true_up, water.at) == (3, 1, 2, START)
    assert water.people == ["id-ben", "id-cem"]


def test_D_5_reserved_seats_are_kept_for_direct_grants(acme: Organization) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 3}, reserve={"pro": 1})
    acme.has(*THREE, "dee")
    acme.makes("Sales", *THREE)
    acme.gives("Sales", "pro")
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    with acme.writing() as work:
        assert direct.assign(work, "dee", "pro") == "assigned"
    acme.check()
    with acme.writing() as work:
        direct.unassign(work, "dee", "pro")
    assert acme.states("pro")["cem"] == "waiting 1"
    acme.check()


def test_D_5_a_line_counts_in_its_own_time_only(acme: Organization, clock: Any) -> None:
    sales(acme, 1, *THREE)
    with acme.writing() as work:
        contracts.add_line(work, "C-1", SeatLine("pro", 2, START + HOUR, START + 2 * HOUR))
    assert acme.line("pro").limit == 1
    clock.advance(HOUR)
    acme.tick()
    assert acme.line("pro").used == 3
    clock.advance(HOUR)
    acme.tick()
    assert reasons(acme)["cem"] == ("grace", facts.LINE_END, START + 2 * HOUR + 30 * DAY)
    acme.check()


def test_E_21_lowering_below_use_is_refused_with_the_excess(acme: Organization) -> None:
    sales(acme, 3, *THREE)
    with pytest.raises(errors.Refused, match="3 seats of pro are used, 2 more than the 1"):
        sets(acme, 1)
    assert acme.line("pro").limit == 3


def test_E_21_freeze_lets_the_least_senior_keep_the_seat_until_a_deadline(acme: Organization, clock: Any) -> None:
    sales(acme, 3, *THREE)
    sets(acme, 1, contracts.FREEZE)
    deadline = START + 30 * DAY
    assert reasons(acme) == {
        "ann": ("assigned", None, None),
        "ben": ("grace", facts.CAP_DECREASE, deadline),
        "cem": ("grace", facts.CAP_DECREASE, deadline),
    }
    acme.check()
    clock.set(deadline)
    acme.tick()
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1", "cem": "waiting 2"}
    acme.check()


def test_E_21_immediate_takes_the_seats_from_the_least_senior_at_once(acme: Organization) -> None:
    sales(acme, 3, *THREE)
    sets(acme, 2, contracts.IMMEDIATE)
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    acme.check()


def test_A_8_as_others_leave_the_surplus_shrinks_from_its_most_senior_end(acme: Organization) -> None:
    sales(acme, 4, *THREE, "dee", exit_grace=NOW)
    sets(acme, 2, contracts.FREEZE)
    assert {name for name, row in reasons(acme).items() if row[0] == "grace"} == {"cem", "dee"}
    acme.leave("Sales", "ann")
    assert {name for name, row in reasons(acme).items() if row[0] == "grace"} == {"dee"}
    acme.leave("Sales", "dee")
    assert acme.states("pro") == {"ben": "assigned", "cem": "assigned"}
    acme.check()


def test_A_8_who_is_in_exit_grace_already_loses_the_seat_first(acme: Organization) -> None:
    sales(acme, 3, *THREE, exit_grace=timedelta(days=60))
    acme.leave("Sales", "ann")
    sets(acme, 2, contracts.FREEZE)
    assert reasons(acme)["ann"] == ("grace", facts.CAP_DECREASE, START + 30 * DAY)
    assert acme.states("pro")["cem"] == "assigned"
    acme.check()
    acme.join("Sales", "ann")
    assert reasons(acme)["ann"] == ("assigned", None, None)
    assert reasons(acme)["cem"][0] == "grace"
    acme.check()


def test_A_8_more_seats_before_the_deadline_end_the_grace(acme: Organization) -> None:
    sales(acme, 3, *THREE)
    sets(acme, 1, contracts.FREEZE)
    sets(acme, 3)
    assert reasons(acme) == dict.fromkeys(THREE, ("assigned", None, None))
    with acme.reading() as work:
        assert drops.of_types(work) == {}


def test_A_8_each_drop_has_its_own_deadline_and_the_least_senior_the_earliest(acme: Organization, clock: Any) -> None:
    sales(acme, 4, *THREE, "dee")
    sets(acme, 3, contracts.FREEZE)
    clock.advance(10 * DAY)
    sets(acme, 2, contracts.FREEZE)
    found = reasons(acme)
    assert (found["dee"][2], found["cem"][2]) == (START + 30 * DAY, START + 40 * DAY)
    acme.check()


def test_E_18_a_renewal_in_the_grace_gives_back_the_same_seats(acme: Organization, clock: Any) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 2}, ends=START + DAY, grace=14 * DAY)
    acme.has(*THREE)
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    clock.advance(2 * DAY)
    acme.tick()
    assert reasons(acme)["ann"] == ("grace", facts.CONTRACT_END, START + 15 * DAY)
    acme.join("Sales", "cem")
    assert reasons(acme)["cem"][0] == "waiting"
    with acme.writing() as work:
        contracts.renew(work, "C-2", "C-3", {}, Terms())
    assert reasons(acme)["ann"] == ("assigned", None, None)
    acme.check()


def test_E_18_a_renewal_after_the_expiry_serves_former_holders_first(acme: Organization, clock: Any) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-2", {"pro": 2}, terms=Terms(ends=START + DAY, grace=DAY))
    acme.has(*THREE)
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    clock.advance(3 * DAY)
    acme.join("Sales", "cem")
    assert acme.states("pro") == {"ann": "expired", "ben": "expired", "cem": "blocked"}
    with acme.writing() as work:
        contracts.renew(work, "C-2", "C-3", {}, Terms())
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    acme.check()


def test_E_18_a_renewal_with_fewer_seats_is_a_drop_from_its_own_start(acme: Organization, clock: Any) -> None:
    acme.sells({"pro": 0})
    signs(acme, "C-2", {"pro": 3}, ends=START + DAY, grace=14 * DAY)
    acme.has(*THREE)
    acme.makes("Sales", *THREE)
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        contracts.renew(work, "C-2", "C-3", {"pro": 2}, Terms())
    assert reasons(acme)["cem"] == ("assigned", None, None)
    clock.advance(DAY)
    acme.tick()
    assert reasons(acme)["cem"] == ("grace", facts.CAP_DECREASE, START + 31 * DAY)
    assert reasons(acme)["ben"] == ("assigned", None, None)
    acme.check()


def test_E_18_a_contract_is_renewed_once(acme: Organization) -> None:
    acme.sells({"pro": 1})
    with acme.writing() as work:
        contracts.renew(work, "C-1", "C-2", {}, Terms())
    with pytest.raises(errors.Refused), acme.writing() as work:
        contracts.renew(work, "C-1", "C-3", {}, Terms())


def test_A_1_a_renewal_supersedes_its_predecessor_and_other_lines_add_up(acme: Organization) -> None:
    acme.sells({"pro": 5})
    signs(acme, "C-2", {"pro": 2})
    assert acme.line("pro").limit == 7
    with acme.writing() as work:
        contracts.renew(work, "C-1", "C-3", {"pro": 1}, Terms())
    assert acme.line("pro").limit == 3


@pytest.mark.parametrize("word", ["", "percent", "percent:x", "count:-1", "true_up:3", "block:1", "sometimes"])
def test_A_2_an_overage_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(errors.InvalidValue):
        capacity.parse_overage(word)


def test_D_13_drops_add_up_to_the_surplus_and_departures_reduce_the_earliest() -> None:
    why = Shortfall(facts.CAP_DECREASE, START + 2 * DAY)
    first = Drop(2, facts.LINE_END, START + DAY)
    assert drops.adjusted([first], 5, why) == [first, Drop(3, facts.CAP_DECREASE, START + 2 * DAY)]
    both = drops.adjusted([first], 5, why)
    assert drops.adjusted(both, 2, None) == [Drop(2, facts.CAP_DECREASE, START + 2 * DAY)]
    assert drops.adjusted(both, 0, None) == []
    ended = Drop(3, facts.CONTRACT_END, START + DAY)
    renewed = Shortfall(facts.CAP_DECREASE, START + 9 * DAY, renews=True)
    assert drops.adjusted([ended], 1, renewed) == [Drop(1, facts.CAP_DECREASE, START + 9 * DAY)]
