"""Reads back all that a play has written and says in sentences where it differs from the model.

Every person and group is read twice: on the pages of a list without a filter, as an import does, and by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance import matching
from conformance.idps.play import Play, at
from conformance.idps.roster import ENTERPRISE, Person, Team

Item = TypeVar("Item", Person, Team)
Comparison = Callable[[Item, Mapping[str, Any]], list[str]]

LICENSES = "urn:ietf:params:scim:schemas:extension:scim-service:license:2.0:User"
PAGE = 100
COMPARED = (
    "/userName",
    "/externalId",
    "/active",
    "/displayName",
    "/name/givenName",
    "/name/familyName",
    "/title",
    "/emails",
    "/phoneNumbers",
    f"/{ENTERPRISE}/department",
    f"/{ENTERPRISE}/employeeNumber",
    f"/{ENTERPRISE}/manager/value",
)


@dataclass
class Readback:
    """What one reading found: a sentence per difference, how many resources were compared, seats by type and state."""

    differences: list[str] = field(default_factory=list)
    compared: int = 0
    seats: dict[str, Counter[str]] = field(default_factory=dict)


def read(play: Play) -> Readback:
    """Everything that the play has written, compared. Raises Unreachable."""
    found = Readback()
    people, teams = [one for one in play.people if one.id], [one for one in play.teams if one.id]
    _pages(play, found, "/Users", {one.id: one for one in people}, _person_differences)
    _pages(play, found, "/Groups?excludedAttributes=members", {one.id: one for one in teams}, _team_differences)
    everything: list[Person | Team] = [*people, *teams]
    for one in play.each(everything, "reading back"):
        _by_id(play, found, one)
    return found


def _pages(play: Play, found: Readback, path: str, known: Mapping[str, Item], compare: Comparison[Item]) -> None:
    """Walk the list; each of the known must be on it once and as it should, the deleted ones not at all."""
    seen: Counter[str] = Counter()
    for document in _walk(play, path):
        one = known.get(str(document.get("id")))
        if one is not None:
            seen[one.id] += 1
            found.compared += 1
            found.differences += (
                [] if one.gone else [f"{_name(one)}, listed: {line}" for line in compare(one, document)]
            )
    for one in known.values():
        wanted = 0 if one.gone else 1
        if seen[one.id] != wanted:
            found.differences.append(f"{_name(one)}: on the list {seen[one.id]} times, expected {wanted}")


def _walk(play: Play, path: str) -> Iterator[dict[str, Any]]:
    """The resources of all pages; the next page is always a hundred on, whatever came (quirk 36)."""
    start, total = 1, 1
    while start <= total:
        page = play.document(f"{path}{'&' if '?' in path else '?'}startIndex={start}&count={PAGE}")
        total = page.get("totalResults", 0) if isinstance(page.get("totalResults"), int) else 0
        yield from (one for one in page.get("Resources") or [] if isinstance(one, dict))
        start += PAGE


def _by_id(play: Play, found: Readback, one: Person | Team) -> None:
    """Read one resource; a deleted one must answer 404."""
    path = at("Users" if isinstance(one, Person) else "Groups", one.id)
    if one.gone:
        play.ask("GET", path, expect=(404,))
        return
    found.compared += 1
    document = play.document(path)
    if not document:
        lines = [f"cannot be read at {path}"]
    elif isinstance(one, Person):
        lines = _person_differences(one, document)
        _count_seats(found.seats, document)
    else:
        lines = [*_team_differences(one, document), *_member_differences(play, one, document)]
    found.differences += [f"{_name(one)}: {line}" for line in lines]


def _person_differences(person: Person, document: Mapping[str, Any]) -> list[str]:
    """How a user differs from the person, by the attributes that a provider maps."""
    expected = person.document()
    lines = [line for pointer in COMPARED for line in _at(pointer, expected, document)]
    return lines + (["the password is shown"] if "password" in document else [])


def _team_differences(team: Team, document: Mapping[str, Any]) -> list[str]:
    expected = {"displayName": team.name} | ({"externalId": team.external_id} if team.external_id else {})
    return matching.lacking(expected, document)


def _member_differences(play: Play, team: Team, document: Mapping[str, Any]) -> list[str]:
    """How the members differ from just those of the team, by name where the name is known."""
    shown = Counter(str(one.get("value")) for one in document.get("members") or [] if isinstance(one, dict))
    wanted = team.member_ids()
    names = {one.id: one.user_name for one in play.people if one.id} if shown.keys() ^ wanted else {}
    return [
        *(f"member {names.get(one, one)} is missing" for one in sorted(wanted - shown.keys())),
        *(f"member {names.get(one, one)} must not be there" for one in sorted(shown.keys() - wanted)),
        *(f"member {names.get(one, one)} is there {times} times" for one, times in shown.items() if times > 1),
    ]


def _at(pointer: str, expected: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    wanted, held = matching.value_at(expected, pointer), matching.value_at(document, pointer)
    if wanted is matching.MISSING:
        return [] if matching.unassigned(held) else [f"{pointer}: expected no value, got {matching.text(held)}"]
    return matching.unequal(wanted, held, pointer)


def _count_seats(seats: dict[str, Counter[str]], document: Mapping[str, Any]) -> None:
    """Count the licenses of one user; a server that has none to show counts none."""
    for one in (document.get(LICENSES) or {}).get("licenses") or []:
        seats.setdefault(str(one.get("display") or one.get("value")), Counter())[str(one.get("state"))] += 1


def _name(one: Person | Team) -> str:
    return one.user_name if isinstance(one, Person) else f"group {one.name}"
