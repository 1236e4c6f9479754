"""Suspend, resume, remove, reassign, change type (licensing.md E-9, E-12, E-14, E-16, E-26), on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from scim_service import errors
from scim_service.licensing import catalog, claims, contracts, direct, explain, gate, lifecycle, rules
from tests.conftest import START, SettableClock
from tests.licensing.conftest import NOW, Organization, sales


@contextmanager
def refused(acme: Organization, code: str, *names: str) -> Iterator[None]:
    """The act is refused with this code, the sentence names these things, and nothing has changed."""
    before = snapshot(acme)
    with pytest.raises(errors.ScimError) as caught:
        yield
    assert caught.value.code == code, caught.value.detail
    assert [one for one in names if one not in caught.value.detail] == [], caught.value.detail
    assert snapshot(acme) == before
    acme.check()


def snapshot(acme: Organization) -> list[object]:
    """Every outcome and every reason of everybody, and how much was ever written into the log."""
    with acme.reading() as work:
        told = [explain.explain(work, name) for name in sorted(acme.people)]
    return [[(one.type_code, one.state, one.since, one.claims) for one in lines] for lines in told]


def act(acme: Organization, what: Callable[..., object], *arguments: object, **options: object) -> object:
    """One act in one transaction."""
    with acme.writing() as work:
        return what(work, *arguments, **options)


def claim_of(acme: Organization, name: str, code: str) -> explain.ClaimLine:
    with acme.reading() as work:
        [found] = explain.explain(work, name, code)
    [line] = found.claims
    return line


@pytest.fixture
def pro(acme: Organization) -> Organization:
    """One seat of `pro`, which ann holds by hand; ben waits for it by the group Sales; cem has nothing."""
    acme.sells({"pro": 1}, exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    act(acme, direct.assign, "ann", "pro")
    acme.makes("Sales", "ben")
    acme.gives("Sales", "pro")
    return acme


class TestSuspend:
    """E-12."""

    def test_BW_19_a_suspended_license_is_not_effective_and_holds_its_seat(self, pro: Organization) -> None:
        assert act(pro, lifecycle.suspend, "ann", "pro") == "suspended"
        assert (pro.states("pro"), pro.line("pro").used) == ({"ann": "suspended", "ben": "waiting 1"}, 1)
        pro.check()

    def test_BW_20_the_same_icon_again_restores_it_with_its_place(
        self, pro: Organization, clock: SettableClock
    ) -> None:
        act(pro, lifecycle.suspend, "ann", "pro")
        clock.advance(timedelta(days=40))
        assert act(pro, lifecycle.resume, "ann", "pro") == "assigned"
        assert pro.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
        assert claim_of(pro, "ann", "pro").since == START
        pro.check()

    def test_E_12_a_freed_seat_goes_to_the_queue_and_resuming_is_a_grant_like_any_other(
        self, pro: Organization, clock: SettableClock
    ) -> None:
        act(pro, lifecycle.suspend, "ann", "pro", free_seat=True)
        assert pro.states("pro") == {"ann": "suspended", "ben": "assigned"}
        clock.advance(timedelta(hours=1))
        assert act(pro, lifecycle.resume, "ann", "pro") == "waiting"
        assert pro.states("pro") == {"ann": "waiting 1", "ben": "assigned"}
        assert claim_of(pro, "ann", "pro").since == clock.now()
        pro.check()

    def test_E_12_a_seat_that_is_held_can_be_freed_afterwards_and_once_only(self, pro: Organization) -> None:
        act(pro, lifecycle.suspend, "ann", "pro")
        act(pro, lifecycle.suspend, "ann", "pro", free_seat=True)
        assert pro.states("pro") == {"ann": "suspended", "ben": "assigned"}
        before = len(pro.events("ann"))
        assert act(pro, lifecycle.suspend, "ann", "pro") == "suspended"
        assert act(pro, lifecycle.suspend, "ann", "pro", free_seat=True) == "suspended"
        assert len(pro.events("ann")) == before
        pro.check()

    def test_E_12_a_type_says_whether_its_seats_are_freed(self, pro: Organization) -> None:
        act(pro, catalog.update_type, "pro", suspend_frees=True)
        act(pro, lifecycle.suspend, "ann", "pro")
        assert pro.states("pro")["ben"] == "assigned"

    def test_E_12_the_caller_overrules_the_type(self, pro: Organization) -> None:
        act(pro, catalog.update_type, "pro", suspend_frees=True)
        act(pro, lifecycle.suspend, "ann", "pro", free_seat=False)
        assert pro.line("pro").used == 1 and pro.states("pro")["ben"] == "waiting 1"
        pro.check()

    def test_E_12_a_membership_that_goes_and_comes_back_does_not_lift_it(self, acme: Organization) -> None:
        sales(acme, 1, "ann", exit_grace=NOW)
        act(acme, lifecycle.suspend, "ann", "pro")
        acme.leave("Sales", "ann")
        assert acme.line("pro").used == 0
        acme.join("Sales", "ann")
        assert acme.states("pro") == {"ann": "suspended"}
        assert act(acme, lifecycle.resume, "ann", "pro") == "assigned"
        acme.check()

    def test_E_12_resuming_what_has_no_reason_any_more_leaves_nothing(self, acme: Organization) -> None:
        sales(acme, 1, "ann", exit_grace=NOW)
        act(acme, lifecycle.suspend, "ann", "pro")
        acme.leave("Sales", "ann")
        assert act(acme, lifecycle.resume, "ann", "pro") is None
        assert acme.states("pro") == {}
        acme.check()

    def test_E_12_deactivation_frees_a_suspended_seat_and_does_not_lift_the_suspension(self, pro: Organization) -> None:
        act(pro, lifecycle.suspend, "ann", "pro")
        pro.turn("ann", False)
        assert pro.states("pro") == {"ann": "suspended", "ben": "assigned"}
        pro.turn("ann", True)
        assert pro.states("pro") == {"ann": "suspended", "ben": "assigned"}
        assert act(pro, lifecycle.resume, "ann", "pro") == "waiting"
        pro.check()

    def test_resuming_what_is_not_suspended_changes_nothing(self, pro: Organization) -> None:
        before = len(pro.events("ann"))
        assert act(pro, lifecycle.resume, "ann", "pro") == "assigned"
        assert len(pro.events("ann")) == before

    def test_a_suspended_license_is_not_assigned_beside_its_suspension(self, acme: Organization) -> None:
        sales(acme, 1, "ann", exit_grace=NOW)
        act(acme, lifecycle.suspend, "ann", "pro")
        with refused(acme, "suspended", "seat resume"):
            act(acme, direct.assign, "ann", "pro")

    def test_what_holds_no_seat_is_not_suspended(self, pro: Organization) -> None:
        with refused(pro, "not_held", "waiting"):
            act(pro, lifecycle.suspend, "ben", "pro")
        with refused(pro, "no_license"):
            act(pro, lifecycle.suspend, "cem", "pro")
        with refused(pro, "no_license"):
            act(pro, lifecycle.resume, "cem", "pro")
        pro.turn("ann", False)
        with refused(pro, "person_inactive"):
            act(pro, lifecycle.suspend, "ann", "pro")

    def test_the_log_tells_who_suspended_what_and_why(self, pro: Organization) -> None:
        act(pro, lifecycle.suspend, "ann", "pro", reason="on leave")
        [told] = [one for one in pro.events("ann") if one.action == "seat:suspended"]
        assert (told.actor, told.data) == ("cli", {"type": "pro", "frees": False, "reason": "on leave"})


class TestRemove:
    """E-9."""

    def test_BK_25_what_was_given_by_hand_ends_at_once_and_the_queue_is_served(self, pro: Organization) -> None:
        assert act(pro, lifecycle.remove, "ann", "pro") == {"pro": None}
        assert pro.states("pro") == {"ben": "assigned"}
        pro.check()

    def test_E_9_an_inherited_license_is_refused_with_group_and_rule_and_the_way_out(self, acme: Organization) -> None:
        sales(acme, 1, "ann")
        with acme.reading() as work:
            rule = rules.find(work, "Sales", "pro").seq
        with refused(acme, "inherited_license", "'Sales'", f"rule {rule}", "rule update", "--exclude"):
            act(acme, lifecycle.remove, "ann", "pro")
        act(acme, rules.update, "Sales", "pro", exclude=["ann"])
        acme.tick()
        assert acme.states("pro") == {"ann": "grace"}
        acme.check()

    def test_E_9_what_everyone_gets_is_refused_by_that_rule(self, acme: Organization) -> None:
        acme.sells({"pro": 1})
        acme.has("ann")
        act(acme, rules.create, rules.EVERYONE, "pro")
        with refused(acme, "inherited_license", "for everyone", "--everyone --type pro --exclude"):
            act(acme, lifecycle.remove, "ann", "pro")

    def test_BK_07_without_a_type_everything_ends_or_nothing(self, acme: Organization) -> None:
        acme.sells({"pro": 1, "extra": 1})
        acme.has("ann")
        act(acme, direct.assign, "ann", "pro")
        act(acme, direct.assign, "ann", "extra")
        acme.makes("Sales", "ann")
        acme.gives("Sales", "extra")
        with refused(acme, "inherited_license", "'Sales'"):
            act(acme, lifecycle.remove, "ann")
        act(acme, rules.delete, "Sales", "extra")
        assert act(acme, lifecycle.remove, "ann") == {"extra": "grace", "pro": None}
        with refused(acme, "no_license"):
            act(acme, lifecycle.remove, "ann")

    def test_E_9_what_was_asked_for_and_approved_is_taken_back_too(self, pro: Organization) -> None:
        with pro.writing() as work:
            contracts.set_seats(work, "C-1", {"pro": 2})
            entered = gate.enter(work)
            [cem] = entered.load([pro.people["cem"]])
            entered.claims.add(cem, catalog.find_type(work, "pro").seq, claims.REQUEST, entered.now)
            entered.settle()
        pro.leave("Sales", "ben")
        assert act(pro, lifecycle.remove, "cem", "pro") == {"pro": None}
        pro.check()

    def test_E_9_a_removed_license_takes_its_suspension_along(self, pro: Organization) -> None:
        act(pro, lifecycle.suspend, "ann", "pro")
        act(pro, lifecycle.remove, "ann", "pro")
        assert pro.states("pro") == {"ben": "assigned"}
        pro.check()

    def test_E_9_an_inactive_persons_license_can_be_removed(self, pro: Organization) -> None:
        pro.turn("ann", False)
        act(pro, lifecycle.remove, "ann", "pro")
        pro.turn("ann", True)
        assert pro.states("pro") == {"ben": "assigned"}
        pro.check()

    def test_nothing_is_removed_from_who_has_nothing(self, pro: Organization) -> None:
        with refused(pro, "no_license"):
            act(pro, lifecycle.remove, "cem", "pro")
        with refused(pro, "unknown_person"):
            act(pro, lifecycle.remove, "zoe", "pro")


class TestReassign:
    """E-14."""

    def test_BW_18_the_license_moves_with_its_seat_and_the_queue_is_untouched(self, pro: Organization) -> None:
        assert act(pro, lifecycle.reassign, "ann", "pro", "cem") == "assigned"
        assert pro.states("pro") == {"cem": "assigned", "ben": "waiting 1"}
        pro.check()

    def test_E_14_expiry_and_note_go_along_lock_and_pin_do_not(self, pro: Organization) -> None:
        act(pro, lifecycle.remove, "ann", "pro")
        pro.leave("Sales", "ben")
        until = START + timedelta(days=9)
        terms = {"pinned": True, "locked": True, "expires_at": until, "note": "for the fair"}
        act(pro, direct.assign, "ann", "pro", **terms)
        act(pro, lifecycle.reassign, "ann", "pro", "cem")
        claim = claim_of(pro, "cem", "pro")
        assert (claim.expires_at, claim.note, claim.locked, claim.pinned) == (until, "for the fair", False, False)
        pro.check()

    def test_E_14_a_suspended_license_is_handed_on_and_the_suspension_is_not(self, pro: Organization) -> None:
        act(pro, lifecycle.suspend, "ann", "pro")
        assert act(pro, lifecycle.reassign, "ann", "pro", "cem") == "assigned"
        assert pro.states("pro") == {"cem": "assigned", "ben": "waiting 1"}
        pro.check()

    def test_E_14_an_inherited_license_is_refused_with_its_group(self, pro: Organization) -> None:
        with refused(pro, "inherited_license", "'Sales'"):
            act(pro, lifecycle.reassign, "ben", "pro", "cem")
        pro.join("Sales", "ann")
        with refused(pro, "inherited_license", "'Sales'"):
            act(pro, lifecycle.reassign, "ann", "pro", "cem")

    def test_E_14_who_has_the_type_already_is_refused(self, pro: Organization) -> None:
        act(pro, contracts.set_seats, "C-1", {"pro": 2})
        with refused(pro, "already_held", "ben"):
            act(pro, lifecycle.reassign, "ann", "pro", "ben")
        with refused(pro, "same_person"):
            act(pro, lifecycle.reassign, "ann", "pro", "ANN")

    def test_E_14_what_holds_no_seat_and_what_is_not_there_is_refused(self, pro: Organization) -> None:
        with refused(pro, "no_license"):
            act(pro, lifecycle.reassign, "cem", "pro", "ben")
        with refused(pro, "unknown_person", "zoe"):
            act(pro, lifecycle.reassign, "ann", "pro", "zoe")
        pro.turn("cem", False)
        with refused(pro, "person_inactive", "cem"):
            act(pro, lifecycle.reassign, "ann", "pro", "cem")
        act(pro, lifecycle.suspend, "ann", "pro", free_seat=True)
        pro.turn("cem", True)
        with refused(pro, "not_held", "suspended"):
            act(pro, lifecycle.reassign, "ann", "pro", "cem")

    def test_E_14_a_grace_that_still_holds_the_seat_ends_with_the_act(self, acme: Organization) -> None:
        sales(acme, 1, "ann")
        act(acme, direct.assign, "ann", "pro")
        acme.leave("Sales", "ann")
        acme.has("cem")
        assert act(acme, lifecycle.reassign, "ann", "pro", "cem") == "assigned"
        assert acme.states("pro") == {"cem": "assigned"}
        acme.check()

    def test_E_14_who_holds_a_better_type_of_the_family_would_lose_the_seat_and_is_refused(
        self, suite: Organization
    ) -> None:
        act(suite, direct.assign, "ann", "basic")
        suite.join("Sales", "ben")
        with refused(suite, "better_type_held", "ben"):
            act(suite, lifecycle.reassign, "ann", "basic", "ben")

    def test_E_14_a_better_type_replaces_the_lesser_one_in_the_same_step(self, suite: Organization) -> None:
        act(suite, direct.assign, "ann", "pro")
        suite.join("Everyone", "ben")
        act(suite, lifecycle.reassign, "ann", "pro", "ben")
        assert (suite.states("basic"), suite.states("pro")) == ({"ben": "covered"}, {"ben": "assigned"})
        suite.check()

    def test_E_14_who_waits_by_a_group_may_be_handed_the_license_before_others(self, pro: Organization) -> None:
        pro.has("dan", "eve")
        pro.join("Sales", "dan", "eve")
        assert act(pro, lifecycle.reassign, "ann", "pro", "dan") == "assigned"
        assert pro.states("pro") == {"dan": "assigned", "ben": "waiting 1", "eve": "waiting 2"}
        pro.check()

    def test_E_14_above_a_cap_that_fell_there_is_no_seat_to_hand_on(self, acme: Organization) -> None:
        acme.sells({"pro": 2})
        acme.has("ann", "ben", "cem")
        for name in ("ann", "ben"):
            act(acme, direct.assign, name, "pro")
        act(acme, contracts.set_seats, "C-1", {"pro": 1}, "freeze")
        with refused(acme, "seat_limit_reached", "2 of 1"):
            act(acme, lifecycle.reassign, "ann", "pro", "cem")

    def test_E_14_both_histories_tell_it(self, pro: Organization) -> None:
        act(pro, lifecycle.reassign, "ann", "pro", "cem", reason="moved on")
        gave = next(one for one in pro.events("ann") if one.action == "seat:reassigned")
        got = next(one for one in pro.events("cem") if one.action == "seat:received")
        assert gave.data == {"type": "pro", "to": "id-cem", "reason": "moved on"}
        assert got.data == {"type": "pro", "from": "id-ann"}


class TestChangeType:
    """E-16."""

    @pytest.fixture
    def shop(self, acme: Organization) -> Organization:
        """One seat each of basic and pro, two of extra; ann holds basic by hand, ben pro by a group."""
        acme.sells({"basic": 1, "pro": 1, "extra": 2}, ("basic", "pro"), exit_grace=NOW)
        acme.has("ann", "ben", "cem")
        act(acme, direct.assign, "ann", "basic", note="since ever")
        acme.makes("Sales", "ben")
        acme.gives("Sales", "pro")
        return acme

    def test_BW_15_a_direct_license_is_exchanged_in_one_step(self, shop: Organization) -> None:
        shop.makes("Everyone", "cem")
        shop.gives("Everyone", "basic")
        assert act(shop, lifecycle.change_type, "ann", "basic", "extra") == "assigned"
        assert (shop.states("basic"), shop.states("extra")) == ({"cem": "assigned"}, {"ann": "assigned"})
        assert claim_of(shop, "ann", "extra").note == "since ever"
        shop.check()

    def test_E_16_up_and_down_within_a_family(self, shop: Organization) -> None:
        shop.leave("Sales", "ben")
        assert act(shop, lifecycle.change_type, "ann", "basic", "pro") == "assigned"
        assert (shop.states("basic"), shop.states("pro")) == ({}, {"ann": "assigned"})
        assert act(shop, lifecycle.change_type, "ann", "pro", "basic") == "assigned"
        assert (shop.states("basic"), shop.states("pro")) == ({"ann": "assigned"}, {})
        shop.check()

    def test_E_16_without_a_seat_of_the_new_type_nothing_changes(self, shop: Organization) -> None:
        with refused(shop, "seat_limit_reached", "pro", "1 of 1"):
            act(shop, lifecycle.change_type, "ann", "basic", "pro")

    def test_E_16_an_inherited_license_is_refused_with_the_rule_or_pinned(self, shop: Organization) -> None:
        with refused(shop, "inherited_license", "'Sales'", "--pin"):
            act(shop, lifecycle.change_type, "ben", "pro", "basic")
        act(shop, lifecycle.remove, "ann", "basic")
        assert act(shop, lifecycle.change_type, "ben", "pro", "basic", pin=True) == "assigned"
        assert (shop.states("basic"), shop.states("pro")) == ({"ben": "assigned"}, {"ben": "covered"})
        assert claim_of(shop, "ben", "basic").pinned
        shop.check()

    def test_A_7_a_pin_without_a_seat_is_refused_and_outside_the_family_it_means_nothing(
        self, shop: Organization
    ) -> None:
        with refused(shop, "seat_limit_reached", "basic"):
            act(shop, lifecycle.change_type, "ben", "pro", "basic", pin=True)
        with refused(shop, "not_one_family"):
            act(shop, lifecycle.change_type, "ben", "pro", "extra", pin=True)

    def test_BW_27_a_locked_license_is_never_exchanged(self, shop: Organization) -> None:
        act(shop, direct.assign, "cem", "extra", locked=True)
        with refused(shop, "locked_type", "extra", "person add"):
            act(shop, lifecycle.change_type, "cem", "extra", "basic")

    def test_BW_27_nor_is_another_type_of_its_family_given_beside_it(self, shop: Organization) -> None:
        act(shop, lifecycle.remove, "ann", "basic")
        act(shop, direct.assign, "cem", "basic", locked=True)
        shop.leave("Sales", "ben")
        with refused(shop, "locked_type", "basic"):
            act(shop, direct.assign, "cem", "pro")
        with refused(shop, "locked_type", "basic"):
            act(shop, lifecycle.change_type, "cem", "basic", "pro", pin=True)

    def test_E_16_what_cannot_be_is_refused(self, shop: Organization) -> None:
        with refused(shop, "same_type"):
            act(shop, lifecycle.change_type, "ann", "basic", "basic")
        with refused(shop, "no_license"):
            act(shop, lifecycle.change_type, "cem", "basic", "extra")
        act(shop, catalog.update_type, "extra", authority="groups")
        with refused(shop, "other_authority", "extra"):
            act(shop, lifecycle.change_type, "ann", "basic", "extra")
        act(shop, catalog.update_type, "extra", authority="any", retired=True)
        with refused(shop, "retired"):
            act(shop, lifecycle.change_type, "ann", "basic", "extra")
        act(shop, lifecycle.suspend, "ann", "basic")
        with refused(shop, "suspended"):
            act(shop, lifecycle.change_type, "ann", "basic", "pro")


class TestTerms:
    """Pins, expiry and notes of a direct license (A-7, E-26)."""

    def test_E_26_a_license_expires_without_grace_and_the_queue_is_served(
        self, pro: Organization, clock: SettableClock
    ) -> None:
        act(pro, direct.assign, "ann", "pro", expires_at=START + timedelta(days=1))
        clock.advance(timedelta(days=1))
        pro.tick()
        assert pro.states("pro") == {"ben": "assigned"}
        pro.check()

    def test_E_26_assigning_again_keeps_what_is_not_given_and_can_end_an_expiry(self, pro: Organization) -> None:
        act(pro, direct.assign, "ann", "pro", expires_at=START + timedelta(days=1), note="trial", pinned=True)
        act(pro, direct.assign, "ann", "pro")
        claim = claim_of(pro, "ann", "pro")
        assert (claim.expires_at, claim.note, claim.pinned) == (START + timedelta(days=1), "trial", True)
        act(pro, direct.assign, "ann", "pro", expires_at=direct.ENDLESS, note="", pinned=False)
        claim = claim_of(pro, "ann", "pro")
        assert (claim.expires_at, claim.note, claim.pinned) == (None, "", False)
        pro.check()

    def test_E_26_an_expiry_that_has_passed_is_refused(self, pro: Organization) -> None:
        with refused(pro, "past_expiry"):
            act(pro, direct.assign, "ann", "pro", expires_at=START)

    def test_A_7_a_pin_fixes_the_type_whatever_better_one_a_group_gives(self, suite: Organization) -> None:
        suite.join("Sales", "ann")
        act(suite, direct.assign, "ann", "basic", pinned=True)
        assert (suite.states("basic"), suite.states("pro")) == ({"ann": "assigned"}, {"ann": "covered"})
        act(suite, direct.assign, "ann", "basic", pinned=False)
        assert (suite.states("basic"), suite.states("pro")) == ({"ann": "covered"}, {"ann": "assigned"})
        suite.check()

    def test_A_7_a_pin_that_comes_to_no_seat_is_refused(self, suite: Organization) -> None:
        suite.join("Everyone", "ben", "cem")
        suite.join("Sales", "ann")
        with refused(suite, "seat_limit_reached", "2 of 2"):
            act(suite, direct.assign, "ann", "basic", pinned=True)


def test_A_9_a_prerequisite_that_is_suspended_stops_what_requires_it(acme: Organization) -> None:
    acme.sells({"base": 1, "extra": 1})
    acme.has("ann")
    act(acme, catalog.update_type, "extra", requires=("base",))
    with refused(acme, "missing_prerequisite", "extra"):
        act(acme, direct.assign, "ann", "extra")
    act(acme, direct.assign, "ann", "base")
    act(acme, direct.assign, "ann", "extra")
    act(acme, lifecycle.suspend, "ann", "base")
    assert (acme.states("extra"), acme.line("extra").used) == ({"ann": "blocked"}, 0)
    act(acme, lifecycle.resume, "ann", "base")
    assert acme.states("extra") == {"ann": "assigned"}
    acme.check()


def test_A_10_what_excludes_a_type_that_is_held_is_not_given_by_hand(acme: Organization) -> None:
    acme.sells({"pro": 1, "guest": 1})
    acme.has("ann")
    act(acme, catalog.update_type, "guest", excludes=("pro",), rank=-1)
    act(acme, direct.assign, "ann", "pro")
    with refused(acme, "conflict", "guest"):
        act(acme, direct.assign, "ann", "guest")
    assert act(acme, lifecycle.change_type, "ann", "pro", "guest") == "assigned"
    acme.check()
