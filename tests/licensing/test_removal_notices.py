"""A provider takes licenses from too many people: told at once, once (N-8, E-27, decision 41)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scim_service.access import tenant_settings
from scim_service.jobs import notices
from scim_service.jobs.job import Context, Report
from scim_service.licensing import policies, rules
from scim_service.storage.work import Actor
from tests import service
from tests.conftest import SettableClock
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
NAMES = [f"p{number:02}" for number in range(12)]
"""Two more than may be removed at once."""
PROVIDER = Actor("connection", "okta")


def run(acme: Organization) -> Report:
    """The job that looks for many who left one by one."""
    now = acme.store.clock.now()
    return notices.removals(Context(acme.store, service.settings(acme.store.database.url), now, now))


@pytest.fixture
def full(acme: Organization) -> Organization:
    """Twelve people hold seats of `pro` by the group Sales, which the provider looks after."""
    acme.is_run_by("head", "administrator", "auditor")
    sales(acme, 40, *NAMES, exit_grace=HOUR)
    acme.actor = PROVIDER
    return acme


def test_N_8_the_first_seat_that_is_parked_is_told_at_once_and_the_next_ones_not_again(
    full: Organization, clock: SettableClock
) -> None:
    for name in NAMES[:10]:
        full.turn(name, False)
    assert full.posted() == []
    full.turn(NAMES[10], False)
    assert full.told() == [("mass_removal", "head"), ("mass_removal", "administrator"), ("mass_removal", "operator:")]
    assert full.posted()[0].facts == {
        "removed": 11,
        "parked": 1,
        "types": [{"code": "pro", "name": "Pro"}],
        "until": "2027-03-02T08:00:00.000Z",
    }
    full.delete(NAMES[11])
    assert len(full.posted()) == 3
    full.check()


def test_N_8_the_next_day_it_is_told_again(full: Organization, clock: SettableClock) -> None:
    for name in NAMES[:11]:
        full.turn(name, False)
    clock.advance(25 * HOUR)
    for name in NAMES[:11]:
        full.turn(name, True)
    for name in NAMES[:11]:
        full.turn(name, False)
    assert len(full.posted("mass_removal")) == 6


def test_N_8_one_request_that_takes_a_type_from_too_many_members_is_told_and_parks_nothing(full: Organization) -> None:
    full.leave("Sales", *NAMES[:10])
    assert full.posted() == []
    full.join("Sales", *NAMES[:10])
    full.leave("Sales", *NAMES)
    assert len(full.posted()) == 3
    assert full.posted()[0].facts == {
        "removed": 12,
        "parked": 0,
        "types": [{"code": "pro", "name": "Pro"}],
        "until": "2027-03-01T09:00:00.000Z",
    }
    assert set(full.states("pro").values()) == {"grace"}


@pytest.mark.parametrize("grace", [NOW, HOUR])
def test_N_8_a_group_that_is_deleted_is_told(acme: Organization, grace: timedelta) -> None:
    acme.is_run_by("head")
    sales(acme, 40, *NAMES, exit_grace=grace)
    acme.actor = PROVIDER
    acme.drops("Sales")
    assert acme.told() == [("mass_removal", "head"), ("mass_removal", "operator:")]


def test_N_8_members_who_are_removed_one_by_one_are_told_of_by_the_job(
    full: Organization, clock: SettableClock
) -> None:
    for name in NAMES[:10]:
        full.leave("Sales", name)
        clock.advance(timedelta(seconds=20))
    assert run(full).items == 0
    full.leave("Sales", NAMES[10])
    assert full.posted() == []
    assert run(full).items == 3
    assert full.posted()[0].facts["removed"] == 11
    assert run(full).items == 0


def test_N_8_removals_that_take_their_time_are_normal(full: Organization, clock: SettableClock) -> None:
    for name in NAMES:
        full.leave("Sales", name)
        clock.advance(timedelta(minutes=2))
        assert run(full).items == 0


def test_N_8_what_an_administrator_does_is_no_removal_by_the_provider(full: Organization) -> None:
    full.actor = Actor("cli")
    with full.writing() as work:
        rules.update(work, "Sales", "pro", exclude=NAMES)
    run(full)
    full.leave("Sales", *NAMES)
    assert full.posted() == []


def test_N_8_a_tenant_without_the_brake_hears_nothing(full: Organization) -> None:

    with full.writing() as work:
        policies.change(work, settings=tenant_settings.parsed({"mass_change": "off"}))
    full.leave("Sales", *NAMES)
    run(full)
    assert full.posted() == []
