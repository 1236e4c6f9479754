"""Lists: which resources a question means, counted truly, and one page of them in order (RFC 7644 section 3.4.2).

A list is over one resource type, or over several (the root, section 3.4.2.1): then who is equal in the order, or all of
them where there is none, come type by type. Pages are asked for by number or by cursor (RFC 9865).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from scim_service import errors
from scim_service.protocol import filters, schema, sorting
from scim_service.protocol.cursors import Cursor, Place
from scim_service.storage import keyset, paging
from scim_service.storage.keyset import Step
from scim_service.storage.paging import Source, Span
from scim_service.storage.work import Work

Documents = Callable[[Sequence[int]], list[tuple[int, dict[str, Any]]]]
"""Gives (seq, full document) of some rows."""

Shown = Callable[[Sequence[int], Sequence[Any] | None], list[dict[str, Any]]]
"""Gives some rows, by seq, as the caller is answered, in their order; out of what was read of them whole, if it was."""


@dataclass(frozen=True)
class Query:
    """What is asked of a list: a filter or None, an order or None, which part of it, and how far a scan may go.

    The part is a `span` of numbers, unless there is a `cursor`.
    """

    filter: filters.Node | None
    order: sorting.Order | None
    span: Span
    scan_limit: int
    cursor: Cursor | None = None

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        return self.order is not None and self.order.descending

    @property
    def asked(self) -> set[str]:
        """The top-level names that the filter and the order ask about: attributes, and URNs of extensions."""
        ordered = {_top(self.order.path)} if self.order else set()
        return _attributes(self.filter) | ordered


@dataclass(frozen=True)
class Listed:
    """A page as it is shown, how many there are in all, and the last row of the page (None for an empty one).

    Of a page by cursor also where the next one begins and where the one before ends; None where there is none.
    """

    total: int
    documents: list[dict[str, Any]]
    last: int | None = None
    next: Cursor | None = None
    previous: Cursor | None = None


@dataclass
class Rows:
    """The resources of one type in a list; `kind` is its number there.

    `source` is where SQL can tell filter and order, else None: then the documents of `narrowed` are looked at, once.
    """

    query: Query
    source: Source | None
    narrowed: Source
    documents: Documents
    shown: Shown
    kind: int = 0
    _scanned: list[Place] | None = field(default=None, repr=False)

    def page(self, work: Work, span: Span) -> paging.Page:
        """The page at these numbers, and how many there are. Raises TooMany (decision 17)."""
        if self.exact is not None:
            return paging.exact(work, self.exact, span)
        found = self._scan(work)
        return paging.Page(len(found), [one.seq for one in found[span.start - 1 : span.start - 1 + span.count]])

    def total(self, work: Work) -> int:
        """How many there are."""
        return len(self._scan(work)) if self.exact is None else paging.count_all(work, self.exact)

    def beyond(self, work: Work, step: Step) -> list[Place]:
        """Where a step leads among these, in the order of the list."""
        if self.exact is not None:
            return keyset.beyond(work, self.exact, self.kind, step)
        found = self._scan(work)
        if step.place is not None:
            found = [one for one in found if _is_beyond(one, step.place, step)]
        return found[: step.many] if step.forward else found[max(len(found) - step.many, 0) :]

    @property
    def exact(self) -> Source | None:
        """The source, where SQL tells the filter too."""
        return self.source if self.source is not None and self.source.planned.plan.lowered.exact else None

    def _scan(self, work: Work) -> list[Place]:
        if self._scanned is None:
            found: list[Place] = []
            for batch in paging.batches(work, self.narrowed, self.query.scan_limit):
                found += [self._place(seq, one) for seq, one in self.documents(batch) if self._is_meant(one)]
            self._scanned = _in_order(found, self.query.descending)
        return self._scanned

    def _is_meant(self, document: dict[str, Any]) -> bool:
        return self.query.filter is None or filters.match(self.query.filter, document)

    def _place(self, seq: int, document: dict[str, Any]) -> Place:
        missing, value = (True, None) if self.query.order is None else sorting.key(self.query.order, document)
        return Place(missing, None if missing else value, self.kind, seq)


def listed(work: Work, rows: Sequence[Rows], query: Query) -> Listed:
    """The page that a question asks for, of a list over the types in `rows`."""
    descending = any(one.query.descending for one in rows)
    if query.cursor is not None:
        return _walked(work, rows, query.cursor, descending)
    if len(rows) == 1:
        page = rows[0].page(work, query.span)
        return Listed(page.total, rows[0].shown(page.seqs, page.rows), page.last)
    ordered = any(one.query.order for one in rows)
    total, places = _ranked(work, rows, query, descending) if ordered else _in_turn(work, rows, query.span)
    return Listed(total, _shown(rows, places))


def _walked(work: Work, rows: Sequence[Rows], cursor: Cursor, descending: bool) -> Listed:
    """A page of a walk. One row more is asked for: it tells whether the walk goes on."""
    total = sum(one.total(work) for one in rows)
    if cursor.count == 0:
        return Listed(total, [])
    step = Step(cursor.place, cursor.forward, cursor.count + 1, descending)
    found = _beyond(work, rows, step)
    goes_on = len(found) > cursor.count
    page = found[: cursor.count] if cursor.forward else found[goes_on:]
    if not page:
        start = Cursor(cursor.count) if total and not cursor.forward else None
        return Listed(total, [], next=start)
    first, last = page[0], page[-1]
    after = goes_on if cursor.forward else _any_beyond(work, rows, Step(last, True, 1, descending))
    is_first = cursor.forward and cursor.place is None
    before = not is_first and (
        goes_on if not cursor.forward else _any_beyond(work, rows, Step(first, False, 1, descending))
    )
    return Listed(
        total,
        _shown(rows, page),
        next=Cursor(cursor.count, last) if after else None,
        previous=Cursor(cursor.count, first, forward=False) if before else None,
    )


def _any_beyond(work: Work, rows: Sequence[Rows], step: Step) -> bool:
    return bool(_beyond(work, rows, step))


def _beyond(work: Work, rows: Sequence[Rows], step: Step) -> list[Place]:
    """Where a step leads in a list over several types: type by type, or merged where there is an order."""
    if any(one.query.order for one in rows):
        merged = _in_order([place for one in rows for place in one.beyond(work, step)], step.descending)
        return merged[: step.many] if step.forward else merged[max(len(merged) - step.many, 0) :]
    found: list[Place] = []
    for one in rows if step.forward else reversed(rows):
        if len(found) < step.many:
            more = one.beyond(work, Step(step.place, step.forward, step.many - len(found), step.descending))
            found = [*found, *more] if step.forward else [*more, *found]
    return found


def _in_turn(work: Work, rows: Sequence[Rows], span: Span) -> tuple[int, list[Place]]:
    """A page of a list without an order: the types follow each other."""
    total = 0
    places: list[Place] = []
    for one in rows:
        skipped = max(span.start - 1 - total, 0)
        page = one.page(work, Span(skipped + 1, span.count - len(places)))
        places += [Place(True, None, one.kind, seq) for seq in page.seqs]
        total += page.total
    return total, places


def _ranked(work: Work, rows: Sequence[Rows], query: Query, descending: bool) -> tuple[int, list[Place]]:
    """A page of an ordered list over several types. Raises TooMany for one too deep to be merged; a cursor is not."""
    span = query.span
    total = sum(one.total(work) for one in rows)
    deep = min(span.start - 1 + span.count, total)
    if not span.count or span.start > total:
        return total, []
    if deep > query.scan_limit:
        raise errors.TooMany(
            f"A sorted list over all types is numbered as far as {query.scan_limit}. Add a filter, or use a cursor."
        )
    found = _beyond(work, rows, Step(None, True, deep, descending))
    return total, found[span.start - 1 :]


def _shown(rows: Sequence[Rows], places: Sequence[Place]) -> list[dict[str, Any]]:
    documents: dict[tuple[int, int], dict[str, Any]] = {}
    for one in rows:
        seqs = [place.seq for place in places if place.kind == one.kind]
        documents.update(zip([(one.kind, seq) for seq in seqs], one.shown(seqs, None) if seqs else [], strict=True))
    return [documents[place.kind, place.seq] for place in places]


def _in_order(places: Iterable[Place], descending: bool) -> list[Place]:
    """By value, who is equal type by type in the order of making, whichever direction the values have."""
    by_making = sorted(places, key=lambda one: (one.kind, one.seq))
    return sorted(by_making, key=_rank, reverse=descending)


def _is_beyond(one: Place, place: Place, step: Step) -> bool:
    """Whether a place lies on the way of a step that begins at another."""
    if _rank(one) != _rank(place):
        return (_rank(one) > _rank(place)) == step.upwards
    is_later = (one.kind, one.seq) > (place.kind, place.seq)
    return is_later if step.forward else (one.kind, one.seq) < (place.kind, place.seq)


def _rank(place: Place) -> tuple[bool, Any]:
    return (place.missing, 0 if place.missing else place.value)


def _attributes(node: filters.Node | None) -> set[str]:
    if node is None:
        return set()
    if isinstance(node, filters.And | filters.Or):
        return {name for term in node.terms for name in _attributes(term)}
    if isinstance(node, filters.Not):
        return _attributes(node.term)
    return {_top(node.path)}


def _top(path: filters.AttributePath) -> str:
    core = path.schema in {schema.USER_URN, schema.GROUP_URN, ""}
    return path.attribute.name if core and path.attribute is not None else path.schema
