"""Lists: which resources a filter means, counted truly, and one page of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scim_service.protocol import filters, schema
from scim_service.storage import filter_sql, paging
from scim_service.storage.work import Work


@dataclass(frozen=True)
class Query:
    """What is asked of a list: a filter or None, the first place (from 1), how many, and how far a scan may go."""

    filter: filters.Node | None
    start: int
    count: int
    scan_limit: int


def attributes(node: filters.Node | None) -> set[str]:
    """The top-level names that a filter asks about: attributes, and URNs of extensions."""
    if node is None:
        return set()
    if isinstance(node, filters.And | filters.Or):
        return {name for term in node.terms for name in attributes(term)}
    if isinstance(node, filters.Not):
        return attributes(node.term)
    path = node.path
    core = path.schema in {schema.USER_URN, schema.GROUP_URN, ""}
    return {path.attribute.name} if core and path.attribute is not None else {path.schema}


def page(
    work: Work,
    table: Any,
    resource_type: schema.ResourceType,
    lowered: filter_sql.Lowered | None,
    query: Query,
    documents: Callable[[Sequence[int]], list[tuple[int, dict[str, Any]]]],
) -> paging.Page:
    """The page that `query` asks for; `documents` gives the full documents of some seqs where SQL is not enough.

    Raises TooMany when a filter would have to read more than `query.scan_limit` documents (decision 17).
    """
    if lowered is None or lowered.exact:
        condition = None if lowered is None else lowered.condition
        return paging.exact(work, table, resource_type.name, condition, query.start, query.count)
    node = query.filter
    assert node is not None

    def matches(seqs: Sequence[int]) -> list[int]:
        return [seq for seq, document in documents(seqs) if filters.match(node, document)]

    return paging.scanned(work, table, lowered.condition, (query.start, query.count), matches, query.scan_limit)
