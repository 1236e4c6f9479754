"""CSV files of people, read and written (licensing.md E-28, P-14; RFC 4180, UTF-8 with a header row). Pure."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim_service import clock, errors
from scim_service.protocol.text import format_datetime

COLUMNS = ("email", "given_name", "family_name", "license_type", "action", "notify", "expires_at")
"""What an import may have; only `email` is needed."""

ADD, REMOVE = "add", "remove"
ACTIONS = (ADD, REMOVE)
MOST_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet reads a cell that begins with one of these as a formula."""

QUOTE = "'"
YES, NO = {"yes", "true", "1"}, {"", "no", "false", "0"}


@dataclass(frozen=True)
class Row:
    """One line of an import: the cells by column, and its number, the header being 1."""

    number: int
    cells: Mapping[str, str]
    width: bool = True
    """Whether it has as many cells as the header."""

    @property
    def email(self) -> str:
        return self.cells.get("email", "").strip()

    @property
    def license_type(self) -> str:
        return self.cells.get("license_type", "").strip()

    @property
    def action(self) -> str:
        return self.cells.get("action", "").strip().casefold() or ADD

    @property
    def notify(self) -> bool:
        """Whether the person is told by a letter (N-3)."""
        return self._notify in YES

    @property
    def _notify(self) -> str:
        return self.cells.get("notify", "").strip().casefold()

    @property
    def expires_at(self) -> datetime | None:
        """Raises InvalidValue for what is no instant."""
        text = self.cells.get("expires_at", "").strip()
        try:
            return clock.parse_instant(text) if text else None
        except ValueError as problem:
            raise errors.InvalidValue(f"expires_at: {problem}") from problem

    def check(self) -> None:
        """Raise InvalidValue for what cannot be carried out, whatever the directory holds."""
        if not self.width:
            raise errors.InvalidValue("The row has not as many cells as the header.")
        name, at, host = self.email.partition("@")
        if not (name and at and host) or any(letter.isspace() for letter in self.email):
            raise errors.InvalidValue("email must be an address, such as alice@acme.example.")
        if self.action not in ACTIONS:
            raise errors.InvalidValue(f"action is one of: {', '.join(ACTIONS)}.")
        if self.action == REMOVE and not self.license_type:
            raise errors.InvalidValue("license_type must say which license to remove.")
        if self.expires_at is not None and (not self.license_type or self.action == REMOVE):
            raise errors.InvalidValue("expires_at is for a license that is given.")
        if self._notify not in YES | NO:
            raise errors.InvalidValue("notify is yes or no.")
        if self.notify and self.action == REMOVE:
            raise errors.InvalidValue("notify is for access that is created.")


@dataclass(frozen=True)
class Sheet:
    """An import as it was read; `key` is the hash by which the same file is known again."""

    key: str
    rows: tuple[Row, ...]


def read(data: bytes) -> Sheet:
    """The rows of a file. Raises InvalidValue for a file that is none, TooLarge for too many rows."""
    if len(data) > MOST_BYTES:
        raise errors.TooLarge(f"The file has more than {MOST_BYTES} bytes. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise errors.InvalidValue(
            f"The file is not UTF-8: byte {problem.start + 1}. Save it as CSV UTF-8."
        ) from problem
    if "\0" in text:
        raise errors.InvalidValue("The file holds the character U+0000, so it is no CSV.")
    lines = _lines(text)
    if not lines:
        raise errors.InvalidValue(f"The file is empty. Its first line names the columns: {', '.join(COLUMNS)}.")
    if len(lines) - 1 > MOST_ROWS:
        raise errors.TooLarge(f"The file has more than {MOST_ROWS} rows. Split it.")
    header = _header(lines[0])
    rows = [
        Row(number, {name: plain(cell) for name, cell in zip(header, line, strict=False)}, len(line) == len(header))
        for number, line in enumerate(lines[1:], start=2)
        if line
    ]
    return Sheet(hashlib.sha256(data).hexdigest(), tuple(rows))


def written(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Records as CSV with a header; a cell that a spreadsheet would read as a formula is quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(one.get(name)) for name in columns] for one in records)
    return out.getvalue()


def cell(value: Any) -> str:
    """One value as a cell."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, list | tuple):
        return cell(", ".join(map(str, value)))
    text = str(value)
    return QUOTE + text if text.startswith(FORMULAS) or text.startswith(QUOTE) else text


def plain(text: str) -> str:
    """The reverse of `cell` for a text."""
    rest = text.removeprefix(QUOTE)
    return rest if rest != text and rest.startswith((*FORMULAS, QUOTE)) else text


def _lines(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return list(reader)
    except csv.Error as problem:
        raise errors.InvalidValue(f"Line {reader.line_num} is no CSV: {problem}. Save the file again.") from problem


def _header(cells: Iterable[str]) -> list[str]:
    names = [one.strip().casefold() for one in cells]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        known = ", ".join(COLUMNS)
        raise errors.InvalidValue(f"There is no column {unknown[0]!r}. The first line names some of: {known}.")
    if "email" not in names or len(set(names)) != len(names):
        raise errors.InvalidValue("The first line names the column email, and every column once.")
    return names
