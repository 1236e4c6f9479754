"""What is asked of a list, by the parameters of a GET or by a SearchRequest (RFC 7644 sections 3.4.2 and 3.4.3).

Both come to the same `Search`; what its texts mean for a resource type is said by `filters`, `sorting` and `rendering`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim_service.errors import InvalidCount, InvalidPath, InvalidSyntax, InvalidValue
from scim_service.protocol import filters, limits, messages, sorting, validation
from scim_service.protocol.filters import Node
from scim_service.protocol.schema import SEARCH_URN, ResourceType
from scim_service.protocol.sorting import Order

FIELDS = {
    "attributes": "attributes",
    "excludedAttributes": "excluded",
    "filter": "filter",
    "sortBy": "sort_by",
    "sortOrder": "sort_order",
    "startIndex": "start",
    "count": "many",
    "cursor": "cursor",
}
"""Parameter → the field of `Search`."""
SPELLED = {name.lower(): name for name in FIELDS}
LISTS = frozenset({"attributes", "excluded"})
NUMBERS = frozenset({"start", "many"})


@dataclass(frozen=True)
class Search:
    """A question to a list, as text: None for what is not said. `attributes` and `excluded` are joined by commas."""

    attributes: str | None = None
    excluded: str | None = None
    filter: str | None = None
    sort_by: str | None = None
    sort_order: str | None = None
    start: str | None = None
    many: str | None = None
    cursor: str | None = None

    @property
    def question(self) -> tuple[str | None, ...]:
        """All that has to be the same on every page of a walk (RFC 9865 section 2)."""
        return (self.attributes, self.excluded, self.filter, self.sort_by, self.sort_order)

    @property
    def start_index(self) -> int:
        """The number of the first result. Raises InvalidValue, also where a cursor is sent beside it."""
        if self.cursor is not None and self.start is not None:
            raise InvalidValue("startIndex and cursor are two ways to page; send one of them.")
        return messages.start_index(self.start)

    @property
    def count(self) -> int:
        """How many results a page has at most. Raises InvalidValue; of a walk InvalidCount (RFC 9865 section 2.1)."""
        if self.cursor is None:
            return messages.count(self.many)
        try:
            count = messages.count(self.many, most=limits.PAGE_MOST + 1)
        except InvalidValue as problem:
            raise InvalidCount(problem.detail) from problem
        if count > limits.PAGE_MOST:
            raise InvalidCount(f"count is more than the {limits.PAGE_MOST} resources that a page has at most.")
        return count


def of_query(one: Callable[[str], str | None]) -> Search:
    """The question in a query string; `one` gives a parameter by its name, None where it is not there."""
    return Search(**{field: one(name) for name, field in FIELDS.items()})


def of_body(payload: Mapping[str, Any]) -> Search:
    """The question in a SearchRequest; null is what is not said.

    Raises InvalidSyntax for another message or a member that a search does not have, InvalidValue for a wrong type.
    """
    given = {key.lower(): value for key, value in payload.items()}
    validation.check_schemas(given.pop("schemas", None), SEARCH_URN)
    if given.keys() - SPELLED.keys():
        raise InvalidSyntax(f"A search has a member that it does not take. It takes: schemas, {', '.join(FIELDS)}.")
    return Search(**{FIELDS[SPELLED[key]]: _text(SPELLED[key], value) for key, value in given.items()})


def filter_of(search: Search, resource_type: ResourceType) -> Node | None:
    """The filter of a list of one type; None for all of it. Raises InvalidFilter."""
    return None if search.filter is None else filters.parse(search.filter, resource_type)


def order_of(search: Search, resource_type: ResourceType) -> Order | None:
    """The order of a list of one type; None for that of making. Raises InvalidPath and InvalidValue."""
    return sorting.parse(resource_type, search.sort_by, search.sort_order)


def filters_at_root(search: Search, types: Sequence[ResourceType]) -> list[Node | bool]:
    """What the filter of a list over several types means for each: True for all resources, False for none."""
    return [True if search.filter is None else filters.parse_at_root(search.filter, one) for one in types]


def orders_at_root(search: Search, types: Sequence[ResourceType]) -> list[Order | None]:
    """The order of each type of a list over several; None where it has nothing to be ordered by.

    Raises InvalidPath where that is so of all types, and InvalidValue for no direction.
    """
    found = [_order_or_none(search, one) for one in types]
    if search.sort_by is not None and not any(found):
        raise InvalidPath("sortBy names no attribute that resources of any type could be ordered by.")
    return found


def _order_or_none(search: Search, resource_type: ResourceType) -> Order | None:
    try:
        return order_of(search, resource_type)
    except InvalidPath:
        return None


def _text(name: str, value: Any) -> str | None:
    """A member as its query parameter would have it."""
    if value is None:
        return None
    if FIELDS[name] in LISTS:
        return _joined(name, value)
    if FIELDS[name] in NUMBERS:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidValue(f"{name} must be an integer.")
        return str(value)
    if not isinstance(value, str):
        raise InvalidValue(f"{name} must be a string.")
    return value


def _joined(name: str, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(one, str) and "," not in one for one in value):
        raise InvalidValue(f"{name} must be a list of names of attributes.")
    return ",".join(value) or None
