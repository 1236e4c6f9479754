"""People that `benchmarks.load` makes are those that POSTs would have made."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks import load, people
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service

COUNT = 30
OWN = {"seq", "id", "tenant_id", "connection_seq", "user_seq", "owner_seq", "bucket", "request_id", "subject"}
"""Numbers and ids that differ from one filling to the next; the rows are compared in the order of the people."""


@pytest.fixture
def cast(store: Store) -> service.Cast:
    return service.assemble(store)


def rows_of(store: Store, tenant_id: int, table: sa.Table) -> list[dict[str, Any]]:
    """A tenant's rows, each beside the userName that it belongs to, without what is its own."""
    users = tables.directory.users
    with store.database.reads.connect() as connection:
        names = {
            row.seq: row.user_name_key
            for row in connection.execute(sa.select(users).where(users.c.tenant_id == tenant_id))
        }
        found = connection.execute(sa.select(table).where(table.c.tenant_id == tenant_id)).mappings().all()
    own = [{"person": names.get(row.get("user_seq") or row.get("owner_seq")), **_shared(row)} for row in found]
    return sorted(own, key=lambda one: json.dumps(one, default=str, sort_keys=True))


def _shared(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OWN}


def total(store: Store, tenant_id: int) -> int:
    return sum(row["value"] for row in rows_of(store, tenant_id, tables.directory.totals))


def test_people_of_a_filling_are_those_that_posts_would_have_made(cast: service.Cast) -> None:
    with cast.writing() as work:
        work.execute(sa.delete(tables.audit.audit).where(tables.audit.audit.c.tenant_id == sa.bindparam("tenant")))
    for number in range(COUNT):
        assert cast.acme.post("/Users", people.document(number)).status == 201
    filled = load.prepare(cast.store)
    load.fill(cast.store, filled, COUNT)
    for table in (
        tables.directory.users,
        tables.directory.user_values,
        tables.directory.user_external_ids,
        tables.audit.audit,
    ):
        posted, loaded = (rows_of(cast.store, one, table) for one in (cast.acme_id, filled.tenant_id))
        loaded = [one for one in loaded if not str(one.get("action", "")).startswith(("tenant", "connection", "token"))]
        assert loaded == posted, table.name
    assert total(cast.store, filled.tenant_id) == total(cast.store, cast.acme_id) == COUNT


def test_a_filling_that_was_stopped_goes_on_where_it_stopped(
    cast: service.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "BATCH", 7)
    filled = load.prepare(cast.store)
    load.fill(cast.store, filled, 10)
    told: list[tuple[int, int]] = []
    load.fill(cast.store, load.prepare(cast.store), 25, lambda done, count: told.append((done, count)))
    assert told == [(17, 25), (24, 25), (25, 25)]
    assert total(cast.store, filled.tenant_id) == 25
    names = [one["user_name_key"] for one in rows_of(cast.store, filled.tenant_id, tables.directory.users)]
    assert sorted(names) == [people.name(number) for number in range(25)]


def test_a_person_can_be_posted_after_a_filling(cast: service.Cast) -> None:
    filled = load.prepare(cast.store)
    load.fill(cast.store, filled, 5)
    caller = service.Caller(cast.app.test_client(), filled.token)
    assert caller.post("/Users", people.document(5)).status == 201
    assert caller.get("/Users").body["totalResults"] == 6
    assert caller.names(f'externalId eq "{people.external_id(people.name(3))}"') == [people.name(3)]
