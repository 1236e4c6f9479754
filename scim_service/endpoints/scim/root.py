"""The root: one list over users and groups (RFC 7644 section 3.4.2.1), and queries by POST (section 3.4.3)."""

from __future__ import annotations

from flask import Response

from scim_service.endpoints import door
from scim_service.endpoints.scim import lists
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol.schema import GROUP, USER


@blueprint.get("")
@door.again
def list_everything() -> Response:
    """A page of all resources: the users first, then the groups, unless an order is asked for."""
    return lists.answer(lists.asked(), USER, GROUP)


@blueprint.post("/.search")
@door.again
def search_everything() -> Response:
    """The same, asked for by POST."""
    return lists.answer(lists.sent(), USER, GROUP)


@blueprint.post("/Users/.search")
@door.again
def search_users() -> Response:
    """A page of people, asked for by POST."""
    return lists.answer(lists.sent(), USER)


@blueprint.post("/Groups/.search")
@door.again
def search_groups() -> Response:
    """A page of groups, asked for by POST."""
    return lists.answer(lists.sent(), GROUP)
