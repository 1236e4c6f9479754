"""Where a list goes on, sealed: a text that says nothing to who holds it and is good for the list it was given for.

The number of a row would tell how fast other tenants grow. The same row of the same list is the same text, so that
ETags hold still; how it is sealed is said in `protocol/cursors.py`.
"""

from __future__ import annotations

from scim_service import errors
from scim_service.protocol import cursors

SEQ_BYTES = 8


def seal(key: str, listed: str, seq: int) -> str:
    """The cursor behind row `seq` of the list named `listed`."""
    return cursors.seal(key, listed, seq.to_bytes(SEQ_BYTES))


def opened(key: str, listed: str, cursor: str) -> int:
    """The row that a cursor stands behind. Raises InvalidValue for what this service did not make for this list."""
    plain = cursors.opened(key, listed, cursor)
    if plain is None or len(plain) != SEQ_BYTES:
        raise errors.InvalidValue("This cursor is not of this list. Begin again without one.", code="bad_cursor")
    return int.from_bytes(plain)
