"""The forms of text: how texts are compared without case, how an instant is written (RFC 7643 section 2.3.5)."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

_DATETIME = re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")


def fold(text: str) -> str:
    """The form in which texts are compared where case does not count; folding twice changes nothing (decision 2)."""
    if text.isascii():
        return text.lower()
    return _nfkc(_nfkc(text).casefold())


def parse_datetime(text: str) -> datetime | None:
    """The instant that an xsd:dateTime means, in UTC; None for any other text. Without an offset it is read as UTC."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def format_datetime(instant: datetime) -> str:
    """The instant as it is shown: in UTC, to the millisecond, "2026-11-24T13:29:54.123Z"."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
