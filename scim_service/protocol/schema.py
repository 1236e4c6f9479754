"""Schemas and resource types: the documents that /Schemas and /ResourceTypes serve, as records (RFC 7643)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LICENSE_URN = "urn:ietf:params:scim:schemas:extension:scim-service:license:2.0:User"
CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK_REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


@dataclass(frozen=True, eq=False)
class Attribute:
    """One attribute with its characteristics (RFC 7643 sections 2.2 and 7)."""

    name: str
    type: str
    multi_valued: bool
    description: str
    required: bool
    canonical_values: tuple[str, ...]
    case_exact: bool
    mutability: str
    returned: str
    uniqueness: str
    reference_types: tuple[str, ...]
    sub_attributes: tuple[Attribute, ...]

    def sub(self, name: str) -> Attribute | None:
        """The part of a complex attribute, by its name in any case."""
        return self._subs.get(name.lower())

    @cached_property
    def _subs(self) -> dict[str, Attribute]:
        return _by_name(self.sub_attributes)


@dataclass(frozen=True, eq=False)
class Schema:
    """A schema: its attributes, and `document`, which /Schemas serves (without meta)."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]
    document: dict[str, Any]

    def attribute(self, name: str) -> Attribute | None:
        """The attribute by its name in any case."""
        return self._attributes.get(name.lower())

    @cached_property
    def _attributes(self) -> dict[str, Attribute]:
        return _by_name(self.attributes)


@dataclass(frozen=True, eq=False)
class ResourceType:
    """A kind of resource: its core schema, its extensions, and `document`, which /ResourceTypes serves."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...]
    document: dict[str, Any]

    def attribute(self, name: str) -> Attribute | None:
        """The core or common attribute by its name in any case; attributes of extensions are asked of `extension`."""
        return self.schema.attribute(name) or _COMMON.get(name.lower())

    def extension(self, urn: str) -> Schema | None:
        """The extension with this URN, in any case."""
        return self._extensions.get(urn.lower())

    @cached_property
    def _extensions(self) -> dict[str, Schema]:
        return {schema.id.lower(): schema for schema in self.extensions}


def _by_name(attributes: Iterable[Attribute]) -> dict[str, Attribute]:
    return {attribute.name.lower(): attribute for attribute in attributes}


def _attribute(document: Mapping[str, Any]) -> Attribute:
    """The record of one attribute; a characteristic that is not stated has its default (RFC 7643 section 2.2)."""
    return Attribute(
        name=document["name"],
        type=document.get("type", "string"),
        multi_valued=document.get("multiValued", False),
        description=document.get("description", ""),
        required=document.get("required", False),
        canonical_values=tuple(document.get("canonicalValues", ())),
        case_exact=document.get("caseExact", False),
        mutability=document.get("mutability", "readWrite"),
        returned=document.get("returned", "default"),
        uniqueness=document.get("uniqueness", "none"),
        reference_types=tuple(document.get("referenceTypes", ())),
        sub_attributes=_attributes(document.get("subAttributes", ())),
    )


def _attributes(documents: Iterable[Mapping[str, Any]]) -> tuple[Attribute, ...]:
    return tuple(_attribute(document) for document in documents)


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath("schemas", name).read_text(encoding="utf-8"))


def _schema(name: str) -> Schema:
    document = _read(name)
    attributes = _attributes(document["attributes"])
    return Schema(document["id"], document["name"], document["description"], attributes, document)


def _resource_type(document: dict[str, Any]) -> ResourceType:
    extensions = tuple(SCHEMAS[extension["schema"]] for extension in document["schemaExtensions"])
    core = SCHEMAS[document["schema"]]
    return ResourceType(document["name"], document["endpoint"], document["description"], core, extensions, document)


COMMON: tuple[Attribute, ...] = _attributes(_read("common.json")["attributes"])
"""What every resource has: schemas, id, externalId, meta (RFC 7643 section 3.1); they are in no served schema."""

_COMMON = _by_name(COMMON)

SCHEMAS: dict[str, Schema] = {
    schema.id: schema
    for schema in map(
        _schema,
        (
            "user.json",
            "group.json",
            "enterprise_user.json",
            "license_user.json",
            "service_provider_config.json",
            "resource_type.json",
            "schema.json",
        ),
    )
}
"""The served schemas, by URN."""

RESOURCE_TYPES: dict[str, ResourceType] = {
    document["name"]: _resource_type(document) for document in _read("resource_types.json")
}
"""The resource types, by name."""

USER = RESOURCE_TYPES["User"]
GROUP = RESOURCE_TYPES["Group"]
