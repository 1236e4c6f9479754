"""The OpenAPI 3.1 document, made from the schemas that are served and obeyed: it cannot say more than they do.

`ROUTES` is the one thing that is written by hand; a test compares it with the routes that there are, and every answer
in the tests is compared with what is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scim_service.protocol import limits, schema
from scim_service.protocol.schema import Attribute, ResourceType, Schema

JSON = "application/scim+json"
Document = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """One method of one address: what it is sent, what it answers by status, which parameters it takes.

    Answers are names of components, None for none; every route may also answer with an Error.
    """

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, str | None]
    sent: str | None = None
    parameters: tuple[str, ...] = ()
    is_open: bool = False


SHOWN = ("attributes", "excludedAttributes")
LISTED = (*SHOWN, "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor")
READ, CHANGED, ONCE = ("If-None-Match", "If-Match"), ("If-Match", "Prefer"), ("Idempotency-Key", "Prefer")


def _of_type(one: ResourceType) -> Iterable[Route]:
    name, many, path = one.name, one.endpoint.strip("/"), one.endpoint
    by_id = f"{path}/{{id}}"
    yield Route("get", path, f"list{many}", f"A page of {many}.", {200: f"{name}List"}, None, LISTED)
    yield Route("post", path, f"create{name}", f"A new {name}.", {201: name}, f"{name}Sent", (*SHOWN, *ONCE))
    yield Route("get", by_id, f"read{name}", f"One {name}.", {200: name, 304: None}, None, ("id", *SHOWN, *READ))
    changed = ("id", *SHOWN, *CHANGED)
    yield Route("put", by_id, f"replace{name}", f"A whole new {name}.", {200: name, 204: None}, f"{name}Sent", changed)
    patched = (*changed, "Idempotency-Key")
    yield Route("patch", by_id, f"patch{name}", "Some changes.", {200: name, 204: None}, "PatchOp", patched)
    yield Route("delete", by_id, f"delete{name}", f"The end of one {name}.", {204: None}, None, ("id", "If-Match"))
    yield Route("post", f"{path}/.search", f"search{many}", f"A page of {many}.", {200: f"{name}List"}, "SearchRequest")


def _discovery(path: str, name: str, answer: str, *parameters: str) -> Route:
    return Route("get", path, f"read{name}", f"Discovery: {name}.", {200: answer}, None, parameters, is_open=True)


ROUTES: tuple[Route, ...] = (
    *(route for one in schema.RESOURCE_TYPES.values() for route in _of_type(one)),
    Route("get", "", "listEverything", "A page of all resources.", {200: "AnyList"}, None, LISTED),
    Route("post", "/.search", "searchEverything", "A page of all resources.", {200: "AnyList"}, "SearchRequest"),
    Route("post", "/Bulk", "bulk", "Many operations in one request.", {200: "BulkResponse"}, "BulkRequest"),
    Route("get", "/Me", "readMe", "The person of the token.", {200: "User", 304: None}, None, (*SHOWN, *READ)),
    Route("put", "/Me", "replaceMe", "What is the own.", {200: "User", 204: None}, "UserSent", (*SHOWN, *CHANGED)),
    Route(
        "patch",
        "/Me",
        "patchMe",
        "Some of what is the own.",
        {200: "User", 204: None},
        "PatchOp",
        (*SHOWN, *CHANGED, "Idempotency-Key"),
    ),
    Route("post", "/Me", "createMe", "Refused: nobody is made here.", {}, "UserSent"),
    Route("delete", "/Me", "deleteMe", "Refused: nobody is ended here.", {}),
    _discovery("/ServiceProviderConfig", "ServiceProviderConfig", "ServiceProviderConfig"),
    _discovery("/ResourceTypes", "ResourceTypes", "ResourceTypeList"),
    _discovery("/ResourceTypes/{name}", "ResourceType", "ResourceType", "name"),
    _discovery("/Schemas", "Schemas", "SchemaList"),
    _discovery("/Schemas/{urn}", "Schema", "Schema", "urn"),
    _discovery("/openapi.json", "Openapi", "Openapi"),
)


def document(base: str, version: str, open_discovery: bool) -> Document:
    """The whole document for a service at `base`; `open_discovery`: whether discovery needs no token."""
    paths: dict[str, Document] = {}
    for route in ROUTES:
        paths.setdefault(route.path or "/", {})[route.method] = _operation(route, open_discovery)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SCIM 2.0", "version": version, "description": "RFC 7643, RFC 7644 and RFC 9865."},
        "servers": [{"url": base}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": components(),
            "parameters": PARAMETERS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(route: Route, open_discovery: bool) -> Document:
    answers = {str(status): _answer(status, name) for status, name in route.answers.items()}
    for family in ("4XX", "5XX"):
        answers[family] = _answer(0, "Error")
    found: Document = {"operationId": route.name, "summary": route.summary, "responses": answers}
    if route.parameters:
        found["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in route.parameters]
    if route.sent is not None:
        content = {kind: {"schema": _ref(route.sent)} for kind in (JSON, "application/json")}
        found["requestBody"] = {"required": True, "content": content}
    if route.is_open and open_discovery:
        found["security"] = []
    return found


def _answer(status: int, name: str | None) -> Document:
    found: Document = {"description": name or "Nothing more."}
    if name is not None:
        kind = "application/json" if name == "Openapi" else JSON
        found["content"] = {kind: {"schema": _ref(name)}}
    return found


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


# ---- components


def components() -> dict[str, Document]:
    """Every message and resource, by name."""
    found: dict[str, Document] = {}
    for one in schema.RESOURCE_TYPES.values():
        found[one.name] = _resource(one)
        found[f"{one.name}Sent"] = _sent(one)
        found[f"{one.name}List"] = _list(_ref(one.name))
    for name, urn in (
        ("ServiceProviderConfig", schema.CONFIG_URN),
        ("ResourceType", schema.RESOURCE_TYPE_URN),
        ("Schema", schema.SCHEMA_URN),
    ):
        found[name] = _described(schema.SCHEMAS[urn])
    found |= {"ResourceTypeList": _list(_ref("ResourceType")), "SchemaList": _list(_ref("Schema"))}
    found["AnyList"] = _list({"anyOf": [_ref(name) for name in schema.RESOURCE_TYPES]})
    return {**found, **MESSAGES}


def _resource(one: ResourceType) -> Document:
    """A resource as it is answered: nothing else is in it, but `attributes` may leave nearly everything out."""
    properties = {held.name: _attribute(held) for held in (*schema.COMMON, *one.schema.attributes) if _is_told(held)}
    for extension in one.extensions:
        properties[extension.id] = _object(extension.attributes)
    return {"type": "object", "properties": properties, "required": ["schemas", "id"], "additionalProperties": False}


def _sent(one: ResourceType) -> Document:
    """A resource as it is sent: names are read in any case, and what is unknown or readOnly is ignored."""
    writable = [held for held in one.schema.attributes if held.mutability != "readOnly"]
    properties = {held.name: _attribute(held) for held in writable}
    properties |= {"schemas": _texts(), "externalId": {"type": "string"}}
    for extension in one.extensions:
        properties[extension.id] = _object([held for held in extension.attributes if held.mutability != "readOnly"])
    required = [held.name for held in writable if held.required]
    return {"type": "object", "properties": properties, "required": ["schemas", *required]}


def _described(one: Schema) -> Document:
    """A resource of discovery; a schema describes itself one level deep only, so more may be in it."""
    properties = {held.name: _attribute(held, is_all=False) for held in (*schema.COMMON, *one.attributes)}
    required = [held.name for held in one.attributes if held.required]
    return {"type": "object", "properties": properties, "required": ["schemas", *required]}


def _is_told(one: Attribute) -> bool:
    return one.returned != "never"


def _attribute(one: Attribute, is_all: bool = True) -> Document:
    """An attribute's values as JSON Schema; `is_all`: whether a complex value has no other parts."""
    found = _object(one.sub_attributes, is_all) if one.type == "complex" else dict(TYPES[one.type])
    if one.multi_valued:
        found = {"type": "array", "items": found}
    if one.mutability in {"readOnly", "writeOnly"}:
        found[one.mutability] = True
    return {**found, "description": one.description} if one.description else found


def _object(parts: Iterable[Attribute], is_all: bool = True) -> Document:
    properties = {one.name: _attribute(one, is_all) for one in parts if _is_told(one)}
    return {"type": "object", "properties": properties, "additionalProperties": not is_all}


TYPES: Mapping[str, Document] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "decimal": {"type": "number"},
    "integer": {"type": "integer"},
    "dateTime": {"type": "string", "format": "date-time"},
    "binary": {"type": "string"},
    "reference": {"type": "string"},
}


def _texts() -> Document:
    return {"type": "array", "items": {"type": "string"}}


def _message(urn: str, properties: Document, required: Iterable[str] = ()) -> Document:
    """A message with its URN."""
    named = {"type": "array", "items": {"type": "string"}, "contains": {"const": urn}}
    whole = {"schemas": named, **properties}
    return {"type": "object", "properties": whole, "required": ["schemas", *required], "additionalProperties": False}


def _list(item: Document) -> Document:
    number = {"type": "integer", "minimum": 0}
    properties = {
        **dict.fromkeys(("totalResults", "startIndex", "itemsPerPage"), number),
        **{key: {"type": "string"} for key in ("nextCursor", "previousCursor")},
        "Resources": {"type": "array", "items": item},
    }
    return _message(schema.LIST_URN, properties, ["totalResults", "itemsPerPage", "Resources"])


_STEP = {
    "type": "object",
    "properties": {"op": {"enum": ["add", "replace", "remove"]}, "path": {"type": "string"}, "value": {}},
    "required": ["op"],
}
_BULK_STEP = {
    "type": "object",
    "properties": {
        "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
        "path": {"type": "string"},
        "bulkId": {"type": "string", "minLength": 1},
        "version": {"type": "string"},
        "data": {"type": "object"},
    },
    "required": ["method", "path"],
    "additionalProperties": False,
}
_BULK_RESULT = {
    "type": "object",
    "properties": {
        **{key: {"type": "string"} for key in ("method", "bulkId", "version", "location", "status")},
        "response": {"$ref": "#/components/schemas/Error"},
    },
    "required": ["method", "status"],
    "additionalProperties": False,
}
MESSAGES: dict[str, Document] = {
    "Error": _message(
        schema.ERROR_URN,
        {key: {"type": "string"} for key in ("status", "scimType", "detail")},
        ["status", "detail"],
    ),
    "PatchOp": _message(
        schema.PATCH_URN,
        {"Operations": {"type": "array", "minItems": 1, "maxItems": limits.PATCH_OPERATIONS, "items": _STEP}},
        ["Operations"],
    ),
    "SearchRequest": _message(
        schema.SEARCH_URN,
        {
            **dict.fromkeys(("attributes", "excludedAttributes"), _texts()),
            **{key: {"type": "string"} for key in ("filter", "sortBy", "cursor")},
            "sortOrder": {"enum": ["ascending", "descending"]},
            **{key: {"type": "integer"} for key in ("startIndex", "count")},
        },
    ),
    "BulkRequest": _message(
        schema.BULK_REQUEST_URN,
        {
            "failOnErrors": {"type": "integer", "minimum": 1},
            "Operations": {"type": "array", "minItems": 1, "maxItems": limits.BULK_OPERATIONS, "items": _BULK_STEP},
        },
        ["Operations"],
    ),
    "BulkResponse": _message(
        schema.BULK_RESPONSE_URN, {"Operations": {"type": "array", "items": _BULK_RESULT}}, ["Operations"]
    ),
    "Openapi": {"type": "object", "required": ["openapi", "info", "paths"]},
}


def _parameter(name: str, place: str, kind: str, description: str) -> Document:
    found = {"name": name, "in": place, "description": description, "schema": {"type": kind}}
    return {**found, "required": True} if place == "path" else found


PARAMETERS: dict[str, Document] = {
    one["name"]: one
    for one in (
        _parameter("id", "path", "string", "The id that the service gave."),
        _parameter("name", "path", "string", "The name of a resource type."),
        _parameter("urn", "path", "string", "The URN of a schema."),
        _parameter("attributes", "query", "string", "Names of what to show, by commas (RFC 7644 section 3.9)."),
        _parameter("excludedAttributes", "query", "string", "Names of what to leave out, by commas."),
        _parameter("filter", "query", "string", "Which resources are meant (RFC 7644 section 3.4.2.2)."),
        _parameter("sortBy", "query", "string", "The attribute to order by."),
        _parameter("sortOrder", "query", "string", "ascending or descending."),
        _parameter("startIndex", "query", "integer", "The number of the first result, from 1."),
        _parameter("count", "query", "integer", f"How many at most; {limits.PAGE_MOST} are the most."),
        _parameter("cursor", "query", "string", "Empty for the first page, then what nextCursor said (RFC 9865)."),
        _parameter("If-Match", "header", "string", "Versions that may be changed."),
        _parameter("If-None-Match", "header", "string", "Versions that are known."),
        _parameter("Idempotency-Key", "header", "string", "Sent again under the same key, it is done once."),
        _parameter("Prefer", "header", "string", "return=minimal leaves the resource out of the answer."),
    )
}
