"""What a database error means in our own words, as both databases really raise it (G7, house.md part 5 rule 9)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.exc as sx

from scim_service import errors
from scim_service.access import connections, tenants
from scim_service.directory import groups, users
from scim_service.licensing import catalog, contracts, rules
from scim_service.storage import database, faults, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests import service
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
TENANTS = tables.access.tenants
USERS = tables.directory.users
NAMES = sa.select(TENANTS.c.name).order_by(TENANTS.c.id)


def person(work: Work, user_name: str, **more: Any) -> None:
    users.create(work, {"schemas": [service.CORE], "userName": user_name, **more})


def group(work: Work, name: str, **more: Any) -> None:
    groups.create(work, {"schemas": [service.GROUP], "displayName": name, **more}, "entra")


def administrator(work: Work, name: str, role: str) -> None:
    """Straight into the table, past the friendly check that would see the other one."""
    names = {"email": name, "email_key": name, "name": name}
    work.insert(tables.access.administrators, [{**names, "role": role, "invited_at": work.now}])


def head(work: Work) -> None:
    administrator(work, f"h{work.notes['turn']}", "head")


TWICE: dict[tuple[str, str], Callable[[Work], Any]] = {
    ("users", "user_name_key"): lambda work: person(work, "Ann"),
    ("groups", "unique_name_key"): lambda work: group(work, "Sales"),
    ("user_external_ids", "external_id"): lambda work: person(work, f"p{work.notes['turn']}", externalId="1"),
    ("group_external_ids", "external_id"): lambda work: group(work, f"g{work.notes['turn']}", externalId="1"),
    ("tenants", "slug"): lambda work: tenants.create(work, "globex", "Globex"),
    ("connections", "name"): lambda work: connections.create(work, "entra", "entra"),
    ("license_types", "code"): lambda work: catalog.create_type(work, "pro", "Pro"),
    ("contracts", "number"): lambda work: contracts.create(work, "C-1", {}),
    ("administrators", "email_key"): lambda work: administrator(work, "ann", "operator"),
    ("administrators", "tenant_id"): head,  # what SQLite calls the key of the one head
    ("administrators", "head"): head,  # what PostgreSQL calls it
    ("rules", "type_seq"): lambda work: rules.create(work, "Sales", "basic"),
}
"""What can be done once only, by the key that says so."""


@pytest.fixture
def acme(store: Store) -> int:
    """Acme, with a connection and a license type."""
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "acme", "Acme")
        connections.create(work, "okta", "okta")
        catalog.create_type(work, "basic", "Basic")
        return work.tenant_id


def act(store: Store, tenant_id: int, key: tuple[str, str], turn: int) -> None:
    with store.reading(tenant_id, ACTOR) as work:
        connection = connections.find(work, "okta").seq
    with store.writing(tenant_id, Actor("connection", "okta", connection)) as work:
        work.notes["turn"] = turn
        TWICE[key](work)


def test_every_sentence_about_what_is_taken_is_tried_here() -> None:
    assert TWICE.keys() == faults.TAKEN.keys()


@pytest.mark.parametrize("key", TWICE, ids=lambda key: ".".join(key))
def test_what_is_taken_is_told_in_its_own_sentence(store: Store, acme: int, key: tuple[str, str]) -> None:
    act(store, acme, key, 1)
    with pytest.raises(errors.Uniqueness) as caught:
        act(store, acme, key, 2)
    assert caught.value.detail == faults.TAKEN[key]
    assert (caught.value.status, caught.value.scim_type) == (409, "uniqueness")


def test_a_unique_key_that_no_request_can_break_is_a_defect_of_this_program(store: Store, acme: int) -> None:
    with store.writing(acme, ACTOR) as work:
        person(work, "ann")
    row = {"id": "x", "display": "", "active": True, "version": 1, "document": "{}"}
    stamps = {"created_at": store.clock.now(), "modified_at": store.clock.now()}
    with pytest.raises(sx.IntegrityError), store.writing(acme, ACTOR) as work:
        work.insert(USERS, [{**row, **stamps, "user_name_key": name} for name in ("ben", "cem")])


def test_what_must_not_be_empty_is_a_defect_of_this_program(store: Store, acme: int) -> None:
    with pytest.raises(sx.IntegrityError), store.writing(acme, ACTOR) as work:
        work.insert(USERS, [{"id": None}])


def test_a_reference_to_what_was_just_removed_is_run_again(store: Store, acme: int) -> None:
    with pytest.raises(faults.Again, match="just removed") as caught, store.writing(acme, ACTOR) as work:
        work.insert(tables.directory.memberships, [{"group_seq": 4711, "user_seq": 4712}])
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "2"})


def test_what_is_still_referred_to_is_not_removed(store: Store, acme: int) -> None:
    with pytest.raises(faults.Again), store.writing(acme, ACTOR) as work:
        mine = tables.access.connections
        person(work, "ann")
        work.execute(
            sa.update(USERS)
            .where(USERS.c.tenant_id == sa.bindparam("tenant"))
            .values(connection_seq=connections.find(work, "okta").seq)
        )
        work.execute(sa.delete(mine).where(mine.c.tenant_id == sa.bindparam("tenant")))


def test_our_own_refusals_and_defects_pass_as_they_are(store: Store) -> None:
    for mine in (errors.NotFound("x"), LookupError("x")):
        with pytest.raises(type(mine)) as caught, store.writing(EVERY_TENANT, ACTOR):
            raise mine
        assert caught.value is mine


# ---- who waits for whom

ON_POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql"])
"""Where writers do not stand in one line, and can stand in each other's way."""


def slug(store: Store, name: str) -> int:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        return tenants.create(work, name, name).id


def names(store: Store) -> list[str]:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        return [row.name for row in work.rows(NAMES)]


def rename(work: Work, tenant_id: int, name: str) -> None:
    work.execute(sa.update(TENANTS).where(TENANTS.c.id == tenant_id).values(name=name))


@ON_POSTGRESQL
def test_of_two_that_wait_for_each_other_one_is_run_again_and_the_other_is_done(store: Store) -> None:
    one, other = slug(store, "one"), slug(store, "other")
    together = threading.Barrier(2, timeout=20)
    failed: list[BaseException] = []

    def rename_both(name: str, first: int, second: int) -> None:
        try:
            with store.writing(EVERY_TENANT, ACTOR) as work:
                rename(work, first, name)
                together.wait()
                rename(work, second, name)
        except BaseException as problem:
            failed.append(problem)

    threads = [
        threading.Thread(target=rename_both, args=("here", one, other)),
        threading.Thread(target=rename_both, args=("there", other, one)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(problem) for problem in failed] == [faults.Again]
    assert len(set(names(store))) == 1


@ON_POSTGRESQL
def test_who_changes_what_was_changed_since_its_snapshot_is_run_again(store: Store) -> None:
    one = slug(store, "one")
    with pytest.raises(faults.Again), store.writing(EVERY_TENANT, ACTOR) as work:
        work.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        work.rows(NAMES)
        with store.writing(EVERY_TENANT, ACTOR) as faster:
            rename(faster, one, "faster")
        rename(work, one, "slower")
    assert names(store) == ["faster"]


@ON_POSTGRESQL
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_who_waits_too_long_for_a_row_is_told_so_and_not_run_again(store: Store, limit: str) -> None:
    one = slug(store, "one")
    with store.writing(EVERY_TENANT, ACTOR) as holder:
        rename(holder, one, "holder")
        with (
            pytest.raises(errors.Unavailable, match="took too long") as caught,
            store.writing(EVERY_TENANT, ACTOR) as w,
        ):
            w.connection.exec_driver_sql(f"SET LOCAL {limit} = '100ms'")
            rename(w, one, "waiting")
    assert not isinstance(caught.value, faults.Again)
    assert names(store) == ["holder"]


@ON_POSTGRESQL
def test_a_connection_that_is_cut_is_told_and_the_next_request_has_a_new_one(store: Store) -> None:
    with pytest.raises(errors.Unavailable, match="cannot be reached"), store.writing(EVERY_TENANT, ACTOR) as work:
        work.execute(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))
    slug(store, "next")
    assert names(store) == ["next"]


def test_who_finds_every_connection_in_use_is_told_so(
    database_url: str, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_SECONDS", 1)
    crowded = Database(database_url, threads=1)
    door = Store(crowded, clock)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(door.reading(EVERY_TENANT, ACTOR))
        with pytest.raises(errors.Unavailable, match="All database connections are in use") as caught:
            held.enter_context(door.reading(EVERY_TENANT, ACTOR))
    assert caught.value.headers == {"Retry-After": "2"}
    assert names(door) == []
    crowded.close()


@pytest.fixture
def elsewhere(store: Store) -> Iterator[sqlite3.Connection]:
    """Another process's connection to the same file."""
    with closing(sqlite3.connect(store.database.url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_writer_waits_for_the_writer_of_another_process(store: Store, elsewhere: sqlite3.Connection) -> None:
    done = threading.Event()

    def write() -> None:
        slug(store, "later")
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not done.wait(0.5)
    assert names(store) == []
    elsewhere.rollback()
    assert done.wait(20)
    thread.join()
    assert names(store) == ["later"]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_writer_that_waited_in_vain_for_another_process_is_run_again(
    monkeypatch: pytest.MonkeyPatch, store: Store, elsewhere: sqlite3.Connection
) -> None:
    monkeypatch.setattr(database, "WRITE_SECONDS", 1)
    store.database.close()
    with pytest.raises(faults.Again, match="busy"):
        slug(store, "never")
    elsewhere.rollback()
    slug(store, "again")
    assert names(store) == ["again"]
