"""Many rows at once are the same rows as a few at a time, with the same keys, references and order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import tenants
from scim_service.storage import many_rows, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

_audit = tables.audit.audit
_users = tables.directory.users
_EVENTS = sa.select(_audit).where(_audit.c.tenant_id == sa.bindparam("tenant"), _audit.c.action == "many:tried")
_PEOPLE = sa.select(_users).where(_users.c.tenant_id == sa.bindparam("tenant")).order_by(_users.c.seq)


def _tenant(store: Store, slug: str) -> int:
    with store.writing(EVERY_TENANT, Actor("cli")) as work:
        return tenants.create(work, slug, slug).id


def _person(work: Work, number: int) -> dict[str, Any]:
    at = work.now + timedelta(milliseconds=number)
    texts = ["plain", "tab\tand\nline", "back\\slash \\N", "é ü 漢", ""]
    return {
        "id": f"id-{number}",
        "user_name_key": f"person{number}",
        "display": texts[number % len(texts)],
        "active": number % 3 != 0,
        "version": number,
        "created_at": at,
        "modified_at": at,
        "connection_seq": None,
        "document": '{"userName":"x"}',
    }


def _told(work: Work) -> list[dict[str, Any]]:
    rows = [dict(row._mapping) for row in work.rows(_PEOPLE)]
    return [{name: value for name, value in row.items() if name not in {"seq", "tenant_id"}} for row in rows]


def test_many_rows_are_what_a_few_at_a_time_would_be(store: Store) -> None:
    found = []
    for slug, size in (("one", many_rows.MANY + 7), ("two", many_rows.MANY - 1)):
        with store.writing(_tenant(store, slug), Actor("cli")) as work:
            rows = [_person(work, number) for number in range(many_rows.MANY + 7)]
            for start in range(0, len(rows), size):
                work.insert(_users, rows[start : start + size])
            found.append(_told(work))
    assert found[0] == found[1]
    assert len(found[0]) == many_rows.MANY + 7


def test_many_rows_that_break_a_unique_key_are_refused_whole(store: Store) -> None:
    tenant = _tenant(store, "one")
    with pytest.raises(errors.Uniqueness), store.writing(tenant, Actor("cli")) as work:
        namesake = {**_person(work, 5), "id": "another"}
        work.insert(_users, [*(_person(work, number) for number in range(many_rows.MANY)), namesake])
    with store.reading(tenant, Actor("cli")) as work:
        assert work.rows(_PEOPLE) == []


def test_rows_after_many_rows_go_on_counting(store: Store) -> None:
    with store.writing(_tenant(store, "one"), Actor("cli")) as work:
        work.insert(_users, [_person(work, number) for number in range(many_rows.MANY)])
        last = work.rows(_PEOPLE)[-1].seq
        assert work.insert_one(_users, **_person(work, many_rows.MANY)) == last + 1
