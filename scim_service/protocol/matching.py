"""What a filter means for one document, in memory; SQL must agree with it (RFC 7644 section 3.4.2.2)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scim_service.protocol import rendering, schema
from scim_service.protocol.names import AttributePath
from scim_service.protocol.text import fold, parse_datetime
from scim_service.protocol.tree import And, Compare, Node, Not, Or, Present, ValuePath


def match(node: Node, document: Mapping[str, Any]) -> bool:
    """Whether a full document, or one element of a multi-valued attribute for a value filter, meets the filter."""
    if isinstance(node, And):
        return all(match(term, document) for term in node.terms)
    if isinstance(node, Or):
        return any(match(term, document) for term in node.terms)
    if isinstance(node, Not):
        return not match(node.term, document)
    if isinstance(node, Present):
        return any(map(_is_present, _values(node.path, document)))
    if isinstance(node, ValuePath):
        elements = _values(node.path, document)
        return any(match(node.filter, element) for element in elements if isinstance(element, Mapping))
    return _compares(node, document)


def _compares(node: Compare, document: Mapping[str, Any]) -> bool:
    """Whether some value compares; `ne` is also true where there is no value (decision 10)."""
    leaf = node.path.leaf
    assert leaf is not None
    values = [_comparable(value, leaf) for value in _values(node.path, document) if _is_present(value)]
    if node.operator == "ne" and not values:
        return True
    literal = _comparable(node.value, leaf)
    test = _TESTS[node.operator]
    return any(test(value, literal) for value in values if _same_kind(value, literal))


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "co": operator.contains,
    "sw": str.startswith,
    "ew": str.endswith,
}


def _values(path: AttributePath, document: Mapping[str, Any]) -> list[Any]:
    """Every value at the path: none, one, or those of a multi-valued attribute."""
    if path.attribute is None:
        return [document.get(path.schema)]
    holder = document if path.is_core else document.get(path.schema)
    if not isinstance(holder, Mapping):
        return []
    value = holder.get(path.attribute.name)
    if value is None and path.attribute is _SCHEMAS:
        value = _schemas(document)
    elements = value if isinstance(value, list) else [value]
    if path.sub is None:
        return elements
    return [element.get(path.sub.name) for element in elements if isinstance(element, Mapping)]


_SCHEMAS = schema.USER.attribute("schemas")


def _schemas(document: Mapping[str, Any]) -> list[str]:
    """The `schemas` of a document that is not dressed for an answer yet."""
    resource_type = schema.RESOURCE_TYPES.get(document.get("meta", {}).get("resourceType"))
    return rendering.schemas_of(resource_type, document) if resource_type else []


def _is_present(value: Any) -> bool:
    """Whether a value is there and not empty; a complex one, if any of its parts is."""
    if isinstance(value, Mapping):
        return any(map(_is_present, value.values()))
    if isinstance(value, list):
        return any(map(_is_present, value))
    return value is not None and value != ""


def _comparable(value: Any, leaf: schema.Attribute) -> Any:
    """The form in which a value is compared: an instant, a text folded where case does not count, or as it is."""
    if leaf.type == "dateTime" and isinstance(value, str):
        return parse_datetime(value)
    return fold(value) if isinstance(value, str) and not leaf.case_exact else value


def _same_kind(value: Any, literal: Any) -> bool:
    """Whether the two can be compared; a document never raises, whatever an older release stored in it."""
    for kind in (bool, str, datetime):
        if isinstance(literal, kind) or isinstance(value, kind):
            return isinstance(literal, kind) and isinstance(value, kind)
    return isinstance(value, int | float)
