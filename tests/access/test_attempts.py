"""Who fails too often waits; who is forgotten begins anew (reliability.md A7)."""

from __future__ import annotations

import threading

import pytest

from scim_service.access import attempts
from scim_service.access.attempts import Attempts


class Elapsed:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def counter(elapsed: Elapsed) -> Attempts:
    """Three failures a minute are forgiven."""
    return Attempts(allowed=3, elapsed=elapsed)


def fail(counter: Attempts, *keys: str, times: int = 1) -> list[int]:
    return [counter.failed(*keys) for _ in range(times)]


def test_as_many_failures_as_allowed_cost_no_wait_and_one_more_does(counter: Attempts) -> None:
    assert fail(counter, "192.0.2.1", times=3) == [0, 0, 0]
    assert fail(counter, "192.0.2.1") == [60]


def test_the_wait_is_what_is_left_of_the_minute_and_at_least_a_second(counter: Attempts, elapsed: Elapsed) -> None:
    fail(counter, "192.0.2.1", times=3)
    elapsed.seconds += 45
    assert fail(counter, "192.0.2.1") == [15]
    elapsed.seconds += 14.9
    assert fail(counter, "192.0.2.1") == [1]


def test_a_minute_after_the_first_failure_all_is_forgotten(counter: Attempts, elapsed: Elapsed) -> None:
    fail(counter, "192.0.2.1", times=4)
    elapsed.seconds += attempts.WINDOW
    assert fail(counter, "192.0.2.1", times=4) == [0, 0, 0, 60]


def test_failing_on_does_not_make_the_minute_longer(counter: Attempts, elapsed: Elapsed) -> None:
    for _ in range(6):
        fail(counter, "192.0.2.1")
        elapsed.seconds += 10
    assert fail(counter, "192.0.2.1") == [0]


def test_one_address_does_not_make_another_one_wait(counter: Attempts) -> None:
    fail(counter, "192.0.2.1", times=10)
    assert fail(counter, "192.0.2.2") == [0]


def test_the_longest_wait_of_an_address_and_a_prefix_counts(counter: Attempts, elapsed: Elapsed) -> None:
    fail(counter, "prefix", times=3)
    elapsed.seconds += 20
    fail(counter, "192.0.2.1", times=3)
    assert counter.failed("prefix", "192.0.2.1") == 60
    assert counter.failed("prefix", "192.0.2.2") == 40


def test_no_more_keys_are_remembered_than_agreed(counter: Attempts) -> None:
    fail(counter, "192.0.2.1", times=4)
    for number in range(attempts.REMEMBERED):
        counter.failed(f"key-{number}")
    assert fail(counter, "192.0.2.1") == [0]


def test_who_fails_again_is_remembered_longer_than_who_failed_once(counter: Attempts) -> None:
    fail(counter, "192.0.2.1", times=3)
    for number in range(attempts.REMEMBERED - 1):
        counter.failed(f"a-{number}")
    assert fail(counter, "192.0.2.1") == [60]
    for number in range(attempts.REMEMBERED - 1):
        counter.failed(f"b-{number}")
    assert fail(counter, "192.0.2.1") == [60]


def test_no_failure_is_lost_when_many_fail_at_once(elapsed: Elapsed) -> None:
    counter = Attempts(allowed=799, elapsed=elapsed)
    threads = [threading.Thread(target=fail, args=(counter, "192.0.2.1"), kwargs={"times": 100}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fail(counter, "192.0.2.1") == [60]
