"""The commands `worker` and `jobs`: what runs by the clock, seen and steered from the terminal."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scim_service.clock import Clock
from scim_service.config import from_environment
from scim_service.jobs import items
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Report
from scim_service.jobs.table import JOBS
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import Work
from tests.cli import processes
from tests.cli.conftest import Terminal

LATER = "2027-03-01T09:00:00Z"
SECONDS = 60


def fail_at(database_url: str, instant: str, key: str = "invitation:17") -> Report:
    """An item of the first tenant that fails at this instant."""

    def fail(work: Work, item: Item) -> None:
        raise LookupError("nobody is to see this")

    database = Database(database_url, threads=2)
    try:
        store = Store(database, Clock.parse(instant))
        now = store.clock.now()
        context = Context(store, from_environment({"SCIM_DATABASE_URL": database_url}), now, now)
        return items.isolated(context, "reminders", [Item(1, key)], fail)
    finally:
        database.close()


@contextmanager
def working(terminal: Terminal, count: int) -> Iterator[list[Any]]:
    """So many real workers on the terminal's database."""
    environment = {**terminal.environment, "SCIM_CLOCK": "", "SCIM_SECRET_KEY": "k" * 40}
    with ExitStack() as stack:
        yield [
            stack.enter_context(processes.running(["-m", "scim_service.cli", "worker"], environment))
            for _ in range(count)
        ]


def led_by(terminal: Terminal, pids: list[int]) -> int:
    """Which of these processes leads, as soon as one does."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        leader = terminal.do("jobs", "list", "--json").json["leader"]
        if leader is not None and leader["holds"] and int(leader["owner"].split(":")[1]) in pids:
            return int(leader["owner"].split(":")[1])
        time.sleep(0.1)
    raise AssertionError("Nobody leads.")


def test_every_job_is_listed_with_what_it_does_and_when_it_is_due(acme: Terminal) -> None:
    listed = acme.do("jobs", "list", "--json").json
    assert (listed["leader"], listed["failing"]) == (None, [])
    assert [row["job"] for row in listed["jobs"]] == [one.name for one in JOBS]
    (clock,) = (row for row in listed["jobs"] if row["job"] == "clock")
    assert (clock["every"], clock["last"], clock["next"]) == ("15s", None, "2027-03-01T08:00:15Z")
    assert "Nobody runs the jobs now." in acme.do("jobs", "list").out


def test_a_job_is_run_by_hand_and_shown_as_that(acme: Terminal) -> None:
    assert acme.do("jobs", "run", "clock").out == "clock: 0 done, 0 failed.\n"
    (clock,) = (row for row in acme.do("jobs", "list", "--json").json["jobs"] if row["job"] == "clock")
    assert clock["last"].startswith("by hand at 2027-03-01T08:00:00Z")
    assert (clock["state"], clock["items"], clock["failed"]) == ("done", 0, 0)


@pytest.mark.parametrize("name", [one.name for one in JOBS])
def test_every_job_of_the_table_runs_where_nothing_is_due(acme: Terminal, name: str) -> None:
    told = acme.do("jobs", "run", name, "--json", SCIM_SECRET_KEY="k" * 40).json
    assert (told["job"], told["state"], told["failed"], told["error"]) == (name, "done", 0, None)


def test_F_22_an_item_that_fails_is_shown_and_tried_again_when_somebody_says_so(
    acme: Terminal, database_url: str
) -> None:
    for hour in range(8, 16):
        assert fail_at(database_url, f"2027-03-01T{hour:02}:00:00Z") == Report(0, 1)
    (failing,) = acme.do("jobs", "list", "--json").json["failing"]
    assert (failing["tenant"], failing["job"], failing["item"], failing["tries"]) == (
        "acme",
        "reminders",
        "invitation:17",
        8,
    )
    assert failing["parked"] == "2027-03-01T15:00:00Z"
    assert "to see" not in acme.do("jobs", "list").out
    assert fail_at(database_url, "2027-03-02T08:00:00Z") == Report(0, 0)
    acme.do("jobs", "retry", "acme", "reminders", "invitation:17")
    assert acme.do("jobs", "list", "--json").json["failing"] == []
    assert fail_at(database_url, "2027-03-02T08:00:00Z") == Report(0, 1)


def test_what_is_not_there_is_refused_by_name(acme: Terminal) -> None:
    assert acme.refused("jobs", "run", "nothing").startswith("There is no job 'nothing'. There are: clock")
    assert "has failed" in acme.refused("jobs", "retry", "acme", "reminders", "invitation:17")


def test_a_worker_needs_a_key_and_a_database_of_this_schema(terminal: Terminal, tmp_path: Path) -> None:
    assert "SCIM_SECRET_KEY" in terminal.refused("worker", SCIM_CLOCK="")
    nowhere = f"sqlite:///{tmp_path / 'nowhere.db'}"
    told = terminal.refused("worker", SCIM_CLOCK="", SCIM_SECRET_KEY="k" * 40, SCIM_DATABASE_URL=nowhere)
    assert "db upgrade" in told


def test_a_worker_that_is_told_to_stop_ends_with_0_and_the_next_one_leads(acme: Terminal) -> None:
    with working(acme, 2) as both:
        first = led_by(acme, [one.pid for one in both])
        (leader,) = (one for one in both if one.pid == first)
        (other,) = (one for one in both if one.pid != first)
        status, out, _ = processes.ended(leader, signal.SIGTERM)
        assert (status, out) == (0, "")
        assert led_by(acme, [other.pid]) == other.pid
        status, _, told = processes.ended(other, signal.SIGINT)
        assert status == 0
        assert "this process leads the jobs" in told
    assert acme.do("jobs", "list", "--json").json["leader"]["holds"] is False
