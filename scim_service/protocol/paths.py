"""Paths of PATCH operations: an attribute, a part of it, an extension, or chosen elements (RFC 7644 section 3.5.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scim_service.errors import InvalidPath
from scim_service.protocol import filters, limits, names
from scim_service.protocol.names import AttributePath
from scim_service.protocol.schema import ResourceType
from scim_service.protocol.tree import Node

__all__ = ["AttributePath", "Path", "parse", "resolve"]

resolve = names.resolve


@dataclass(frozen=True)
class Path:
    """What an operation is about: `target`, and with a value filter only those of its elements that meet `filter`."""

    target: AttributePath
    filter: Node | None = None


def parse(resource_type: ResourceType, text: str) -> Path:
    """The path that a text means: dotted, URN-prefixed, with a value filter; names in any case.

    Raises InvalidPath for what this resource type does not have, InvalidFilter for a bad filter in the brackets.
    """
    if len(text) > limits.PATH_CHARACTERS:
        raise InvalidPath(f"A path has at most {limits.PATH_CHARACTERS} characters.")
    head, bracket, rest = text.partition("[")
    target = names.resolve(resource_type, head)
    if target is None:
        raise InvalidPath(f"A {resource_type.name} has no attribute {shown(head)}; check its spelling and its schema.")
    return _chosen(target, rest) if bracket else Path(target)


def shown(name: str) -> str:
    """A name from outside as an error may repeat it: whole if it can be a name and is short, else not at all."""
    fit = len(name) <= 128 and name.isascii() and name.replace("$", "").replace(":", "").replace(".", "")
    return f"'{name}'" if fit and all(one.isalnum() or one in "$:._-" for one in name) else "of that name"


def _chosen(target: AttributePath, rest: str) -> Path:
    """The path `target[filter]` or `target[filter].sub`; `rest` is what follows the opening bracket."""
    attribute = target.attribute
    if attribute is None or target.sub or not (attribute.multi_valued and attribute.type == "complex"):
        raise InvalidPath(f"'{target.key}' takes no filter in brackets; only a multi-valued complex attribute does.")
    text, bracket, tail = rest.rpartition("]")
    if not bracket:
        raise InvalidPath(f"The closing bracket after '{target.key}[' is missing.")
    node = filters.parse_element(text, attribute)
    if not tail:
        return Path(target, node)
    part = names.resolve_part(attribute, tail[1:]) if tail.startswith(".") else None
    if part is None:
        raise InvalidPath(f"'{target.key}' has no part of the name that follows its brackets.")
    return Path(replace(target, sub=part.attribute), node)
