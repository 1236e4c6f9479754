"""The token in an Authorization header, in the three forms that identity providers send (decision 15, quirk 50)."""

from __future__ import annotations

import base64
import binascii

from scim_service import errors
from scim_service.access import credentials

REALM = 'Bearer realm="scim"'
LONGEST = 512
"""Characters of an Authorization header that can still hold a token of ours."""


def token_of(header: str | None) -> str:
    """The token in `Bearer TOKEN`, in `TOKEN` alone, or as the password of HTTP Basic.

    Raises Unauthorized, with WWW-Authenticate, where there is none (RFC 7644 section 2, RFC 6750 section 3).
    """
    if not header:
        raise unauthorized("Send a token: Authorization: Bearer TOKEN. Make one with: scim-service token create")
    if len(header) > LONGEST:
        raise unauthorized("This Authorization header is too long to hold a token of this service.")
    scheme, _, rest = header.strip().partition(" ")
    if scheme.casefold() == "bearer":
        return rest.strip()
    if scheme.casefold() == "basic":
        return _password(rest.strip())
    if not rest and credentials.TOKEN.fullmatch(scheme):
        return scheme
    raise unauthorized("Send the token as Authorization: Bearer TOKEN, or as the password of HTTP Basic.")


def unauthorized(detail: str) -> errors.Unauthorized:
    """A 401 that says how to authenticate."""
    return errors.Unauthorized(detail, {"WWW-Authenticate": REALM})


def _password(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise unauthorized("This HTTP Basic header is not base64 of name:password.") from problem
    return text.partition(":")[2]
