"""/people: a person's rights, flags and licenses; whether a person is licensed for a type now."""

from __future__ import annotations

from typing import Any

from flask import Response

from scim_service.endpoints import door
from scim_service.endpoints.api import answers, asked
from scim_service.endpoints.api.routes import blueprint
from scim_service.licensing import checks
from scim_service.licensing.checks import Check, License, Person, Whom


@blueprint.get("/people/<person_id>")
@door.again
def read_person(person_id: str) -> Response:
    """One person, by id."""
    asked.parameters()
    return _person(Whom(id=person_id))


@blueprint.get("/people")
@door.again
def find_person() -> Response:
    """One person, by userName or externalId."""
    return _person(asked.whom())


@blueprint.get("/people/<person_id>/licenses/<code>")
@door.again
def check_person(person_id: str, code: str) -> Response:
    """Whether a person is licensed for a type now, by id."""
    asked.parameters()
    return _check(Whom(id=person_id), code)


@blueprint.get("/people/licenses/<code>")
@door.again
def check_found_person(code: str) -> Response:
    """The same, by userName or externalId."""
    return _check(asked.whom(), code)


def _person(whom: Whom) -> Response:
    with door.reading() as work:
        found = checks.person(work, whom)
    return answers.document(_shown(found))


def _check(whom: Whom, code: str) -> Response:
    with door.reading() as work:
        found = checks.check(work, whom, code)
    return answers.document(_checked(found))


def _shown(one: Person) -> dict[str, Any]:
    return {
        "id": one.id,
        "userName": one.user_name,
        "active": one.active,
        "banned": one.banned,
        "status": one.status,
        "flags": one.flags,
        "rights": one.rights,
        "attributes": one.attributes,
        "licenses": [{"license": held.code, "name": held.name, **_standing(held)} for held in one.licenses],
    }


def _checked(one: Check) -> dict[str, Any]:
    head = {"person": one.person_id, "license": one.code, "licensed": one.licensed, "by": one.by}
    return {**head, **_standing(one.license)}


def _standing(one: License) -> dict[str, Any]:
    names = ("state", "reason", "since", "until", "position")
    return {name: getattr(one, name) for name in names}
