"""Bulk requests as they are read and ordered, without anything being done (RFC 7644 section 3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service import errors
from scim_service.protocol import bulk, limits
from scim_service.protocol.bulk import Operation
from scim_service.protocol.schema import BULK_REQUEST_URN

USER = {"schemas": [], "userName": "a"}


def post(name: str, data: Any = None, **more: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/Users", "bulkId": name, "data": {**USER, **(data or {}), **more}}


def patch(path: str, *operations: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": {"Operations": list(operations)}}


def read(*operations: Any, **more: Any) -> bulk.Bulk:
    return bulk.read({"schemas": [BULK_REQUEST_URN], "Operations": list(operations), **more})


def units(*operations: Any) -> list[list[int]]:
    return bulk.units(read(*operations).operations)


MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def test_the_order_of_the_request_stands_where_nothing_has_to_wait() -> None:
    assert units(post("a"), post("b"), patch("/Users/bulkId:a"), {"method": "DELETE", "path": "/Users/x"}) == [
        [0],
        [1],
        [2],
        [3],
    ]


def test_what_refers_to_something_later_waits_for_it_and_what_waits_for_that_waits_too() -> None:
    group = {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"members": [{"value": "bulkId:b"}]}}
    rename = patch("/Groups/bulkId:g", {"op": "replace", "path": "displayName", "value": "x"})
    assert units(group, rename, post("a"), post("b")) == [[2], [3], [0], [1]]


def test_operations_on_one_resource_keep_their_order() -> None:
    first = patch("/Groups/g", {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]})
    second = patch("/Groups/g", {"op": "remove", "path": "members"})
    assert units(first, second, post("a")) == [[2], [0], [1]]


def test_who_refers_to_each_other_is_done_together() -> None:
    circle = [post(one, manager={"value": f"bulkId:{other}"}) for one, other in ("ab", "bc", "ca")]
    assert units(*circle, post("d", manager={"value": "bulkId:a"}), post("e")) == [[0, 1, 2], [3], [4]]


def test_who_refers_to_itself_is_no_circle_of_several() -> None:
    assert units(post("a", manager={"value": "bulkId:a"}), post("b")) == [[0], [1]]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"members": [{"value": "bulkId:a"}, {"value": "x"}]}, {"a"}),
        ({"members": [{"value": "bulkId:a", "$ref": "../Users/bulkId:a"}]}, {"a"}),
        ({"members": ["bulkId:a"]}, {"a"}),
        ({MANAGER: {"manager": {"value": "bulkId:a"}}}, {"a"}),
        ({MANAGER: {"Manager": "bulkId:a"}}, {"a"}),
        ({f"{MANAGER}:manager.value": "bulkId:a"}, {"a"}),
        ({"displayName": "bulkId:a"}, set()),
        ({"nickName": "bulkId:nobody", "title": "members bulkId:a"}, set()),
    ],
)
def test_references_are_found_in_data_where_references_are(data: Any, found: set[str]) -> None:
    [_, one] = read(post("a"), post("b", data)).operations
    assert one.refers == found and one.refusal is None
    resolved = bulk.resolved(one, {"a": "1"})
    assert ("bulkId:a" in str(resolved.data)) == (not found)


@pytest.mark.parametrize(
    ("operation", "resolved"),
    [
        (
            {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]},
            {"op": "add", "path": "members", "value": [{"value": "1"}]},
        ),
        (
            {"op": "remove", "path": 'members[value eq "bulkId:a"]'},
            {"op": "remove", "path": 'members[value eq "1"]'},
        ),
        (
            {"op": "add", "value": {"members": [{"value": "bulkId:a"}]}},
            {"op": "add", "value": {"members": [{"value": "1"}]}},
        ),
        (
            {"op": "add", "path": f"{MANAGER}:manager", "value": "bulkId:a"},
            {"op": "add", "path": f"{MANAGER}:manager", "value": "1"},
        ),
        (
            {"op": "replace", "path": f"{MANAGER}:manager.value", "value": "bulkId:a"},
            {"op": "replace", "path": f"{MANAGER}:manager.value", "value": "1"},
        ),
        (
            {"op": "replace", "path": "displayName", "value": "bulkId:a"},
            {"op": "replace", "path": "displayName", "value": "bulkId:a"},
        ),
    ],
)
def test_references_are_found_in_operations_of_a_patch(operation: Any, resolved: Any) -> None:
    [_, one] = read(post("a"), patch("/Groups/bulkId:a", operation)).operations
    found = bulk.resolved(one, {"a": "1"})
    assert found.target == "1" and found.data["Operations"] == [resolved]


REFUSED = [
    {"path": "/Users", "bulkId": "x", "data": USER},
    {"method": "GET", "path": "/Users/x"},
    {"method": 1, "path": "/Users/x"},
    {"method": "POST", "path": "/Users", "data": USER},
    {"method": "POST", "path": "/Users", "bulkId": "", "data": USER},
    {"method": "POST", "path": "/Users", "bulkId": 5, "data": USER},
    {"method": "POST", "path": "/Users/x", "bulkId": "x", "data": USER},
    {"method": "POST", "path": "/Users", "bulkId": "x"},
    {"method": "POST", "path": "/Users", "bulkId": "x", "data": "x"},
    {"method": "POST", "path": "/Users", "bulkId": "x", "data": USER, "version": 'W/"1"'},
    {"method": "PUT", "path": "/Users", "data": USER},
    {"method": "PATCH", "path": "/Users/x"},
    {"method": "PATCH", "path": "/Users/x", "data": [USER]},
    {"method": "DELETE", "path": "/Users"},
    {"method": "DELETE", "path": "/Users/x", "data": {"a": 1}},
    {"method": "DELETE", "path": "/Users/x", "version": 1},
    {"method": "DELETE", "path": "/Users/x/y"},
    {"method": "DELETE", "path": "/users/x"},
    {"method": "DELETE", "path": "/Things/x"},
    {"method": "DELETE", "path": "https://example.com/Users/x"},
    {"method": "DELETE", "path": "/Users/x?attributes=id"},
    {"method": "DELETE"},
    {"method": "DELETE", "path": "/Users/bulkId:nobody"},
    {"method": "DELETE", "path": "/Users/x", "headers": {}},
    post("x", manager={"value": "bulkId:nobody"}),
    patch("/Groups/x", {"op": "remove", "path": 'members[value eq "bulkId:nobody"]'}),
]


@pytest.mark.parametrize("operation", REFUSED)
def test_what_is_wrong_with_one_operation_is_its_own_refusal(operation: Any) -> None:
    first, second = read(operation, post("other")).operations
    assert first.refusal is not None and first.refusal.status == 400
    assert second.refusal is None
    assert bulk.units([first, second]) == [[0], [1]]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN]}, errors.InvalidSyntax),
        ({"schemas": ["urn:x"], "Operations": [post("a")]}, errors.InvalidSyntax),
        ({"schemas": None, "Operations": [post("a")]}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": []}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": post("a")}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a"), "x"]}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [None]}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a")], "failOnError": 1}, errors.InvalidSyntax),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a")], "failOnErrors": 0}, errors.InvalidValue),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a")], "failOnErrors": "1"}, errors.InvalidValue),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a")], "failOnErrors": True}, errors.InvalidValue),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a"), post("a")]}, errors.InvalidValue),
        ({"schemas": [BULK_REQUEST_URN], "Operations": [post("a")] * (limits.BULK_OPERATIONS + 1)}, errors.TooLarge),
    ],
)
def test_what_is_no_bulk_request_is_refused_as_a_whole(body: Any, error: type[errors.ScimError]) -> None:
    with pytest.raises(error):
        bulk.read(body)


edges = st.integers(1, 14).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@given(edges)
def test_everything_is_ordered_after_what_it_needs_and_circles_are_one(needs: list[set[int]]) -> None:
    operations = [
        Operation("POST", "/Users", str(number), refers=frozenset(map(str, needed)))
        for number, needed in enumerate(needs)
    ]
    found = bulk.units(operations)
    assert sorted(number for unit in found for number in unit) == list(range(len(needs)))
    place = {number: at for at, unit in enumerate(found) for number in unit}
    reach = [reachable(needs, number) for number in range(len(needs))]
    for number, needed in enumerate(needs):
        assert all(place[other] <= place[number] for other in needed)
    for one in range(len(needs)):
        for other in range(len(needs)):
            together = one == other or (other in reach[one] and one in reach[other])
            assert (place[one] == place[other]) == together


def reachable(needs: list[set[int]], start: int) -> set[int]:
    found: set[int] = set()
    waiting = list(needs[start])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += needs[one]
    return found


def test_a_thousand_in_one_chain_are_ordered_without_end_of_the_stack() -> None:
    chain = [post(str(number), manager={"value": f"bulkId:{number + 1}"}) for number in range(999)]
    assert units(*chain, post("999")) == [[number] for number in reversed(range(1000))]
