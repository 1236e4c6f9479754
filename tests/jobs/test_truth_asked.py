"""Letters about invitations go only while what they say is true (licensing.md 4.7; reliability.md F11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_service.access import admins, roles
from scim_service.access.links import VERIFICATION
from scim_service.delivery import entries
from scim_service.directory import invitations as asking
from scim_service.directory import people, users
from scim_service.jobs import truth, truth_asked
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import Work
from tests.conftest import START, SettableClock
from tests.invited import ALICE, House

BOB = "bob@acme.example"
_outbox = tables.delivery.outbox
_ALL = sa.select(*entries.columns).where(_outbox.c.tenant_id == sa.bindparam("tenant")).order_by(_outbox.c.seq)


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


def reasons(house: House) -> dict[str, str | None]:
    """Letter → why the latest of that name must not go now."""

    def question(work: Work) -> dict[str, str | None]:
        return {row.letter: truth.reason_against(work, entries.entry(row)) for row in work.rows(_ALL)}

    found: dict[str, str | None] = house.ask(question)
    return found


def test_what_was_just_asked_may_go(house: House) -> None:
    house.invite()
    assert reasons(house) == {"invitation": None, "verification": None}


def accepted(house: House) -> None:
    house.accept()


def lapsed(house: House) -> None:
    house.turn_to(264)


def renewed(house: House) -> None:
    house.clock.advance(timedelta(minutes=10))
    house.do(asking.remind, ALICE)


@pytest.mark.parametrize("act", [accepted, lapsed, renewed])
def test_F_11_what_was_answered_or_asked_anew_goes_no_more(house: House, act: Callable[[House], None]) -> None:
    house.invite()
    act(house)
    assert reasons(house)["invitation"] == truth_asked.ANSWERED


def test_F_11_an_expired_link_goes_no_more_though_the_job_was_down(house: House) -> None:
    house.invite()
    house.clock.set(START + timedelta(hours=264))
    assert reasons(house)["invitation"] == truth_asked.EXPIRED


def test_F_11_nothing_goes_to_an_address_that_was_changed(house: House) -> None:
    found = house.invite()
    house.accept()
    house.accept(VERIFICATION)
    emails = [{"value": BOB, "primary": True}]
    house.do(lambda work: users.replace(work, found.user_id, {"userName": ALICE, "emails": emails}))
    told = reasons(house)
    assert (told["welcome"], told["verification"]) == (truth_asked.ELSEWHERE, truth_asked.ANSWERED)
    assert (told["address_changed_old"], told["address_changed_new"]) == (None, None)
    house.accept(VERIFICATION)
    assert reasons(house)["address_changed_new"] == truth_asked.ANSWERED


def test_F_11_nothing_goes_to_who_is_inactive(house: House) -> None:
    house.invite()
    house.do(people.deactivate, ALICE)
    assert set(reasons(house).values()) == {truth.INACTIVE}


def test_F_11_an_administrator_who_was_removed_hears_nothing_of_it(house: House) -> None:
    house.do(admins.add, BOB, "Bob", roles.ADMINISTRATOR)
    assert reasons(house) == {"administrator_invited": None}
    house.do(admins.accept, BOB)
    assert reasons(house) == {"administrator_invited": truth_asked.ANSWERED, "administrator_designated": None}
    house.do(admins.appoint_head, BOB)
    assert reasons(house)["head_appointed"] is None
    house.do(admins.add, ALICE, "Alice", roles.ADMINISTRATOR)
    house.do(admins.accept, ALICE)
    house.do(admins.appoint_head, ALICE, BOB)
    assert reasons(house)["head_handed_over"] is None
    house.do(admins.remove, BOB)
    assert reasons(house)["head_handed_over"] == truth_asked.NO_ADMINISTRATOR
