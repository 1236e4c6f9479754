"""How an answer is compared: what counts as there, as equal, as nothing."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import matching

MAILS = [{"type": "work", "value": "w"}, {"type": "home", "value": "h", "primary": True}]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"mails": [{"type": "home"}]}, {"mails": MAILS}),
        ([{"type": "home"}, {"type": "work"}], MAILS),
        ({"n": {"$is": "integer"}}, {"n": 0}),
        ({"n": {"$is": "positive"}}, {"n": 3}),
        ({"n": {"$is": "text"}}, {"n": "x"}),
        ({"n": {"$is": "boolean"}}, {"n": False}),
        ({"n": {"$is": "list"}}, {"n": []}),
        ({"n": {"$is": "object"}}, {"n": {}}),
        ([{"value": "w"}, {"type": "work"}], [{"type": "work", "value": "w"}, {"type": "work", "value": "x"}]),
    ],
)
def test_what_is_asked_for_is_there(expected: Any, actual: Any) -> None:
    assert matching.lacking(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "place"),
    [
        ({"a": 1}, {}, "/a"),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "/a/b"),
        ({"a": True}, {"a": 1}, "/a"),
        ({"a": 1}, {"a": True}, "/a"),
        ({"a": 5}, {"a": "5"}, "/a"),
        ({"a": False}, {"a": "False"}, "/a"),
        ({"n": {"$is": "integer"}}, {"n": "1"}, "/n"),
        ({"n": {"$is": "integer"}}, {"n": True}, "/n"),
        ({"n": {"$is": "text"}}, {"n": ""}, "/n"),
        ({"mails": [{"value": "nobody"}]}, {"mails": MAILS}, "/mails"),
        ([{"type": "work"}], [{"type": "home"}], "/0/type"),
        ({"a": {"b": 1}}, {"a": [1]}, "/a"),
        ([{"type": "work"}, {"type": "work"}], [{"type": "work"}, {"type": "home"}], ""),
    ],
)
def test_what_is_lacking_is_told_with_its_place(expected: Any, actual: Any, place: str) -> None:
    problems = matching.lacking(expected, actual)
    assert len(problems) == 1
    assert problems[0].startswith(f"{place}:")


def test_equal_lists_have_no_further_values_but_may_have_further_keys() -> None:
    assert matching.unequal([{"type": "home"}, {"value": "w"}], MAILS) == []
    assert matching.unequal([{"type": "home"}], MAILS) != []
    assert matching.unequal([], []) == []


def test_equal_objects_have_no_further_keys() -> None:
    assert matching.unequal({"a": 1}, {"a": 1}) == []
    assert matching.unequal({"a": 1}, {"a": 1, "b": 2}, "/x") == ["/x/b: not expected, got 2"]


def test_each_wish_needs_a_value_of_its_own_however_they_are_paired() -> None:
    wishes = [{"type": "work"}, {"value": "w"}]
    assert matching.lacking(wishes, [{"type": "work", "value": "w"}]) != []
    assert matching.lacking(wishes, [{"type": "work", "value": "w"}, {"value": "w"}]) == []


@pytest.mark.parametrize("value", [matching.MISSING, None, "", [], {}])
def test_no_value_has_many_forms(value: Any) -> None:
    assert matching.unassigned(value)


@pytest.mark.parametrize("value", [0, False, "x", [None], {"a": None}])
def test_zero_and_false_are_values(value: Any) -> None:
    assert not matching.unassigned(value)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", {"a": [{"b": 1}], "x/y": 2, "~": None}),
        ("/a/0/b", 1),
        ("/x~1y", 2),
        ("/~0", None),
        ("/a/1", matching.MISSING),
        ("/a/b", matching.MISSING),
        ("/nothing/at/all", matching.MISSING),
    ],
)
def test_a_pointer_leads_to_a_value_or_to_nothing(pointer: str, value: Any) -> None:
    assert matching.value_at({"a": [{"b": 1}], "x/y": 2, "~": None}, pointer) == value


def test_long_values_are_cut_in_sentences() -> None:
    assert len(matching.text("x" * 5000)) < 400
    assert matching.text(matching.MISSING) == "nothing"
