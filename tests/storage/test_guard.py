"""A statement that would see rows of every tenant is stopped, whatever its shape (reliability.md T3)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.storage import faults, guard, tables
from scim_service.storage.store import Store
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import EVERY_TENANT, Actor, first_key

USERS = tables.directory.users
MEMBERS = tables.directory.memberships
TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
ACTOR = Actor("cli", "test")
JOINED = sa.and_(MEMBERS.c.tenant_id == USERS.c.tenant_id, MEMBERS.c.user_seq == USERS.c.seq)
OTHER = USERS.alias("other")
OURS = sa.select(USERS.c.seq).where(USERS.c.tenant_id == TENANT)

OPEN: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "select": (lambda: sa.select(USERS.c.seq), {"users"}),
    "update": (lambda: sa.update(USERS).values(active=True), {"users"}),
    "delete": (lambda: sa.delete(USERS), {"users"}),
    "alias": (lambda: sa.select(OTHER.c.seq), {"other"}),
    "alias beside a bound table": (lambda: OURS.add_columns(OTHER.c.seq), {"other"}),
    "subquery": (lambda: OURS.where(USERS.c.seq.in_(sa.select(MEMBERS.c.user_seq))), {"memberships"}),
    "exists": (lambda: sa.select(sa.exists(sa.select(USERS.c.seq))), {"users"}),
    "cte": (lambda: sa.select(sa.select(USERS.c.seq).cte("all").c.seq), {"users"}),
    "insert from select": (
        lambda: sa.insert(MEMBERS).from_select(["user_seq"], sa.select(USERS.c.seq)),
        {"users"},
    ),
    "other tenants": (lambda: sa.select(USERS.c.seq).where(USERS.c.tenant_id != TENANT), {"users"}),
    "any tenant": (lambda: sa.select(USERS.c.seq).where(USERS.c.tenant_id.is_not(None)), {"users"}),
    "a join of all tenants": (lambda: sa.select(USERS.c.seq).join(MEMBERS, JOINED), {"users", "memberships"}),
}
CLOSED: dict[str, Callable[[], Any]] = {
    "select": lambda: OURS,
    "join": lambda: OURS.join(MEMBERS, JOINED),
    "join from the other side": lambda: (
        sa.select(USERS.c.seq).join(MEMBERS, JOINED).where(MEMBERS.c.tenant_id == TENANT)
    ),
    "alias": lambda: sa.select(OTHER.c.seq).where(OTHER.c.tenant_id == TENANT),
    "update": lambda: sa.update(USERS).where(USERS.c.tenant_id == TENANT).values(active=True),
    "insert": lambda: sa.insert(MEMBERS),
    "a table of no tenant": lambda: sa.select(tables.access.tenants.c.id),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_statement_without_its_tenant_is_named(name: str) -> None:
    statement, unbound = OPEN[name]
    assert guard.tables_without_predicate(statement()) == unbound


@pytest.mark.parametrize("name", CLOSED)
def test_a_statement_with_its_tenant_passes(name: str) -> None:
    assert guard.tables_without_predicate(CLOSED[name]()) == set()


def test_nothing_reaches_the_database_without_its_tenant(store: Store) -> None:
    for opened in (store.reading, store.writing):
        with (
            pytest.raises(guard.TenantPredicateMissing, match="No tenant predicate on users"),
            opened(EVERY_TENANT, ACTOR) as work,
        ):
            work.rows(sa.select(USERS.c.seq))


def test_a_statement_that_must_look_across_tenants_says_so(store: Store) -> None:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        assert work.rows(sa.select(USERS.c.seq).execution_options(across_tenants=True)) == []


WITHOUT_TENANT = {"tenants", "leases", "job_runs", "installation"}
"""What belongs to no tenant; `alembic_version` is no table of ours."""

ALONE = {
    ("credentials", ("prefix",)): "a credential is found before its tenant is known",
}
"""Unique keys that do not begin with the tenant, besides a row's own counting key, and why."""

DUE = {"ix_invitations_due", "ix_outbox_due", "ix_outbox_dead"}
"""Indexes for the rounds of the jobs, which find what is due in every tenant."""


def unique_keys(table: sa.Table) -> list[tuple[str, ...]]:
    """The columns of every unique key, in order."""
    keys = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint | sa.PrimaryKeyConstraint)]
    indexes = [one for one in table.indexes if one.unique]
    return [tuple(column.name for column in one.columns) for one in [*keys, *indexes]]


@pytest.mark.parametrize("name", sorted(set(tables.metadata.tables) - WITHOUT_TENANT))
def test_every_row_has_a_tenant_that_comes_first_in_its_unique_keys(name: str) -> None:
    table = tables.metadata.tables[name]
    assert not table.c.tenant_id.nullable
    keys = [key for key in unique_keys(table) if key != ("seq",) and (name, key) not in ALONE]
    assert [key for key in keys if key[0] != "tenant_id"] == []
    others = [one.name for one in table.indexes if next(iter(one.columns)).name != "tenant_id"]
    assert set(others) <= DUE


@pytest.mark.parametrize("name", sorted(set(tables.metadata.tables) - WITHOUT_TENANT))
def test_every_reference_stays_within_its_tenant(name: str) -> None:
    for reference in tables.metadata.tables[name].foreign_key_constraints:
        pairs = [(one.parent.name, one.column.name) for one in reference.elements]
        own = ("tenant_id", "id") if reference.referred_table.name == "tenants" else ("tenant_id", "tenant_id")
        assert pairs[0] == own


def owned(table: sa.Table, seq: int, now: datetime) -> dict[str, Any]:
    """A row of some kind of thing, with all that it must have."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.name in {"tenant_id", "seq"}:
            continue
        kind = column.type
        row[column.name] = (
            f"{column.name}-{seq}" if isinstance(kind, sa.Text) else now if isinstance(kind, Instant) else False
        )
        if isinstance(kind, sa.BigInteger | sa.SmallInteger | sa.Integer | sa.Double):
            row[column.name] = 0
    return row


REFERENCES = sorted(
    (table.name, reference.column_keys[1], reference.referred_table.name)
    for table in tables.metadata.sorted_tables
    for reference in table.foreign_key_constraints
    if reference.referred_table.name != "tenants"
)


@pytest.mark.parametrize(("name", "column", "owner"), REFERENCES)
def test_a_row_that_refers_to_another_tenants_thing_is_refused_by_the_database(
    store: Store, name: str, column: str, owner: str
) -> None:
    acme, globex = founded(store, "acme"), founded(store, "globex")
    table = tables.metadata.tables[name]
    mine = {
        reference.column_keys[1]: made(store, acme, reference.referred_table)
        for reference in table.foreign_key_constraints
        if reference.referred_table.name != "tenants"
    }
    theirs = made(store, globex, tables.metadata.tables[owner])
    row = owned(table, 1, store.clock.now()) | mine
    with pytest.raises(faults.Again), store.writing(acme, ACTOR) as work:
        work.insert(table, [row | {column: theirs}])
    with store.writing(acme, ACTOR) as work:
        work.insert(table, [row])


numbers = itertools.count(1)


def made(store: Store, tenant_id: int, table: sa.Table) -> int:
    """The seq of a new thing of a tenant, with new ones of all that it must refer to."""
    needed = {
        one.column_keys[1]: made(store, tenant_id, one.referred_table)
        for one in table.foreign_key_constraints
        if one.referred_table.name != "tenants" and not table.c[one.column_keys[1]].nullable
    }
    with store.writing(tenant_id, ACTOR) as work:
        return work.insert_one(table, **(owned(table, next(numbers), work.now) | needed))


def founded(store: Store, slug: str) -> int:
    """A tenant without its licensing row, which has one place for each."""
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants = tables.access.tenants
        values = {"slug": slug, "name": slug, "exit_grace": 0, "created_at": work.now}
        return first_key(work.connection.execute(sa.insert(tenants), values))
