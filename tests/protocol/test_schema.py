"""The documents that are served are the documents that are obeyed (RFC 7643 sections 6, 7 and 8.7)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service.protocol import schema
from scim_service.protocol.text import fold, format_datetime, parse_datetime

CHARACTERISTICS = {"name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned"}


def _all(attributes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for attribute in attributes:
        yield attribute
        yield from _all(attribute.get("subAttributes", []))


@pytest.mark.parametrize("urn", schema.SCHEMAS)
def test_every_served_attribute_states_every_characteristic(urn: str) -> None:
    for attribute in _all(schema.SCHEMAS[urn].document["attributes"]):
        assert set(attribute) >= CHARACTERISTICS | {"uniqueness"}, attribute["name"]
        assert (attribute["type"] == "complex") == ("subAttributes" in attribute), attribute["name"]
        assert (attribute["type"] == "reference") == ("referenceTypes" in attribute), attribute["name"]


def test_a_complex_attribute_holds_no_complex_attribute_in_what_clients_write() -> None:
    for resource_type in schema.RESOURCE_TYPES.values():
        for one in (resource_type.schema, *resource_type.extensions):
            for attribute in one.attributes:
                assert all(sub.type != "complex" for sub in attribute.sub_attributes)


def test_password_is_in_no_schema() -> None:
    assert schema.USER.attribute("password") is None


def test_names_are_found_in_any_case() -> None:
    emails = schema.USER.attribute("EMAILS")
    assert emails is not None
    assert emails.name == "emails"
    value = emails.sub("VALUE")
    assert value is not None
    assert value.name == "value"
    assert schema.USER.extension(schema.ENTERPRISE_URN.upper()) is schema.SCHEMAS[schema.ENTERPRISE_URN]


def test_common_attributes_belong_to_every_resource_type_and_to_no_served_schema() -> None:
    for name in ("id", "externalId", "meta", "schemas"):
        assert schema.USER.attribute(name) is schema.GROUP.attribute(name) is not None
        assert schema.USER.schema.attribute(name) is None


def test_licenses_are_read_only_down_to_their_parts() -> None:
    extension = schema.USER.extension(schema.LICENSE_URN)
    assert extension is not None
    licenses = extension.attribute("licenses")
    assert licenses is not None
    assert {licenses.mutability, *(one.mutability for one in licenses.sub_attributes)} == {"readOnly"}
    parts = "value display state source since until queuePosition reason"
    assert [one.name for one in licenses.sub_attributes] == parts.split()


def test_X_2_the_license_type_is_one_value_that_a_client_writes() -> None:
    extension = schema.USER.extension(schema.LICENSE_URN)
    assert extension is not None
    assert [one.name for one in extension.attributes] == ["licenseType", "licenses"]
    kind = extension.attributes[0]
    assert (kind.mutability, kind.multi_valued, kind.required, kind.type) == ("readWrite", False, False, "string")


def test_user_has_two_optional_extensions_and_group_has_none() -> None:
    extensions = {one["schema"]: one["required"] for one in schema.USER.document["schemaExtensions"]}
    assert extensions == {schema.ENTERPRISE_URN: False, schema.LICENSE_URN: False}
    assert schema.GROUP.extensions == ()


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_folding_does_not_see_how_a_text_was_composed(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("one", "other"),
    [("ALICE", "alice"), ("Straße", "STRASSE"), ("ÉÀ", "éà"), ("\uff21lice", "alice"), ("\u212a", "k")],
)
def test_texts_that_differ_in_case_or_width_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24T13:29:54Z", datetime(2026, 11, 24, 13, 29, 54, tzinfo=UTC)),
        ("2026-11-24T14:29:54.123+01:00", datetime(2026, 11, 24, 13, 29, 54, 123000, tzinfo=UTC)),
        ("2026-11-24T13:29:54", datetime(2026, 11, 24, 13, 29, 54, tzinfo=UTC)),
        ("2026-11-24", None),
        ("2026-11-24 13:29:54Z", None),
        ("2026-13-24T13:29:54Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
    ],
)
def test_an_instant_is_read_as_xsd_has_it_and_nothing_else(text: str, instant: datetime | None) -> None:
    assert parse_datetime(text) == instant


def test_an_instant_is_shown_in_utc_to_the_millisecond() -> None:
    assert format_datetime(datetime(2026, 11, 24, 13, 29, 54, 123999, tzinfo=UTC)) == "2026-11-24T13:29:54.123Z"
