"""A copy of an SQLite database while it is written to: of one moment, checked, whole or not there (reliability.md F19).

The copy is read in one snapshot, so that writers neither wait nor make it begin anew. It comes out as a single file
that needs no other beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from scim_service import errors
from scim_service.storage import beside, faults, schema_version
from scim_service.storage.database import Database

PAGES = 2_048
"""How much is copied between two looks at how far it is: 8 MiB."""
BLOCK = 1 << 20
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database while it is in use."""
NOTHING = "There is no installation in this database, so there is nothing to back up."

Progress = Callable[[str, str, int, int], None]
"""Called with what is being done to what, how much of it is done, and how much there is."""

_ANYTHING = sa.select(sa.func.count()).select_from(sa.table("sqlite_master"))


@dataclass(frozen=True)
class Backup:
    """What was written: where, how many bytes, and with which schema."""

    file: str
    bytes: int
    schema: str


def write(database: Database, file: Path, *, force: bool, progress: Progress) -> Backup:
    """Write the database as it is at this moment into `file`, for its owner alone (S6).

    Raises Refused for a file that is there unless `force` is given, and for a database that is damaged; nothing is
    left behind then.
    """
    _refuse_to_overwrite(database, file, force)
    with _part(file) as part:
        schema = copy(database, part, progress)
        size = part.stat().st_size
        if force:
            remove_companions(file)
        try:
            beside.put(part, file, replace=force)
        except FileExistsError as problem:
            raise _taken(file) from problem
    return Backup(str(file), size, schema)


def before_upgrade(database: Database, progress: Progress) -> Path | None:
    """Write an SQLite database of an older schema beside itself, before it is changed (F17); None for any other."""
    file = database.file
    if file is None or not file.exists():
        return None
    with faults.translated(), database.reads.connect() as connection:
        found, newest = schema_version.of(connection), schema_version.newest()
    if found is None or found >= newest:
        return None
    kept = file.with_name(f"{file.name}.before-{newest}")
    write(database, kept, force=True, progress=progress)
    return kept


def stream(database: Database, out: BinaryIO, progress: Progress) -> Backup:
    """The same into a stream, such as a pipe to a program that encrypts; it waits beside the database meanwhile."""
    assert database.file is not None
    if not database.file.exists():
        raise errors.Refused(NOTHING)
    with _part(database.file) as part:
        schema = copy(database, part, progress)
        with part.open("rb") as made:
            shutil.copyfileobj(made, out, BLOCK)
        out.flush()
        return Backup("-", part.stat().st_size, schema)


def copy(database: Database, part: Path, progress: Progress) -> str:
    """Copy one snapshot into the empty file `part` and check it; the revision of its schema.

    Raises Refused where there is no database of ours, or a damaged one.
    """
    with faults.translated(), database.reads.connect() as source, source.begin():
        source.execute(_ANYTHING)  # the snapshot begins with the first look
        schema = schema_version.of(source)
        if schema is None:
            raise errors.Refused(NOTHING)
        try:
            pages(source.connection.driver_connection, part, progress)
        except sqlite3.Error as problem:
            raise errors.Refused(
                f"The database could not be copied: {problem}. See whether the disk is full."
            ) from problem
    found = damages(part, progress)
    if found:
        raise errors.Refused(f"The database is damaged: {'; '.join(found)}. Restore the last backup that was sound.")
    return schema


def pages(source: Any, part: Path, progress: Progress) -> None:
    """Copy all pages of an open database into the empty file `part`, and make it a single file."""

    def told(_status: int, remaining: int, total: int) -> None:
        progress("Copy", "pages", total - remaining, total)

    with closing(sqlite3.connect(part, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=OFF")  # it is brought to the disk as a whole, before it gets its name
        source.backup(target, pages=PAGES, progress=told)
    settle(part)


def settle(part: Path) -> None:
    """Bring what SQLite keeps beside a database that nobody has open into its one file."""
    with closing(sqlite3.connect(part, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=DELETE")


def damages(part: Path, progress: Progress) -> list[str]:
    """What SQLite finds wrong with a file, a few sentences at most; empty for one that is sound."""
    progress("Check", "files", 0, 1)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
            lost = database.execute("PRAGMA foreign_key_check").fetchmany(3)
            found += [f"row {number} of {table} refers to no row of {other}" for table, number, other, _ in lost]
    except sqlite3.DatabaseError as problem:
        found = [str(problem)]
    progress("Check", "files", 1, 1)
    return found


def remove(part: Path) -> None:
    """Take a file that was not finished away, and what SQLite kept beside it."""
    part.unlink(missing_ok=True)
    remove_companions(part)


def remove_companions(file: Path) -> None:
    """Take away what SQLite kept beside a database that is to be another one."""
    for ending in COMPANIONS:
        Path(f"{file}{ending}").unlink(missing_ok=True)


@contextmanager
def _part(file: Path) -> Iterator[Path]:
    """An empty file beside `file`, to be filled and named; gone at the end if it was not."""
    part = beside.new(file, "part")
    try:
        yield part
    finally:
        remove(part)


def _refuse_to_overwrite(database: Database, file: Path, force: bool) -> None:
    assert database.file is not None
    if not database.file.exists():
        raise errors.Refused(NOTHING)
    own = [Path(f"{database.file}{ending}") for ending in ("", *COMPANIONS)]
    if file.exists() and any(one.exists() and one.samefile(file) for one in own):
        raise errors.Refused(f"{file} is the database itself. Choose another file for the backup.")
    if file.exists() and not file.is_file():
        raise errors.Refused(f"{file} is not a file. Choose another one for the backup.")
    if file.exists() and not force:
        raise _taken(file)


def _taken(file: Path) -> errors.Refused:
    return errors.Refused(f"{file} is there already. Choose another file, or replace it with --force.")
