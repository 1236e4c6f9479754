"""People are invited, remind themselves of it, answer, or let it lapse (licensing.md T-1 to T-8, BK-06 to BK-20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scim_service import errors
from scim_service.access import invitations, links
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.directory import answers, people, users
from scim_service.directory import invitations as asking
from scim_service.licensing import catalog, direct
from scim_service.storage import epoch
from scim_service.storage.store import Store
from scim_service.storage.work import Actor
from tests import service
from tests.conftest import START, SettableClock
from tests.invited import ALICE, CLI, House, is_nowhere_in

BOB = "bob@acme.example"
IDP = Actor("job", "reminders")


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


def test_BK_09_BK_10_and_T_1_who_has_no_account_is_invited_and_has_the_seat_at_once(house: House) -> None:
    found = house.invite(given_name="Alice")
    assert (found.path, found.user_name, found.state) == (asking.INVITED, ALICE, "assigned")
    assert house.holds() == {"premium": "assigned"}
    assert (house.status(), house.used()) == ("invited", 1)
    assert house.ask(lambda work: people.profile(work, ALICE)).provisioned_by == "console"
    house.accept()
    assert house.status() == "unverified"


def test_BK_11_invitation_and_verification_go_at_once_and_the_welcome_afterwards(house: House) -> None:
    house.invite()
    assert house.new() == ["invitation", "verification"]
    assert all(row.due_at <= START + timedelta(hours=24) for row in house.letters())
    house.accept()
    assert house.new() == []
    house.accept(VERIFICATION)
    assert house.new() == ["welcome"]
    assert house.status() == "active"


def test_BK_11_the_welcome_goes_once_also_to_who_verifies_first(house: House) -> None:
    house.invite()
    house.accept(VERIFICATION)
    assert (house.status(), house.new()) == ("invited", ["invitation", "verification"])
    house.accept()
    assert (house.status(), house.new()) == ("active", ["welcome"])
    assert house.turn_to(400) == []


def test_BK_19_the_accepted_account_has_the_license_without_another_act(house: House) -> None:
    house.invite()
    house.accept()
    house.accept(VERIFICATION)
    assert house.holds() == {"premium": "assigned"}
    assert house.facts("welcome")["type"] == {"code": "premium", "name": "Premium"}


def test_BK_12_BK_13_and_T_3_reminders_follow_a_day_and_four_days_after_the_account(house: House) -> None:
    house.invite()
    house.clock.advance(timedelta(hours=10))
    house.accept()
    house.new()
    assert house.turn_to(10 + 23.9) == []
    assert house.turn_to(10 + 24) == ["verification_reminder"]
    assert house.turn_to(10 + 24.1) == []
    assert house.turn_to(10 + 95.9) == []
    assert house.turn_to(10 + 96) == ["verification_reminder"]
    assert house.turn_to(10 + 200) == []


def test_BK_14_and_T_4_after_eleven_days_it_lapses_and_the_seat_is_free(house: House) -> None:
    house.invite()
    house.accept()
    text = house.link(VERIFICATION)
    house.turn_to(96)
    house.new()
    assert house.turn_to(263.9) == []
    assert house.used() == 1
    assert house.turn_to(264) == []
    assert house.states() == {INVITATION: "done", VERIFICATION: "lapsed"}
    assert (house.holds(), house.used(), house.status()) == ({}, 0, "unverified")
    with pytest.raises(errors.NotFound):
        house.answer(text)


def test_BK_15_the_clock_of_the_verification_starts_with_the_account_and_not_with_the_invitation(house: House) -> None:
    house.invite()
    assert house.rows()[VERIFICATION].due_at is None
    house.clock.advance(timedelta(hours=90))
    house.accept()
    row = house.rows()[VERIFICATION]
    assert (row.anchor_at, row.due_at) == (START + timedelta(hours=90), START + timedelta(hours=114))
    assert row.expires_at == START + timedelta(hours=90 + 264)


def test_BK_16_and_T_2_who_has_an_account_gets_one_letter_and_the_seat(house: House) -> None:
    house.invite(type_code=None)
    house.accept()
    house.accept(VERIFICATION)
    house.new()
    found = house.invite(type_code="premium")
    assert (found.path, found.state) == (asking.BELONGS, "assigned")
    assert house.new() == ["belongs_to"]
    assert house.turn_to(1_000) == []


def test_BK_20_the_letter_names_the_license_in_the_language_of_the_reader(house: House) -> None:
    house.do(catalog.update_type, "premium", name_fr="Prime")
    made = {"userName": "p", "emails": [{"value": BOB, "primary": True}], "preferredLanguage": "fr-FR"}
    house.do(users.create, made)
    house.invite(BOB, None)
    house.accept(user_name="p")
    house.invite(BOB, "premium")
    assert house.facts("belongs_to") == {"type": {"code": "premium", "name": "Prime"}}
    assert house.letters()[-1].language == "fr"


def test_T_1_without_a_free_seat_nobody_is_invited(house: House) -> None:
    house.invite("a@acme.example")
    house.invite("b@acme.example")
    house.new()
    with pytest.raises(errors.Refused) as refusal:
        house.invite("c@acme.example")
    assert refusal.value.code == "seat_limit_reached"
    assert "2 of 2" in refusal.value.detail
    assert house.new() == []
    with pytest.raises(errors.NotFound):
        house.holds("c@acme.example")


def test_T_1_who_is_invited_already_is_not_invited_twice(house: House) -> None:
    house.invite()
    with pytest.raises(errors.Uniqueness) as refusal:
        house.invite()
    assert refusal.value.code == "invited_already"


def test_T_1_a_person_made_by_hand_has_no_account_yet_and_is_invited(house: House) -> None:
    house.do(people.add, people.form("alice", email=ALICE), "basic")
    found = house.invite(type_code=None)
    assert (found.path, found.user_name) == (asking.INVITED, "alice")
    assert house.status("alice") == "invited"
    house.do(asking.remove, "alice")
    assert (house.holds("alice"), house.status("alice")) == ({"basic": "assigned"}, "invited")


def test_T_6_an_invitation_that_is_not_answered_is_reminded_of_and_lapses(house: House) -> None:
    house.invite()
    text, verification = house.link(), house.link(VERIFICATION)
    house.new()
    assert house.turn_to(24) == ["invitation_reminder"]
    assert house.turn_to(96) == ["invitation_reminder"]
    assert house.turn_to(264) == []
    assert house.states() == {INVITATION: "lapsed", VERIFICATION: "lapsed"}
    assert house.used() == 0
    for one in (text, verification):
        with pytest.raises(errors.NotFound):
            house.answer(one)


def test_T_4_a_lapse_keeps_the_seat_where_the_tenant_wants_that(house: House) -> None:
    house.set(on_lapse="keep")
    house.invite()
    house.turn_to(264)
    assert (house.states()[INVITATION], house.holds()) == ("lapsed", {"premium": "assigned"})


def test_T_4_a_lapse_leaves_what_other_reasons_give(house: House) -> None:
    house.invite()
    house.do(direct.unassign, ALICE, "premium")
    house.do(direct.assign, ALICE, "basic")
    house.turn_to(264)
    assert house.holds() == {"basic": "assigned"}


def test_T_4_with_a_last_letter_the_link_works_for_a_day_more(house: House) -> None:
    house.set(final_step="send_then_stop")
    house.invite()
    house.turn_to(96)
    house.new()
    assert house.turn_to(264) == ["invitation_last"]
    assert house.turn_to(287) == []
    assert house.states()[INVITATION] == "open"
    assert house.turn_to(288) == []
    assert house.states()[INVITATION] == "lapsed"


def test_T_8_after_a_stop_of_days_only_the_latest_step_goes(house: House) -> None:
    house.invite()
    house.new()
    assert house.turn_to(150) == ["invitation_reminder"]
    assert house.turn_to(151) == []
    assert house.rows()[INVITATION].step == 2


def test_T_8_nobody_is_reminded_twice_within_twenty_hours(house: House) -> None:
    house.invite()
    house.clock.advance(timedelta(hours=20))
    house.do(asking.remind, ALICE)
    house.new()
    assert house.turn_to(24) == []
    assert house.turn_to(39.9) == []
    assert house.turn_to(40) == ["invitation_reminder"]


def test_BK_06_and_T_7_a_reminder_by_hand_has_another_link_and_the_ladder_goes_on(house: House) -> None:
    house.invite()
    old, before = house.link(), house.rows()[INVITATION]
    house.clock.advance(timedelta(hours=1))
    house.do(asking.remind, ALICE)
    after = house.rows()[INVITATION]
    assert house.new()[-1] == "invitation_reminder"
    assert (after.cycle, after.due_at, after.expires_at) == (2, before.due_at, before.expires_at)
    with pytest.raises(errors.NotFound):
        house.answer(old)
    house.accept()


def test_T_7_a_resend_begins_the_ladder_anew_and_kills_the_old_link(house: House) -> None:
    house.invite()
    old = house.link()
    house.turn_to(96)
    house.new()
    house.do(asking.resend, ALICE)
    row = house.rows()[INVITATION]
    assert house.new() == ["invitation"]
    assert (row.cycle, row.step, row.anchor_at) == (2, 0, START + timedelta(hours=96))
    with pytest.raises(errors.NotFound):
        house.answer(old)
    assert house.turn_to(96 + 24) == ["invitation_reminder"]
    house.accept()


def test_T_7_after_a_lapse_a_resend_needs_a_free_seat_again(house: House) -> None:
    house.invite()
    house.turn_to(264)
    house.invite("b@acme.example")
    house.invite("c@acme.example")
    with pytest.raises(errors.Refused) as refusal:
        house.do(asking.resend, ALICE)
    assert refusal.value.code == "seat_limit_reached"
    house.do(asking.remove, "c@acme.example")
    house.new()
    house.do(asking.resend, ALICE)
    assert (house.new(), house.holds()) == (["invitation", "verification"], {"premium": "assigned"})
    house.accept()
    house.accept(VERIFICATION)
    assert house.status() == "active"


def test_T_7_a_verification_is_resent_once_the_invitation_is_accepted(house: House) -> None:
    house.invite()
    house.accept()
    house.turn_to(300)
    house.new()
    house.do(asking.resend, ALICE)
    assert (house.new(), house.used()) == (["verification"], 1)
    house.accept(VERIFICATION)
    assert house.new() == ["welcome"]
    with pytest.raises(errors.Refused) as refusal:
        house.do(asking.resend, ALICE)
    assert refusal.value.code == "answered"


def test_T_7_once_in_ten_minutes_and_five_times_a_day(house: House) -> None:
    house.invite()
    with pytest.raises(errors.Refused) as refusal:
        house.do(asking.remind, ALICE)
    assert refusal.value.code == "too_often"
    for act in (asking.remind, asking.resend, asking.remind, asking.resend):
        house.clock.advance(timedelta(minutes=10))
        house.do(act, ALICE)
    house.clock.advance(timedelta(hours=23))
    with pytest.raises(errors.Refused) as again:
        house.do(asking.resend, ALICE)
    assert "2027-03-02T08:00:00" in again.value.detail
    house.clock.set(START + timedelta(hours=24))
    house.do(asking.resend, ALICE)


def test_BS_17_BS_19_and_T_7_who_is_removed_is_gone_and_can_be_invited_again(house: House) -> None:
    house.invite()
    old = house.link()
    link = links.read(service.SECRET, old)
    assert house.do(asking.remove, ALICE)
    assert house.used() == 0
    with pytest.raises(errors.NotFound):
        house.holds()
    with pytest.raises(errors.Refused) as refusal:
        house.invite()
    assert refusal.value.code == "too_often"
    house.clock.advance(timedelta(minutes=10))
    house.invite(type_code="basic")
    with pytest.raises(errors.NotFound):
        house.do(answers.accept, service.SECRET, link)
    house.accept()


def test_what_is_accepted_is_not_removed_and_who_was_not_invited_neither(house: House) -> None:
    house.invite()
    house.accept()
    with pytest.raises(errors.Refused) as refusal:
        house.do(asking.remove, ALICE)
    assert refusal.value.code == "accepted"
    house.do(people.add, people.form("bob", email=BOB))
    for act in (asking.remove, asking.remind, asking.resend):
        with pytest.raises(errors.NotFound) as unknown:
            house.do(act, "bob")
        assert unknown.value.code == "not_invited"


def test_D_8_deactivation_ban_and_deletion_kill_the_links(house: House) -> None:
    house.set(on_lapse="keep")
    for name, act in (("a", people.deactivate), ("b", lambda work, user: people.ban(work, user, "spam"))):
        user = f"{name}@acme.example"
        house.invite(user, None)
        text = house.link(user_name=user)
        house.do(act, user)
        assert house.states(user) == {INVITATION: "removed", VERIFICATION: "removed"}
        assert house.status(user) in ("deactivated", "banned")
        with pytest.raises(errors.NotFound):
            house.answer(text)
    house.invite(ALICE, None)
    text, user_id = house.link(), house.ask(lambda work: people.profile(work, ALICE).person.id)
    house.do(users.delete, user_id)
    with pytest.raises(errors.NotFound):
        house.answer(text)


def test_L_3_a_link_is_used_once_and_another_cycle_or_epoch_kills_it(house: House) -> None:
    house.invite()
    text = house.link()
    house.accept()
    with pytest.raises(errors.NotFound):
        house.answer(text)
    verification = house.link(VERIFICATION)
    house.do(epoch.rise)
    with pytest.raises(errors.NotFound):
        house.answer(verification)
    house.accept(VERIFICATION)


def test_L_2_a_link_of_one_purpose_does_not_open_the_other(house: House) -> None:
    house.invite()
    row = house.rows()[INVITATION]
    swapped = links.Subject(VERIFICATION, row.tenant_id, row.seq, row.cycle, row.nonce, row.email)
    with pytest.raises(errors.NotFound):
        house.answer(links.made(service.SECRET, 1, "", swapped).rpartition("/")[2])


def test_L_1_the_database_holds_nothing_that_a_link_could_be_made_of(house: House) -> None:
    house.invite()
    text = house.link()
    path = house.store.database.url.removeprefix("sqlite:///")
    if house.store.database.dialect == "sqlite":
        assert all(is_nowhere_in(one, text[40:80]) for one in Path(path).parent.glob("scim.db*"))
    assert all(text[40:80] not in str(row) for row in house.letters())


@pytest.mark.parametrize("email", ["alice", "a@b@c", "a b@c.example", "a@c.example\r\nBcc: x@y.example", "a@b,c@d", ""])
def test_E_3_what_is_no_single_address_is_never_written_to(house: House, email: str) -> None:
    with pytest.raises(errors.InvalidValue):
        house.invite(email)
    assert house.letters() == []


def test_several_people_with_one_address_are_told_apart_by_name(house: House) -> None:
    for name in ("a", "b"):
        house.do(people.add, people.form(name, email=ALICE))
    with pytest.raises(errors.Refused) as refusal:
        house.invite()
    assert refusal.value.code == "several_people"
    assert house.invite(user_name="b").user_name == "b"


def test_D_14_the_rows_of_one_person_are_one_of_each_kind(house: House) -> None:
    house.invite()
    rows = house.ask(invitations.listing)
    assert [(row.kind, row.state, row.cycle, row.step) for row in rows] == [
        (INVITATION, "open", 1, 0),
        (VERIFICATION, "open", 1, 0),
    ]
    assert rows[0].created_by == str(CLI)
    assert len({row.nonce for row in rows}) == 2
