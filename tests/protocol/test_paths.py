"""Paths of PATCH operations (RFC 7644 sections 3.5.2 and 3.10)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service.errors import InvalidFilter, InvalidPath
from scim_service.protocol import filters, paths, schema

E = schema.ENTERPRISE_URN


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("userName", "userName"),
        ("USERNAME", "userName"),
        ("name.familyname", "name.familyName"),
        ("emails", "emails"),
        ("externalId", "externalId"),
        ("meta.lastModified", "meta.lastModified"),
        (f"{schema.USER_URN}:name.givenName", "name.givenName"),
        (f"{schema.USER_URN.upper()}:TITLE", "title"),
        (E, E),
        (f"{E}:department", f"{E}:department"),
        (f"{E.lower()}:Manager.VALUE", f"{E}:manager.value"),
        (f"{E}:manager.$ref", f"{E}:manager.$ref"),
    ],
)
def test_a_name_is_resolved_in_any_case(text: str, key: str) -> None:
    path = paths.parse(schema.USER, text)
    assert (path.target.key, path.filter) == (key, None)


@pytest.mark.parametrize(
    ("text", "key", "element"),
    [
        ('emails[type eq "work"]', "emails", {"type": "work"}),
        ('emails[type eq "work"].Value', "emails.value", {"type": "WORK"}),
        (f'{schema.USER_URN}:addresses[type eq "work" and country eq "CH"].locality', "addresses.locality",
         {"type": "work", "country": "CH"}),
        ('emails[value eq "a]b"].type', "emails.type", {"value": "a]b"}),
        ('roles[primary eq "True"].value', "roles.value", {"primary": True}),
    ],
)  # fmt: skip
def test_a_value_path_chooses_elements(text: str, key: str, element: dict[str, object]) -> None:
    path = paths.parse(schema.USER, text)
    assert path.target.key == key
    assert path.filter is not None
    assert filters.match(path.filter, element)
    assert not filters.match(path.filter, {"display": "another"})


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "bogus", "name.", "name.bogus", "name.familyName.x", " userName", "userName ", "department",
        "urn:x:y:z", f"{E}:", f"{E}:bogus", f"{E}.manager", schema.USER_URN, "n\u0131ckName", "nic\u212aName",
        'userName[value eq "x"]', 'name[givenName eq "x"]', 'emails.value[type eq "x"]', 'emails[type eq "x"',
        'emails[type eq "x"]value', 'emails[type eq "x"].', 'emails[type eq "x"].bogus', f'{E}[department eq "x"]',
        "x" * 9000,
    ],
)  # fmt: skip
def test_what_the_resource_type_does_not_have_is_an_invalid_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        paths.parse(schema.USER, text)


@pytest.mark.parametrize("text", ["emails[]", "emails[type eq]", 'emails[bogus eq "x"]', "emails[a[b pr]]", "ims[(]"])
def test_a_bad_filter_in_the_brackets_is_an_invalid_filter(text: str) -> None:
    with pytest.raises(InvalidFilter):
        paths.parse(schema.USER, text)


def test_a_refusal_does_not_repeat_what_may_be_personal() -> None:
    with pytest.raises(InvalidPath) as refused:
        paths.parse(schema.USER, "alice lind <alice@acme.example>")
    assert "alice" not in refused.value.detail


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet='emails[].typ q"()', max_size=40))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    with suppress(InvalidPath, InvalidFilter):
        paths.parse(schema.USER, text)
