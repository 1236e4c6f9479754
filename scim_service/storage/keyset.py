"""Pages of users and groups by key: what comes after a place in a list, or before it, however deep it is.

A place is what its row was sorted by, so that it means the same after that row is gone: a walk by places loses and
repeats nobody who stays while others come and go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.protocol.cursors import Place
from scim_service.storage.paging import Sorting, Source
from scim_service.storage.work import Work

_MANY: sa.BindParameter[Any] = sa.bindparam("n")
_LAST: sa.BindParameter[Any] = sa.bindparam("last")
_SEQ_MOST = 2**62


@dataclass(frozen=True)
class Step:
    """A step through a list: up to `many` rows after a place, or before it; None is the end of the list.

    `descending` is how the list is ordered, for a source too that has nothing to be ordered by.
    """

    place: Place | None
    forward: bool
    many: int
    descending: bool = False

    @property
    def upwards(self) -> bool:
        """Whether values grow on the way."""
        return self.forward != self.descending


def beyond(work: Work, source: Source, kind: int, step: Step) -> list[Place]:
    """Where a step leads, in the order of the list; `kind` is the number of the source among those of the list.

    Filter and order of the source are wholly in SQL.
    """
    state = _state(step.place)
    if source.sorting is None and state == "valued":
        if not step.upwards:
            return []
        state = ""
    purpose = ("beyond", source.order, step.forward, state)
    statement = source.statement(purpose, lambda rows: _built(source, rows, step, state))
    rows = source.run(work, statement, n=step.many, **_bound(step.place, kind, state))
    found = [_place(source, row, kind) for row in rows]
    return found if step.forward else found[::-1]


def _state(place: Place | None) -> str:
    """Which part of the list the place is in: there is none, it has no value, it has one."""
    if place is None:
        return ""
    return "missing" if place.missing else "valued"


def _bound(place: Place | None, kind: int, state: str) -> dict[str, Any]:
    """Values for the statement; among equals the types follow each other, so another type's are all beyond or none."""
    if place is None or not state:
        return {}
    last = place.seq if place.kind == kind else -1 if kind > place.kind else _SEQ_MOST
    return {"last": last, "edge": place.value} if state == "valued" else {"last": last}


def _place(source: Source, row: sa.Row[Any], kind: int) -> Place:
    value = row.sorted_by if source.sorting is not None else None
    return Place(value is None, value, kind, row.seq)


def _built(source: Source, rows: sa.Select[Any], step: Step, state: str) -> sa.Select[Any]:
    seq, sorting = source.table.c.seq, source.sorting
    tie = seq > _LAST if step.forward else seq < _LAST
    last = seq if step.forward else seq.desc()
    if sorting is None:
        return (rows.where(tie) if state else rows).order_by(last).limit(_MANY)
    found = rows.add_columns(sorting.column.label("sorted_by"))
    if state:
        found = found.where(_AHEAD[state](sorting, step.upwards, tie))
    return found.order_by(*sorting.terms(step.upwards), last).limit(_MANY)


def _ahead_of_missing(sorting: Sorting, upwards: bool, tie: Any) -> Any:
    """Who has no value comes last upwards: downwards everybody with a value follows."""
    equal = sa.and_(sorting.column.is_(None), tie)
    return equal if upwards else sa.or_(equal, sorting.column.is_not(None))


def _ahead_of_value(sorting: Sorting, upwards: bool, tie: Any) -> Any:
    """Whose value lies beyond, with a bound that an index can begin at."""
    column, edge = sorting.column, sa.bindparam("edge", type_=sorting.column.type)
    bound, further = (column >= edge, column > edge) if upwards else (column <= edge, column < edge)
    valued = sa.and_(bound, sa.or_(further, tie))
    return sa.or_(sorting.column.is_(None), valued) if upwards and sorting.nullable else valued


_AHEAD = {"missing": _ahead_of_missing, "valued": _ahead_of_value}
