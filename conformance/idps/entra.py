"""Microsoft Entra ID: compares what it reads with what it has and PATCHes the differences, in two dialects.

Every second person is spoken of as with the flag `aadOptscim062020`, the others as without: on-demand provisioning does
not use the flag, so that both arrive from one tenant. Source: MicrosoftDocs/entra-docs (use-scim-to-provision-users-
and-groups, application-provisioning-config-problem-scim-compatibility); word for word in `recordings/entra/`.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from itertools import pairwise
from random import Random
from typing import Any

from conformance import matching
from conformance.idps.play import Phase, Play, Provider, Stopped, at, chunks, filtered
from conformance.idps.roster import ENTERPRISE, GROUP, USER, Person, Team

HEADERS = {"Accept": "application/scim+json", "User-Agent": ""}
LEGACY_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
ADDED = 60
"""Members in one PATCH."""

POINTERS = {
    "userName": "/userName",
    "externalId": "/externalId",
    "active": "/active",
    "displayName": "/displayName",
    "name.givenName": "/name/givenName",
    "name.familyName": "/name/familyName",
    "title": "/title",
    f"{ENTERPRISE}:department": f"/{ENTERPRISE}/department",
    f"{ENTERPRISE}:employeeNumber": f"/{ENTERPRISE}/employeeNumber",
    f"{ENTERPRISE}:manager": f"/{ENTERPRISE}/manager/value",
}
"""The attribute mapping of the application: target attribute, as in PATCH paths, and where it stands in a user."""
TYPED = {
    'emails[type eq "work"].value': ("emails", "work"),
    'phoneNumbers[type eq "mobile"].value': ("phoneNumbers", "mobile"),
}


def connect(play: Play) -> None:
    """A look-up of a random person, who must not be there. Raises Stopped when it fails."""
    nobody = uuid.UUID(int=Random(play.seed).getrandbits(128), version=4)
    for path in play.each((f"/Users?{filtered('userName', str(nobody), '+')}",)):
        if play.document(path).get("totalResults") != 0:
            raise Stopped(f"GET {path} gives no empty list, so Entra's test fails; check base URL and token")


def provision(play: Play) -> None:
    """Each person is looked up by userName; who is there is compared and patched, who is not is created."""
    for person in play.each(play.people):
        path = f"/Users?{filtered('userName', person.user_name, '+')}"
        found = play.look_up(path, person.user_name)
        if found:
            person.id = str(found.get("id") or "")
            _patch(play, person, _changes(mapped(found), mapped(person.document())))
        elif found is not None:
            _create(play, person)


def set_managers(play: Play) -> None:
    """Everybody gets a manager by reference; the last one's is nobody that this server knows."""
    people = play.present()
    for place, person in enumerate(play.each(people)):
        boss = "no-such-person" if place == len(people) - 1 else people[(place // 10 + 1) % len(people)].id
        _update(play, person, manager=boss)


def provision_groups(play: Play) -> None:
    """Each group is looked up without its members, created empty, and gets its members: one, then the others."""
    for team in play.each(play.teams):
        _match(play, team)
        if team.id:
            wanted = [one for one in team.wanted if one.id]
            _add(play, team, wanted[:1])
            _add(play, team, wanted[1:])


def update_people(play: Play) -> None:
    """Several attributes of some people change at once, among them a phone number that they did not have."""
    for person in play.each(play.present()[::3]):
        _update(
            play,
            person,
            family=f"{person.family}-Oe",
            email=f"new.{person.email}",
            department="Headquarters",
            mobile=f"+1 555 {person.number:07d}",
        )


def move_people(play: Play) -> None:
    """A fifth of each group moves on to the next one: by value lists from every second, else by filters."""
    teams = play.pushed()
    for place, (source, target) in enumerate(play.each(list(pairwise(teams)))):
        movers = [one for one in source.members.values() if one.number % 5 == 4]
        _remove(play, source, movers, listed=place % 2 == 0)
        _add(play, target, movers)


def rename_group(play: Play) -> None:
    """A group is renamed and, since this play is to be had again, gets its name back."""
    for team in play.each(play.pushed()[-1:]):
        for name in (f"{team.name} (renamed)", team.name):
            if play.patch(at("Groups", team.id), {"op": "Replace", "path": "displayName", "value": name}):
                team.name = name


def disable(play: Play) -> None:
    """One in ten leaves the scope; a GET follows, which must still find the person."""
    for person in play.each(_leavers(play)):
        _update(play, person, active=False)
        play.document(at("Users", person.id))


def restore(play: Play) -> None:
    """Every second of those comes back within thirty days."""
    for person in play.each(_leavers(play)[::2]):
        _update(play, person, active=True)


def delete(play: Play) -> None:
    """The others are deleted for good: once, once more, and looked up again."""
    for person in play.each(_leavers(play)[1::2]):
        if play.ask("DELETE", at("Users", person.id), expect=(204,)) is None:
            continue
        person.gone = True
        play.ask("DELETE", at("Users", person.id), expect=(404,))
        if play.look_up(f"/Users?{filtered('userName', person.user_name, '+')}", person.user_name):
            play.unexpected.append(f"{play.phase}: {person.user_name} is found again after a DELETE")


def delete_group(play: Play) -> None:
    """A group is provisioned and deleted; its people stay."""
    team = Team(f"Project {play.seed}", f"project-{play.seed}", play.present()[:5])
    play.teams.append(team)
    _match(play, team)
    if team.id:
        _add(play, team, team.wanted)
        if play.ask("DELETE", at("Groups", team.id), expect=(204,)):
            team.gone = True


def mapped(document: Mapping[str, Any]) -> dict[str, Any]:
    """The mapped attributes of a user by PATCH path; None for those without a value."""
    found = {path: matching.value_at(document, pointer) for path, pointer in POINTERS.items()}
    for path, (name, kind) in TYPED.items():
        elements = [one for one in document.get(name) or [] if isinstance(one, dict) and one.get("type") == kind]
        found[path] = elements[0].get("value") if elements else None
    return {path: None if matching.unassigned(value) else value for path, value in found.items()}


def legacy(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations without the flag: capitals, always a path, every value a text."""
    return [
        {"op": "Remove", "path": path.removesuffix("].value") + "]" if "[" in path else path}
        if value is None
        else {"op": "Add" if "[" in path else "Replace", "path": path, "value": _as_text(value)}
        for path, value in changes.items()
    ]


def compliant(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations with the flag: one replace without a path for all that is plain, a path for the others."""
    plain = {path: value for path, value in changes.items() if value is not None and "[" not in path}
    operations: list[dict[str, Any]] = [{"op": "replace", "value": plain}] if plain else []
    for path, value in changes.items():
        if value is None:
            operations.append({"op": "remove", "path": path.removesuffix("].value") + "]" if "[" in path else path})
        elif "[" in path:
            operations.append({"op": "add", "path": path, "value": value})
    return operations


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, bool) else value


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in new.items() if old.get(path) != value}


def _update(play: Play, person: Person, **values: Any) -> None:
    changed = dataclasses.replace(person, **values)
    if _patch(play, person, _changes(mapped(person.document()), mapped(changed.document()))):
        for name, value in values.items():
            setattr(person, name, value)


def _patch(play: Play, person: Person, changes: Mapping[str, Any]) -> bool:
    """Whether the changes are made; nothing is sent for none."""
    dialect = compliant if person.number % 2 else legacy
    return not changes or play.patch(at("Users", person.id), *dialect(changes))


def _create(play: Play, person: Person) -> None:
    nulls: dict[str, Any] = {"addresses": None, "phoneNumbers": None, "roles": [], "meta": {"resourceType": "User"}}
    answer = play.ask("POST", "/Users", nulls | {"schemas": [USER, ENTERPRISE]} | person.document(), (201,))
    if answer is not None:
        person.id = str(answer.document().get("id") or "")


def _match(play: Play, team: Team) -> None:
    """Find the group, with those members that it had before, or create it."""
    path = f"/Groups?excludedAttributes=members&{filtered('displayName', team.name, '+')}"
    found = play.look_up(path, team.name)
    if found:
        team.id = str(found.get("id") or "")
        if found.get("externalId") != team.external_id:
            play.patch(at("Groups", team.id), {"op": "Add", "path": "externalId", "value": team.external_id})
        _adopt_members(play, team)
    elif found is not None:
        body = {"schemas": [GROUP, LEGACY_GROUP], "externalId": team.external_id, "displayName": team.name}
        made = play.ask("POST", "/Groups", body | {"meta": {"resourceType": "Group"}}, (201,))
        team.id = "" if made is None else str(made.document().get("id") or "")


def _adopt_members(play: Play, team: Team) -> None:
    """Entra never takes out whom it did not put in, so the model must know who was there; Entra itself does not ask."""
    known = {one.id: one for one in play.present()}
    there = {str(one.get("value")) for one in play.document(at("Groups", team.id)).get("members") or []}
    team.members = {member: known[member] for member in there & known.keys()}
    team.others = there - known.keys()


def _add(play: Play, team: Team, people: list[Person]) -> None:
    for some in chunks(people, ADDED):
        value = [{"$ref": None, "value": one.id} for one in some]
        if play.patch(at("Groups", team.id), {"op": "Add", "path": "members", "value": value}):
            team.members |= {one.id: one for one in some}


def _remove(play: Play, team: Team, people: list[Person], *, listed: bool) -> None:
    for some in chunks(people, ADDED):
        value = [{"$ref": None, "value": one.id} for one in some]
        by_list = [{"op": "Remove", "path": "members", "value": value}]
        by_filter = [{"op": "remove", "path": f'members[value eq "{one.id}"]'} for one in some]
        if play.patch(at("Groups", team.id), *(by_list if listed else by_filter)):
            for one in some:
                team.members.pop(one.id, None)


def _leavers(play: Play) -> list[Person]:
    return [one for one in play.people[::10] if one.id and not one.gone]


PROVIDER = Provider(
    name="entra",
    domain="example.org",
    headers=HEADERS,
    query="aadOptscim062020",
    group_external_ids=True,
    phases=(
        Phase("Test the connection", connect),
        Phase("Provision people", provision),
        Phase("Set managers", set_managers),
        Phase("Provision groups", provision_groups),
        Phase("Update people", update_people),
        Phase("Move people between groups", move_people),
        Phase("Rename a group", rename_group),
        Phase("Disable people", disable),
        Phase("Restore people", restore),
        Phase("Delete people", delete),
        Phase("Delete a group", delete_group),
    ),
)
