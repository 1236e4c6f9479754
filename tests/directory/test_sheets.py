"""CSV files, read and written without a database (licensing.md E-28)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service import errors
from scim_service.directory import sheets


@pytest.mark.parametrize("text", ["=1+1", "+41", "-x", "@SUM(A1)", "\tx", "\rx", "＝1", "'=1", "'quoted"])
def test_E_28_a_cell_that_a_spreadsheet_would_read_as_a_formula_is_quoted(text: str) -> None:
    assert sheets.cell(text) == f"'{text}"
    assert sheets.plain(sheets.cell(text)) == text


def test_E_28_other_cells_are_as_they_are() -> None:
    assert [sheets.cell(one) for one in ("O'Hara", "a-b", "", None, 3, ["x", "y"])] == [
        "O'Hara",
        "a-b",
        "",
        "",
        "3",
        "x, y",
    ]
    assert sheets.cell(datetime(2027, 3, 1, 8, tzinfo=UTC)).startswith("2027-03-01T08:00:00")
    assert sheets.plain("'til") == "'til"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_E_28_what_is_written_is_read_again(text: str) -> None:
    made = sheets.written([{"email": "ann@example.com", "given_name": text}], ("email", "given_name"))
    [row] = sheets.read(made.encode()).rows
    assert row.cells["given_name"] == text
    assert all(
        not one.startswith(("=", "+", "-", "@")) for one in next(csv.reader(io.StringIO(made.split("\r\n", 1)[1])))
    )


def test_E_28_a_file_is_utf_8_with_a_header_and_quoted_cells_may_hold_anything() -> None:
    data = '﻿Email,Given_Name,family_name\r\nann@example.com,"Ann ""A"", née\nB",Lind\r\n\r\nben@example.com,,\r\n'
    sheet = sheets.read(data.encode())
    assert [(row.number, row.email, row.cells["given_name"]) for row in sheet.rows] == [
        (2, "ann@example.com", 'Ann "A", née\nB'),
        (4, "ben@example.com", ""),
    ]
    assert sheets.read(data.encode()).key == sheet.key != sheets.read(data.encode() + b"\r\n").key


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"email\n\xff", "not UTF-8"),
        (b"email,\0\n", "U+0000"),
        (b"mail\nann@example.com", "no column 'mail'"),
        (b"given_name\nAnn", "the column email"),
        (b"email,email\na,b", "every column once"),
        (b'email\n"ann', "Line 2"),
        (b'email\n"ann"x', "Line 2"),
        (b"email\n" + b"a@b.example\n" * (sheets.MOST_ROWS + 1), "more than 10000 rows"),
        (b"x" * (sheets.MOST_BYTES + 1), "Split it"),
    ],
)
def test_E_28_a_file_that_is_none_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(errors.ScimError) as told:
        sheets.read(data)
    assert sentence in told.value.detail


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ann@example.com,pro", "as many cells"),
        ("ann@example.com,pro,add,,,x", "as many cells"),
        ("ann,pro,add,,", "address"),
        ("ann b@example.com,pro,add,,", "address"),
        ("ann@example.com,pro,promote,,", "add, remove"),
        ("ann@example.com,,remove,,", "license_type"),
        ("ann@example.com,pro,remove,yes,", "notify"),
        ("ann@example.com,pro,add,perhaps,", "yes or no"),
        ("ann@example.com,pro,add,,tomorrow", "expires_at"),
        ("ann@example.com,pro,add,,2027-03-01T08:00:00", "time zone"),
        ("ann@example.com,,add,,2027-03-01T08:00:00Z", "expires_at"),
    ],
)
def test_E_28_a_row_that_makes_no_sense_is_refused_with_what_to_write(line: str, sentence: str) -> None:
    [row] = sheets.read(f"email,license_type,action,notify,expires_at\n{line}\n".encode()).rows
    with pytest.raises(errors.ScimError) as told:
        row.check()
    assert sentence in told.value.detail
