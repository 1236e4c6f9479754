"""A whole installation moves to another database, all or nothing, and goes on there where it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import tenants
from scim_service.licensing import verify
from scim_service.storage import copying, migrations, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests import every_table, service
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
USERS = tables.directory.users


def silent(_what: str, _verb: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def target(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of the other kind."""
    if kind == "postgresql":
        url = f"sqlite:///{tmp_path / 'target.db'}"
    else:
        url = request.getfixturevalue("empty_postgresql_url")
    with closing(Database(url, threads=2)) as made:
        yield made


def copied(store: Store, target: Database, **more: Any) -> copying.Copied:
    given: dict[str, Any] = {"now": store.clock.now(), "judge": lambda _: [], "progress": silent, **more}
    return copying.copy(store.database, target, **given)


def found(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.reads.connect() as connection:
        return every_table.everything(connection)


def is_empty(database: Database) -> bool:
    with database.reads.connect() as connection:
        return sa.inspect(connection).get_table_names() == []


def test_every_row_of_every_table_arrives_as_it_was(store: Store, target: Database) -> None:
    with store.database.writes.begin() as connection:
        every_table.fill(connection)
    told = copied(store, target)
    source = found(store.database)
    assert [name for name, rows in source.items() if len(rows) < every_table.ROWS] == []
    assert found(target) == source
    assert dict(told.tables) == {name: len(rows) for name, rows in source.items()}
    assert migrations.differences(target.url) == []


def test_a_database_moves_to_another_one_of_its_kind_too(store: Store, empty_url: str) -> None:
    with store.database.writes.begin() as connection:
        every_table.fill(connection)
    with closing(Database(empty_url)) as same:
        copied(store, same)
        assert found(same) == found(store.database)


def test_a_service_goes_on_in_the_new_database_with_its_tokens_people_and_seats(
    store: Store, target: Database, clock: SettableClock
) -> None:
    cast = service.assemble(store)
    ada = cast.acme.user("ada@acme.example", active=True, displayName="Ada")
    sales = cast.acme.group("Sales", ada["id"])
    told = copied(store, target, judge=verify.findings)
    assert told.findings == {}
    moved = service.moved(cast, Store(target, clock))
    assert moved.acme.get(f"/Users/{ada['id']}").body["groups"][0]["value"] == sales["id"]
    assert moved.globex.names('userName sw "charlie"') == ["charlie@globex.example"]
    ben = moved.acme.user("ben@acme.example")
    assert moved.acme.patch(f"/Groups/{sales['id']}", service.adding(ben["id"])).status == 200
    with moved.reading() as work:
        assert verify.findings(work) == []


def test_no_key_is_given_twice_also_none_of_a_row_that_is_gone(
    store: Store, target: Database, clock: SettableClock
) -> None:
    def added(where: Store) -> int:
        with where.writing(EVERY_TENANT, ACTOR) as work:
            return tenants.create(work, f"t{len(keys)}", "T").id

    keys: list[int] = []
    keys.append(added(store))
    keys.append(added(store))
    with store.writing(keys[-1], ACTOR) as work:
        for name in ("licensing", "audit", "tenants"):
            table = tables.metadata.tables[name]
            column = table.c.id if name == "tenants" else table.c.tenant_id
            work.execute(sa.delete(table).where(column == sa.bindparam("tenant")))
    copied(store, target)
    assert added(Store(target, clock)) == keys[-1] + 1


def test_an_empty_installation_can_be_moved_too(store: Store, target: Database, clock: SettableClock) -> None:
    copied(store, target)
    with Store(target, clock).writing(EVERY_TENANT, ACTOR) as work:
        assert tenants.create(work, "acme", "Acme").id == 1


def test_it_is_of_one_moment_while_others_write(store: Store, target: Database) -> None:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "acme", "Acme")
    before = found(store.database)

    def write(what: str, _verb: str, _done: int, _total: int) -> None:
        if what == "tenants":
            with store.writing(EVERY_TENANT, ACTOR) as work:
                tenants.create(work, "later", "Later")

    copied(store, target, progress=write)
    assert found(target) == before
    assert found(store.database) != before


def test_a_database_with_something_in_it_is_refused_and_left_alone(
    store: Store, target: Database, clock: SettableClock
) -> None:
    with target.writes.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE songs (title TEXT)")
    with pytest.raises(errors.Refused, match="not empty") as caught:
        copied(store, target)
    assert caught.value.code == "not_empty"
    with target.writes.begin() as connection:
        assert sa.inspect(connection).get_table_names() == ["songs"]
        connection.exec_driver_sql("DROP TABLE songs")
    migrations.upgrade(target.url)
    with Store(target, clock).writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "umbrella", "Umbrella")
    with pytest.raises(errors.Refused, match="not empty"):
        copied(store, target)


def test_a_new_schema_that_nobody_has_used_is_empty(store: Store, target: Database) -> None:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "acme", "Acme")
    migrations.upgrade(target.url)
    copied(store, target)
    assert found(target) == found(store.database)


def test_the_database_itself_is_no_target(store: Store) -> None:
    service.assemble(store)
    with pytest.raises(errors.Refused, match="not empty"):
        copied(store, store.database)


def boom(table: str) -> Callable[[str, str, int, int], None]:
    def progress(what: str, _verb: str, _done: int, _total: int) -> None:
        if what == table:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("table", ["tenants", "audit", "verify"])
def test_what_is_stopped_anywhere_leaves_nothing_in_the_target(store: Store, target: Database, table: str) -> None:
    service.assemble(store)
    with pytest.raises(KeyboardInterrupt):
        copied(store, target, progress=boom(table))
    assert is_empty(target)
    copied(store, target)
    assert found(target) == found(store.database)


def test_what_is_wrong_there_and_not_here_is_not_kept(store: Store, target: Database) -> None:
    service.assemble(store)
    with pytest.raises(errors.Refused, match=r"acme would not be.*odd"):
        copied(store, target, judge=lambda work: ["odd."] if work.connection.engine.url == target.writes.url else [])
    assert is_empty(target)


def test_what_was_wrong_here_before_comes_along_and_is_told(store: Store, target: Database) -> None:
    service.assemble(store)
    told = copied(store, target, judge=lambda work: ["odd."] if work.tenant_id == 1 else [])
    assert told.findings == {"acme": ["odd."]}
    assert found(target) == found(store.database)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_character_that_postgresql_cannot_keep_is_named_with_its_row(store: Store, empty_postgresql_url: str) -> None:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "acme", "Acme")
        work.execute(sa.update(tables.access.tenants).values(name="A\0me"))
    with closing(Database(empty_postgresql_url)) as target:
        with pytest.raises(errors.Refused, match=r"tenants\.name of the row with id 1 .*NUL"):
            copied(store, target)
        assert is_empty(target)
