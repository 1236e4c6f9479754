"""What may be the name of a thing that somebody types."""

from __future__ import annotations

import pytest

from scim_service import errors
from scim_service.access import names


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "\N{NO-BREAK SPACE}",
        "a" * 257,
        "a\nb",
        "a\0",
        "a\N{RIGHT-TO-LEFT OVERRIDE}b",
        "\ud800",
        "\ufdfa" * 200,
    ],
)
def test_a_name_that_nobody_could_read_or_type_is_refused_with_what_is_wanted(name: str) -> None:
    with pytest.raises(
        errors.InvalidValue, match="A thing's name is a text of 1 to 256 characters on one line"
    ) as told:
        names.check("A thing's name", name)
    assert told.value.code == "bad_name"


@pytest.mark.parametrize("name", ["a", "a" * 256, "Éva 王 😀", "Société\N{NO-BREAK SPACE}: Paris"])
def test_a_name_in_any_script_is_taken(name: str) -> None:
    names.check("A thing's name", name)
