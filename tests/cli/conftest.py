"""A terminal on a test database: what a command prints where, and how it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scim_service.cli import program
from scim_service.clock import Clock
from scim_service.directory import groups, users
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work

NOW = "2027-03-01T08:00:00Z"


@dataclass(frozen=True)
class Said:
    """What a command did: its status, and what it wrote on standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Terminal:
    """Runs commands with the settings of one service."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, *arguments: str, **settings: str) -> Said:
        """The command, whatever it did."""
        got = CliRunner().invoke(program.root, list(arguments), env={**self.environment, **settings})
        if got.exception is not None and not isinstance(got.exception, SystemExit):
            raise got.exception
        return Said(got.exit_code, got.stdout, got.stderr)

    def do(self, *arguments: str, **settings: str) -> Said:
        """The command, which must succeed."""
        said = self.run(*arguments, **settings)
        assert said.status == 0, said.err
        return said

    def refused(self, *arguments: str, **settings: str) -> str:
        """The one sentence of a command that must be refused."""
        said = self.run(*arguments, **settings)
        assert said.status == 2, said
        assert said.out == ""
        assert len(said.err.splitlines()) == 1, said.err
        return said.err.strip()


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal({"SCIM_DATABASE_URL": database_url, "SCIM_DATA_DIR": str(tmp_path / "data"), "SCIM_CLOCK": NOW})


@pytest.fixture
def acme(terminal: Terminal) -> Terminal:
    """A terminal where Acme has a family of two types, a contract of one seat each, and a connection."""
    terminal.do("tenant", "create", "acme", "--name", "Acme Inc.", "--exit-grace", "0")
    terminal.do("connection", "create", "acme", "--name", "okta", "--profile", "okta")
    for code, rank in (("basic", "10"), ("professional", "20")):
        family = ("--product", "Suite", "--family", "suite", "--rank", rank)
        terminal.do("license-type", "create", "acme", code, "--name", code.title(), *family)
    terminal.do("contract", "create", "acme", "--number", "C-1", "--seats", "basic=1", "professional=1")
    return terminal


Write = Callable[[Callable[[Work], Any]], Any]


@pytest.fixture
def write(database_url: str) -> Iterator[Write]:
    """Does something in one transaction of the first tenant, as its identity provider would."""
    store = Store(Database(database_url, threads=2), Clock.parse(NOW))

    def act(what: Callable[[Work], Any]) -> Any:
        with store.writing(1, Actor("connection", "okta", 1)) as work:
            return what(work)

    yield act
    store.database.close()


def person(name: str) -> Callable[[Work], str]:
    """Makes a person of this userName; the answer is the id."""
    return lambda work: users.create(work, {"userName": name}).id


def group(name: str, *members: str) -> Callable[[Work], str]:
    """Makes a group with these members (ids); the answer is its id."""
    payload = {"displayName": name, "members": [{"value": one} for one in members]}
    return lambda work: groups.create(work, payload).resource.id
