"""A backup is brought back: beside the database that it replaces, and then in its place at once (reliability.md F20).

While this goes on nobody else has the database: the lock that SQLite gives to one connection alone is held from the
first look to the end, so that no process goes on writing into the file that is put aside.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
import sqlalchemy.exc as sx

from scim_service import errors
from scim_service.clock import Clock
from scim_service.storage import backup, beside, faults, guard, migrations, schema_version, tables
from scim_service.storage.backup import COMPANIONS, Progress
from scim_service.storage.database import APPLICATION, Database, is_busy
from scim_service.storage.store import Store

IN_USE = (
    "The database is in use. Stop every scim-service that serves or works on it, and whatever else has it open, then "
    "restore again."
)
FOREIGN = "{} is no database of scim-service. Nothing was changed."
MAGIC = b"SQLite format 3\0"
PART, KEPT = "restoring", "before-restore"


@dataclass
class Restoring:
    """A backup on its way: `store` is its copy, with the newest schema, to be written to until `finish`.

    `old` reads the database that it is to replace; None where there is none, or where it cannot be read (`damaged`).
    """

    store: Store
    schema: str
    old: sa.Connection | None
    damaged: bool
    _live: Path
    _part: Path

    def finish(self) -> Path | None:
        """Put the copy in the place of the database, at once; the file in which the old one is kept, if there was one.

        Whoever is killed here leaves either the one or the other under the name of the database, and the old one whole.
        """
        self.store.database.close()
        backup.settle(self._part)
        _own_like(self._part, self._live)
        beside.sync(self._part)
        kept = _put_aside(self._live, self.damaged, self.store.clock) if self._live.exists() else None
        backup.remove_companions(self._live)
        beside.put(self._part, self._live, replace=kept is not None)
        if kept is not None:
            os.chmod(kept, beside.MODE)
        return kept


def expect_alone(connection: sa.Connection) -> None:
    """Raises Refused where another process of ours is connected to the same PostgreSQL database."""
    activity = sa.table("pg_stat_activity", *map(sa.column, ("pid", "datname", "application_name")))
    others = (
        sa.select(sa.func.count())
        .select_from(activity)
        .where(
            activity.c.datname == sa.func.current_database(),
            activity.c.application_name == APPLICATION,
            activity.c.pid != sa.func.pg_backend_pid(),
        )
    )
    if connection.execute(others).scalar():
        raise errors.Refused(IN_USE, code="in_use")


@contextmanager
def restoring(database: Database, source: Path | BinaryIO, clock: Clock, progress: Progress) -> Iterator[Restoring]:
    """A copy of the backup `source` beside the database, checked and upgraded, until it is finished or given up.

    Raises Refused where the database is in use, and where the backup is damaged, of a newer program, or not ours.
    """
    assert database.file is not None
    live = database.file.resolve()
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if isinstance(source, Path) and live.exists() and source.exists() and source.samefile(live):
        raise errors.Refused(f"{source} is the database itself. Name the backup that is to take its place.")
    with _held(live) as (old, damaged):
        if old is not None:
            _sweep(live)
        part = beside.new(live, PART)
        copy = Database(f"sqlite:///{part}", threads=2)
        try:
            _take_in(source, part, progress)
            schema = _expect_ours(copy, source, progress)
            _upgrade(copy, source)
            yield Restoring(Store(copy, clock), schema, old, damaged, live, part)
        finally:
            copy.close()
            backup.remove(part)


@contextmanager
def _held(live: Path) -> Iterator[tuple[sa.Connection | None, bool]]:
    """The database for us alone, and whether it is damaged; nothing where there is no such file, or an empty one."""
    with ExitStack() as stack:
        connection, damaged = None, live.exists() and not _looks_right(live)
        try:
            connection = stack.enter_context(_alone(live)) if live.exists() and not damaged else None
        except (sqlite3.DatabaseError, sx.DatabaseError) as problem:
            cause = problem.orig if isinstance(problem, sx.DatabaseError) else problem
            if is_busy(cause):
                raise errors.Refused(IN_USE, code="in_use") from problem
            if isinstance(cause, sqlite3.OperationalError):
                raise errors.Refused(f"{live} cannot be opened: {cause}.") from problem
            damaged = True
        if connection is not None and connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            connection, damaged = None, True
        yield None if connection is None else _ours(connection, live), damaged


@contextmanager
def _alone(live: Path) -> Iterator[sa.Connection]:
    """A connection that nobody else can be beside; what was kept beside the file is in it.

    Leaving write-ahead mode needs the file alone, and is told at once who has it open. The lock is then taken in the
    other mode, in which SQLite also notices by itself that a file which somebody is just opening was put aside.
    """
    with closing(sqlite3.connect(live, timeout=0, isolation_level=None)) as first:
        first.execute("PRAGMA locking_mode=EXCLUSIVE")
        first.execute("PRAGMA journal_mode=DELETE")
    engine = _engine(live)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "delete":
                raise errors.Refused(IN_USE, code="in_use")
            yield connection
    finally:
        engine.dispose()


def _looks_right(live: Path) -> bool:
    """Whether a file begins like an SQLite database, or is empty. SQLite takes away what it kept beside others."""
    with live.open("rb") as file:
        return file.read(len(MAGIC)) in (MAGIC, b"")


def _engine(live: Path) -> sa.Engine:
    """One connection that does not wait, and keeps its transaction until it is closed."""
    engine = sa.create_engine(
        f"sqlite:///{live}",
        poolclass=sa.pool.StaticPool,
        pool_reset_on_return=None,
        connect_args={"timeout": 0, "isolation_level": None},
    )
    guard.watch(engine)
    return engine


def _ours(connection: sa.Connection, live: Path) -> sa.Connection | None:
    """The connection, if there is something of ours in the database; Refused for something else."""
    if schema_version.of(connection) is not None:
        return connection
    if sa.inspect(connection).get_table_names():
        raise errors.Refused(FOREIGN.format(live))
    return None


def _sweep(live: Path) -> None:
    """Take away what a restore that was killed has left: unfinished copies, second names of the database."""
    for left in live.parent.glob(f"{live.name}.{PART}-*"):
        left.unlink(missing_ok=True)
    for kept in live.parent.glob(f"{live.name}.{KEPT}-*"):
        if kept.samefile(live):
            kept.unlink()


def _take_in(source: Path | BinaryIO, part: Path, progress: Progress) -> None:
    """Copy the backup into the empty file `part`."""
    if not isinstance(source, Path):
        with part.open("wb") as out:
            while block := source.read(backup.BLOCK):
                out.write(block)
        return
    if not source.is_file():
        raise errors.Refused(f"There is no file {source}.")
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            backup.pages(opened, part, progress)
    except sqlite3.Error as problem:
        raise errors.Refused(
            f"{source} cannot be read, or there is no room for a copy of it: {problem}. Nothing was changed."
        ) from problem


def _expect_ours(copy: Database, source: Path | BinaryIO, progress: Progress) -> str:
    """The revision of the backup's schema, which this program knows. Raises Refused for what cannot be restored."""
    assert copy.file is not None
    name = _name(source)
    found = backup.damages(copy.file, progress)
    if found:
        raise errors.Refused(f"{name} is damaged: {'; '.join(found)}. Nothing was changed. Take another backup.")
    with faults.translated(), copy.reads.connect() as connection:
        schema = schema_version.of(connection)
        ours = sa.inspect(connection).has_table(tables.access.tenants.name)
    if schema is None or not ours:
        raise errors.Refused(FOREIGN.format(name))
    if schema not in schema_version.known():
        raise errors.Refused(
            f"{name} has the schema {schema}, and this program knows {schema_version.newest()} at most. "
            "Restore it with the version that made it, or a newer one. Nothing was changed."
        )
    return schema


def _upgrade(copy: Database, source: Path | BinaryIO) -> None:
    copy.close()
    with faults.translated():
        migrations.upgrade(copy.url)
        differences = migrations.differences(copy.url)
    if differences:
        raise errors.Refused(FOREIGN.format(_name(source)))


def _name(source: Path | BinaryIO) -> str:
    return str(source) if isinstance(source, Path) else "What was read"


def _own_like(part: Path, live: Path) -> None:
    """The new file belongs to whom the old one did, with its mode; a first one to whom its folder belongs."""
    like = os.stat(live if live.exists() else live.parent)
    if live.exists():
        os.chmod(part, like.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(part, like.st_uid, like.st_gid)


def _put_aside(live: Path, damaged: bool, clock: Clock) -> Path:
    """A second name for the database, by the time; of a damaged one also what SQLite kept beside it."""
    stamp, number = clock.now().strftime("%Y%m%dT%H%M%SZ"), 1
    while True:
        kept = live.with_name(f"{live.name}.{KEPT}-{stamp}" + (f"-{number}" if number > 1 else ""))
        try:
            beside.keep(live, kept)
            break
        except FileExistsError:
            number += 1
    for ending in COMPANIONS if damaged else ():
        if Path(f"{live}{ending}").exists():
            os.rename(f"{live}{ending}", f"{kept}{ending}")
    beside.sync(live.parent)
    return kept
