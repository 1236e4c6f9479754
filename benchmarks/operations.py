"""What is measured: operations on people and groups as flows, and whether a rig answers them rightly.

An operation of a rig is a function of the connection's number that gives its flow. Before anything is timed, `proved`
asks each rig for answers whose rightness it can see; who answers wrongly is left out by name, not timed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchmarks import people
from benchmarks.client import Flow
from benchmarks.rigs import Rig

LANES = 8
"""The most connections at once; each has people of its own, so that writers rarely meet."""

SAMPLE = 64
FILTERS = {
    "filter userName": 'userName eq "{name}"',
    "filter externalId": 'externalId eq "{external}"',
    "filter emails.value": 'emails.value eq "{name}"',
    "filter emails[work]": 'emails[type eq "work"].value eq "{name}"',
    "filter userName and active": 'userName eq "{name}" and active eq true',
}
NO_MEMBERS = "?excludedAttributes=members"
FRESH = itertools.count(1)


class Wrong(RuntimeError):
    """A rig gave a wrong answer; the text says to what."""


@dataclass(frozen=True)
class Operation:
    """A name, how its flow on one connection is made, on how many connections it is measured, how many at least."""

    name: str
    flow: Callable[[Rig, int], Flow]
    connections: tuple[int, ...] = (1, LANES)
    least: int = 3
    seconds: float = 1.0
    """Its share of a turn's time, as a factor."""

    proof: Callable[[Rig], None] = lambda rig: None


def sample(rig: Rig) -> list[int]:
    """The numbers of the people that are read and changed, spread over all."""
    step = max(1, len(rig.ids) // SAMPLE)
    return list(range(0, len(rig.ids), step))[:SAMPLE]


def get_by_id(rig: Rig, lane: int) -> Flow:
    """GET of people, one after the other."""
    requests = [rig.client.request("GET", f"/Users/{rig.ids[number]}") for number in sample(rig)[lane::LANES]]
    return _round("GET user by id", requests)


def prove_get(rig: Rig) -> None:
    """The person with this id."""
    number = sample(rig)[-1]
    answer = rig.client.call("GET", f"/Users/{rig.ids[number]}")
    if answer.status != 200 or answer.document["userName"] != people.name(number):
        raise Wrong(f"GET by id: {answer.status} {answer.body[:200]!r}")


def canned(rig: Rig, lane: int) -> Flow:
    """The yardstick."""
    return _round("canned", [rig.client.request("GET", "/canned")])


def filtering(name: str) -> Operation:
    """One of FILTERS, asked for one person after the other."""

    def flow(rig: Rig, lane: int) -> Flow:
        return _round(name, [_found(rig, name, people.name(one)) for one in sample(rig)[lane::LANES]])

    def proof(rig: Rig) -> None:
        number = sample(rig)[-1]
        hit = rig.client.call("GET", _query(name, people.name(number)))
        miss = rig.client.call("GET", _query(name, "nobody@bench.example.com"))
        if hit.status != 200 or [one["id"] for one in hit.document["Resources"]] != [rig.ids[number]]:
            raise Wrong(f"{name}: {hit.status} {hit.body[:200]!r}")
        if miss.status != 200 or miss.document.get("totalResults") != 0:
            raise Wrong(f"{name}, of nobody: {miss.status} {miss.body[:200]!r}")

    return Operation(name, flow, proof=proof)


def create(rig: Rig, lane: int) -> Flow:
    """POST of new people."""
    while True:
        number = next(FRESH)
        body = people.document(number, f"new{number:07d}x{rig.process}{people.DOMAIN}")
        yield "create user", rig.client.request("POST", "/Users", body)


def patch_active(rig: Rig, lane: int) -> Flow:
    """PATCH of `active`, false and true again, of people that this connection has to itself."""
    while True:
        for number in sample(rig)[lane::LANES]:
            for active in (False, True):
                yield "PATCH active", _patch(rig, f"/Users/{rig.ids[number]}", _active(active))


def prove_patch(rig: Rig) -> None:
    """A PATCH of `active` is to be seen by a GET."""
    place = f"/Users/{rig.ids[sample(rig)[-1]]}"
    for active in (False, True):
        answer = rig.client.call("PATCH", place, people.patch(_active(active)))
        if answer.status not in (200, 204) or rig.client.call("GET", place).document.get("active") is not active:
            raise Wrong(f"PATCH active: {answer.status} {answer.body[:200]!r}")


def one_member(sizes: Sequence[int], query: str = "") -> Operation:
    """One member in and out of groups of these sizes, the sizes in turns on one connection."""
    end = " without members" if query else ""

    def flow(rig: Rig, lane: int) -> Flow:
        spare = rig.ids[-32:]
        for member in itertools.cycle(spare):
            for size in sizes:
                place = f"/Groups/{rig.groups[size]}{query}"
                yield f"add @{size}{end}", _patch(rig, place, people.members([member]))
                yield f"remove @{size}{end}", _patch(rig, place, rig.removal(member))

    least, share = 2 * len(sizes) + 2, 2.0 * len(sizes)
    return Operation(f"one member{end}", flow, (1,), least, share, prove_members(sizes))


def prove_members(sizes: Sequence[int]) -> Callable[[Rig], None]:
    """Groups of these sizes, made where the rig has none; a member that is added is there, and gone when removed."""

    def proof(rig: Rig) -> None:
        for size in sizes:
            if size not in rig.groups:
                rig.groups[size] = made_group(rig, size)
            place, member = f"/Groups/{rig.groups[size]}", rig.ids[-1]
            for expected, operation in ((size + 1, people.members([member])), (size, rig.removal(member))):
                answer = rig.client.call("PATCH", place, people.patch(operation))
                held = len(rig.client.call("GET", place).document.get("members") or [])
                if answer.status not in (200, 204) or held != expected:
                    raise Wrong(f"{operation['op']} @{size}: {answer.status}, {held} members, not {expected}")

    return proof


def made_group(rig: Rig, size: int) -> str:
    """The id of a new group with the first `size` people."""
    name = f"Group {size} {next(FRESH)} {rig.process}"
    answer = rig.client.call("POST", "/Groups", {"schemas": [people.GROUP], "displayName": name})
    if answer.status != 201:
        raise Wrong(f"POST of a group: {answer.status} {answer.body[:200]!r}")
    made = str(answer.document["id"])
    for start in range(0, size, 1000):
        body = people.patch(people.members(rig.ids[start : min(start + 1000, size)]))
        answer = rig.client.call("PATCH", f"/Groups/{made}", body)
        if answer.status not in (200, 204):
            raise Wrong(f"a group of {size}: {answer.status} {answer.body[:200]!r}")
    return made


def add_many(rig: Rig, lane: int) -> Flow:
    """PATCH that adds 1,000 members to a new group; the group is deleted again."""
    ids = rig.ids[:1000]
    while True:
        body = {"schemas": [people.GROUP], "displayName": f"Many {next(FRESH)} {rig.process}"}
        answer = yield "(new group)", rig.client.request("POST", "/Groups", body)
        place = f"/Groups/{answer.document['id']}"
        yield "add 1000", _patch(rig, place, people.members(ids))
        yield "(end of group)", rig.client.request("DELETE", place)


def get_group(size: int, query: str = "") -> Operation:
    """GET of the group of this size."""
    name = f"GET group @{size}" + (" without members" if query else "")

    def flow(rig: Rig, lane: int) -> Flow:
        return _round(name, [rig.client.request("GET", f"/Groups/{rig.groups[size]}{query}")])

    def proof(rig: Rig) -> None:
        if size not in rig.groups:
            rig.groups[size] = made_group(rig, size)

    return Operation(name, flow, (1,), proof=proof)


def list_page(rig: Rig, lane: int) -> Flow:
    """The first page of 100 people."""
    return _round("first page of 100", [rig.client.request("GET", "/Users?startIndex=1&count=100")])


PLAIN = [
    Operation("GET user by id", get_by_id, proof=prove_get),
    *[filtering(name) for name in FILTERS],
    Operation("first page of 100", list_page, (1,)),
    Operation("create user", create),
    Operation("PATCH active", patch_active, proof=prove_patch),
]
"""What needs no group."""

CANNED = Operation("canned", canned)


def on_groups(size: int) -> list[Operation]:
    """What is done with an empty group and with one of this size."""
    sizes = (0, size)
    return [
        one_member(sizes),
        Operation("add 1000", add_many, (1,)),
        get_group(size),
        get_group(size, NO_MEMBERS),
        one_member(sizes, NO_MEMBERS),
    ]


def _round(label: str, requests: Sequence[bytes]) -> Flow:
    for request in itertools.cycle(requests):
        yield label, request


def _found(rig: Rig, name: str, user_name: str) -> bytes:
    return rig.client.request("GET", _query(name, user_name))


def _query(name: str, user_name: str) -> str:
    text = FILTERS[name].format(name=user_name, external=people.external_id(user_name))
    return f"/Users?filter={quote(text, safe='')}"


def _patch(rig: Rig, place: str, operation: dict[str, Any]) -> bytes:
    return rig.client.request("PATCH", place, people.patch(operation))


def _active(value: bool) -> dict[str, Any]:
    return {"op": "replace", "path": "active", "value": value}
