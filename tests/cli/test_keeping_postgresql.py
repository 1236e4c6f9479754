"""PostgreSQL is backed up and brought back by its own programs, and then it is like any other restore (F20)."""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from scim_service.storage.database import Database, shown
from tests.cli.conftest import Terminal


@pytest.fixture
def kind() -> str:
    """Only PostgreSQL has such programs."""
    return "postgresql"


@pytest.fixture
def programs(postgresql_programs: Path) -> dict[str, str]:
    """An environment with the server's own pg_dump and pg_restore."""
    return {**os.environ, "PATH": f"{postgresql_programs}{os.pathsep}{os.environ['PATH']}"}


def run(command: str, programs: dict[str, str]) -> None:
    done = subprocess.run(shlex.split(command), env=programs, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def told(refusal: str, program: str) -> str:
    """The command that a refusal gives the reader."""
    return refusal[refusal.index(f"{program} --") :]


def test_the_commands_that_are_told_bring_everything_back_and_what_was_revoked_stays_so(
    acme: Terminal, empty_postgresql_url: str, programs: dict[str, str], tmp_path: Path
) -> None:
    ended, kept = (acme.do("token", "create", "acme", "--connection", "okta").out[5:13] for _ in range(2))
    file = tmp_path / "scim.dump"
    run(told(acme.refused("backup", str(file)), "pg_dump"), programs)
    acme.do("token", "revoke", "acme", ended)
    acme.do("admin", "add", "acme", "--email", "ada@acme.example", "--name", "Ada", "--role", "auditor")
    new = Terminal({**acme.environment, "SCIM_DATABASE_URL": empty_postgresql_url})
    way = told(new.refused("restore", str(file)), "pg_restore").partition(", then:")[0].replace("FILE", str(file))
    run(way, programs)
    new.do("db", "upgrade")
    said = new.do("restore", "--after-pg-restore", "--old", acme.environment["SCIM_DATABASE_URL"], "--json").json
    assert said["epoch"] > 1
    assert said["compared"]
    assert said["tokens"] == {
        "revoked": [{"tenant": "acme", "connection": "okta", "prefix": ended}],
        "lost": [],
        "review": [],
    }
    states = {one["prefix"]: one["state"] for one in new.do("token", "list", "acme", "--json").json}
    assert states == {ended: "revoked", kept: "live"}
    assert "nothing differs" in new.do("db", "check").out
    again = new.do("restore", "--after-pg-restore")
    assert "There was no database to compare with" in again.out
    assert kept in again.out
    assert ended not in again.out


def test_each_database_is_told_its_own_way(acme: Terminal) -> None:
    url = shown(acme.environment["SCIM_DATABASE_URL"])
    for arguments in ([], ["copy.db"], ["copy.db", "--after-pg-restore"]):
        refusal = acme.refused("restore", *arguments)
        assert f"pg_restore --no-owner --dbname={shlex.quote(url)} FILE" in refusal
        assert "restore --after-pg-restore" in refusal


def test_it_is_refused_while_a_service_is_connected(acme: Terminal) -> None:
    with closing(Database(acme.environment["SCIM_DATABASE_URL"])) as serving:
        with serving.reads.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        assert acme.refused("restore", "--after-pg-restore").endswith("[in_use]")
    assert acme.do("restore", "--after-pg-restore", "--json").json["epoch"] > 1
