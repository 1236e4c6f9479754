"""Databases to measure on: fresh SQLite files, and fresh databases of one PostgreSQL, as safe as in production.

Nobody tuned them: SQLite as the service opens it, PostgreSQL with the settings that it is born with, commits on the
disk before they are acknowledged. What the server says of itself is asked for and stands beside the figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from benchmarks import machine
from scim_service.clock import Clock
from scim_service.storage import migrations
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import postgres

NAME = "scim_test_benchmark"
DURABLE = "-c max_connections=200 -c listen_addresses="
ASKED = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
"""What a PostgreSQL server is asked about itself."""


class Folder:
    """Makes SQLite files in a folder."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def url(self, label: str) -> str:
        """The database of this label; migrated when it is new."""
        url = f"sqlite:///{self._place / f'{label}.db'}"
        migrations.upgrade(url)
        return url


class Cluster:
    """Makes databases on a PostgreSQL server, and takes them away again."""

    def __init__(self, server: postgres.Server) -> None:
        self._server = server

    def url(self, label: str) -> str:
        """The database of this label, migrated."""
        url = self.bare(label)
        migrations.upgrade(url)
        return url

    def bare(self, label: str) -> str:
        """The database of this label, empty."""
        name = f"{NAME}_{label}"
        self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.administer(f"CREATE DATABASE {name}")
        return make_url(self._server.url).set(database=name).render_as_string(hide_password=False)

    def settings(self) -> dict[str, str]:
        """What the server says of its durability."""
        return {name: self.administer(f"SHOW {name}") for name in ASKED}

    def process(self) -> int:
        """The server's own process, where it runs on this machine; else 0."""
        plain = self._server.url.replace("+psycopg", "")
        with closing(psycopg.connect(plain, autocommit=True)) as connection:
            return machine.parent(connection.info.backend_pid)

    def drop_all(self) -> None:
        """Take away what was made here, on a server that stays."""
        found = self.administer(f"SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE '{NAME}%'")
        for name in found.split():
            self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    def administer(self, statement: str) -> str:
        """Run a statement on the maintenance database; the first value that it answers."""
        plain = self._server.url.replace("+psycopg", "")
        with closing(psycopg.connect(plain, autocommit=True)) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return str(row[0] or "") if row else ""


@contextmanager
def folder() -> Iterator[Folder]:
    """A place for SQLite files, taken away afterwards."""
    with tempfile.TemporaryDirectory(prefix="scim-bench-") as place:
        yield Folder(Path(place))


@contextmanager
def cluster(options: str = DURABLE) -> Iterator[Cluster]:
    """A PostgreSQL server, stopped afterwards. Raises postgres.NotFound where there is none."""
    server = postgres.start(options)
    made = Cluster(server)
    try:
        yield made
    finally:
        made.drop_all()
        server.stop()


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """The store of a database, closed afterwards."""
    database = Database(url)
    try:
        yield Store(database, Clock())
    finally:
        database.close()


@contextmanager
def sqlite() -> Iterator[Store]:
    """A migrated SQLite file, taken away afterwards."""
    with folder() as place, opened(place.url("members")) as store:
        yield store


@contextmanager
def postgresql() -> Iterator[Store]:
    """A migrated PostgreSQL database, taken away afterwards. Raises postgres.NotFound where there is no server."""
    with cluster() as server, opened(server.url("members")) as store:
        yield store
