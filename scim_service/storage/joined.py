"""Several writes as one statement on PostgreSQL, where each statement is a round trip; one after the other on SQLite.

What is joined must not depend on another's effect: all parts of a statement see the rows as they were before it. Keys
and references are checked at its end, as always. A row that was not locked before is locked here, so counters stay out
(decision 27). Measured on PostgreSQL: a create is six round trips, not nine, a deactivation six, not twelve.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from scim_service.storage import guard, prepared
from scim_service.storage.prepared import Values

JUDGED = {"across_tenants": True}
"""What is joined is not judged again: its parts were, or they only insert rows, which carry their tenant."""


@dataclass(frozen=True)
class Part:
    """Rows of one table, all of the same columns; `key` names the column that takes the key of the row they go with."""

    table: sa.Table
    rows: Sequence[Mapping[str, Any]]
    key: str | None = None


def run(connection: Connection, statements: tuple[Any, ...], question: Any, values: Values) -> Any:
    """Run writes, and ask something of rows that they do not touch: the first value of the first row.

    A parameter of one name has one value in all of them.
    """
    if connection.dialect.name == "postgresql":
        return prepared.run(connection, _together(statements, question), values).rows[0][0]
    for statement in statements:
        prepared.run(connection, statement, values)
    return prepared.run(connection, question, values).rows[0][0]


def insert(connection: Connection, table: sa.Table, row: Values, parts: Sequence[Part]) -> int:
    """Insert a row, and the rows that go with it; the key that it was given."""
    parts = [part for part in parts if part.rows]
    if connection.dialect.name == "postgresql":
        shapes = tuple((part.table, part.key, tuple(part.rows[0]), len(part.rows) > 1) for part in parts)
        statement = _family(table, tuple(row), shapes)
        return int(prepared.run(connection, statement, _family_values(row, parts)).rows[0][0])
    key = prepared.insert_one(connection, table, row)
    for part in parts:
        rows = [{**one, part.key: key} for one in part.rows] if part.key else part.rows
        prepared.insert(connection, part.table, rows)
    return key


@functools.lru_cache(256)
def _together(statements: tuple[Any, ...], question: Any) -> Any:
    for statement in (*statements, question):
        guard.judge(statement)
    parts = [statement.cte(f"write_{place}") for place, statement in enumerate(statements)]
    return question.add_cte(*parts).execution_options(**JUDGED)


Shape = tuple[sa.Table, str | None, tuple[str, ...], bool]
"""The table of a part, its key, its columns, and whether it has several rows."""


@functools.lru_cache(256)
def _family(table: sa.Table, names: tuple[str, ...], shapes: tuple[Shape, ...]) -> Any:
    """The row, then each part beside its new key."""
    given = {name: sa.bindparam(f"row_{name}", type_=table.c[name].type) for name in names}
    made = sa.insert(table).values(given).returning(table.c.seq).cte("made")
    parts = []
    for place, (part, key, columns, several) in enumerate(shapes):
        values = _columns_of_rows(place, part, columns) if several else _columns_of_row(place, part, columns)
        beside = sa.select(*([made.c.seq] if key else []), *values)
        parts.append(sa.insert(part).from_select([*([key] if key else []), *columns], beside).cte(f"part{place}"))
    return sa.select(made.c.seq).add_cte(*parts).execution_options(**JUDGED)


def _columns_of_row(place: int, table: sa.Table, names: Sequence[str]) -> list[Any]:
    return [sa.bindparam(f"part{place}_{name}", type_=table.c[name].type) for name in names]


def _columns_of_rows(place: int, table: sa.Table, names: Sequence[str]) -> list[Any]:
    """Several rows come as one JSON text: the driver takes 60 µs to write them as an array per column."""
    columns = [sa.column(name, prepared.loose_type(table.c[name])) for name in names]
    rows = sa.func.json_to_recordset(sa.cast(sa.bindparam(f"part{place}", type_=sa.Text), postgresql.JSON))
    return list(rows.table_valued(*columns, name=f"rows{place}").render_derived(with_types=True).c)


def _family_values(row: Values, parts: Sequence[Part]) -> dict[str, Any]:
    values = {f"row_{name}": value for name, value in row.items()}
    for place, part in enumerate(parts):
        if len(part.rows) > 1:
            values[f"part{place}"] = orjson.dumps(part.rows).decode()
        else:
            values |= {f"part{place}_{name}": value for name, value in part.rows[0].items()}
    return values
