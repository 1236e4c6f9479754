"""Attribute notation: what a dotted or URN-prefixed name means for a resource type (RFC 7644 section 3.10)."""

from __future__ import annotations

from dataclasses import dataclass

from scim_service.protocol.schema import GROUP_URN, USER_URN, Attribute, ResourceType

_UNPREFIXED = frozenset({"", USER_URN, GROUP_URN})


@dataclass(frozen=True)
class AttributePath:
    """An attribute, a part of it, or a whole extension (`attribute` None).

    `schema` is the URN of the schema the attribute is in; common attributes (id, meta …) have that of the resource
    type's core, and parts of an element, inside a value filter, have none ("").
    """

    schema: str
    attribute: Attribute | None
    sub: Attribute | None = None

    @property
    def key(self) -> str:
        """The canonical text: "userName", "emails.value", "urn:…:enterprise:2.0:User:manager.value"."""
        if self.attribute is None:
            return self.schema
        name = f"{self.attribute.name}.{self.sub.name}" if self.sub else self.attribute.name
        return name if self.is_core else f"{self.schema}:{name}"

    @property
    def is_core(self) -> bool:
        """Whether the value lies at the top of the document, not under the URN of an extension."""
        return self.schema in _UNPREFIXED

    @property
    def leaf(self) -> Attribute | None:
        """The attribute whose characteristics count: the part where there is one."""
        return self.sub or self.attribute


def resolve(resource_type: ResourceType, text: str) -> AttributePath | None:
    """What the name means, in any case; None where this resource type has nothing of that name."""
    if not text.isascii():
        return None
    core = resource_type.schema.id
    if not text.lower().startswith("urn:"):
        return _named(core, resource_type, text)
    prefix = f"{core.lower()}:"
    if text.lower().startswith(prefix):
        return _named(core, resource_type, text[len(prefix) :])
    return _of_extension(resource_type, text)


def resolve_bare(resource_type: ResourceType, text: str) -> AttributePath | None:
    """As `resolve`; a bare name that the core does not have may also be one of an extension's.

    Entra's reference check asks for `manager` without its URN (scim.md 3.3).
    """
    found = resolve(resource_type, text)
    if found is not None or ":" in text:
        return found
    prefixed = (resolve(resource_type, f"{extension.id}:{text}") for extension in resource_type.extensions)
    return next((path for path in prefixed if path is not None), None)


def resolve_part(attribute: Attribute, text: str) -> AttributePath | None:
    """What a name inside the brackets of a value filter means: a part of one element."""
    part = attribute.sub(text) if text.isascii() else None
    return AttributePath("", part) if part else None


def _of_extension(resource_type: ResourceType, text: str) -> AttributePath | None:
    for extension in resource_type.extensions:
        urn = extension.id.lower()
        if text.lower() == urn:
            return AttributePath(extension.id, None)
        if text.lower().startswith(f"{urn}:"):
            return _named(extension.id, resource_type, text[len(urn) + 1 :])
    return None


def _named(urn: str, resource_type: ResourceType, text: str) -> AttributePath | None:
    holder = resource_type.extension(urn) or resource_type
    name, dot, rest = text.partition(".")
    attribute = holder.attribute(name)
    if attribute is None or not dot:
        return AttributePath(urn, attribute) if attribute else None
    part = attribute.sub(rest)
    return AttributePath(urn, attribute, part) if part else None
