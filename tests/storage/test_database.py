"""What both databases promise: limits, one writer, read-only reads, tenants apart, one schema, errors in our words."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import connections, tenants
from scim_service.storage import database, faults, store, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
CONNECTIONS = tables.access.connections
TENANTS = tables.access.tenants


def made(store: Store, slug: str = "acme") -> int:
    """A tenant, committed."""
    with store.writing(EVERY_TENANT, ACTOR) as work:
        return tenants.create(work, slug, slug.title()).id


def slugs(store: Store) -> list[str]:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        return [row.slug for row in work.rows(sa.select(TENANTS.c.slug).order_by(TENANTS.c.slug))]


@pytest.fixture
def durable(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """SQLite as it is when nothing is set."""
    path = tmp_path / "durable.db"
    path.write_bytes(sqlite_template.read_bytes())
    found = Database(f"sqlite:///{path}")
    yield found
    found.close()


@pytest.mark.parametrize("reading", [True, False])
def test_sqlite_keeps_what_it_acknowledged_and_checks_its_references(durable: Database, reading: bool) -> None:
    def pragma(name: str) -> Any:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    with (durable.reads if reading else durable.writes).connect() as connection:
        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 25_000
        assert pragma("query_only") == int(reading)


def test_postgresql_lets_nothing_take_longer_than_agreed(postgresql_url: str, postgresql_template: str) -> None:
    def shown(name: str) -> Any:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()

    found = Database(postgresql_url.replace("/postgres?", f"/{postgresql_template}?"))
    try:
        for engine, limit, isolation, only_reads in (
            (found.reads, "5s", "repeatable read", "on"),
            (found.writes, "25s", "read committed", "off"),
        ):
            with engine.connect() as connection:
                assert (shown("statement_timeout"), shown("lock_timeout")) == (limit, limit)
                assert shown("idle_in_transaction_session_timeout") == "30s"
                assert shown("transaction_isolation") == isolation
                assert shown("transaction_read_only") == only_reads
                assert shown("timezone") == "UTC"
    finally:
        found.close()


def test_returned_is_committed_and_raised_is_undone(store: Store) -> None:
    made(store)
    with pytest.raises(LookupError), store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "globex", "Globex")
        raise LookupError
    assert slugs(store) == ["acme"]


def test_a_work_knows_its_tenant_and_one_instant(store: Store, clock: SettableClock) -> None:
    tenant = made(store)
    with store.writing(tenant, ACTOR, "request-1") as work:
        assert (work.tenant_id, work.actor, work.request_id) == (tenant, ACTOR, "request-1")
        assert work.now == clock.now()


def test_a_reading_sees_one_snapshot(store: Store) -> None:
    made(store)
    count = sa.select(sa.func.count()).select_from(TENANTS)
    with store.reading(EVERY_TENANT, ACTOR) as work:
        before = work.value(count)
        made(store, "globex")
        assert work.value(count) == before
    assert slugs(store) == ["acme", "globex"]


def test_a_reading_cannot_write(store: Store) -> None:
    made(store)
    change = sa.update(TENANTS).values(slug="changed")
    with pytest.raises(errors.Unavailable, match="no changes") as caught, store.reading(EVERY_TENANT, ACTOR) as work:
        work.execute(change)
    assert not isinstance(caught.value, faults.Again)
    assert slugs(store) == ["acme"]


def test_a_reading_that_takes_too_long_is_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scim_service.storage.store.READ_SECONDS", 0.2)
    slow: Any = sa.select(sa.func.pg_sleep(30))
    if store.database.dialect == "sqlite":
        counting = sa.select(sa.literal(1).label("n")).cte("counting", recursive=True)
        counting = counting.union_all(sa.select(counting.c.n + 1).where(counting.c.n < 10**9))
        slow = sa.select(sa.func.count()).select_from(counting)
    begun = time.monotonic()
    with pytest.raises(errors.Unavailable), store.reading(EVERY_TENANT, ACTOR) as work:
        work.value(slow)
    assert time.monotonic() - begun < database.READ_SECONDS + 3
    assert slugs(store) == []


def test_writers_stand_in_line_and_none_is_lost(store: Store) -> None:
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for part in range(5):
                made(store, f"t{number}-{part}")
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(slugs(store)) == 30


def test_a_writer_that_waits_too_long_in_line_is_told_to_come_again(
    durable: Database, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WRITE_SECONDS", 0.1)
    door = Store(durable, clock)
    _ = durable.writes
    with durable.writer, pytest.raises(errors.Unavailable) as caught, door.writing(EVERY_TENANT, ACTOR):
        pass
    assert caught.value.headers == {"Retry-After": "5"}


def test_a_line_that_failed_lets_the_next_one_in(store: Store) -> None:
    with pytest.raises(LookupError), store.writing(EVERY_TENANT, ACTOR):
        raise LookupError
    made(store)
    assert slugs(store) == ["acme"]


def test_a_unique_key_says_in_words_what_is_taken(store: Store) -> None:
    made(store)
    with pytest.raises(errors.Uniqueness, match="already a tenant with this slug"):
        made(store)


def test_a_unique_key_is_known_by_its_last_column(store: Store) -> None:
    tenant = made(store)
    with store.writing(tenant, ACTOR) as work:
        connections.create(work, "okta", "rfc")
    with (
        pytest.raises(errors.Uniqueness, match="already a connection with this name"),
        store.writing(tenant, ACTOR) as w,
    ):
        connections.create(w, "okta", "rfc")


def test_a_reference_to_what_is_gone_is_to_be_sent_again(store: Store) -> None:
    row = {"name": "rfc", "profile": "rfc", "created_at": store.clock.now()}
    with pytest.raises(faults.Again), store.writing(4711, ACTOR) as work:
        work.insert(CONNECTIONS, [row])


def test_a_database_that_is_away_is_503_with_a_time_to_come_back(tmp_path: Path, clock: SettableClock) -> None:
    for url in (
        f"sqlite:///{tmp_path / 'nowhere' / 'scim.db'}",
        f"postgresql+psycopg://u@/d?host={tmp_path}",
    ):
        away = Database(url)
        with pytest.raises(errors.Unavailable) as caught, Store(away, clock).reading(EVERY_TENANT, ACTOR):
            pass
        assert "Retry-After" in (caught.value.headers or {})
        away.close()
