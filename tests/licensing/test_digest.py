"""The administrators' weekly letter: when, to whom, what it says (N-4, N-7, decision 42)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scim_service.access import tenant_settings
from scim_service.jobs import digest
from scim_service.jobs.job import Context, Report
from scim_service.licensing import catalog, contracts, direct, policies, requests
from scim_service.licensing.catalog import Options
from scim_service.storage import tables
from tests import service
from tests.conftest import SettableClock
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
QUARTER = timedelta(minutes=15)
PARIS = ZoneInfo("Europe/Paris")
NEXT_MONDAY = datetime(2027, 3, 8, 7, tzinfo=UTC)


def run(acme: Organization) -> Report:
    now = acme.store.clock.now()
    return digest.run(Context(acme.store, service.settings(acme.store.database.url), now, now))


def sets(acme: Organization, **settings: str) -> None:
    with acme.writing() as work:
        policies.change(work, settings=tenant_settings.parsed(settings))


@pytest.fixture
def busy(acme: Organization) -> Organization:
    """Ben waits for the one seat of `pro`; there is somebody to read of it."""
    acme.is_run_by("head", "operator", "auditor")
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    return acme


def said(acme: Organization, reader: str = "head") -> dict[str, Any]:
    """What the latest digest said to a reader, empty lists left out."""
    [*_, last] = [one for one in acme.posted("digest") if one.recipient.startswith(reader)]
    return {name: value for name, value in last.facts.items() if value}


def test_N_7_once_on_monday_at_seven_in_the_tenants_zone_whatever_summer_time_does(
    busy: Organization, clock: SettableClock
) -> None:
    sets(busy, time_zone="Europe/Paris")
    found = []
    while clock.instant < datetime(2027, 4, 6, tzinfo=UTC):
        if run(busy).items:
            found.append(clock.instant.astimezone(PARIS))
        clock.advance(6 * QUARTER if clock.instant.weekday() else QUARTER)
    assert [(one.weekday(), one.hour, one.minute) for one in found] == [(0, 7, 0)] * 5
    assert [one.utcoffset() for one in found] == [HOUR] * 3 + [2 * HOUR] * 2
    assert [one.key for one in busy.posted("digest")] == [
        f"dig:2027-W{number:02}:head@staff.example" for number in range(10, 15)
    ]


@pytest.mark.parametrize(
    ("now", "zone", "due", "week"),
    [
        ("2027-03-29T05:00Z", "Europe/Paris", "2027-03-29T05:00Z", "2027-W13"),
        ("2027-03-29T04:59Z", "Europe/Paris", "2027-03-22T06:00Z", "2027-W12"),
        ("2027-03-28T18:00Z", "Pacific/Auckland", "2027-03-28T18:00Z", "2027-W13"),
        ("2027-03-08T01:14Z", "Asia/Kathmandu", "2027-03-01T01:15Z", "2027-W09"),
        ("2027-03-08T01:15Z", "Asia/Kathmandu", "2027-03-08T01:15Z", "2027-W10"),
        ("2027-01-04T07:00Z", "UTC", "2027-01-04T07:00Z", "2027-W01"),
        ("2027-01-03T23:00Z", "UTC", "2026-12-28T07:00Z", "2026-W53"),
        ("2027-11-01T12:00Z", "America/New_York", "2027-11-01T11:00Z", "2027-W44"),
        ("2027-11-08T12:00Z", "America/New_York", "2027-11-08T12:00Z", "2027-W45"),
    ],
)
def test_N_7_the_slot_is_the_latest_monday_at_seven_of_the_zone(now: str, zone: str, due: str, week: str) -> None:
    found = digest.slot(datetime.fromisoformat(now), ZoneInfo(zone))
    assert found == datetime.fromisoformat(due)
    assert digest.week(found, ZoneInfo(zone)) == week


def test_N_7_a_tenant_that_moves_to_another_zone_gets_one_a_week(busy: Organization, clock: SettableClock) -> None:
    clock.set(NEXT_MONDAY)
    run(busy)
    sets(busy, time_zone="Pacific/Honolulu")
    clock.advance(12 * HOUR)
    run(busy)
    assert len(busy.posted("digest")) == 1


def test_N_7_late_is_better_than_never_and_the_next_one_tells_the_rest(
    busy: Organization, clock: SettableClock
) -> None:
    busy.has("cem")
    busy.join("Sales", "cem")
    clock.set(NEXT_MONDAY + DAY)
    busy.leave("Sales", "ann")
    clock.set(NEXT_MONDAY + 2 * DAY)
    assert run(busy).items == 1
    assert "promoted" not in said(busy)
    clock.set(NEXT_MONDAY + WEEK)
    run(busy)
    assert said(busy)["promoted"] == [
        {"type": {"code": "pro", "name": "Pro"}, "name": "ben", "since": "2027-03-09T07:00:00.000Z"}
    ]


def test_N_7_nothing_to_say_is_no_letter_and_tuesdays_news_are_for_the_next_monday(
    acme: Organization, clock: SettableClock
) -> None:
    acme.is_run_by("head")
    sales(acme, 1, "ann")
    clock.set(NEXT_MONDAY)
    assert run(acme).items == 0
    assert [one.state for one in acme.posted("digest")] == ["cancelled"]
    acme.has("ben")
    acme.join("Sales", "ben")
    clock.advance(DAY)
    assert run(acme).items == 0
    clock.advance(6 * DAY)
    assert run(acme).items == 1


def test_N_7_who_turned_it_off_and_who_came_later_gets_none(busy: Organization, clock: SettableClock) -> None:
    sets(busy, digest="off")
    clock.set(NEXT_MONDAY)
    run(busy)
    assert busy.posted("digest") == []
    sets(busy, digest="on")
    run(busy)
    busy.is_run_by("administrator")
    clock.advance(HOUR)
    run(busy)
    assert [one.recipient for one in busy.posted("digest")] == ["head@staff.example"]


def test_N_7_a_tenant_without_administrators_has_no_digest(acme: Organization, clock: SettableClock) -> None:
    sales(acme, 1, "ann", "ben")
    clock.set(NEXT_MONDAY)
    assert run(acme) == Report(0, 0)
    assert acme.posted() == []


def test_N_4_N_7_it_says_who_waits_lapsed_expires_drops_asks_moved_up_conflicts_and_what_is_orphaned(
    busy: Organization, clock: SettableClock
) -> None:
    with busy.writing() as work:
        for code, rank in (("mini", 0), ("maxi", 1)):
            catalog.create_type(work, code, code.title(), family="f", rank=rank, conflict_policy="manual")
        catalog.create_type(work, "lab", "Lab", options=Options(requestable=True, request_mode="manual"))
        contracts.create(work, "C-2", {"mini": 9, "maxi": 9, "lab": 9})
    busy.has("cem", "dan")
    busy.makes("Ops", "cem")
    busy.gives("Ops", "mini")
    busy.makes("Gone", "cem")
    busy.gives("Gone", "maxi")
    busy.drops("Gone")
    busy.makes("Both", "dan")
    with busy.writing() as work:
        direct.assign(work, "dan", "lab", expires_at=work.now + 16 * DAY)
        requests.create(work, "cem", "lab", "I need it.")
    busy.gives("Both", "mini")
    busy.gives("Both", "maxi")
    lapses(busy, "cem")
    clock.set(NEXT_MONDAY - DAY)
    busy.leave("Sales", "ann")
    busy.join("Sales", "ann")
    with busy.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 0}, contracts.FREEZE)
    clock.set(NEXT_MONDAY)
    run(busy)
    pro, lab = {"code": "pro", "name": "Pro"}, {"code": "lab", "name": "Lab"}
    assert said(busy) == {
        "week": "2027-W10",
        "waiting": [{"type": pro, "count": 1}],
        "lapsed": [{"name": "cem", "email": "cem@people.example", "kind": "invitation"}],
        "expiring": [{"type": lab, "name": "dan", "until": "2027-03-17T08:00:00.000Z"}],
        "drops": [{"type": pro, "seats": 1, "reason": "cap_decrease", "until": "2027-04-06T07:00:00.000Z"}],
        "requests": [{"type": lab, "name": "cem", "since": "2027-03-01T08:00:00.000Z"}],
        "promoted": [{"type": pro, "name": "ben", "since": "2027-03-07T07:00:00.000Z"}],
        "conflicts": [
            {"type": {"code": "maxi", "name": "Maxi"}, "name": "dan", "with": ["mini"]},
        ],
        "orphans": [{"type": {"code": "maxi", "name": "Maxi"}, "group": "Gone"}],
    }


def lapses(acme: Organization, name: str) -> None:
    """An invitation that nobody answered."""
    with acme.writing() as work:
        row = {
            "kind": "invitation",
            "user_seq": acme.people[name],
            "email": f"{name}@people.example",
            "state": "lapsed",
        }
        stamps = {"cycle": 1, "nonce": "n", "step": 3, "created_at": work.now, "done_at": work.now + 2 * DAY}
        more = {"email_key": row["email"], "created_by": "cli", "details": "{}"}
        work.insert(tables.access.invitations, [{**row, **stamps, **more}])


def test_N_4_what_was_lost_to_a_deadline_or_a_queue_is_told(busy: Organization, clock: SettableClock) -> None:
    busy.leave("Sales", "ben")
    with busy.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 0}, contracts.IMMEDIATE)
    clock.set(NEXT_MONDAY)
    run(busy)
    assert said(busy)["lost"] == [{"type": {"code": "pro", "name": "Pro"}, "name": "ann", "reason": "drop_executed"}]


def test_N_7_a_license_administrator_reads_of_the_own_products_only(acme: Organization, clock: SettableClock) -> None:
    with acme.writing() as work:
        for code in ("pro", "lab"):
            catalog.create_type(work, code, code.title(), product=code)
        contracts.create(work, "C-1", {"pro": 0, "lab": 0})
    acme.is_run_by("head")
    acme.is_run_by("license_administrator", product="lab")
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    acme.gives("Sales", "lab")
    clock.set(NEXT_MONDAY)
    run(acme)
    assert [one["type"]["code"] for one in said(acme)["waiting"]] == ["lab", "pro"]
    assert [one["type"]["code"] for one in said(acme, "license_administrator")["waiting"]] == ["lab"]


def test_N_7_long_lists_are_cut_and_say_so(acme: Organization, clock: SettableClock) -> None:
    acme.is_run_by("head")
    acme.sells({"pro": 99})
    names = [f"p{number:02}" for number in range(30)]
    acme.has(*names)
    for name in names:
        with acme.writing() as work:
            direct.assign(work, name, "pro", expires_at=work.now + 9 * DAY)
    clock.set(NEXT_MONDAY)
    run(acme)
    assert (len(said(acme)["expiring"]), said(acme)["more"]) == (25, {"expiring": 5})


def test_I_11_N_7_another_tenants_news_are_not_told(
    busy: Organization, founded: Callable[..., Organization], clock: SettableClock
) -> None:
    globex = founded("globex")
    globex.is_run_by("administrator")
    sales(globex, 1, "charlie", "dora", exit_grace=NOW)
    clock.set(NEXT_MONDAY - DAY)
    globex.leave("Sales", "charlie")
    clock.set(NEXT_MONDAY)
    run(busy)
    assert "promoted" not in said(busy)
    assert [one["name"] for one in said(globex, "administrator")["promoted"]] == ["dora"]
