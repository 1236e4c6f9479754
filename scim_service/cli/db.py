"""The command `db`: the schema of the database."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from scim_service import config, errors, jobs
from scim_service.cli import arguments, opening, output
from scim_service.cli.seats import WRONG
from scim_service.licensing import verify
from scim_service.storage import backup, copying, faults, migrations, schema_version
from scim_service.storage.database import Database, shown, sqlite_file


@click.group()
def db() -> None:
    """Bring the database to this program's schema, check it, or move to another database."""


@db.command()
@click.option(
    "--no-backup", is_flag=True, help="SQLite: do not keep the old file, where the disk has no room for both."
)
@arguments.as_json
def upgrade(no_backup: bool, as_json: bool) -> None:
    """Bring the database to the newest schema; does nothing when it is there.

    An SQLite file of an older schema is kept beside, as it was. Of PostgreSQL make a backup first.

    \b
    Example:
      SCIM_DATABASE_URL=postgresql://scim@db/scim scim-service db upgrade
    """
    kept = to_newest(config.from_environment(os.environ).database_url, with_backup=not no_backup)
    newest = schema_version.newest()
    sentence = f"The database has the schema {newest}." + (f" As it was before it is kept in {kept}." if kept else "")
    output.made(sentence, {"schema": newest, "kept": None if kept is None else str(kept)}, as_json)


@db.command()
@arguments.as_json
def check(as_json: bool) -> None:
    """Check that the database has exactly this program's schema.

    \b
    Example:
      scim-service db check
    """
    with opening.service() as service, faults.translated():
        differences = migrations.differences(service.store.database.url)
    if differences:
        raise errors.Refused(f"The database is not what this program expects: {'; '.join(differences)}.")
    newest = schema_version.newest()
    record = {"schema": newest, "differences": differences}
    output.made(f"The database has the schema {newest}, and nothing differs.", record, as_json)


@db.command()
@click.option("--to", "target", required=True, type=arguments.DatabaseUrl(), help="An empty database.")
@arguments.as_json
def copy(target: str, as_json: bool) -> int:
    """Move the whole installation to an empty database, such as from SQLite to PostgreSQL. Stop the service first.

    All of it arrives, or nothing. What is written meanwhile does not come along, so that the service has to be stopped,
    and started with the new SCIM_DATABASE_URL. Tokens, links and sessions stay as they are, with the same
    SCIM_SECRET_KEY. Leave the password out of the command: PostgreSQL takes it from PGPASSWORD or ~/.pgpass. Exit
    status 1 where the seats of a tenant are not as they should be, which then was so before.

    \b
    Example:
      scim-service db copy --to postgresql://scim@db.example.com/scim?sslmode=verify-full
    """
    with opening.service() as service, closing(Database(target, threads=2)) as new, output.watched() as progress:
        jobs.tick_due(service.store)
        now = service.store.clock.now()
        copied = copying.copy(service.store.database, new, now=now, judge=verify.findings, progress=progress)
    rows = sum(copied.tables.values())
    wrong = [output.cell(f"{slug}: {one}") for slug, found in copied.findings.items() for one in found]
    sentences = [f"{rows:,} rows of {len(copied.tables)} tables are in {shown(target)}; the counts agree.", *wrong]
    output.made("\n".join(sentences), {"to": shown(target), **asdict(copied)}, as_json)
    return WRONG if wrong else 0


def to_newest(url: str, *, with_backup: bool = True) -> Path | None:
    """Make or migrate the database at `url`; the file in which an older SQLite database is kept, if there was one.

    The folder of a new file is made for its owner alone.
    """
    file = sqlite_file(url)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with faults.translated(), closing(Database(url, threads=1)) as database, output.watched() as progress:
        kept = backup.before_upgrade(database, progress) if with_backup else None
    with faults.translated():
        migrations.upgrade(url)
    return kept
