"""Bulk requests: what they ask, in which order it can be done, and references to what they make (RFC 7644 section 3.7).

An operation waits for those that make what it refers to, and for the one before it on the same resource; apart from
that the order of the request stands. Operations that refer to each other in a circle are one unit, done together.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scim_service.errors import InvalidPath, InvalidSyntax, InvalidValue, ScimError, TooLarge
from scim_service.protocol import limits, validation
from scim_service.protocol.schema import BULK_REQUEST_URN, BULK_RESPONSE_URN, RESOURCE_TYPES, ResourceType

METHODS = ("POST", "PUT", "PATCH", "DELETE")
MEMBERS = ("method", "path", "bulkId", "version", "data")
TOP = ("schemas", "failOnErrors", "Operations")
ENDPOINTS = {one.endpoint: one for one in RESOURCE_TYPES.values()}

_PATH = re.compile(r"/?([A-Za-z]+)(?:/([^/?#]+))?")
_REFERENCE = re.compile(r"(.*/)?bulkId:(.+)", re.DOTALL)
_QUOTED = re.compile(r'"bulkId:([^"\\]+)"')
_LAST_NAME = re.compile(r"[.:]")
REFERRING = frozenset({"value", "$ref", "manager", "members"})
"""Last names of the attributes whose values can be references."""


@dataclass(frozen=True)
class Operation:
    """One operation. `refusal` is why it cannot be carried out at all; then the rest may be anything.

    `target` is the id in the path, None for a POST; `refers` holds the bulkIds that path and data refer to.
    """

    method: str
    path: str
    bulk_id: str | None = None
    version: str | None = None
    data: Any = None
    resource_type: ResourceType | None = None
    target: str | None = None
    refers: frozenset[str] = frozenset()
    refusal: ScimError | None = None

    @property
    def makes(self) -> str | None:
        """The bulkId of the resource that this makes, if it makes one."""
        return self.bulk_id if self.method == "POST" else None


@dataclass(frozen=True)
class Bulk:
    """A whole request; `fail_on_errors` is how many errors end it, None for any number."""

    operations: tuple[Operation, ...]
    fail_on_errors: int | None


def read(payload: Mapping[str, Any]) -> Bulk:
    """The request in a body. What is wrong with one operation alone is kept as its `refusal`.

    Raises InvalidSyntax for what is no bulk request, InvalidValue for a bulkId that is there twice, TooLarge (413).
    """
    given = {key.lower(): value for key, value in payload.items() if value is not None}
    validation.check_schemas(given.get("schemas"), BULK_REQUEST_URN)
    if given.keys() - {name.lower() for name in TOP}:
        raise InvalidSyntax(f"A bulk request has a member that it does not take. It takes: {', '.join(TOP)}.")
    listed = given.get("operations")
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise InvalidSyntax("Operations must be a list of one or more objects.")
    if len(listed) > limits.BULK_OPERATIONS:
        raise TooLarge(f"A bulk request has at most {limits.BULK_OPERATIONS} operations (maxOperations); send fewer.")
    found = [_operation({key.lower(): value for key, value in one.items() if value is not None}) for one in listed]
    named = [one.bulk_id for one in found if one.bulk_id is not None]
    if len(set(named)) != len(named):
        raise InvalidValue("A bulkId is there twice; each operation has its own.")
    made = {one.makes for one in found if one.makes is not None}
    return Bulk(tuple(_with_references(one, made) for one in found), _most_errors(given))


def units(operations: Sequence[Operation]) -> list[list[int]]:
    """The order in which they can be done, as numbers; more than one in a unit refer to each other in a circle."""
    needs = _needs(operations)
    groups = _components(needs)
    home = {number: place for place, group in enumerate(groups) for number in group}
    waits = [{home[need] for number in group for need in needs[number]} - {place} for place, group in enumerate(groups)]
    freed: dict[int, list[int]] = {}
    for place, before in enumerate(waits):
        for other in before:
            freed.setdefault(other, []).append(place)
    ready = [(min(group), place) for place, group in enumerate(groups) if not waits[place]]
    heapq.heapify(ready)
    found = []
    while ready:
        _, place = heapq.heappop(ready)
        found.append(sorted(groups[place]))
        for other in freed.get(place, ()):
            waits[other].discard(place)
            if not waits[other]:
                heapq.heappush(ready, (min(groups[other]), other))
    return found


def resolved(operation: Operation, ids: Mapping[str, str]) -> Operation:
    """The operation with the ids of what it refers to; all of them are in `ids`."""
    if not operation.refers:
        return operation
    target = operation.target and _given(operation.target, ids.__getitem__)
    return replace(operation, target=target, data=_replaced(operation.data, "", ids.__getitem__))


def response(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer to a bulk request (RFC 7644 section 3.7.3)."""
    return {"schemas": [BULK_RESPONSE_URN], "Operations": list(results)}


# ---- reading one operation


def _operation(given: Mapping[str, Any]) -> Operation:
    method, path, bulk_id = given.get("method"), given.get("path"), given.get("bulkid")
    shown = Operation(
        method.upper() if isinstance(method, str) else "",
        path if isinstance(path, str) else "",
        bulk_id if isinstance(bulk_id, str) else None,
    )
    try:
        return _checked(given, shown)
    except ScimError as refusal:
        return replace(shown, refusal=refusal)


def _checked(given: Mapping[str, Any], shown: Operation) -> Operation:
    if given.keys() - {name.lower() for name in MEMBERS}:
        raise InvalidSyntax(f"An operation has a member that it does not take. It takes: {', '.join(MEMBERS)}.")
    if shown.method not in METHODS:
        raise InvalidSyntax(f"method is one of: {', '.join(METHODS)}.")
    if shown.bulk_id == "" or (shown.bulk_id is None and (shown.method == "POST" or "bulkid" in given)):
        raise InvalidSyntax("bulkId is a text that is not empty; a POST needs one.")
    resource_type, target = _place(shown)
    return replace(
        shown, resource_type=resource_type, target=target, version=_version(given, shown), data=_data(given, shown)
    )


def _place(shown: Operation) -> tuple[ResourceType, str | None]:
    """The resource type and the id in a path. Raises InvalidPath for one that the method cannot have."""
    match = _PATH.fullmatch(shown.path)
    resource_type = ENDPOINTS.get(f"/{match[1]}") if match else None
    target = match[2] if match else None
    if resource_type is None or (target is None) != (shown.method == "POST"):
        kinds = " or ".join(ENDPOINTS)
        raise InvalidPath(f"path is {kinds} for a POST, and that with /ID for any other method.")
    return resource_type, target


def _version(given: Mapping[str, Any], shown: Operation) -> str | None:
    version = given.get("version")
    if version is not None and (not isinstance(version, str) or shown.method == "POST"):
        raise InvalidValue("version is the text of an ETag, for PUT, PATCH and DELETE.")
    return version


def _data(given: Mapping[str, Any], shown: Operation) -> Any:
    data = given.get("data")
    if shown.method == "DELETE":
        if data:
            raise InvalidSyntax("A DELETE has no data.")
        return None
    if not isinstance(data, dict):
        raise InvalidSyntax(f"data must be an object; a {shown.method} needs it.")
    return data


def _most_errors(given: Mapping[str, Any]) -> int | None:
    most = given.get("failonerrors")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise InvalidValue("failOnErrors is a number from 1 on; leave it out to carry on after any error.")
    return most


# ---- references


def _with_references(one: Operation, made: set[str]) -> Operation:
    """The operation with what it refers to; a reference to nothing of this request is its refusal."""
    if one.refusal is not None:
        return one
    found: set[str] = set()

    def note(name: str) -> str:
        found.add(name)
        return name

    _replaced(one.data, "", note)
    if one.target is not None:
        _given(one.target, note)
    if not found <= made:
        return replace(one, refusal=InvalidValue("A bulkId is referred to that no POST of this request has."))
    return replace(one, refers=frozenset(found))


def _replaced(value: Any, key: str, give: Callable[[str], str]) -> Any:
    """A copy with what `give` gives in the place of every reference."""
    if isinstance(value, dict):
        path = next((held for name, held in value.items() if name.lower() == "path" and isinstance(held, str)), None)
        return {name: _replaced_part(name, held, path, give) for name, held in value.items()}
    if isinstance(value, list):
        return [_replaced(one, key, give) for one in value]
    is_reference = isinstance(value, str) and _LAST_NAME.split(key.lower())[-1] in REFERRING
    return _given(value, give) if is_reference else value


def _replaced_part(name: str, value: Any, path: str | None, give: Callable[[str], str]) -> Any:
    """One member of an object; in an operation of a PATCH, the path says what its value is of."""
    if path is None:
        return _replaced(value, name, give)
    if name.lower() == "path":
        return _QUOTED.sub(lambda match: f'"{_given(match[0][1:-1], give)}"', path)
    return _replaced(value, path.partition("[")[0] if path.endswith("]") else path, give)


def _given(text: str, give: Callable[[str], str]) -> str:
    match = _REFERENCE.fullmatch(text)
    return f"{match[1] or ''}{give(match[2])}" if match else text


# ---- order


def _needs(operations: Sequence[Operation]) -> list[set[int]]:
    """Which operations each one has to wait for, by number."""
    maker = {one.makes: number for number, one in enumerate(operations) if one.makes is not None}
    last: dict[str, int] = {}
    found = []
    for number, one in enumerate(operations):
        needs = {maker[name] for name in one.refers}
        if one.target is not None and one.refusal is None:
            if one.target in last:
                needs.add(last[one.target])
            last[one.target] = number
        found.append(needs)
    return found


def _components(needs: Sequence[Collection[int]]) -> list[list[int]]:
    """Which operations need each other, directly or through others: Kosaraju's two walks, without recursion."""
    needed_by: list[list[int]] = [[] for _ in needs]
    for number, before in enumerate(needs):
        for other in before:
            needed_by[other].append(number)
    finished: list[int] = []
    seen: set[int] = set()
    for number in range(len(needs)):
        finished += _walk(number, needs, seen)
    found, met = [], set[int]()
    for number in reversed(finished):
        component = _walk(number, needed_by, met)
        if component:
            found.append(component)
    return found


def _walk(start: int, edges: Sequence[Collection[int]], seen: set[int]) -> list[int]:
    """What can be reached and was not seen, in the order in which a walk in depth leaves it."""
    if start in seen:
        return []
    seen.add(start)
    left, path = [], [(start, iter(edges[start]))]
    while path:
        number, following = path[-1]
        for other in following:
            if other not in seen:
                seen.add(other)
                path.append((other, iter(edges[other])))
                break
        else:
            left.append(number)
            path.pop()
    return left
