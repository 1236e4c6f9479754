"""A year of letters: the right one, to the right person, once, at the right time (issue, Show 1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scim_service.clock import parse_instant
from scim_service.storage.store import Store
from tests import service
from tests.conftest import Count, SettableClock
from tests.jobs import year
from tests.mailserver import MailServer

pytestmark = pytest.mark.proof

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
SOME_WEEKS = datetime(2027, 4, 6, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "samples" / "year.txt"


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer()
    made.start()
    yield made
    made.stop()


def test_a_year_of_letters_is_as_it_was_read_and_found_right(
    store: Store, clock: SettableClock, server: MailServer, count: Count
) -> None:
    """The whole year in `make prove`, its first three weeks in the suite, as one list for both databases."""
    until = year.END if PROVE else SOME_WEEKS
    clock.set(year.BEGIN)
    found = year.Year(service.assemble(store), clock, server)
    found.live(until)
    found.check()
    told = found.told()
    written = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert told == [line for line in written if parse_instant(line.split("  ")[0]) < until]
    assert len(server.received) == sum(line.endswith(")") for line in told)
    count("{:,} days of jobs and letters", (until - year.BEGIN).days)
    count("{:,} letters of a simulated year", len(server.received))
