"""`db`: upgrading is done once, checking tells the truth."""

from __future__ import annotations

import stat
from pathlib import Path

from scim_service.storage import schema_version
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
