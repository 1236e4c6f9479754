"""Okta: looks up by userName, PUTs the GET's body with its changes, PATCHes `active` without a path.

Source: okta/okta-developer-docs (reference/scim/scim-20; guides scim-provisioning-integration-prepare, -connect and
-test); the requests word for word are in `recordings/okta/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from conformance.idps.play import Phase, Play, Provider, Stopped, at, chunks, filtered
from conformance.idps.roster import GROUP, USER, Person, Team

HEADERS = {
    "Accept": "application/scim+json",
    "Accept-Charset": "utf-8",
    "Accept-Encoding": "gzip,deflate",
    "User-Agent": "Okta SCIM Client 1.0.0",
}
ADDED = 1000
"""Members in one PATCH that adds or replaces: the upper end of what FastFed's profile lets a provider send."""
REMOVED = 100
"""Operations in one PATCH that takes members out one by one."""


def connect(play: Play) -> None:
    """The two requests of "Test API Credentials". Raises Stopped when they fail."""
    for path in play.each(("/Users?startIndex=1&count=2", "/Groups?startIndex=1&count=100")):
        if not isinstance(play.document(path).get("totalResults"), int):
            raise Stopped(f"GET {path} gives no list, so Okta would not save this connection; check base URL and token")


def assign(play: Play) -> None:
    """Each person is looked up by userName, taken over where there is one, and created where there is none."""
    for person in play.each(play.people):
        _assign(play, person)


def push_groups(play: Play) -> None:
    """Each group is looked up by name, linked or created empty, and pushed whole."""
    for team in play.each(play.teams):
        _link(play, team)
        _push(play, team)


def change_profiles(play: Play) -> None:
    """Some people get a new title and department, one in three of them another name."""
    for person in play.each(play.present()[::3]):
        family = f"{person.family}-Holt" if person.number % 9 == 0 else person.family
        _put(play, person, title="Principal", department="Headquarters", family=family)


def move_people(play: Play) -> None:
    """A fifth of each group moves on to the next one: filtered removes here, an add of a list there."""
    teams = play.pushed()
    for source, target in play.each(list(pairwise(teams))):
        movers = [one for one in source.members.values() if one.number % 5 == 4]
        _remove(play, source, movers)
        _add(play, target, movers)


def rename_group(play: Play) -> None:
    """A group is renamed and, since this play is to be had again, gets its name back."""
    for team in play.each(play.pushed()[-1:]):
        _name(play, team, f"{team.name} (renamed)")
        _name(play, team, team.name.removesuffix(" (renamed)"))


def put_group(play: Play) -> None:
    """An app made by the wizard PUTs the whole group: displays are null, one member has left."""
    for team in play.each(play.pushed()[-1:]):
        staying = list(team.members.values())[1:]
        members = [{"value": one.id, "display": None} for one in staying]
        body = {"schemas": [GROUP], "displayName": team.name, "members": members}
        if play.ask("PUT", at("Groups", team.id), body):
            team.members = {one.id: one for one in staying}


def deactivate(play: Play) -> None:
    """One in ten is unassigned; Okta never deletes a person."""
    for person in play.each(play.present()[::10]):
        _activate(play, person, False)


def reactivate(play: Play) -> None:
    """Every second of those is assigned again: found by look-up, activated, pushed."""
    for person in play.each(play.present()[::10][::2]):
        _assign(play, person)


def unlink_group(play: Play) -> None:
    """A group is pushed, emptied and deleted; its people stay."""
    team = Team(f"Project {play.seed}", None, play.present()[:5])
    play.teams.append(team)
    _link(play, team)
    _push(play, team)
    if team.id and _replace_members(play, team, []) and play.ask("DELETE", at("Groups", team.id), expect=(204,)):
        team.gone = True


def _assign(play: Play, person: Person) -> None:
    path = f"/Users?{filtered('userName', person.user_name)}&startIndex=1&count=100"
    found = play.look_up(path, person.user_name)
    if found == {}:
        _create(play, person)
    elif found:
        person.id, person.active = str(found.get("id") or ""), found.get("active") is not False
        if not person.active:
            _activate(play, person, True)
        _put(play, person)


def _create(play: Play, person: Person) -> None:
    extra = {"schemas": [USER], "groups": [], "password": "not-a-real-one-8kQ2", "locale": "en-US"}
    answer = play.ask("POST", "/Users", person.document() | extra, (201,))
    if answer is not None:
        person.id = str(answer.document().get("id") or "")


def _put(play: Play, person: Person, **changes: Any) -> None:
    """Push the profile: what GET gives, readOnly parts and all, with Okta's values laid over it."""
    changed = dataclasses.replace(person, **changes)
    held = play.document(at("Users", person.id))
    if held and play.ask("PUT", at("Users", person.id), _laid_over(held, changed.document())):
        for name, value in changes.items():
            setattr(person, name, value)


def _laid_over(held: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = {
        name: {**held[name], **value} if isinstance(value, dict) and isinstance(held.get(name), dict) else value
        for name, value in new.items()
    }
    return {**held, **merged}


def _activate(play: Play, person: Person, active: bool) -> None:
    if play.patch(at("Users", person.id), {"op": "replace", "value": {"active": active}}):
        person.active = active


def _link(play: Play, team: Team) -> None:
    path = f"/Groups?{filtered('displayName', team.name)}&startIndex=1&count=100"
    found = play.look_up(path, team.name)
    if found:
        team.id = str(found.get("id") or "")
    elif found is not None:
        made = play.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": team.name, "members": []}, (201,))
        team.id = "" if made is None else str(made.document().get("id") or "")


def _push(play: Play, team: Team) -> None:
    """A full push: the name, then a replace with the first members, then adds of the others."""
    if not team.id:
        return
    _name(play, team, team.name)
    wanted = [one for one in team.wanted if one.id]
    if _replace_members(play, team, wanted[:ADDED]):
        _add(play, team, wanted[ADDED:])


def _name(play: Play, team: Team, name: str) -> None:
    """The rename that also comes before every change of members; it carries the group's own id."""
    if play.patch(at("Groups", team.id), {"op": "replace", "value": {"id": team.id, "displayName": name}}):
        team.name = name


def _replace_members(play: Play, team: Team, people: list[Person]) -> bool:
    done = play.patch(at("Groups", team.id), {"op": "replace", "path": "members", "value": _values(people)})
    if done:
        team.members = {one.id: one for one in people}
    return done


def _add(play: Play, team: Team, people: list[Person]) -> None:
    for some in chunks(people, ADDED):
        if play.patch(at("Groups", team.id), {"op": "add", "path": "members", "value": _values(some)}):
            team.members |= {one.id: one for one in some}


def _remove(play: Play, team: Team, people: list[Person]) -> None:
    _name(play, team, team.name)
    for some in chunks(people, REMOVED):
        operations = [{"op": "remove", "path": f'members[value eq "{one.id}"]'} for one in some]
        if play.patch(at("Groups", team.id), *operations):
            for one in some:
                team.members.pop(one.id, None)


def _values(people: Iterable[Person]) -> list[dict[str, Any]]:
    return [{"value": one.id, "display": one.user_name} for one in people]


PROVIDER = Provider(
    name="okta",
    domain="example.com",
    headers=HEADERS,
    phases=(
        Phase("Test the connection", connect),
        Phase("Assign people", assign),
        Phase("Push groups", push_groups),
        Phase("Change profiles", change_profiles),
        Phase("Move people between groups", move_people),
        Phase("Rename a group", rename_group),
        Phase("PUT a whole group", put_group),
        Phase("Deactivate people", deactivate),
        Phase("Reactivate people", reactivate),
        Phase("Unlink a group", unlink_group),
    ),
)
