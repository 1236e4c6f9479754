"""`db`: upgrading is done once, checking tells the truth."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from scim_service.storage import schema_version, tables
from scim_service.storage.database import shown
from tests.cli.conftest import Terminal


def test_an_upgrade_makes_the_folder_for_its_owner_and_can_be_repeated(tmp_path: Path) -> None:
    fresh = Terminal({"SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/new/scim.db"})
    for _ in range(2):
        assert schema_version.newest() in fresh.do("db", "upgrade").out
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert "nothing differs" in fresh.do("db", "check").out


def test_a_current_database_is_checked_and_found_right(terminal: Terminal) -> None:
    assert schema_version.newest() in terminal.do("db", "check").out
    assert terminal.do("db", "check", "--json").json == {"schema": schema_version.newest(), "differences": []}
    assert terminal.do("db", "upgrade", "--json").json == {"schema": schema_version.newest(), "kept": None}


def test_a_database_that_is_not_there_fails_the_check(tmp_path: Path) -> None:
    assert "db upgrade" in Terminal({"SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}).refused("db", "check")


@pytest.fixture
def target(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the other kind."""
    if kind == "postgresql":
        return f"sqlite:///{tmp_path / 'target.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


def test_an_installation_is_copied_with_its_counts_and_goes_on_there(acme: Terminal, target: str) -> None:
    prefix = acme.do("token", "create", "acme", "--connection", "okta").out[5:13]
    said = acme.do("db", "copy", "--to", target)
    assert f"tables are in {shown(target)}; the counts agree." in said.out
    assert said.err == ""
    there = Terminal({**acme.environment, "SCIM_DATABASE_URL": target})
    assert there.do("token", "list", "acme", "--json").json[0]["prefix"] == prefix
    assert "nothing differs" in there.do("db", "check").out
    assert there.do("seats", "acme", "--json").json == acme.do("seats", "acme", "--json").json
    assert "not empty" in acme.refused("db", "copy", "--to", target)


def test_what_was_copied_is_told_to_a_program(acme: Terminal, target: str) -> None:
    told = acme.do("db", "copy", "--to", target, "--json").json
    assert told["to"] == shown(target)
    assert set(told["tables"]) == set(tables.metadata.tables)
    assert (told["tables"]["tenants"], told["tables"]["license_types"], told["findings"]) == (1, 2, {})


def test_what_was_wrong_before_is_copied_and_told_with_status_1(
    acme: Terminal, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scim_service.licensing.verify.findings", lambda _: ["basic: odd."])
    said = acme.run("db", "copy", "--to", target)
    assert said.status == 1
    assert said.out.splitlines()[1:] == ["acme: basic: odd."]


def test_a_target_that_is_no_database_is_refused(acme: Terminal) -> None:
    assert "sqlite:///FILE or postgresql://" in acme.refused("db", "copy", "--to", "mysql://x/y")
    assert "cannot be reached" in acme.refused("db", "copy", "--to", "postgresql://u@/d?host=/nowhere")
