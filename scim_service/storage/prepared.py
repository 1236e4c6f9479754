"""Statements, compiled once and run at the driver: of a point read, Core's own way costs several times the query.

Measured: 25 µs a statement on SQLite and 70 µs on PostgreSQL, and a request has four to eight. Statements are still
written in Core, judged for their tenant (guard.py), and bound by name. A list of an IN is an array on PostgreSQL; on
SQLite it has a text for each of LENGTHS, and very long ones run through Core, with the same outcome. Errors are those
that Core would raise, so that nobody has to know.
"""

from __future__ import annotations

import operator
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc as sx
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection, Row
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql import operators, visitors

from scim_service.storage import guard

LENGTHS = (*range(9), 16, 32, 64, 128, 256, 512)
"""How many values of an IN have a text of their own; a list between two of them is filled up with its last value."""

CURSOR = "scim_service.cursor"
"""Where a driver's connection keeps its cursor."""

NAMED = re.compile(r"%\(([^)]+)\)s")
"""A parameter in a text for psycopg."""

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Outcome:
    """What a statement came to: the rows that it answered, how many it touched, the key of the last inserted one."""

    rows: Sequence[Row[Any]]
    rowcount: int
    key: int | None = None

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self.rows)


def run(connection: Connection, statement: Any, values: Values) -> Outcome:
    """Run a statement: at the driver where it can be kept as a text, else through Core."""
    lists: dict[str, list[Any]] = {}
    if connection.dialect.name != "postgresql":  # there a list is one value
        lists = {name: _filled(value) for name, value in values.items() if isinstance(value, list)}
        values = {**values, **lists} if lists else values
    made = _kept(connection, statement, values, [len(value) for value in lists.values()])
    if made is not None:
        return made.run(connection, values)
    result = connection.execute(statement, dict(values))
    return Outcome(result.all() if result.returns_rows else (), result.rowcount)


def say(connection: Connection, text: str) -> None:
    """Run a word without parameters, such as BEGIN, at the driver: through Core it costs more than a query (17 µs)."""
    try:
        _cursor(connection).execute(text)
    except connection.dialect.loaded_dbapi.Error as problem:
        raise _as_core_does(connection, text, problem) from problem


def run_many(connection: Connection, statement: Any, many: Sequence[Values]) -> None:
    """Run a statement once for each mapping; all have the same names, and no lists."""
    made = _kept(connection, statement, many[0], [])
    if made is None:
        connection.execute(statement, [dict(values) for values in many])
    else:
        made.run_many(connection, many)


def insert(connection: Connection, table: sa.Table, many: Sequence[Values]) -> None:
    """Insert rows of the same columns, in order. On PostgreSQL they go as one statement with an array per column."""
    names = tuple(many[0])
    if len(many) > 1 and connection.dialect.name == "postgresql":
        arrays = {name: [row[name] for row in many] for name in names}
        _inserting(connection, table, names, _from_arrays).run(connection, arrays)
    else:
        _inserting(connection, table, names, _plain).run_many(connection, many)


def insert_one(connection: Connection, table: sa.Table, values: Values) -> int:
    """Insert a row and return the key that it was given."""
    made = _inserting(connection, table, tuple(values), _with_key)
    outcome = made.run(connection, values)
    key = outcome.rows[0][0] if outcome.rows else outcome.key
    assert key is not None
    return int(key)


@dataclass(frozen=True)
class _Bind:
    """A parameter in the text: its value is named in the values (perhaps in a list there), or always the same."""

    name: str
    source: str
    place: int | None
    constant: Any
    convert: Convert | None

    def of(self, values: Values) -> Any:
        """What the driver is given."""
        value = values[self.source] if self.source else self.constant
        if self.place is not None:
            value = value[self.place]
        return value if self.convert is None else self.convert(value)


class _Prepared:
    """The text of a statement in one dialect, how its parameters are bound, and how its rows are read."""

    def __init__(self, compiled: Any, dialect: Dialect, values: Values) -> None:
        lists = [name for name, bound in compiled.binds.items() if bound.expanding]
        names = compiled.positiontup if compiled.positional else dict.fromkeys(NAMED.findall(compiled.string))
        self._text: str = compiled.string
        self._by_place: bool = compiled.positional
        self._binds = [_bind(name, compiled, dialect, values, lists) for name in names]
        self._as_given = _as_given(self._binds, compiled.positional)
        self._types = [one.type for one in getattr(compiled.statement, "selected_columns", ())]
        self._dialect = dialect
        self._reader: tuple[Any, Any, Any] | None = None
        self._answers: bool | None = None

    def run(self, connection: Connection, values: Values) -> Outcome:
        """Run it once."""
        cursor = self._executed(connection, self._bound(values), many=False)
        if self._answers is None:  # asked once only: psycopg makes an object of each column to tell it (40 µs)
            self._answers = cursor.description is not None
        rows = self._read(connection, cursor) if self._answers else ()
        return Outcome(rows, cursor.rowcount, getattr(cursor, "lastrowid", None))

    def run_many(self, connection: Connection, many: Sequence[Values]) -> None:
        """Run it once for each mapping."""
        if len(many) == 1:
            self._executed(connection, self._bound(many[0]), many=False)
        else:
            self._executed(connection, [self._bound(values) for values in many], many=True)

    def _bound(self, values: Values) -> Any:
        if self._as_given is not None:
            return self._as_given(values)
        if self._by_place:
            return [bind.of(values) for bind in self._binds]
        return {bind.name: bind.of(values) for bind in self._binds}

    def _executed(self, connection: Connection, parameters: Any, many: bool) -> Any:
        """The driver's cursor after the statement; who listens to statements hears it, as with Core."""
        cursor = _cursor(connection)
        for told in connection.engine.dispatch.before_cursor_execute:
            told(connection, cursor, self._text, parameters, None, many)
        try:
            if many:
                cursor.executemany(self._text, parameters)
            else:
                cursor.execute(self._text, parameters)
        except self._dialect.loaded_dbapi.Error as problem:
            raise _as_core_does(connection, self._text, problem) from problem
        for told in connection.engine.dispatch.after_cursor_execute:
            told(connection, cursor, self._text, parameters, None, many)
        return cursor

    def _read(self, connection: Connection, cursor: Any) -> list[Row[Any]]:
        if self._reader is None:
            self._reader = _reader(cursor.description, self._types, self._dialect)
        parent, converts, keys = self._reader
        try:
            return [Row(parent, converts, keys, row) for row in cursor.fetchall()]
        except self._dialect.loaded_dbapi.Error as problem:
            raise _as_core_does(connection, self._text, problem) from problem


def _cursor(connection: Connection) -> Any:
    """A cursor of the driver; on PostgreSQL the connection's only one, as every statement is read to its end.

    A new one of psycopg's would learn anew how each type is written and read (20 µs a statement). One of SQLite's that
    is kept holds on to its statement, and with it to the lock of a connection that was lost.
    """
    if connection.dialect.name == "sqlite":
        return connection.connection.cursor()
    kept = connection.info
    if CURSOR not in kept:
        kept[CURSOR] = connection.connection.cursor()
    return kept[CURSOR]


_statements: weakref.WeakKeyDictionary[Any, dict[tuple[Any, ...], _Prepared]] = weakref.WeakKeyDictionary()
_insertions: dict[tuple[Any, ...], _Prepared] = {}


def _kept(connection: Connection, statement: Any, values: Values, lengths: Sequence[int]) -> _Prepared | None:
    """The prepared form for the dialect and the lengths of the lists; None where there is to be none."""
    shapes = _statements.get(statement)
    if shapes is None:
        guard.judge(statement)
        shapes = _statements.setdefault(statement, {})
    shape = (connection.dialect.name, *lengths)
    if shape not in shapes:
        if lengths and max(lengths) > LENGTHS[-1]:
            return None
        shapes[shape] = _made(statement, connection.dialect, values)
    return shapes[shape]


def _filled(values: list[Any]) -> list[Any]:
    """A list of one of LENGTHS that means the same to an IN; a longer one as it is."""
    length = next((one for one in LENGTHS if one >= len(values)), len(values))
    return values if length == len(values) else [*values, *[values[-1]] * (length - len(values))]


def _made(statement: Any, dialect: Dialect, values: Values) -> _Prepared:
    """The text, with a parameter for each value of a list; on PostgreSQL for the whole list."""
    if dialect.name == "postgresql":
        return _Prepared(_with_arrays(statement).compile(dialect=dialect), dialect, values)
    compiled = statement.compile(dialect=dialect)
    if any(bound.expanding for bound in compiled.binds.values()):
        compiled = _spread(statement, values).compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return _Prepared(compiled, dialect, values)


def _with_arrays(statement: Any) -> Any:
    """A copy in which every IN of a list is a comparison with any value of an array.

    So the text is the same for every length. psycopg keeps only short texts: one with 500 parameters it would take
    apart each time (2 ms). And PostgreSQL does not take a long list for a reason to read the whole table.
    """

    def turn(binary: Any) -> None:
        listed = binary.right
        if isinstance(listed, sa.BindParameter) and listed.expanding:
            kind, required = ARRAY(_loose(listed.type)), listed.required
            array = sa.bindparam(listed.key, listed.value, type_=kind, required=required)
            binary.right = sa.any_(array) if binary.operator is operators.in_op else sa.all_(array)
            binary.operator = operators.eq if binary.operator is operators.in_op else operators.ne

    return visitors.cloned_traverse(statement, {"maintain_key": True}, {"binary": turn})


def _loose(kind: Any) -> Any:
    return sa.Text() if isinstance(kind, sa.Text) else kind


def _spread(statement: Any, values: Values) -> Any:
    """A copy with these values, which says how long its lists are."""

    def give(bound: Any) -> None:
        if bound.key in values:
            bound.value, bound.required = values[bound.key], False

    return visitors.cloned_traverse(statement, {"maintain_key": True}, {"bindparam": give})


def _inserting(
    connection: Connection, table: sa.Table, names: tuple[str, ...], build: Callable[..., sa.Insert]
) -> _Prepared:
    key = (connection.dialect.name, table.name, names, build)
    if key not in _insertions:
        dialect = connection.dialect
        compiled = build(table, names, dialect).compile(dialect=dialect, column_keys=list(names))
        _insertions[key] = _Prepared(compiled, dialect, dict.fromkeys(names))
    return _insertions[key]


def _plain(table: sa.Table, names: Sequence[str], dialect: Dialect) -> sa.Insert:
    return sa.insert(table).inline()


def _with_key(table: sa.Table, names: Sequence[str], dialect: Dialect) -> sa.Insert:
    """PostgreSQL tells the new key with the statement, SQLite's driver by itself."""
    return sa.insert(table).returning(table.c.seq) if dialect.name == "postgresql" else sa.insert(table).inline()


def _from_arrays(table: sa.Table, names: Sequence[str], dialect: Dialect) -> sa.Insert:
    columns = [sa.func.unnest(sa.bindparam(name, type_=ARRAY(loose_type(table.c[name])))) for name in names]
    return sa.insert(table).from_select(list(names), sa.select(*columns))


def loose_type(column: sa.Column[Any]) -> Any:
    """The type of a column where it stands in none: `Key` without its order."""
    return _loose(column.type)


def _bind(name: str, compiled: Any, dialect: Dialect, values: Values, lists: Sequence[str]) -> _Bind:
    owner, place = name, None
    for one in lists:
        if name.startswith(f"{one}_") and name[len(one) + 1 :].isdigit():
            owner, place = one, int(name[len(one) + 1 :]) - 1
    bound = compiled.binds[owner]
    convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
    is_given = owner in values
    return _Bind(name, owner if is_given else "", place, None if is_given else bound.effective_value, convert)


def _as_given(binds: Sequence[_Bind], by_place: bool) -> Convert | None:
    """What picks the parameters out of the values where nothing has to be done to any of them; else None."""
    if not binds or any(not bind.source or bind.place is not None or bind.convert is not None for bind in binds):
        return None
    if not by_place:
        return (lambda values: values) if all(bind.name == bind.source for bind in binds) else None
    sources = [bind.source for bind in binds]
    return operator.itemgetter(*sources) if len(sources) > 1 else lambda values: (values[sources[0]],)


def _reader(description: Sequence[Any], types: Sequence[Any], dialect: Dialect) -> tuple[Any, Any, Any]:
    """What makes rows of the driver's tuples: the names, and how each value is converted."""
    known = types if len(types) == len(description) else [sa.types.NullType()] * len(description)
    converts = [
        one.dialect_impl(dialect).result_processor(dialect, column[1])
        for one, column in zip(known, description, strict=True)
    ]
    parent = SimpleResultMetaData([column[0] for column in description])
    return parent, tuple(converts) if any(converts) else None, parent._key_to_index


def _as_core_does(connection: Connection, text: str, problem: Any) -> Exception:
    """The error that Core raises for a driver's; a connection that is gone is given up."""
    dialect = connection.dialect
    driver: Any = connection.connection
    is_gone = dialect.is_disconnect(problem, driver, None)
    base = dialect.loaded_dbapi.Error
    told = sx.DBAPIError.instance(
        text, None, problem, base, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
    )
    if is_gone:
        connection.invalidate(problem)
    assert isinstance(told, Exception)
    return told
