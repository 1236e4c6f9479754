"""A serving process that is killed in the middle of a conversation leaves nothing half done; the next play goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from conformance import progress, simulate
from conformance.client import Unreachable
from conformance.idps.play import Progress
from conformance.report import Report
from scim_service import config
from scim_service.cli import demo_data, opening
from scim_service.storage.work import Actor
from tests.cli import processes
from tests.races import soundness

KEY = "a key for tests only, long enough to be one"
PEOPLE, GROUPS, SEED = 12, 4, 3
MOMENTS = [("Push groups", 2, 0.006), ("Move people between groups", 1, 0.004)]
"""Phase, step in it, and how many seconds later the process is killed: while a request is under way."""


def play(base: str, token: str, watch: Progress) -> Report:
    """Okta's conversation with the same few people, whenever it is played."""
    return simulate.simulate("okta", base, token, users=PEOPLE, groups=GROUPS, seed=SEED, progress=watch)


def killing(moment: tuple[str, int, float], kill: Callable[[], None]) -> Progress:
    """Watches a play, and has the server killed a little after the moment."""
    phase, step, later = moment

    def watch(title: str, verb: str, done: int, total: int) -> None:
        if (title, verb, done) == (phase, "writing", step):
            threading.Timer(later, kill).start()

    return watch


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one[0])
def test_a_killed_process_leaves_a_sound_directory_and_the_next_play_differs_in_nothing(
    database_url: str, moment: tuple[str, int, float]
) -> None:
    settings = config.from_environment({"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": KEY})
    with opening.opened(settings) as service:
        planted = demo_data.plant(service, KEY)
    port, token = processes.free_port(), planted.tokens["acme", "okta"]
    base = f"http://127.0.0.1:{port}/scim/v2"
    arguments = ["-m", "scim_service.cli", "serve", "--port", str(port)]
    environment = {"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": KEY, "SCIM_LOG_LEVEL": "ERROR"}
    with processes.running(arguments, environment) as process:
        processes.wait_until_live(port, process)
        with pytest.raises(Unreachable):
            play(base, token, killing(moment, process.kill))
    with opening.opened(settings) as service, service.store.reading(1, Actor("test")) as work:
        assert soundness.faults(work) == []
    with processes.running(arguments, environment) as process:
        processes.wait_until_live(port, process)
        report = play(base, token, progress.silent)
        assert report.ok, report.as_document()
        assert processes.ended(process)[0] == 0
