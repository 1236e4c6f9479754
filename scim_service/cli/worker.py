"""The command `worker`: the jobs without the web, until it is told to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import click

from scim_service import config, jobs, logs
from scim_service.cli import opening, server


@click.command()
def worker() -> None:
    """Run the jobs in a process of their own, on any number of hosts: one leads, another follows within a minute.

    Needs the settings of `serve`. With workers, let `serve --no-jobs` do the web alone. TERM and INT end it with status
    0 after the item that it is at; what is left of a run, the next one does.

    \b
    Example:
      SCIM_SECRET_KEY="$(cat secret.key)" scim-service worker
    """
    settings = config.from_environment(os.environ)
    config.refuse_to_serve(settings)
    with opening.opened(settings) as service:
        opening.expect_current(service.store)
        logs.configure(settings.log_level)
        run(jobs.Jobs(service.store, settings))


def run(running: jobs.Jobs, is_over: Callable[[], bool] = lambda: False) -> None:
    """Run the jobs until TERM or INT, or until it is over for another reason, which is asked for all the time."""
    told: list[bool] = []
    with server.signals(lambda: told.append(True)):
        running.start()
        while not told and not is_over():
            time.sleep(server.WAKE_SECONDS)
    running.stop()
