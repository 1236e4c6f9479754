"""What an answer shows: `returned`, `attributes`, `excludedAttributes` (RFC 7644 section 3.9), and `schemas`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_service.errors import InvalidValue
from scim_service.protocol import limits, names
from scim_service.protocol.schema import Attribute, ResourceType


def schemas_of(resource_type: ResourceType, document: Mapping[str, Any]) -> list[str]:
    """The URNs of the core schema and of the extensions that have a value (RFC 7643 sections 2.5 and 3)."""
    return [resource_type.schema.id, *(one.id for one in resource_type.extensions if document.get(one.id))]


@dataclass(frozen=True)
class Projection:
    """Which attributes of a resource one caller is shown.

    `wanted` holds the keys of the paths that were asked for (None: the default set), `excluded` of those not wanted.
    """

    resource_type: ResourceType
    wanted: frozenset[str] | None
    excluded: frozenset[str]
    _decided: dict[str, frozenset[str] | None] = field(default_factory=dict, repr=False, compare=False)
    """Key of an attribute → the names of its parts that are not shown; None where it is not shown itself."""

    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    """What `shows` found out; it is asked a few names for each answer."""

    @staticmethod
    def parse(resource_type: ResourceType, attributes: str | None, excluded: str | None) -> Projection:
        """The projection that the two parameters ask for; a name that the resource type does not have is ignored.

        Raises InvalidValue when both are given: they exclude each other.
        """
        return _parsed(resource_type, attributes, excluded)

    def shows(self, name: str) -> bool:
        """Whether an attribute can be in an answer, so that it must be read: a core one, or `URN:name`."""
        if name not in self._known:
            self._known[name] = self._is_shown(name)
        return self._known[name]

    def _is_shown(self, name: str) -> bool:
        path = names.resolve(self.resource_type, name)
        if path is None or path.attribute is None:
            return False
        return self._shows_attribute(path.attribute, path.key, "" if path.is_core else path.schema)

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with only what is shown. Its `schemas` name only extensions that are left."""
        parts = ((name, self._shown(name, value)) for name, value in document.items())
        shown = {name: value for name, value in parts if not _is_nothing(value)}
        if "schemas" in shown:
            core = self.resource_type.schema.id
            shown["schemas"] = [urn for urn in shown["schemas"] if urn == core or urn in shown]
        return shown

    def _shown(self, name: str, value: Any) -> Any:
        if name in self._decided:
            return _left(value, self._decided[name])
        attribute = self.resource_type.attribute(name)
        if attribute is not None:
            return self._part(attribute, name, value)
        extension = self.resource_type.extension(name)
        if extension is None:
            return None
        held = [one for one in extension.attributes if one.name in value]
        urn = extension.id
        parts = ((one.name, self._part(one, f"{urn}:{one.name}", value[one.name], urn)) for one in held)
        return {part: left for part, left in parts if not _is_nothing(left)}

    def _part(self, attribute: Attribute, key: str, value: Any, holder: str = "") -> Any:
        """What is shown of one attribute's value; None for nothing."""
        if key not in self._decided:
            self._decided[key] = self._hidden(attribute, key, holder)
        return _left(value, self._decided[key])

    def _hidden(self, attribute: Attribute, key: str, holder: str) -> frozenset[str] | None:
        if not self._shows_attribute(attribute, key, holder):
            return None
        subs = attribute.sub_attributes if attribute.type == "complex" else ()
        return frozenset(one.name for one in subs if not self._shows_sub(attribute, one, key, holder))

    def _shows_attribute(self, attribute: Attribute, key: str, holder: str = "") -> bool:
        if attribute.returned in {"always", "never"}:
            return attribute.returned == "always"
        if self.wanted is None:
            return attribute.returned == "default" and key not in self.excluded and holder not in self.excluded
        asked = key in self.wanted or any(one.startswith(f"{key}.") for one in self.wanted)
        return asked or (holder in self.wanted and attribute.returned == "default")

    def _shows_sub(self, attribute: Attribute, sub: Attribute, key: str, holder: str) -> bool:
        """Whether a part of an attribute that is shown is shown too."""
        if sub.returned in {"always", "never"}:
            return sub.returned == "always"
        if self.wanted is None:
            return sub.returned == "default" and f"{key}.{sub.name}" not in self.excluded
        if f"{key}.{sub.name}" in self.wanted:
            return True
        whole = key in self.wanted or holder in self.wanted or attribute.returned == "always"
        return whole and sub.returned == "default"


@functools.lru_cache(256)
def _parsed(resource_type: ResourceType, attributes: str | None, excluded: str | None) -> Projection:
    if attributes and excluded:
        raise InvalidValue("attributes and excludedAttributes exclude each other; send one of them.")
    wanted = _keys(resource_type, attributes) if attributes else None
    return Projection(resource_type, wanted, _keys(resource_type, excluded or ""))


def _keys(resource_type: ResourceType, listed: str) -> frozenset[str]:
    texts = listed.split(",", limits.PROJECTED_NAMES)
    if len(texts) > limits.PROJECTED_NAMES:
        raise InvalidValue(f"At most {limits.PROJECTED_NAMES} attributes can be named.")
    paths = (names.resolve(resource_type, text.strip()) for text in texts)
    return frozenset(path.key for path in paths if path is not None)


def _is_nothing(value: Any) -> bool:
    return value is None or value == [] or value == {}


def _left(value: Any, hidden: frozenset[str] | None) -> Any:
    """What is left of a value whose attribute is decided upon."""
    if hidden is None:
        return None
    return _without(value, hidden) if hidden else value


def _without(value: Any, hidden: Iterable[str]) -> Any:
    """A complex value, or a list of them, without some parts; elements that nothing is left of are dropped."""
    if isinstance(value, list):
        return [left for element in value if (left := _without(element, hidden))]
    if not isinstance(value, Mapping):
        return value
    return {name: part for name, part in value.items() if name not in hidden}
