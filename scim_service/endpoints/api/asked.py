"""What a question says: whom it means, which page it wants. What is not understood is refused by name."""

from __future__ import annotations

from flask import request

from scim_service import errors
from scim_service.licensing.checks import Whom
from scim_service.protocol import limits

LONGEST = 2_000
"""Characters of a parameter."""


def parameters(*names: str) -> dict[str, str]:
    """The query parameters among `names`. Raises InvalidValue for another one, or one that is twice, empty or long."""
    for name, values in request.args.lists():
        if name not in names:
            known = ", ".join(names) or "none"
            raise errors.InvalidValue("There is a parameter that this does not take. It takes: " + known + ".")
        if len(values) > 1:
            raise errors.InvalidValue(f"{name} is given more than once.")
        if not values[0] or len(values[0]) > LONGEST or "\0" in values[0]:
            raise errors.InvalidValue(f"{name} is empty, too long, or holds the character U+0000.")
    return request.args.to_dict()


def whom() -> Whom:
    """Whom the query names. Raises InvalidValue unless it is `userName`, or `externalId` with its `connection`."""
    given = parameters("userName", "externalId", "connection")
    if set(given) == {"userName"}:
        return Whom(user_name=given["userName"])
    if set(given) == {"externalId", "connection"}:
        return Whom(external_id=given["externalId"], connection=given["connection"])
    raise errors.InvalidValue(
        "Say whom you mean: /people/ID, or ?userName=, or ?externalId= with &connection= and the name of the "
        "connection that gave it."
    )


def count() -> int:
    """How many the page may have: 1 to 1,000. Raises InvalidValue."""
    text = request.args.get("count", str(limits.PAGE_DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= limits.PAGE_MOST):
        raise errors.InvalidValue(f"count is a number from 1 to {limits.PAGE_MOST}.")
    return int(text)
