"""Lists: which resources a question means, counted truly, and one page of them in order (RFC 7644 section 3.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scim_service.protocol import filters, schema, sorting
from scim_service.storage import paging
from scim_service.storage.paging import Source, Span
from scim_service.storage.work import Work

Documents = Callable[[Sequence[int]], list[tuple[int, dict[str, Any]]]]
"""Gives (seq, full document) of some rows."""


@dataclass(frozen=True)
class Query:
    """What is asked of a list: a filter or None, an order or None, which part of it, and how far a scan may go."""

    filter: filters.Node | None
    order: sorting.Order | None
    span: Span
    scan_limit: int

    @property
    def asked(self) -> set[str]:
        """The top-level names that the filter and the order ask about: attributes, and URNs of extensions."""
        ordered = {_top(self.order.path)} if self.order else set()
        return _attributes(self.filter) | ordered


@dataclass(frozen=True)
class Listed:
    """A page as it is shown, how many there are in all, and the last row of the page (None for an empty one)."""

    total: int
    documents: list[dict[str, Any]]
    last: int | None


def page(work: Work, source: Source | None, scanned: Source, query: Query, documents: Documents) -> paging.Page:
    """The page that `query` asks for, from `source` where SQL can tell it all, else by looking at documents.

    `scanned` holds the rows that SQL can narrow it to. Raises TooMany when more than `query.scan_limit` documents would
    have to be read (decision 17).
    """
    if source is not None and source.planned.plan.lowered.exact:
        return paging.exact(work, source, query.span)
    found: list[tuple[Any, int]] = []
    for batch in paging.batches(work, scanned, query.scan_limit):
        found += [(_place(query, seq, one), seq) for seq, one in documents(batch) if _is_meant(query, one)]
    found.sort(key=lambda one: one[0], reverse=query.order is not None and query.order.descending)
    first = query.span.start - 1
    return paging.Page(len(found), [seq for _, seq in found[first : first + query.span.count]])


def _is_meant(query: Query, document: dict[str, Any]) -> bool:
    return query.filter is None or filters.match(query.filter, document)


def _place(query: Query, seq: int, document: dict[str, Any]) -> Any:
    return seq if query.order is None else sorting.key(query.order, document)


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
