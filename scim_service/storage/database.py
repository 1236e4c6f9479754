"""Engines for both databases: how a connection is opened, how long it may wait, how a transaction begins."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from scim_service import errors
from scim_service.storage import guard, prepared

APPLICATION = "scim-service"
"""What our connections to PostgreSQL are called there."""

WRITE_SECONDS = 25
READ_SECONDS = 5
POOL_SECONDS = 5
IDLE_SECONDS = 1.0
"""A connection that answered so lately is not asked whether it still does: the question costs as much as a read."""

REPLACED = (
    "The database file was replaced or removed while this process had it open. Stop the process, see that the right "
    "file is in place (scim-service restore does that), and start it again."
)
PROGRESS_STEPS = 20_000
"""SQLite's virtual machine asks this often whether a read has gone on for too long."""


@dataclass
class Database:
    """One database, opened anew in every process that uses it (an engine must not cross a fork).

    `url` is `sqlite:///…` or `postgresql+psycopg://…`; `threads` bounds the connections of each kind;
    `synchronous` is SQLite's (FULL keeps an acknowledged write through power loss).
    """

    url: str
    threads: int = 8
    synchronous: str = "FULL"
    _process: int = 0
    _reads: Engine | None = None
    _asks: Engine | None = None
    _writes: Engine | None = None
    _making: threading.Lock = field(default_factory=threading.Lock)
    writer: threading.Lock = field(default_factory=threading.Lock)
    """SQLite has one writer: threads of this process queue here, in order, before BEGIN (decision 22)."""
    known_file: tuple[int, int] | None = None
    """Which file SQLite's connections lead to, whatever has its name now."""

    @cached_property
    def dialect(self) -> str:
        return make_url(self.url).get_backend_name()

    @cached_property
    def file(self) -> Path | None:
        """Where an SQLite database is kept; None for another one."""
        return sqlite_file(self.url)

    @property
    def reads(self) -> Engine:
        """Read-only connections: a statement takes at most 5 s, a transaction sees one snapshot."""
        self._open()
        assert self._reads is not None
        return self._reads

    @property
    def asks(self) -> Engine:
        """The read-only connections for one statement alone; PostgreSQL spares the transaction around it."""
        self._open()
        assert self._asks is not None
        return self._asks

    @property
    def writes(self) -> Engine:
        """Writing connections: a transaction begins with the write lock on SQLite, READ COMMITTED on PostgreSQL."""
        self._open()
        assert self._writes is not None
        return self._writes

    def close(self) -> None:
        """Close every connection of this process."""
        for engine in (self._reads, self._writes):
            if engine is not None:
                engine.dispose()
        self._reads = self._asks = self._writes = self.known_file = None

    def _open(self) -> None:
        if self._process == os.getpid() and self._writes is not None:
            return
        with self._making:
            if self._process == os.getpid() and self._writes is not None:
                return
            self.writer = threading.Lock()
            self.known_file = None
            reads, writes = self._engine(reading=True), self._engine(reading=False)
            alone = reads if self.dialect == "sqlite" else reads.execution_options(isolation_level="AUTOCOMMIT")
            self._reads, self._asks, self._writes = reads, alone, writes
            self._process = os.getpid()

    def _engine(self, *, reading: bool) -> Engine:
        engine = sqlite_engine(self, reading) if self.dialect == "sqlite" else postgresql_engine(self, reading)
        guard.watch(engine)
        return engine


def sqlite_file(url: str) -> Path | None:
    """Where an SQLite database is kept; None for another database, or one in memory."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


def is_busy(problem: Any) -> bool:
    """Whether SQLite says that somebody else has the database, which passes."""
    code = getattr(problem, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def shown(url: str) -> str:
    """A database's URL as it may be seen, and as PostgreSQL's own programs take it: without the password."""
    parts = make_url(url)
    seen = sa.URL.create(
        parts.get_backend_name(),
        username=parts.username,
        host=parts.host,
        port=parts.port,
        database=parts.database,
        query=parts.query,
    )
    return seen.render_as_string()


def postgresql_engine(database: Database, reading: bool) -> Engine:
    """READ COMMITTED for writes, one snapshot for reads, and limits on how long anything may take (decision 21)."""
    seconds = READ_SECONDS if reading else WRITE_SECONDS
    options = (
        f"-c statement_timeout={seconds}s -c lock_timeout={seconds}s "
        f"-c idle_in_transaction_session_timeout={WRITE_SECONDS + 5}s -c timezone=UTC "
        f"-c default_transaction_read_only={'on' if reading else 'off'}"
    )
    engine = sa.create_engine(
        database.url,
        isolation_level="REPEATABLE READ" if reading else "READ COMMITTED",
        pool_size=database.threads,
        max_overflow=2,
        pool_timeout=POOL_SECONDS,
        pool_recycle=1800,
        connect_args={"options": options, "application_name": APPLICATION, "connect_timeout": POOL_SECONDS},
    )
    _ask_the_idle(engine)
    return engine


def _ask_the_idle(engine: Engine) -> None:
    """A connection that was not used for a second is asked whether its server is there, and replaced if not."""

    @sa.event.listens_for(engine, "connect")
    @sa.event.listens_for(engine, "checkin")
    def _answered(_driver: Any, record: Any) -> None:
        record.info["answered"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _ask(driver: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info["answered"] < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as problem:
            raise sa.exc.DisconnectionError("The server closed this connection.") from problem


def sqlite_engine(database: Database, reading: bool) -> Engine:
    """WAL, nothing acknowledged before it is on the disk, and a write transaction that has the lock from the start."""
    engine = sa.create_engine(
        database.url,
        pool_size=database.threads,
        max_overflow=2,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": WRITE_SECONDS, "check_same_thread": False},
    )
    pragmas = [
        f"synchronous={database.synchronous}",
        "foreign_keys=ON",
        f"busy_timeout={WRITE_SECONDS * 1000}",
        "journal_size_limit=67108864",
        f"query_only={'ON' if reading else 'OFF'}",
    ]

    _notice_another_file(engine, database)

    @sa.event.listens_for(engine, "connect")
    def _prepare(driver: Any, _record: Any) -> None:
        driver.isolation_level = None
        _write_ahead(driver)
        for pragma in pragmas:
            driver.execute(f"PRAGMA {pragma}")

    begin = "BEGIN" if reading else "BEGIN IMMEDIATE"

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        prepared.say(connection, begin)

    return engine


def _notice_another_file(engine: Engine, database: Database) -> None:
    """A file that was replaced or removed by hand, while connections lead to the one from before, is not touched.

    What is written would be lost with it. `scim-service restore` waits until no connection is left (F6).
    """

    def _compare(*_: Any) -> None:
        found = _identity(database.file)
        database.known_file = database.known_file or found
        if found != database.known_file:
            raise errors.Unavailable(REPLACED, {"Retry-After": "30"})

    for moment in ("do_connect", "connect", "checkout"):
        sa.event.listen(engine, moment, _compare)


def _identity(file: Path | None) -> tuple[int, int] | None:
    try:
        found = None if file is None else os.stat(file)
    except FileNotFoundError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _write_ahead(driver: Any) -> None:
    """Bring a new file to WAL. The change of mode does not wait for others by itself, so it is asked for again."""
    end = time.monotonic() + WRITE_SECONDS
    while True:
        try:
            driver.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if time.monotonic() > end or not is_busy(problem):
                raise
            time.sleep(0.01)
