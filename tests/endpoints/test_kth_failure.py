"""An exception at the k-th statement of every write route leaves all or nothing (reliability.md V2, G1, M5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.licensing import catalog, contracts, rules
from tests.rows import everything
from tests.service import CORE, GROUP, PATCH, Answer, Cast

MOST_STATEMENTS = 200


class Injected(RuntimeError):
    """The fault; its text must reach nobody."""


@pytest.fixture
def ids(cast: Cast) -> dict[str, str]:
    """Two seats, three people in Sales, so that every change moves a seat or a place in the queue."""
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro", exit_grace=timedelta(0))
        contracts.create(work, "C-1", {"pro": 2})
        rules.create(work, "Sales", "pro")
    people = {name: cast.acme.user(f"{name}@example.com", title="T")["id"] for name in ("ann", "ben", "cid", "dan")}
    inner = cast.acme.group("Inner", people["dan"])["id"]
    sales = cast.acme.group("Sales", people["ann"], people["ben"], people["cid"])["id"]
    return {**people, "inner": inner, "sales": sales}


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


REQUESTS: dict[str, Callable[[dict[str, str]], tuple[str, str, Any]]] = {
    "POST a user": lambda ids: (
        "POST",
        "/Users",
        {"schemas": [CORE], "userName": "new@example.com", "externalId": "n", "emails": [{"value": "new@example.com"}]},
    ),
    "PUT a user": lambda ids: (
        "PUT",
        f"/Users/{ids['ann']}",
        {"schemas": [CORE], "userName": "renamed", "active": False},
    ),
    "PATCH a user": lambda ids: (
        "PATCH",
        f"/Users/{ids['ann']}",
        patched({"op": "replace", "value": {"active": False, "title": "U", "externalId": "a"}}),
    ),
    "DELETE a user": lambda ids: ("DELETE", f"/Users/{ids['ann']}", None),
    "POST a group": lambda ids: (
        "POST",
        "/Groups",
        {
            "schemas": [GROUP],
            "displayName": "New",
            "externalId": "g",
            "members": [{"value": ids["ann"]}, {"value": "nobody"}],
        },
    ),
    "PUT a group": lambda ids: (
        "PUT",
        f"/Groups/{ids['sales']}",
        {"schemas": [GROUP], "displayName": "Sales 2", "members": [{"value": ids["cid"]}, {"value": ids["dan"]}]},
    ),
    "PATCH a group": lambda ids: (
        "PATCH",
        f"/Groups/{ids['sales']}",
        patched(
            {"op": "remove", "path": f'members[value eq "{ids["ann"]}"]'},
            {"op": "add", "path": "members", "value": [{"value": ids["dan"]}, {"value": ids["inner"]}]},
        ),
    ),
    "DELETE a group": lambda ids: ("DELETE", f"/Groups/{ids['sales']}", None),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_failure_at_any_statement_leaves_nothing_behind(cast: Cast, ids: dict[str, str], name: str) -> None:
    method, path, body = REQUESTS[name](ids)
    before = everything(cast.store)
    for k in range(1, MOST_STATEMENTS):
        answer, reached = with_fault(cast, k, method, path, body)
        if not reached:
            break
        assert (answer.status, answer.body["status"]) == (500, "500"), (k, answer.text)
        assert "canary" not in answer.text
        assert everything(cast.store) == before, k
    assert answer.status in {200, 201, 204}, answer.text
    assert k > 5
    assert everything(cast.store) != before


def with_fault(cast: Cast, k: int, method: str, path: str, body: Any) -> tuple[Answer, bool]:
    """The answer when the k-th statement of the writing transaction raises, and whether there was a k-th."""
    count = 0

    def fail(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == k:
            raise Injected("inside-canary")

    with listening(cast.store.database.writes, fail):
        answer = cast.acme.send(method, path, body)
    return answer, count >= k


@contextmanager
def listening(engine: Any, fail: Callable[..., None]) -> Iterator[None]:
    sa.event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", fail)
