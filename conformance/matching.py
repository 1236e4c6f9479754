"""Says in plain text how an answer differs from what was expected. Pure: JSON values in, sentences out.

An expected object asks for its own keys only; an expected list asks for its own elements, in any order, since
multi-valued attributes have none (RFC 7643 section 2.4). `{"$is": kind}` stands for any value of a kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final


class Missing:
    """Stands for "there is nothing at this place", which JSON null is not."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = Missing()


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


KINDS: dict[str, Callable[[Any], bool]] = {
    "integer": _is_integer,
    "positive": lambda value: _is_integer(value) and value > 0,
    "text": lambda value: isinstance(value, str) and value != "",
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def value_at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), or MISSING; the empty pointer is the document itself."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return MISSING
    return document


def unassigned(value: Any) -> bool:
    """Whether this means "no value" in SCIM: nothing, null, an empty list (RFC 7643 section 2.5), or a blank."""
    return value is MISSING or value is None or value == "" or value == [] or value == {}


def lacking(expected: Any, actual: Any, at: str = "") -> list[str]:
    """What `actual` lacks of `expected`, one sentence each; empty when all of it is there."""
    if isinstance(expected, dict) and set(expected) == {"$is"}:
        return [] if KINDS[expected["$is"]](actual) else [_unlike(at, f"some {expected['$is']}", actual)]
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for key, value in expected.items()
            for line in lacking(value, actual.get(key, MISSING), f"{at}/{_escaped(key)}")
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        return _lacking_elements(expected, actual, at)
    return [] if identical(expected, actual) else [_unlike(at, text(expected), actual)]


def unequal(expected: Any, actual: Any, at: str = "") -> list[str]:
    """How `actual` is not just `expected`: as `lacking`, and a list may hold no further element, an object no key."""
    problems = lacking(expected, actual, at)
    if isinstance(expected, list) and isinstance(actual, list) and len(actual) != len(expected):
        problems.append(f"{at}: expected {len(expected)} values, got {len(actual)}: {text(actual)}")
    if isinstance(expected, dict) and isinstance(actual, dict):
        problems += [f"{at}/{_escaped(key)}: not expected, got {text(actual[key])}" for key in actual.keys() - expected]
    return problems


def identical(expected: Any, actual: Any) -> bool:
    """Whether two JSON values are the same value of the same type: true is not 1, "5" is not 5."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, (dict, list)) or isinstance(actual, (dict, list)):
        return type(expected) is type(actual) and bool(expected == actual)
    return bool(expected == actual)


def text(value: Any, limit: int = 300) -> str:
    """A value as a reader wants to see it in a sentence: JSON, cut at `limit` characters."""
    if value is MISSING:
        return "nothing"
    shown = json.dumps(value, ensure_ascii=False, default=repr)
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown)} characters)"


def _lacking_elements(expected: list[Any], actual: list[Any], at: str) -> list[str]:
    missing = _unpaired(expected, actual)
    if len(expected) == len(actual) == 1 and missing:
        return lacking(expected[0], actual[0], f"{at}/0")
    return [f"{at}: no value like {text(expected[index])} among {text(actual)}" for index in missing]


def _unpaired(expected: Sequence[Any], actual: Sequence[Any]) -> list[int]:
    """Which expected elements find no actual element of their own, when the rest is paired as well as can be."""
    suits = [[place for place, value in enumerate(actual) if not lacking(wish, value)] for wish in expected]
    holder: dict[int, int] = {}

    def place(wish: int, seen: set[int]) -> bool:
        for candidate in suits[wish]:
            if candidate in seen:
                continue
            seen.add(candidate)
            if candidate not in holder or place(holder[candidate], seen):
                holder[candidate] = wish
                return True
        return False

    return [wish for wish in range(len(expected)) if not place(wish, set())]


def _unlike(at: str, expected: str, actual: Any) -> str:
    return f"{at or 'body'}: expected {expected}, got {text(actual)}"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
