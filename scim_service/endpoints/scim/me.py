"""/Me (RFC 7644 section 3.11): the person for whom the token stands; a machine's stands for none, which is 501."""

from __future__ import annotations

from flask import Response

from scim_service import errors
from scim_service.directory import own, users
from scim_service.directory.documents import Resource, View
from scim_service.endpoints import door
from scim_service.endpoints.scim import answers, changes, requests
from scim_service.endpoints.scim.changes import Done
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol.schema import USER
from scim_service.storage.work import Work


@blueprint.get("/Me")
@door.again
def read_me() -> Response:
    """The person's own resource."""
    user_id, view = _me(), requests.view(USER)
    with door.reading() as work:
        person = users.find(work, user_id)
        body = users.shown(work, [person], view)[0]
    if not users.shows_seats(view) and requests.expected().is_known(person.version):
        return _located(answers.unchanged(person), person, view)
    return _located(answers.resource(body, person), person, view)


@blueprint.put("/Me")
@door.again
def replace_me() -> Response:
    """A new document for the person, who may change only what is one's own."""
    user_id, view, payload, expected = _me(), requests.view(USER), requests.payload(USER), requests.expected()
    return _changed(view, lambda work: own.replace(work, user_id, payload, expected))


@blueprint.patch("/Me")
@door.again
def patch_me() -> Response:
    """Some changes to what is one's own."""
    user_id, view, operations, expected = _me(), requests.view(USER), requests.operations(USER), requests.expected()
    creates = door.profile().replace_creates
    return _changed(view, lambda work: own.patch(work, user_id, operations, replace_creates=creates, expected=expected))


@blueprint.route("/Me", methods=["POST", "DELETE"])
def refuse_me() -> Response:
    """Nobody is made or ended here."""
    _me()
    raise errors.Forbidden("You can neither be made nor ended by yourself. Whoever provisions people does that.")


def _me() -> str:
    """The id of the person. Raises NotBuilt for the token of a machine."""
    person = door.caller().person
    if person is None:
        raise errors.NotBuilt(
            "This token stands for no person, so there is no /Me. Make one with: scim-service token create --user"
        )
    return person


def _changed(view: View, act: changes.Act) -> Response:
    def done(work: Work) -> Done:
        person = act(work)
        return Done(person, _location(person, view), lambda: users.shown(work, [person], view)[0])

    found = changes.changed(done)
    found.headers["Location"] = f"{view.base}{USER.endpoint}/{_me()}"
    return found


def _located(found: Response, person: Resource, view: View) -> Response:
    """The answer with the permanent place of the resource, which an alias owes."""
    found.headers["Location"] = _location(person, view)
    return found


def _location(person: Resource, view: View) -> str:
    return f"{view.base}{USER.endpoint}/{person.id}"
