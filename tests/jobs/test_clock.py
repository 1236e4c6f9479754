"""What happens by the clock: seats lapse and are given on time, once, also where nobody asks."""

from __future__ import annotations

import io
import logging
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_service import jobs
from scim_service.licensing import catalog, contracts, rules, usage
from scim_service.storage import tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.rows import everything
from tests.service import Caller, Cast

HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)
LEDGER = tables.licensing.ledger


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme and Globex, each with one seat of `pro` for Sales: Ann has it, Ben waits, who leaves keeps it an hour."""
    made = service.assemble(store)
    for tenant_id, caller in ((made.acme_id, made.acme), (made.globex_id, made.globex)):
        with made.writing(tenant_id) as work:
            catalog.create_type(work, "pro", "Pro", exit_grace=HOUR)
            contracts.create(work, "C-1", {"pro": 1})
            rules.create(work, "Sales", "pro")
        caller.group("Sales", caller.user("ann")["id"], caller.user("ben")["id"])
    return made


def leave(caller: Caller) -> None:
    """Ann leaves Sales, and her seat is Ben's in an hour."""
    (sales,) = caller.get("/Groups", filter='displayName eq "Sales"').body["Resources"]
    (ann,) = caller.get("/Users", filter='userName eq "ann"').body["Resources"]
    removal = {"op": "remove", "path": f'members[value eq "{ann["id"]}"]'}
    assert caller.patch(f"/Groups/{sales['id']}", removal).status in {200, 204}


def states(cast: Cast, tenant_id: int) -> dict[str, str]:
    """Who is in which state, as it is kept: nothing is let pass by asking."""
    with cast.reading(tenant_id) as work:
        return {one.user_name: one.state for one in usage.people(work, "pro")}


def events(cast: Cast, tenant_id: int) -> list[tuple[str, str]]:
    """(actor, action) of all that happened."""
    table = tables.audit.audit
    with cast.reading(tenant_id) as work:
        rows = work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant")).order_by(table.c.seq))
    return [(row.actor, row.action) for row in rows]


def test_where_nothing_is_due_nobody_is_served(cast: Cast) -> None:
    before = everything(cast.store)
    assert jobs.tick_due(cast.store) == 0
    assert everything(cast.store) == before


def test_a_seat_lapses_on_the_instant_and_not_a_moment_before(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    clock.advance(HOUR - MOMENT)
    assert jobs.tick_due(cast.store) == 0
    assert states(cast, cast.acme_id) == {"ann": "grace", "ben": "waiting"}
    clock.advance(MOMENT)
    assert jobs.tick_due(cast.store) == 1
    assert states(cast, cast.acme_id) == {"ben": "assigned"}


def test_only_the_tenants_that_are_due_are_served(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    clock.advance(HOUR / 2)
    leave(cast.globex)
    clock.advance(HOUR / 2)
    assert jobs.tick_due(cast.store) == 1
    assert states(cast, cast.acme_id) == {"ben": "assigned"}
    assert states(cast, cast.globex_id) == {"ann": "grace", "ben": "waiting"}


def test_every_tenant_that_is_due_is_served_in_one_round(cast: Cast, clock: SettableClock) -> None:
    leave(cast.globex)
    leave(cast.acme)
    clock.advance(HOUR)
    assert jobs.tick_due(cast.store) == 2
    assert states(cast, cast.acme_id) == states(cast, cast.globex_id) == {"ben": "assigned"}


def test_a_second_round_changes_nothing(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    clock.advance(HOUR)
    jobs.tick_due(cast.store)
    before = everything(cast.store)
    assert jobs.tick_due(cast.store) == 0
    assert everything(cast.store) == before


def test_what_the_job_did_is_told_as_its_own_act(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    told = len(events(cast, cast.acme_id))
    clock.advance(HOUR)
    jobs.tick_due(cast.store)
    new = events(cast, cast.acme_id)[told:]
    assert {actor for actor, _ in new} == {"job:clock"}
    assert {"license:released", "license:assigned"} <= {action for _, action in new}


def test_rounds_of_several_processes_at_once_do_what_one_would(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    leave(cast.globex)
    told = len(events(cast, cast.acme_id))
    clock.advance(HOUR)
    others = [Store(Database(cast.store.database.url, synchronous="OFF"), clock) for _ in range(3)]
    failed: list[BaseException] = []

    def serve(store: Store) -> None:
        try:
            jobs.tick_due(store)
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=serve, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.database.close()
    assert failed == []
    assert states(cast, cast.acme_id) == states(cast, cast.globex_id) == {"ben": "assigned"}
    actions = [action for _, action in events(cast, cast.acme_id)[told:]]
    assert actions.count("license:assigned") == 1


def test_seats_that_a_contract_brings_later_are_given_on_its_first_day(cast: Cast, clock: SettableClock) -> None:
    with cast.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, starts=clock.now() + timedelta(days=1))
    assert states(cast, cast.acme_id)["ben"] == "waiting"
    clock.advance(timedelta(days=1))
    assert jobs.tick_due(cast.store) == 1
    assert states(cast, cast.acme_id) == {"ann": "assigned", "ben": "assigned"}


def test_a_tenant_whose_seats_are_in_disorder_is_logged_and_holds_up_no_other_one(
    cast: Cast, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    leave(cast.acme)
    clock.advance(MOMENT)
    leave(cast.globex)
    with cast.writing() as work:
        none = sa.delete(LEDGER).where(LEDGER.c.tenant_id == sa.bindparam("tenant"))
        work.execute(none)
    before = events(cast, cast.acme_id)
    clock.advance(2 * HOUR)
    assert jobs.tick_due(cast.store) == 2
    assert events(cast, cast.acme_id) == before
    assert states(cast, cast.globex_id) == {"ben": "assigned"}
    failed = [record for record in caplog.records if record.exc_info]
    assert [(record.getMessage(), record.__dict__["tenant"]) for record in failed] == [
        ("job failed for an item", cast.acme_id)
    ]


def test_jobs_wake_by_themselves_until_they_are_stopped(cast: Cast, clock: SettableClock) -> None:
    leave(cast.acme)
    leave(cast.globex)
    worker = jobs.Jobs(cast.store, service.settings(cast.store.database.url), seconds=0.3)
    worker.start()
    clock.advance(HOUR)
    assert eventually_given(cast, cast.acme_id)
    assert eventually_given(cast, cast.globex_id)
    worker.stop()
    with cast.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, starts=clock.now() + HOUR)
    before = everything(cast.store)
    clock.advance(HOUR)
    time.sleep(0.3)
    assert everything(cast.store) == before


def test_a_round_that_fails_is_logged_without_values_and_the_next_one_is_run(
    tmp_path: Path, clock: SettableClock
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    log = logging.getLogger("scim_service.jobs")
    log.addHandler(handler)
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'scim.db'}")
    worker = jobs.Jobs(Store(away, clock), service.settings(away.url), seconds=0.3)
    worker.start()
    end = time.monotonic() + 20
    while heard.getvalue().count("job failed") < 2 and time.monotonic() < end:
        time.sleep(0.02)
    worker.stop()
    log.removeHandler(handler)
    away.close()
    assert heard.getvalue().count("job failed") >= 2


def eventually_given(cast: Cast, tenant_id: int) -> bool:
    """Whether Ben gets the seat within twenty seconds."""
    end = time.monotonic() + 20
    while states(cast, tenant_id) != {"ben": "assigned"} and time.monotonic() < end:
        time.sleep(0.02)
    return states(cast, tenant_id) == {"ben": "assigned"}
