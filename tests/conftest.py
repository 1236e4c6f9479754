"""What every test may use: a settable clock, and a fresh migrated database of each kind."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from sqlalchemy.engine import make_url

from scim_service.clock import Clock
from scim_service.storage import migrations
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from tests import postgres

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
REQUIRED = "SCIM_TEST_REQUIRE_POSTGRES"
KEY = "scim_postgres_url"
FILE_COPY_SINCE = 150_000
"""The version of PostgreSQL that lets one choose how a database is copied."""

_numbers = itertools.count(1)
_server: postgres.Server | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before the workers, or remember why not."""
    global _server
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # TERM ends the run as Ctrl-C does: the server is stopped
    try:
        _server = postgres.start()
        os.environ[KEY] = _server.url
    except postgres.NotFound as reason:
        os.environ[KEY] = f"none: {reason}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if _server is not None:
        _server.stop()


class SettableClock(Clock):
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.instant = START
        super().__init__(lambda: self.instant)

    def set(self, instant: datetime) -> None:
        self.instant = instant

    def advance(self, duration: timedelta) -> None:
        self.instant += duration


@pytest.fixture
def clock() -> SettableClock:
    """2027-03-01T08:00:00Z until it is moved."""
    return SettableClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "scim.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_url(worker_name: str) -> str:
    """The maintenance database of a real server; a visible skip where there is none, a failure where it is required."""
    url = os.environ.get(KEY, "none: not started")
    if url.startswith("none"):
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"PostgreSQL is required here: {url}")
        pytest.skip(f"no PostgreSQL ({url})")
    return url


@pytest.fixture
def postgresql_programs() -> Path:
    """The folder with pg_dump and pg_restore; a visible skip where there is none, a failure where one is required."""
    found = postgres.programs()
    if found is None and os.environ.get(REQUIRED) == "1":
        pytest.fail("pg_dump and pg_restore are required here: none beside the server, none on PATH")
    if found is None:
        pytest.skip("no pg_dump (none beside the server, none on PATH)")
    return found


@pytest.fixture(scope="session")
def worker_name() -> str:
    """This worker's part in names of databases."""
    return f"{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, worker_name: str) -> Iterator[str]:
    """The name of a migrated database, to be copied."""
    name = f"scim_test_template_{worker_name}"
    _administer(postgresql_url, f"CREATE DATABASE {name}")
    migrations.upgrade(named(postgresql_url, name))
    yield name
    _administer(postgresql_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on; every database test runs on both."""
    found: str = request.param
    return found


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield from _made(request, "")


@pytest.fixture
def empty_postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL database without any table, whatever the test runs on."""
    yield from _made(request, "")


@pytest.fixture
def another_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty PostgreSQL databases, as many as are asked for."""
    with ExitStack() as made:
        yield lambda: made.enter_context(contextmanager(_made)(request, ""))


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database that nobody else has."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "scim.db")
        yield f"sqlite:///{tmp_path / 'scim.db'}"
        return
    yield from _made(request, f" TEMPLATE {request.getfixturevalue('postgresql_template')}")


@pytest.fixture
def store(database_url: str, clock: SettableClock) -> Iterator[Store]:
    """The database with the clock of the test."""
    database = Database(database_url, threads=8, synchronous="OFF")
    yield Store(database, clock)
    database.close()


class Count(Protocol):
    """`count("{:,} rounds of a race")` after each of them: `make prove` adds up and says it (tests/prove.py)."""

    def __call__(self, what: str, number: int = 1) -> None: ...


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Tells what a proof has shown, and how often."""

    def told(what: str, number: int = 1) -> None:
        record_property(what, number)

    return told


def named(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _made(request: pytest.FixtureRequest, how: str) -> Iterator[str]:
    url = request.getfixturevalue("postgresql_url")
    name = f"scim_test_{request.getfixturevalue('worker_name')}_{next(_numbers)}"
    _create(url, name, how)
    yield named(url, name)
    _administer(url, f"DROP DATABASE {name} WITH (FORCE)")


def _create(url: str, name: str, how: str) -> None:
    """Make a database; its files are copied, which costs a sixth of what writing them to the log does."""
    with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
        copying = " STRATEGY FILE_COPY" if connection.info.server_version >= FILE_COPY_SINCE else ""
        connection.execute(f"CREATE DATABASE {name}{how}{copying}".encode())


def _administer(url: str, statement: str) -> None:
    with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
        connection.execute(statement.encode())
