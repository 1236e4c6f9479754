"""Backups are made while a service is written to all the time; each is brought back with everything true (F19, F20)."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit
from scim_service.cli import demo_data, opening
from scim_service.clock import Clock
from scim_service.config import from_environment
from scim_service.licensing import replay, verify
from scim_service.storage import migrations, tables
from scim_service.storage.database import Database, shown
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.cli import processes
from tests.cli.conftest import Terminal
from tests.cli.writers import Writers
from tests.conftest import Count
from tests.races import soundness

KEY = "a key for tests only, long enough to be one"
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
BLOCKS = 5 if PROVE else 1
ROUNDS = 10 if PROVE else 5
"""In a block: `make prove` makes fifty backups, `make test` a tenth of them (decision 38)."""

WRITERS = 3
USERS = tables.directory.users
NAMES = sa.select(USERS.c.user_name_key).where(USERS.c.tenant_id == sa.bindparam("tenant"))


@dataclass
class Running:
    """A service under load: its terminal, those who write, and what takes a backup and brings one back."""

    terminal: Terminal
    writers: Writers
    take: Callable[[Path], None]
    bring: Callable[[Path, Path], tuple[Terminal, dict[str, Any]]]


@pytest.fixture
def under_load(database_url: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A real server in a process of its own, with its jobs, and three clients that never rest."""
    environment = {"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": KEY, "SCIM_LOG_LEVEL": "ERROR"}
    with opening.opened(from_environment(environment)) as service:
        token = demo_data.plant(service, KEY).tokens["acme", "okta"]
    port = processes.free_port()
    terminal = Terminal(environment)
    way = of_sqlite(terminal) if kind == "sqlite" else of_postgresql(terminal, request)
    seed = request.node.callspec.params.get("block", 0)
    with processes.running(["-m", "scim_service.cli", "serve", "--port", str(port)], environment) as process:
        processes.wait_until_live(port, process)
        writers = Writers(f"http://127.0.0.1:{port}/scim/v2", token, WRITERS, seed)
        with writers.writing():
            yield Running(terminal, writers, *way)
        status, _, err = processes.ended(process)
    assert (status, err, writers.problems) == (0, "", [])


def of_sqlite(terminal: Terminal) -> tuple[Any, Any]:
    """`backup` and `restore`; in the place of the database that runs, a backup of it as it is by then."""

    def take(file: Path) -> None:
        terminal.do("backup", str(file))

    def bring(file: Path, folder: Path) -> tuple[Terminal, dict[str, Any]]:
        take(folder / "scim.db")
        there = Terminal({**terminal.environment, "SCIM_DATABASE_URL": f"sqlite:///{folder / 'scim.db'}"})
        return there, there.do("restore", str(file), "--json").json

    return take, bring


def of_postgresql(terminal: Terminal, request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """pg_dump and pg_restore, and then our part."""
    programs = request.getfixturevalue("postgresql_programs")
    make = request.getfixturevalue("another_database")

    def run(command: str) -> None:
        subprocess.run(shlex.split(f"{programs}/{command}"), check=True, capture_output=True)

    def take(file: Path) -> None:
        url = shown(terminal.environment["SCIM_DATABASE_URL"])
        run(f"pg_dump --format=custom --file={file} {shlex.quote(url)}")

    def bring(file: Path, folder: Path) -> tuple[Terminal, dict[str, Any]]:
        url = make()
        run(f"pg_restore --no-owner --dbname={shlex.quote(shown(url))} {file}")
        there = Terminal({**terminal.environment, "SCIM_DATABASE_URL": url})
        old = terminal.environment["SCIM_DATABASE_URL"]
        return there, there.do("restore", "--after-pg-restore", "--old", old, "--json").json

    return take, bring


@pytest.mark.proof
@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_backup_under_load_comes_back_with_everything_true_and_nothing_that_was_revoked(
    under_load: Running, block: int, tmp_path: Path, count: Count
) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        acknowledged, ended = under_load.writers.acknowledged(), new_token(under_load.terminal)
        under_load.take(folder / "backup")
        tried = set(under_load.writers.tried)
        under_load.terminal.do("token", "revoke", "acme", ended)
        there, told = under_load.bring(folder / "backup", folder)
        assert [one["prefix"] for one in told["tokens"]["revoked"]] == [ended]
        assert told["tokens"]["review"] == []
        found = sound(there)
        assert acknowledged & under_load.writers.acknowledged() - found == set()
        assert found - tried == set()
        count("{:,} backups under load brought back")
        shutil.rmtree(folder)
    assert len(under_load.writers.answers) > 10 * ROUNDS


def new_token(terminal: Terminal) -> str:
    return terminal.do("token", "create", "acme", "--connection", "rfc").out[5:13]


def sound(there: Terminal) -> set[str]:
    """The people of the writers in a restored database, in which everything has to be true."""
    url = there.environment["SCIM_DATABASE_URL"]
    assert migrations.differences(url) == []
    with opened(url) as store:
        for tenant in tenants_of(store):
            with store.reading(tenant, Actor("cli", "test"), seconds=60) as work:
                assert soundness.faults(work) == []
                assert verify.findings(work) == []
                assert replay.differences(replay.fold(audit.everything(work)), replay.tabled(work)) == []
        with store.reading(1, Actor("cli", "test")) as work:
            found = {row.user_name_key for row in work.rows(NAMES)}
    if url.startswith("sqlite"):
        assert_sound_file(Path(url.removeprefix("sqlite:///")))
    return {name for name in found if name.startswith("w")}


def assert_sound_file(file: Path) -> None:
    with closing(sqlite3.connect(file)) as opened_file:
        assert opened_file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert opened_file.execute("PRAGMA foreign_key_check").fetchall() == []


@contextmanager
def opened(url: str) -> Iterator[Store]:
    with closing(Database(url, threads=2)) as database:
        yield Store(database, Clock())


def tenants_of(store: Store) -> list[int]:
    with store.reading(EVERY_TENANT, Actor("cli", "test")) as work:
        return [row.id for row in work.rows(sa.select(tables.access.tenants.c.id))]
