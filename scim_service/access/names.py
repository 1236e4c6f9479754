"""What may be the name of a thing that an administrator names."""

from __future__ import annotations

import unicodedata

from scim_service import errors
from scim_service.protocol import limits, text

MOST = 256


def check(what: str, name: str) -> None:
    """Refuse a name that nobody could read or type: blank, longer than 256 characters, with control characters.

    `what` begins the sentence, such as "A tenant's name". Raises InvalidValue.
    """
    readable = name.strip() and len(name) <= MOST and all(map(_is_readable, name))
    if not readable or len(text.fold(name).encode()) > limits.KEY_BYTES:
        raise errors.InvalidValue(
            f"{what} is a text of 1 to {MOST} characters on one line, without control characters.", code="bad_name"
        )


def _is_readable(letter: str) -> bool:
    """Also the spaces of typography, such as the one before a French colon."""
    return letter.isprintable() or unicodedata.category(letter) == "Zs"
