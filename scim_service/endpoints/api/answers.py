"""Answers of the product's door: JSON with an ETag of what it says, refusals as a code and a sentence."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import orjson
from flask import Response, request

from scim_service import errors
from scim_service.protocol import text

MEDIA_TYPE = "application/json"
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
"""What a status is called where the refusal has no code of its own."""


def document(body: Any) -> Response:
    """What was asked for, or 304 where the caller said that it has just this."""
    data = orjson.dumps(body, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    tag = hashlib.sha256(data).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Content-Type": MEDIA_TYPE}
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304, headers=headers)
        del answer.headers["Content-Type"]
        return answer
    return Response(data, 200, headers)


def refusal(error: errors.ScimError) -> Response:
    """A refusal: `code` for the program, `sentence` for who reads its log."""
    body = {"code": error.code or CODES.get(error.status, "refused"), "sentence": error.detail}
    return Response(orjson.dumps(body), error.status, {**error.headers, "Content-Type": MEDIA_TYPE})


def _plain(value: Any) -> Any:
    """An instant as text, in UTC, to the millisecond."""
    if isinstance(value, datetime):
        return text.format_datetime(value)
    raise TypeError(type(value))
