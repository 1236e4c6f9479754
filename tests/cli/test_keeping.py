"""`backup` and `restore`: what is written, what is refused, what is said."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scim_service.clock import Clock
from scim_service.directory import users
from scim_service.storage import migrations, schema_version
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work
from tests.cli.conftest import NOW, Terminal, person
from tests.samples import installation


@pytest.fixture
def kind() -> str:
    """These commands are SQLite's; PostgreSQL's own programs do the same for it."""
    return "sqlite"


def slugs(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT slug FROM tenants")]


def test_a_backup_says_what_it_is_and_is_not_written_over(acme: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    said = acme.do("backup", str(file))
    assert str(file) in said.out
    assert "checked" in said.out
    assert said.err == ""
    assert "--force" in acme.refused("backup", str(file))
    told = acme.do("backup", str(file), "--force", "--json").json
    assert told == {"file": str(file), "bytes": file.stat().st_size, "schema": schema_version.newest()}
    assert slugs(file) == ["acme"]


def test_a_backup_goes_through_a_pipe(acme: Terminal, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scim_service.cli", "backup", "-"]
    piped = subprocess.run(command, env=acme.environment, capture_output=True, check=True)
    (tmp_path / "piped.db").write_bytes(piped.stdout)
    assert slugs(tmp_path / "piped.db") == ["acme"]
    assert piped.stderr == b""
    assert "standard output" in acme.refused("backup", "-", "--json")


def test_nothing_to_back_up_is_said(tmp_path: Path) -> None:
    nobody = Terminal({"SCIM_DATA_DIR": str(tmp_path / "data")})
    assert "nothing to back up" in nobody.refused("backup", str(tmp_path / "copy.db"))
    assert not (tmp_path / "data").exists()


def test_of_postgresql_the_command_is_told_without_the_password(tmp_path: Path) -> None:
    away = Terminal({"SCIM_DATABASE_URL": "postgresql://scim:secret@db.example:5433/scim?sslmode=require"})
    told = away.refused("backup", "my backup.dump")
    assert told.endswith(
        "pg_dump --format=custom --file='my backup.dump' 'postgresql://scim@db.example:5433/scim?sslmode=require'"
    )


@pytest.fixture
def copy(acme: Terminal, tmp_path: Path) -> str:
    """A backup of Acme with one token of its connection."""
    acme.do("token", "create", "acme", "--connection", "okta")
    acme.do("backup", str(tmp_path / "copy.db"))
    return str(tmp_path / "copy.db")


def prefixes(acme: Terminal) -> list[str]:
    return [one["prefix"] for one in acme.do("token", "list", "acme", "--json").json]


def test_a_restore_says_where_the_old_one_is_what_stays_ended_and_what_to_look_at(acme: Terminal, copy: str) -> None:
    [prefix] = prefixes(acme)
    acme.do("token", "revoke", "acme", prefix)
    lost = acme.do("token", "create", "acme", "--connection", "okta").out[5:13]
    said = acme.do("restore", copy)
    assert said.err == ""
    for wanted in (
        "copy.db is in its place",
        "before-restore-20270301T080000Z",
        "links and sessions from before are dead",
        f"Revoked again, as they were since the backup:\nTENANT  CONNECTION  PREFIX\nacme    okta        {prefix}\n",
        f"make new ones for who uses them:\nTENANT  CONNECTION  PREFIX\nacme    okta        {lost}\n",
        "run a full cycle",
    ):
        assert wanted in said.out
    assert acme.do("token", "list", "acme", "--json").json[0]["state"] == "revoked"
    assert "nothing differs" in acme.do("db", "check").out


def test_a_restore_tells_a_program_the_same(acme: Terminal, copy: str, tmp_path: Path) -> None:
    [prefix] = prefixes(acme)
    acme.do("token", "revoke", "acme", prefix)
    acme.do("admin", "add", "acme", "--email", "ada@acme.example", "--name", "Ada", "--role", "auditor")
    told = acme.do("restore", copy, "--json").json
    assert told.pop("epoch") > 1
    assert told == {
        "file": str(tmp_path / "scim.db"),
        "kept": str(tmp_path / "scim.db.before-restore-20270301T080000Z"),
        "schema": {"backup": schema_version.newest(), "now": schema_version.newest()},
        "compared": True,
        "tokens": {"revoked": [{"tenant": "acme", "connection": "okta", "prefix": prefix}], "lost": [], "review": []},
        "administrators": [],
        "invitations": {},
        "banned": [],
        "deactivated": {"count": 0, "ids": []},
        "deleted": {"count": 0, "ids": []},
        "letters": 0,
    }


def write(acme: Terminal, what: Callable[[Work], Any]) -> Any:
    """Do something as the identity provider, and leave the database."""
    database = Database(acme.environment["SCIM_DATABASE_URL"])
    with closing(database), Store(database, Clock.parse(NOW)).writing(1, Actor("connection", "okta", 1)) as work:
        return what(work)


def test_administrators_and_people_who_are_back_are_told(acme: Terminal, tmp_path: Path) -> None:
    for name in ("ann", "ben"):
        write(acme, person(f"{name}@acme.example"))
    cleo = write(acme, person("cleo@acme.example"))
    acme.do("admin", "add", "acme", "--email", "ada@acme.example", "--name", "Ada", "--role", "auditor")
    acme.do("backup", str(tmp_path / "copy.db"))
    acme.do("admin", "remove", "acme", "--email", "ada@acme.example")
    acme.do("person", "ban", "acme", "--user", "ann@acme.example", "--reason", "keys")
    acme.do("person", "deactivate", "acme", "--user", "ben@acme.example")
    write(acme, lambda work: users.delete(work, cleo))
    said = acme.do("restore", str(tmp_path / "copy.db")).out
    assert "TENANT  EMAIL             ROLE     SINCE\nacme    ada@acme.example  auditor  -" in said
    assert "Banned again, as they were since the backup: 1." in said
    assert "deactivated since the backup and are active again: 1" in said
    assert "deleted since the backup and are there again: 1" in said
    assert acme.do("person", "show", "acme", "--user", "ann@acme.example", "--json").json["banned"]


def test_a_restore_goes_through_a_pipe_and_onto_a_fresh_machine(acme: Terminal, copy: str, tmp_path: Path) -> None:
    fresh = {**acme.environment, "SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/fresh/scim.db"}
    command = [sys.executable, "-m", "scim_service.cli", "restore", "-"]
    with open(copy, "rb") as source:
        said = subprocess.run(command, env=fresh, stdin=source, capture_output=True, check=True, text=True).stdout
    assert "There was no database to compare with" in said
    assert f"acme    okta        {prefixes(acme)[0]}" in said
    assert prefixes(Terminal(fresh)) == prefixes(acme)


def test_a_restore_is_refused_while_the_service_has_the_database(acme: Terminal, copy: str) -> None:
    with closing(Database(acme.environment["SCIM_DATABASE_URL"])) as serving:
        with serving.reads.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM tenants").all()
        assert acme.refused("restore", copy).endswith("[in_use]")
    acme.do("restore", copy)


def test_what_cannot_be_restored_is_refused_with_the_way(acme: Terminal, copy: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello")
    assert "cannot be read" in acme.refused("restore", str(tmp_path / "text.db"))
    assert "no file" in acme.refused("restore", str(tmp_path / "none.db"))
    way = "scim-service restore FILE"
    assert way in acme.refused("restore")
    assert way in acme.refused("restore", "--after-pg-restore")
    assert way in acme.refused("restore", copy, "--old", "postgresql://scim@db.example/scim")
    assert "sqlite:///FILE or postgresql://" in acme.refused("restore", copy, "--old", "nonsense")


def test_a_backup_of_an_older_schema_replaces_one_and_both_are_compared(tmp_path: Path) -> None:
    """The database is of the schema 0005 too, as it is where an upgrade went wrong."""
    revision = installation.revisions()[0]
    files = [tmp_path / name for name in ("scim.db", "copy.db")]
    for file in files:
        migrations.upgrade(f"sqlite:///{file}", revision)
        installation.put(f"sqlite:///{file}", installation.read(revision))
    with closing(sqlite3.connect(files[0], isolation_level=None)) as old:
        ended = old.execute("SELECT prefix FROM credentials WHERE revoked_at IS NULL LIMIT 1").fetchone()[0]
        old.execute("UPDATE credentials SET revoked_at = '2027-03-01 09:00:00.000000' WHERE prefix = ?", [ended])
    terminal = Terminal({"SCIM_DATABASE_URL": f"sqlite:///{files[0]}", "SCIM_CLOCK": "2027-03-01T12:00:00Z"})
    told = terminal.do("restore", str(files[1]), "--json").json
    assert told["schema"] == {"backup": revision, "now": schema_version.newest()}
    assert told["compared"]
    assert [one["prefix"] for one in told["tokens"]["revoked"]] == [ended]
    assert "nothing differs" in terminal.do("db", "check").out
    for command in (["seats", "verify", "acme"], ["log", "replay", "acme", "--check"]):
        terminal.do(*command)


def test_an_upgrade_keeps_the_older_database_beside_unless_there_is_no_room(tmp_path: Path) -> None:
    revision = installation.revisions()[0]
    file = tmp_path / "scim.db"
    migrations.upgrade(f"sqlite:///{file}", revision)
    installation.put(f"sqlite:///{file}", installation.read(revision))
    shutil.copy(file, tmp_path / "other.db")
    terminal = Terminal({"SCIM_DATABASE_URL": f"sqlite:///{file}"})
    kept = tmp_path / f"scim.db.before-{schema_version.newest()}"
    assert str(kept) in terminal.do("db", "upgrade").out
    assert installation.kept(f"sqlite:///{kept}") == installation.read(revision)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert terminal.do("db", "upgrade", "--json").json["kept"] is None
    other = Terminal({"SCIM_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"})
    assert other.do("db", "upgrade", "--no-backup", "--json").json["kept"] is None
    assert list(tmp_path.glob("other.db.before*")) == []


FULL = (
    "import resource, runpy, sys\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    "runpy.run_module('scim_service.cli', run_name='__main__')\n"
)


@pytest.mark.parametrize("command", ["backup", "backup -", "restore"])
def test_where_the_disk_is_full_nothing_is_left_and_nothing_is_lost(
    acme: Terminal, copy: str, tmp_path: Path, command: str
) -> None:
    """A limit on the size of files stands for a disk without room."""
    before = sorted(one.name for one in tmp_path.iterdir())
    arguments = {
        "backup": ["backup", str(tmp_path / "new.db")],
        "backup -": ["backup", "-"],
        "restore": ["restore", copy],
    }[command]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *arguments], env=acme.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert sorted(one.name for one in tmp_path.iterdir() if not one.name.endswith(("-wal", "-shm"))) == before
    assert len(prefixes(acme)) == 1
