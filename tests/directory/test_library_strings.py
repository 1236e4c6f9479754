"""The library's known faults again, asked of both databases: what SQL finds is what the strings mean."""

from __future__ import annotations

from scim_service.directory import users
from scim_service.directory.documents import View
from scim_service.directory.listing import Query
from scim_service.protocol import filters, rendering, schema
from scim_service.storage.paging import Span
from scim_service.storage.store import Store
from scim_service.storage.work import Actor
from tests import service
from tests.protocol.test_library_strings import ANN, MEANT, L


def test_what_sql_finds_for_each_string_is_who_meets_it(store: Store) -> None:
    cast = service.assemble(store)
    view = View("https://x.example/scim/v2", rendering.Projection.parse(schema.USER, None, None))
    with store.writing(cast.acme_id, Actor("connection", "rfc", 1)) as work:
        users.create(work, {name: value for name, value in ANN.items() if name not in {"id", "meta", L}})
        users.create(work, {"userName": "Ben", "active": False, "emails": [{"value": "w", "type": "home"}]})
        users.create(work, {"userName": "été", "title": "50Ax"})
        everybody = users.page(work, Query(None, None, Span(1, 10), 1000), view).documents
        assert len(everybody) == 3
        for number, (text, _) in MEANT.items():
            node = filters.parse(text, schema.USER)
            found = users.page(work, Query(node, None, Span(1, 10), 1000), view)
            expected = [one["userName"] for one in everybody if filters.match(node, one)]
            assert [one["userName"] for one in found.documents] == expected, number
            assert found.total == len(expected), number
