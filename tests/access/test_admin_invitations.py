"""Administrators are invited by letter, answer by a link, lapse, and are told what they are (N-1, N-2, T-6, T-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from scim_service import errors
from scim_service.access import admins, invitations, links, roles
from scim_service.access.links import INVITATION
from scim_service.directory.answers import Page
from scim_service.storage import epoch
from scim_service.storage.store import Store
from tests import service
from tests.conftest import START, SettableClock
from tests.invited import URL, House

BOB, ADA = "bob@acme.example", "ada@acme.example"


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


def add(house: House, email: str = BOB, role: str = roles.ADMINISTRATOR) -> None:
    house.do(admins.add, email, email.partition("@")[0].title(), role)


def link(house: House, email: str = BOB) -> str:
    row = house.ask(lambda work: invitations.of_administrator(work, admins.find(work, email).seq))
    return links.made(service.SECRET, house.ask(epoch.of), URL, row.subject).rpartition("/")[2]


def accept(house: House, email: str = BOB) -> Page:
    return house.answer(link(house, email))


def find(house: House, email: str = BOB) -> admins.Administrator:
    found: admins.Administrator = house.ask(admins.find, email)
    return found


def test_BS_02_BS_04_and_N_2_who_is_invited_by_address_and_role_gets_a_letter_with_a_link(house: House) -> None:
    add(house)
    assert house.new() == ["administrator_invited"]
    row = house.letters()[-1]
    assert (row.recipient, row.user_seq, row.language) == (BOB, None, "en")
    facts = house.facts("administrator_invited")
    assert (facts["role"], facts["link"]["kind"]) == (roles.ADMINISTRATOR, INVITATION)
    assert facts["expires_at"] == "2027-03-12T08:00:00.000Z"
    assert find(house).pending


def test_BS_05_BK_04_and_N_1_who_accepts_by_the_link_is_here_and_is_told_so(house: House) -> None:
    add(house)
    house.clock.advance(timedelta(hours=2))
    assert accept(house).role == roles.ADMINISTRATOR
    found = find(house)
    assert found.last_active_at == found.accepted_at == START + timedelta(hours=2)
    assert house.new()[-1:] == ["administrator_designated"]
    assert house.facts("administrator_designated") == {"role": roles.ADMINISTRATOR}


def test_N_1_the_new_head_and_the_former_one_are_told(house: House) -> None:
    for email in (ADA, BOB):
        add(house, email)
        accept(house, email)
    house.do(admins.appoint_head, ADA)
    house.new()
    house.do(admins.appoint_head, BOB, ADA)
    assert house.new() == ["head_handed_over", "head_appointed"]
    assert [row.recipient for row in house.letters()[-2:]] == [ADA, BOB]
    assert house.facts("head_handed_over") == {"to": "Bob"}


def test_T_6_an_administrators_invitation_is_reminded_of_and_lapses_and_frees_its_place(house: House) -> None:
    house.do(admins.change_plan, "essential")
    add(house, ADA)
    add(house, BOB)
    text = link(house)
    house.new()
    assert house.turn_to(24) == ["administrator_reminder", "administrator_reminder"]
    with pytest.raises(errors.Refused):
        add(house, "eve@acme.example")
    accept(house, ADA)
    house.new()
    assert house.turn_to(264) == []
    assert (find(house).lapsed, find(house, ADA).lapsed) == (True, False)
    with pytest.raises(errors.NotFound):
        house.answer(text)
    add(house, "eve@acme.example")


def test_BS_06_and_T_7_an_invitation_that_was_not_answered_is_resent(house: House) -> None:
    add(house)
    old = link(house)
    with pytest.raises(errors.Refused) as refusal:
        house.do(admins.resend, BOB)
    assert refusal.value.code == "too_often"
    house.clock.advance(timedelta(minutes=10))
    house.do(admins.resend, BOB)
    assert house.new() == ["administrator_invited", "administrator_invited"]
    with pytest.raises(errors.NotFound):
        house.answer(old)
    accept(house)
    house.clock.advance(timedelta(hours=1))
    with pytest.raises(errors.Refused) as done:
        house.do(admins.resend, BOB)
    assert done.value.code == "accepted"


@pytest.mark.parametrize("act", [admins.resend, admins.accept])
def test_T_7_after_a_lapse_a_place_in_the_plan_is_needed_again(house: House, act: Callable[..., object]) -> None:
    house.do(admins.change_plan, "essential")
    add(house)
    house.turn_to(264)
    add(house, ADA)
    add(house, "eve@acme.example")
    with pytest.raises(errors.Refused) as refusal:
        house.do(act, BOB)
    assert refusal.value.code == "plan_limit"
    house.do(admins.remove, ADA)
    house.do(act, BOB)
    assert not find(house).lapsed


def test_BS_18_who_is_removed_has_no_link_any_more(house: House) -> None:
    add(house)
    old = link(house)
    house.do(admins.remove, BOB)
    with pytest.raises(errors.NotFound):
        house.answer(old)
    house.clock.advance(timedelta(minutes=10))
    add(house)
    with pytest.raises(errors.NotFound):
        house.answer(old)
    accept(house)


def test_who_is_accepted_at_the_terminal_needs_no_link_any_more(house: House) -> None:
    add(house)
    old = link(house)
    house.do(admins.accept, BOB)
    assert house.turn_to(300) == ["administrator_invited", "administrator_designated"]
    with pytest.raises(errors.NotFound):
        house.answer(old)
