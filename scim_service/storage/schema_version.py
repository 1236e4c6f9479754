"""Which schema a database has, told without loading the machinery that changes it: a server asks at every start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_alembic = sa.table("alembic_version", sa.column("version_num"))
_FOUND = sa.select(_alembic.c.version_num)


def is_current(connection: sa.Connection) -> bool:
    """Whether the database has the schema that this program was written for."""
    return of(connection) == newest()


def of(connection: sa.Connection) -> str | None:
    """The revision of the database; None for one without a schema of ours."""
    if not sa.inspect(connection).has_table(_alembic.name):
        return None
    return connection.execute(_FOUND).scalar()


def has(connection: sa.Connection, *columns: sa.Column[Any]) -> bool:
    """Whether a database, perhaps of another version, has these columns."""
    inspector = sa.inspect(connection)
    found = {
        name: {one["name"] for one in inspector.get_columns(name)}
        for name in {column.table.name for column in columns}
        if inspector.has_table(name)
    }
    return all(column.name in found.get(column.table.name, ()) for column in columns)


def newest() -> str:
    """The newest revision in the package."""
    return max(known())


def known() -> set[str]:
    """Every revision that this program can upgrade: the files of `migrations/versions` begin with their numbers."""
    return {path.name[:4] for path in _VERSIONS.glob("[0-9]*.py")}
