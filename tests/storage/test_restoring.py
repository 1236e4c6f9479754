"""A backup is brought back whole or not at all, and what it replaces is kept (reliability.md F20)."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scim_service import errors
from scim_service.access import tenants
from scim_service.storage import backup, database, restoring
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests.conftest import START, Count, SettableClock

ACTOR = Actor("cli", "test")
ROOT = Path(__file__).parents[2]
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
STAMP = START.strftime("%Y%m%dT%H%M%SZ")


def silent(_what: str, _verb: str, _done: int, _total: int) -> None:
    return None


def made(store: Store, slug: str) -> None:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, slug, slug.title())


def slugs(file: Path) -> list[str]:
    """The tenants in a file, read by SQLite alone; the file has to be sound."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [row[0] for row in opened.execute("SELECT slug FROM tenants ORDER BY slug")]


@pytest.fixture
def live(tmp_path: Path, sqlite_template: Path, clock: SettableClock) -> Path:
    """An installation where Acme was there when `copy.db` was made, and Globex came since."""
    file = tmp_path / "scim.db"
    file.write_bytes(sqlite_template.read_bytes())
    with closing(Database(f"sqlite:///{file}")) as opened:
        store = Store(opened, clock)
        made(store, "acme")
        backup.write(opened, tmp_path / "copy.db", force=False, progress=silent)
        made(store, "globex")
    return file


def bring_back(live: Path, source: Path | io.BytesIO, clock: SettableClock) -> Path | None:
    with (
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, source, clock, silent) as under_way,
    ):
        return under_way.finish()


def beside(live: Path) -> list[str]:
    return sorted(one.name for one in live.parent.glob(f"{live.name}?*"))


def test_the_backup_takes_the_place_and_the_database_from_before_is_kept(live: Path, clock: SettableClock) -> None:
    kept = bring_back(live, live.with_name("copy.db"), clock)
    assert slugs(live) == ["acme"]
    assert kept == live.with_name(f"scim.db.before-restore-{STAMP}")
    assert slugs(kept) == ["acme", "globex"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert beside(live) == [kept.name]
    assert slugs(live.with_name("copy.db")) == ["acme"]


def test_what_is_written_to_the_copy_comes_with_it(live: Path, clock: SettableClock) -> None:
    with (
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, live.with_name("copy.db"), clock, silent) as under_way,
    ):
        made(under_way.store, "umbrella")
        under_way.finish()
    assert slugs(live) == ["acme", "umbrella"]


def test_what_is_given_up_leaves_everything_as_it_was(live: Path, clock: SettableClock) -> None:
    with (
        pytest.raises(LookupError),
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, live.with_name("copy.db"), clock, silent) as under_way,
    ):
        made(under_way.store, "umbrella")
        raise LookupError
    assert slugs(live) == ["acme", "globex"]
    assert beside(live) == []


def test_two_restores_of_one_second_keep_both_files(live: Path, clock: SettableClock) -> None:
    bring_back(live, live.with_name("copy.db"), clock)
    bring_back(live, live.with_name("copy.db"), clock)
    assert beside(live) == [f"scim.db.before-restore-{STAMP}", f"scim.db.before-restore-{STAMP}-2"]
    assert slugs(live.with_name(f"scim.db.before-restore-{STAMP}")) == ["acme", "globex"]


def test_where_there_is_no_database_the_backup_becomes_it(live: Path, tmp_path: Path, clock: SettableClock) -> None:
    new = tmp_path / "fresh" / "scim.db"
    assert bring_back(new, tmp_path / "copy.db", clock) is None
    assert slugs(new) == ["acme"]
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.parent.stat().st_mode) == 0o700
    assert beside(new) == []


def test_a_backup_can_come_through_a_pipe(live: Path, clock: SettableClock) -> None:
    bring_back(live, io.BytesIO(live.with_name("copy.db").read_bytes()), clock)
    assert slugs(live) == ["acme"]


def test_the_new_file_has_the_mode_of_the_old_one(live: Path, clock: SettableClock) -> None:
    live.chmod(0o640)
    bring_back(live, live.with_name("copy.db"), clock)
    assert stat.S_IMODE(live.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_the_file_to_whom_it_belongs(live: Path, clock: SettableClock) -> None:
    os.chown(live, 12345, 23456)
    bring_back(live, live.with_name("copy.db"), clock)
    assert (live.stat().st_uid, live.stat().st_gid) == (12345, 23456)


def test_a_name_that_leads_to_the_file_goes_on_leading_there(live: Path, tmp_path: Path, clock: SettableClock) -> None:
    (tmp_path / "link.db").symlink_to(live)
    bring_back(tmp_path / "link.db", tmp_path / "copy.db", clock)
    assert (tmp_path / "link.db").is_symlink()
    assert slugs(live) == ["acme"]


HOLD = """
import sys
from scim_service.storage.database import Database
with Database(sys.argv[1]).reads.connect() as connection:
    connection.exec_driver_sql("SELECT count(*) FROM tenants").all()
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(live: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has read the database, and keeps its connection for the next time, as a server does."""
    command = [sys.executable, "-c", HOLD, f"sqlite:///{live}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.communicate()


def test_it_is_refused_while_another_process_has_the_database_open_be_it_idle(
    live: Path, clock: SettableClock, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(errors.Refused, match="in use") as caught:
        bring_back(live, live.with_name("copy.db"), clock)
    assert caught.value.code == "in_use"
    holder.communicate("\n", timeout=30)
    assert bring_back(live, live.with_name("copy.db"), clock) is not None
    assert slugs(live) == ["acme"]


def test_a_killed_process_is_no_obstacle_and_what_it_wrote_last_is_kept(live: Path, clock: SettableClock) -> None:
    code = (
        "import sys, os, sqlite3\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode=WAL')\n"
        "c.execute(\"UPDATE tenants SET slug = 'renamed' WHERE slug = 'globex'\")\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(live)], check=False)
    assert f"{live.name}-wal" in beside(live)
    kept = bring_back(live, live.with_name("copy.db"), clock)
    assert kept is not None
    assert slugs(kept) == ["acme", "renamed"]
    assert slugs(live) == ["acme"]
    assert beside(live) == [kept.name]


def test_nobody_writes_to_the_database_while_it_is_being_replaced(live: Path, clock: SettableClock) -> None:
    with (
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, live.with_name("copy.db"), clock, silent) as under_way,
    ):
        with (
            closing(sqlite3.connect(live, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("SELECT * FROM tenants")
        under_way.finish()


def test_who_opened_the_file_just_before_it_was_replaced_cannot_write_into_it(
    live: Path, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(live, timeout=0, isolation_level=None)) as early:
        kept = bring_back(live, live.with_name("copy.db"), clock)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database._write_ahead(early)
    assert kept is not None
    assert slugs(kept) == ["acme", "globex"]
    assert beside(live) == [kept.name]


def refused(live: Path, source: Path | io.BytesIO, clock: SettableClock) -> str:
    """The sentence; the database is untouched and nothing is left beside it."""
    with pytest.raises(errors.Refused) as caught:
        bring_back(live, source, clock)
    assert slugs(live) == ["acme", "globex"]
    assert beside(live) == []
    return caught.value.detail


def test_a_file_that_is_not_there_or_the_database_itself_is_refused(live: Path, clock: SettableClock) -> None:
    assert "no file" in refused(live, live.with_name("nowhere.db"), clock)
    assert "no file" in refused(live, live.parent, clock)
    assert "itself" in refused(live, live, clock)


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\0" + b"x" * 5_000, b"\0" * 8_192])
def test_a_file_that_is_no_database_is_refused(live: Path, clock: SettableClock, content: bytes) -> None:
    live.with_name("other").write_bytes(content)
    assert "cannot be read" in refused(live, live.with_name("other"), clock)
    assert "damaged" in refused(live, io.BytesIO(content), clock)


def test_an_empty_file_and_a_database_of_something_else_are_refused(live: Path, clock: SettableClock) -> None:
    other = live.with_name("other.db")
    other.write_bytes(b"")
    assert "no database of scim-service" in refused(live, other, clock)
    with closing(sqlite3.connect(other)) as opened:
        opened.execute("CREATE TABLE songs (title TEXT)")
        opened.commit()
        assert "no database of scim-service" in refused(live, other, clock)
        opened.execute("CREATE TABLE alembic_version (version_num TEXT)")
        opened.execute("INSERT INTO alembic_version VALUES ('0005')")
        opened.commit()
    assert "no database of scim-service" in refused(live, other, clock)


def test_a_database_that_only_looks_like_ours_is_refused(live: Path, clock: SettableClock) -> None:
    with closing(sqlite3.connect(live.with_name("copy.db"))) as opened:
        opened.execute("ALTER TABLE tenants ADD COLUMN colour TEXT")
        opened.commit()
    assert "no database of scim-service" in refused(live, live.with_name("copy.db"), clock)


def test_a_backup_of_a_newer_program_is_refused_with_both_versions(live: Path, clock: SettableClock) -> None:
    with closing(sqlite3.connect(live.with_name("copy.db"))) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()
    told = refused(live, live.with_name("copy.db"), clock)
    assert "9999" in told
    assert "newer" in told


def test_a_damaged_backup_is_refused(live: Path, clock: SettableClock) -> None:
    damage(live.with_name("copy.db"), "audit")
    assert "damaged" in refused(live, live.with_name("copy.db"), clock)


def damage(file: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(file)) as opened:
        root = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
        size = opened.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as out:
        out.seek((root - 1) * size)
        out.write(b"\xff" * size)


@pytest.mark.parametrize("how", ["a page", "the header", "all of it"])
def test_a_damaged_database_is_kept_as_it_is_and_replaced(live: Path, clock: SettableClock, how: str) -> None:
    if how == "a page":
        damage(live, "audit")
    elif how == "the header":
        live.write_bytes(b"x" * 100 + live.read_bytes()[100:])
    else:
        live.write_bytes(b"rubbish")
    Path(f"{live}-wal").write_bytes(b"what was written last" if how != "a page" else b"")
    broken = live.read_bytes()
    with (
        closing(Database(f"sqlite:///{live}")) as opened,
        restoring.restoring(opened, live.with_name("copy.db"), clock, silent) as under_way,
    ):
        assert under_way.damaged
        assert under_way.old is None
        kept = under_way.finish()
    assert kept is not None
    assert slugs(live) == ["acme"]
    assert len(kept.read_bytes()) == len(broken)
    if how != "a page":
        assert kept.read_bytes() == broken
        assert Path(f"{kept}-wal").read_bytes() == b"what was written last"
    assert not Path(f"{live}-wal").exists()


def test_the_database_of_something_else_is_not_replaced(live: Path, tmp_path: Path, clock: SettableClock) -> None:
    other = tmp_path / "songs.db"
    with closing(sqlite3.connect(other)) as opened:
        opened.execute("CREATE TABLE songs (title TEXT)")
        opened.commit()
    with pytest.raises(errors.Refused, match=r"songs\.db is no database of scim-service"):
        bring_back(other, tmp_path / "copy.db", clock)
    assert beside(other) == []


def test_what_a_killed_restore_has_left_is_swept_away(live: Path, clock: SettableClock) -> None:
    live.with_name("scim.db.restoring-0a1b2c3d").write_bytes(b"half")
    live.with_name("scim.db.restoring-0a1b2c3d-wal").write_bytes(b"half")
    os.link(live, live.with_name("scim.db.before-restore-20270101T000000Z"))
    kept = bring_back(live, live.with_name("copy.db"), clock)
    assert kept is not None
    assert beside(live) == [kept.name]


def test_a_file_that_is_replaced_by_hand_under_a_process_is_not_written_to(live: Path, clock: SettableClock) -> None:
    with closing(Database(f"sqlite:///{live}")) as opened:
        store = Store(opened, clock)
        made(store, "initech")
        os.replace(live.with_name("copy.db"), live)
        for door in (store.reading, store.asking, store.writing):
            with pytest.raises(errors.Unavailable, match="replaced or removed"), door(EVERY_TENANT, ACTOR):
                pass
        live.unlink()
        with pytest.raises(errors.Unavailable, match="replaced or removed"), store.writing(EVERY_TENANT, ACTOR):
            pass
    assert not live.exists()


@pytest.mark.proof
def test_a_restore_that_is_killed_at_any_call_leaves_the_one_or_the_other_and_the_old_one_whole(
    live: Path, tmp_path: Path, clock: SettableClock, count: Count
) -> None:
    step = 1 if PROVE else 10
    command = [sys.executable, "-m", "tests.storage.killing", str(tmp_path), "1", str(step)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=600)
    places = sorted(int(one.name) for one in tmp_path.iterdir() if one.is_dir())
    ends = [end_of_killed(tmp_path / str(number), clock) for number in places]
    count("a restore killed at {:,} of its calls", len(ends) - 1)
    assert (ends[0], ends[-1]) == ("old", "new")
    assert ends == sorted(ends, key=["old", "new"].index)
    assert len(ends) > 60 // step


def end_of_killed(place: Path, clock: SettableClock) -> str:
    """Which database is there after a killed restore; the old one is whole, and the next restore tidies up."""
    live = place / "scim.db"
    found = slugs(live)
    kept = list(place.glob("scim.db.before-restore-*"))
    if found == ["acme"]:
        assert [slugs(one) for one in kept] == [["acme", "globex"]]
    else:
        assert found == ["acme", "globex"]
    with closing(Database(f"sqlite:///{live}")) as opened:
        made(Store(opened, clock), "initech")
    bring_back(live, place / "copy.db", clock)
    assert slugs(live) == ["acme"]
    assert list(place.glob("scim.db.restoring-*")) == []
    assert len(list(place.glob("scim.db.before-restore-*"))) == (2 if found == ["acme"] else 1)
    return "new" if found == ["acme"] else "old"
