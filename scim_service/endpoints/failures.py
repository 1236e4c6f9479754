"""Refusals and crashes as answers, in the form of the door that the request came to; plain JSON where there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import orjson
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from scim_service import errors
from scim_service.endpoints import door, doors
from scim_service.endpoints.api import answers as api_answers
from scim_service.endpoints.doors import Door
from scim_service.endpoints.pages import answers as page_answers
from scim_service.endpoints.scim import answers as scim_answers

_log = logging.getLogger("scim_service.failures")

DETAILS = {
    400: "This request could not be understood.",
    404: "There is nothing at this address.",
    405: "This method is not possible here.",
    413: "The request body is too large.",
    414: "The address is too long. Ask for less in one request.",
    415: "Send the body as application/scim+json or application/json.",
}
NOWHERE: Mapping[Door | None, str] = {
    doors.SCIM: "There is nothing at this address. Resources are at /Users and /Groups.",
    doors.API: "There is nothing at this address. Questions are answered at /people and /licenses.",
}
FORMS: Mapping[Door | None, Callable[[errors.ScimError], Response]] = {
    doors.SCIM: scim_answers.refusal,
    doors.API: api_answers.refusal,
    doors.LINKS: page_answers.refusal,
}
"""How each door words a refusal: an SCIM Error (RFC 7644 section 3.12), a code and a sentence, or a page."""

KEPT_HEADERS = frozenset({"allow", "retry-after"})


def register(app: Flask) -> None:
    """Turn what is raised anywhere into answers of this service's form."""
    app.register_error_handler(errors.ScimError, refused)
    app.register_error_handler(HTTPException, framework)
    app.register_error_handler(Exception, crashed)


def refused(error: errors.ScimError) -> Response:
    """The answer for a refusal of ours."""
    door.note_error(error)
    return answer(error)


def framework(error: HTTPException) -> Response:
    """The answer where the framework refuses: unknown address, method, body too large."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name.casefold() in KEPT_HEADERS}
    detail = DETAILS.get(status, "This request cannot be answered.")
    if status == 404:
        detail = NOWHERE.get(doors.here(), detail)
    return answer(_with_status(status, detail, headers))


def crashed(error: Exception) -> Response:
    """The answer where this program failed: nothing was changed, and nothing about the inside is told."""
    _log.error("request failed", exc_info=error, extra={"request_id": g.get("request_id", "")})
    detail = f"Something went wrong here; nothing was changed. Send the request again, or report the id {g.request_id}."
    return answer(_with_status(500, detail, {}))


def answer(error: errors.ScimError) -> Response:
    """An error body with its status."""
    return FORMS.get(doors.here(), _plain)(error)


def _with_status(status: int, detail: str, headers: dict[str, str]) -> errors.ScimError:
    """A refusal with a status of the framework's."""
    found = errors.ScimError(detail, headers)
    found.status = status
    return found


def _plain(error: errors.ScimError) -> Response:
    headers = {**error.headers, "Content-Type": "application/json"}
    return Response(orjson.dumps({"error": error.detail}), error.status, headers)
