"""Cursors as texts (RFC 9865): sealed, bound to their question, and good for their time only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service import errors
from scim_service.protocol import cursors
from scim_service.protocol.cursors import Cursor, Place

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
values = st.one_of(
    texts, st.booleans(), st.integers(-(2**53), 2**53), st.datetimes(timezones=st.just(UTC)), st.floats(-1e9, 1e9)
)
places = st.one_of(
    st.builds(Place, st.just(False), values, st.integers(0, 1), st.integers(1, 2**53)),
    st.builds(Place, st.just(True), st.none(), st.integers(0, 1), st.integers(1, 2**53)),
)
made = st.builds(Cursor, st.integers(0, 1000), st.none() | places, st.booleans())


@given(made, texts)
def test_what_is_sealed_comes_back_under_the_same_question_only(cursor: Cursor, question: str) -> None:
    text = cursors.write("key", question, cursor, NOW)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    assert cursors.read("key", question, text, NOW + HOUR, HOUR) == cursor
    for key, other in (("kex", question), ("key", question + "x")):
        with pytest.raises(errors.InvalidCursor):
            cursors.read(key, other, text, NOW, HOUR)


@given(made, st.data())
def test_a_text_that_was_changed_anywhere_is_no_cursor(cursor: Cursor, data: st.DataObject) -> None:
    text = cursors.write("key", "question", cursor, NOW)
    at = data.draw(st.integers(0, len(text) - 1))
    for changed in (text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :], text[:at], text + "A", text + "="):
        with pytest.raises(errors.InvalidCursor):
            cursors.read("key", "question", changed, NOW, HOUR)


@pytest.mark.parametrize("text", ["x", "ü", "A" * 100, "=", "A" * 20_000, "\0", " "])
def test_what_was_never_a_cursor_is_none(text: str) -> None:
    with pytest.raises(errors.InvalidCursor):
        cursors.read("key", "question", text, NOW, HOUR)


def test_a_cursor_is_over_after_its_time_and_not_before() -> None:
    text = cursors.write("key", "question", Cursor(10), NOW)
    assert cursors.read("key", "question", text, NOW + HOUR, HOUR) == Cursor(10)
    with pytest.raises(errors.ExpiredCursor):
        cursors.read("key", "question", text, NOW + HOUR + timedelta(seconds=1), HOUR)


def test_a_cursor_says_nothing_of_where_it_stands() -> None:
    text = cursors.write("key", "question", Cursor(10, Place(False, "alice@example.com", 0, 7)), NOW)
    other = cursors.write("key", "question", Cursor(10, Place(False, "alice@example.com", 0, 8)), NOW)
    assert sum(one == two for one, two in zip(text, other, strict=True)) < len(text) / 4
