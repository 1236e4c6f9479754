"""A letter as data: what it says, in one language, before it becomes text or HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """A link to follow, with what following it does."""

    label: str
    url: str


@dataclass(frozen=True)
class Heading:
    """The title of what follows."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells under their heads; the first cell of a row says what the row is about."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = str | Action | Heading | Table
"""A part of a letter; a text is a paragraph."""


@dataclass(frozen=True)
class Letter:
    """One letter in one language: `sender` is who it comes from, `closing` says why it came, and whom to ask."""

    language: str
    subject: str
    sender: str
    blocks: tuple[Block, ...]
    closing: tuple[str, ...]
