"""The index rows of a User: which paths filters ask by rows, not documents, and in what form (performance.md 5.2).

One more path: a number of its own in INDEXED, and a migration that fills its rows from the documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scim_service.protocol import schema
from scim_service.protocol.text import fold

CUT = 200
"""How much of a value is in the index; PostgreSQL refuses keys of more than about 2,700 bytes."""

E, L = schema.ENTERPRISE_URN, schema.LICENSE_URN

INDEXED: dict[str, int] = {
    "displayName": 1,
    "name.givenName": 2,
    "name.familyName": 3,
    "title": 4,
    "userType": 5,
    "emails.value": 6,
    "emails.type": 7,
    "emails.primary": 8,
    "phoneNumbers.value": 9,
    "phoneNumbers.type": 10,
    "roles.value": 11,
    "entitlements.value": 12,
    f"{E}:employeeNumber": 13,
    f"{E}:department": 14,
    f"{E}:manager.value": 15,
    f"{L}:licenseType": 16,
}
"""Paths of a User that have index rows → the number they are stored under. A number is never used again."""

IndexRow = tuple[int, int, str, str | None]
"""(path, item, value, whole) of one row of `user_values`."""


def of(document: dict[str, Any]) -> set[IndexRow]:
    """The index rows of a User's document: (path, item, value, whole).

    An element of `emails` or the like always has its `.value` row, empty where it has no value: that row stands for
    the element.
    """
    return {(INDEXED[key], item, *_cut(text)) for key in INDEXED for item, text in _texts(document, _PARTS[key])}


def _texts(document: dict[str, Any], parts: tuple[str, str, str | None, bool]) -> Iterator[tuple[int, str]]:
    holder, name, sub, folds = parts
    value = (document.get(holder) or {}).get(name) if holder else document.get(name)
    elements = value if isinstance(value, list) else [value] if value is not None else []
    for item, element in enumerate(elements):
        text = element.get(sub) if sub and isinstance(element, dict) else element
        if text is None and sub == "value" and isinstance(value, list):
            text = ""
        if text is not None:
            yield item, key_text(text, folds)


def _parts(key: str) -> tuple[str, str, str | None, bool]:
    holder, _, name = key.rpartition(":")
    attribute_name, _, sub = name.partition(".")
    extension = schema.USER.extension(holder) if holder else None
    attribute = extension.attribute(attribute_name) if extension else schema.USER.attribute(attribute_name)
    assert attribute is not None
    leaf = attribute.sub(sub) if sub else attribute
    assert leaf is not None
    return holder, attribute_name, sub or None, leaf.type == "string" and not leaf.case_exact


def key_text(value: Any, folds: bool) -> str:
    """A value as a key column holds it: folded where case does not count."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return fold(str(value)) if folds else str(value)


def _cut(text: str) -> tuple[str, str | None]:
    return (text, None) if len(text) <= CUT else (text[:CUT], text)


_PARTS = {key: _parts(key) for key in INDEXED}
