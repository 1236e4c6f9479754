"""Files that come into being beside another one: for their owner alone, whole, on the disk, and then under their name.

A reader of the name, and whoever comes after a loss of power, finds what was there before or all of what is there now.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

MODE = 0o600


def new(file: Path, purpose: str) -> Path:
    """An empty file in the folder of `file`, which nobody else can read and nobody else has."""
    made = file.with_name(f"{file.name}.{purpose}-{secrets.token_hex(4)}")
    os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    return made


def put(made: Path, file: Path, *, replace: bool) -> None:
    """Give `made` its name, at once and for good. Raises FileExistsError where it is taken, unless it is to replace."""
    sync(made)
    if replace:
        os.replace(made, file)
    else:
        _claim(made, file)
    sync(file.parent)


def keep(file: Path, name: Path) -> None:
    """Give a file a second name, or where the disk has no such thing a copy. Raises FileExistsError."""
    try:
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:
        _copy(file, name)


def sync(place: Path) -> None:
    """Have what a file or a folder holds on the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _claim(made: Path, file: Path) -> None:
    """A name that nobody has; on a disk without second names it is taken first, and filled then."""
    try:
        os.link(made, file)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
        os.replace(made, file)
        return
    os.unlink(made)


def _copy(file: Path, name: Path) -> None:
    with file.open("rb") as source, os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as copy:
        while block := source.read(1 << 20):
            copy.write(block)
    sync(name)
