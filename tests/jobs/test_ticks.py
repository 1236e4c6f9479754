"""Four schedulers and a thousand ticks of a clock: a thousand runs (reliability.md F5)."""

from __future__ import annotations

import os
import threading
from collections import Counter
from datetime import timedelta

import pytest

from scim_service.jobs.job import Context
from scim_service.jobs.worker import Worker
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import service
from tests.conftest import Count, SettableClock
from tests.jobs.conftest import MINUTE, SECONDS, Workers, job

pytestmark = pytest.mark.proof

SCHEDULERS = 4
TICKS = 1_000 if os.environ.get("SCIM_TEST_PROVE") == "1" else 100


def test_F_5_four_schedulers_and_a_thousand_ticks_are_a_thousand_runs(
    store: Store, workers: Workers, clock: SettableClock, lease_clock: SettableClock, count: Count
) -> None:
    """Each tick all four look at once; every tenth time the lease has ended by then, and any of them may take it."""
    ran: Counter[str] = Counter()
    leaders: Counter[int] = Counter()
    round_ = job(lambda context: note(ran, context))
    stores = [Store(Database(store.database.url, threads=4, synchronous="OFF"), clock) for _ in range(SCHEDULERS)]
    settings = service.settings(store.database.url)
    four = [Worker(one, settings, [round_], SECONDS, time=lease_clock.now) for one in stores]
    together = threading.Barrier(SCHEDULERS)

    def tick(number: int) -> None:
        together.wait()
        if four[number].tick():
            leaders[number] += 1

    for number in range(TICKS):
        lease_clock.advance(timedelta(seconds=31 if number % 10 == 0 else 15))
        threads = [threading.Thread(target=tick, args=(at,)) for at in range(SCHEDULERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.advance(MINUTE)
    for one in stores:
        one.database.close()
    assert len(ran) == TICKS
    assert set(ran.values()) == {1}
    assert sum(leaders.values()) == TICKS
    assert {row.state for row in workers.runs()} == {"done"}
    assert len(workers.runs()) == TICKS
    count("{:,} ticks of four schedulers", TICKS)


def note(ran: Counter[str], context: Context) -> None:
    ran[context.slot.isoformat()] += 1
