"""A whole installation moves to another database: every table, in one snapshot, all or nothing.

There is no list of tables here: the metadata says which there are and in which order, so that none can be forgotten.
What differs between the databases (booleans, instants, 64 bits) is translated by the columns' own types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from scim_service import errors
from scim_service.storage import faults, many_rows, migrations, tables
from scim_service.storage.backup import Progress
from scim_service.storage.database import Database
from scim_service.storage.work import Actor, Work

BATCH = 2_000
"""How many rows go over at once."""
NUL = "\0"

Judge = Callable[[Work], Sequence[str]]
"""What is wrong with a tenant, a sentence each."""

_tenants = tables.access.tenants
_SLUGS = sa.select(_tenants.c.id, _tenants.c.slug).order_by(_tenants.c.slug)
_sequence = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))


@dataclass(frozen=True)
class Copied:
    """How many rows of which table went over, and by tenant what was wrong with it before, and is therefore still."""

    tables: Mapping[str, int]
    findings: Mapping[str, Sequence[str]]


def copy(source: Database, target: Database, *, now: datetime, judge: Judge, progress: Progress) -> Copied:
    """Move everything, make keys go on behind those that were copied, compare counts, and judge every tenant.

    Nothing is in the target unless all of it is, with the same counts and with nothing wrong that was not wrong before.
    Raises Refused for a target that is not empty.
    """
    with faults.translated(), _reading(source) as old, migrations.fresh(target) as new:
        _take_time(new)
        moved = {table.name: _table(old, new, table, progress) for table in tables.metadata.sorted_tables}
        for table in tables.metadata.sorted_tables:
            _go_on_behind(old, new, table)
        _expect_equal(moved, new)
        if new.dialect.name == "postgresql":
            new.exec_driver_sql("ANALYZE")
        return Copied(moved, _judged(old, new, now, judge, progress))


@contextmanager
def _reading(source: Database) -> Iterator[sa.Connection]:
    """One snapshot, however long it takes."""
    with source.reads.connect() as connection, connection.begin():
        _take_time(connection)
        yield connection


def _take_time(connection: sa.Connection) -> None:
    """Lift PostgreSQL's limits on the transaction: everything takes longer than a request may."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(sa.select(sa.func.set_config(limit, "0", True)))


def _table(old: sa.Connection, new: sa.Connection, table: sa.Table, progress: Progress) -> int:
    """Copy one table in the order of its key; how many rows there were."""
    total, done = _count(old, table), 0
    new.execute(sa.delete(table).execution_options(across_tenants=True))  # what migrations put there comes over, too
    everything = sa.select(table).order_by(*table.primary_key).execution_options(across_tenants=True, yield_per=BATCH)
    with old.execute(everything) as rows:
        found = rows.mappings()
        while batch := cast(list[Mapping[str, Any]], list(islice(found, BATCH))):
            _refuse_nul(table, batch, new)
            many_rows.insert(new, table, batch)
            done += len(batch)
            progress(table.name, "rows", done, total)
    return done


def _refuse_nul(table: sa.Table, batch: Sequence[Mapping[str, Any]], new: sa.Connection) -> None:
    """PostgreSQL keeps no character NUL, which no door lets in; say where it is rather than change what is there."""
    if new.dialect.name != "postgresql":
        return
    for row in batch:
        for name, value in row.items():
            if isinstance(value, str) and NUL in value:
                key = ", ".join(f"{column.name} {row[column.name]!r}" for column in table.primary_key)
                raise errors.Refused(
                    f"{table.name}.{name} of the row with {key} holds the character NUL, which PostgreSQL cannot keep. "
                    "Change that value, then copy again. Nothing was copied."
                )


def _count(connection: sa.Connection, table: sa.Table) -> int:
    counting = sa.select(sa.func.count()).select_from(table).execution_options(across_tenants=True)
    return int(connection.execute(counting).scalar_one())


def _expect_equal(moved: Mapping[str, int], new: sa.Connection) -> None:
    for table in tables.metadata.sorted_tables:
        there = _count(new, table)
        if there != moved[table.name]:
            raise errors.Refused(
                f"{table.name} has {moved[table.name]} rows here and {there} there. Nothing was copied."
            )


def _go_on_behind(old: sa.Connection, new: sa.Connection, table: sa.Table) -> None:
    """No key is given twice, also none whose row was deleted: go on where the source stands."""
    column = table.autoincrement_column
    if column is None:
        return
    last = _last(old, table, column)
    if new.dialect.name == "sqlite":
        new.execute(sa.delete(_sequence).where(_sequence.c.name == table.name))
        new.execute(sa.insert(_sequence).values(name=table.name, seq=last))
    elif last:
        new.execute(sa.select(sa.func.setval(_counter(table, column), last)))


def _last(old: sa.Connection, table: sa.Table, column: sa.Column[Any]) -> int:
    """The last key that the source gave; 0 for none."""
    if old.dialect.name == "sqlite":
        given = sa.select(_sequence.c.seq).where(_sequence.c.name == table.name)
    else:
        given = sa.select(sa.func.pg_sequence_last_value(_counter(table, column)))
    kept = sa.select(sa.func.max(column)).execution_options(across_tenants=True)
    return max(int(old.execute(one).scalar() or 0) for one in (given, kept))


def _counter(table: sa.Table, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """PostgreSQL's sequence of a counting key."""
    return sa.cast(sa.func.pg_get_serial_sequence(table.name, column.name), REGCLASS)


def _judged(
    old: sa.Connection, new: sa.Connection, now: datetime, judge: Judge, progress: Progress
) -> dict[str, Sequence[str]]:
    """What is wrong with which tenant there; Refused where it is not as wrong here."""
    tenants = new.execute(_SLUGS).all()
    findings = {}
    for number, tenant in enumerate(tenants, 1):
        there = judge(Work(new, tenant.id, Actor("cli"), now))
        if there and there != judge(Work(old, tenant.id, Actor("cli"), now)):
            raise errors.Refused(f"{tenant.slug} would not be as it is here: {there[0]} Nothing was copied.")
        if there:
            findings[tenant.slug] = there
        progress("verify", "tenants", number, len(tenants))
    return findings
