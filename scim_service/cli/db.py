"""The command `db`: the schema of the database."""

from __future__ import annotations

import os

import click

from scim_service import config, errors
from scim_service.cli import arguments, opening, output
from scim_service.storage import faults, migrations, schema_version


@click.group()
def db() -> None:
    """Bring the database to this program's schema, or check it."""


@db.command()
@arguments.as_json
def upgrade(as_json: bool) -> None:
    """Bring the database to the newest schema; does nothing when it is there. Make a backup first.

    \b
    Example:
      SCIM_DATABASE_URL=postgresql://scim@db/scim scim-service db upgrade
    """
    to_newest(config.from_environment(os.environ).database_url)
    newest = schema_version.newest()
    output.made(f"The database has the schema {newest}.", {"schema": newest}, as_json)


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


def to_newest(url: str) -> None:
    """Make or migrate the database at `url`; the folder of an SQLite file is made for its owner alone."""
    file = opening.sqlite_file(url)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with faults.translated():
        migrations.upgrade(url)
