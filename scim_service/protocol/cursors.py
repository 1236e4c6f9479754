"""Cursors: where a walk through a list goes on, sealed (RFC 9865).

A cursor says nothing to who holds it, cannot be made or changed by anybody else, and is good for the one question that
it answers: the caller's connection and every parameter are bound into the seal. Nothing is remembered here for a walk.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from scim_service.errors import ExpiredCursor, InvalidCount, InvalidCursor

CODE_BYTES = 16
BLOCK_BYTES = 32
LONGEST = 16_384
"""Characters of a text that can still be a cursor."""


@dataclass(frozen=True)
class Place:
    """Where a resource stands in a list: by value (or `missing` where it has none), then by type, then by making.

    A list without an order has `missing` everywhere; `kind` counts the types of a list over several.
    """

    missing: bool
    value: Any
    kind: int
    seq: int


@dataclass(frozen=True)
class Cursor:
    """Which page is wanted: up to `count` resources after a place, or before it; None is the beginning."""

    count: int
    place: Place | None = None
    forward: bool = True


def write(key: str, question: str, cursor: Cursor, now: datetime) -> str:
    """The text of a cursor that is handed out `now`, in unreserved characters only (RFC 9865 section 2)."""
    place = cursor.place
    held = None if place is None else [place.missing, *_packed(place.value), place.kind, place.seq]
    return seal(key, question, orjson.dumps([_seconds(now), cursor.count, cursor.forward, held]))


def read(key: str, question: str, text: str, now: datetime, lifetime: timedelta) -> Cursor:
    """The cursor in a text.

    Raises InvalidCursor for what was not handed out to this caller for this question, and ExpiredCursor after its time.
    """
    plain = opened(key, question, text)
    if plain is None:
        raise InvalidCursor(
            "This cursor is not one of this query. Send all parameters as in the first request, or begin again with an "
            "empty cursor."
        )
    made, count, forward, held = orjson.loads(plain)
    if _seconds(now) - made > lifetime.total_seconds():
        raise ExpiredCursor(
            f"This cursor is older than {int(lifetime.total_seconds())} seconds. Begin again with an empty cursor."
        )
    place = None if held is None else Place(held[0], _unpacked(held[1], held[2]), held[3], held[4])
    return Cursor(count, place, forward)


def expect_count(cursor: Cursor, count: int) -> None:
    """Refuse another `count` than that of the first page (RFC 9865 section 2.1)."""
    if cursor.count != count:
        raise InvalidCount(f"The walk began with a count of {cursor.count}. Send the same one with each cursor of it.")


def seal(key: str, bound_to: str, plain: bytes) -> str:
    """A text that holds `plain` and opens under the same key and binding only.

    It is encrypted under a code of itself and its binding (the construction of RFC 5297, with HMAC-SHA256): the same
    under the same is the same text.
    """
    code = _code(key, bound_to, plain)
    return base64.urlsafe_b64encode(code + _crossed(key, code, plain)).decode().rstrip("=")


def opened(key: str, bound_to: str, text: str) -> bytes | None:
    """What a sealed text holds; None for one that was not sealed here, or for something else."""
    if len(text) > LONGEST:
        return None
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    plain = _crossed(key, sealed[:CODE_BYTES], sealed[CODE_BYTES:])
    return plain if hmac.compare_digest(seal(key, bound_to, plain), text) else None


def _code(key: str, bound_to: str, plain: bytes) -> bytes:
    parts = b"code" + len(plain).to_bytes(8) + plain + bound_to.encode()
    return hmac.digest(key.encode(), parts, "sha256")[:CODE_BYTES]


def _crossed(key: str, code: bytes, body: bytes) -> bytes:
    blocks = range(-(-len(body) // BLOCK_BYTES))
    stream = b"".join(hmac.digest(key.encode(), b"stream" + code + one.to_bytes(4), "sha256") for one in blocks)
    return bytes(one ^ other for one, other in zip(body, stream, strict=False))


def _packed(value: Any) -> tuple[str, Any]:
    """A value as JSON keeps it, and which kind it is of."""
    return ("at", value.isoformat()) if isinstance(value, datetime) else ("", value)


def _unpacked(kind: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if kind == "at" else value


def _seconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp())
