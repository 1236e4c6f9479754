"""Who leads: one at a time, followed within a minute, refused once it is followed (licensing.md T-9, F5, F12)."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from scim_service.jobs import leases
from scim_service.jobs.leases import Lease, Lost
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests.conftest import START
from tests.jobs.conftest import ACTOR

SECOND = timedelta(seconds=1)


def take(store: Store, owner: str, after: timedelta | None = None, seconds: float = 30) -> int | None:
    """The number of the lease that is taken so long after the start, or by the database's time; None where refused."""
    with store.writing(EVERY_TENANT, ACTOR) as work:
        lease = leases.take(work, owner, seconds, None if after is None else START + after)
    return None if lease is None else lease.fence


def is_expected(store: Store, owner: str, fence: int) -> bool:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        try:
            leases.expect(work, Lease(owner, fence))
        except Lost:
            return False
    return True


def test_F_5_one_leads_until_its_lease_ends_and_is_followed_under_a_higher_number(store: Store) -> None:
    assert take(store, "one", 0 * SECOND) == 1
    assert take(store, "two", 29 * SECOND) is None
    assert take(store, "two", 30 * SECOND) == 2
    assert take(store, "one", 31 * SECOND) is None


def test_F_5_a_leader_that_renews_keeps_its_number(store: Store) -> None:
    assert take(store, "one", 0 * SECOND) == 1
    assert take(store, "one", 20 * SECOND) == 1
    assert take(store, "two", 49 * SECOND) is None
    assert take(store, "one", 60 * SECOND) == 1


def test_F_5_a_leader_that_was_followed_is_expected_no_more(store: Store) -> None:
    take(store, "one", 0 * SECOND)
    assert is_expected(store, "one", 1)
    take(store, "two", 30 * SECOND)
    assert not is_expected(store, "one", 1)
    assert is_expected(store, "two", 2)
    assert take(store, "one", 60 * SECOND) == 3
    assert not is_expected(store, "one", 1)


def test_a_lease_that_is_given_up_is_free_at_once(store: Store) -> None:
    take(store, "one", 0 * SECOND)
    with store.writing(EVERY_TENANT, ACTOR) as work:
        leases.release(work, Lease("two", 1), START)
    assert take(store, "two", SECOND) is None
    with store.writing(EVERY_TENANT, ACTOR) as work:
        leases.release(work, Lease("one", 1), START + SECOND)
    assert take(store, "two", SECOND) == 2


def test_F_12_a_lease_of_a_time_that_was_set_back_is_no_lease(store: Store) -> None:
    take(store, "one", timedelta(days=1))
    assert take(store, "two", 0 * SECOND) == 2


def test_F_12_without_an_instant_the_time_of_the_database_counts_and_not_that_of_the_service(store: Store) -> None:
    assert take(store, "one", seconds=0.5) == 1
    assert take(store, "two", seconds=0.5) is None
    time.sleep(0.6)
    assert take(store, "two") == 2
    with store.reading(EVERY_TENANT, ACTOR) as work:
        leader = leases.leader(work)
    assert leader is not None and leader.owner == "two" and leader.holds
    assert abs((leader.until - store.clock.now()).total_seconds()) > 3_600


def test_who_led_is_told_also_where_nobody_does(store: Store) -> None:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        assert leases.leader(work) is None
    take(store, "one", 0 * SECOND)
    with store.reading(EVERY_TENANT, ACTOR) as work:
        leader = leases.leader(work, START + 30 * SECOND)
    assert leader == leases.Leader("one", START + 30 * SECOND, 1, False)


@pytest.mark.parametrize("seconds", [0.0, 12.25])
def test_the_length_of_a_lease_may_be_a_part_of_a_second(store: Store, seconds: float) -> None:
    take(store, "one", 0 * SECOND, seconds)
    with store.reading(EVERY_TENANT, ACTOR) as work:
        leader = leases.leader(work, START)
    assert leader is not None
    assert leader.until == START + timedelta(seconds=seconds)
