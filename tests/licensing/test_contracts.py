"""What was bought: types, contracts and the limit (licensing.md A-1, D-4, D-5, E-20, E-21), on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, usage
from scim_service.licensing.contracts import SeatLine
from tests.licensing.conftest import HOUR, NOW, Organization, sales


def test_E_20_more_seats_go_to_who_waits_in_published_order(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    with acme.writing() as work:
        assert contracts.set_seats(work, "C-1", {"pro": 2}).seats == {"pro": 2}
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    acme.check()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (SeatLine("pro", -1), "bad_quantity"),
        (SeatLine("pro", contracts.MOST_SEATS + 1), "bad_quantity"),
        (SeatLine("pro", 2, reserve=3), "bad_reserve"),
        (SeatLine("pro", 2, overage="percent:x"), "bad_overage"),
        (SeatLine("guest", 2), "free_type"),
        (SeatLine("nothing", 2), "unknown_license"),
    ],
)
def test_D_5_a_line_that_cannot_be_is_refused_when_it_is_added(acme: Organization, line: SeatLine, code: str) -> None:
    acme.sells({"pro": 1, "guest": None})
    with pytest.raises(errors.ScimError) as refusal, acme.writing() as work:
        contracts.add_line(work, "C-1", line)
    assert refusal.value.code == code
    with acme.reading() as work:
        assert [one.quantity for one in contracts.find(work, "C-1").lines] == [1]


def test_A_2_when_no_more_can_be_approved_who_waits_is_told_that_the_cap_is_reached(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    with acme.writing() as work:
        contracts.add_line(work, "C-1", SeatLine("pro", 0, overage="approve:1"))
    assert reasons(acme) == {"ann": None, "ben": "needs_approval", "cem": "needs_approval"}
    acme.check()
    with acme.writing() as work:
        contracts.approve_overage(work, "pro")
    assert reasons(acme) == {"ann": None, "ben": None, "cem": "cap_reached"}
    acme.check()


def reasons(acme: Organization) -> dict[str, str | None]:
    with acme.reading() as work:
        return {one.user_name: one.reason for one in usage.people(work, "pro")}


def test_E_18_a_renewal_does_not_start_before_what_it_renews(acme: Organization, clock: Any) -> None:
    acme.sells({"pro": 1})
    terms = contracts.Terms(starts=clock.now() - HOUR)
    with pytest.raises(errors.InvalidValue, match="before") as refusal, acme.writing() as work:
        contracts.renew(work, "C-1", "C-2", {"pro": 2}, terms)
    assert refusal.value.code == "bad_period"


def test_E_21_a_cap_below_use_is_refused_with_the_excess(acme: Organization) -> None:
    sales(acme, 3, "ann", "ben", "cem")
    with pytest.raises(errors.Refused, match="Free 2"), acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 1})
    assert acme.line("pro").limit == 3
    acme.leave("Sales", "ann")
    acme.turn("ann", False)
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 2})
    assert acme.line("pro").limit == 2


def test_A_1_the_limit_is_the_sum_of_the_lines_valid_now(acme: Organization, clock: Any) -> None:
    acme.sells({"pro": 1})
    start = clock.now()
    with acme.writing() as work:
        contracts.create(work, "next", {"pro": 10}, start + HOUR, start + 2 * HOUR)
        contracts.create(work, "past", {"pro": 100}, start - 2 * HOUR, start)
        contracts.create(work, "now", {"pro": 1000}, start)
    found = []
    for _ in range(3):
        found.append(acme.line("pro").limit)
        clock.advance(HOUR)
    assert found == [1001, 1011, 1001]


def test_E_18_after_the_end_holders_stay_for_the_grace_and_nothing_is_granted(acme: Organization, clock: Any) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": 2}, ends=work.now + HOUR)
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro", exit_grace=NOW)
    clock.advance(HOUR)
    assert acme.tick() == 2
    acme.join("Sales", "cem")
    assert acme.states("pro") == {"ann": "grace", "ben": "grace", "cem": "blocked"}
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"ben": "grace", "cem": "blocked"}
    assert (acme.line("pro").limit, acme.line("pro").used) == (0, 1)
    acme.check()
    clock.advance(contracts.GRACE)
    acme.tick()
    assert acme.states("pro") == {"ben": "expired", "cem": "blocked"}
    assert acme.line("pro").used == 0
    acme.check()


def test_a_contract_that_cannot_be_is_refused(acme: Organization) -> None:
    acme.sells({"pro": 1, "viewer": None})
    with acme.writing() as work:
        for lines, ends in (({"pro": -1}, None), ({"viewer": 1}, None), ({"pro": 1}, work.now)):
            with pytest.raises(errors.InvalidValue):
                contracts.create(work, "C-2", lines, ends=ends)
        with pytest.raises(errors.NotFound):
            contracts.create(work, "C-2", {"gold": 1})
        with pytest.raises(errors.NotFound):
            contracts.set_seats(work, "C-2", {"pro": 1})
    with pytest.raises(errors.Uniqueness, match="contract"), acme.writing() as work:
        contracts.create(work, "C-1", {"pro": 1})


def test_a_license_type_that_cannot_be_is_refused(acme: Organization) -> None:
    acme.sells({"pro": 1})
    with acme.writing() as work, pytest.raises(errors.InvalidValue):
        catalog.create_type(work, "a b", "A")
    with acme.writing() as work, pytest.raises(errors.InvalidValue):
        catalog.create_type(work, "ab", "A", exit_grace=timedelta(seconds=-1))
    with pytest.raises(errors.Uniqueness, match="license type"), acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")


def test_A_2_who_waits_is_told_the_cap_once_no_more_seats_above_it_can_be_approved(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem", "dan")
    with acme.writing() as work:
        contracts.renew(work, "C-1", "C-2", {"pro": 1}, contracts.Terms(overage={"pro": "approve:1"}))
    assert waits(acme) == {"ben": "needs_approval", "cem": "needs_approval", "dan": "needs_approval"}
    with acme.writing() as work:
        contracts.approve_overage(work, "pro")
    assert waits(acme) == {"cem": "cap_reached", "dan": "cap_reached"}
    acme.check()


def waits(acme: Organization) -> dict[str, str | None]:
    """Why each waiting person waits."""
    return {name: reason for name, reason in reasons(acme).items() if reason is not None}
