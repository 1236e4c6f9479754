"""What a change costs does not depend on how many members there are, nor on how much has happened before.

For members: at most 1.15 times at 10,000. The number of statements and the rows that they read are compared always;
times are measured in turns, as a ratio of one run, by `benchmarks/members.py`.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit
from scim_service.storage import tables
from tests import service
from tests.service import Cast

MANY = 2_000


@contextmanager
def statements(cast: Cast) -> Iterator[list[tuple[str, int]]]:
    """(SQL, rows that came back or were changed) of everything that runs on the writing engine meanwhile."""
    seen: list[tuple[str, int]] = []

    def note(_connection: Any, cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((sql, answered(cursor, sql, parameters) if sql.startswith("SELECT") else cursor.rowcount))

    engine = cast.store.database.writes
    sa.event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "after_cursor_execute", note)


def answered(cursor: Any, sql: str, parameters: Any) -> int:
    """How many rows a question has, asked beside it."""
    counting = cursor.connection.cursor()
    counting.execute(f"SELECT count(*) FROM ({sql}) AS asked", parameters)
    found = int(counting.fetchone()[0])
    counting.close()
    return found


def test_a_write_of_a_second_connection_reads_no_more_after_a_long_history_than_after_a_short_one(store: Any) -> None:
    """Adoption is the first write only (decision 1); what happened since is not read to find it."""
    cast = service.assemble(store)
    okta, taken = cast.as_("okta"), {}
    for name, events in (("short", 0), ("long", MANY)):
        user = okta.user(f"{name}@example.com")["id"]
        assert cast.acme.patch(f"/Users/{user}", title("first")).status == 200
        with cast.writing() as work:
            audit.record_many(work, [("user:changed", user, {"attributes": ["title"]})] * events)
        with statements(cast) as seen:
            assert cast.acme.patch(f"/Users/{user}", title("second")).status == 200
        taken[name] = [(sql, rows) for sql, rows in seen if sql.startswith("SELECT")]
        with cast.reading() as work:
            told = [one.actor for one in audit.about(work, user) if one.action == "user:adopted"]
        assert told == ["connection:rfc"]
    assert len(taken["long"]) == {"sqlite": 3, "postgresql": 2}[store.database.dialect]
    assert taken["long"] == taken["short"]


def test_the_index_of_adoptions_alone_says_whether_there_was_one(store: Any) -> None:
    cast = service.assemble(store)
    plans: list[str] = []

    def note(_connection: Any, cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        if sql.startswith("SELECT") and "'user:adopted'" in sql:
            plans.append(planned(cursor, sql, parameters))

    user = cast.as_("okta").user("alice@example.com")["id"]
    sa.event.listen(store.database.writes, "after_cursor_execute", note)
    assert cast.acme.patch(f"/Users/{user}", title("first")).status == 200
    assert cast.acme.patch(f"/Users/{user}", title("second")).status == 200
    assert len(plans) == 2
    for plan in plans:
        assert re.search(r"USING INDEX ix_audit_adoptions|Index (Only )?Scan using ix_audit_adoptions", plan)
        assert "Filter" not in plan


def planned(cursor: Any, sql: str, parameters: Any) -> str:
    """How the database goes about a question, where a table of a few rows is no reason to read all of it."""
    asking = cursor.connection.cursor()
    is_sqlite = isinstance(cursor, sqlite3.Cursor)
    if not is_sqlite:
        asking.execute("SET LOCAL enable_seqscan = off")
    asking.execute(f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {sql}", parameters)
    found = "\n".join(str(row) for row in asking.fetchall())
    asking.close()
    return found


def title(text: str) -> dict[str, Any]:
    return {"op": "replace", "path": "title", "value": text}


def test_one_member_more_is_the_same_statements_in_a_large_group_as_in_an_empty_one(store: Any) -> None:
    cast = service.assemble(store)
    newcomer = cast.acme.user("new@example.com")["id"]
    small, large = cast.acme.group("Small")["id"], cast.acme.group("Large")["id"]
    fill(cast, large)
    add = {"op": "add", "path": "members", "value": [{"value": newcomer}]}
    taken = {}
    for name, group in (("small", small), ("large", large)):
        with statements(cast) as seen:
            assert cast.acme.patch(f"/Groups/{group}", add).status in {200, 204}
        taken[name] = [one for one in seen if "memberships.seq" not in one[0]]
    assert [sql for sql, _ in taken["large"]] == [sql for sql, _ in taken["small"]][: len(taken["large"])]
    assert sum(rows for _, rows in taken["large"]) <= sum(rows for _, rows in taken["small"])


@contextmanager
def asked(cast: Cast) -> Iterator[list[str]]:
    """The SQL of every statement that is run meanwhile: on PostgreSQL each is a round trip."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, _parameters: Any, _context: Any, _many: bool) -> None:
        seen.append(sql)

    database = cast.store.database
    engines = (database.reads, database.writes)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


MOST = {"create": (5, 8), "read": (2, 2), "find": (2, 2), "element": (2, 2), "leave": (4, 7), "come back": (3, 5)}
"""How many statements each may be on PostgreSQL and on SQLite, the look at the credential included; without letters."""


def test_what_identity_providers_do_most_is_few_statements(store: Any, kind: str) -> None:
    cast = service.assemble(store)
    acme = cast.acme
    alice = acme.user("alice@example.com", emails=[{"value": "alice@example.com", "type": "work"}])["id"]
    place, other = f"/Users/{alice}", f"/Users/{acme.user('carol@example.com')['id']}"
    requests: dict[str, Any] = {
        "create": lambda: acme.user("bob@example.com", title="Clerk", externalId="b"),
        "read": lambda: acme.get(place),
        "find": lambda: acme.get("/Users", filter='userName eq "alice@example.com"'),
        "element": lambda: acme.get("/Users", filter='emails[type eq "work"].value eq "alice@example.com"'),
        "leave": lambda: acme.patch(other, {"op": "replace", "path": "active", "value": False}),
        "come back": lambda: acme.patch(other, {"op": "replace", "path": "active", "value": True}),
    }
    acme.get(place)
    for name, request in requests.items():
        with asked(cast) as seen:
            request()
        assert len(seen) <= MOST[name][kind == "sqlite"], (name, "\n".join(seen))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_members_are_looked_up_by_id_however_many_people_there_are(store: Any) -> None:
    """SQLite counts its steps; asked for an order it once walked everybody."""
    cast = service.assemble(store)
    ids = [cast.acme.user(f"joiner{number}@example.com")["id"] for number in range(40)]
    steps = {}
    for name in ("few", "many"):
        counted = [0]

        def count(counted: list[int] = counted) -> int:
            counted[0] += 1
            return 0

        group = cast.acme.group(name)["id"]
        add = {"op": "add", "path": "members", "value": [{"value": one} for one in ids]}
        with cast.store.database.writes.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 100)
        assert cast.acme.patch(f"/Groups/{group}", add).status in {200, 204}
        with cast.store.database.writes.connect() as connection:
            driver = connection.connection.driver_connection
            driver.set_progress_handler(None, 0)
        steps[name] = counted[0]
        if name == "few":
            fill(cast, cast.acme.group("Large")["id"])
    assert 0 < steps["many"] <= 1.2 * steps["few"]


def fill(cast: Cast, group_id: str) -> None:
    """Put many people into a group, straight into the tables."""
    now = cast.store.clock.now()
    with cast.writing() as work:
        group = work.value(
            sa.select(tables.directory.groups.c.seq).where(
                tables.directory.groups.c.tenant_id == sa.bindparam("tenant"), tables.directory.groups.c.id == group_id
            )
        )
        rows = [
            {
                "seq": 10_000 + number,
                "id": str(uuid.uuid4()),
                "user_name_key": f"m{number}@example.com",
                "display": f"M {number}",
                "active": True,
                "version": 1,
                "created_at": now,
                "modified_at": now,
                "document": '{"userName":"m","active":true}',
            }
            for number in range(MANY)
        ]
        work.insert(tables.directory.users, rows)
        work.insert(tables.directory.memberships, [{"group_seq": group, "user_seq": row["seq"]} for row in rows])
        work.execute(
            sa.update(tables.directory.groups)
            .where(
                tables.directory.groups.c.tenant_id == sa.bindparam("tenant"), tables.directory.groups.c.seq == group
            )
            .values(member_count=MANY)
        )
