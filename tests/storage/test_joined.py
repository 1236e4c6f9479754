"""Writes that are joined into one statement on PostgreSQL leave the same rows as one after the other on SQLite."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import connections, tenants
from scim_service.storage import guard, tables
from scim_service.storage.joined import Part
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

USERS, VALUES = tables.directory.users, tables.directory.user_values
NAMES, EVENTS = tables.directory.user_external_ids, tables.audit.audit
TENANT: Any = sa.bindparam("tenant")
WHICH = (USERS.c.tenant_id == TENANT, USERS.c.seq == sa.bindparam("which"))
RENAME = sa.update(USERS).where(*WHICH).values(display=sa.bindparam("new"), modified_at=sa.bindparam("at"))
LEAVE = sa.delete(NAMES).where(NAMES.c.tenant_id == TENANT, NAMES.c.owner_seq == sa.bindparam("which"))
INDEXED = sa.select(sa.exists().where(VALUES.c.tenant_id == TENANT, VALUES.c.user_seq == sa.bindparam("which")))
TEXTS = ["plain", 'quotes " and \\ %(sure)s ?', "tab\tand\nline", "é ü 漢 \U0001f600", "null", "[]"]


def opened(store: Store) -> tuple[int, int]:
    """A tenant and its connection."""
    with store.writing(EVERY_TENANT, Actor("test")) as work:
        work.tenant_id = tenants.create(work, "acme", "Acme").id
        return work.tenant_id, connections.create(work, "rfc", "rfc").seq


def made(work: Work, name: str, connection: int, external_id: str, texts: list[str]) -> int:
    """A person with index rows, an externalId and an event, in one go."""
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now}
    row = {"id": f"id-{name}", "user_name_key": name, "display": "", "active": True, "document": "{}", **stamps}
    index = [
        {"path": 1, "item": number, "value": text, "whole": text * 2 if number % 2 else None}
        for number, text in enumerate(texts)
    ]
    event = {"at": work.now, "actor": "x", "request_id": "", "action": "joined:tried", "subject": name, "data": "{}"}
    names = [{"connection_seq": connection, "external_id": external_id}]
    parts = [Part(VALUES, index, "user_seq"), Part(NAMES, names, "owner_seq"), Part(EVENTS, [event])]
    return work.insert_with(USERS, parts, **row)


@pytest.mark.parametrize("count", [0, 1, 2, len(TEXTS)])
def test_what_goes_with_a_row_is_written_with_its_key(store: Store, count: int) -> None:
    tenant, connection = opened(store)
    with store.writing(tenant, Actor("test")) as work:
        made(work, "other", connection, "e-0", ["other"])
        seq = made(work, "alice", connection, "e-1", TEXTS[:count])
    with store.reading(tenant, Actor("test")) as work:
        rows = work.rows(sa.select(VALUES).where(VALUES.c.tenant_id == TENANT, VALUES.c.user_seq == seq))
        found = {(row.path, row.item, row.value, row.whole) for row in rows}
        assert found == {(1, n, text, text * 2 if n % 2 else None) for n, text in enumerate(TEXTS[:count])}
        assert work.value(sa.select(NAMES.c.external_id).where(NAMES.c.tenant_id == TENANT, NAMES.c.owner_seq == seq))
        event = sa.select(EVENTS.c.at).where(EVENTS.c.tenant_id == TENANT, EVENTS.c.subject == "alice")
        assert work.value(event) == work.now
        assert work.value(sa.select(USERS.c.id).where(*WHICH), which=seq) == "id-alice"


def test_a_key_that_a_part_breaks_undoes_the_whole(store: Store) -> None:
    tenant, connection = opened(store)
    with store.writing(tenant, Actor("test")) as work:
        made(work, "alice", connection, "taken", TEXTS)
    with (
        pytest.raises(errors.Uniqueness, match="externalId"),
        store.writing(tenant, Actor("test")) as work,
    ):
        made(work, "bob", connection, "taken", TEXTS)
    with store.reading(tenant, Actor("test")) as work:
        assert [row.user_name_key for row in work.rows(sa.select(USERS).where(USERS.c.tenant_id == TENANT))] == [
            "alice"
        ]


def test_writes_go_together_and_a_question_is_answered_with_them(store: Store) -> None:
    tenant, connection = opened(store)
    with store.writing(tenant, Actor("test")) as work:
        bare, indexed = made(work, "bare", connection, "e-1", []), made(work, "indexed", connection, "e-2", TEXTS)
        answers = [
            work.together(RENAME, LEAVE, asking=INDEXED, which=seq, new="new", at=work.now) for seq in (bare, indexed)
        ]
        assert [bool(one) for one in answers] == [False, True]
        assert {row.display for row in work.rows(sa.select(USERS).where(USERS.c.tenant_id == TENANT))} == {"new"}
        assert not work.rows(sa.select(NAMES).where(NAMES.c.tenant_id == TENANT))


def test_a_part_without_a_tenant_is_refused_before_it_runs(store: Store) -> None:
    tenant, _ = opened(store)
    everybody = sa.update(USERS).values(display="x")
    with store.writing(tenant, Actor("test")) as work, pytest.raises(guard.TenantPredicateMissing):
        work.together(everybody, RENAME, asking=INDEXED, which=1, new="new", at=work.now)
