"""`backup` and `restore`: what is written, what is refused, what is said."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scim_service.storage import schema_version
from tests.cli.conftest import Terminal


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
