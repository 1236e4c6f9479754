"""A letter as plain text, and as HTML: the same words in the same order."""

from __future__ import annotations

import textwrap
from functools import cache

import jinja2

from scim_service.delivery.letters.letter import Action, Block, Heading, Letter, Table

WIDTH = 76
"""Columns of the text; a link stands on a line of its own, however long."""


def text(letter: Letter) -> str:
    """The letter as plain text, with a line's end at its end."""
    colon = "\N{NO-BREAK SPACE}:" if letter.language == "fr" else ":"
    parts = [_text(block, colon) for block in letter.blocks]
    closing = "\n".join(_wrapped(one) for one in letter.closing)
    return "\n\n".join([*parts, f"-- \n{letter.sender}\n{closing}"]) + "\n"


def html(letter: Letter) -> str:
    """The letter as one page of HTML: styles in the page, nothing from elsewhere, everything escaped."""
    return _layout().render(letter=letter, blocks=[(_kind(block), block) for block in letter.blocks])


@cache
def _layout() -> jinja2.Template:
    """The one layout of all letters. Escaping is on for good, and an unknown name in it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("scim_service.delivery", "letters"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("layout.html")


def _kind(block: Block) -> str:
    return "text" if isinstance(block, str) else type(block).__name__.lower()


def _text(block: Block, colon: str) -> str:
    if isinstance(block, Heading):
        return f"{block.text}\n{'-' * min(len(block.text), WIDTH)}"
    if isinstance(block, Action):
        return f"{block.label}{colon}\n{block.url}"
    if isinstance(block, Table):
        return "\n".join(_row(block.heads, row, colon) for row in block.rows)
    return _wrapped(block)


def _row(heads: tuple[str, ...], row: tuple[str, ...], colon: str) -> str:
    """A row as a line of a list, which any width and any script of writing leaves readable."""
    more = ", ".join(f"{head}{colon} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True) if cell)
    return _wrapped(f"{row[0]} ({more})" if more else row[0], "- ", "  ")


def _wrapped(line: str, first: str = "", following: str = "") -> str:
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
