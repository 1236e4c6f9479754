"""What a payload may hold: checked against the schema and brought into one form (RFC 7643 sections 2 and 7).

An error names the attribute and what it must be, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scim_service.errors import InvalidSyntax, InvalidValue, TooLarge
from scim_service.protocol import limits, schema
from scim_service.protocol.schema import Attribute, ResourceType, Schema
from scim_service.protocol.text import parse_datetime

MEMBERS = schema.GROUP.attribute("members")
_EMPTIABLE = (str, list, dict)


def clean(resource_type: ResourceType, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The document that the body of a POST or PUT means: canonical spelling and types, nothing unassigned.

    Unknown and readOnly attributes are dropped (RFC 7644 sections 3.1, 3.3, 3.5.1), `schemas`, `id` and `meta` with
    them; `externalId` and `members` stay, for the caller to take out.
    Raises InvalidSyntax for keys that differ in case only and for wrong `schemas`, InvalidValue for a wrong or missing
    value, TooLarge for too many members.
    """
    given = _by_name(payload, "The body")
    _check_schemas(resource_type, given.get("schemas"))
    common = [one for one in schema.COMMON if one.name == "externalId"]
    document = _attributes([*common, *resource_type.schema.attributes], given, "")
    for extension in resource_type.extensions:
        held = _extension(extension, given.get(extension.id.lower()))
        if held:
            document[extension.id] = held
    for member in document.get("members", ()) if resource_type is schema.GROUP else ():
        check_member_id(member.get("value"))
    return document


def coerce(attribute: Attribute, value: Any, name: str = "") -> Any:
    """The value in the form of its attribute's type; None where it is unassigned: null, "", [] or {}.

    `name` is what an error calls the attribute. Booleans may come as text, and a single complex value that has a part
    `value` (manager) as that alone or in a list of one. Raises InvalidValue, TooLarge.
    """
    if is_unassigned(value):
        return None
    name = name or attribute.name
    if not attribute.multi_valued:
        return element(attribute, value, name)
    if not isinstance(value, list):
        raise InvalidValue(f"{name} must be a list of values.")
    return _elements(attribute, value, name) or None


def element(attribute: Attribute, value: Any, name: str) -> Any:
    """One value: of an attribute that has one, or one of those of a multi-valued attribute; None if unassigned."""
    if attribute.type == "complex":
        return {part: held for part, held in parts(attribute, value, name).items() if held is not None} or None
    if is_unassigned(value):
        return None
    kind, is_right, form = _TYPES[attribute.type]
    if not is_right(value):
        raise InvalidValue(f"{name} must be {kind}.")
    return form(value)


def parts(attribute: Attribute, value: Any, name: str) -> dict[str, Any]:
    """The parts that a complex value names, None where it unassigns them; unknown and readOnly parts are dropped."""
    found: dict[str, Any] = {}
    for key, part in _as_object(attribute, value, name).items():
        sub = attribute.sub(key)
        if sub is None or sub.mutability == "readOnly":
            continue
        if sub.name in found:
            raise _twice(name)
        found[sub.name] = coerce(sub, part, f"{name}.{sub.name}")
    return found


def is_unassigned(value: Any) -> bool:
    """Whether a value says that there is none (RFC 7643 section 2.5)."""
    return value is None or (isinstance(value, _EMPTIABLE) and not value)


def distinct(elements: Iterable[Any]) -> list[Any]:
    """The elements without repetitions, in their order (RFC 7643 section 2.4)."""
    return list({whole(one): one for one in elements}.values())


def whole(element: Any) -> str:
    """A text that equal elements have in common, in whichever order their parts stand, and no others."""
    return repr(sorted(element.items()) if isinstance(element, dict) else element)


def check_member_id(value: Any) -> None:
    """Refuse what cannot be the id of a member. Raises InvalidValue."""
    if not isinstance(value, str) or not value:
        raise InvalidValue("Each of the members must have a value: the id of a person or group, as text.")
    if len(value) > limits.MEMBER_ID_CHARACTERS:
        raise InvalidValue(f"members.value is longer than {limits.MEMBER_ID_CHARACTERS} characters.")


def check_number(attribute: Attribute, number: int) -> None:
    """Refuse more values than an attribute may have. Raises TooLarge."""
    most = limits.MEMBERS if attribute is MEMBERS else limits.ELEMENTS
    if number > most:
        raise TooLarge(f"{attribute.name} takes at most {most} values at once.")


def check_schemas(urns: Any, wanted: str) -> None:
    """Refuse `schemas` that do not hold the wanted URN; others beside it are ignored (scim.md quirk 18)."""
    listed = [urns] if isinstance(urns, str) else urns
    if not isinstance(listed, list) or not all(isinstance(urn, str) for urn in listed):
        raise InvalidSyntax("schemas must be a list of URNs.")
    if wanted.lower() not in {urn.lower() for urn in listed}:
        raise InvalidSyntax(f"schemas must hold {wanted}.")


def _check_schemas(resource_type: ResourceType, urns: Any) -> None:
    if urns is not None:
        check_schemas(urns, resource_type.schema.id)


def _by_name(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The values under the lower-case forms of their names."""
    found = {key.lower(): value for key, value in payload.items()}
    if len(found) != len(payload):
        raise _twice(name)
    return found


def _twice(name: str) -> InvalidSyntax:
    return InvalidSyntax(f"{name} holds the same name twice; names are the same in any case.")


def _extension(extension: Schema, value: Any) -> dict[str, Any]:
    if is_unassigned(value):
        return {}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"{extension.id} must be an object.")
    return _attributes(extension.attributes, _by_name(value, extension.id), f"{extension.id}:")


def _attributes(attributes: Iterable[Attribute], given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """What is given of these attributes, as far as a client may set them; InvalidValue where a required one is not."""
    found: dict[str, Any] = {}
    for attribute in attributes:
        if attribute.mutability == "readOnly":
            continue
        value = coerce(attribute, given.get(attribute.name.lower()), prefix + attribute.name)
        if value is not None:
            found[attribute.name] = value
        elif attribute.required:
            raise InvalidValue(f"{prefix}{attribute.name} is required.")
    return found


def _elements(attribute: Attribute, values: list[Any], name: str) -> list[Any]:
    """The values of a multi-valued attribute; at most one of them is primary (RFC 7643 section 2.4)."""
    check_number(attribute, len(values))
    given = (element(attribute, value, name) for value in values if not is_unassigned(value))
    held = [one for one in given if one is not None]
    if attribute.sub("primary") and sum(one.get("primary") is True for one in held) > 1:
        raise InvalidValue(f"{name} has more than one primary value; mark one at most.")
    return distinct(held)


def _as_object(attribute: Attribute, value: Any, name: str) -> Mapping[str, Any]:
    """The value as an object. What a client may write for short is its part `value`."""
    if isinstance(value, list) and len(value) == 1 and not attribute.multi_valued:
        value = value[0]
    if isinstance(value, dict):
        return value
    if attribute.sub("value") is None or isinstance(value, list):
        raise InvalidValue(f"{name} must be an object.")
    return {"value": value}


_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]*(?:=\s*){0,2}")
_INTEGER_MOST = 2**63


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in {"true", "false"})


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INTEGER_MOST <= value < _INTEGER_MOST


def _is_decimal(value: Any) -> bool:
    return _is_integer(value) or isinstance(value, float)


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and parse_datetime(value) is not None


def _is_binary(value: Any) -> bool:
    return isinstance(value, str) and _BASE64.fullmatch(value) is not None


def _as_boolean(value: Any) -> bool:
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def _as_sent(value: Any) -> Any:
    return value


_TYPES: dict[str, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    "string": ("a string", _is_text, _as_sent),
    "reference": ("a string, the text of a URI", _is_text, _as_sent),
    "boolean": ("true or false", _is_boolean, _as_boolean),
    "integer": ("an integer of 64 bits", _is_integer, _as_sent),
    "decimal": ("a number", _is_decimal, _as_sent),
    "dateTime": ("a date with time, as 2026-11-24T13:29:54Z", _is_instant, _as_sent),
    "binary": ("a string in base64", _is_binary, _as_sent),
}
"""Type → what an error calls it, what is of it, and its stored form: as sent, as clients compare what they wrote."""
