"""The order of a list: `sortBy` and `sortOrder` (RFC 7644 section 3.4.2.3).

Who has no value comes last when ascending, first when descending; of several values the primary one counts, else the
first; text is compared as its attribute's caseExact says, by code point, as far as its first 200 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scim_service.errors import InvalidPath, InvalidValue
from scim_service.protocol import names
from scim_service.protocol.names import AttributePath
from scim_service.protocol.schema import Attribute, ResourceType
from scim_service.protocol.text import fold, parse_datetime

CHARACTERS = 200
"""How much of a text counts: a cursor carries what its list is sorted by, and has to fit into an address."""

DIRECTIONS = {"ascending": False, "descending": True}


@dataclass(frozen=True)
class Order:
    """By which attribute, and whether the largest comes first."""

    path: AttributePath
    descending: bool

    @property
    def leaf(self) -> Attribute:
        """The attribute whose characteristics say how values compare."""
        found = self.path.leaf
        assert found is not None
        return found


def parse(resource_type: ResourceType, sort_by: str | None, sort_order: str | None) -> Order | None:
    """The order that the two parameters ask for; None without `sortBy`.

    Raises InvalidPath for an attribute that there is not or that has no one value to compare, InvalidValue for another
    word than ascending or descending.
    """
    word = (sort_order or "ascending").lower()
    if word not in DIRECTIONS:
        raise InvalidValue("sortOrder is ascending or descending.")
    if sort_by is None:
        return None
    path = names.resolve(resource_type, sort_by)
    leaf = path.leaf if path is not None else None
    if path is not None and leaf is not None and leaf.type == "complex":
        value = leaf.sub("value")
        path = replace(path, sub=value) if value is not None else None
    if path is None or path.leaf is None or path.leaf.returned == "never":
        raise InvalidPath("sortBy names no attribute that resources of this type could be ordered by.")
    return Order(path, DIRECTIONS[word])


def key(order: Order, document: Mapping[str, Any]) -> tuple[bool, Any]:
    """What a document is sorted by, with `reverse` for a descending order; who has no value comes where it should."""
    value = _value(order, document)
    return (value is None, 0 if value is None else value)


def _value(order: Order, document: Mapping[str, Any]) -> Any:
    attribute, part = order.path.attribute, order.path.sub
    holder = document if order.path.is_core else document.get(order.path.schema, {})
    assert attribute is not None
    found = holder.get(attribute.name)
    if isinstance(found, list):
        found = next((one for one in found if isinstance(one, dict) and one.get("primary") is True), found[0])
    if part is not None:
        found = found.get(part.name) if isinstance(found, dict) else None
    return _comparable(order.leaf, found)


def _comparable(leaf: Attribute, value: Any) -> Any:
    if isinstance(value, str) and leaf.type == "dateTime":
        return parse_datetime(value)
    if isinstance(value, str):
        return (value if leaf.case_exact else fold(value))[:CHARACTERS]
    return value
