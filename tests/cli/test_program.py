"""The program as a whole: help worth reading, one sentence for every refusal, nothing opened before it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scim_service.cli import program
from tests.cli.conftest import Terminal


def commands() -> Iterator[tuple[str, ...]]:
    for name in program.COMMANDS:
        found = program.root.get_command(click.Context(program.root), name)
        if isinstance(found, click.Group):
            yield from ((name, one) for one in found.commands)
        else:
            yield (name,)


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_the_help_of_every_command_shows_an_example_of_itself(command: tuple[str, ...]) -> None:
    said = CliRunner().invoke(program.root, [*command, "--help"])
    assert said.exit_code == 0
    assert f"scim-service {' '.join(command)}" in said.stdout.split("Example:")[1]


@pytest.mark.parametrize("command", [one for one in commands() if one not in {("serve",), ("worker",)}], ids=" ".join)
def test_every_command_prints_json_but_those_that_log_it_anyway(command: tuple[str, ...]) -> None:
    assert "--json" in CliRunner().invoke(program.root, [*command, "--help"]).stdout


def test_the_help_lists_every_command_and_imports_none_of_them() -> None:
    script = "import sys; from scim_service.cli import program; program.root.main(['--help'])"
    check = f"import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); {script}"
    said = subprocess.run([sys.executable, "-c", check], check=False, capture_output=True, text=True, timeout=60)
    listed, loaded = said.stdout.split("LOADED")
    assert all(f"  {name} " in listed for name in program.COMMANDS)
    assert not {"flask", "sqlalchemy", "apscheduler"} & set(loaded.split())


def test_an_unknown_command_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    assert "No such command" in Terminal({"SCIM_DATA_DIR": str(tmp_path)}).refused("conquer")


def test_a_missing_option_is_one_sentence_that_names_the_help(tmp_path: Path) -> None:
    sentence = Terminal({"SCIM_DATA_DIR": str(tmp_path)}).refused("tenant", "create", "acme")
    assert "--name" in sentence
    assert sentence.endswith("See: scim-service tenant create --help")


def test_a_database_that_is_not_there_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "scim.db"
    sentence = Terminal({"SCIM_DATABASE_URL": f"sqlite:///{file}"}).refused("seats", "acme")
    assert "scim-service db upgrade" in sentence
    assert not file.exists()


def test_an_empty_database_is_refused_with_the_command_that_fills_it(tmp_path: Path) -> None:
    file = tmp_path / "scim.db"
    file.touch()
    assert "scim-service db upgrade" in Terminal({"SCIM_DATABASE_URL": f"sqlite:///{file}"}).refused("seats", "acme")


def test_bad_settings_are_one_sentence_that_names_every_bad_key(tmp_path: Path) -> None:
    bad = {"SCIM_DATABASE_URL": "mysql://nowhere", "SCIM_CLOCK": "yesterday"}
    sentence = Terminal({"SCIM_DATA_DIR": str(tmp_path)}).run("seats", "acme", **bad)
    assert sentence.status == 2
    assert all(key in sentence.err for key in bad)
    assert "Traceback" not in sentence.err


def test_an_unknown_tenant_is_refused_with_the_command_that_makes_it(terminal: Terminal) -> None:
    assert "scim-service tenant create initech" in terminal.refused("seats", "initech")


def test_a_missing_option_is_told_on_one_line_with_what_there_is_to_choose_from(terminal: Terminal) -> None:
    said = terminal.refused("connection", "create", "acme", "--name", "okta")
    assert said.startswith("Missing option '--profile'. Choose from: entra, okta, rfc See: ")
