"""What stands for `${name}` in a recording: variables of the file, those given, and what was captured on the way."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*(?:\$\{n\}[A-Za-z0-9_]*)?)\}")
"""`${name}`, where the name may hold `${n}`, the number of the exchange: `${member${n}Id}`."""


class UnknownVariable(Exception):
    """A request or expectation names a variable that nothing has set, mostly as an earlier exchange went wrong."""


def known_at_start(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, Any]:
    """What is known before the first exchange: what is given wins over a recording's own variables."""
    token = given.get("token", "")
    known: dict[str, Any] = {
        "unique": uuid.uuid4().hex[:10],
        "uuid": str(uuid.uuid4()),
        "basic": base64.b64encode(f"scim:{token}".encode()).decode("ascii"),
        **given,
    }
    for name, value in own.items():
        known.setdefault(name, fill(value, known))
    return known


def fill(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with its variables filled in and its `$merge` done. Raises UnknownVariable."""
    if isinstance(value, str):
        whole = _VARIABLE.fullmatch(value)
        return _known(whole[1], known) if whole else _VARIABLE.sub(lambda match: str(_known(match[1], known)), value)
    if isinstance(value, list):
        return [fill(element, known) for element in value]
    if isinstance(value, dict) and set(value) == {"$merge"}:
        return {key: part for each in fill(value["$merge"], known) for key, part in each.items()}
    if isinstance(value, dict):
        return {str(fill(key, known)): fill(part, known) for key, part in value.items()}
    return value


def in_path(path: str, known: Mapping[str, Any]) -> str:
    """A path with its variables filled in, percent-encoded. Raises UnknownVariable."""
    return _VARIABLE.sub(lambda match: quote(str(_known(match[1], known)), safe="@"), path)


def _known(name: str, known: Mapping[str, Any]) -> Any:
    name = name.replace("${n}", str(known.get("n", "")))
    if name not in known:
        raise UnknownVariable(name)
    return known[name]
