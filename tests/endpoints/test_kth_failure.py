"""A fault at the k-th statement of every write route leaves all or nothing (reliability.md V2, G1, M5).

The faults: this program crashes, at each k and at the commit; the connection to the database is lost, at every fifth k
(at each with SCIM_TEST_PROVE=1). In the end the same request goes through as if nothing had been.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.licensing import catalog, contracts, rules
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests.conftest import Count
from tests.races import soundness
from tests.rows import everything
from tests.service import CORE, GROUP, PATCH, Answer, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
EVERY = 5
MOST_STATEMENTS = 200
CANARY = "inside-canary"
INSIDE = (CANARY, "Traceback", "sqlalchemy", "psycopg", "sqlite", "SELECT", "INSERT", "UPDATE", "DELETE", "statement")
"""What an answer must not tell: the fault's own text, the libraries, the SQL."""

NOTED = {"last_error_at", "last_error"}
"""What the door notes of a connection beside a request that was refused with 503."""


class Injected(RuntimeError):
    """The fault; its text must reach nobody."""


@pytest.fixture
def ids(cast: Cast) -> dict[str, str]:
    """Two seats of pro for five people in Sales and a group inside it, so that every change moves a seat or a place.

    `Later` has a rule and no group yet; fay is inactive, eve is in Sales through Team only.
    """
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro", exit_grace=timedelta(0))
        catalog.create_type(work, "basic", "Basic", exit_grace=timedelta(hours=1))
        contracts.create(work, "C-1", {"pro": 2, "basic": 1})
        for group, code in {"Sales": "pro", "Later": "basic"}.items():
            rules.create(work, group, code)
    names = ("ann", "ben", "cid", "dan", "eve", "fay")
    people = {name: cast.acme.user(f"{name}@example.com", title="T", active=name != "fay")["id"] for name in names}
    inner = cast.acme.group("Inner", people["dan"])["id"]
    team = cast.acme.group("Team", people["eve"])["id"]
    of_sales = [people[name] for name in ("ann", "ben", "cid", "fay")]
    return {**people, "inner": inner, "team": team, "sales": cast.acme.group("Sales", *of_sales, team)["id"]}


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
    "PATCH a user who comes back": lambda ids: (
        "PATCH",
        f"/Users/{ids['fay']}",
        patched({"op": "replace", "path": "active", "value": True}),
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
    "POST a group that a rule waits for": lambda ids: (
        "POST",
        "/Groups",
        {"schemas": [GROUP], "displayName": "later", "members": [{"value": ids["dan"]}, {"value": ids["team"]}]},
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
    "PATCH a group to the name that a rule waits for": lambda ids: (
        "PATCH",
        f"/Groups/{ids['inner']}",
        patched({"op": "replace", "path": "displayName", "value": "Later"}),
    ),
    "DELETE a group": lambda ids: ("DELETE", f"/Groups/{ids['sales']}", None),
    "DELETE a group in a group": lambda ids: ("DELETE", f"/Groups/{ids['team']}", None),
}


def crash(_: sa.Connection) -> None:
    """A defect of this program."""
    raise Injected(CANARY)


def lose(connection: sa.Connection) -> None:
    """The database goes away: what follows on this connection fails as the driver fails."""
    driver: Any = connection.connection.driver_connection
    driver.close()


@pytest.mark.proof
@pytest.mark.parametrize("name", REQUESTS)
def test_a_fault_at_any_statement_or_at_the_commit_leaves_nothing_behind(
    cast: Cast, ids: dict[str, str], count: Count, name: str
) -> None:
    request = REQUESTS[name](ids)
    before = contents(cast.store)

    def fails(event: str, k: int, harm: Callable[[sa.Connection], None], statuses: set[int]) -> bool:
        answer, reached = with_fault(cast, event, k, harm, request)
        if reached:
            assert_failed(answer, statuses, f"{event} {k}")
            assert contents(cast.store) == before, (event, k)
            count("{:,} faults at a statement or a commit")
        else:
            assert_done(cast, answer, before)
        return reached

    assert fails("commit", 1, crash, {500})
    for k in range(1, MOST_STATEMENTS):
        if not fails("before_cursor_execute", k, crash, {500}):
            break
        if k % EVERY == 1 or PROVE:
            assert fails("before_cursor_execute", k, lose, {500, 503})
    assert 2 < k < MOST_STATEMENTS - 1


def assert_failed(answer: Answer, statuses: set[int], where: str) -> None:
    """A SCIM error of one of these statuses, which tells nothing about the inside."""
    assert answer.status in statuses, (where, answer.text)
    assert answer.body["status"] == str(answer.status)
    assert answer.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert answer.headers["Content-Type"].startswith("application/scim+json")
    assert [word for word in INSIDE if word in answer.text] == [], where


def assert_done(cast: Cast, answer: Answer, before: dict[str, list[str]]) -> None:
    """The same request without a fault: it is done, and seats, counts and flags are as they must be."""
    assert answer.status in {200, 201, 204}, answer.text
    assert contents(cast.store) != before
    with cast.reading() as work:
        assert soundness.faults(work) == []


def contents(store: Store) -> dict[str, list[str]]:
    """Every row of every table, the connections too, but for the last error that the door notes there."""
    table = tables.access.connections
    columns = [column for column in table.c if column.name not in NOTED]
    with store.database.reads.connect() as connection:
        rows = connection.execute(sa.select(*columns).execution_options(across_tenants=True)).all()
    return {**everything(store), table.name: sorted(str(tuple(row)) for row in rows)}


def with_fault(
    cast: Cast, event: str, k: int, harm: Callable[[sa.Connection], None], request: tuple[str, str, Any]
) -> tuple[Answer, bool]:
    """The answer when the k-th event on the writing engine does harm, and whether there was a k-th."""
    count = 0

    def fail(connection: sa.Connection, *_: Any) -> None:
        nonlocal count
        count += 1
        if count == k:
            harm(connection)

    with listening(cast.store.database.writes, event, fail):
        answer = cast.acme.send(*request)
    return answer, count >= k


@contextmanager
def listening(engine: Any, event: str, fail: Callable[..., None]) -> Iterator[None]:
    sa.event.listen(engine, event, fail)
    try:
        yield
    finally:
        sa.event.remove(engine, event, fail)
