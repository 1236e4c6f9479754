"""/ServiceProviderConfig, /ResourceTypes, /Schemas: what this service does and no more (RFC 7644 section 4)."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request

import scim_service
from scim_service import errors
from scim_service.endpoints import service
from scim_service.endpoints.scim import answers, requests
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol import limits, messages, openapi, schema

SCHEMES = [
    {
        "type": "oauthbearertoken",
        "name": "Bearer token",
        "description": "A token of this connection in the Authorization header.",
        "specUri": "https://www.rfc-editor.org/info/rfc6750",
        "primary": True,
    },
    {
        "type": "httpbasic",
        "name": "HTTP Basic",
        "description": "Any name, and a token of this connection as the password.",
        "specUri": "https://www.rfc-editor.org/info/rfc7617",
        "primary": False,
    },
]


@blueprint.get("/ServiceProviderConfig")
def service_provider_config() -> Response:
    """What is supported (RFC 7643 section 5, RFC 9865 section 4)."""
    _refuse_filter()
    return answers.document(
        {
            "schemas": [schema.CONFIG_URN],
            "patch": {"supported": True},
            "bulk": {
                "supported": True,
                "maxOperations": limits.BULK_OPERATIONS,
                "maxPayloadSize": limits.BULK_BODY_BYTES,
            },
            "filter": {"supported": True, "maxResults": limits.PAGE_MOST},
            "changePassword": {"supported": False},
            "sort": {"supported": True},
            "etag": {"supported": True},
            "pagination": {
                "cursor": True,
                "index": True,
                "defaultPaginationMethod": "index",
                "defaultPageSize": limits.PAGE_DEFAULT,
                "maxPageSize": limits.PAGE_MOST,
                "cursorTimeout": service.current().settings.cursor_timeout,
            },
            "authenticationSchemes": SCHEMES,
            "meta": _meta("ServiceProviderConfig", "/ServiceProviderConfig"),
        }
    )


@blueprint.get("/ResourceTypes")
def resource_types() -> Response:
    """The kinds of resource (RFC 7643 section 6)."""
    _refuse_filter()
    return _all([_resource_type(one) for one in schema.RESOURCE_TYPES.values()])


@blueprint.get("/ResourceTypes/<name>")
def resource_type(name: str) -> Response:
    """One kind of resource."""
    _refuse_filter()
    if name not in schema.RESOURCE_TYPES:
        raise errors.NotFound(f"There is no such resource type; there is {', '.join(schema.RESOURCE_TYPES)}.")
    return answers.document(_resource_type(schema.RESOURCE_TYPES[name]))


@blueprint.get("/Schemas")
def schemas() -> Response:
    """The schemas that are obeyed, which are the ones served (RFC 7643 section 7)."""
    _refuse_filter()
    return _all([_schema(one) for one in schema.SCHEMAS.values()])


@blueprint.get("/Schemas/<urn>")
def one_schema(urn: str) -> Response:
    """One schema, by its URN in any case."""
    _refuse_filter()
    for one in schema.SCHEMAS.values():
        if one.id.casefold() == urn.casefold():
            return answers.document(_schema(one))
    raise errors.NotFound("There is no such schema; /Schemas lists them.")


@blueprint.get("/openapi.json")
def read_openapi() -> Response:
    """What can be asked here, for tools that read OpenAPI 3.1; made from the schemas."""
    settings = service.current().settings
    whole = openapi.document(requests.base(), scim_service.__version__, settings.open_discovery)
    return Response(orjson.dumps(whole), content_type="application/json")


def _refuse_filter() -> None:
    """RFC 7644 section 4: a filter here is 403."""
    if "filter" in request.args:
        raise errors.Forbidden("Discovery cannot be filtered. Leave the filter out.")


def _all(documents: list[dict[str, Any]]) -> Response:
    return answers.document(messages.list_response(documents, len(documents), 1))


def _resource_type(one: schema.ResourceType) -> dict[str, Any]:
    return {**one.document, "meta": _meta("ResourceType", f"/ResourceTypes/{one.name}")}


def _schema(one: schema.Schema) -> dict[str, Any]:
    return {**one.document, "meta": _meta("Schema", f"/Schemas/{one.id}")}


def _meta(kind: str, path: str) -> dict[str, str]:
    return {"resourceType": kind, "location": f"{requests.base()}{path}"}
