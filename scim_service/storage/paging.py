"""Pages of users and groups in the order of their making, and the totals that lists tell.

A page is found over the narrow key first, documents are fetched for that page only (performance.md 5.6). The unfiltered
total is a counter, spread over rows so that writers on PostgreSQL rarely meet (decision 27).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_service import errors
from scim_service.storage import tables
from scim_service.storage.work import CHUNK, Work

BUCKETS = 8

_totals = tables.directory.totals
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_TOTAL = sa.select(sa.func.coalesce(sa.func.sum(_totals.c.value), 0)).where(
    _totals.c.tenant_id == _TENANT, _totals.c.resource_type == sa.bindparam("resource_type")
)

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Page:
    """How many there are in all, and the seqs of those on this page, in order."""

    total: int
    seqs: list[int]

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


def exact(
    work: Work, table: sa.Table, resource_type: str, condition: Condition | None, span: Span, order: Sequence[Any] = ()
) -> Page:
    """The page of the rows that meet the condition, of all where it is None, in the given order, else of making."""
    seqs = _seqs(work, table, condition, span, order) if span.count else []
    if condition is None:
        return Page(total(work, resource_type), seqs)
    if seqs and len(seqs) < span.count and span.after is None:
        return Page(span.start - 1 + len(seqs), seqs)
    if span.start == 1 and span.count and not seqs:
        return Page(0, [])
    counted = sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == _TENANT, condition)
    return Page(int(work.value(counted)), seqs)


def _seqs(work: Work, table: sa.Table, condition: Condition | None, span: Span, order: Sequence[Any]) -> list[int]:
    found = sa.select(table.c.seq).where(table.c.tenant_id == _TENANT).order_by(*order, table.c.seq)
    if condition is not None:
        found = found.where(condition)
    found = found.limit(sa.bindparam("n"))
    if span.after is not None:
        found = found.where(table.c.seq > sa.bindparam("last"))
        return [row.seq for row in work.rows(found, n=span.count, last=span.after)]
    return [row.seq for row in work.rows(found.offset(sa.bindparam("skip")), n=span.count, skip=span.start - 1)]


def batches(work: Work, table: sa.Table, condition: Condition | None, limit: int) -> Iterator[list[int]]:
    """The rows that meet the condition, batch by batch, for what SQL can only narrow.

    Raises TooMany when there are more than `limit` of them to be looked at one by one (decision 17).
    """
    last, read = 0, 0
    while batch := _after(work, table, condition, last):
        read += len(batch)
        if read > limit:
            raise errors.TooMany(
                f"This would have to look at more than {limit} resources one by one. "
                "Add a filter on userName, externalId, emails.value or displayName."
            )
        yield batch
        last = batch[-1]


def _after(work: Work, table: sa.Table, condition: Condition | None, last: int) -> list[int]:
    found = sa.select(table.c.seq).where(table.c.tenant_id == _TENANT, table.c.seq > sa.bindparam("last"))
    if condition is not None:
        found = found.where(condition)
    return [row.seq for row in work.rows(found.order_by(table.c.seq).limit(CHUNK), last=last)]
