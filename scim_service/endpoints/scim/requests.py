"""What a SCIM request says, read and checked once: body, query, conditions."""

from __future__ import annotations

import functools
import re
from typing import Any

from flask import g, request
from werkzeug.sansio.utils import get_current_url

from scim_service import errors
from scim_service.directory.documents import Expected, View
from scim_service.endpoints import doors, service
from scim_service.protocol import limits, messages, patch, rendering, schema

MEDIA_TYPES = frozenset({"", "application/scim+json", "application/json"})
ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def base() -> str:
    """The URL that every location begins with, without a slash at the end."""
    public = service.current().settings.public_url
    return f"{(public or _host_url(request.scheme, request.host)).rstrip('/')}{doors.SCIM.prefix}"


@functools.lru_cache(64)
def _host_url(scheme: str, host: str) -> str:
    """The root that a request came to; it is asked for each answer, and is nearly always the same."""
    return get_current_url(scheme, host)


def payload(resource_type: schema.ResourceType) -> dict[str, Any]:
    """The JSON object in the body.

    Raises UnsupportedMedia (for a packed body too), TooLarge (413), and InvalidSyntax for what is no JSON object within
    the limits.
    """
    return message(*LIMITS[resource_type.name])


def message(size: int, values: int) -> dict[str, Any]:
    """A JSON object of at most `size` bytes and so many values; it raises as `payload` does."""
    if request.mimetype not in MEDIA_TYPES:
        raise errors.UnsupportedMedia("Send the body as application/scim+json or application/json.")
    if request.mimetype_params.get("charset", "utf-8").casefold() not in {"utf-8", "utf8"}:
        raise errors.UnsupportedMedia("Send the body in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").strip().casefold() not in {"", "identity"}:
        raise errors.UnsupportedMedia("Send the body as it is, without Content-Encoding.")
    return messages.read_json(_body(size), max_values=values)


def _body(size: int) -> bytes:
    """The body, read once even where the view runs again; never more than `size` bytes of it (libraries.md part 7).

    A chunked body has no length to be refused by: one byte more than the limit is asked for, so that none is cut off.
    """
    if "body" not in g:
        length = request.content_length
        if length is not None and length > size:
            raise _too_large(size)
        known = length is not None or request.environ.get("wsgi.input_terminated")
        body = _read(request.environ["wsgi.input"], size + 1 if length is None else length) if known else b""
        if len(body) > size:
            raise _too_large(size)
        g.body = body
    found: bytes = g.body
    return found


def body_read() -> bytes:
    """The body as it came, once `payload` has read it."""
    found: bytes = g.get("body", b"")
    return found


def _read(stream: Any, most: int) -> bytes:
    parts, left = [], most
    while left and (part := stream.read(min(left, 65_536))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _too_large(size: int) -> errors.TooLarge:
    return errors.TooLarge(f"The body is larger than {size} bytes. Send less at once.")


LIMITS = {
    schema.USER.name: (limits.USER_BODY_BYTES, limits.USER_VALUES),
    schema.GROUP.name: (limits.GROUP_BODY_BYTES, limits.GROUP_VALUES),
}


def operations(resource_type: schema.ResourceType) -> list[patch.Operation]:
    """The operations of a PATCH body."""
    return patch.operations(payload(resource_type))


def view(resource_type: schema.ResourceType) -> View:
    """How the caller wants resources shown: `attributes` or `excludedAttributes` (RFC 7644 section 3.9)."""
    projection = rendering.Projection.parse(resource_type, one("attributes"), one("excludedAttributes"))
    return View(base(), projection)


def asks_for_attributes() -> bool:
    """Whether the caller said what to show, and so wants an answer with a body (RFC 7644 section 3.5.2)."""
    return "attributes" in request.args or "excludedAttributes" in request.args


def one(name: str) -> str | None:
    """A query parameter that may be given once."""
    given = request.args.getlist(name)
    if len(given) > 1:
        raise errors.InvalidValue(f"{name} is given more than once.")
    return given[0] if given else None


def expected() -> Expected:
    """The versions that If-Match and If-None-Match allow (RFC 7644 section 3.14); a tag not of ours is no version."""
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    return Expected(
        match=None if match is None or match.strip() == "*" else versions(match),
        none_match=None if none_match is None else versions(none_match),
        never=none_match is not None and none_match.strip() == "*",
    )


def versions(header: str) -> frozenset[int]:
    """The versions that a list of entity tags names."""
    return frozenset(int(number) for number in ETAG.findall(header))
