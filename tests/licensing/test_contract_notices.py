"""A contract that ends is told of before, at its end and around the end of its grace (N-6, T-8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from scim_service.jobs import notices
from scim_service.jobs.job import Context, Report
from scim_service.licensing import catalog, contract_steps, contracts
from scim_service.licensing.contracts import Terms
from tests import service
from tests.conftest import START, SettableClock
from tests.licensing.conftest import HOUR, Organization

DAY = timedelta(days=1)
END = START + 100 * DAY
GRACE = timedelta(days=14)


def run(acme: Organization) -> Report:
    """The job, now."""
    now = acme.store.clock.now()
    return notices.contracts_end(Context(acme.store, service.settings(acme.store.database.url), now, now))


@pytest.fixture
def bound(acme: Organization) -> Organization:
    """Two of nine seats of `pro` are used, by a contract that ends in 100 days and names whom it concerns."""
    sold(acme, END, contacts=["buyer@acme.example", "the buyer", "HEAD@staff.example"])
    return acme


def sold(acme: Organization, ends: datetime | None, grace: timedelta = GRACE, **details: Any) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", product="Core")
        contracts.create(work, "C-1", {"pro": 9}, terms=Terms(ends=ends, grace=grace, details=details))
    acme.is_run_by("head", "operator")
    acme.is_run_by("license_administrator", product="Core")
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")


def offsets(acme: Organization, recipient: str = "head") -> list[str]:
    """Which steps one of the recipients was told of, in order."""
    found = [one for one in acme.posted(*contract_steps.LETTERS) if one.recipient.partition("@")[0] == recipient]
    return [one.key.split(":")[3] for one in found]


def test_N_6_each_step_is_told_on_its_day_once_however_often_the_job_runs(
    bound: Organization, clock: SettableClock
) -> None:
    seen: dict[str, timedelta] = {}
    while clock.instant < END + GRACE + 60 * DAY:
        run(bound)
        assert run(bound).items == 0
        for offset in offsets(bound)[len(seen) :]:
            seen[offset] = clock.instant - END
        clock.advance(12 * HOUR)
    steps = {f"{days}d": -days * DAY for days in (90, 60, 30, 14, 7, 1)}
    assert seen == {
        **steps,
        "end": 0 * DAY,
        "grace-3d": GRACE - 3 * DAY,
        "grace-1d": GRACE - DAY,
        "grace-end": GRACE,
    }


def test_N_6_license_administrators_the_head_the_contacts_and_the_operator_are_told(
    bound: Organization, clock: SettableClock
) -> None:
    clock.set(END - 30 * DAY)
    run(bound)
    assert sorted(one.recipient for one in bound.posted()) == [
        "buyer@acme.example",
        "head@staff.example",
        "license_administrator@staff.example",
        "operator:",
    ]
    [one] = [one for one in bound.posted() if one.recipient == "operator:"]
    assert (one.letter, one.key) == ("contract_ends", "ctr:1:1:30d:operator:")
    assert one.facts == {
        "contract": "C-1",
        "ends_at": "2027-06-09T08:00:00.000Z",
        "days": 30,
        "types": [{"type": {"code": "pro", "name": "Pro"}, "seats": 9, "used": 2}],
    }


def test_N_6_people_are_told_from_the_last_day_before_the_grace_ends_only(
    bound: Organization, clock: SettableClock
) -> None:
    while clock.instant < END + GRACE - DAY:
        run(bound)
        clock.advance(6 * HOUR)
    assert bound.told("contract_last_day", "drop_deadline") == []
    for _ in range(3):
        run(bound)
        clock.advance(8 * HOUR)
    assert bound.told("contract_last_day") == [("contract_last_day", "ann"), ("contract_last_day", "ben")]
    assert bound.posted("contract_last_day")[0].facts == {
        "types": [{"code": "pro", "name": "Pro"}],
        "grace_until": "2027-06-23T08:00:00.000Z",
    }
    run(bound)
    assert bound.told("drop_executed") == [("drop_executed", "ann"), ("drop_executed", "ben")]


def test_T_8_N_6_of_steps_that_were_missed_only_the_latest_is_told(bound: Organization, clock: SettableClock) -> None:
    clock.set(END - 95 * DAY)
    run(bound)
    clock.set(END - 6 * DAY)
    run(bound)
    assert offsets(bound) == ["7d"]
    assert bound.posted()[0].facts["days"] == 6
    clock.set(END + GRACE + 2 * DAY)
    run(bound)
    assert offsets(bound) == ["7d", "grace-end"]


def test_N_6_what_ended_long_ago_and_what_never_ends_is_not_told(acme: Organization, clock: SettableClock) -> None:
    sold(acme, END)
    clock.set(END + GRACE + 31 * DAY)
    run(acme)
    assert acme.posted(*contract_steps.LETTERS) == []


def test_N_6_a_contract_of_a_few_days_is_not_told_of_from_before_it_began(
    acme: Organization, clock: SettableClock
) -> None:
    sold(acme, START + 20 * DAY)
    run(acme)
    assert acme.posted() == []
    clock.advance(6 * DAY)
    run(acme)
    assert offsets(acme) == ["14d"]


@pytest.mark.parametrize("grace", [timedelta(0), 2 * DAY, 3 * DAY, GRACE])
def test_N_6_the_steps_rise_and_none_is_outside_its_period(grace: timedelta) -> None:
    steps = contract_steps.of(START, END, grace)
    assert all(one.at <= two.at for one, two in pairwise(steps))
    assert steps[-1] == contract_steps.Step("grace-end", END + grace, "grace_ended")
    assert all(END < one.at < END + grace for one in steps if one.letter == "grace_ends")


def renewed(acme: Organization, starts: Callable[[datetime], datetime] = lambda end: end) -> None:
    with acme.writing() as work:
        contracts.renew(work, "C-1", "C-2", {}, Terms(starts=starts(END), ends=END + 365 * DAY))


def test_N_6_a_renewal_takes_back_what_was_not_sent_and_begins_a_new_series(
    bound: Organization, clock: SettableClock
) -> None:
    clock.set(END - 30 * DAY)
    run(bound)
    renewed(bound)
    assert {one.state for one in bound.posted()} == {"cancelled"}
    clock.set(END + GRACE)
    run(bound)
    assert offsets(bound) == ["30d"]
    clock.set(END + 365 * DAY - 90 * DAY)
    run(bound)
    assert [one.key for one in bound.posted()][-1].startswith("ctr:1:2:90d:")
    bound.check()


def test_N_6_a_renewal_that_leaves_a_gap_does_not_silence_the_end(bound: Organization, clock: SettableClock) -> None:
    clock.set(END - DAY)
    run(bound)
    renewed(bound, lambda end: end + 5 * DAY)
    assert {one.state for one in bound.posted(*contract_steps.LETTERS)} == {"queued"}
    clock.set(END)
    run(bound)
    assert offsets(bound) == ["1d", "end"]
    clock.set(END + 12 * DAY)
    run(bound)
    assert offsets(bound) == ["1d", "end"]


def test_N_6_another_tenants_contract_is_that_tenants_business(
    founded: Callable[..., Organization], clock: SettableClock
) -> None:
    acme, globex = founded(), founded("globex")
    sold(acme, END)
    clock.set(END - 7 * DAY)
    run(acme)
    assert (len(offsets(acme)), globex.posted()) == (1, [])
