"""Filters: the grammar, what names and literals mean, the limits, and the match (RFC 7644 section 3.4.2.2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service.errors import InvalidFilter
from scim_service.protocol import filters, limits, schema

E, L = schema.ENTERPRISE_URN, schema.LICENSE_URN

ALICE: dict[str, Any] = {
    "id": "Aa1",
    "userName": "Alice.Straße",
    "externalId": "Ext-7",
    "active": True,
    "title": "Vice President",
    "name": {"givenName": "Alice", "familyName": "Lind"},
    "emails": [
        {"value": "alice@acme.example", "type": "work", "primary": True},
        {"value": "a.lind@home.example", "type": "home"},
    ],
    "groups": [{"value": "G1", "display": "Sales", "type": "direct"}],
    "x509Certificates": [{"value": "QUJD"}],
    "meta": {
        "resourceType": "User",
        "created": "2026-11-24T13:29:54.123Z",
        "lastModified": "2026-11-24T14:00:00.000Z",
        "version": 'W/"3"',
    },
    E: {"department": "Sales", "manager": {"value": "M-1"}},
    L: {"licenses": [{"value": "pro", "state": "waiting", "queuePosition": 3}]},
}


def _text(node: filters.Node) -> str:
    """The tree as one line: every group in parentheses, so that it shows how the text was read."""
    if isinstance(node, filters.And | filters.Or):
        return f"({(' & ' if isinstance(node, filters.And) else ' | ').join(map(_text, node.terms))})"
    if isinstance(node, filters.Not):
        return f"!{_text(node.term)}"
    if isinstance(node, filters.Present):
        return f"{node.path.key} pr"
    if isinstance(node, filters.ValuePath):
        return f"{node.path.key}[{_text(node.filter)}]"
    return f"{node.path.key} {node.operator} {node.value!r}"


def _matches(text: str, document: dict[str, Any] = ALICE) -> bool:
    return filters.match(filters.parse(text, schema.USER), document)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('title eq "1" or title eq "2" and title eq "3"', "(title eq '1' | (title eq '2' & title eq '3'))"),
        (
            "title pr and id pr and active pr or ims pr and name pr",
            "((title pr & id pr & active pr) | (ims pr & name pr))",
        ),
        ("not (title pr) or id pr and active pr", "(!title pr | (id pr & active pr))"),
        ("(title pr or id pr) and active pr", "((title pr | id pr) & active pr)"),
        ("not (title pr and id pr)", "!(title pr & id pr)"),
        (
            'emails[type eq "a" or type eq "b" and primary eq true]',
            "emails[(type eq 'a' | (type eq 'b' & primary eq True))]",
        ),
        ('emails[not (type eq "a")]', "emails[!type eq 'a']"),
        ("TITLE PR AND NOT(ID PR)", "(title pr & !id pr)"),
    ],
)
def test_not_binds_before_and_which_binds_before_or(text: str, tree: str) -> None:
    assert _text(filters.parse(text, schema.USER)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('userName eq "a\\"b"', "userName eq 'a\"b'"),
        ('userName eq "\\""', "userName eq '\"'"),
        (r'userName eq "a\\b"', r"userName eq 'a\\b'"),
        (r'userName eq "\u0041\u00e9"', "userName eq 'Aé'"),
        (r'userName eq "a\/b"', "userName eq 'a/b'"),
        (r'userName eq "tab\there"', r"userName eq 'tab\there'"),
        (r'userName eq "\ud83d\ude00"', "userName eq '😀'"),
        ('userName eq "and or ) ] not ("', "userName eq 'and or ) ] not ('"),
        ('title eq "5"', "title eq '5'"),
        ('title eq "null"', "title eq 'null'"),
        ("active eq true", "active eq True"),
        ("active eq FALSE", "active eq False"),
        ('active eq "True"', "active eq True"),
        ("title eq null", "!title pr"),
        ("emails ne null", "emails pr"),
        (f"{L}:licenses.queuePosition eq 12", f"{L}:licenses.queuePosition eq 12"),
        (f"{L}:licenses.queuePosition gt -1.5", f"{L}:licenses.queuePosition gt -1.5"),
        (f"{L}:licenses.queuePosition lt 1e3", f"{L}:licenses.queuePosition lt 1000.0"),
    ],
)
def test_literals_are_json_and_keep_their_type(text: str, tree: str) -> None:
    assert _text(filters.parse(text, schema.USER)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('USERNAME eq "x"', "userName eq 'x'"),
        (f'{schema.USER_URN}:userName eq "x"', "userName eq 'x'"),
        (f'{schema.USER_URN.lower()}:name.familyName eq "x"', "name.familyName eq 'x'"),
        (f'{E}:department eq "x"', f"{E}:department eq 'x'"),
        (f'{E}:manager eq "x"', f"{E}:manager.value eq 'x'"),
        (f"{E} pr", f"{E} pr"),
        ('emails eq "x"', "emails.value eq 'x'"),
        ('emails co "x"', "emails.value co 'x'"),
        ('emails[type eq "work"].value eq "x"', "emails[(type eq 'work' & value eq 'x')]"),
        (
            'emails[type eq "work" and primary eq true].Value pr',
            "emails[(type eq 'work' & primary eq True & value pr)]",
        ),
        (
            'emails[type eq "a" or primary eq true].value ew "x"',
            "emails[((type eq 'a' | primary eq True) & value ew 'x')]",
        ),
        (f'{L}:licenses[state eq "waiting"]', f"{L}:licenses[state eq 'waiting']"),
        ('userName eq"x"', "userName eq 'x'"),
        ("title pr and(id pr)", "(title pr & id pr)"),
        ('userName\teq\t"x"', "userName eq 'x'"),
    ],
)
def test_names_are_resolved_in_any_case_and_in_every_notation(text: str, tree: str) -> None:
    assert _text(filters.parse(text, schema.USER)) == tree


@pytest.mark.parametrize(
    "text",
    [
        # the grammar
        "", "   ", "title", "title eq", "title pr or", "and", "()", "(title pr", "title pr)", "title pr id pr",
        "title prx",
        "not title pr", "not not (title pr)", 'title xx "y"', "title eq y", "title sw O", 'title eq "x" "y"',
        "title == 1",
        # strings and numbers
        r'title eq "bad\q"', r'title eq "bad\u12"', 'title eq "raw\ttab"', 'title eq "raw\nline"', 'title eq "\0"',
        r'title eq "\u0000"', r'title eq "\ud83d"', 'title eq "\ud800"', 'title eq "open', "title eq 'x'",
        f"{L}:licenses.queuePosition eq 1and title pr", f"{L}:licenses.queuePosition eq 01",
        f"{L}:licenses.queuePosition eq 1e999", f"{L}:licenses.queuePosition eq {'9' * 400}",
        f"{L}:licenses.queuePosition eq {'9' * 5000}", f"{L}:licenses.queuePosition eq 1.",
        # names
        'bogus eq "x"', 'not (bogus eq "x")', 'title pr or bogus eq "y"', '$ eq "x"', 'name.bogus eq "x"',
        "trueName pr",
        'name .familyName eq "x"', 'name. familyName eq "x"', "urn:x:y: title pr", 'emails[type eq "w"] .value eq "x"',
        f"{schema.USER_URN}: title pr", 'password eq "x"', "password pr", "title:x pr",
        # brackets
        'emails[phoneNumbers[type eq "x"]]', "emails[emails[type pr]]", 'emails[type eq "work"][value eq "x"]',
        'emails[type eq "work"] eq "x"', 'emails.value[type eq "x"]', 'emails.value[type eq "x"] eq "y"', "emails[]",
        'emails[emails.type eq "x"]', 'emails[userName eq "x"]', 'userName[value eq "x"]', 'name[givenName eq "x"]',
        'emails[type eq "w"].bogus eq "x"', 'emails[type eq "w"', f'{E}[department eq "x"]',
        # types
        "active gt true", 'active co "t"', 'active eq "yes"', "active eq 1", "title eq 5", "title eq true",
        "title gt null",
        "userName co null", 'x509Certificates gt "QQ"', 'meta.created gt "yesterday"', 'meta.created sw "2026"',
        "meta.created gt 5", 'name eq "x"', f'{L}:licenses.queuePosition eq "3"', f'{E} eq "x"',
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_an_invalid_filter(text: str) -> None:
    with pytest.raises(InvalidFilter):
        filters.parse(text, schema.USER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # case
        ('userName eq "ALICE.STRASSE"', True),
        ('userName sw "alice"', True),
        ('userName co "STRASSE"', True),
        ('userName ew "asse"', True),
        ('userName ne "alice.strasse"', False),
        ('id eq "Aa1"', True),
        ('id eq "aa1"', False),
        ('externalId eq "ext-7"', False),
        # presence and null
        ("title pr", True),
        ("nickName pr", False),
        ("name pr", True),
        ("name.middleName pr", False),
        ("emails pr", True),
        (f"{E} pr", True),
        ("nickName eq null", True),
        ("title eq null", False),
        ("title ne null", True),
        # ne: any value that differs, and no value at all
        ('emails.type ne "work"', True),
        ('groups.type ne "direct"', False),
        ('nickName ne "x"', True),
        ('not (emails.type eq "work")', False),
        # one and the same element
        ('emails[type eq "work" and value co "acme"]', True),
        ('emails[type eq "home" and value co "acme"]', False),
        ('emails.type eq "home" and emails.value co "acme"', True),
        ("emails[not (primary eq true)]", True),
        ('emails[type eq "work"].value eq "alice@acme.example"', True),
        ('emails eq "A.LIND@home.example"', True),
        ('groups eq "G1"', True),
        ('groups eq "g1"', False),
        # order
        ('title gt "VICE"', True),
        ('title lt "vice president"', False),
        ('title ge "vice president"', True),
        ('nickName gt ""', False),
        ('meta.created eq "2026-11-24T14:29:54.123+01:00"', True),
        ('meta.created lt "2026-11-24T13:29:54.124Z"', True),
        ('meta.lastModified ge "2026-11-24T15:00:00+01:00"', True),
        ("active eq true", True),
        ("active ne true", False),
        # extensions
        (f'{E}:department eq "sales"', True),
        (f'{E}:manager.value eq "M-1"', True),
        (f'{E}:manager.value eq "m-1"', False),
        (f"{L}:licenses.queuePosition lt 10", True),
        (f'{L}:licenses[state eq "waiting" and queuePosition gt 3]', False),
        (f'schemas eq "{E}"', True),
        ('schemas eq "urn:x"', False),
        ('meta.resourceType eq "User"', True),
        ('x509Certificates eq "QUJD"', True),
    ],
)
def test_a_document_meets_a_filter(text: str, expected: bool) -> None:
    assert _matches(text) is expected


@pytest.mark.parametrize("value", [None, "", [], {}, [{}], [{"value": ""}], {"value": None}])
def test_what_is_empty_is_not_present(value: Any) -> None:
    assert not _matches("emails pr", {"emails": value})


@pytest.mark.parametrize(
    "document", [{}, {"emails": "x"}, {"emails": [1, None]}, {"title": 7}, {"meta": {"created": "?"}}]
)
def test_a_document_of_another_shape_does_not_raise(document: dict[str, Any]) -> None:
    for text in (
        'emails[type eq "x"]',
        'emails.value co "x"',
        'title gt "a"',
        'meta.created lt "2026-11-24T13:00:00Z"',
    ):
        assert not _matches(text, document)


def _nested(depth: int) -> str:
    return "title pr or (id pr and (" * (depth // 2) + "title pr" + "))" * (depth // 2)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        (lambda: " or ".join(['title eq "x"'] * limits.FILTER_COMPARISONS),
         lambda: " or ".join(['title eq "x"'] * (limits.FILTER_COMPARISONS + 1))),
        (lambda: "(" * limits.FILTER_DEPTH + "title pr" + ")" * limits.FILTER_DEPTH,
         lambda: "(" * (limits.FILTER_DEPTH + 1) + "title pr" + ")" * (limits.FILTER_DEPTH + 1)),
        (lambda: "not (" * limits.FILTER_DEPTH + "title pr" + ")" * limits.FILTER_DEPTH,
         lambda: "not (" * limits.FILTER_DEPTH + "title eq null" + ")" * limits.FILTER_DEPTH),
        (lambda: _nested(limits.FILTER_DEPTH), lambda: _nested(limits.FILTER_DEPTH + 2)),
        (lambda: f'title eq "{"x" * (limits.FILTER_CHARACTERS - 11)}"',
         lambda: f'title eq "{"x" * (limits.FILTER_CHARACTERS - 10)}"'),
    ],
)  # fmt: skip
def test_the_limits_are_where_they_are_said_to_be(within: Callable[[], str], beyond: Callable[[], str]) -> None:
    filters.parse(within(), schema.USER)
    with pytest.raises(InvalidFilter):
        filters.parse(beyond(), schema.USER)


@pytest.mark.parametrize(
    "unit", ["(", "[", "not (", "a[", "a:", "urn:a:", '"\\', "1", "- ", "title pr and ", ".a", "e" * 40]
)
def test_a_hostile_filter_fails_fast(unit: str) -> None:
    text = (unit * 100_000)[: limits.FILTER_CHARACTERS]
    began = time.perf_counter()
    with pytest.raises(InvalidFilter):
        filters.parse(text, schema.USER)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "text", ['userName eq "secret"x', 'meta.created eq "secret"', 'active eq "secret"', "title eq secret"]
)
def test_a_refusal_does_not_repeat_the_value(text: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        filters.parse(text, schema.USER)
    assert "secret" not in refused.value.detail


TOKENS = ["title", "emails", "name.givenName", "emails[", "]", "].value", "(", ")", "not", "and", "or", "eq",
"pr", "gt",
          '"x"', "true", "null", "12", "-1.5", f"{E}:", "department", " ", ".", "\\", "\t", "active", "é"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join))
def test_no_text_raises_anything_but_invalid_filter(text: str) -> None:
    with suppress(InvalidFilter):
        filters.match(filters.parse(text, schema.USER), ALICE)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_user_name_is_found_by_itself_however_it_is_escaped(name: str) -> None:
    escaped = "".join(f"\\u{unit:04x}" for unit in memoryview(name.encode("utf-16-le")).cast("H"))
    assert _matches(f'userName eq "{escaped}"', {"userName": name})
    assert not _matches(f'userName ne "{escaped}"', {"userName": name})


def test_threads_do_not_see_each_others_filters() -> None:
    texts = [f'userName eq "{number}" and emails[type eq "{number}"]' for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(lambda text: _text(filters.parse(text, schema.USER)), texts))
    assert trees == [f"(userName eq '{number}' & emails[type eq '{number}'])" for number in range(400)]


def test_a_bare_name_may_be_one_of_an_extension() -> None:
    bare, whole = (
        filters.parse(f'{name} eq "m-1"', schema.USER) for name in ("manager", f"{schema.ENTERPRISE_URN}:manager")
    )
    assert bare == whole
