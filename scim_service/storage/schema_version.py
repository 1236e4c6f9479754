"""Which schema a database has, told without loading the machinery that changes it: a server asks at every start."""

from __future__ import annotations

from pathlib import Path

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


def newest() -> str:
    """The newest revision in the package: the files of `migrations/versions` begin with their numbers."""
    return max(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py"))
