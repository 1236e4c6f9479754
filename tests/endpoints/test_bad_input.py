"""What no User and no Group may hold, generated from the schemas: refused, and nothing is kept (reliability.md 2.4)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.protocol import schema
from scim_service.protocol.schema import ERROR_URN, Attribute, Schema
from tests.conftest import Count
from tests.rows import everything
from tests.service import CORE, ENTERPRISE, GROUP, LICENSES, PATCH, Answer, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
BLOCKS, EXAMPLES = (10, 300) if PROVE else (1, 60)
DISCOVERED = {"Schema", "ResourceType"}
"""What is shown without a token."""

OBJECT = {"x": 1}
WRONG: dict[str, list[Any]] = {
    "string": [5, 1.5, True, OBJECT, ["a", "b"]],
    "reference": [5, False, OBJECT, [1]],
    "binary": [5, True, OBJECT, "not base64!"],
    "boolean": ["maybe", 1, 0.5, OBJECT, [True]],
    "integer": ["five", True, 1.5, OBJECT, [1]],
    "dateTime": [5, True, "yesterday", OBJECT],
}
"""Values that an attribute of a type cannot take."""


def attributes(of: Schema) -> Iterator[tuple[str, Attribute]]:
    """(prefix of the path, attribute) of everything that a client may write."""
    prefix = "" if of.id in {CORE, GROUP} else f"{of.id}:"
    for attribute in of.attributes:
        if attribute.mutability != "readOnly":
            yield prefix, attribute


def wrong_values(attribute: Attribute) -> Iterator[Any]:
    """Values that the attribute cannot take, wrong parts of it included."""
    if attribute.type != "complex":
        yield from WRONG[attribute.type]
        return
    whole = [5, True, *([] if attribute.sub("value") else ["text"])]
    yield from ([[one] for one in whole] + [5, True]) if attribute.multi_valued else whole
    for part in attribute.sub_attributes:
        if part.mutability == "readOnly":
            continue
        for value in WRONG[part.type]:
            element = {"value": "v", part.name: value}
            yield [element] if attribute.multi_valued else element


def bodies(of: Schema, name: str, value: Any) -> dict[str, Any]:
    """A body in which one attribute is wrong."""
    base = {"schemas": [GROUP], "displayName": "D"} if of.id == GROUP else {"schemas": [CORE], "userName": "u"}
    return {**base, ENTERPRISE: {name: value}} if of.id == ENTERPRISE else {**base, name: value}


def test_a_wrong_type_at_any_attribute_is_refused_on_every_verb(cast: Cast) -> None:
    user, group = cast.acme.user("ann@example.com")["id"], cast.acme.group("Team")["id"]
    before, asked = everything(cast.store), 0
    for of in (schema.USER.schema, schema.SCHEMAS[ENTERPRISE], schema.GROUP.schema):
        place, one = ("/Groups", group) if of.id == GROUP else ("/Users", user)
        for prefix, attribute in attributes(of):
            for value in wrong_values(attribute):
                body = bodies(of, attribute.name, value)
                operation = {"op": "replace", "path": prefix + attribute.name, "value": value}
                for answer in (
                    cast.acme.post(place, body),
                    cast.acme.put(f"{place}/{one}", body),
                    cast.acme.patch(f"{place}/{one}", operation),
                ):
                    asked += 1
                    told = (answer.status, answer.body.get("scimType"))
                    assert told in {(400, "invalidValue"), (400, "invalidSyntax")}, (operation, answer.text)
    assert everything(cast.store) == before
    assert asked > 500


def test_what_is_the_services_own_is_refused_in_every_form_of_a_path(cast: Cast) -> None:
    user = cast.acme.user("ann@example.com")["id"]
    before = everything(cast.store)
    for name, value in {
        "id": "x", "meta.location": "x", "meta.version": "x", "meta": {"resourceType": "x"},
        "groups": [{"value": "x"}], f"{LICENSES}:licenses": [{"value": "pro"}],
    }.items():  # fmt: skip
        core = name if ":" in name else f"{CORE}:{name}"
        for path in (name, name.upper() if ":" not in name else name.lower(), core):
            for operation in ({"op": "replace", "path": path, "value": value}, {"op": "add", "value": {path: value}}):
                answer = cast.acme.patch(f"/Users/{user}", operation)
                assert (answer.status, answer.body["scimType"]) == (400, "mutability"), (operation, answer.text)
    assert everything(cast.store) == before


def test_names_that_mean_something_inside_do_not_reach_inside(cast: Cast) -> None:
    body = {
        "schemas": [CORE],
        "userName": "ann",
        "is_admin": True,
        "tenant_id": 2,
        "__class__": "x",
        "seq": 1,
        "version": 9,
    }
    made = cast.acme.post("/Users", body).body
    assert set(made) == {"schemas", "id", "userName", "active", "meta"}
    for name in ("is_admin", "tenant_id", "__class__", "seq"):
        answer = cast.acme.patch(f"/Users/{made['id']}", {"op": "add", "path": name, "value": "x"})
        assert (answer.status, answer.body["scimType"]) == (400, "invalidPath")


names = st.sampled_from(
    ["userName", "displayName", "emails", "active", "name", "members", "schemas", "id", "meta", "externalId", "groups",
     "name.givenName", 'emails[type eq "work"].value', 'members[value eq "x"]', ENTERPRISE, "roles"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove", "move"])},
    optional={"path": names | st.text(max_size=12), "value": values},
)


properties = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=range(BLOCKS))
def block(request: pytest.FixtureRequest) -> int:
    """Which share of the examples; nothing fixes them, so each block tries others."""
    number: int = request.param
    return number


@pytest.mark.proof
@pytest.mark.usefixtures("block")
@properties
@given(
    place=st.sampled_from(["/Users", "/Groups"]),
    body=st.dictionaries(names | st.text(max_size=8), values, max_size=5),
    steps=st.lists(operations, max_size=3),
)
def test_whatever_is_sent_is_answered_in_form_and_a_refusal_changes_nothing(
    cast: Cast, count: Count, place: str, body: dict[str, Any], steps: list[Any]
) -> None:
    known = cast.acme.get(f"{place}?count=1").body["Resources"]
    one = known[0]["id"] if known else cast.acme.post(place, {"userName": "first", "displayName": "first"}).body["id"]
    for method, path, sent in (
        ("POST", place, body),
        ("PUT", f"{place}/{one}", body),
        ("PATCH", f"{place}/{one}", {"schemas": [PATCH], "Operations": steps}),
    ):
        before = everything(cast.store)
        answer = cast.acme.send(method, path, sent)
        assert answer.status < 500, answer.text
        assert answer.headers["Content-Type"] == "application/scim+json"
        if answer.status >= 400:
            assert answer.body["status"] == str(answer.status)
            assert everything(cast.store) == before
    count("{:,} bad bodies on three verbs")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)
"""JSON of any shape: lone surrogates, NUL, NaN and endless integers included."""


def in_form(answer: Answer) -> None:
    """Never a crash, always SCIM's form, the framework's refusals included."""
    assert answer.status < 500 or answer.status == 501, answer.text
    if answer.status == 204:
        return
    assert answer.headers["Content-Type"] == "application/scim+json"
    if answer.status >= 400:
        assert answer.body["schemas"] == [ERROR_URN] and answer.body["status"] == str(answer.status)
        assert answer.body["detail"]


def one_of_each(cast: Cast) -> dict[str, str]:
    """A person and a group, made at the first example and kept by the others."""
    found = {}
    for place in ("/Users", "/Groups"):
        known = cast.acme.get(f"{place}?count=1").body["Resources"]
        made = {"userName": "first", "displayName": "first"}
        found[place] = known[0]["id"] if known else cast.acme.post(place, made).body["id"]
    return found


@pytest.mark.proof
@pytest.mark.usefixtures("block")
@settings(properties, max_examples=EXAMPLES // 2)
@given(
    body=anything.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=80),
    operation=st.dictionaries(st.sampled_from(["op", "path", "value", "x"]), anything, max_size=4),
)
def test_any_document_as_a_body_of_any_write_is_answered_in_form(
    cast: Cast, count: Count, body: bytes, operation: dict[str, Any]
) -> None:
    known = one_of_each(cast)
    patch = json.dumps({"schemas": [PATCH], "Operations": [{"op": "add", **operation}]}).encode()
    state = everything(cast.store)
    for place, one in known.items():
        for method, path, sent in (
            ("POST", place, body),
            ("PUT", f"{place}/{one}", body),
            ("PATCH", f"{place}/{one}", body),
            ("PATCH", f"{place}/{one}", patch),
        ):
            answer = cast.acme.send(method, path, sent)
            in_form(answer)
            state, before = everything(cast.store), state
            assert answer.status < 400 or state == before
    count("{:,} documents of any shape as eight bodies")


parameters = st.sampled_from(
    ["filter", "startIndex", "count", "sortBy", "sortOrder", "attributes", "excludedAttributes", "x", ""]
)
words = st.lists(
    st.sampled_from(
        ["userName", "title", "emails[", "]", ".value", "(", ")", "not", "and", "or", "eq", "pr", "co", "ge", '"a"',
         "true", "null", "1", "-1", "meta.created", "members", "ascending", "\\", '"', "%", "\0", "\ud800", "\u0130"]
    ),
    max_size=8,
).map(" ".join)  # fmt: skip


@pytest.mark.proof
@pytest.mark.usefixtures("block")
@properties
@given(
    asked=st.lists(
        st.tuples(parameters, words | st.integers().map(str) | st.text(st.characters(), max_size=20)), max_size=4
    ),
    raw=st.binary(max_size=20),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
)
def test_any_query_of_any_request_is_answered_in_form(
    cast: Cast, count: Count, asked: list[tuple[str, str]], raw: bytes, method: str
) -> None:
    query = "&".join(f"{quote(name)}={quote(value, errors='surrogatepass')}" for name, value in asked)
    before = everything(cast.store)
    for place in ("/Users", "/Groups"):
        for path in (place, f"{place}/unknown"):
            for sent in (query, quote_from_bytes(raw, safe="&=+;%")):
                in_form(cast.acme.send(method, f"{path}?{sent}", None if method == "GET" else b"[]"))
    assert everything(cast.store) == before
    count("{:,} queries of any shape at four addresses")


segments = st.sampled_from(
    ["Users", "Groups", "users", "Me", "Bulk", ".search", "Schemas", "ResourceTypes", "User", CORE, ".", "..", "",
     "%2F", "%00", "%2e%2e", ";", "*", "scim", "v2", "\\"]
)  # fmt: skip


@pytest.mark.proof
@pytest.mark.usefixtures("block")
@properties
@given(
    parts=st.lists(segments | st.binary(max_size=12).map(quote_from_bytes), max_size=5),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]),
    token=st.sampled_from(["rfc", "read", ""]),
)
def test_any_address_is_answered_in_form_and_open_to_nobody_without_a_token(
    cast: Cast, count: Count, parts: list[str], method: str, token: str
) -> None:
    before = everything(cast.store)
    headers = {"Authorization": f"Bearer {cast.tokens[token]}" if token else ""}
    answer = cast.acme.send(method, "/" + "/".join(parts), None if method == "GET" else b"[]", headers)
    in_form(answer)
    assert "charlie" not in answer.text.lower()
    if not token:
        assert "totalResults" not in answer.text or answer.body["Resources"][0]["meta"]["resourceType"] in DISCOVERED
    assert everything(cast.store) == before
    count("{:,} addresses of any shape")
