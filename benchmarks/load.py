"""Fill a database with many people fast: `python -m benchmarks.load DATABASE_URL --people 100000`.

The people are those that POSTs of `people.document` would have made: the same checks, rows, index rows, events and
totals, from the service's own functions; only the transactions hold 2,000 of them. Run it again and it goes on where
it stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from benchmarks import databases, people
from scim_service import audit, errors
from scim_service.access import connections, credentials, tenants
from scim_service.directory import external_ids, users
from scim_service.protocol import schema
from scim_service.storage import migrations, paging, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

BATCH = 2000
SLUG = "bench"
CONNECTION = "rfc"
_users = tables.directory.users
_values = tables.directory.user_values
_MINE = _users.c.tenant_id == sa.bindparam("tenant")
_MANY = sa.select(sa.func.count()).select_from(_users).where(_MINE)
_LAST = sa.select(sa.func.coalesce(sa.func.max(_users.c.seq), 0)).where(_MINE)
_SEQS = sa.select(_users.c.id, _users.c.seq).where(_MINE, _users.c.seq > sa.bindparam("last"))
_IDS = sa.select(_users.c.id).where(_MINE).order_by(_users.c.seq).limit(sa.bindparam("many"))

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Directory:
    """The tenant that is filled, the connection that fills it, and a token for it."""

    tenant_id: int
    actor: Actor
    token: str


def prepare(store: Store) -> Directory:
    """Acme's like for benchmarks: a tenant `bench` with a connection, made where it is not there; a new token.

    The people's mail domain is a verified one, as an organization's own is: nobody is written to (T-5).
    """
    with store.writing(EVERY_TENANT, Actor("cli", "bench")) as work:
        try:
            work.tenant_id = tenants.find(work, SLUG).id
            connection = connections.find(work, CONNECTION)
        except errors.NotFound:
            work.tenant_id = tenants.create(work, SLUG, "Bench").id
            tenants.update(work, settings={"verified_domains": [people.DOMAIN.removeprefix("@")]})
            connection = connections.create(work, CONNECTION, CONNECTION)
        token = credentials.create(work, connection)
        return Directory(work.tenant_id, Actor("connection", CONNECTION, connection.seq), token)


def fill(store: Store, directory: Directory, count: int, told: Told = lambda done, count: None) -> None:
    """People 0 to `count` - 1, as far as they are not there yet."""
    with store.reading(directory.tenant_id, directory.actor) as work:
        done = int(work.value(_MANY))
    while done < count:
        upto = min(done + BATCH, count)
        with store.writing(directory.tenant_id, directory.actor) as work:
            _people(work, range(done, upto))
        done = upto
        told(done, count)
    _settle(store)


def ids(store: Store, directory: Directory, many: int) -> list[str]:
    """The ids of the first people, by number."""
    with store.reading(directory.tenant_id, directory.actor) as work:
        return [row.id for row in work.rows(_IDS, many=many)]


def _people(work: Work, numbers: range) -> None:
    drafts = [users.drafted(work, people.document(number)) for number in numbers]
    last = int(work.value(_LAST))
    work.insert(_users, [draft.row for draft in drafts])
    seqs = {row.id: row.seq for row in work.rows(_SEQS, last=last)}
    work.insert(_values, [row for draft in drafts for row in draft.value_rows(seqs[draft.row["id"]])])
    work.insert(external_ids.USERS.table, [_external_id(work, draft, seqs) for draft in drafts])
    audit.record_many(work, [(*draft.event, draft.event_data) for draft in drafts])
    buckets: dict[int, list[int]] = {}
    for seq in seqs.values():
        buckets.setdefault(seq % paging.BUCKETS, []).append(seq)
    for _, found in sorted(buckets.items()):
        paging.count_one(work, schema.USER.name, found[0], len(found))


def _external_id(work: Work, draft: users.Draft, seqs: Mapping[str, int]) -> dict[str, Any]:
    connection = work.actor.connection_seq
    return {"connection_seq": connection, "external_id": draft.external_id, "owner_seq": seqs[draft.row["id"]]}


def _settle(store: Store) -> None:
    """What PostgreSQL's autovacuum does soon after: statistics for its planner."""
    if store.database.dialect == "postgresql":
        with store.database.writes.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def progress(label: str) -> Iterator[Told]:
    """A bar on standard error that also says how fast it goes."""
    began, first = time.perf_counter(), [-1]

    def told(done: int, count: int) -> None:
        if first[0] < 0:
            first[0] = done - BATCH
        rate = (done - first[0]) / (time.perf_counter() - began)
        bar = "#" * (done * 40 // count)
        end = "\n" if done == count else ""
        print(f"\r{label} [{bar:<40}] {done:,} of {count:,}, {rate:,.0f}/s", end=end, file=sys.stderr, flush=True)

    yield told


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the database that is named, and print a token for it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("database", help="sqlite:///FILE or postgresql+psycopg://...")
    parser.add_argument("--people", type=int, default=100_000, help="how many there shall be [100000]")
    options = parser.parse_args(arguments)
    migrations.upgrade(options.database)
    with databases.opened(options.database) as store, progress(store.database.dialect) as told:
        directory = prepare(store)
        fill(store, directory, options.people, told)
    print(f"tenant {SLUG}, token {directory.token}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
