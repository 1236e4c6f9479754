"""Answers in SCIM's form: media type, ETag, Location (RFC 7644 sections 3.1 and 3.14)."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from scim_service import errors
from scim_service.directory.documents import Resource
from scim_service.protocol import messages

MEDIA_TYPE = "application/scim+json"


def document(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Any JSON in SCIM's media type."""
    return Response(orjson.dumps(body), status, {**(headers or {}), "Content-Type": MEDIA_TYPE})


def resource(body: dict[str, Any], of: Resource) -> Response:
    """One resource with the ETag of its version."""
    return document(body, headers={"ETag": of.etag})


def unchanged(of: Resource) -> Response:
    """304: the caller has this version already (RFC 7644 section 3.14)."""
    return _bodiless(304, of)


def created(body: dict[str, Any], of: Resource, location: str) -> Response:
    """201 with the place of what was made (RFC 7644 section 3.3)."""
    return document(body, 201, {"ETag": of.etag, "Location": location})


def created_bodiless(of: Resource, location: str) -> Response:
    """201 without the resource, as a client may prefer (RFC 7240 section 4.2)."""
    answer = _bodiless(201, of)
    answer.headers["Location"] = location
    return answer


def nothing(of: Resource | None = None) -> Response:
    """204: done, and there is nothing to say but the version."""
    return _bodiless(204, of)


def refusal(error: errors.ScimError) -> Response:
    """An SCIM Error (RFC 7644 section 3.12)."""
    return document(messages.error_body(error.status, error.detail, error.scim_type), error.status, error.headers)


def _bodiless(status: int, of: Resource | None) -> Response:
    """An answer without a body, which therefore has no media type."""
    answer = Response(status=status, headers={"ETag": of.etag} if of else {})
    del answer.headers["Content-Type"]
    return answer
