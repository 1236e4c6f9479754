"""Where a letter to a person goes: an address of the person's own, as the document says it now (licensing.md 4.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

CHARACTERS = 254
_ADDRESS = re.compile(r"""[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+""")
OPERATOR = "operator:"
"""The recipient of what the operator of the service is told; the address is put in when it is sent."""


def of_person(document: Mapping[str, Any]) -> str | None:
    """The primary e-mail, else the first one that is an address; None for a person whom no letter can reach."""
    found = [one for one in document.get("emails") or () if is_address(one.get("value"))]
    primary = (one for one in found if one.get("primary"))
    chosen = next(primary, None) or next(iter(found), None)
    return None if chosen is None else str(chosen["value"]).strip()


def only(texts: Iterable[Any]) -> list[str]:
    """Those that are addresses, each once, in order."""
    return list(dict.fromkeys(str(one).strip() for one in texts if is_address(one)))


def is_address(value: Any) -> bool:
    """Whether a mail can be sent there at all: one @ between two parts, nothing that ends or splits a header."""
    if not isinstance(value, str):
        return False
    plain = value.strip()
    return len(plain) <= CHARACTERS and plain.isprintable() and _ADDRESS.fullmatch(plain) is not None
