"""`/live`: the process answers. `/ready`: the database does too, with the schema that this program was written for."""

from __future__ import annotations

from flask import Blueprint, Response

from scim_service import errors
from scim_service.endpoints import service
from scim_service.storage import schema_version
from scim_service.storage.work import EVERY_TENANT, Actor

blueprint = Blueprint("health", __name__)


@blueprint.get("/live")
def live() -> Response:
    """200 as long as the process can answer; restart it when it cannot."""
    return Response('{"status":"live"}', 200, mimetype="application/json")


@blueprint.get("/ready")
def ready() -> Response:
    """200 when requests can be served, else 503 with the reason; take the process out of rotation meanwhile."""
    try:
        with service.current().store.reading(EVERY_TENANT, Actor("health")) as work:
            current = schema_version.is_current(work.connection)
    except errors.ScimError as problem:
        raise errors.Unavailable(problem.detail, {"Retry-After": "5"}) from problem
    if not current:
        raise errors.Unavailable("The database has another schema. Run: scim-service db upgrade", {"Retry-After": "30"})
    return Response('{"status":"ready"}', 200, mimetype="application/json")
