"""Addresses of people whom identity providers push, and what a change of address does (licensing.md T-5; E1 to E4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import connections, credentials
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.app import create_app
from scim_service.directory import invitations, people, users
from scim_service.protocol import patch
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.invited import ALICE, House
from tests.service import Cast

NEW = "alice@new.example"


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


@pytest.fixture
def cast(store: Store, house: House) -> Cast:
    """The same tenant with an identity provider."""
    app = create_app(service.settings(store.database.url), store)
    token = house.do(lambda work: credentials.create(work, connections.create(work, "okta", "okta")))
    caller = service.Caller(app.test_client(), token)
    return Cast(app, store, caller, caller, house.tenant_id, 0, {"okta": token})


def mail(*emails: str) -> list[dict[str, Any]]:
    return [{"value": one, "type": "work", "primary": number == 0} for number, one in enumerate(emails)]


def test_T_5_who_is_pushed_with_an_address_of_no_verified_domain_verifies_it(house: House, cast: Cast) -> None:
    house.set(verified_domains=["corp.example"])
    cast.acme.user(ALICE, emails=mail(ALICE))
    assert house.new() == ["verification"]
    assert house.status() == "unverified"
    assert house.turn_to(24) == ["verification_reminder"]
    house.accept(VERIFICATION)
    assert (house.status(), house.new()) == ("active", [])


@pytest.mark.parametrize("email", ["a@corp.example", "A@CORP.example"])
def test_T_5_an_address_in_a_verified_domain_is_never_asked_for(house: House, cast: Cast, email: str) -> None:
    house.set(verified_domains=["corp.example"])
    cast.acme.user("a", emails=mail(email))
    cast.acme.user("b")
    assert (house.new(), house.status("a"), house.status("b")) == ([], "active", "active")


def test_T_5_a_lapse_takes_nothing_from_whom_an_identity_provider_made(house: House, cast: Cast) -> None:
    cast.acme.user(ALICE, emails=mail(ALICE))
    house.invite(type_code="premium")
    assert house.new() == ["verification", "belongs_to"]
    house.turn_to(264)
    assert house.states() == {VERIFICATION: "lapsed"}
    assert house.holds() == {"premium": "assigned"}
    assert house.ask(lambda work: people.profile(work, ALICE)).person.active


def test_T_5_whom_an_identity_provider_has_taken_over_a_lapse_does_not_touch(house: House, cast: Cast) -> None:
    found = house.invite()
    cast.acme.patch(f"/Users/{found.user_id}", {"op": "replace", "path": "title", "value": "Engineer"})
    house.turn_to(264)
    assert house.states()[INVITATION] == "lapsed"
    assert house.holds() == {"premium": "assigned"}


def test_T_5_can_be_switched_off(house: House, cast: Cast) -> None:
    house.set(verify_pushed=False)
    made = cast.acme.user(ALICE, emails=mail(ALICE))
    cast.acme.patch(f"/Users/{made['id']}", {"op": "replace", "path": "emails", "value": mail(NEW)})
    assert (house.new(), house.status()) == ([], "active")


def test_T_5_who_is_pushed_inactive_is_asked_when_active(house: House, cast: Cast) -> None:
    made = cast.acme.user(ALICE, emails=mail(ALICE), active=False)
    assert house.new() == []
    turn = {"op": "replace", "path": "active"}
    cast.acme.patch(f"/Users/{made['id']}", {**turn, "value": True})
    assert house.new() == ["verification"]
    old = house.link(VERIFICATION)
    cast.acme.patch(f"/Users/{made['id']}", {**turn, "value": False})
    assert house.states() == {VERIFICATION: "removed"}
    cast.acme.patch(f"/Users/{made['id']}", {**turn, "value": True})
    assert house.new() == ["verification"]
    with pytest.raises(errors.NotFound):
        house.answer(old)
    house.accept(VERIFICATION)
    cast.acme.patch(f"/Users/{made['id']}", {**turn, "value": False})
    cast.acme.patch(f"/Users/{made['id']}", {**turn, "value": True})
    assert (house.new(), house.status()) == ([], "active")


def test_T_5_a_person_of_a_verified_domain_costs_no_statement_more(house: House, cast: Cast) -> None:
    house.set(verified_domains=["corp.example"])
    cast.acme.user("warm", emails=mail("warm@corp.example"))
    told: list[str] = []
    engine = cast.store.database.writes

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        told.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    counts = []
    for name, emails in (("none", mail("nowhere")), ("fine", mail("x@corp.example")), ("asked", mail(ALICE))):
        told.clear()
        cast.acme.user(name, emails=emails)
        counts.append(len(told))
    sa.event.remove(engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
    assert counts[2] - counts[1] <= 2


CHANGES = {
    "PATCH with a path": lambda cast, id_: cast.acme.patch(
        f"/Users/{id_}", {"op": "replace", "path": 'emails[type eq "work"].value', "value": NEW}
    ),
    "PATCH without a path": lambda cast, id_: cast.acme.patch(
        f"/Users/{id_}", {"op": "replace", "value": {"emails": mail(NEW)}}
    ),
    "PUT": lambda cast, id_: cast.acme.put(
        f"/Users/{id_}", {"schemas": [service.CORE], "userName": ALICE, "emails": mail(NEW)}
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_E_1_and_E_4_another_address_is_not_verified_and_both_are_told(house: House, cast: Cast, how: str) -> None:
    found = house.invite()
    house.accept()
    house.accept(VERIFICATION)
    house.new()
    assert CHANGES[how](cast, found.user_id).status == 200
    assert house.new() == ["address_changed_old", "address_changed_new"]
    assert [row.recipient for row in house.letters()[-2:]] == [ALICE, NEW]
    assert house.facts("address_changed_old") == {}
    assert house.facts("address_changed_new")["link"]["kind"] == VERIFICATION
    assert (house.status(), house.holds()) == ("unverified", {"premium": "assigned"})
    house.accept(VERIFICATION)
    assert (house.status(), house.new()) == ("active", [])


@pytest.mark.parametrize("how", CHANGES)
def test_E_1_an_open_invitation_dies_with_its_address(house: House, cast: Cast, how: str) -> None:
    found = house.invite()
    texts = [house.link(), house.link(VERIFICATION)]
    house.new()
    CHANGES[how](cast, found.user_id)
    assert house.new() == ["verification"]
    assert house.states() == {INVITATION: "removed", VERIFICATION: "open"}
    for text in texts:
        with pytest.raises(errors.NotFound):
            house.answer(text)
    assert house.ask(lambda work: people.profile(work, ALICE)).account.sessions_void_before is None
    house.clock.advance(timedelta(minutes=10))
    house.do(invitations.resend, ALICE)
    assert house.rows()[INVITATION].email == NEW


def test_E_1_the_same_address_in_another_case_is_the_same(house: House, cast: Cast) -> None:
    made = cast.acme.user(ALICE, emails=mail(ALICE))
    house.accept(VERIFICATION)
    house.new()
    cast.acme.patch(f"/Users/{made['id']}", {"op": "replace", "path": "emails", "value": mail(ALICE.upper())})
    assert (house.new(), house.status()) == ([], "active")


def test_E_1_a_new_address_of_a_verified_domain_needs_no_verification(house: House, cast: Cast) -> None:
    house.set(verified_domains=["new.example"])
    made = cast.acme.user(ALICE, emails=mail(ALICE))
    house.new()
    cast.acme.patch(f"/Users/{made['id']}", {"op": "replace", "path": "emails", "value": mail(NEW)})
    assert (house.new(), house.status()) == ([], "active")


def test_E_1_without_any_address_there_is_nobody_to_ask(house: House, cast: Cast) -> None:
    made = cast.acme.user(ALICE, emails=mail(ALICE))
    text = house.link(VERIFICATION)
    house.new()
    cast.acme.patch(f"/Users/{made['id']}", {"op": "remove", "path": "emails"})
    assert (house.new(), house.states()) == ([], {VERIFICATION: "removed"})
    with pytest.raises(errors.NotFound):
        house.answer(text)


def test_E_4_nobody_is_told_where_the_tenant_does_not_want_that(house: House, cast: Cast) -> None:
    house.set(tell_address_changes=False)
    found = house.invite()
    house.accept()
    house.new()
    CHANGES["PUT"](cast, found.user_id)
    assert house.new() == ["verification"]


def test_E_2_two_people_may_have_one_address_and_answer_each_for_themselves(house: House, cast: Cast) -> None:
    cast.acme.user("a", emails=mail(ALICE))
    cast.acme.user("b", emails=mail(ALICE))
    house.accept(VERIFICATION, "a")
    assert (house.status("a"), house.status("b")) == ("active", "unverified")


def test_E_1_a_change_that_waits_for_an_answer_is_made_again_with_the_locks_in_order(house: House) -> None:
    found = house.invite()
    operations = [patch.Operation("replace", "emails", mail(NEW))]
    with house.store.writing(house.tenant_id, service.ACTOR, careful=True) as work:
        users.patch(work, found.user_id, operations)
    assert house.states() == {INVITATION: "removed", VERIFICATION: "open"}
