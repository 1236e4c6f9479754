"""Terms of rules: quota, filter, exclusions, validity, bundles, everyone, another type (D-7, A-9, A-13, E-8, E-25)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, facts, rules, seats, usage
from scim_service.licensing.rules import Terms
from scim_service.storage import tables
from tests.conftest import START
from tests.licensing.conftest import HOUR, NOW, Organization

DAY = timedelta(days=1)
_users = tables.directory.users
_WRITE = (
    sa.update(_users)
    .where(_users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which"))
    .values(document=sa.bindparam("new_document"))
)


def told(acme: Organization, code: str = "pro") -> dict[str, tuple[str, str | None]]:
    with acme.reading() as work:
        return {one.user_name: (one.state, one.reason) for one in usage.people(work, code)}


def updates(acme: Organization, group: str, code: str, **changes: Any) -> None:
    with acme.writing() as work:
        rules.update(work, group, code, **changes)


def becomes(acme: Organization, name: str, department: str) -> None:
    """The person's department changes."""
    with acme.writing() as work:
        document = f'{{"userName":"{name}","title":"{department}"}}'
        work.execute(_WRITE, which=acme.people[name], new_document=document)
        seats.attributes_changed(work, acme.people[name])


@pytest.fixture
def team(acme: Organization) -> Organization:
    """Three people in Sales, ten seats of pro, no exit grace."""
    acme.sells({"pro": 10, "extra": 10}, exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben", "cem")
    return acme


ASSIGNED = ("assigned", None)


def test_A_13_a_rule_gives_no_more_than_its_quota_though_seats_are_free(team: Organization) -> None:
    team.gives("Sales", "pro", terms=Terms(quota=2))
    assert told(team) == {"ann": ASSIGNED, "ben": ASSIGNED, "cem": ("waiting", facts.QUOTA)}
    team.check()
    team.leave("Sales", "ann")
    assert told(team) == {"ben": ASSIGNED, "cem": ASSIGNED}
    team.check()


def test_A_13_a_seat_counts_against_the_best_rule_that_has_quota_left(team: Organization) -> None:
    team.makes("Leads", "ann", "ben")
    team.gives("Leads", "pro", terms=Terms(priority=1, quota=1))
    team.gives("Sales", "pro", terms=Terms(priority=9, quota=1))
    assert told(team) == {"ann": ASSIGNED, "ben": ASSIGNED, "cem": ("waiting", facts.QUOTA)}
    with team.writing() as work:
        assert direct.assign(work, "cem", "pro") == "assigned"
    team.check()


def test_A_13_a_quota_that_comes_free_without_a_seat_serves_the_queue_too(team: Organization) -> None:
    team.gives("Sales", "pro", terms=Terms(quota=1))
    with team.writing() as work:
        direct.assign(work, "ann", "pro")
    assert told(team) == {"ann": ASSIGNED, "ben": ("waiting", facts.QUOTA), "cem": ("waiting", facts.QUOTA)}
    team.leave("Sales", "ann")
    assert told(team) == {"ann": ASSIGNED, "ben": ASSIGNED, "cem": ("waiting", facts.QUOTA)}
    team.check()


def test_A_13_who_waits_for_a_quota_does_so_whatever_becomes_of_the_seats(acme: Organization) -> None:
    acme.sells({"pro": 2}, exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro", terms=Terms(quota=1))
    assert told(acme)["ben"] == ("waiting", facts.QUOTA)
    with acme.writing() as work:
        direct.assign(work, "cem", "pro")
    assert told(acme)["ben"] == ("waiting", facts.QUOTA)
    acme.check()


def test_A_13_a_quota_that_is_used_up_without_a_seat_is_why_others_wait_from_then_on(acme: Organization) -> None:
    acme.sells({"pro": 2}, exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    for name in ("ann", "ben"):
        with acme.writing() as work:
            direct.assign(work, name, "pro")
    acme.makes("Sales", "ann", "cem")
    acme.gives("Sales", "pro", terms=Terms(quota=1))
    assert told(acme)["cem"] == ("waiting", facts.CAP_REACHED)
    with acme.writing() as work:
        direct.unassign(work, "ann", "pro")
    assert told(acme) == {"ann": ASSIGNED, "ben": ASSIGNED, "cem": ("waiting", facts.QUOTA)}
    acme.check()


def test_A_13_more_quota_serves_the_queue(team: Organization) -> None:
    team.gives("Sales", "pro", terms=Terms(quota=1))
    updates(team, "Sales", "pro", quota=3)
    assert set(told(team).values()) == {ASSIGNED}
    team.check()


def test_D_7_a_filter_holds_back_whom_it_does_not_mean(team: Organization) -> None:
    becomes(team, "ann", "Sales")
    team.gives("Sales", "pro", terms=Terms(filter='title eq "Sales"'))
    assert told(team) == {"ann": ASSIGNED, "ben": ("blocked", facts.FILTER), "cem": ("blocked", facts.FILTER)}
    becomes(team, "ben", "sales")
    assert told(team)["ben"] == ASSIGNED
    becomes(team, "ann", "Legal")
    assert "ann" not in told(team)
    becomes(team, "ann", "Sales")
    assert told(team)["ann"] == ASSIGNED
    team.check()


def test_D_7_a_filter_that_asks_for_nothing_known_is_refused(team: Organization) -> None:
    with pytest.raises(errors.InvalidFilter), team.writing() as work:
        rules.create(work, "Sales", "pro", terms=Terms(filter='shoeSize eq "42"'))
    with team.reading() as work:
        assert rules.listing(work) == []


def test_E_9_who_is_excluded_from_a_rule_gets_nothing_from_it(team: Organization) -> None:
    team.gives("Sales", "pro", exclude=["ben"])
    assert set(told(team)) == {"ann", "cem"}
    updates(team, "Sales", "pro", exclude=["ann"], include=["ben"])
    assert set(told(team)) == {"ben", "cem"}
    team.leave("Sales", "ann")
    team.join("Sales", "ann")
    assert set(told(team)) == {"ben", "cem"}
    team.check()


def test_D_7_a_rule_counts_in_its_validity_only(team: Organization, clock: Any) -> None:
    team.gives("Sales", "pro", terms=Terms(valid_from=START + HOUR, valid_to=START + DAY))
    assert set(told(team).values()) == {("blocked", "not_yet_valid")}
    clock.advance(HOUR)
    team.tick()
    assert set(told(team).values()) == {ASSIGNED}
    clock.set(START + DAY)
    team.tick()
    assert told(team) == {}
    team.has("dee")
    team.join("Sales", "dee")
    assert told(team) == {}
    team.check()


def test_E_8_a_disabled_rule_ends_as_if_deleted_and_comes_back_as_if_new(team: Organization) -> None:
    team.gives("Sales", "pro", terms=Terms(exit_grace=HOUR))
    updates(team, "Sales", "pro", enabled=False)
    assert {row[0] for row in told(team).values()} == {"grace"}
    updates(team, "Sales", "pro", enabled=True)
    assert set(told(team).values()) == {ASSIGNED}
    team.check()


def test_A_9_a_bundle_is_given_whole_or_not_at_all(acme: Organization) -> None:
    acme.sells({"pro": 3, "extra": 1}, exit_grace=NOW)
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "extra", atomic=True)
    assert told(acme) == {"ann": ASSIGNED, "ben": ("waiting", facts.CAP_REACHED)}
    assert told(acme, "extra") == {"ann": ASSIGNED, "ben": ("waiting", facts.CAP_REACHED)}
    acme.check()
    acme.leave("Sales", "ann")
    assert (told(acme), told(acme, "extra")) == ({"ben": ASSIGNED}, {"ben": ASSIGNED})
    acme.check()


def test_A_9_the_types_of_a_bundle_wait_at_one_common_place(acme: Organization) -> None:
    acme.sells({"pro": 1, "extra": 0}, exit_grace=NOW)
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "extra", atomic=True)
    assert acme.states("pro") == acme.states("extra") == {"ann": "waiting 1", "ben": "waiting 2"}
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"extra": 1})
    assert acme.states("pro") == acme.states("extra") == {"ann": "assigned", "ben": "waiting 1"}
    acme.check()


def test_A_13_who_has_no_quota_waits_for_that_also_when_the_seats_are_gone(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", "ben")
    acme.gives(rules.EVERYONE, "pro", terms=Terms(quota=0))
    assert told(acme) == dict.fromkeys(("ann", "ben"), ("waiting", "quota"))
    with acme.writing() as work:
        direct.assign(work, "ben", "pro")
    assert told(acme) == {"ann": ("waiting", "quota"), "ben": ("assigned", None)}
    acme.check()


def test_A_9_who_has_no_quota_is_not_before_somebody_who_wants_a_bundle(acme: Organization) -> None:
    acme.sells({"pro": 1, "extra": 1})
    acme.has("ann", "ben")
    acme.makes("Sales", "ben")
    acme.gives(rules.EVERYONE, "extra", terms=Terms(quota=0))
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        rules.delete(work, "Sales", "pro")
        rules.create(work, "Sales", "pro", "extra", atomic=True)
    assert told(acme) == {"ben": ("assigned", None)}
    assert told(acme, "extra") == {"ann": ("waiting", "quota"), "ben": ("assigned", None)}
    acme.check()


def test_A_9_a_part_of_a_bundle_that_is_given_no_more_is_not_waited_for(acme: Organization) -> None:
    acme.sells({"pro": 0, "extra": 0})
    acme.has("ann")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "extra", atomic=True)
    updates(acme, "Sales", "extra", enabled=False)
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 1})
    assert told(acme) == {"ann": ("assigned", None)}
    acme.check()


def test_A_9_types_of_one_rule_are_independent_unless_atomic(acme: Organization) -> None:
    acme.sells({"pro": 1, "extra": 0}, exit_grace=NOW)
    acme.has("ann")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "extra")
    assert (told(acme), told(acme, "extra")) == ({"ann": ASSIGNED}, {"ann": ("waiting", facts.CAP_REACHED)})


def test_D_7_a_rule_for_everyone_reaches_who_is_there_and_who_comes(acme: Organization) -> None:
    acme.sells({"pro": 2})
    acme.has("ann")
    with acme.writing() as work:
        rules.create(work, rules.EVERYONE, "pro")
    acme.has("ben", "cem")
    with acme.writing() as work:
        for name in ("ben", "cem"):
            seats.person_made(work, acme.people[name])
    assert told(acme) == {"ann": ASSIGNED, "ben": ASSIGNED, "cem": ("waiting", facts.CAP_REACHED)}
    with acme.writing() as work:
        rules.delete(work, rules.EVERYONE, "pro")
    assert {row[0] for row in told(acme).values()} == {"grace"}
    acme.check()


def test_E_25_a_rule_that_gives_another_type_lets_the_old_one_go_when_the_new_has_a_seat(
    acme: Organization, clock: Any
) -> None:
    acme.sells({"recruiter": 3, "manager": 1}, ("manager", "recruiter"), exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben", "cem")
    acme.gives("Sales", "recruiter")
    updates(acme, "Sales", "recruiter", to_type="manager")
    assert told(acme, "manager")["ann"] == ASSIGNED
    assert told(acme, "recruiter") == {"ben": ("grace", facts.MIGRATING), "cem": ("grace", facts.MIGRATING)}
    acme.check()
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"manager": 2})
    assert set(told(acme, "recruiter")) == {"cem"}
    clock.advance(rules.MIGRATION_GRACE)
    acme.tick()
    assert told(acme, "recruiter") == {}
    assert told(acme, "manager")["cem"] == ("waiting", facts.CAP_REACHED)
    acme.check()


def test_E_7_people_get_their_claims_in_the_order_of_joining(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", "ben")
    acme.makes("Sales", "ben")
    acme.join("Sales", "ann")
    acme.gives("Sales", "pro")
    assert acme.states("pro") == {"ann": "waiting 1", "ben": "assigned"}


@pytest.mark.parametrize(
    "terms",
    [
        Terms(priority=0),
        Terms(quota=-1),
        Terms(valid_from=START + DAY, valid_to=START),
    ],
)
def test_D_7_terms_that_cannot_be_are_refused(team: Organization, terms: Terms) -> None:
    with pytest.raises(errors.InvalidValue), team.writing() as work:
        rules.create(work, "Sales", "pro", terms=terms)


def test_X_6_a_type_of_the_console_or_of_attributes_is_given_by_no_group(team: Organization) -> None:
    for authority in (catalog.CONSOLE, catalog.SCIM):
        with team.writing() as work:
            catalog.update_type(work, "pro", authority=authority)
        with pytest.raises(errors.ScimError), team.writing() as work:
            rules.create(work, "Sales", "pro")
