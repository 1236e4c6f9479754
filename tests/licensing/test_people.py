"""What happens to people: activity, deletion, acts by hand (licensing.md E-9 to E-11, E-19), on both databases."""

from __future__ import annotations

import pytest

from scim_service import errors
from scim_service.licensing import direct, explain, gate, seats
from tests.licensing.conftest import HOUR, Organization, next_due, sales


def test_E_10_a_deactivated_person_frees_the_seat_at_once_and_the_queue_is_served(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.turn("ann", False)
    assert acme.states("pro") == {"ben": "assigned"}
    with acme.reading() as work:
        [found] = explain.explain(work, "ann")
    assert (found.state, found.reason, len(found.claims)) == ("dormant", "person_inactive", 1)
    acme.check()


def test_E_10_waiting_and_grace_end_with_the_activity(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.leave("Sales", "ann")
    acme.turn("ben", False)
    acme.turn("ann", False)
    assert acme.states("pro") == {}
    assert next_due(acme) is None
    acme.turn("ann", True)
    assert acme.states("pro") == {}
    acme.check()


def test_E_11_a_reactivated_person_queues_at_the_end_and_never_goes_over_the_limit(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    acme.turn("ann", False)
    acme.turn("ann", True)
    assert acme.states("pro") == {"ben": "assigned", "cem": "waiting 1", "ann": "waiting 2"}
    acme.check()


def test_E_11_direct_claims_count_again_too(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    acme.turn("ann", False)
    assert acme.states("pro") == {}
    acme.turn("ann", True)
    assert acme.states("pro") == {"ann": "assigned"}


def test_I_7_groups_that_an_inactive_person_joins_and_leaves_count_on_return(acme: Organization) -> None:
    acme.sells({"basic": 1, "pro": 1}, exit_grace=HOUR)
    acme.has("ann", active=False)
    for group, code in {"Everyone": "basic", "Sales": "pro"}.items():
        acme.makes(group)
        acme.gives(group, code)
    acme.join("Everyone", "ann")
    acme.join("Sales", "ann")
    acme.leave("Everyone", "ann")
    assert acme.line("pro").used == 0
    acme.turn("ann", True)
    assert (acme.states("basic"), acme.states("pro")) == ({}, {"ann": "assigned"})
    acme.check()


def test_decision_20_the_activity_of_people_without_claims_does_not_enter_the_gate(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann")
    with acme.writing() as work:
        seats.activity_changed(work, [acme.people["ann"]])
        seats.person_gone(work, acme.people["ann"])
        assert not gate.is_open(work)


def test_E_19_a_deleted_persons_seat_goes_to_the_queue_and_nothing_dangles(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.delete("ann")
    assert acme.states("pro") == {"ben": "assigned"}
    acme.delete("ben")
    assert (acme.line("pro").used, acme.states("pro")) == (0, {})
    acme.check()


def test_decision_45_a_direct_grant_at_a_full_cap_is_refused_with_the_numbers(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", "ben")
    with acme.writing() as work:
        assert direct.assign(work, "ANN", "pro") == "assigned"
    with pytest.raises(errors.Refused, match="1 of 1"), acme.writing() as work:
        direct.assign(work, "ben", "pro")
    with acme.writing() as work:
        assert direct.assign(work, "ann", "pro") == "assigned"
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_a_direct_grant_of_a_lesser_type_is_kept_though_it_is_full(suite: Organization) -> None:
    suite.join("Sales", "ann")
    suite.join("Everyone", "ben", "cem")
    with suite.writing() as work:
        assert direct.assign(work, "ann", "basic") == "covered"
    suite.check()


def test_a_direct_grant_to_who_holds_the_type_already_needs_no_seat_and_ends_a_grace(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.leave("Sales", "ann")
    with acme.writing() as work:
        assert direct.assign(work, "ann", "pro") == "assigned"
    acme.check()


def test_an_inactive_or_unknown_person_cannot_be_given_a_license(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", active=False)
    with acme.writing() as work:
        with pytest.raises(errors.Refused, match="not active"):
            direct.assign(work, "ann", "pro")
        with pytest.raises(errors.NotFound, match="userName"):
            direct.assign(work, "zoe", "pro")
        with pytest.raises(errors.NotFound, match="no license type"):
            direct.unassign(work, "ann", "gold")
        with pytest.raises(errors.NotFound, match="no pro to take back"):
            direct.unassign(work, "ann", "pro")


def test_E_9_a_direct_grant_ends_at_once_and_the_seat_goes_to_the_queue(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", "ben")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    acme.makes("Sales", "ben")
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        assert direct.unassign(work, "ann", "pro") is None
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()


def test_E_9_an_inherited_license_is_not_taken_back_and_the_refusal_names_the_group(acme: Organization) -> None:
    sales(acme, 1, "ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    with acme.writing() as work:
        assert direct.unassign(work, "ann", "pro") == "assigned"
    with acme.writing() as work, pytest.raises(errors.Refused, match="'Sales'"):
        direct.unassign(work, "ann", "pro")
    acme.leave("Sales", "ann")
    with acme.writing() as work, pytest.raises(errors.Refused, match="exit grace"):
        direct.unassign(work, "ann", "pro")
