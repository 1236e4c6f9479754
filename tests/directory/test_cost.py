"""What a change of members costs does not depend on how many there are (issue: at most 1.15 times at 10,000).

The number of statements and the rows that they read are compared always; times are measured in turns, as a ratio of one
run, by `benchmarks/members.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from scim_service.storage import tables
from tests import service
from tests.service import Cast

MANY = 2_000


@contextmanager
def statements(cast: Cast) -> Iterator[list[tuple[str, int]]]:
    """(SQL, rows that came back or were changed) of everything that runs on the writing engine meanwhile."""
    seen: list[tuple[str, int]] = []

    def note(_connection: Any, cursor: Any, sql: str, _parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((sql, cursor.rowcount if cursor.description is None else 0))

    engine = cast.store.database.writes
    sa.event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "after_cursor_execute", note)


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
