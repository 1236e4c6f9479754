"""A process that sends what is due, over and over, until it is killed: one child after the other, as it is told.

    python -m tests.jobs.sender DATABASE_URL SMTP_URL

Each line that it reads is an instant, from which the child's clock goes on; it says the child's number, and what the
child ended with once it has.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta

from scim_service import config
from scim_service.clock import Clock
from scim_service.jobs import outbox
from scim_service.jobs.job import Context
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import service

PAUSE = 0.002
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def send(url: str, settings: config.Settings, began: datetime) -> None:
    """Round after round, for ever."""
    start = time.monotonic()
    clock = Clock(lambda: began + timedelta(seconds=time.monotonic() - start))
    store = Store(Database(url, threads=2, synchronous="OFF"), clock)
    while True:
        now = clock.now()
        outbox.run(Context(store, settings, now, now))
        time.sleep(PAUSE)


def warm_up(url: str, settings: config.Settings) -> None:
    """Do once all that the first round of a process does once; long ago nothing was due."""
    database = Database(url, threads=2, synchronous="OFF")
    outbox.run(Context(Store(database, Clock(lambda: LONG_AGO)), settings, LONG_AGO, LONG_AGO))
    database.close()


def main() -> None:
    """Fork a child for each line, and wait for its end."""
    url, smtp_url = sys.argv[1:]
    sender = {"SCIM_SMTP_URL": smtp_url, "SCIM_MAIL_FROM": "no-reply@vendor.example"}
    settings = service.settings(url, SCIM_PUBLIC_URL="https://scim.acme.example", **sender)
    warm_up(url, settings)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            send(url, settings, datetime.fromisoformat(line.strip()))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
