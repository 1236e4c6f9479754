"""Prepared statements come to what Core comes to: the same rows, the same keys, the same errors."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import sqlalchemy.exc as sx

from scim_service.access import tenants
from scim_service.storage import guard, prepared, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

USERS = tables.directory.users
MINE = USERS.c.tenant_id == sa.bindparam("tenant")
COLUMNS = (USERS.c.seq, USERS.c.active, USERS.c.created_at, USERS.c.display)
BY_SEQS = sa.select(*COLUMNS).where(MINE, USERS.c.seq.in_(sa.bindparam("seqs", expanding=True))).order_by(USERS.c.seq)
RENAME = (
    sa.update(USERS)
    .where(MINE, USERS.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .values(display=sa.bindparam("new"), active=False)
)


def person(work: Work, number: int) -> dict[str, object]:
    return {
        "id": f"id-{number}",
        "user_name_key": f"person{number}",
        "display": f"Person {number} 100% %(sure)s ?",
        "active": bool(number % 2),
        "version": 1,
        "created_at": work.now,
        "modified_at": work.now,
        "document": "{}",
    }


def filled(store: Store, count: int) -> int:
    """A tenant with people, inserted in one go; its id."""
    with store.writing(EVERY_TENANT, Actor("test")) as work:
        tenant = tenants.create(work, "acme", "Acme").id
        work.insert(USERS, [person(work, number) for number in range(count)])
    return tenant


@pytest.mark.parametrize("length", [0, 1, 2, 8, 9, 16, 100, prepared.LENGTHS[-1] + 1])
def test_rows_are_those_that_core_gives(store: Store, length: int) -> None:
    tenant = filled(store, prepared.LENGTHS[-1] + 5)
    with store.reading(tenant, Actor("test")) as work:
        seqs = [row.seq for row in work.rows(sa.select(USERS.c.seq).where(MINE).order_by(USERS.c.seq))][:length]
        values = {"tenant": tenant, "seqs": seqs}
        expected = work.connection.execute(BY_SEQS, values).all()
        for _ in range(2):
            found = work.rows(BY_SEQS, seqs=seqs)
            assert [tuple(row) for row in found] == [tuple(row) for row in expected]
            assert [dict(row._mapping) for row in found] == [dict(row._mapping) for row in expected]
            assert all(isinstance(row.active, bool) and row.created_at == work.now for row in found)


def test_a_list_that_a_statement_was_written_with_means_what_it_says(store: Store) -> None:
    tenant = filled(store, 5)
    asked = {
        "some": (USERS.c.user_name_key.in_(["person0", "person3", "nobody"]), ["person0", "person3"]),
        "others": (USERS.c.user_name_key.not_in(["person0", "person3"]), ["person1", "person2", "person4"]),
        "none": (USERS.c.user_name_key.in_([]), []),
        "all but none": (USERS.c.user_name_key.not_in([]), ["person0", "person1", "person2", "person3", "person4"]),
        "numbers": (
            sa.and_(USERS.c.version.in_([1, 2]), USERS.c.seq.in_(sa.bindparam("seqs", expanding=True))),
            ["person1"],
        ),
    }
    with store.reading(tenant, Actor("test")) as work:
        known = {row.user_name_key: row.seq for row in work.rows(sa.select(USERS).where(MINE))}
        for name, (condition, wanted) in asked.items():
            statement = sa.select(USERS.c.user_name_key).where(MINE, condition).order_by(USERS.c.seq)
            values = {"seqs": [known["person1"]]} if name == "numbers" else {}
            assert [row.user_name_key for row in work.rows(statement, **values)] == wanted, name


def test_many_rows_are_inserted_in_order_with_their_own_values(store: Store) -> None:
    tenant = filled(store, 40)
    with store.reading(tenant, Actor("test")) as work:
        rows = work.rows(sa.select(USERS.c.id, USERS.c.display).where(MINE).order_by(USERS.c.seq))
    assert [tuple(row) for row in rows] == [
        (f"id-{number}", f"Person {number} 100% %(sure)s ?") for number in range(40)
    ]


def test_one_row_more_tells_its_key(store: Store) -> None:
    tenant = filled(store, 2)
    with store.writing(tenant, Actor("test")) as work:
        key = work.insert_one(USERS, **person(work, 7))
        assert [row.seq for row in work.rows(BY_SEQS, seqs=[key])] == [key]


def test_a_change_tells_how_many_rows_it_touched(store: Store) -> None:
    tenant = filled(store, 3)
    with store.writing(tenant, Actor("test")) as work:
        seqs = [row.seq for row in work.rows(sa.select(USERS.c.seq).where(MINE))]
        assert work.execute(RENAME, seqs=[*seqs[:2], 10**9], new="Other").rowcount == 2
        assert work.execute(sa.update(USERS).where(MINE).values(active=True)).rowcount == 3


def test_a_broken_key_raises_what_core_raises(store: Store) -> None:
    tenant = filled(store, 1)
    for many in (1, 2):
        with store.database.writes.connect() as connection, connection.begin() as open_one:
            work = Work(connection, tenant, Actor("test"), store.clock.now())
            with pytest.raises(sx.IntegrityError, match="user_name_key"):
                work.insert(USERS, [person(work, 9), person(work, 0)][-many:])
            open_one.rollback()


def test_a_statement_without_a_tenant_is_refused_before_it_runs(store: Store) -> None:
    tenant = filled(store, 1)
    with store.reading(tenant, Actor("test")) as work, pytest.raises(guard.TenantPredicateMissing):
        work.rows(sa.select(USERS.c.seq))


def test_statements_are_forgotten_with_their_last_user(store: Store) -> None:
    tenant = filled(store, 1)
    before = len(prepared._statements)
    with store.reading(tenant, Actor("test")) as work:
        for _ in range(20):
            work.rows(sa.select(USERS.c.seq).where(MINE))
    assert len(prepared._statements) <= before + 1


def test_a_connection_that_the_server_closed_is_replaced(store: Store, kind: str) -> None:
    if kind == "sqlite":
        return
    tenant = filled(store, 1)
    statement = sa.select(USERS.c.seq).where(MINE)
    with store.database.reads.connect() as connection:
        work = Work(connection, tenant, Actor("test"), store.clock.now())
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with store.database.writes.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
        with pytest.raises(sx.OperationalError):
            work.rows(statement)
        assert connection.invalidated
    with store.reading(tenant, Actor("test")) as work:
        assert len(work.rows(statement)) == 1
