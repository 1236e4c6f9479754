"""Pages of users and groups in the order of their making, and the totals that lists tell.

A page is found over the narrow key first, documents are fetched for that page only (performance.md 5.6). The unfiltered
total is a counter, spread over rows so that writers on PostgreSQL rarely meet (decision 27).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def exact(work: Work, table: sa.Table, resource_type: str, condition: Condition | None, start: int, count: int) -> Page:
    """The page of the rows that meet the condition, all of them where it is None; `start` counts from 1."""
    seqs = _seqs(work, table, condition, start, count) if count else []
    if condition is None:
        return Page(total(work, resource_type), seqs)
    if seqs and len(seqs) < count:
        return Page(start - 1 + len(seqs), seqs)
    if start == 1 and count and not seqs:
        return Page(0, [])
    counted = sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == _TENANT, condition)
    return Page(int(work.value(counted)), seqs)


def _seqs(work: Work, table: sa.Table, condition: Condition | None, start: int, count: int) -> list[int]:
    found = sa.select(table.c.seq).where(table.c.tenant_id == _TENANT).order_by(table.c.seq)
    if condition is not None:
        found = found.where(condition)
    return [
        row.seq
        for row in work.rows(found.limit(sa.bindparam("n")).offset(sa.bindparam("skip")), n=count, skip=start - 1)
    ]


def scanned(
    work: Work,
    table: sa.Table,
    condition: Condition | None,
    page: tuple[int, int],
    matches: Callable[[Sequence[int]], list[int]],
    limit: int,
) -> Page:
    """As `exact`, for what SQL can only narrow: `matches` says which of some seqs are meant, batch by batch.

    `page` is (start, count). Raises TooMany when more than `limit` rows would have to be read (decision 17).
    """
    start, count = page
    found: list[int] = []
    last, read = 0, 0
    while batch := _after(work, table, condition, last):
        read += len(batch)
        if read > limit:
            raise errors.TooMany(
                f"This filter would have to look at more than {limit} resources one by one. "
                "Add a term on userName, externalId, emails.value or displayName."
            )
        found += matches(batch)
        last = batch[-1]
    return Page(len(found), found[start - 1 : start - 1 + count])


def _after(work: Work, table: sa.Table, condition: Condition | None, last: int) -> list[int]:
    found = sa.select(table.c.seq).where(table.c.tenant_id == _TENANT, table.c.seq > sa.bindparam("last"))
    if condition is not None:
        found = found.where(condition)
    return [row.seq for row in work.rows(found.order_by(table.c.seq).limit(CHUNK), last=last)]
