"""One comparison of a key column with a literal as SQL, on both databases, and the slots that literals are bound to.

Folded keys made in Python are compared, never LOWER() or LIKE (reliability.md I3). A long value stands in the index
cut, and whole beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from scim_service.protocol import filters, schema
from scim_service.protocol.text import fold
from scim_service.storage import index_rows
from scim_service.storage.index_rows import CUT

Condition = sa.ColumnElement[bool]
LONG = "long"
"""The kind of a text that the index may have cut."""


class contains_text(GenericFunction[bool]):
    """Whether the second text occurs in the first, by code point."""

    type = sa.Boolean()
    inherit_cache = True
    name = "contains_text"


@compiles(contains_text, "sqlite")
def _contains_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(contains_text, "postgresql")
def _contains_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"


@dataclass(frozen=True)
class Slot:
    """Stands for a literal that is bound when the statement runs; `kind` is its Python type, or LONG."""

    index: int
    kind: str

    @staticmethod
    def of(index: int, literal: Any) -> Slot:
        """The slot for a literal."""
        return Slot(index, LONG if isinstance(literal, str) and not _fits(literal) else type(literal).__name__)

    def bound(self, literal: Any) -> dict[str, Any]:
        """The values to bind for a literal: whole, cut, and its length, where a comparison may need them."""
        if not isinstance(literal, str):
            return {f"v{self.index}": literal}
        return {f"v{self.index}": literal, f"c{self.index}": literal[:CUT], f"n{self.index}": len(literal)}


def whole_of(literal: Any, kind: Any = None) -> Any:
    """The literal, or the parameter for it."""
    return sa.bindparam(f"v{literal.index}", type_=kind) if isinstance(literal, Slot) else literal


def _cut(literal: Any) -> Any:
    return sa.bindparam(f"c{literal.index}") if isinstance(literal, Slot) else literal[:CUT]


def _length(literal: Any) -> Any:
    return sa.bindparam(f"n{literal.index}", type_=sa.Integer) if isinstance(literal, Slot) else len(literal)


def _is_text(literal: Any) -> bool:
    return literal.kind in {"str", LONG} if isinstance(literal, Slot) else isinstance(literal, str)


def _fits(literal: Any) -> bool:
    """Whether only a value that is in the key column whole can equal this text."""
    return literal.kind == "str" if isinstance(literal, Slot) else len(literal) < CUT


def compare(column: Any, whole: Any, operator: str, literal: Any) -> Condition:
    """A comparison of a key column (and its uncut form, where there is one) with a literal of the same kind."""
    text = column if whole is None else sa.func.coalesce(whole, column)
    if operator in {"co", "sw", "ew"}:
        return _substring(column, text, operator, literal)
    if whole is None or not _is_text(literal):
        return _ORDER[operator](column, whole_of(literal))
    if operator == "eq" and _fits(literal):
        return _ORDER["eq"](column, whole_of(literal))
    if operator == "eq":
        return sa.and_(column == _cut(literal), text == whole_of(literal))
    return _ORDER[operator](sa.type_coerce(text, column.type), whole_of(literal))


_ORDER: dict[str, Callable[[Any, Any], Condition]] = {
    "eq": lambda column, literal: column == literal,
    "ne": lambda column, literal: column != literal,
    "gt": lambda column, literal: column > literal,
    "ge": lambda column, literal: column >= literal,
    "lt": lambda column, literal: column < literal,
    "le": lambda column, literal: column <= literal,
}


def _substring(column: Any, text: Any, operator: str, literal: Any) -> Condition:
    whole = whole_of(literal, sa.Text)
    if operator == "co":
        return contains_text(text, whole)
    if operator == "ew":
        start = sa.func.length(text) - _length(literal) + 1
        return sa.and_(sa.func.length(text) >= _length(literal), sa.func.substr(text, start) == whole)
    begins = sa.func.substr(text, 1, _length(literal)) == whole
    return sa.and_(column >= _cut(literal), begins)


def literal_of(compare: filters.Compare, leaf: schema.Attribute) -> Any:
    """The literal as the key columns hold it: folded where case does not count; a slot stays one."""
    value: Any = compare.value
    if isinstance(value, Slot):
        return value
    if leaf.type == "boolean":
        return index_rows.key_text(value, folds=False)
    return fold(value) if isinstance(value, str) and not leaf.case_exact else value
