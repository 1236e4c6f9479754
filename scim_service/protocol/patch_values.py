"""What PATCH does to one value: lists added to, parts merged, elements made, values compared (RFC 7644 section 3.5.2).

Nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from scim_service.errors import InvalidValue
from scim_service.protocol.schema import Attribute
from scim_service.protocol.text import fold, format_datetime
from scim_service.protocol.tree import And, Compare, Node, Not, Or, ValuePath
from scim_service.protocol.validation import is_unassigned, whole

Element = Any


def merged(attribute: Attribute, stored: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """A complex value with some parts set or, where None, taken away; the others stay (RFC 7644 section 3.5.2.3).

    When its `value` becomes another, the parts that told about the old one ($ref) do not stay.
    """
    points_elsewhere = "value" in parts and attribute.sub("value") and parts["value"] != stored.get("value")
    held = {**({} if points_elsewhere else stored), **parts}
    return {name: part for name, part in held.items() if part is not None}


def added(attribute: Attribute, stored: Sequence[Element], given: Sequence[Element]) -> list[Element]:
    """The elements with the given ones; one that is there already is completed, not repeated.

    Two are the same when they have the same `value` and `type`; without a `value`, when they are equal.
    """
    elements = list(stored)
    places: dict[Hashable, int] = {}
    for place, one in enumerate(elements):
        _remember(attribute, one, place, places)
    marked = set()
    for one in given:
        place = places.get(_identity(attribute, one), len(elements))
        if place == len(elements):
            elements.append(one)
        elif isinstance(one, dict):
            elements[place] = {**elements[place], **one}
        _remember(attribute, one, place, places)
        if is_primary(one):
            marked.add(place)
    return with_one_primary(attribute, elements, marked)


def without(attribute: Attribute, stored: Sequence[Element], given: Sequence[Element]) -> list[Element]:
    """The elements but those that are given, by `value`, and `type` if told; by equality where there is no `value`."""
    gone = {_identity(attribute, one) for one in given}
    return [one for one in stored if gone.isdisjoint(_identities(attribute, one))]


def with_one_primary(attribute: Attribute, elements: Sequence[Element], marked: Collection[int]) -> list[Element]:
    """The elements, no other primary than the one that was just marked (RFC 7644 section 3.5.2).

    `marked` are the places at which an operation set primary. Raises InvalidValue for more than one.
    """
    if len(marked) > 1:
        raise InvalidValue(f"{attribute.name} would have more than one primary value; mark one at most.")
    return [
        {**one, "primary": False} if marked and is_primary(one) and place not in marked else one
        for place, one in enumerate(elements)
    ]


def is_primary(element: Element) -> bool:
    """Whether the element is marked as the preferred one."""
    return isinstance(element, Mapping) and element.get("primary") is True


def seed(chosen: Node) -> dict[str, Any] | None:
    """The element that a value filter describes: `eq` terms joined by `and` (decision 9); None for any other filter."""
    parts: dict[str, Any] = {}
    for term in chosen.terms if isinstance(chosen, And) else (chosen,):
        if not isinstance(term, Compare) or term.operator != "eq" or term.path.attribute is None:
            return None
        value = format_datetime(term.value) if isinstance(term.value, datetime) else term.value
        if parts.setdefault(term.path.attribute.name, value) != value:
            return None
    return parts


def size(chosen: Node) -> int:
    """How many comparisons a filter makes of one element."""
    if isinstance(chosen, And | Or):
        return sum(map(size, chosen.terms))
    if isinstance(chosen, Not):
        return size(chosen.term)
    return size(chosen.filter) if isinstance(chosen, ValuePath) else 1


def same(attribute: Attribute, given: Any, stored: Any) -> bool:
    """Whether a given value says what is stored, as far as it says anything (decision 12).

    References are stored without the URL that locations begin with, so their ends count.
    """
    if is_unassigned(given) or is_unassigned(stored):
        return is_unassigned(given) and is_unassigned(stored)
    if attribute.multi_valued and isinstance(stored, list):
        listed = given if isinstance(given, list) else [given]
        return len(listed) == len(stored) and all(map(_same_one, [attribute] * len(stored), listed, stored))
    return _same_one(attribute, given, stored)


def _same_one(attribute: Attribute, given: Any, stored: Any) -> bool:
    if attribute.type == "complex":
        if not isinstance(given, Mapping) or not isinstance(stored, Mapping):
            return False
        told = [(attribute.sub(key), part) for key, part in given.items()]
        return all(same(sub, part, stored.get(sub.name)) for sub, part in told if sub is not None)
    if _is_location(attribute):
        return isinstance(given, str) and given.endswith(str(stored))
    return type(given) is type(stored) and bool(given == stored)


def _is_location(attribute: Attribute) -> bool:
    return attribute.type == "reference" and attribute.mutability == "readOnly"


def _remember(attribute: Attribute, one: Element, place: int, places: dict[Hashable, int]) -> None:
    for identity in _identities(attribute, one):
        places.setdefault(identity, place)


def _identity(attribute: Attribute, one: Element) -> Hashable:
    """What an element is looked up by: its value and type, or its value alone, or all of it."""
    return _identities(attribute, one)[0]


def _identities(attribute: Attribute, one: Element) -> list[Hashable]:
    """What an element can be found by. The first one is the narrowest."""
    value = one.get("value") if isinstance(one, Mapping) else None
    if value is None:
        return [whole(one)]
    alone = (_compared(attribute.sub("value"), value), None)
    kind = one.get("type")
    return [alone] if kind is None else [(alone[0], _compared(attribute.sub("type"), kind)), alone]


def _compared(sub: Attribute | None, value: Any) -> Any:
    return fold(value) if isinstance(value, str) and sub is not None and not sub.case_exact else value
