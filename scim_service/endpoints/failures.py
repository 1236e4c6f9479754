"""Refusals and crashes as answers: a SCIM Error under the SCIM prefix, plain JSON elsewhere (RFC 7644 section 3.12)."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from scim_service import errors
from scim_service.endpoints import door
from scim_service.endpoints.scim.answers import MEDIA_TYPE
from scim_service.protocol import messages

_log = logging.getLogger("scim_service.failures")

DETAILS = {
    400: "This request could not be understood.",
    404: "There is nothing at this address. Resources are at /Users and /Groups.",
    405: "This method is not possible here.",
    413: "The request body is too large.",
    414: "The address is too long. Ask for less in one request.",
    415: "Send the body as application/scim+json or application/json.",
}
KEPT_HEADERS = frozenset({"allow", "retry-after"})


def register(app: Flask) -> None:
    """Turn what is raised anywhere into answers of this service's form."""
    app.register_error_handler(errors.ScimError, refused)
    app.register_error_handler(HTTPException, framework)
    app.register_error_handler(Exception, crashed)


def refused(error: errors.ScimError) -> Response:
    """The answer for a refusal of ours."""
    door.note_error(error)
    return answer(error.status, error.detail, error.scim_type, error.headers)


def framework(error: HTTPException) -> Response:
    """The answer where the framework refuses: unknown address, method, body too large."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name.casefold() in KEPT_HEADERS}
    return answer(status, DETAILS.get(status, "This request cannot be answered."), None, headers)


def crashed(error: Exception) -> Response:
    """The answer where this program failed: nothing was changed, and nothing about the inside is told."""
    _log.error("request failed", exc_info=error, extra={"request_id": g.get("request_id", "")})
    detail = f"Something went wrong here; nothing was changed. Send the request again, or report the id {g.request_id}."
    return answer(500, detail, None, {})


def answer(status: int, detail: str, scim_type: str | None, headers: dict[str, str]) -> Response:
    """An error body with its status."""
    if door.is_scim():
        body: dict[str, Any] = messages.error_body(status, detail, scim_type)
        return Response(orjson.dumps(body), status, {**headers, "Content-Type": MEDIA_TYPE})
    return Response(orjson.dumps({"error": detail}), status, {**headers, "Content-Type": "application/json"})
