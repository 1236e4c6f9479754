"""A database is brought to the schema that the program was written for, by whoever comes first (house.md part 5.19)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.access import tenants
from scim_service.storage import migrations, schema_version, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
ROOT = Path(__file__).parents[2]
PROCESSES = 3
TENANTS = tables.access.tenants
UPGRADE = """
import sys
from scim_service.storage import migrations
print("ready", flush=True)
sys.stdin.readline()
migrations.upgrade(sys.argv[1])
"""


@contextmanager
def opened(url: str) -> Iterator[sa.Connection]:
    with closing(Database(url)) as database, database.writes.begin() as connection:
        yield connection


def found(url: str) -> set[str]:
    with opened(url) as connection:
        return set(sa.inspect(connection).get_table_names())


def is_current(url: str) -> bool:
    with opened(url) as connection:
        return schema_version.is_current(connection)


def test_an_empty_database_is_not_current_and_lacks_every_table(empty_url: str) -> None:
    assert not is_current(empty_url)
    told = "\n".join(migrations.differences(empty_url))
    assert [name for name in tables.metadata.tables if f"'{name}'" not in told] == []
    assert found(empty_url) == set()


def test_an_upgraded_database_is_current_and_is_what_the_tables_say(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    assert is_current(empty_url)
    assert migrations.differences(empty_url) == []
    assert found(empty_url) == {*tables.metadata.tables, "alembic_version"}


def test_a_second_upgrade_changes_nothing(empty_url: str, clock: SettableClock) -> None:
    migrations.upgrade(empty_url)
    with closing(Database(empty_url)) as database, Store(database, clock).writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, "acme", "Acme")
    migrations.upgrade(empty_url)
    assert migrations.differences(empty_url) == []
    with opened(empty_url) as connection:
        assert connection.execute(sa.select(TENANTS.c.slug)).scalars().all() == ["acme"]


def test_a_table_a_column_or_a_key_that_is_missing_is_told(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    with opened(empty_url) as connection:
        connection.exec_driver_sql("DROP TABLE totals")
        connection.exec_driver_sql("ALTER TABLE audit DROP COLUMN request_id")
        connection.exec_driver_sql("DROP INDEX ix_groups_tenant_id_display_name_key")
    told = migrations.differences(empty_url)
    assert len(told) == 3
    for name in ("totals", "request_id", "ix_groups_tenant_id_display_name_key"):
        assert any(name in line for line in told)


def test_a_database_of_a_newer_program_is_not_current_and_is_left_alone(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    with opened(empty_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not is_current(empty_url)
    with pytest.raises(Exception, match="9999"):
        migrations.upgrade(empty_url)
    with opened(empty_url) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9999"]


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    with opened(empty_url) as connection:
        connection.exec_driver_sql("CREATE TABLE rules (seq INTEGER)")
    with pytest.raises(Exception, match="rules"):
        migrations.upgrade(empty_url)
    assert found(empty_url) == {"rules"}
    assert not is_current(empty_url)


def test_several_processes_at_once_make_one_schema(empty_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", UPGRADE, empty_url]
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    running: list[Any] = [subprocess.Popen(command, text=True, cwd=ROOT, **pipes) for _ in range(PROCESSES)]
    assert [process.stdout.readline() for process in running] == ["ready\n"] * PROCESSES
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * PROCESSES, ended
    assert is_current(empty_url)
    assert migrations.differences(empty_url) == []


def test_a_migrated_database_is_one_made_from_the_tables(empty_url: str, database_url: str) -> None:
    with opened(empty_url) as connection:
        tables.metadata.create_all(connection)
    migrated = description(database_url)
    del migrated["alembic_version"]
    assert migrated == description(empty_url)


def description(url: str) -> dict[str, Any]:
    """Tables with all that a database tells of them: columns, keys, references, checks."""
    with opened(url) as connection:
        inspector = sa.inspect(connection)
        return {name: described(inspector, name) for name in inspector.get_table_names()}


def described(inspector: Any, name: str) -> list[Any]:
    references = inspector.get_foreign_keys(name)
    return [
        [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)],
        inspector.get_pk_constraint(name)["constrained_columns"],
        sorted((tuple(one["column_names"]), one["name"]) for one in inspector.get_unique_constraints(name)),
        sorted((str(one["name"]), str(one["column_names"]), one["unique"]) for one in inspector.get_indexes(name)),
        sorted(
            (str(one["constrained_columns"]), one["referred_table"], str(one["referred_columns"]), str(one["options"]))
            for one in references
        ),
        sorted(str(one["sqltext"]) for one in inspector.get_check_constraints(name)),
    ]


def test_every_step_follows_the_one_before() -> None:
    steps = sorted(path.stem for path in (migrations.HERE / "versions").glob("[0-9]*.py"))
    assert [step.partition("_")[0] for step in steps] == [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert schema_version.newest() in steps[-1]
