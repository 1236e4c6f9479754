"""A statement that would see rows of every tenant is stopped, whatever its shape (reliability.md T3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.storage import guard, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor

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
