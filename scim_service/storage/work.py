"""One request, one transaction: `reading()` and `writing()` give a Work, the first argument of every use case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult, Row

from scim_service.storage import joined, many_rows, prepared
from scim_service.storage.joined import Part
from scim_service.storage.prepared import Outcome

T = TypeVar("T")

CHUNK = 500
"""How many ids go into one statement (performance.md 5.5)."""

_ENDINGS = "storage.endings"

EVERY_TENANT = 0
"""The tenant of a Work that belongs to none yet: making a tenant, finding a credential."""


@dataclass(frozen=True)
class Actor:
    """Who acts: `kind` is connection, cli or job; `connection_seq` is set for a SCIM client."""

    kind: str
    name: str = ""
    connection_seq: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass
class Work:
    """An open transaction with its tenant, its actor and its one instant `now` (aware, UTC, milliseconds)."""

    connection: Connection
    tenant_id: int
    actor: Actor
    now: datetime
    request_id: str = ""
    careful: bool = False
    """Whether this is another try of what was undone: then locks that may be needed are taken first."""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that is undone alone where it raises; the notes of it are forgotten with it."""
        known = {name: list(value) if isinstance(value, list) else value for name, value in self.notes.items()}
        whole = False
        try:
            with self.connection.begin_nested():
                yield
            whole = True
        finally:
            if not whole:
                self.notes.clear()
                self.notes.update(known)

    def at_end(self, name: str, act: Callable[[Work], None]) -> None:
        """Have something done as the last act of this transaction, once for each name; never where it is undone."""
        endings = self.notes.setdefault(_ENDINGS, [])
        if all(known != name for known, _ in endings):
            endings.append((name, act))

    def finish(self) -> None:
        """Do what was to be done last; called by who opened the transaction, before the commit."""
        for _, act in self.notes.get(_ENDINGS, []):
            act(self)

    def execute(self, statement: sa.Executable, **values: Any) -> Outcome:
        """Run a statement; `:tenant` is always bound to this Work's tenant."""
        return prepared.run(self.connection, statement, {"tenant": self.tenant_id, **values})

    def rows(self, statement: sa.Executable, **values: Any) -> Sequence[Row[Any]]:
        """All rows of a statement."""
        return self.execute(statement, **values).rows

    def row(self, statement: sa.Executable, **values: Any) -> Row[Any] | None:
        """The first row, or None."""
        found = self.execute(statement, **values).rows
        return found[0] if found else None

    def value(self, statement: sa.Executable, **values: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.execute(statement, **values).rows
        return found[0][0] if found else None

    def many(self, statement: sa.Executable, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once per mapping, in one call; nothing for none."""
        bound = [{"tenant": self.tenant_id, **row} for row in rows]
        if bound:
            prepared.run_many(self.connection, statement, bound)

    def insert(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows of this tenant, in order; nothing for none."""
        bound = [{"tenant_id": self.tenant_id, **row} for row in rows]
        if len(bound) >= many_rows.MANY:
            many_rows.insert(self.connection, table, bound)
        elif bound:
            prepared.insert(self.connection, table, bound)

    def insert_one(self, table: sa.Table, **values: Any) -> int:
        """Insert one row of this tenant and return its seq."""
        return prepared.insert_one(self.connection, table, {"tenant_id": self.tenant_id, **values})

    def insert_with(self, table: sa.Table, parts: Iterable[Part], **values: Any) -> int:
        """Insert one row of this tenant, and the rows that go with it; its seq."""
        mine = {"tenant_id": self.tenant_id}
        family = [Part(part.table, [{**mine, **row} for row in part.rows], part.key) for part in parts]
        return joined.insert(self.connection, table, {**mine, **values}, family)

    def together(self, *statements: sa.Executable, asking: sa.Select[Any], **values: Any) -> Any:
        """Run writes of which none depends on another, and `asking`, whose first value is answered (`joined.py`).

        A parameter of one name has one value in all of them.
        """
        return joined.run(self.connection, statements, asking, {"tenant": self.tenant_id, **values})

    def insert_new(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert the rows that break no unique key, in order; those that are there already stay as they are."""
        bound = [{"tenant_id": self.tenant_id, **row} for row in rows]
        if bound:
            self.connection.execute(_insert_new(table, self.dialect), bound)


def first_key(result: CursorResult[Any]) -> int:
    """The counting key of the row that was just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


_inserts: dict[tuple[str, str], Any] = {}


def _insert_new(table: sa.Table, dialect: str) -> Any:
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return _inserts.setdefault((table.name, dialect), made.on_conflict_do_nothing())


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Slices of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
