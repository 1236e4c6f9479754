"""A backup is of one moment, checked, for its owner alone, and whole or not there (reliability.md F19, S6)."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scim_service import errors
from scim_service.access import tenants
from scim_service.storage import backup, beside, schema_version
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")


def silent(_what: str, _verb: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def store(tmp_path: Path, sqlite_template: Path, clock: SettableClock) -> Iterator[Store]:
    """An installation with two tenants, in one SQLite file."""
    file = tmp_path / "scim.db"
    file.write_bytes(sqlite_template.read_bytes())
    found = Store(Database(f"sqlite:///{file}", threads=4), clock)
    made(found, "acme", "globex")
    yield found
    found.database.close()


def made(store: Store, *slugs: str) -> None:
    for slug in slugs:
        with store.writing(EVERY_TENANT, ACTOR) as work:
            tenants.create(work, slug, slug.title())


def slugs(file: Path) -> list[str]:
    """The tenants in a file, read by SQLite alone."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT slug FROM tenants ORDER BY slug")]


def written(store: Store, file: Path, force: bool = False) -> backup.Backup:
    return backup.write(store.database, file, force=force, progress=silent)


def test_a_backup_is_one_file_for_its_owner_alone_with_everything_in_it(store: Store, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        told = written(store, tmp_path / "copy.db")
    finally:
        os.umask(old)
    file = tmp_path / "copy.db"
    assert told == backup.Backup(str(file), file.stat().st_size, schema_version.newest())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert slugs(file) == ["acme", "globex"]
    assert sorted(one.name for one in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("precious")
    with pytest.raises(errors.Refused, match="--force"):
        written(store, file)
    assert file.read_text() == "precious"
    written(store, file, force=True)
    assert slugs(file) == ["acme", "globex"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_appears_meanwhile_is_kept(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "copy.db"
    sync = beside.sync
    monkeypatch.setattr(beside, "sync", lambda place: (file.write_text("precious"), sync(place)))
    with pytest.raises(errors.Refused, match="there already"):
        written(store, file)
    assert file.read_text() == "precious"
    assert list(tmp_path.glob("copy.db?*")) == []


@pytest.mark.parametrize("linking", [True, False], ids=["with links", "without links"])
def test_a_disk_without_second_names_holds_backups_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linking: bool
) -> None:
    def no(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not linking:
        monkeypatch.setattr(os, "link", no)
    written(store, tmp_path / "copy.db")
    with pytest.raises(FileExistsError):
        beside.put(beside.new(tmp_path / "copy.db", "part"), tmp_path / "copy.db", replace=False)
    beside.keep(tmp_path / "copy.db", tmp_path / "second.db")
    with pytest.raises(FileExistsError):
        beside.keep(tmp_path / "copy.db", tmp_path / "second.db")
    assert slugs(tmp_path / "copy.db") == slugs(tmp_path / "second.db") == ["acme", "globex"]


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_the_database_itself_is_never_replaced(store: Store, tmp_path: Path, ending: str) -> None:
    with pytest.raises(errors.Refused, match="itself"):
        written(store, Path(f"{store.database.file}{ending}"), force=True)
    os.link(tmp_path / "scim.db", tmp_path / "other-name.db")
    with pytest.raises(errors.Refused, match="itself"):
        written(store, tmp_path / "other-name.db", force=True)
    assert slugs(tmp_path / "scim.db") == ["acme", "globex"]


def test_what_was_kept_beside_a_replaced_file_does_not_get_into_the_new_one(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    written(store, file)
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("DELETE FROM tenants")
        other.commit()
        left = Path(f"{file}-wal").read_bytes()
    Path(f"{file}-wal").write_bytes(left)
    written(store, file, force=True)
    assert slugs(file) == ["acme", "globex"]


def test_a_folder_that_is_not_there_and_a_place_that_is_no_file_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        written(store, tmp_path / "nowhere" / "copy.db")
    with pytest.raises(errors.Refused, match="not a file"):
        written(store, tmp_path, force=True)


def test_where_no_installation_is_nothing_is_backed_up_and_nothing_is_made(tmp_path: Path) -> None:
    for name, content in (("none.db", None), ("empty.db", b"")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with (
            closing(Database(f"sqlite:///{tmp_path / name}")) as database,
            pytest.raises(errors.Refused, match="no inst"),
        ):
            backup.write(database, tmp_path / "copy.db", force=False, progress=silent)
    assert not (tmp_path / "none.db").exists()
    assert list(tmp_path.glob("copy*")) == []


def test_a_damaged_database_gives_no_backup(store: Store, tmp_path: Path) -> None:
    store.database.close()
    with closing(sqlite3.connect(tmp_path / "scim.db")) as other:
        root = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit'").fetchone()[0]
        size = other.execute("PRAGMA page_size").fetchone()[0]
    with (tmp_path / "scim.db").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(errors.Refused, match="damaged"):
        written(store, tmp_path / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


def test_a_reference_to_what_is_not_there_is_damage(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "scim.db")) as other:
        other.execute("DELETE FROM tenants WHERE slug = 'acme'")
        other.commit()
    with pytest.raises(errors.Refused, match="refers to no row of tenants"):
        written(store, tmp_path / "copy.db")


def test_a_backup_that_is_stopped_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    def stop(what: str, _verb: str, done: int, _total: int) -> None:
        if what == "Check" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.write(store.database, tmp_path / "copy.db", force=False, progress=stop)
    assert list(tmp_path.glob("copy*")) == []


def test_writers_do_not_wait_for_a_backup_and_it_is_of_the_moment_at_which_it_began(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES", 1)
    steps: list[int] = []

    def write(what: str, _verb: str, done: int, _total: int) -> None:
        if what == "Copy" and done % 20 == 1:
            made(store, f"later-{done}")
            steps.append(done)

    backup.write(store.database, tmp_path / "copy.db", force=False, progress=write)
    assert len(steps) >= 5
    assert slugs(tmp_path / "copy.db") == ["acme", "globex"]
    assert len(slugs(tmp_path / "scim.db")) == 2 + len(steps)


def test_a_backup_under_many_writers_is_sound_and_ends(store: Store, tmp_path: Path) -> None:
    stop = threading.Event()

    def write(number: int) -> None:
        part = 0
        while not stop.is_set():
            made(store, f"t{number}-{part}")
            part += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            written(store, tmp_path / f"copy-{number}.db")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    found = [len(slugs(tmp_path / f"copy-{number}.db")) for number in range(5)]
    assert found == sorted(found)
    assert found[0] >= 2


def test_a_stream_is_the_same_file(store: Store, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        told = backup.stream(store.database, out, silent)
    assert told.bytes == (tmp_path / "out").stat().st_size
    assert slugs(tmp_path / "out") == ["acme", "globex"]
    assert list(tmp_path.glob("scim.db.*")) == []


def test_progress_begins_at_the_beginning_and_comes_to_the_end(store: Store, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    backup.write(
        store.database,
        tmp_path / "copy.db",
        force=False,
        progress=lambda what, _verb, done, total: heard.append((what, done, total)),
    )
    copied = [(done, total) for what, done, total in heard if what == "Copy"]
    assert copied[-1][0] == copied[-1][1] > 0
    assert heard[-1] == ("Check", 1, 1)
