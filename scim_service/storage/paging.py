"""Pages of users and groups in order, by number, and the totals that lists tell; pages by key are `keyset.py`'s.

A page is found over the narrow key first, documents are fetched for that page only (performance.md 5.6), both by one
statement where there is no order (`one_of`). The unfiltered total is a counter, spread over rows so that writers on
PostgreSQL rarely meet (decision 27).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from scim_service import errors
from scim_service.storage import tables
from scim_service.storage.filter_plan import Planned
from scim_service.storage.work import CHUNK, Work

BUCKETS = 8

_totals = tables.directory.totals
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_LAST: sa.BindParameter[Any] = sa.bindparam("last")
_MANY: sa.BindParameter[Any] = sa.bindparam("n")
_SKIP: sa.BindParameter[Any] = sa.bindparam("skip")
_TOTAL = sa.select(sa.func.coalesce(sa.func.sum(_totals.c.value), 0)).where(
    _totals.c.tenant_id == _TENANT, _totals.c.resource_type == sa.bindparam("resource_type")
)


@dataclass(frozen=True)
class Page:
    """How many there are in all, and the seqs of those on this page, in order; `rows` holds them whole if read so."""

    total: int
    seqs: list[int]
    rows: Sequence[Any] | None = None

    @property
    def last(self) -> int | None:
        """The last row of the page, None for an empty one."""
        return self.seqs[-1] if self.seqs else None


def total(work: Work, resource_type: str) -> int:
    """How many resources of this type the tenant has, from the counter."""
    return int(work.value(_TOTAL, resource_type=resource_type))


def count_one(work: Work, resource_type: str, seq: int, delta: int) -> None:
    """Change the counter by `delta`; the last write of a transaction (decision 27)."""
    bucket = seq % BUCKETS if work.dialect == "postgresql" else 0
    work.execute(_COUNT[work.dialect], resource_type=resource_type, bucket=bucket, delta=delta)


def _counting(insert: Any) -> Any:
    made = insert(_totals).values(
        tenant_id=_TENANT,
        resource_type=sa.bindparam("resource_type"),
        bucket=sa.bindparam("bucket"),
        value=sa.bindparam("delta"),
    )
    keys = [_totals.c.tenant_id, _totals.c.resource_type, _totals.c.bucket]
    return made.on_conflict_do_update(index_elements=keys, set_={"value": _totals.c.value + made.excluded.value})


_COUNT = {"postgresql": _counting(postgresql.insert), "sqlite": _counting(sqlite.insert)}


@dataclass(frozen=True)
class Span:
    """A part of a list: the first place (from 1), how many, and the row before it where a walk knows it."""

    start: int
    count: int
    after: int | None = None


class one_of(GenericFunction[Any]):
    """Whether a key is one of a page's, which are found first, whatever the planner thinks of the rows around them.

    PostgreSQL turns a plain IN into a join, and for a page of unknown length may read every document to build it.
    Without a type, as SQLite is given `= 1` after a boolean function, and then does not use the index on the key.
    """

    type = sa.types.NullType()
    inherit_cache = True
    name = "one_of"


@compiles(one_of, "sqlite")
def _one_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    seq, page = (compiler.process(part, **options) for part in element.clauses)
    return f"({seq} IN {page})"


@compiles(one_of, "postgresql")
def _one_of_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    seq, page = (compiler.process(part, **options) for part in element.clauses)
    return f"({seq} = ANY (ARRAY{page}))"


@dataclass(frozen=True)
class Sorting:
    """An order as SQL: by a column, which may hold nothing; `descending`: the largest first."""

    column: Any
    descending: bool = False
    nullable: bool = True

    def terms(self, up: bool) -> list[Any]:
        """What to order by: from the smallest up and who has no value last, or the other way round."""
        missing = [self.column.is_(None)] if self.nullable else []
        return [*missing, self.column] if up else [*(one.desc() for one in missing), self.column.desc()]


@dataclass(frozen=True)
class Source:
    """What to page through: the rows of a table that a planned filter means, in an order (None: of making).

    `whole` selects all that is shown of a row; `order` names the order for who keeps statements, `sorting` is what it
    comes to in SQL; `connection` is whose externalIds are meant.
    """

    table: sa.Table
    whole: sa.Select[Any]
    resource_type: str
    planned: Planned
    connection: int
    order: Hashable = None
    sorting: Sorting | None = None

    def statement(self, purpose: Hashable, build: Callable[[sa.Select[Any]], sa.Select[Any]]) -> Any:
        """The statement for a purpose, built once per shape of filter and order."""
        key = (self.table.name, purpose, self.order)
        known = self.planned.plan.statements
        if key not in known:
            known[key] = build(self._rows())
        return known[key]

    def run(self, work: Work, statement: Any, **values: Any) -> Sequence[Any]:
        """Its rows, with the filter's literals bound."""
        return work.rows(statement, connection=self.connection, **self.planned.values, **values)

    def _rows(self) -> sa.Select[Any]:
        found = sa.select(self.table.c.seq).where(self.table.c.tenant_id == _TENANT)
        condition = self.planned.plan.lowered.condition
        return found if condition is None else found.where(condition)


def exact(work: Work, source: Source, span: Span) -> Page:
    """The page of the rows that the source means; its filter and its order are wholly in SQL."""
    rows = _rows(work, source, span) if span.count else []
    seqs = [row.seq for row in rows]
    return Page(_total(work, source, span, len(seqs)), seqs, None if source.sorting else rows)


def _total(work: Work, source: Source, span: Span, found: int) -> int:
    """How many there are in all; not asked for where a filtered page that is not full tells it."""
    if source.planned.plan.lowered.condition is not None:
        if found and found < span.count and span.after is None:
            return span.start - 1 + found
        if span.start == 1 and span.count and not found:
            return 0
    return count_all(work, source)


def count_all(work: Work, source: Source) -> int:
    """How many rows the source means: from the counter where that is all of them."""
    if source.planned.plan.lowered.condition is None:
        return total(work, source.resource_type)
    counting = source.statement("count", lambda rows: rows.with_only_columns(sa.func.count().label("many")))
    return int(source.run(work, counting)[0].many)


def _rows(work: Work, source: Source, span: Span) -> Sequence[Any]:
    """The rows of a page: whole, or their seqs alone where there is an order."""
    seq = source.table.c.seq
    if span.after is not None:
        keyed = source.statement("after", lambda rows: _whole(source, rows.where(seq > _LAST).order_by(seq)))
        return source.run(work, keyed, last=span.after, n=span.count)
    if source.sorting is None:
        page = source.statement("page", lambda rows: _whole(source, rows.order_by(seq).offset(_SKIP)))
    else:
        terms = source.sorting.terms(up=not source.sorting.descending)
        page = source.statement("page", lambda rows: rows.order_by(*terms, seq).limit(_MANY).offset(_SKIP))
    return source.run(work, page, n=span.count, skip=span.start - 1)


def _whole(source: Source, page: sa.Select[Any]) -> sa.Select[Any]:
    """All that is shown of the rows of a page, in the order of their making."""
    seq, keys = source.table.c.seq, page.limit(_MANY).correlate(None).scalar_subquery()
    return source.whole.where(one_of(seq, keys)).order_by(seq)


def batches(work: Work, source: Source, limit: int) -> Iterator[list[int]]:
    """The rows that the source means, batch by batch, for what SQL can only narrow.

    Raises TooMany when there are more than `limit` of them to be looked at one by one (decision 17).
    """
    seq = source.table.c.seq
    statement = source.statement("batch", lambda rows: rows.where(seq > _LAST).order_by(seq).limit(CHUNK))
    last, read = 0, 0
    while batch := [row.seq for row in source.run(work, statement, last=last)]:
        read += len(batch)
        if read > limit:
            raise errors.TooMany(
                f"This would have to look at more than {limit} resources one by one. "
                "Add a filter on userName, externalId, emails.value or displayName."
            )
        yield batch
        last = batch[-1]
