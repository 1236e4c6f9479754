"""All rows of an installation of any schema as JSON, and back: what an upgrade begins with, and what it must keep."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from scim_service.storage.database import Database

HERE = Path(__file__).parent
VERSION = "alembic_version"
Sample = dict[str, dict[str, Any]]
"""Table → its columns, and its rows in the order of its key."""


def read(revision: str) -> Sample:
    """The sample that was made by the code of this schema."""
    found: Sample = json.loads((HERE / f"installation_{revision}.json").read_text(encoding="utf-8"))
    return found


def revisions() -> list[str]:
    """The schemas of which there is a sample."""
    return sorted(path.stem.rpartition("_")[2] for path in HERE.glob("installation_*.json"))


def text(sample: Sample) -> str:
    """A sample as it is kept: a line for each row."""
    parts = []
    for name, table in sample.items():
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table["rows"])
        parts.append(f'"{name}": {{"columns": {json.dumps(table["columns"])}, "rows": [\n{rows}\n]}}')
    return "{\n" + ",\n".join(parts) + "\n}"


def kept(url: str) -> Sample:
    """What is in a database, in the order in which its tables refer to each other."""
    with closing(Database(url, threads=1)) as database, database.writes.connect() as connection:
        return {table.name: _rows(connection, table) for table in _tables(connection)}


def put(url: str, sample: Sample) -> None:
    """Fill a database that has the schema of the sample, and nothing in it."""
    with closing(Database(url, threads=1)) as database, database.writes.begin() as connection:
        found = {table.name: table for table in _tables(connection)}
        for name, rows in sample.items():
            table = found[name]
            connection.execute(sa.delete(table).execution_options(across_tenants=True))
            made = [dict(zip(rows["columns"], row, strict=True)) for row in rows["rows"]]
            if made:
                connection.execute(sa.insert(table), [_typed(table, row, connection) for row in made])
                _count_on(connection, table, made)


def _tables(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != VERSION]


def _rows(connection: sa.Connection, table: sa.Table) -> dict[str, Any]:
    ordered = sa.select(table).order_by(*table.primary_key).execution_options(across_tenants=True)
    rows = [[_plain(value) for value in row] for row in connection.execute(ordered)]
    return {"columns": list(table.c.keys()), "rows": rows}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _typed(table: sa.Table, row: dict[str, Any], connection: sa.Connection) -> dict[str, Any]:
    return {name: _value(table.c[name], value, connection.dialect.name) for name, value in row.items()}


def _value(column: sa.Column[Any], value: Any, dialect: str) -> Any:
    if value is None or not isinstance(column.type, sa.DateTime):
        return value
    instant = datetime.fromisoformat(value)
    return instant.replace(tzinfo=None) if dialect == "sqlite" else instant


def _count_on(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """PostgreSQL's counters go on behind the rows; SQLite's do by themselves."""
    if connection.dialect.name != "postgresql":
        return
    for name in {"seq", "id"} & {column.name for column in table.primary_key}:
        if isinstance(table.c[name].type, sa.Integer) and len(table.primary_key) == 1:
            counter = sa.cast(sa.func.pg_get_serial_sequence(table.name, name), REGCLASS)
            connection.execute(sa.select(sa.func.setval(counter, max(row[name] for row in rows))))
