"""Numbers hour by hour and day by day, and the forecast that is kept of them (licensing.md 4.6, part 5.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.licensing import contracts, direct, lifecycle, outlook, outlook_words, snapshots
from scim_service.licensing.outlook import Outlook
from scim_service.storage import tables
from tests.conftest import START, SettableClock
from tests.licensing.conftest import HOUR, Organization

DAY = timedelta(days=1)


def hours(acme: Organization) -> list[tuple[datetime, int, int | None, int, int, int]]:
    table = tables.usage.usage_hours
    mine = sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")).order_by(table.c.hour, table.c.type_seq)
    with acme.reading() as work:
        return [(row.hour, row.used, row.seats, row.waiting, row.grace, row.suspended) for row in work.rows(mine)]


def take(acme: Organization) -> int:
    with acme.writing() as work:
        return snapshots.take(work)


def close(acme: Organization) -> int:
    with acme.writing() as work:
        return snapshots.close_days(work)


def days(acme: Organization) -> list[Any]:
    with acme.reading() as work:
        return snapshots.days(work, date(2027, 1, 1))


def outlooks(acme: Organization) -> list[Outlook]:
    with acme.reading() as work:
        return outlook.outlooks(work)


def remembers(acme: Organization, used: list[int], until: date) -> None:
    """Days that are over, the last of them the one before `until`."""
    table = tables.usage.usage_days
    rows = [
        {
            "type_seq": 1,
            "day": (until - (len(used) - at) * DAY).isoformat(),
            "least": count,
            "mean": float(count),
            "most": count,
            "seats": 100,
            "waiting": 0,
        }
        for at, count in enumerate(used)
    ]
    with acme.writing() as work:
        work.insert(table, rows)


def assigned(acme: Organization, *names: str) -> None:
    """People to whom the type is given directly, for twenty days."""
    with acme.writing() as work:
        for name in names:
            direct.assign(work, name, "pro", expires_at=START + 20 * DAY)


@pytest.fixture
def sales(acme: Organization) -> Organization:
    """Two seats of `pro` for Sales: Ann and Ben have them, Cem waits."""
    acme.sells({"pro": 2})
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben", "cem")
    acme.gives("Sales", "pro", exit_grace=HOUR)
    return acme


def test_an_hour_is_counted_once_with_every_number(sales: Organization, clock: SettableClock) -> None:
    clock.advance(timedelta(minutes=37))
    assert take(sales) == 1
    clock.advance(timedelta(minutes=5))
    with sales.writing() as work:
        lifecycle.suspend(work, "ann", "pro")
    assert take(sales) == 1
    assert hours(sales) == [(START, 2, 2, 1, 0, 0)]
    clock.advance(HOUR)
    take(sales)
    assert hours(sales)[1:] == [(START + HOUR, 2, 2, 1, 0, 1)]
    sales.check()


def test_suspended_people_count_where_they_hold_the_seat(sales: Organization) -> None:
    with sales.writing() as work:
        lifecycle.suspend(work, "ann", "pro")
        lifecycle.suspend(work, "ben", "pro", free_seat=True)
    take(sales)
    assert [row[1:] for row in hours(sales)] == [(2, 2, 0, 0, 1)]


def test_what_time_has_decided_by_then_is_counted_as_it_is(sales: Organization, clock: SettableClock) -> None:
    sales.leave("Sales", "ann", "cem")
    take(sales)
    clock.advance(HOUR)
    take(sales)
    assert [row[1:5] for row in hours(sales)] == [(2, 2, 0, 1), (1, 2, 0, 0)]


def test_a_type_without_a_limit_is_counted_too(acme: Organization) -> None:
    acme.sells({"free": None})
    take(acme)
    assert [row[1:] for row in hours(acme)] == [(0, None, 0, 0, 0)]


def test_after_a_downtime_the_present_hour_is_counted_and_the_gap_stays(
    sales: Organization, clock: SettableClock
) -> None:
    take(sales)
    clock.advance(5 * HOUR)
    take(sales)
    assert [row[0] for row in hours(sales)] == [START, START + 5 * HOUR]


def test_a_day_is_made_of_its_hours_once_it_is_over(sales: Organization, clock: SettableClock) -> None:
    take(sales)
    clock.advance(HOUR)
    sales.leave("Sales", "ann", "ben")
    clock.advance(HOUR)
    take(sales)
    assert close(sales) == 0
    with sales.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 3})
    clock.advance(HOUR)
    take(sales)
    clock.set(datetime(2027, 3, 2, tzinfo=UTC))
    assert close(sales) == 1
    (day,) = days(sales)
    assert (day.day, day.least, day.most, day.seats, day.waiting) == (date(2027, 3, 1), 1, 2, 3, 1)
    assert day.mean == pytest.approx(4 / 3)
    assert close(sales) == 0


def test_days_that_were_missed_are_made_up_for_where_there_are_hours(sales: Organization, clock: SettableClock) -> None:
    for _ in range(2):
        take(sales)
        clock.advance(3 * DAY)
    take(sales)
    clock.advance(2 * DAY)
    assert close(sales) == 3
    assert [one.day.day for one in days(sales)] == [1, 4, 7]


def test_a_leap_day_is_a_day(sales: Organization, clock: SettableClock) -> None:
    clock.set(datetime(2028, 2, 29, 23, 30, tzinfo=UTC))
    take(sales)
    clock.advance(HOUR)
    take(sales)
    assert close(sales) == 1
    assert [one.day for one in days(sales)] == [date(2028, 2, 29)]


def test_the_forecast_is_made_of_the_days_and_kept_once_a_day(sales: Organization, clock: SettableClock) -> None:
    with sales.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 32})
    remembers(sales, list(range(2, 32)), START.date())
    for _ in range(2):
        with sales.writing() as work:
            assert outlook.keep(work) == 1
    table = tables.usage.forecasts
    with sales.reading() as work:
        (row,) = work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")))
    assert (row.day, row.verdict, row.full_on, row.slope) == ("2027-03-01", "full_on", "2027-03-30", 1.0)


def test_lines_contracts_and_claims_that_are_known_are_laid_over_it(sales: Organization) -> None:
    with sales.writing() as work:
        contracts.create(work, "C-2", {"pro": 50}, starts=START + 10 * DAY, ends=START + 40 * DAY)
        contracts.create(work, "C-3", {"pro": 9}, starts=START + 400 * DAY)
        contracts.set_seats(work, "C-1", {"pro": 4})
    sales.has("dan", "eve")
    assigned(sales, "dan")
    sales.join("Sales", "eve")
    (found,) = outlooks(sales)
    first = START.date()
    assert dict(found.known.limits) == {first + 10 * DAY: 54, first + 40 * DAY: 4}
    assert dict(found.known.expiring) == {first + 20 * DAY: 1}
    assert found.known.waiting == 1
    sales.check()


def test_a_claim_beside_another_one_frees_no_seat(sales: Organization) -> None:
    assigned(sales, "ann")
    (found,) = outlooks(sales)
    assert dict(found.known.expiring) == {}


def test_last_months_error_is_known_where_a_forecast_was_kept(sales: Organization, clock: SettableClock) -> None:
    with sales.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 100})
    remembers(sales, list(range(10, 40)), START.date())
    with sales.writing() as work:
        outlook.keep(work)
    assert outlooks(sales)[0].error is None
    clock.advance(30 * DAY)
    (found,) = outlooks(sales)
    assert found.error == 39 + 31 - 3
    assert "Last month’s forecast was 67 seats too high." in outlook_words.sentence(found, "en")


SENTENCES = {
    "en": [
        "Full on 30 March 2027. 52 seats from 1 May 2027.",
        "Full now. 1 waiting for a seat.",
        "Not enough data: a forecast takes 14 days.",
    ],
    "fr": [
        "Complet le 30 mars 2027. 52 places à partir du 1er mai 2027.",
        "Complet dès maintenant. 1 en attente d’une place.",
        "Pas assez de données : une prévision demande 14 jours.",
    ],
}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_forecast_is_said_in_both_languages(sales: Organization, language: str) -> None:
    told = [outlook_words.sentence(outlooks(sales)[0], language)]
    with sales.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 32})
    told.insert(0, outlook_words.sentence(outlooks(sales)[0], language))
    with sales.writing() as work:
        contracts.create(work, "C-2", {"pro": 20}, starts=datetime(2027, 5, 1, tzinfo=UTC))
    remembers(sales, list(range(2, 32)), START.date())
    told.insert(0, outlook_words.sentence(outlooks(sales)[0], language))
    assert [told[0], told[2], told[1]] == SENTENCES[language]
