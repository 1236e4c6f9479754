"""Where a list goes on, sealed: a text that says nothing to who holds it and is good for the list it was given for.

The number of a row would tell how fast other tenants grow. It is encrypted under a code of itself and its list (the
construction of RFC 5297, with HMAC-SHA256): the same row of the same list is the same text, so that ETags hold still.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from scim_service import errors

CODE_BYTES = 16
SEQ_BYTES = 8


def seal(key: str, listed: str, seq: int) -> str:
    """The cursor behind row `seq` of the list named `listed`."""
    plain = seq.to_bytes(SEQ_BYTES)
    code = _code(key, listed, plain)
    return base64.urlsafe_b64encode(code + _crossed(key, code, plain)).decode()


def opened(key: str, listed: str, cursor: str) -> int:
    """The row that a cursor stands behind. Raises InvalidValue for what this service did not make for this list."""
    try:
        sealed = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    code, body = sealed[:CODE_BYTES], sealed[CODE_BYTES:]
    plain = _crossed(key, code, body)
    if len(body) != SEQ_BYTES or not hmac.compare_digest(code, _code(key, listed, plain)):
        raise errors.InvalidValue("This cursor is not of this list. Begin again without one.", code="bad_cursor")
    return int.from_bytes(plain)


def _code(key: str, listed: str, plain: bytes) -> bytes:
    return hmac.digest(key.encode(), b"code" + plain + listed.encode(), "sha256")[:CODE_BYTES]


def _crossed(key: str, code: bytes, body: bytes) -> bytes:
    stream = hmac.digest(key.encode(), b"stream" + code, "sha256")
    return bytes(one ^ other for one, other in zip(body, stream, strict=False))
