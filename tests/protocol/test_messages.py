"""Bodies in, list responses and errors out (RFC 7644 section 3)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service.errors import InvalidSyntax, InvalidValue
from scim_service.protocol import limits, messages, schema


def read(data: bytes, max_values: int = 1_000) -> dict[str, Any]:
    return messages.read_json(data, max_values=max_values)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (
            b' {"a": [1, -2, 0.5, true, null, "\\u00e9"], "b": {"a": {}}} ',
            {"a": [1, -2, 0.5, True, None, "é"], "b": {"a": {}}},
        ),
        (b'{"a": "say \\"x\\": \\\\", "b": ":"}', {"a": 'say "x": \\', "b": ":"}),
        (b'{"a" \n: 9223372036854775807, "b": -9223372036854775808}', {"a": 2**63 - 1, "b": -(2**63)}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_a_json_object_is_read_as_it_is(data: bytes, expected: dict[str, Any]) -> None:
    assert read(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n ",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
        b'{"a": 123456789012345678901234567890}',
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'{"a": ["\\u0000"]}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "A": 2}',
        b'{"x": [{"value": 1, "value": 2}]}',
        b'{"x": [{"value": 1, "Value": 2}]}',
        b'{"x": {"a\\"b": 1, "a\\"b": 2}}',
        b'{"a": "' + b"x" * (limits.STRING_BYTES + 1) + b'"}',
        b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
        b"[" * 100_000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_no_clear_json_object_is_invalid_syntax(data: bytes) -> None:
    with pytest.raises(InvalidSyntax) as refused:
        read(data)
    assert len(refused.value.detail) < 200


def test_an_error_says_where_and_repeats_no_value() -> None:
    with pytest.raises(InvalidSyntax, match="line 2 column 18") as refused:
        read(b'{"a": 1,\n"secret-canary": }')
    assert "canary" not in refused.value.detail


def test_depth_strings_and_values_are_taken_up_to_their_limits() -> None:
    assert read(b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}")
    assert read(b'{"a": "' + b"x" * limits.STRING_BYTES + b'"}')
    assert read(b'{"a": [1, 2, 3]}', max_values=5)
    with pytest.raises(InvalidSyntax, match="more than 4 values"):
        read(b'{"a": [1, 2, 3]}', max_values=4)
    with pytest.raises(InvalidSyntax, match="65536 bytes"):
        read(orjson.dumps({"a": "é" * (limits.STRING_BYTES // 2 + 1)}))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text('aé":\\ {}[],', max_size=4), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_whatever_json_can_say_is_read_back(value: Any) -> None:
    assert read(orjson.dumps({"x": value})) == {"x": value}


def test_a_list_response_counts_what_it_holds() -> None:
    answer = messages.list_response([{"id": "1"}, {"id": "2"}], 7, 3)
    assert answer == {
        "schemas": [schema.LIST_URN],
        "totalResults": 7,
        "startIndex": 3,
        "itemsPerPage": 2,
        "Resources": [{"id": "1"}, {"id": "2"}],
    }
    assert messages.list_response([], 0, 1)["Resources"] == []


def test_an_error_body_has_its_status_as_text_and_a_type_only_if_there_is_one() -> None:
    assert messages.error_body(404, "Nobody.", None) == {
        "schemas": [schema.ERROR_URN],
        "status": "404",
        "detail": "Nobody.",
    }
    assert messages.error_body(400, "No.", "invalidPath")["scimType"] == "invalidPath"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, 1), ("1", 1), ("0", 1), ("-7", 1), ("12", 12), (" 3", 3), ("9" * 400, 2**53 - 1), ("-" + "9" * 400, 1)],
)
def test_start_index_is_at_least_one(text: str | None, expected: int) -> None:
    assert messages.start_index(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [(None, 100), ("0", 0), ("-1", 0), ("5", 5), ("1001", 1000), ("9" * 400, 1000)]
)
def test_count_is_between_nothing_and_the_most(text: str | None, expected: int) -> None:
    assert messages.count(text) == expected


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e3", "٣", "0x1", "1 2", "true"])
def test_a_page_parameter_that_is_no_integer_is_an_invalid_value(text: str) -> None:
    with pytest.raises(InvalidValue, match="startIndex must be an integer"):
        messages.start_index(text)
    with pytest.raises(InvalidValue, match="count must be an integer"):
        messages.count(text)
