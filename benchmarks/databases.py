"""Databases to measure on: a fresh SQLite file, as safe as in production, and a fresh PostgreSQL, tuned by nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from scim_service.clock import Clock
from scim_service.storage import migrations
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import postgres

NAME = "scim_test_benchmark"


@contextmanager
def sqlite() -> Iterator[Store]:
    """A migrated SQLite file, taken away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _store(f"sqlite:///{Path(folder) / 'scim.db'}")


@contextmanager
def postgresql() -> Iterator[Store]:
    """A migrated PostgreSQL database, taken away afterwards. Raises postgres.NotFound where there is no server."""
    server = postgres.start()
    plain = server.url.replace("+psycopg", "")
    try:
        with closing(psycopg.connect(plain, autocommit=True)) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {NAME}".encode())
        yield from _store(make_url(server.url).set(database=NAME).render_as_string(hide_password=False))
    finally:
        server.stop()


def _store(url: str) -> Iterator[Store]:
    migrations.upgrade(url)
    database = Database(url)
    try:
        yield Store(database, Clock())
    finally:
        database.close()
