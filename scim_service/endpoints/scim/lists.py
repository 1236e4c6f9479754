"""Lists over HTTP: what a GET or a POST to `/.search` asks, and the answer, by number or by cursor.

RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865. A list is over one resource type, or over all of them: the root.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta

import orjson
from flask import Response, request

from scim_service import errors
from scim_service.directory import groups, listing, users
from scim_service.directory.documents import View
from scim_service.directory.listing import Listed, Query, Rows
from scim_service.endpoints import door, service
from scim_service.endpoints.scim import answers, requests
from scim_service.protocol import cursors, limits, messages, rendering, searching
from scim_service.protocol.cursors import Cursor
from scim_service.protocol.schema import GROUP, USER, ResourceType
from scim_service.protocol.searching import Search
from scim_service.storage.paging import Span
from scim_service.storage.work import Work

ROWS: Mapping[str, Callable[[Work, Query, View, int], Rows]] = {USER.name: users.rows, GROUP.name: groups.rows}


def asked() -> Search:
    """The question in the address of a GET."""
    return searching.of_query(requests.one)


def sent() -> Search:
    """The question in the body of a POST. Raises InvalidValue for parameters in its address, which would be lost."""
    misplaced = [name for name in searching.FIELDS if name in request.args]
    if misplaced:
        raise errors.InvalidValue(f"Send {', '.join(misplaced)} in the body; this address takes no parameters.")
    return searching.of_body(requests.message(limits.USER_BODY_BYTES, limits.USER_VALUES))


def answer(search: Search, *types: ResourceType) -> Response:
    """A page of a list over these types, in this order."""
    asked_for, wanted = _queries(search, types), [_view(search, one) for one in types]
    with door.reading() as work:
        parts = [
            ROWS[one.name](work, query, view, kind)
            for kind, (one, query, view) in enumerate(zip(types, asked_for, wanted, strict=True))
            if query is not None
        ]
        found = listing.listed(work, parts, _paged(search, types))
    if search.cursor is not None:
        return _walked(search, types, found)
    return _numbered(search, types, found)


def _queries(search: Search, types: tuple[ResourceType, ...]) -> list[Query | None]:
    """What is asked of each type; None where its resources cannot be meant."""
    page = _paged(search, types)
    if len(types) == 1:
        filter_, order = searching.filter_of(search, types[0]), searching.order_of(search, types[0])
        return [Query(filter_, order, page.span, page.scan_limit, page.cursor)]
    meant, orders = searching.filters_at_root(search, types), searching.orders_at_root(search, types)
    return [
        None if one is False else Query(None if one is True else one, order, page.span, page.scan_limit, page.cursor)
        for one, order in zip(meant, orders, strict=True)
    ]


def _paged(search: Search, types: tuple[ResourceType, ...]) -> Query:
    """Which part of the list is asked for."""
    start, scan_limit = search.start_index, service.current().settings.scan_limit
    if search.cursor is not None:
        return Query(None, None, Span(start, 0), scan_limit, _cursor(search, types))
    is_walked = len(types) == 1 and search.sort_by is None
    after = service.current().bookmarks.find(_walk(search, types), start) if is_walked else None
    return Query(None, None, Span(start, search.count, after), scan_limit)


def _cursor(search: Search, types: tuple[ResourceType, ...]) -> Cursor:
    """The cursor that was sent; an empty one is the beginning."""
    parts, count = service.current(), search.count
    if not search.cursor:
        return Cursor(count)
    lifetime = timedelta(seconds=parts.settings.cursor_timeout)
    found = cursors.read(_key(), _question(search, types), search.cursor, parts.store.clock.now(), lifetime)
    cursors.expect_count(found, count)
    return found


def _walked(search: Search, types: tuple[ResourceType, ...], found: Listed) -> Response:
    """A page by cursor, with those of the pages beside it."""
    now, question = service.current().store.clock.now(), _question(search, types)
    beside = [
        None if one is None else cursors.write(_key(), question, one, now) for one in (found.next, found.previous)
    ]
    return answers.document(messages.cursor_response(found.documents, found.total, *beside))


def _numbered(search: Search, types: tuple[ResourceType, ...], found: Listed) -> Response:
    """A page by number; where a walk goes on is remembered for the next request."""
    start = search.start_index
    if search.sort_by is None and len(types) == 1 and found.last is not None:
        service.current().bookmarks.put(_walk(search, types), start + len(found.documents), found.last)
    return answers.document(messages.list_response(found.documents, found.total, start))


def _walk(search: Search, types: tuple[ResourceType, ...]) -> Hashable:
    """Whose walk through what: bookmarks of one question never serve another."""
    return (*_whose(), types[0].name, search.filter)


def _question(search: Search, types: tuple[ResourceType, ...]) -> str:
    """What a cursor is bound to: who asks, and everything that is asked but for the page."""
    return orjson.dumps([*_whose(), *(one.name for one in types), *search.question]).decode()


def _whose() -> tuple[int, int]:
    return door.caller().tenant_id, door.caller().connection_seq


def _key() -> str:
    return service.current().settings.secret_key or ""


def _view(search: Search, resource_type: ResourceType) -> View:
    projection = rendering.Projection.parse(resource_type, search.attributes, search.excluded)
    return View(requests.base(), projection)
