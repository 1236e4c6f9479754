"""The one exception family: every refusal of this service, with its HTTP status and SCIM error type.

The sentence in `detail` is read by an identity provider's administrator: it says what is wrong and what to do next,
and holds no secret and no personal value. `code` is a stable snake_case name for machines, where one needs it.
Source: RFC 7644 section 3.12, table 9; RFC 9865 section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping


class ScimError(Exception):
    """A refusal that every door can tell: HTTP answers with `status`, the command line with the sentence alone."""

    status = 500
    scim_type: str | None = None

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.code = code


class InvalidFilter(ScimError):
    status, scim_type = 400, "invalidFilter"


class TooMany(ScimError):
    status, scim_type = 400, "tooMany"


class InvalidSyntax(ScimError):
    status, scim_type = 400, "invalidSyntax"


class InvalidPath(ScimError):
    status, scim_type = 400, "invalidPath"


class NoTarget(ScimError):
    status, scim_type = 400, "noTarget"


class InvalidValue(ScimError):
    status, scim_type = 400, "invalidValue"


class InvalidVersion(ScimError):
    status, scim_type = 400, "invalidVers"


class InvalidCursor(ScimError):
    status, scim_type = 400, "invalidCursor"


class ExpiredCursor(ScimError):
    status, scim_type = 400, "expiredCursor"


class InvalidCount(ScimError):
    status, scim_type = 400, "invalidCount"


class Mutability(ScimError):
    status, scim_type = 400, "mutability"


class Unauthorized(ScimError):
    status = 401


class Forbidden(ScimError):
    status = 403


class Sensitive(ScimError):
    status, scim_type = 403, "sensitive"


class SeatLimitReached(ScimError):
    status, scim_type = 403, "seatLimitReached"


class NotFound(ScimError):
    status = 404


class MethodNotAllowed(ScimError):
    status = 405


class Refused(ScimError):
    """A rule of the domain says no: a full cap, an inherited license, a name that is taken by another thing."""

    status = 409


class Uniqueness(ScimError):
    status, scim_type = 409, "uniqueness"


class PreconditionFailed(ScimError):
    status = 412


class TooLarge(ScimError):
    status = 413


class UnsupportedMedia(ScimError):
    status = 415


class Unprocessable(ScimError):
    status = 422


class TooManyRequests(ScimError):
    status = 429


class NotBuilt(ScimError):
    status = 501


class Unavailable(ScimError):
    status = 503
