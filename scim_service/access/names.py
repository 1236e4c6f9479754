"""What may be the name of a thing that an administrator names."""

from __future__ import annotations

from scim_service import errors

MOST = 256


def check(what: str, name: str) -> None:
    """Refuse a name that nobody could read or type: blank, longer than 256 characters, with control characters.

    `what` begins the sentence, such as "A tenant's name". Raises InvalidValue.
    """
    if not name.strip() or len(name) > MOST or not name.isprintable():
        raise errors.InvalidValue(f"{what} is a text of 1 to {MOST} characters on one line.")
