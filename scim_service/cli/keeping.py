"""The commands `backup` and `restore`: an installation in one file, and back (reliability.md F19, F20)."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from scim_service import app, config, errors
from scim_service.cli import arguments, opening, output, reviews
from scim_service.clock import Clock
from scim_service.config import Settings
from scim_service.directory import restored
from scim_service.storage import backup as backups
from scim_service.storage import restoring, schema_version
from scim_service.storage.database import Database, shown, sqlite_file
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Work

PIPE = "-"
MIB = 1 << 20
SQLITE_WAY = "This database is SQLite. Bring a backup back with: scim-service restore FILE"
POSTGRESQL_WAY = (
    "This database is PostgreSQL. Fill an empty one with: pg_restore --no-owner --dbname={} FILE, then: scim-service "
    "db upgrade, then: scim-service restore --after-pg-restore"
)


@click.command()
@click.argument("file")
@click.option("--force", is_flag=True, help="Replace FILE, if it is there, once the new backup is whole.")
@arguments.as_json
def backup(file: str, force: bool, as_json: bool) -> None:
    """Write the SQLite database into FILE, as it is at this moment, and check the copy; FILE - is standard output.

    The service may run and write meanwhile. FILE is for its owner alone and is as secret as the database: it holds
    people's names and addresses. Not in it is SCIM_SECRET_KEY. PostgreSQL has programs of its own for this.

    \b
    Example:
      scim-service backup /backups/scim-2027-03-01.db
      scim-service backup - | age -r "$RECIPIENT" > /backups/scim-2027-03-01.age
    """
    settings = config.from_environment(os.environ)
    if sqlite_file(settings.database_url) is None:
        raise errors.Refused(f"This database is PostgreSQL. Back it up with: {pg_dump(settings.database_url, file)}")
    with opening.opened(settings) as service, output.watched() as progress:
        if file == PIPE:
            _expect_pipe(as_json)
            backups.stream(service.store.database, sys.stdout.buffer, progress)
            return
        made = backups.write(service.store.database, Path(file), force=force, progress=progress)
    sentence = f"{made.file} is a backup of {made.bytes / MIB:,.1f} MiB with the schema {made.schema}; it was checked."
    output.made(sentence, {"file": made.file, "bytes": made.bytes, "schema": made.schema}, as_json)


@click.command()
@click.argument("file", required=False)
@click.option("--after-pg-restore", is_flag=True, help="PostgreSQL: pg_restore has filled this database.")
@click.option(
    "--old", type=arguments.DatabaseUrl(), help="With --after-pg-restore: the database from before, to compare with."
)
@arguments.as_json
def restore(file: str | None, after_pg_restore: bool, old: str | None, as_json: bool) -> None:
    """Put the backup FILE in the place of the SQLite database; FILE - is standard input. Stop the service first.

    It is refused while another process has the database open. The backup is checked, brought to this
    program's schema, and put in place at once; the database from before is kept beside it. Nothing that was ended since
    the backup comes back: links and sessions from before are dead, tokens that were revoked and bans stay. What should
    be looked at is listed: tokens that nothing can be said of, administrators and people who are back.

    On PostgreSQL, fill an empty database with pg_restore, then:
    scim-service db upgrade && scim-service restore --after-pg-restore

    \b
    Example:
      scim-service restore /backups/scim-2027-03-01.db
      age -d -i key.txt /backups/scim-2027-03-01.age | scim-service restore -
      scim-service restore --after-pg-restore --old postgresql://scim@db.example.com/scim_broken
    """
    settings = config.from_environment(os.environ)
    is_file = sqlite_file(settings.database_url) is not None
    if is_file == after_pg_restore or is_file == (file is None) or (is_file and old):
        raise errors.Refused(
            SQLITE_WAY if is_file else POSTGRESQL_WAY.format(shlex.quote(shown(settings.database_url)))
        )
    sentences, record = _from_file(settings, str(file)) if is_file else _after_pg_restore(old)
    output.made("\n".join(sentences), record, as_json)


def _from_file(settings: Settings, file: str) -> tuple[list[str], dict[str, Any]]:
    store = app.open_store(settings)
    source = sys.stdin.buffer if file == PIPE else Path(file)
    with output.watched() as progress, restoring.restoring(store.database, source, store.clock, progress) as under_way:
        with under_way.store.writing(EVERY_TENANT, opening.actor()) as work:
            before = None if under_way.old is None else replace(work, connection=under_way.old)
            found = restored.review(work, before)
        kept = under_way.finish()
    place = str(store.database.file)
    sentences = [f"{file} is in its place: {place}, with the schema {schema_version.newest()}."]
    if kept is not None:
        what = "It was damaged, and is kept" if under_way.damaged else "The database from before is kept"
        sentences.append(f"{what} in {kept}. It is as secret as the new one.")
    schema = {"backup": under_way.schema, "now": schema_version.newest()}
    record = {"file": place, "kept": None if kept is None else str(kept), "schema": schema, **asdict(found)}
    return [*sentences, *reviews.told(found)], record


def _after_pg_restore(old: str | None) -> tuple[list[str], dict[str, Any]]:
    with opening.service() as service, ExitStack() as opened:
        service.store.database.close()
        service.change_any(lambda work: restoring.expect_alone(work.connection))
        before = None if old is None else opened.enter_context(_other(old, service.store.clock))
        found = service.change_any(lambda work: restored.review(work, before))
    return list(reviews.told(found)), asdict(found)


@contextmanager
def _other(url: str, clock: Clock) -> Iterator[Work]:
    """The database from before, for questions that may take long."""
    database = Database(url, threads=1)
    with (
        closing(database),
        Store(database, clock).reading(EVERY_TENANT, opening.actor(), seconds=opening.PATIENCE) as work,
    ):
        yield work


def pg_dump(url: str, file: str) -> str:
    """PostgreSQL's own command for a backup of this database."""
    return f"pg_dump --format=custom --file={shlex.quote(file)} {shlex.quote(shown(url))}"


def _expect_pipe(as_json: bool) -> None:
    if as_json or sys.stdout.isatty():
        raise errors.Refused("With FILE - standard output is the backup itself: send it to a file or a program.")
