"""Links in letters: made when a letter leaves, stored nowhere (reliability.md L1, L2, L7, F20).

A link's text is what it is about (tenant, purpose, row, cycle, version of the key), a secret of 256 bits, and a
signature over both. The secret is derived from the installation's secret key and its epoch, and from the row's nonce
and address: a copy of the database makes no link, and another address, purpose, tenant, cycle or epoch makes another
one. The signature alone tells a forged link, so that it costs no query.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scim_service import errors
from scim_service.config import Settings
from scim_service.protocol import text

INVITATION, VERIFICATION, KEEP, GIVE_UP = "invitation", "verification", "reclaim_keep", "reclaim_give_up"
KINDS = {INVITATION: 1, VERIFICATION: 2, KEEP: 3, GIVE_UP: 4}
"""What a link may be for, and the number that stands for it. A number is never used again."""

PATH = "/links"
KEY_VERSION = 1
"""Which way of deriving secrets a link is of: another one kills all links from before."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEAD = struct.Struct(">BBIQI")
_SIZE = 32
_NAMES = {number: kind for kind, number in KINDS.items()}
CHARACTERS = (_HEAD.size + 2 * _SIZE) * 4 // 3 + 2
"""A link's text is not longer; it has no padding."""


@dataclass(frozen=True)
class Link:
    """What a link with a good signature is about; whether it is alive, the row decides (`is_of`)."""

    kind: str
    tenant_id: int
    seq: int
    cycle: int
    secret: bytes


@dataclass(frozen=True)
class Subject:
    """The row that a link is for, and the address that it is sent to."""

    kind: str
    tenant_id: int
    seq: int
    cycle: int
    nonce: str
    email: str

    @classmethod
    def of(cls, row: Any) -> Subject:
        """Of a row of `invitations`."""
        return cls(row.kind, row.tenant_id, row.seq, row.cycle, row.nonce, row.email)


def made(secret_key: str, epoch: int, public_url: str, subject: Subject) -> str:
    """The URL of the link for this row, in this epoch, under the configured URL (see `base`)."""
    head = _HEAD.pack(KEY_VERSION, KINDS[subject.kind], subject.tenant_id, subject.seq, subject.cycle)
    body = head + _secret(secret_key, epoch, subject)
    packed = base64.urlsafe_b64encode(body + _signature(secret_key, body)).decode().rstrip("=")
    return f"{public_url}{PATH}/{packed}"


def read(secret_key: str, packed: str) -> Link | None:
    """What a link's text is about, or None for one that was not made with this key; no database is asked."""
    raw = _unpacked(packed)
    if raw is None or not hmac.compare_digest(_signature(secret_key, raw[:-_SIZE]), raw[-_SIZE:]):
        return None
    version, number, tenant_id, seq, cycle = _HEAD.unpack_from(raw)
    if version != KEY_VERSION or number not in _NAMES:
        return None
    return Link(_NAMES[number], tenant_id, seq, cycle, raw[_HEAD.size : -_SIZE])


def is_of(secret_key: str, epoch: int, link: Link, subject: Subject) -> bool:
    """Whether a link is the living one of this row: the same purpose, cycle, nonce, address and epoch."""
    same = (link.kind, link.tenant_id, link.seq, link.cycle)
    wanted = (subject.kind, subject.tenant_id, subject.seq, subject.cycle)
    return same == wanted and hmac.compare_digest(_secret(secret_key, epoch, subject), link.secret)


def form_token(secret_key: str, packed: str) -> str:
    """What the form on a link's page sends along: only who saw the page of this link can send it (L5)."""
    return hmac.new(_key(secret_key, "form"), packed.encode(), hashlib.sha256).hexdigest()


def base(settings: Settings) -> str:
    """The URL under which links are made: the configured one, and nothing that a request says (W5, L7).

    Without one, the service's own address where only this machine reaches it. Raises Refused where there is none, or
    where it is no https URL and not on this machine.
    """
    own = f"http://{settings.host}:{settings.port}" if settings.host in LOOPBACK else None
    found = settings.public_url or own
    if found is None:
        raise errors.Refused(
            "Letters hold links, and no URL is configured for them. Set SCIM_PUBLIC_URL.", code="no_public_url"
        )
    parts = urlsplit(found)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise errors.Refused("Links are sent with https only. Set SCIM_PUBLIC_URL to the https URL.", code="plain_http")
    return found


def _secret(secret_key: str, epoch: int, subject: Subject) -> bytes:
    parts = [
        *(KEY_VERSION, epoch, subject.kind, subject.tenant_id, subject.seq, subject.cycle, subject.nonce),
        text.fold(subject.email),
    ]
    return hmac.new(_key(secret_key, "secret"), "\0".join(map(str, parts)).encode(), hashlib.sha256).digest()


def _signature(secret_key: str, body: bytes) -> bytes:
    return hmac.new(_key(secret_key, "signature"), body, hashlib.sha256).digest()


def _key(secret_key: str, purpose: str) -> bytes:
    """A key of its own for each purpose."""
    return hmac.new(secret_key.encode(), f"scim-service link {purpose}".encode(), hashlib.sha256).digest()


def _unpacked(packed: str) -> bytes | None:
    if not packed.isascii() or len(packed) > CHARACTERS:
        return None
    padded = packed + "=" * (-len(packed) % 4)
    try:
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    exact = base64.urlsafe_b64encode(raw).decode().rstrip("=") == packed
    return raw if exact and len(raw) == _HEAD.size + 2 * _SIZE else None
