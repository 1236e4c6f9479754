"""One of several real processes that run jobs on one database, for tests/jobs/test_processes.py.

    python -m tests.jobs.member URL SECONDS BEGAN

A thing is due every quarter of a second after BEGAN (an instant). The one job, due every second, does all that are due
and not done: for each a message under the thing's key, with the number of the lease, and one more on a counter in the
same transaction. Says a line of JSON after each thing, and then rests a moment outside of any transaction.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from datetime import datetime, timedelta

import sqlalchemy as sa

from scim_service import logs
from scim_service.clock import Clock, format_instant
from scim_service.jobs import Jobs, items
from scim_service.jobs.items import Item
from scim_service.jobs.job import Context, Job, Report
from scim_service.storage import tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work
from tests import service

TENANT = 1
NAME = "things"
STEP = timedelta(seconds=0.25)
REST = 0.02
ACTOR = Actor("job", NAME)

_outbox = tables.delivery.outbox
_installation = tables.jobs.installation
_KEYS = sa.select(_outbox.c.message_key).where(_outbox.c.tenant_id == sa.bindparam("tenant"))
_COUNTER = sa.select(_installation.c.value).where(_installation.c.name == NAME).with_for_update()
_COUNT = sa.update(_installation).where(_installation.c.name == NAME).values(value=sa.bindparam("new_value"))


def things(began: datetime, now: datetime) -> list[str]:
    """The keys of all that is due by now."""
    return [format_instant(began + number * STEP) for number in range((now - began) // STEP + 1)]


def do(began: datetime, context: Context) -> Report:
    """Do what is due and not done."""
    with context.reading(ACTOR, TENANT) as work:
        done = {row.message_key for row in work.rows(_KEYS)}
    fence = context.lease.fence if context.lease else 0

    def act(work: Work, item: Item) -> None:
        times = {"created_at": work.now, "due_at": work.now}
        texts = {"letter": NAME, "recipient": "x", "recipient_key": "x", "language": "en", "facts": str(fence)}
        row = {**texts, **times, "message_key": item.key, "by_hand": False, "tries": 0, "state": "queued"}
        work.insert(_outbox, [row])
        work.execute(_COUNT, new_value=str(int(work.value(_COUNTER)) + 1))

    def one_by_one() -> Report:
        count = 0
        for key in things(began, context.now):
            if key not in done:
                count += items.isolated(context, NAME, [Item(TENANT, key)], act).items
                print(json.dumps({"thing": key, "fence": fence}), flush=True)
                time.sleep(REST)
        return Report(count)

    return one_by_one()


def main() -> None:
    """Work until TERM."""
    url, seconds, began = sys.argv[1:]
    logs.configure("WARNING")
    store = Store(Database(url, threads=6), Clock())
    job = Job(
        NAME, timedelta(seconds=1), lambda context: do(datetime.fromisoformat(began), context), "Things are done."
    )
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    running = Jobs(store, service.settings(url), [job], float(seconds))
    running.start()
    print(json.dumps("ready"), flush=True)
    while not over.wait(0.2):
        pass
    running.stop()
    store.database.close()


if __name__ == "__main__":
    main()
