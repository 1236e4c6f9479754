"""Where a letter to a person goes."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.delivery import addresses

ANN = {"value": "ann@acme.example"}


@pytest.mark.parametrize(
    "text",
    ["ann@acme.example", "a@b", "o'hara+x@mail.acme.example", "bjørn@blåbær.example", "x" * 245 + "@acme.exa"],
)
def test_these_are_addresses(text: str) -> None:
    assert addresses.is_address(text)
    assert addresses.is_address(f"  {text} ")


@pytest.mark.parametrize(
    "value",
    [
        *("", "ann", "@acme.example", "ann@", "ann@acme@example", "ann smith@acme.example", "Ann <ann@acme.example>"),
        *("ann@acme.example\nBcc: eve@acme.example", "a\r@b", "a\x00@b", "a,b@c", "a;b@c", "a@[127.0.0.1]", "a\\b@c"),
        *("x" * 250 + "@acme.example", "a\u202e@b", None, 7, ["ann@acme.example"]),
    ],
)
def test_these_are_none(value: Any) -> None:
    assert not addresses.is_address(value)


@pytest.mark.parametrize(
    ("emails", "expected"),
    [
        ([ANN], "ann@acme.example"),
        ([{"value": "first@acme.example"}, {**ANN, "primary": True}], "ann@acme.example"),
        ([{"value": "no address", "primary": True}, ANN], "ann@acme.example"),
        ([{"display": "Ann"}, {"value": " ann@acme.example "}], "ann@acme.example"),
        ([{"value": "no address"}], None),
        ([], None),
        (None, None),
    ],
)
def test_the_primary_address_counts_then_the_first_that_is_one(emails: Any, expected: str | None) -> None:
    assert addresses.of_person({"userName": "ann@acme.example", "emails": emails}) == expected


def test_those_that_are_addresses_are_kept_once_and_in_order() -> None:
    assert addresses.only(["b@c", "x", "a@c", "b@c ", None]) == ["b@c", "a@c"]
