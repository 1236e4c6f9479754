"""The door to the database: `reading()` and `writing()` open the one transaction of a request, a job or a command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa

from scim_service import errors
from scim_service.clock import Clock
from scim_service.storage import faults
from scim_service.storage.database import PROGRESS_STEPS, READ_SECONDS, WRITE_SECONDS, Database
from scim_service.storage.work import Actor, Work


class Store:
    """A database and a clock: all that a use case needs from the world (reliability.md G1, G8)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    @contextmanager
    def reading(
        self, tenant_id: int, actor: Actor, request_id: str = "", seconds: int = READ_SECONDS
    ) -> Iterator[Work]:
        """One read-only snapshot; raises Unavailable when it takes longer than 5 s (decision 21).

        Only who looks at everything, at the terminal, asks for more `seconds`.
        """
        with faults.translated(), self.database.reads.begin() as connection, _time_limit(connection, seconds):
            yield Work(connection, tenant_id, actor, self.clock.now(), request_id)

    @contextmanager
    def asking(self, tenant_id: int, actor: Actor, request_id: str = "") -> Iterator[Work]:
        """For one read-only statement, which sees what is committed now (decision 22)."""
        with faults.translated(), self.database.asks.begin() as connection, _time_limit(connection, READ_SECONDS):
            yield Work(connection, tenant_id, actor, self.clock.now(), request_id)

    @contextmanager
    def writing(self, tenant_id: int, actor: Actor, request_id: str = "", careful: bool = False) -> Iterator[Work]:
        """One write transaction: committed on return, after what was to be done last; undone by any exception.

        Raises Uniqueness where a unique key says no, `faults.Again` where the same request may simply be run again
        (deadlock, serialization; the next try is to be `careful`), and Unavailable where the database cannot be
        written in time.
        """
        with faults.translated(), self._turn(), self.database.writes.begin() as connection:
            work = Work(connection, tenant_id, actor, self.clock.now(), request_id, careful)
            yield work
            work.finish()

    def _turn(self) -> AbstractContextManager[Any]:
        """SQLite's writers of this process wait here in line; PostgreSQL's do not wait for each other."""
        return _line(self.database) if self.database.dialect == "sqlite" else nullcontext()


@contextmanager
def _line(database: Database) -> Iterator[None]:
    _ = database.writes
    writer = database.writer
    if not writer.acquire(timeout=WRITE_SECONDS):
        raise errors.Unavailable(
            "The database is busy with other writes. Send the request again.", {"Retry-After": "5"}
        )
    try:
        yield
    finally:
        writer.release()


@contextmanager
def _time_limit(connection: sa.Connection, seconds: int) -> Iterator[None]:
    """PostgreSQL limits its statements itself; SQLite is asked between steps of its virtual machine."""
    if connection.dialect.name != "sqlite":
        if seconds != READ_SECONDS:
            connection.execute(sa.select(sa.func.set_config("statement_timeout", f"{seconds}s", True)))
        yield
        return
    driver: Any = connection.connection.driver_connection
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > end, PROGRESS_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
