"""Tokens that end soon are told of, 30 and 7 days before, once (reliability.md A3)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.access import admins, connections, credentials, token_notices
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.service import Cast

DAY = timedelta(days=1)


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme's tokens live a year; Ada is at the head, Bob administers, Olga only reads, Ian has not accepted."""
    made = service.assemble(store)
    with made.writing() as work:
        for name, role in (
            ("ada", "administrator"),
            ("bob", "administrator"),
            ("olga", "operator"),
            ("ian", "auditor"),
        ):
            admins.add(work, f"{name}@acme.example", name, role)
            if name != "ian":
                admins.accept(work, f"{name}@acme.example")
        admins.appoint_head(work, "ada@acme.example")
    return made


def told(cast: Cast, tenant_id: int | None = None) -> list[tuple[str, str, int]]:
    """(recipient, connection, days) of what is told now that was not before."""
    with cast.writing(tenant_id) as work:
        before = {row.seq for row in work.rows(_POSTED)}
        token_notices.post(work)
        new = [row for row in work.rows(_POSTED) if row.seq not in before]
    assert {row.letter for row in new} <= {"token_expires"}
    return sorted((row.recipient, named(row), facts(row)["days"]) for row in new)


def named(row: Any) -> str:
    """The connection; the token's prefix stands behind it, as `token rotate` takes it."""
    name, _, prefix = str(facts(row).get("connection", "")).partition(" ")
    assert prefix in ("", f"({row.message_key.split(':')[1]})")
    return name


_OUTBOX = tables.delivery.outbox
_POSTED = sa.select(_OUTBOX).where(_OUTBOX.c.tenant_id == sa.bindparam("tenant")).order_by(_OUTBOX.c.seq)


def facts(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.facts)
    return found


def concerned(cast: Cast) -> list[int]:
    with cast.reading(0) as work:
        return token_notices.concerned(work)


def test_A_3_who_may_make_tokens_is_told_at_30_and_at_7_days_and_once(cast: Cast, clock: SettableClock) -> None:
    clock.advance(335 * DAY - timedelta(seconds=1))
    assert (concerned(cast), told(cast)) == ([], [])
    clock.advance(timedelta(seconds=1))
    assert concerned(cast) == [cast.acme_id, cast.globex_id]
    readers = ("ada@acme.example", "bob@acme.example")
    names = ("entra", "okta", "rfc")
    first = told(cast)
    assert {one[0] for one in first} == set(readers)
    assert {one[1] for one in first} == set(names)
    assert {one[2] for one in first} == {30}
    assert told(cast) == []
    clock.advance(23 * DAY)
    assert {one[2] for one in told(cast)} == {7}
    assert told(cast) == []
    clock.advance(7 * DAY)
    assert (concerned(cast), told(cast)) == ([], [])


def test_A_3_after_a_downtime_only_the_latest_is_told_with_the_days_that_are_left(
    cast: Cast, clock: SettableClock
) -> None:
    clock.advance(365 * DAY - timedelta(days=3, hours=12))
    assert {one[2] for one in told(cast)} == {4}
    assert told(cast) == []


def test_A_3_a_token_with_a_successor_or_that_was_revoked_is_not_told_of(cast: Cast, clock: SettableClock) -> None:
    clock.advance(300 * DAY)
    with cast.writing() as work:
        by_name = {one.connection: one.prefix for one in credentials.listing(work)}
        credentials.rotate(work, connections.find(work, "okta"), by_name["okta"], 365, timedelta(days=60))
        credentials.revoke(work, by_name["entra"])
        credentials.create(work, connections.find(work, "rfc"), "write", 365)
    clock.advance(40 * DAY)
    assert {one[1] for one in told(cast)} <= {"rfc"}
    with cast.reading() as work:
        rest = {(one.connection, one.scope) for one in credentials.listing(work) if one.revoked_at is None}
    assert ("rfc", "read") in rest


def test_A_3_a_token_that_was_made_for_less_is_told_of_at_the_steps_it_lives_through(
    cast: Cast, clock: SettableClock
) -> None:
    with cast.writing() as work:
        credentials.create(work, connections.create(work, "short", "rfc"), "write", 10)
        credentials.create(work, connections.create(work, "shorter", "rfc"), "write", 5)
    assert told(cast) == []
    clock.advance(3 * DAY)
    assert {one[1:] for one in told(cast)} == {("short", 7)}


def test_A_3_a_letter_whose_token_is_over_by_then_is_not_true_any_more(cast: Cast, clock: SettableClock) -> None:
    clock.advance(340 * DAY)
    told(cast)
    with cast.writing() as work:
        keys = {named(row): row.message_key for row in work.rows(_POSTED)}
        assert not token_notices.is_over(work, keys["okta"])
        (okta,) = (one for one in credentials.listing(work) if one.connection == "okta")
        credentials.rotate(work, connections.find(work, "okta"), okta.prefix, 365, timedelta(days=1))
        assert token_notices.is_over(work, keys["okta"])
