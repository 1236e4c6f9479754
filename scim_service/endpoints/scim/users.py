"""/Users (RFC 7644 sections 3.3 to 3.6)."""

from __future__ import annotations

from flask import Response

from scim_service.directory import users
from scim_service.directory.documents import Resource, View
from scim_service.endpoints import door
from scim_service.endpoints.scim import answers, changes, lists, requests
from scim_service.endpoints.scim.changes import Done
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol.schema import USER
from scim_service.storage.work import Work


@blueprint.get("/Users")
@door.again
def list_users() -> Response:
    """A page of people, filtered."""
    return lists.answer(lists.asked(), USER)


@blueprint.post("/Users")
@door.again
def create_user() -> Response:
    """A new person."""
    payload, view = requests.payload(USER), requests.view(USER)
    return changes.made(lambda work: _done(work, users.create(work, payload), view))


@blueprint.get("/Users/<user_id>")
@door.again
def read_user(user_id: str) -> Response:
    """One person."""
    view = requests.view(USER)
    with door.reading() as work:
        person = users.find(work, user_id)
        body = users.shown(work, [person], view)[0]
    if not users.shows_seats(view) and requests.expected().is_known(person.version):
        return answers.unchanged(person)
    return answers.resource(body, person)


@blueprint.put("/Users/<user_id>")
@door.again
def replace_user(user_id: str) -> Response:
    """A whole new document for a person."""
    payload, view, expected = requests.payload(USER), requests.view(USER), requests.expected()
    return changes.changed(lambda work: _done(work, users.replace(work, user_id, payload, expected), view))


@blueprint.patch("/Users/<user_id>")
@door.again
def patch_user(user_id: str) -> Response:
    """Some changes to a person; the answer is always the person (decision 14)."""
    operations, view = requests.operations(USER), requests.view(USER)
    creates, expected = door.profile().replace_creates, requests.expected()

    def act(work: Work) -> Done:
        person = users.patch(work, user_id, operations, replace_creates=creates, expected=expected)
        return _done(work, person, view)

    return changes.changed(act)


@blueprint.delete("/Users/<user_id>")
@door.again
def delete_user(user_id: str) -> Response:
    """The end of a person."""
    with door.writing() as work:
        users.delete(work, user_id, requests.expected())
    return answers.nothing()


def _done(work: Work, person: Resource, view: View) -> Done:
    location = f"{view.base}{USER.endpoint}/{person.id}"
    return Done(person, location, lambda: users.shown(work, [person], view)[0])
