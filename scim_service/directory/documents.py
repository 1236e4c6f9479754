"""A stored document and its key columns: taken apart when it is written, put together when it is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from scim_service import errors
from scim_service.protocol import limits, rendering, schema
from scim_service.protocol.text import fold, format_datetime

NAME_LENGTH = limits.USER_NAME_CHARACTERS
"""Characters of a userName, counted before folding, which can make eighteen of one (reliability.md I4)."""

KEY_BYTES = limits.KEY_BYTES


@dataclass(frozen=True)
class Resource:
    """A stored user or group: its document as sent, and what the columns beside it say."""

    seq: int
    id: str
    version: int
    created_at: datetime
    modified_at: datetime
    connection_seq: int | None
    external_id: str | None
    document: dict[str, Any]
    active: bool = True
    """Of a person: whether it counts for seats. A PATCH can unassign the attribute, but not this (decision 5)."""

    grouped: bool = True
    licensed: bool = True
    """Of a person: whether there may be groups, and licenses, to show; False spares the question."""

    @property
    def etag(self) -> str:
        """The weak entity tag of this version (RFC 7644 section 3.14)."""
        return f'W/"{self.version}"'


@dataclass(frozen=True)
class View:
    """How a resource is shown to one caller: the URL that locations begin with, and which attributes are wanted."""

    base: str
    projection: rendering.Projection


def stored(text: str) -> dict[str, Any]:
    """The document in a column."""
    parsed: dict[str, Any] = orjson.loads(text)
    return parsed


def text_of(document: Mapping[str, Any]) -> str:
    """The document as a column keeps it."""
    return orjson.dumps(document).decode()


def without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A copy without these attributes."""
    return {name: value for name, value in document.items() if name not in names}


def full(resource: Resource, resource_type: schema.ResourceType, base: str) -> dict[str, Any]:
    """The document with all that is not computed from other resources: id, externalId, meta (RFC 7643 section 3.1)."""
    document = {"id": resource.id, **resource.document}
    if resource.external_id is not None:
        document["externalId"] = resource.external_id
    document["meta"] = {
        "resourceType": resource_type.name,
        "created": format_datetime(resource.created_at),
        "lastModified": format_datetime(resource.modified_at),
        "location": f"{base}{resource_type.endpoint}/{resource.id}",
        "version": resource.etag,
    }
    return document


def shown(document: dict[str, Any], resource_type: schema.ResourceType, view: View) -> dict[str, Any]:
    """A full document as this caller is answered, with the `schemas` that it has values of."""
    schemas = rendering.schemas_of(resource_type, document)
    return view.projection.apply({"schemas": schemas, **document})


@dataclass(frozen=True)
class Expected:
    """Which versions a client lets a request happen to (RFC 7644 section 3.14): If-Match and If-None-Match.

    `match` None allows any version; `none_match` None forbids none; `never` is `If-None-Match: *`, which forbids all.
    """

    match: frozenset[int] | None = None
    none_match: frozenset[int] | None = None
    never: bool = False

    def allows(self, version: int) -> bool:
        """Whether a change to this version may go on."""
        return (self.match is None or version in self.match) and not self.is_known(version)

    def is_known(self, version: int) -> bool:
        """Whether the client said that it has this version already."""
        return self.never or (self.none_match is not None and version in self.none_match)


ANY_VERSION = Expected()


def expect_version(resource: Resource, expected: Expected) -> None:
    """Refuse when a client said which versions it would change, and it is another by now. Call it under the lock."""
    if not expected.allows(resource.version):
        raise errors.PreconditionFailed(
            "This resource was changed since you read it. Read it again, and send your change with its new version."
        )


def name_key(name: str, attribute: str) -> str:
    """The folded form by which a name is compared (decision 2). Raises InvalidValue for one that cannot be kept."""
    if not name.strip():
        raise errors.InvalidValue(f"{attribute} must not be blank.")
    if attribute == "userName" and len(name) > NAME_LENGTH:
        raise errors.InvalidValue(f"userName is longer than {NAME_LENGTH} characters.")
    if attribute == "userName" and any(unicodedata.category(one) in {"Cc", "Cf"} for one in name):
        raise errors.InvalidValue("userName holds control or invisible characters; remove them.")
    key = fold(name)
    if len(key.encode()) > KEY_BYTES:
        raise errors.InvalidValue(f"{attribute} is too long to be compared; {KEY_BYTES} bytes are the most.")
    return key


def external_id_of(document: Mapping[str, Any]) -> str | None:
    """The externalId in a cleaned payload. Raises InvalidValue for one that is too long for a key."""
    value = document.get("externalId")
    if value is not None and len(value.encode()) > KEY_BYTES:
        raise errors.InvalidValue(f"externalId is too long; {KEY_BYTES} bytes are the most.")
    return value


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Top-level attributes whose value differs: what the audit log tells of a change (reliability.md D1, D4)."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
