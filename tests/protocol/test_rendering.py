"""What an answer shows (RFC 7643 section 7, RFC 7644 section 3.9)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.errors import InvalidValue
from scim_service.protocol import schema
from scim_service.protocol.rendering import Projection, schemas_of

E, L = schema.ENTERPRISE_URN, schema.LICENSE_URN
MAILS: list[dict[str, Any]] = [{"value": "alice@acme.example", "type": "work", "primary": True}, {"type": "home"}]
ALICE: dict[str, Any] = {
    "schemas": [schema.USER_URN, E, L],
    "id": "1",
    "userName": "alice",
    "name": {"givenName": "Alice", "familyName": "Lind"},
    "emails": MAILS,
    "meta": {"resourceType": "User", "version": 'W/"1"'},
    E: {"department": "Sales", "manager": {"value": "2", "$ref": "x"}},
    L: {"licenses": [{"value": "pro", "state": "waiting"}]},
}


def _shown(attributes: str | None, excluded: str | None = None) -> dict[str, Any]:
    return Projection.parse(schema.USER, attributes, excluded).apply(ALICE)


def _minimal(**more: Any) -> dict[str, Any]:
    return {"schemas": [schema.USER_URN, *(urn for urn in (E, L) if urn in more)], "id": "1", **more}


def test_without_a_wish_everything_is_shown() -> None:
    assert _shown(None) == ALICE
    assert _shown("", "") == ALICE


@pytest.mark.parametrize(
    ("attributes", "more"),
    [
        ("userName", {"userName": "alice"}),
        ("USERNAME, bogus", {"userName": "alice"}),
        ("bogus", {}),
        ("meta", {"meta": ALICE["meta"]}),
        ("meta.version", {"meta": {"version": 'W/"1"'}}),
        ("name.familyName", {"name": {"familyName": "Lind"}}),
        ("name.familyName,name", {"name": ALICE["name"]}),
        ("emails.value", {"emails": [{"value": "alice@acme.example"}]}),
        ("emails.display", {}),
        (f"{schema.USER_URN}:emails.type", {"emails": [{"type": "work"}, {"type": "home"}]}),
        (E, {E: ALICE[E]}),
        (f"{E}:manager.value", {E: {"manager": {"value": "2"}}}),
        (f"{L.upper()}:LICENSES.state", {L: {"licenses": [{"state": "waiting"}]}}),
    ],
)
def test_attributes_show_what_is_named_and_what_is_always_returned(attributes: str, more: dict[str, Any]) -> None:
    assert _shown(attributes) == _minimal(**more)


def test_excluded_attributes_are_left_out_and_the_always_returned_are_not() -> None:
    shown = _shown(None, f"id,schemas,meta,name.givenName,emails,{L},{E}:manager.$ref")
    rest = {"userName": "alice", "name": {"familyName": "Lind"}, E: {"department": "Sales", "manager": {"value": "2"}}}
    assert shown == _minimal(**rest)


def test_naming_both_parameters_is_refused() -> None:
    with pytest.raises(InvalidValue):
        _shown("userName", "emails")


@pytest.mark.parametrize(
    ("attributes", "excluded", "name", "shows"),
    [
        (None, None, "members", True),
        (None, "members", "members", False),
        (None, "members.display", "members", True),
        ("displayName", None, "members", False),
        ("members.value", None, "MEMBERS", True),
        ("displayName", None, "id", True),
        (None, None, "password", False),
    ],
)
def test_it_is_known_before_reading_whether_members_are_shown(
    attributes: str | None, excluded: str | None, name: str, shows: bool
) -> None:
    assert Projection.parse(schema.GROUP, attributes, excluded).shows(name) is shows


@pytest.mark.parametrize(
    ("attributes", "excluded", "shows"),
    [(None, None, True), (L, None, True), (f"{L}:licenses.state", None, True), ("userName", None, False),
     (None, L, False), (None, f"{L}:licenses", False), (E, None, False),
     (f"{L}:licenseType", None, False)],
)  # fmt: skip
def test_it_is_known_before_reading_whether_licenses_are_shown(
    attributes: str | None, excluded: str | None, shows: bool
) -> None:
    assert Projection.parse(schema.USER, attributes, excluded).shows(f"{L}:licenses") is shows


def test_schemas_name_the_extensions_that_have_a_value() -> None:
    assert schemas_of(schema.USER, {"userName": "alice", E: {"department": "Sales"}, L: {}}) == [schema.USER_URN, E]


def test_the_document_is_not_changed() -> None:
    _shown("emails.value")
    assert ALICE["emails"] == MAILS
    assert "type" in MAILS[0]
