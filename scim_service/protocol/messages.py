"""The messages around resources: JSON in, list responses and errors out, page parameters (RFC 7644 section 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from scim_service.errors import InvalidSyntax, InvalidValue, TooLarge
from scim_service.protocol import limits
from scim_service.protocol.schema import ERROR_URN, LIST_URN

_KEY_OR_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)')
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NUMBER_MOST = 2**63
_START_MOST = 2**53 - 1


def read_json(data: bytes, *, max_values: int) -> dict[str, Any]:
    """The JSON object in a body of at most `max_values` values, containers included.

    Raises InvalidSyntax for what is not a JSON object in UTF-8, and for what two readers could understand differently:
    keys that differ in case only or not at all, NUL, numbers beyond 64 bits. No value is repeated in an error.
    """
    if not data.strip():
        raise InvalidSyntax("The body is empty; send a JSON object.")
    parsed = _parsed(data.removeprefix(_BYTE_ORDER_MARK))
    if not isinstance(parsed, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    if _checked_keys(parsed, max_values) != _sent_keys(data):
        raise _twice()
    return parsed


def expect_size(data: bytes, parsed: dict[str, Any], most_bytes: int, max_values: int) -> None:
    """Refuse a part of a body that is too large for what it is. Raises TooLarge and InvalidSyntax, as for a body."""
    if len(data) > most_bytes:
        raise TooLarge(f"The data is larger than {most_bytes} bytes. Send less at once.")
    if len(data) > max_values:
        _checked_keys(parsed, max_values)


def list_response(resources: Sequence[Mapping[str, Any]], total: int, start_index: int) -> dict[str, Any]:
    """A page of resources (RFC 7644 section 3.4.2): `total` is of all pages, `itemsPerPage` what this one holds."""
    return {
        "schemas": [LIST_URN],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def cursor_response(
    resources: Sequence[Mapping[str, Any]], total: int, next_cursor: str | None, previous_cursor: str | None
) -> dict[str, Any]:
    """A page of a walk (RFC 9865 section 2): no number of a first result, but the cursors of the pages beside it."""
    beside = {"nextCursor": next_cursor, "previousCursor": previous_cursor}
    return {
        "schemas": [LIST_URN],
        "totalResults": total,
        "itemsPerPage": len(resources),
        **{name: cursor for name, cursor in beside.items() if cursor is not None},
        "Resources": list(resources),
    }


def error_body(status: int, detail: str, scim_type: str | None) -> dict[str, Any]:
    """The body of a refusal; the status is text in it (RFC 7644 section 3.12)."""
    body: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(status)}
    if scim_type is not None:
        body["scimType"] = scim_type
    return {**body, "detail": detail}


def start_index(text: str | None) -> int:
    """The 1-based number of the first result; less than 1 means 1 (RFC 7644 section 3.4.2.4). Raises InvalidValue."""
    return 1 if text is None else min(max(_integer("startIndex", text), 1), _START_MOST)


def count(text: str | None, most: int = limits.PAGE_MOST) -> int:
    """How many results a page shall hold at most; less than 0 means 0, more than `most` means `most`.

    Source: RFC 7644 section 3.4.2.4. Raises InvalidValue for what is no integer.
    """
    return limits.PAGE_DEFAULT if text is None else min(max(_integer("count", text), 0), most)


def _integer(name: str, text: str) -> int:
    digits = text.strip()
    if not _INTEGER.fullmatch(digits) or len(digits) > limits.PATH_CHARACTERS:
        raise InvalidValue(f"{name} must be an integer.")
    beyond = len(digits.lstrip("+-0")) > len(str(_START_MOST))
    if not beyond:
        return int(digits)
    return -_START_MOST if digits.startswith("-") else _START_MOST


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidSyntax(f"The body is not JSON in UTF-8 at {where}: {error.msg}.") from None


def _sent_keys(data: bytes) -> int:
    """How many keys the text holds. The text is known to be JSON, so strings are all that quotes can be."""
    return sum(colon == b":" for colon in _KEY_OR_STRING.findall(data))


def _checked_keys(parsed: dict[str, Any], max_values: int) -> int:
    """How many keys the objects hold, once all limits are found kept."""
    keys, values = 0, 1
    level: list[Any] = [parsed]
    for _ in range(limits.JSON_DEPTH):
        keys += sum(len(one) for one in level if isinstance(one, dict))
        values += sum(map(len, level))
        if values > max_values:
            raise InvalidSyntax(f"The body holds more than {max_values} values; send fewer at once.")
        level = _below(level)
        if not level:
            return keys
    raise InvalidSyntax(f"The body is nested more than {limits.JSON_DEPTH} deep; send it flatter.")


def _below(level: list[Any]) -> list[Any]:
    """The containers in these containers; everything else in them is checked."""
    found: list[Any] = []
    for container in level:
        if isinstance(container, dict):
            _check_keys(container)
            inside = container.values()
        else:
            inside = container
        for value in inside:
            if isinstance(value, str):
                _check_string(value)
            elif isinstance(value, dict | list):
                found.append(value)
            elif not _fits(value):
                raise InvalidSyntax("The body holds a number that does not fit in 64 bits.")
    return found


def _fits(value: Any) -> bool:
    """Whether a number is one of 64 bits. A longer integer has become a float."""
    if isinstance(value, float):
        return abs(value) < _NUMBER_MOST
    return not isinstance(value, int) or -_NUMBER_MOST <= value < _NUMBER_MOST


def _check_keys(container: dict[str, Any]) -> None:
    for key in container:
        _check_string(key)
    if len({key.lower() for key in container}) != len(container):
        raise _twice()


def _check_string(text: str) -> None:
    if "\0" in text:
        raise InvalidSyntax("The body holds a NUL character; remove it.")
    most = limits.STRING_BYTES
    if len(text) * 4 > most and len(text.encode()) > most:
        raise InvalidSyntax(f"The body holds a string of more than {most} bytes; send a shorter one.")


def _twice() -> InvalidSyntax:
    return InvalidSyntax("The body holds the same key twice in one object; names are the same in any case.")
