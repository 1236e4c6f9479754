"""People by hand, beside an identity provider (licensing.md E-1, E-10 to E-15, E-19, E-23, D-18), on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from scim_service import audit, errors
from scim_service.access import admins
from scim_service.directory import accounts, people
from scim_service.directory.accounts import Account
from scim_service.licensing import catalog, contracts, direct, lifecycle, rules, usage, verify
from tests.conftest import START, SettableClock
from tests.races import soundness
from tests.service import CORE, Cast

HOUR = timedelta(hours=1)


class Office:
    """Acme as its administrator has it: acts by hand, and what the tables say."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.idp = cast.acme

    def act(self, what: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.cast.writing() as work:
            return what(work, *arguments, **options)

    def ask(self, what: Callable[..., Any], *arguments: Any) -> Any:
        with self.cast.reading() as work:
            return what(work, *arguments)

    def states(self, code: str) -> dict[str, str]:
        found = self.ask(usage.people, code)
        return {one.user_name: f"{one.state} {one.position}" if one.position else one.state for one in found}

    def used(self, code: str) -> int:
        lines: list[usage.SeatLine] = self.ask(usage.seats)
        return next(one.used for one in lines if one.code == code)

    def account(self, name: str) -> Account:
        found: Account = self.ask(people.profile, name).account
        return found

    def grants(self, name: str) -> list[tuple[str, str]]:
        return [(one.resource, one.team) for one in self.ask(people.profile, name).grants]

    def events(self, user_id: str, action: str) -> list[dict[str, Any]]:
        return [one.data for one in self.ask(audit.about, user_id) if one.action == action]

    def names(self) -> list[str]:
        return sorted(one["userName"] for one in self.idp.get("/Users").body["Resources"])

    def check(self) -> None:
        assert self.ask(verify.findings) == []
        assert self.ask(soundness.faults) == []

    @contextmanager
    def refused(self, code: str, *words: str) -> Iterator[None]:
        """Refused with this code and a sentence with these words; nothing has changed."""
        before = (self.names(), [self.states(one.code) for one in self.ask(catalog.types)])
        with pytest.raises(errors.ScimError) as caught:
            yield
        assert caught.value.code == code, caught.value.detail
        assert [one for one in words if one not in caught.value.detail] == [], caught.value.detail
        assert (self.names(), [self.states(one.code) for one in self.ask(catalog.types)]) == before
        self.check()


@pytest.fixture
def office(cast: Cast) -> Office:
    """Two seats of `recruiter`, one of `manager`."""
    found = Office(cast)
    found.act(catalog.create_type, "recruiter", "Recruiter")
    found.act(catalog.create_type, "manager", "Manager")
    found.act(contracts.create, "C-1", {"recruiter": 2, "manager": 1})
    return found


class TestAdd:
    """E-1."""

    def test_BW_21_a_person_is_made_from_nothing_with_a_license_and_no_grants(self, office: Office) -> None:
        form = people.form("alice@acme.example", "Alice", "Martin", "alice@acme.example")
        made = office.act(people.add, form, "recruiter")
        assert (made.type_code, made.state) == ("recruiter", "assigned")
        assert office.states("recruiter") == {"alice@acme.example": "assigned"}
        assert office.grants("alice@acme.example") == []
        shown = office.idp.get(f"/Users/{made.person.id}").body
        assert shown["name"] == {"givenName": "Alice", "familyName": "Martin"}
        assert shown["emails"] == [{"value": "alice@acme.example", "type": "work", "primary": True}]
        office.check()

    def test_BK_05_a_member_is_added_without_a_license_too(self, office: Office) -> None:
        made = office.act(people.add, people.form("alice"))
        assert (made.type_code, made.state) == (None, None)
        assert office.names() == ["alice"]
        office.check()

    def test_E_1_without_a_free_seat_nothing_is_made(self, office: Office) -> None:
        office.act(people.add, people.form("alice"), "manager")
        with office.refused("seat_limit_reached", "manager", "1 of 1"):
            office.act(people.add, people.form("bob"), "manager")

    def test_E_1_what_cannot_be_is_refused_and_nothing_is_made(self, office: Office) -> None:
        office.act(people.add, people.form("alice"))
        with pytest.raises(errors.Uniqueness):
            office.act(people.add, people.form("ALICE"), "manager")
        with office.refused("unknown_license", "gold", "manager, recruiter"):
            office.act(people.add, people.form("bob"), "gold")
        with office.refused("past_expiry"):
            office.act(people.add, people.form("bob"), "manager", expires_at=START)
        assert office.names() == ["alice"]
        office.check()

    def test_E_26_a_license_that_comes_with_a_person_may_expire(self, office: Office, clock: SettableClock) -> None:
        office.act(people.add, people.form("alice"), "manager", expires_at=START + HOUR, note="trial")
        clock.advance(HOUR)
        assert office.act(people.add, people.form("bob"), "manager").state == "assigned"
        assert office.states("manager") == {"bob": "assigned"}
        office.check()

    def test_an_identity_provider_finds_who_was_made_by_hand_and_goes_on(self, office: Office) -> None:
        made = office.act(people.add, people.form("alice"), "manager")
        assert office.idp.names('userName eq "alice"') == ["alice"]
        answer = office.idp.put(f"/Users/{made.person.id}", {"schemas": [CORE], "userName": "alice", "externalId": "7"})
        assert (answer.status, answer.body["externalId"]) == (200, "7")
        assert office.states("manager") == {"alice": "assigned"}


class TestReplace:
    """LX-14: deactivate and replace."""

    @pytest.fixture
    def full(self, office: Office) -> Office:
        """Alice holds the one seat of `manager` by hand; Wendy waits for it by the group Sales."""
        office.act(people.add, people.form("alice"), "manager")
        office.act(rules.create, "Sales", "manager", exit_grace=timedelta(0))
        office.idp.group("Sales", office.idp.user("wendy")["id"])
        return office

    def test_LX_14_the_seat_goes_to_the_new_person_and_not_to_the_queue(self, full: Office) -> None:
        made = full.act(people.add, people.form("bob"), replaces="alice")
        assert (made.type_code, made.state) == ("manager", "assigned")
        assert full.states("manager") == {"bob": "assigned", "wendy": "waiting 1"}
        assert not full.ask(people.profile, "alice").person.active
        assert full.account("alice").sessions_void_before == START
        full.check()

    def test_LX_14_the_leaver_who_comes_back_has_a_claim_of_now_and_waits(self, full: Office) -> None:
        full.act(people.add, people.form("bob"), "manager", replaces="alice")
        full.act(people.reactivate, "alice")
        assert full.states("manager") == {"bob": "assigned", "wendy": "waiting 2", "alice": "waiting 1"}
        full.check()

    def test_LX_14_an_inherited_seat_is_handed_on_too(self, full: Office) -> None:
        full.act(lifecycle.remove, "alice", "manager")
        assert full.states("manager") == {"wendy": "assigned"}
        full.act(people.add, people.form("bob"), replaces="wendy")
        assert full.states("manager") == {"bob": "assigned"}
        full.check()

    def test_LX_14_another_type_needs_a_free_seat_of_its_own(self, full: Office) -> None:
        for name in ("carl", "dora"):
            full.act(people.add, people.form(name), "recruiter")
        with full.refused("seat_limit_reached", "recruiter", "2 of 2"):
            full.act(people.add, people.form("bob"), "recruiter", replaces="alice")

    def test_LX_14_who_holds_nothing_or_is_gone_cannot_be_replaced(self, full: Office) -> None:
        with full.refused("not_held", "wendy"):
            full.act(people.add, people.form("bob"), replaces="wendy")
        full.act(people.deactivate, "alice")
        with full.refused("person_inactive", "alice"):
            full.act(people.add, people.form("bob"), replaces="alice")
        with full.refused("unknown_person"):
            full.act(people.add, people.form("bob"), replaces="nobody")


class TestCopy:
    """E-15."""

    @pytest.fixture
    def teams(self, office: Office) -> Office:
        """Four recruiters in two closed teams, with the files of each."""
        office.act(contracts.set_seats, "C-1", {"recruiter": 5})
        for team, names in {"A": ("anna", "abel"), "B": ("bea", "ben")}.items():
            for name in names:
                office.act(people.add, people.form(name), "recruiter")
                office.act(people.grant, name, [f"file-{team}-1", f"file-{team}-2"], team)
        return office

    def test_BW_17_a_new_person_made_from_an_existing_one_shares_all_its_files(self, teams: Office) -> None:
        teams.act(people.grant, "bea", ["advert-9"])
        teams.act(people.copy, "bea", people.form("new", "Nina", "New", "new@acme.example"))
        assert teams.grants("new") == [("advert-9", ""), ("file-B-1", "B"), ("file-B-2", "B")]

    def test_BW_26_the_type_is_the_originals_and_no_other_can_be_asked_for(self, teams: Office) -> None:
        with teams.refused("not_held", "manager"):
            teams.act(people.copy, "bea", people.form("new"), "manager")

    def test_BW_28_a_copy_of_a_member_of_team_B_has_all_of_Bs_files_and_none_of_As(self, teams: Office) -> None:
        made = teams.act(people.copy, "bea", people.form("new"))
        assert (made.type_code, made.state, made.grants) == ("recruiter", "assigned", 2)
        assert teams.grants("new") == [("file-B-1", "B"), ("file-B-2", "B")]
        assert teams.grants("bea") == teams.grants("ben")
        assert teams.used("recruiter") == 5
        teams.check()

    def test_BW_25_somebody_made_from_nothing_has_no_file(self, teams: Office) -> None:
        teams.act(people.add, people.form("new"), "recruiter")
        assert teams.grants("new") == []

    def test_BW_27_the_type_of_a_copy_is_never_changed(self, teams: Office) -> None:
        teams.act(people.copy, "bea", people.form("new"))
        with teams.refused("locked_type", "recruiter", "person add"):
            teams.act(lifecycle.change_type, "new", "recruiter", "manager")

    def test_E_15_groups_rights_and_pins_are_not_copied(self, teams: Office) -> None:
        bea = teams.ask(people.profile, "bea").person.id
        teams.idp.group("Press", bea)
        teams.act(direct.assign, "bea", "recruiter", pinned=True)
        teams.act(admins.add, "bea@acme.example", "Bea", "administrator")
        made = teams.act(people.copy, "bea", people.form("new"))
        assert "groups" not in teams.idp.get(f"/Users/{made.person.id}").body
        [claim] = teams.events(made.person.id, "claim:added")
        assert (claim["locked"], "pinned" in claim) == (True, False)
        assert [one.email for one in teams.ask(admins.listing)] == ["bea@acme.example"]
        teams.check()

    def test_E_15_an_inherited_license_is_copied_as_a_direct_one(self, teams: Office) -> None:
        teams.act(rules.create, "Sales", "manager")
        teams.idp.group("Sales", teams.idp.user("gus")["id"])
        teams.act(contracts.set_seats, "C-1", {"manager": 2})
        assert teams.act(people.copy, "gus", people.form("new")).type_code == "manager"
        teams.check()

    def test_E_15_without_a_seat_nothing_is_made(self, teams: Office) -> None:
        teams.act(people.copy, "bea", people.form("fifth"))
        with teams.refused("seat_limit_reached", "5 of 5"):
            teams.act(people.copy, "bea", people.form("sixth"))

    def test_E_15_who_holds_several_types_is_copied_with_the_one_that_is_chosen(self, teams: Office) -> None:
        teams.act(direct.assign, "bea", "manager")
        with teams.refused("several_types", "manager, recruiter", "--type"):
            teams.act(people.copy, "bea", people.form("new"))
        with teams.refused("not_held", "gold"):
            teams.act(people.copy, "bea", people.form("new"), "gold")
        assert teams.act(people.copy, "bea", people.form("new"), "recruiter").type_code == "recruiter"
        teams.check()

    def test_E_15_who_holds_nothing_is_no_pattern(self, teams: Office, clock: SettableClock) -> None:
        teams.act(people.add, people.form("plain"))
        with teams.refused("not_held", "plain"):
            teams.act(people.copy, "plain", people.form("new"))
        teams.act(direct.assign, "plain", "manager", expires_at=START + HOUR)
        clock.advance(HOUR)
        with teams.refused("not_held", "plain"):
            teams.act(people.copy, "plain", people.form("new"))
        teams.act(people.deactivate, "bea")
        with teams.refused("not_held", "bea"):
            teams.act(people.copy, "bea", people.form("new"))


def test_D_8_a_profile_tells_how_the_account_stands_and_who_made_it(office: Office) -> None:
    office.act(people.add, people.form("alice"))
    office.idp.user("bob")
    assert [office.ask(people.profile, name).provisioned_by for name in ("alice", "bob")] == ["console", "scim"]
    told = [office.ask(people.profile, "bob").status]
    for act, *more in ((people.deactivate,), (people.ban, "fraud"), (people.unban,), (people.reactivate,)):
        office.act(act, "bob", *more)
        told.append(office.ask(people.profile, "bob").status)
    assert told == ["active", "deactivated", "banned", "deactivated", "active"]


class TestReassign:
    """E-14 with somebody who is made in the same step."""

    def test_BK_08_a_license_is_reassigned_to_a_person_who_is_made_for_it(self, office: Office) -> None:
        office.act(people.add, people.form("alice"), "manager")
        made = office.act(people.reassign, "alice", "manager", people.form("bob", "Bob"))
        assert (made.state, office.states("manager")) == ("assigned", {"bob": "assigned"})
        office.check()

    def test_E_14_nobody_is_made_where_it_is_refused(self, office: Office) -> None:
        office.act(people.add, people.form("alice"))
        with office.refused("no_license"):
            office.act(people.reassign, "alice", "manager", people.form("bob"))


class TestActivity:
    """E-10, E-11."""

    @pytest.fixture
    def pair(self, office: Office) -> Office:
        """Alice holds the one seat of `manager`, Wendy waits for it."""
        office.act(people.add, people.form("alice"), "manager")
        office.act(rules.create, "Sales", "manager", exit_grace=timedelta(0))
        office.idp.group("Sales", office.idp.user("wendy")["id"])
        return office

    def test_LX_05_deactivation_frees_the_seat_and_voids_sessions_and_keys_at_once(self, pair: Office) -> None:
        person = pair.act(people.deactivate, "alice", reason="left")
        assert pair.states("manager") == {"wendy": "assigned"}
        account = pair.account("alice")
        assert (account.sessions_void_before, account.api_keys_void_before) == (START, START)
        assert pair.idp.get(f"/Users/{person.id}").body["active"] is False
        assert pair.events(person.id, "person:deactivated") == [{"reason": "left"}]
        pair.check()

    @pytest.mark.parametrize("how", ["PATCH", "PUT"])
    def test_E_10_W17_sessions_and_keys_are_void_whoever_deactivates(self, pair: Office, how: str) -> None:
        user_id = pair.ask(people.profile, "alice").person.id
        if how == "PATCH":
            pair.idp.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": False}})
        else:
            pair.idp.put(f"/Users/{user_id}", {"schemas": [CORE], "userName": "alice", "active": False})
        assert pair.account("alice").sessions_void_before == START
        assert pair.account("alice").api_keys_void_before == START
        pair.check()

    def test_LX_15_who_is_reactivated_queues_at_the_end_and_old_sessions_stay_void(
        self, pair: Office, clock: SettableClock
    ) -> None:
        pair.act(people.deactivate, "alice")
        clock.advance(HOUR)
        pair.act(people.reactivate, "alice")
        assert pair.states("manager") == {"wendy": "assigned", "alice": "waiting 1"}
        assert pair.account("alice").sessions_void_before == START
        pair.check()

    def test_LX_16_who_is_inactive_is_found_and_reactivated(self, pair: Office) -> None:
        pair.act(people.deactivate, "alice")
        assert pair.idp.names("active eq false") == ["alice"]
        pair.act(people.reactivate, "alice")
        assert pair.idp.names("active eq false") == []

    def test_LX_11_who_left_is_deactivated_and_what_was_granted_sleeps(self, pair: Office) -> None:
        pair.act(people.grant, "alice", ["file-1"])
        pair.act(people.deactivate, "alice")
        profile = pair.ask(people.profile, "alice")
        assert (profile.status, profile.licenses, profile.permissions) == ("deactivated", [], [])
        assert pair.grants("alice") == [("file-1", "")]
        pair.check()

    def test_E_10_again_changes_nothing(self, pair: Office) -> None:
        first = pair.act(people.deactivate, "alice")
        again = pair.act(people.deactivate, "alice")
        assert again.version == first.version
        assert len(pair.events(first.id, "person:deactivated")) == 1
        back = pair.act(people.reactivate, "alice")
        assert pair.act(people.reactivate, "alice").version == back.version


class TestBan:
    """E-13."""

    @pytest.fixture
    def banned(self, office: Office) -> Office:
        """Mallory held the one seat of `manager` by the group Sales and is banned; Wendy has it now."""
        office.act(rules.create, "Sales", "manager", exit_grace=timedelta(0))
        ids = [office.idp.user(name)["id"] for name in ("mallory", "wendy")]
        office.idp.group("Sales", *ids)
        office.act(people.ban, "mallory", "sold the address book")
        return office

    def test_LX_10_a_ban_needs_a_reason(self, office: Office) -> None:
        office.act(people.add, people.form("mallory"), "manager")
        for blank in ("", "  \n"):
            with office.refused("blank_reason", "--reason"):
                office.act(people.ban, "mallory", blank)
        with office.refused("long_reason"):
            office.act(people.ban, "mallory", "x" * 501)

    def test_LX_04_a_ban_ends_everything_at_once(self, banned: Office) -> None:
        assert banned.states("manager") == {"mallory": "blocked", "wendy": "assigned"}
        account = banned.account("mallory")
        assert (account.ban_reason, account.banned_at) == ("sold the address book", START)
        assert (account.sessions_void_before, account.api_keys_void_before) == (START, START)
        user_id = banned.ask(people.profile, "mallory").person.id
        assert banned.events(user_id, "person:banned") == [{"reason": "sold the address book"}]
        banned.check()

    def test_E_13_active_true_from_the_provider_is_accepted_and_does_not_lift_it(self, banned: Office) -> None:
        user_id = banned.ask(people.profile, "mallory").person.id
        for active in (False, True):
            answer = banned.idp.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": active}})
            assert (answer.status, answer.body["active"]) == (200, active)
        answer = banned.idp.put(f"/Users/{user_id}", {"schemas": [CORE], "userName": "mallory", "active": True})
        assert (answer.status, answer.body["active"]) == (200, True)
        assert banned.idp.post("/Users", {"schemas": [CORE], "userName": "mallory", "active": True}).status == 409
        assert banned.states("manager") == {"mallory": "blocked", "wendy": "assigned"}
        assert banned.ask(people.profile, "mallory").banned
        banned.check()

    def test_E_13_groups_that_a_banned_person_joins_give_nothing_until_the_ban_is_lifted(self, banned: Office) -> None:
        user_id = banned.ask(people.profile, "mallory").person.id
        banned.act(rules.create, "Press", "recruiter")
        banned.idp.group("Press", user_id)
        assert banned.states("recruiter") == {"mallory": "blocked"}
        banned.act(people.unban, "mallory")
        assert banned.states("recruiter") == {"mallory": "assigned"}
        banned.check()

    def test_E_13_who_is_unbanned_queues_at_the_end(self, banned: Office) -> None:
        banned.act(people.unban, "mallory", reason="a mistake")
        assert banned.states("manager") == {"wendy": "assigned", "mallory": "waiting 1"}
        account = banned.account("mallory")
        assert (account.ban_reason, account.banned_at, account.sessions_void_before) == (None, None, START)
        banned.check()

    def test_E_13_unbanning_does_not_activate(self, banned: Office) -> None:
        banned.act(people.deactivate, "mallory")
        banned.act(people.unban, "mallory")
        assert banned.states("manager") == {"wendy": "assigned"}
        banned.act(people.reactivate, "mallory")
        assert banned.states("manager") == {"wendy": "assigned", "mallory": "waiting 1"}
        banned.check()

    def test_E_13_what_a_banned_person_cannot_have_is_refused(self, banned: Office) -> None:
        with banned.refused("person_banned", "person unban"):
            banned.act(direct.assign, "mallory", "recruiter")
        with banned.refused("person_banned"):
            banned.act(people.reactivate, "mallory")
        with banned.refused("not_banned"):
            banned.act(people.unban, "wendy")

    def test_E_13_banning_again_changes_the_reason_only(self, banned: Office, clock: SettableClock) -> None:
        clock.advance(HOUR)
        account = banned.act(people.ban, "mallory", "and the car")
        assert (account.ban_reason, account.banned_at) == ("and the car", START)
        banned.check()

    def test_E_12_a_ban_frees_a_suspended_seat_too(self, office: Office) -> None:
        office.act(people.add, people.form("mallory"), "manager")
        office.act(lifecycle.suspend, "mallory", "manager")
        office.act(people.ban, "mallory", "fraud")
        assert office.used("manager") == 0
        office.check()


class TestFlags:
    """E-23, decision 32."""

    def test_LX_06_LX_07_LX_08_switches_say_since_when_and_are_told_with_their_reason(
        self, office: Office, clock: SettableClock
    ) -> None:
        made = office.act(people.add, people.form("alice"), "manager")
        on = {"void_api_keys": True, "must_change_password": True, "privacy_override": True}
        account = office.act(people.flag, "alice", **on, reason="lost laptop")
        assert account == Account(api_keys_void_before=START, must_change_password=START, privacy_override=START)
        clock.advance(HOUR)
        office.act(people.flag, "alice", must_change_password=True)
        assert office.account("alice") == account
        account = office.act(people.flag, "alice", void_sessions=True, privacy_override=False)
        assert (account.sessions_void_before, account.privacy_override) == (START + HOUR, None)
        first, second = office.events(made.person.id, "account:changed")
        assert first["reason"] == "lost laptop"
        assert (second["privacy_override"], "must_change_password" in second) == (None, False)
        assert office.states("manager") == {"alice": "assigned"}
        office.check()

    def test_decision_32_nothing_is_set_on_an_untouched_account(self, office: Office) -> None:
        office.act(people.add, people.form("alice"))
        assert office.act(people.flag, "alice") == Account()
        assert office.ask(accounts.find, 10_000) == Account()


class TestGrants:
    """D-18, decision 33."""

    def test_D_18_grants_are_opaque_keys_with_or_without_a_team(self, office: Office) -> None:
        office.act(people.add, people.form("alice"))
        office.act(people.grant, "alice", ["file-1", "file-2", "file-1"])
        office.act(people.grant, "alice", ["file-1"], "B")
        assert office.grants("alice") == [("file-1", ""), ("file-1", "B"), ("file-2", "")]
        office.act(people.revoke, "alice", ["file-1"])
        assert office.grants("alice") == [("file-1", "B"), ("file-2", "")]

    def test_D_18_granting_again_changes_nothing(self, office: Office) -> None:
        made = office.act(people.add, people.form("alice"))
        for _ in range(2):
            office.act(people.grant, "alice", ["file-1"])
        assert office.events(made.person.id, "grant:added") == [{"resources": ["file-1"], "team": ""}]

    def test_D_18_what_cannot_be_is_refused(self, office: Office) -> None:
        office.act(people.add, people.form("alice"))
        office.act(people.grant, "alice", ["file-1"])
        with office.refused("no_grant", "file-2"):
            office.act(people.revoke, "alice", ["file-1", "file-2"])
        with office.refused("no_grant", "team 'B'"):
            office.act(people.revoke, "alice", ["file-1"], "B")
        for key in ("", " ", "x" * 251, "a\x00b"):
            with office.refused("bad_key"):
                office.act(people.grant, "alice", [key])
        with office.refused("too_many_grants", "10000"):
            office.act(people.grant, "alice", [f"file-{number}" for number in range(2, 10_003)])
        assert office.grants("alice") == [("file-1", "")]

    def test_D_18_many_grants_are_copied(self, office: Office) -> None:
        office.act(people.add, people.form("alice"), "recruiter")
        office.act(people.grant, "alice", [f"file-{number:04}" for number in range(3000)], "B")
        office.act(people.copy, "alice", people.form("bob"))
        assert office.grants("bob") == office.grants("alice")


def test_E_19_a_deleted_person_leaves_nothing_whatever_was_set(office: Office) -> None:
    made = office.act(people.add, people.form("alice"), "manager")
    office.act(people.grant, "alice", ["file-1"], "B")
    office.act(people.flag, "alice", privacy_override=True)
    office.act(lifecycle.suspend, "alice", "manager")
    office.act(people.ban, "alice", "fraud")
    assert office.idp.delete(f"/Users/{made.person.id}").status == 204
    assert (office.names(), office.states("manager"), office.used("manager")) == ([], {}, 0)
    with pytest.raises(errors.NotFound):
        office.ask(people.profile, "alice")
    again = office.idp.user("alice")
    assert again["id"] != made.person.id
    profile = office.ask(people.profile, "alice")
    assert (profile.banned, profile.account, profile.licenses, profile.grants) == (False, Account(), [], [])
    office.check()


def test_E_19_a_marker_without_a_reason_does_not_keep_a_person_from_being_deleted(office: Office) -> None:
    office.act(rules.create, "Sales", "manager", exit_grace=timedelta(0))
    user = office.idp.user("alice")
    sales = office.idp.group("Sales", user["id"])
    office.act(lifecycle.suspend, "alice", "manager")
    office.idp.patch(f"/Groups/{sales['id']}", {"op": "remove", "path": f'members[value eq "{user["id"]}"]'})
    assert office.states("manager") == {"alice": "suspended"}
    assert office.idp.delete(f"/Users/{user['id']}").status == 204
    assert office.states("manager") == {}
    office.check()


def test_LX_09_a_profile_tells_licenses_and_permissions(office: Office) -> None:
    office.act(catalog.update_type, "manager", rights={"approve": True}, implies=("recruiter",))
    office.act(catalog.update_type, "recruiter", rights={"publish": True})
    office.act(people.add, people.form("alice"), "manager")
    profile = office.ask(people.profile, "alice")
    assert [(one.type_code, one.state) for one in profile.licenses] == [("manager", "assigned")]
    assert [(one.type_code, one.by, one.rights) for one in profile.permissions] == [
        ("manager", "manager", {"approve": True}),
        ("recruiter", "manager", {"publish": True}),
    ]
    office.act(people.deactivate, "alice")
    assert office.ask(people.profile, "alice").permissions == []


def test_I_11_a_person_of_another_tenant_is_not_found(office: Office) -> None:
    name = "charlie@globex.example"
    for what in (people.deactivate, people.reactivate, people.unban, people.profile):
        with office.refused("unknown_person"):
            office.act(what, name)
    with office.refused("unknown_person"):
        office.act(people.copy, name, people.form("new"))
    with office.refused("unknown_person"):
        office.act(people.grant, name, ["file-1"])
