"""People ask for a license, and somebody decides (licensing.md E-22), on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, requests
from scim_service.licensing.catalog import Options
from scim_service.licensing.requests import Request
from tests.licensing.conftest import Organization, sales
from tests.rows import everything

DAY = timedelta(days=1)


def asked_for(acme: Organization, count: int, mode: str = catalog.AUTO_IF_SEAT, **options: Any) -> None:
    """Seats of `pro`, which can be asked for; Ann, Ben and Cem."""
    acme.sells({"pro": count}, options=Options(requestable=True, request_mode=mode, **options))
    acme.has("ann", "ben", "cem")


def ask(acme: Organization, name: str, reason: str = "The report is due") -> Request:
    with acme.writing() as work:
        return requests.create(work, name, "pro", reason)


def approve(acme: Organization, name: str) -> Request:
    with acme.writing() as work:
        return requests.approve(work, name, "pro")


def deny(acme: Organization, name: str, reason: str = "No budget") -> Request:
    with acme.writing() as work:
        return requests.deny(work, name, "pro", reason)


def refused(acme: Organization, act: Any, *arguments: Any) -> str:
    """The sentence of a refusal that changes nothing."""
    before = everything(acme.store)
    with pytest.raises(errors.ScimError) as told:
        act(acme, *arguments)
    assert everything(acme.store) == before
    return told.value.detail


def test_E_22_auto_if_seat_grants_where_a_seat_is_free_and_asks_somebody_where_none_is(acme: Organization) -> None:
    asked_for(acme, 1)
    first, second = ask(acme, "ann"), ask(acme, "ben")
    assert (first.state, first.license, first.decided_by) == ("approved", "assigned", "request_mode:auto_if_seat")
    assert (second.state, second.license) == ("open", None)
    assert acme.states("pro") == {"ann": "assigned"}
    assert [one.action for one in acme.events("ben")] == ["request:created"]
    acme.check()


def test_E_22_auto_if_seat_leaves_seats_that_are_kept_for_others(acme: Organization) -> None:
    acme.sells({"basic": 1})
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=Options(requestable=True))
        contracts.create(work, "C-2", {"pro": 1}, terms=contracts.Terms(reserve={"pro": 1}))
    acme.has("ann")
    assert ask(acme, "ann").state == "open"
    acme.check()


def test_E_22_manual_is_always_decided_by_somebody(acme: Organization) -> None:
    asked_for(acme, 1, catalog.BY_HAND)
    assert ask(acme, "ann").state == "open"
    assert acme.states("pro") == {}
    decided = approve(acme, "ann")
    assert (decided.state, decided.license, decided.decided_by) == ("approved", "assigned", "cli")
    acme.check()


def test_E_22_auto_claims_at_once_and_waits_where_it_is_full(acme: Organization) -> None:
    asked_for(acme, 1, catalog.ALWAYS)
    assert [ask(acme, name).license for name in ("ann", "ben")] == ["assigned", "waiting"]
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    acme.check()


def test_E_22_an_approval_without_a_seat_waits_before_those_whom_groups_give_it(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    acme.has("dan")
    with acme.writing() as work:
        catalog.update_type(work, "pro", requestable=True)
    assert ask(acme, "dan").state == "open"
    assert approve(acme, "dan").license == "waiting"
    assert acme.states("pro") == {"ann": "assigned", "dan": "waiting 1", "ben": "waiting 2", "cem": "waiting 3"}
    acme.turn("ann", False)
    assert acme.states("pro") == {"dan": "assigned", "ben": "waiting 1", "cem": "waiting 2"}
    acme.check()


def test_E_22_a_denial_is_told_with_its_reason_and_cools_down_for_seven_days(acme: Organization, clock: Any) -> None:
    asked_for(acme, 1, catalog.BY_HAND)
    ask(acme, "ann")
    denied = deny(acme, "ann")
    assert (denied.state, denied.decision, denied.not_before) == ("denied", "No budget", clock.instant + 7 * DAY)
    clock.advance(7 * DAY - timedelta(seconds=1))
    assert "2027-03-08T08:00:00" in refused(acme, ask, "ann")
    clock.advance(timedelta(seconds=1))
    assert ask(acme, "ann").state == "open"
    assert acme.states("pro") == {}


def test_E_22_asking_again_while_it_is_open_changes_nothing(acme: Organization) -> None:
    asked_for(acme, 1, catalog.BY_HAND)
    first = ask(acme, "ann")
    before = everything(acme.store)
    assert ask(acme, "ann", "Really") == first
    assert everything(acme.store) == before


def test_E_22_approving_gives_the_seat_above_the_cap_to_the_person_it_was_approved_for(acme: Organization) -> None:
    acme.sells({"basic": 1})
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=Options(requestable=True, request_mode=catalog.ALWAYS))
        contracts.create(work, "C-2", {"pro": 1}, terms=contracts.Terms(overage={"pro": "approve:2"}))
    acme.has("ann", "ben", "cem", "dan", "eva")
    assert [ask(acme, name).license for name in ("ann", "ben", "cem", "dan", "eva")] == ["assigned", *["waiting"] * 4]
    assert approve(acme, "cem").license == "assigned"
    assert acme.states("pro") == {
        "ann": "assigned", "cem": "assigned", "ben": "waiting 1", "dan": "waiting 2", "eva": "waiting 3"
    }  # fmt: skip
    acme.check()
    assert approve(acme, "dan").license == "assigned"
    assert "no open request" in refused(acme, approve, "ben")
    assert (acme.line("pro").used, acme.line("pro").cap) == (3, 1)
    acme.check()


def test_E_22_an_approved_license_is_taken_back_by_hand_and_comes_back_with_the_person(acme: Organization) -> None:
    asked_for(acme, 1)
    ask(acme, "ann")
    acme.turn("ann", False)
    assert acme.states("pro") == {}
    acme.turn("ann", True)
    assert acme.states("pro") == {"ann": "assigned"}
    with acme.writing() as work:
        assert direct.unassign(work, "ann", "pro") is None
    assert acme.states("pro") == {}
    assert ask(acme, "ann").license == "assigned"
    acme.check()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"requestable": False}, "cannot be asked for"),
        ({"grants_admin": True}, "cannot be asked for"),
        ({"authority": catalog.GROUPS}, "given by groups"),
        ({"authority": catalog.SCIM}, "attributes only"),
        ({"assignable": False}, "not given by hand"),
        ({"retired": True}, "retired"),
    ],
)
def test_E_22_a_type_that_is_not_given_on_request_refuses(
    acme: Organization, changes: dict[str, Any], sentence: str
) -> None:
    asked_for(acme, 1)
    with acme.writing() as work:
        catalog.update_type(work, "pro", **changes)
    assert sentence in refused(acme, ask, "ann")


def test_E_22_what_makes_no_sense_is_refused(acme: Organization) -> None:
    asked_for(acme, 1)
    acme.turn("cem", False)
    ask(acme, "ann")
    assert "already (assigned)" in refused(acme, ask, "ann")
    assert "reason" in refused(acme, ask, "ben", "  ")
    assert "not active" in refused(acme, ask, "cem")
    assert "no open request" in refused(acme, approve, "ben")
    assert "no open request" in refused(acme, deny, "ann")
    assert "no open request" in refused(acme, approve, "ann")
    ask(acme, "ben")
    assert "reason" in refused(acme, deny, "ben", "")


def test_E_22_a_request_that_can_come_to_nothing_stays_open(acme: Organization) -> None:
    asked_for(acme, 1, requires=())
    with acme.writing() as work:
        catalog.create_type(work, "base", "Base")
        catalog.update_type(work, "pro", requires=("base",))
    assert ask(acme, "ann").state == "open"
    assert "requires another type" in refused(acme, approve, "ann")
    with acme.reading() as work:
        assert [(one.user_name, one.state) for one in requests.listing(work, "open")] == [("ann", "open")]


def test_E_22_requests_are_listed_with_what_was_decided_and_end_with_the_person(acme: Organization) -> None:
    asked_for(acme, 2, catalog.BY_HAND)
    for name in ("ann", "ben", "cem"):
        ask(acme, name)
    approve(acme, "ann")
    deny(acme, "ben")
    with acme.reading() as work:
        told = {one.user_name: (one.state, one.decision) for one in requests.listing(work)}
    assert told == {"ann": ("approved", None), "ben": ("denied", "No budget"), "cem": ("open", None)}
    acme.delete("ann")
    with acme.reading() as work:
        assert [one.user_name for one in requests.listing(work)] == ["ben", "cem"]
    acme.check()
