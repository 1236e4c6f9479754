"""The schema over time, shipped in the package: `upgrade` brings a database to it, `differences` compares.

One writer at a time: PostgreSQL holds an advisory lock on a connection of its own, SQLite begins with the write lock.
One more step: `versions/` gets a file with the next number, written for both databases (batch operations for SQLite);
a fresh database and a migrated one must be the same, which a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from scim_service import errors
from scim_service.storage import schema_version, tables
from scim_service.storage.database import Database, shown

ADVISORY_LOCK = 0x5C1A
HERE = Path(__file__).parent
_VERSION = "alembic_version"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to a schema, the newest one, in one transaction; does nothing when it is there."""
    with _alone(url) as connection:
        command.upgrade(_config(connection), revision)


@contextmanager
def fresh(database: Database) -> Iterator[sa.Connection]:
    """A transaction in which an empty database has the newest schema, to be filled; undone where that raises.

    Empty is one without tables, and one that has our newest schema and nothing in it. Raises Refused for any other.
    """
    with _alone(database.url) as connection:
        there = set(sa.inspect(connection).get_table_names())
        if there and not (there == {*tables.metadata.tables, _VERSION} and _is_unused(connection)):
            raise errors.Refused(f"{shown(database.url)} is not empty. Name an empty database.", code="not_empty")
        command.upgrade(_config(connection), "head")
        yield connection


def _is_unused(connection: sa.Connection) -> bool:
    """Whether nobody has been in a database of the newest schema."""
    used = sa.select(sa.func.count()).select_from(tables.access.tenants)
    return schema_version.is_current(connection) and connection.execute(used).scalar() == 0


def differences(url: str) -> list[str]:
    """Where the database at `url` is not what the tables say, a line each; empty when they agree."""
    with _alone(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(one) for one in compare_metadata(context, tables.metadata)]


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(url: str) -> Iterator[sa.Connection]:
    """A transaction beside which no other one changes the schema."""
    database = Database(url, threads=2)
    engine = database.writes
    try:
        with engine.connect() as keeper, engine.connect() as connection:
            if database.dialect == "postgresql":
                keeper.execution_options(isolation_level="AUTOCOMMIT")
                keeper.execute(sa.select(sa.func.set_config("lock_timeout", "0", False)))
                keeper.execute(sa.select(sa.func.pg_advisory_lock(ADVISORY_LOCK)))
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                yield connection
    finally:
        database.close()
