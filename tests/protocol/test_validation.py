"""What a payload may hold (RFC 7643 sections 2 and 7; RFC 7644 sections 3.1, 3.3, 3.5.1)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from scim_service.errors import InvalidSyntax, InvalidValue, ScimError, TooLarge
from scim_service.protocol import limits, schema, validation
from scim_service.protocol.schema import Attribute

E, L = schema.ENTERPRISE_URN, schema.LICENSE_URN


def cleaned(**values: Any) -> dict[str, Any]:
    """The clean document of a User, without its userName."""
    document = validation.clean(schema.USER, {"userName": "alice", **values})
    del document["userName"]
    return document


def of_type(kind: str, **characteristics: Any) -> Attribute:
    values: dict[str, Any] = {
        "multi_valued": False, "description": "", "required": False, "canonical_values": (), "case_exact": False,
        "mutability": "readWrite", "returned": "default", "uniqueness": "none", "reference_types": (),
        "sub_attributes": (), **characteristics,
    }  # fmt: skip
    return Attribute(name="thing", type=kind, **values)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"DISPLAYNAME": "A"}, {"displayName": "A"}),
        ({"name": {"GIVENNAME": "A"}}, {"name": {"givenName": "A"}}),
        ({"externalID": "x-1"}, {"externalId": "x-1"}),
        ({"active": False}, {"active": False}),
        ({"active": "False"}, {"active": False}),
        ({"active": "true"}, {"active": True}),
        ({"id": "1", "meta": {"version": "x"}, "groups": [{"value": "g"}]}, {}),
        ({"password": "secret", "unknown": {"a": [1]}, "__class__": 1}, {}),
        ({"title": None, "nickName": "", "emails": [], "name": {}, "roles": None}, {}),
        ({"name": {"givenName": None, "familyName": ""}, "emails": [{}, {"value": None}, None]}, {}),
        ({"phoneNumbers": None, E: {"department": "Ops", "manager": None}}, {E: {"department": "Ops"}}),
        ({E.upper(): {"DEPARTMENT": "Ops"}}, {E: {"department": "Ops"}}),
        ({E: {}}, {}),
        ({E: None}, {}),
        ({E: {"manager": "m-1"}}, {E: {"manager": {"value": "m-1"}}}),
        ({E: {"manager": ["m-1"]}}, {E: {"manager": {"value": "m-1"}}}),
        (
            {E: {"manager": [{"$ref": "../Users/m-1", "value": "m-1"}]}},
            {E: {"manager": {"value": "m-1", "$ref": "../Users/m-1"}}},
        ),
        ({E: {"manager": {"value": "m-1", "displayName": "Bob"}}}, {E: {"manager": {"value": "m-1"}}}),
        ({E: {"manager": {"value": ""}}}, {}),
        ({E: {"manager": ""}}, {}),
        ({L: {"licenses": [{"value": "pro"}]}}, {}),
        (
            {"emails": [{"VALUE": "a@b", "Primary": "True", "type": "odd"}]},
            {"emails": [{"value": "a@b", "primary": True, "type": "odd"}]},
        ),
        ({"emails": ["a@b"]}, {"emails": [{"value": "a@b"}]}),
        ({"emails": [{"value": "a"}, {"value": "b"}, {"value": "a"}]}, {"emails": [{"value": "a"}, {"value": "b"}]}),
        ({"emails": [{"value": "no address"}]}, {"emails": [{"value": "no address"}]}),
        (
            {"roles": [{"value": "a", "primary": False}, {"value": "b", "primary": False}]},
            {"roles": [{"value": "a", "primary": False}, {"value": "b", "primary": False}]},
        ),
        ({"x509Certificates": [{"value": "MII B\n-_=="}]}, {"x509Certificates": [{"value": "MII B\n-_=="}]}),
        ({"profileUrl": "not a url"}, {"profileUrl": "not a url"}),
        ({"displayName": "  Straße "}, {"displayName": "  Straße "}),
    ],
)
def test_a_payload_becomes_the_canonical_document(given: dict[str, Any], kept: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    assert cleaned(**given) == kept
    assert given == before


@pytest.mark.parametrize(
    "urns",
    [
        None,
        [schema.USER_URN],
        [schema.USER_URN.upper()],
        schema.USER_URN,
        [schema.USER_URN, E, "http://schemas.example/2006/other"],
    ],
)
def test_schemas_may_be_absent_or_hold_the_core_urn_beside_others(urns: Any) -> None:
    assert cleaned(schemas=urns) == {}


@pytest.mark.parametrize("urns", [[], "", [E], [schema.GROUP_URN], [1], {"a": 1}, 7, [schema.USER_URN, None]])
def test_schemas_without_the_core_urn_are_invalid_syntax(urns: Any) -> None:
    with pytest.raises(InvalidSyntax, match="schemas must"):
        cleaned(schemas=urns)


@pytest.mark.parametrize(
    "given",
    [
        {"title": "a", "Title": "b"},
        {"name": {"givenName": "a", "givenname": "b"}},
        {E: {"division": "a", "DIVISION": "b"}},
        {E: {}, E.lower(): {}},
        {"emails": [{"value": "a", "Value": "b"}]},
    ],
)
def test_names_that_differ_in_case_only_are_invalid_syntax(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntax, match="same name twice"):
        cleaned(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"displayName": 7}, "displayName must be a string"),
        ({"displayName": True}, "displayName must be a string"),
        ({"displayName": ["canary"]}, "displayName must be a string"),
        ({"displayName": {"value": "canary"}}, "displayName must be a string"),
        ({"active": "canary"}, "active must be true or false"),
        ({"active": 1}, "active must be true or false"),
        ({"name": "canary"}, "name must be an object"),
        ({"name": ["canary", "b"]}, "name must be an object"),
        ({"name": {"givenName": 7}}, "name.givenName must be a string"),
        ({"emails": "canary"}, "emails must be a list"),
        ({"emails": {"value": "canary"}}, "emails must be a list"),
        ({"emails": [7]}, "emails.value must be a string"),
        ({"emails": [["canary"]]}, "emails must be an object"),
        ({"emails": [{"primary": "canary"}]}, "emails.primary must be true or false"),
        (
            {"emails": [{"value": "canary", "primary": True}, {"value": "b", "primary": "true"}]},
            "more than one primary",
        ),
        ({"addresses": ["canary"]}, "addresses must be an object"),
        ({"x509Certificates": [{"value": "cänary!"}]}, "x509Certificates.value must be a string in base64"),
        ({"profileUrl": 7}, "profileUrl must be a string, the text of a URI"),
        ({"externalId": 7}, "externalId must be a string"),
        ({E: "canary"}, "User must be an object"),
        ({E: {"department": {"value": "canary"}}}, "User:department must be a string"),
        ({E: {"manager": 7}}, "User:manager.value must be a string"),
        ({"userName": None}, "userName is required"),
        ({"userName": ""}, "userName is required"),
    ],
)
def test_a_wrong_type_names_the_attribute_and_what_it_must_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        cleaned(**given)
    assert message in refused.value.detail
    assert "anary" not in refused.value.detail


@pytest.mark.parametrize(("resource_type", "name"), [(schema.USER, "userName"), (schema.GROUP, "displayName")])
def test_a_required_attribute_is_asked_for_by_name(resource_type: schema.ResourceType, name: str) -> None:
    with pytest.raises(InvalidValue, match=f"{name} is required"):
        validation.clean(resource_type, {})


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("integer", [0, -5, 2**63 - 1], [1.5, 1.0, True, "1", 2**63]),
        ("decimal", [0, -5, 1.5], [True, "1.5"]),
        ("dateTime", ["2026-11-24T13:29:54Z", "2026-11-24T13:29:54.5+01:00"], ["2026-11-24", "soon", 5]),
        ("binary", ["AA==", "AAA", "A-_A"], ["A*", 5]),
        ("boolean", [True, False], ["yes", 0]),
        ("reference", ["urn:x", "relative"], [5]),
        ("string", ["x"], [5, False]),
    ],
)
def test_each_type_takes_its_own_values(kind: str, right: list[Any], wrong: list[Any]) -> None:
    for value in right:
        assert validation.coerce(of_type(kind), value) == value
    for value in wrong:
        with pytest.raises(InvalidValue, match="thing must be"):
            validation.coerce(of_type(kind), value)


def test_a_multi_valued_attribute_of_simple_values_keeps_each_once() -> None:
    assert validation.coerce(of_type("boolean", multi_valued=True), [False, True, None, False]) == [False, True]


def test_a_group_keeps_its_members_for_the_caller() -> None:
    members = [{"value": "u-1", "display": None, "$ref": None, "type": "User"}, "u-2", {"VALUE": "u-1", "type": "User"}]
    group = validation.clean(schema.GROUP, {"displayName": "Sales", "members": members, "externalId": "g-1"})
    assert group == {
        "displayName": "Sales",
        "externalId": "g-1",
        "members": [{"value": "u-1", "type": "User"}, {"value": "u-2"}],
    }
    assert "members" not in validation.clean(schema.GROUP, {"displayName": "Sales", "members": []})


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ([{"type": "User"}], InvalidValue),
        ([{"value": 7}], InvalidValue),
        ([{"value": "x" * 257}], InvalidValue),
        ("u-1", InvalidValue),
        ([["u-1"]], InvalidValue),
        (["u"] * (limits.MEMBERS + 1), TooLarge),
    ],
)
def test_members_without_an_id_or_too_many_are_refused(members: Any, error: type[ScimError]) -> None:
    with pytest.raises(error):
        validation.clean(schema.GROUP, {"displayName": "Sales", "members": members})


def test_a_clean_document_stays_as_it_is_when_cleaned_again() -> None:
    given = {"emails": [{"VALUE": "a@b", "primary": "True"}], E: {"manager": "m"}, "active": "false", "title": ""}
    once = validation.clean(schema.USER, {"userName": "alice", **given})
    assert validation.clean(schema.USER, once) == once
