"""/Users (RFC 7644 sections 3.3 to 3.6)."""

from __future__ import annotations

from flask import Response

from scim_service.directory import users
from scim_service.endpoints import door
from scim_service.endpoints.scim import answers, lists, requests
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol.schema import USER


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
    with door.writing() as work:
        person = users.create(work, payload)
        body = users.shown(work, [person], view)[0]
    return answers.created(body, person, f"{view.base}{USER.endpoint}/{person.id}")


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
    payload, view = requests.payload(USER), requests.view(USER)
    with door.writing() as work:
        person = users.replace(work, user_id, payload, requests.expected())
        body = users.shown(work, [person], view)[0]
    return answers.resource(body, person)


@blueprint.patch("/Users/<user_id>")
@door.again
def patch_user(user_id: str) -> Response:
    """Some changes to a person; the answer is always the person (decision 14)."""
    operations, view = requests.operations(USER), requests.view(USER)
    creates, expected = door.profile().replace_creates, requests.expected()
    with door.writing() as work:
        person = users.patch(work, user_id, operations, replace_creates=creates, expected=expected)
        body = users.shown(work, [person], view)[0]
    return answers.resource(body, person)


@blueprint.delete("/Users/<user_id>")
@door.again
def delete_user(user_id: str) -> Response:
    """The end of a person."""
    with door.writing() as work:
        users.delete(work, user_id, requests.expected())
    return answers.nothing()
