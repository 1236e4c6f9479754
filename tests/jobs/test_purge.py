"""What is over is kept for a while and then deleted; what is personal of people who are gone, at once (D4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.access import credentials
from scim_service.delivery import outbox
from scim_service.delivery.outbox import Message
from scim_service.jobs import purge, runs
from scim_service.jobs.job import Context, Report
from scim_service.licensing import catalog, snapshots
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests import service
from tests.conftest import SettableClock
from tests.jobs.conftest import MINUTE, Workers, job
from tests.service import Cast

DAY = timedelta(days=1)


@pytest.fixture
def cast(store: Store) -> Cast:
    return service.assemble(store)


def run(cast: Cast) -> int:
    now = cast.store.clock.now()
    report = purge.run(Context(cast.store, service.settings(cast.store.database.url), now, now))
    assert report.failed == 0
    return report.items


def messages(cast: Cast) -> Sequence[Any]:
    table = tables.delivery.outbox
    mine = sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")).order_by(table.c.seq)
    with cast.reading() as work:
        found: Sequence[Any] = work.rows(mine)
    return found


def seq_of(cast: Cast, user_id: str) -> int:
    table = tables.directory.users
    with cast.reading() as work:
        return int(
            work.value(sa.select(table.c.seq).where(table.c.tenant_id == sa.bindparam("tenant"), table.c.id == user_id))
        )


def post(cast: Cast, key: str, user_seq: int | None = None) -> None:
    with cast.writing() as work:
        outbox.post(work, [Message(key, "welcome", "ann@acme.example", "en", {"name": "Ann"}, user_seq)])


def test_messages_are_deleted_400_days_after_they_ended_and_what_waits_stays(cast: Cast, clock: SettableClock) -> None:
    post(cast, "one")
    post(cast, "two")
    with cast.writing() as work:
        outbox.cancel(work, ["one"], "why")
    clock.advance(400 * DAY)
    run(cast)
    assert [row.message_key for row in messages(cast)] == ["one", "two"]
    clock.advance(MINUTE)
    run(cast)
    assert [row.message_key for row in messages(cast)] == ["two"]


def test_what_is_personal_of_somebody_who_is_deleted_goes_with_the_person(cast: Cast) -> None:
    ann, ben = cast.acme.user("ann"), cast.acme.user("ben")
    post(cast, "sent", seq_of(cast, ann["id"]))
    with cast.writing() as work:
        outbox.cancel(work, ["sent"], "why")
    post(cast, "waits", seq_of(cast, ann["id"]))
    post(cast, "of-ben", seq_of(cast, ben["id"]))
    post(cast, "of-nobody")
    cast.acme.delete(f"/Users/{ann['id']}")
    kept = {row.message_key: (row.recipient, row.recipient_key, row.facts) for row in messages(cast)}
    full = ("ann@acme.example", "ann@acme.example", '{"name":"Ann"}')
    assert kept == {"sent": ("", "", "{}"), "waits": ("", "", "{}"), "of-ben": full, "of-nobody": full}
    states = {row.message_key: (row.state, row.reason) for row in messages(cast)}
    assert states["sent"] == ("cancelled", "why")
    assert states["waits"] == ("cancelled", "the person is gone")
    assert states["of-ben"] == ("queued", None)


def test_a_message_that_came_after_is_emptied_by_the_job(cast: Cast) -> None:
    ann = cast.acme.user("ann")
    seq = seq_of(cast, ann["id"])
    cast.acme.delete(f"/Users/{ann['id']}")
    post(cast, "late", seq)
    assert run(cast) == 1
    assert [(row.recipient, row.facts, row.state) for row in messages(cast)] == [("", "{}", "cancelled")]
    assert run(cast) == 0


def test_tokens_are_deleted_400_days_after_they_ended(cast: Cast, clock: SettableClock) -> None:
    with cast.writing() as work:
        (okta,) = (one for one in credentials.listing(work) if one.connection == "okta")
        credentials.revoke(work, okta.prefix)
    clock.advance(400 * DAY + MINUTE)
    run(cast)
    with cast.reading() as work:
        assert sorted({one.connection for one in credentials.listing(work)}) == ["entra", "rfc"]
    clock.advance(365 * DAY)
    run(cast)
    with cast.reading() as work:
        assert credentials.listing(work) == []


def test_hours_are_deleted_after_400_days_and_days_stay(cast: Cast, clock: SettableClock) -> None:
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        snapshots.take(work)
    clock.advance(DAY)
    with cast.writing() as work:
        snapshots.close_days(work)
    clock.advance(400 * DAY)
    assert run(cast) == 1
    with cast.reading() as work:
        assert len(snapshots.days(work, (clock.now() - 500 * DAY).date())) == 1


def test_runs_that_found_nothing_are_forgotten_after_a_week_and_others_after_90_days(
    cast: Cast, workers: Workers, clock: SettableClock
) -> None:
    def nothing(_: Context) -> Any:
        return Report(0)

    worker = workers.leader(job(nothing, "idle"), job(lambda _: None, "busy"))
    worker.tick()
    clock.advance(7 * DAY + MINUTE)
    run(cast)
    assert (len(workers.slots("idle")), len(workers.slots("busy"))) == (0, 1)
    clock.advance(83 * DAY)
    run(cast)
    assert len(workers.slots("busy")) == 0


def test_nothing_is_lost_by_purging_what_is_new(cast: Cast) -> None:
    ann = cast.acme.user("ann")
    post(cast, "new", seq_of(cast, ann["id"]))
    with cast.store.reading(EVERY_TENANT, service.ACTOR) as work:
        assert runs.newest(work) == {}
    assert run(cast) == 0
    assert [row.recipient for row in messages(cast)] == ["ann@acme.example"]
