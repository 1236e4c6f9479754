"""/openapi.json: made from the schemas, and true (RFC 7644 has no such thing; tools ask for it)."""

from __future__ import annotations

import os
import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import schemathesis.core.result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scim_service.protocol import openapi, schema
from scim_service.storage.store import Store
from tests import promised, service
from tests.conftest import Count
from tests.service import Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
PREFIX = "/scim/v2"
REQUESTS = 100_000
"""Generated requests of the proof, over both databases and all operations."""


def test_every_route_and_method_is_in_the_document_and_the_reverse(cast: Cast) -> None:
    there = {
        (re.sub(r"<\w+>", "{}", rule.rule.removeprefix(PREFIX)), method.lower())
        for rule in cast.app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX)
        for method in rule.methods or ()
        if method != "HEAD"
    }
    told = {(re.sub(r"\{\w+\}", "{}", route.path), route.method) for route in openapi.ROUTES}
    assert told == there
    assert len({route.name for route in openapi.ROUTES}) == len(openapi.ROUTES)


def test_the_document_is_open_and_says_where_the_service_is(cast: Cast) -> None:
    answer = cast.acme.send("GET", "/openapi.json", headers={"Authorization": ""})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body["servers"] == [{"url": "http://localhost/scim/v2"}]
    assert answer.body["paths"] == promised.DOCUMENT["paths"]
    assert answer.body["paths"]["/Users"]["get"].get("security") is None
    assert answer.body["paths"]["/Schemas"]["get"]["security"] == []
    closed = openapi.document("http://localhost", "0", open_discovery=False)
    assert "security" not in closed["paths"]["/Schemas"]["get"]
    assert cast.acme.send("POST", "/openapi.json", b"{}").status == 405


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    text = str(promised.DOCUMENT)
    refs = set(re.findall(r"#/components/(\w+)/([\w-]+)", text))
    there = {(kind, name) for kind in ("schemas", "parameters") for name in promised.DOCUMENT["components"][kind]}
    assert refs == there


def test_every_attribute_of_every_schema_is_in_its_resource_but_what_is_never_told() -> None:
    found = openapi.components()
    for one in schema.RESOURCE_TYPES.values():
        properties = found[one.name]["properties"]
        names = {held.name for held in (*schema.COMMON, *one.schema.attributes) if held.returned != "never"}
        assert set(properties) == names | {extension.id for extension in one.extensions}
        for held in one.schema.attributes:
            shape = properties[held.name]["items"] if held.multi_valued else properties[held.name]
            assert set(shape.get("properties", {})) == {part.name for part in held.sub_attributes}


@pytest.mark.parametrize(
    "body",
    [
        {"schemas": ["x"], "id": "1", "userName": 5},
        {"schemas": ["x"], "id": "1", "nothing": "x"},
        {"schemas": ["x"], "id": "1", "emails": {"value": "x"}},
        {"schemas": ["x"], "userName": "x"},
        {"schemas": ["x"], "id": "1", "active": "true"},
    ],
)
def test_an_answer_that_is_not_promised_is_found(body: Any) -> None:
    with pytest.raises(AssertionError):
        promised.check("GET", "/Users/1", 200, "application/scim+json", body)
    with pytest.raises(AssertionError):
        promised.check("GET", "/Users/1", 201, "application/scim+json", {"schemas": ["x"], "id": "1"})
    promised.check("GET", "/Users/1", 200, "application/scim+json", {"schemas": ["x"], "id": "1"})
    with pytest.raises(AssertionError):
        promised.check("GET", "/Users", 200, "text/html", {"schemas": []})


def test_what_a_client_sends_by_the_document_is_what_is_sent(cast: Cast) -> None:
    validator = jsonschema_rs.Draft202012Validator(
        {"$ref": "#/components/schemas/UserSent", "components": promised.DOCUMENT["components"]}
    )
    whole = cast.acme.user("ann", title="T", emails=[{"value": "a@example.com", "primary": True}])
    assert validator.is_valid(whole)
    assert not validator.is_valid({"schemas": [], "title": "T"})


@pytest.mark.proof
def test_generated_requests_are_answered_in_form(store: Store, count: Count) -> None:
    """schemathesis makes requests of the document, right and wrong ones: no 5xx but /Me's 501, no HTML."""
    cast = service.assemble(store, SCIM_ALLOW_HTTP="1")
    described = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", cast.app)
    operations = [one.ok() for one in described.get_all_operations() if isinstance(one, schemathesis.core.result.Ok)]
    told = {f"{route.method.upper()} {route.path or '/'}" for route in openapi.ROUTES}
    assert {one.label for one in operations} == told - {"GET /openapi.json"}
    headers = {"Authorization": f"Bearer {cast.acme.token}"}
    examples = -(-REQUESTS // len(operations) // 2) if PROVE else 6
    sent = 0

    def run(operation: Any, mode: Any) -> None:
        strategy = operation.as_strategy(generation_mode=mode)

        @settings(
            max_examples=max(examples // 2, 1),
            deadline=None,
            database=None,
            derandomize=not PROVE,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def one(data: st.DataObject) -> None:
            nonlocal sent
            case = data.draw(strategy)
            answer = case.call(headers=headers)
            sent += 1
            where = f"{case.method} {case.formatted_path}"
            assert answer.status_code < 500 or (answer.status_code == 501 and "/Me" in where), where
            kind = answer.headers.get("content-type", [""])[0]
            assert kind in {"", "application/scim+json", "application/json"}, (where, kind)
            body = answer.json() if answer.content else None
            promised.check(case.method, case.path, answer.status_code, kind or None, body)

        one()

    typed = {
        f"{one.method.upper()} {one.path or '/'}" for one in openapi.ROUTES if one.sent or "count" in one.parameters
    }
    for operation in operations:
        run(operation, schemathesis.GenerationMode.POSITIVE)
        if operation.label in typed:
            run(operation, schemathesis.GenerationMode.NEGATIVE)
    count("{:,} generated requests answered in form", sent)
