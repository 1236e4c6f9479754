"""A few rows in every table that there is, made from what the tables say of themselves: none can be left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.storage import many_rows, tables
from tests.conftest import START

ROWS = 3
TEXTS = ("plain", "tab\tand\nline\r and \\N \\. back\\slash", 'é ü 漢 \U0001f600 "{}" \u2028')


def fill(connection: sa.Connection) -> None:
    """Rows 1 to 3 of every table; row N is of tenant N and refers to rows N. They make sense to the database only."""
    for table in tables.metadata.sorted_tables:
        many_rows.insert(connection, table, [_row(table, number) for number in range(1, ROWS + 1)])


def everything(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the order of the keys, as Python has the values."""
    found = {}
    for table in tables.metadata.sorted_tables:
        ordered = sa.select(table).order_by(*table.primary_key).execution_options(across_tenants=True)
        found[table.name] = [tuple(row) for row in connection.execute(ordered)]
    return found


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.c}


def _value(column: sa.Column[Any], number: int) -> Any:
    kind = column.type.python_type if not isinstance(column.type, sa.types.TypeDecorator) else START.__class__
    counts = column.primary_key or bool(column.foreign_keys)
    if number == ROWS and column.nullable and not counts:
        return None
    if kind is int:
        return number if counts or column.name == "tenant_id" else _big(column, number)
    return {
        bool: number % 2 == 0,
        float: number / 7,
        str: f"{number} {TEXTS[number - 1]}",
        START.__class__: START + timedelta(milliseconds=number, days=number),
    }[kind]


def _big(column: sa.Column[Any], number: int) -> int:
    """As large as the column can hold on both databases."""
    most = 2**15 if isinstance(column.type, sa.SmallInteger) else 2**31 if type(column.type) is sa.Integer else 2**63
    return most - number
