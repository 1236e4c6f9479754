"""Items of a job, each by itself: a bad one holds up no other, and is set aside (reliability.md F22)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.jobs import items, leases
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report, Stopped
from scim_service.storage import faults, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Work
from tests import service
from tests.conftest import SettableClock
from tests.jobs.conftest import ACTOR
from tests.service import Cast

JOB = "letters"
SECRET = "ann@acme.example"


@pytest.fixture
def cast(store: Store) -> Cast:
    return service.assemble(store)


def context(cast: Cast, **more: Any) -> Context:
    now = cast.store.clock.now()
    return Context(cast.store, service.settings(cast.store.database.url), now, now, **more)


def numbered(cast: Cast, count: int) -> list[Item]:
    return [Item(cast.acme_id, f"letter-{number}", number) for number in range(count)]


def note(work: Work, item: Item) -> None:
    """Leaves a trace of the item."""
    work.insert(tables.delivery.outbox, [outbox_row(work, item.key)])


def outbox_row(work: Work, key: str) -> dict[str, Any]:
    texts = {"message_key": key, "letter": "x", "recipient": "x", "recipient_key": "x", "language": "en", "facts": "{}"}
    numbers = {"by_hand": False, "tries": 0, "state": "queued"}
    return {**texts, **numbers, "created_at": work.now, "due_at": work.now}


def noted(cast: Cast) -> list[str]:
    table = tables.delivery.outbox
    with cast.reading() as work:
        rows = work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")).order_by(table.c.seq))
    return [row.message_key for row in rows]


def note_but_one(number: int) -> Any:
    """Notes every item but that of this number, which fails after it was noted."""

    def act(work: Work, item: Item) -> None:
        note(work, item)
        if item.what == number:
            raise LookupError(f"{SECRET} is not there")

    return act


def failures(cast: Cast) -> Sequence[Any]:
    table = tables.jobs.failed_items
    with cast.reading() as work:
        found: Sequence[Any] = work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")))
    return found


def test_F_22_a_poisoned_item_among_a_thousand_is_parked_after_eight_tries_and_the_rest_is_done(
    cast: Cast, clock: SettableClock
) -> None:
    first = items.isolated(context(cast), JOB, numbered(cast, 1_000), note_but_one(500))
    assert first == Report(999, 1)
    assert noted(cast) == [one.key for one in numbered(cast, 1_000) if one.what != 500]
    for tries in range(2, 9):
        clock.advance(timedelta(hours=1))
        assert items.isolated(context(cast), JOB, numbered(cast, 1_000)[500:501], note_but_one(500)) == Report(0, 1)
        (row,) = failures(cast)
        assert (row.tries, row.parked_at is not None) == (tries, tries == 8)
    clock.advance(timedelta(days=1))
    assert items.isolated(context(cast), JOB, numbered(cast, 1_000)[500:501], note_but_one(500)) == Report(0, 0)
    assert len(noted(cast)) == 999


def test_an_item_that_failed_is_left_alone_for_longer_each_time(cast: Cast, clock: SettableClock) -> None:
    waited: list[int] = []
    for _ in range(7):
        items.isolated(context(cast), JOB, numbered(cast, 1), note_but_one(0))
        minutes = 0
        while len(waited) + 1 == failures(cast)[0].tries:
            clock.advance(timedelta(minutes=1))
            minutes += 1
            items.isolated(context(cast), JOB, numbered(cast, 1), note_but_one(0))
        waited.append(minutes)
    assert waited == [1, 2, 4, 8, 16, 32, 60]


def test_an_item_that_is_done_at_last_is_forgotten_as_a_failure(cast: Cast, clock: SettableClock) -> None:
    items.isolated(context(cast), JOB, numbered(cast, 1), note_but_one(0))
    clock.advance(timedelta(minutes=1))
    assert items.isolated(context(cast), JOB, numbered(cast, 1), note) == Report(1, 0)
    assert failures(cast) == []


def test_no_value_of_an_error_is_kept_or_logged(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    def fail(work: Work, item: Item) -> None:
        raise errors.Refused(f"{SECRET} is refused", code="refused")

    items.isolated(context(cast), JOB, numbered(cast, 2), note_but_one(1))
    items.isolated(context(cast), "other", numbered(cast, 1), fail)
    told = {row.job: row.error for row in failures(cast)}
    assert told[JOB].startswith("LookupError at jobs.items:")
    assert told["other"].startswith("Refused [refused] at jobs.items:")
    assert SECRET not in str(told)
    assert [(record.getMessage(), record.__dict__["tenant"]) for record in caplog.records] == [
        ("job failed for an item", cast.acme_id)
    ] * 2
    assert not any(SECRET in record.getMessage() for record in caplog.records)


def test_the_same_item_of_another_tenant_or_job_is_another_item(cast: Cast) -> None:
    both = [Item(cast.acme_id, "one", 0), Item(cast.globex_id, "one", 1)]
    assert items.isolated(context(cast), JOB, both, note_but_one(0)) == Report(1, 1)
    assert items.isolated(context(cast), "other", both, lambda work, item: None) == Report(2, 0)
    assert items.isolated(context(cast), JOB, both, lambda work, item: None) == Report(1, 0)


def test_a_database_that_is_busy_puts_an_item_off_and_counts_no_try(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[bool] = []

    def busy(work: Work, item: Item) -> None:
        asked.append(work.careful)
        raise faults.Again("busy") if item.what == 0 else errors.Unavailable("away")

    assert items.isolated(context(cast), JOB, numbered(cast, 2), busy) == Report(0, 2)
    assert asked == [False, True, True, False]
    assert failures(cast) == []
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_what_a_former_leader_writes_late_is_refused_and_ends_its_run(cast: Cast) -> None:
    with cast.writing(EVERY_TENANT) as work:
        lease = leases.take(work, "one", instant=work.now)
    held = context(cast, lease=lease)
    assert items.isolated(held, JOB, numbered(cast, 1), note) == Report(1, 0)
    with cast.writing(EVERY_TENANT) as work:
        assert leases.take(work, "two", instant=work.now + timedelta(seconds=30))
    with pytest.raises(leases.Lost):
        items.isolated(held, JOB, numbered(cast, 3)[1:], note)
    assert noted(cast) == ["letter-0"]
    assert failures(cast) == []


def test_a_process_that_is_to_end_stops_between_items(cast: Cast) -> None:
    ending = context(cast, is_over=lambda: len(noted(cast)) == 2)
    with pytest.raises(Stopped):
        items.isolated(ending, JOB, numbered(cast, 5), note)
    assert noted(cast) == ["letter-0", "letter-1"]


def test_items_may_come_one_by_one_from_a_snapshot(cast: Cast) -> None:
    def found() -> Any:
        with cast.store.reading(EVERY_TENANT, ACTOR) as work:
            yield from (Item(cast.acme_id, str(row.id)) for row in work.rows(sa.select(tables.access.tenants.c.id)))

    assert items.isolated(context(cast), JOB, found(), note) == Report(2, 0)
