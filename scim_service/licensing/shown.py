"""What a person's read-only `licenses` say (licensing.md X-2): one query for a whole page, one more per who waits.

`state` is one of licensing.md 4.2. `source` is `direct`, `group`, `scim` or `request`, or several of them. A grace that
has lapsed is not shown, even if nobody could let the queue move yet (decision 23). Queue places are counted on read
(decision 24).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import claims
from scim_service.licensing.facts import GRACE, WAITING, Key
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_assignments = tables.licensing.assignments
_types = tables.licensing.license_types
_claims = tables.licensing.claims
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_KEY = (_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
_QUEUE = (
    _assignments.c.tenant_id == _TENANT,
    _assignments.c.type_seq == sa.bindparam("type"),
    tables.licensing.WAITS,
)
_AHEAD = sa.select(sa.func.count()).where(
    *_QUEUE,
    sa.tuple_(*_KEY)
    < sa.tuple_(
        sa.bindparam("priority", type_=sa.BigInteger),
        sa.bindparam("claimed_since", type_=_assignments.c.claimed_since.type),
        sa.bindparam("rank_seq", type_=sa.BigInteger),
    ),
)
_BETWEEN = _AHEAD.where(
    sa.tuple_(*_KEY)
    >= sa.tuple_(
        sa.bindparam("from_priority", type_=sa.BigInteger),
        sa.bindparam("from_since", type_=_assignments.c.claimed_since.type),
        sa.bindparam("from_rank", type_=sa.BigInteger),
    )
)


def _any_claim(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.user_seq == _assignments.c.user_seq,
        _claims.c.type_seq == _assignments.c.type_seq,
        condition,
    )


SOURCES = {
    claims.DIRECT: _any_claim(_claims.c.source == claims.DIRECT),
    "group": _any_claim(_claims.c.source.startswith("rule:")),
    claims.SCIM: _any_claim(_claims.c.source == claims.SCIM),
    claims.REQUEST: _any_claim(_claims.c.source == claims.REQUEST),
}
"""What each kind of source is called, and whether a person has such a reason for a type."""

SOURCE_COLUMNS = [condition.label(f"by_{name}") for name, condition in SOURCES.items()]
NOT_LAPSED = sa.or_(
    _assignments.c.state != GRACE, _assignments.c.until > sa.bindparam("at", type_=_assignments.c.until.type)
)

_PAGE = (
    sa.select(
        _assignments,
        _types.c.code,
        _types.c.name,
        *SOURCE_COLUMNS,
    )
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.user_seq.in_(sa.bindparam("seqs", expanding=True)),
        NOT_LAPSED,
    )
    .order_by(_assignments.c.user_seq, _types.c.rank.desc(), _types.c.code)
)


def licenses(work: Work, user_seqs: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The values of `licenses` for these people by seq, better types first; nothing for who has none."""
    rows = [row for chunk in chunks(user_seqs) for row in work.rows(_PAGE, seqs=list(chunk), at=work.now)]
    places = positions(work, rows)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.user_seq, []).append(_value(row, places.get((row.user_seq, row.type_seq))))
    return found


def positions(work: Work, rows: Iterable[Any]) -> dict[tuple[int, int], int]:
    """The places in their queues, from 1 without gaps (A-5), of the assignments that wait, by (person, type).

    Counted on read (decision 24), from each to the next, so that a page of people walks a queue once, not once each.
    """
    waiting = sorted((row.type_seq, key_of(row), row.user_seq) for row in rows if row.state == WAITING)
    found: dict[tuple[int, int], int] = {}
    for type_seq, queue in groupby(waiting, key=lambda one: one[0]):
        ahead, last = 0, None
        for _, key, user_seq in queue:
            ahead += _counted(work, type_seq, key, last)
            found[user_seq, type_seq] = ahead + 1
            last = key
    return found


def key_of(row: Any) -> Key:
    """The seniority key of a row (A-3)."""
    return (row.priority, row.claimed_since, row.rank_seq)


def _counted(work: Work, type_seq: int, key: Key, last: Key | None) -> int:
    """How many wait before this key, from the last one on that was counted."""
    upto = {"type": type_seq, "priority": key[0], "claimed_since": key[1], "rank_seq": key[2]}
    if last is None:
        return int(work.value(_AHEAD, **upto))
    return int(work.value(_BETWEEN, **upto, from_priority=last[0], from_since=last[1], from_rank=last[2]))


def sources(row: Any) -> list[str]:
    """Where a license comes from, of a row with the columns of `SOURCE_COLUMNS`."""
    return [name for name in SOURCES if row._mapping[f"by_{name}"]]


def _value(row: Any, position: int | None) -> dict[str, Any]:
    value = {
        "value": row.code,
        "display": row.name,
        "state": row.state,
        "source": ", ".join(sources(row)),
        "since": text.format_datetime(row.since),
        "until": text.format_datetime(row.until) if row.until else None,
        "queuePosition": position,
        "reason": row.reason,
    }
    return {name: item for name, item in value.items() if item is not None}
