"""Lists over everything at the root, and queries by POST (RFC 7644 sections 3.4.2.1 and 3.4.3), on both databases."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.protocol import filters, schema
from scim_service.protocol.schema import SEARCH_URN
from tests.conftest import Count
from tests.service import CORE, ENTERPRISE, LICENSES, Answer, Caller, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"


def search(caller: Caller, place: str = "", **asked: Any) -> Answer:
    return caller.post(f"{place}/.search", {"schemas": [SEARCH_URN], **asked})


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [one.get("userName") or one["displayName"] for one in answer.body["Resources"]]


@pytest.fixture
def team(cast: Cast) -> Cast:
    """Three people and three groups, made by turns; Globex has Charlie and a group, whom nobody here sees."""
    ids = []
    for number, (user, group) in enumerate([("ann", "Beta"), ("Bob", "alpha"), ("cid", "Gamma")]):
        more = {"displayName": user.upper()} if number else {}
        ids.append(cast.acme.user(user, title=f"T{number}", externalId=f"u{number}", **more)["id"])
        cast.acme.group(group, *ids, externalId=f"g{number}")
    cast.globex.group("Theirs")
    return cast


EVERYBODY = ["ann", "Bob", "cid", "Beta", "alpha", "Gamma"]


def test_the_root_lists_people_then_groups_with_one_total(team: Cast) -> None:
    answer = team.acme.get("")
    assert names(answer) == EVERYBODY
    assert [one["meta"]["resourceType"] for one in answer.body["Resources"]] == ["User"] * 3 + ["Group"] * 3
    assert (answer.body["totalResults"], answer.body["startIndex"], answer.body["itemsPerPage"]) == (6, 1, 6)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_pages_of_the_root_follow_each_other_over_both_types(team: Cast, count: int) -> None:
    for asked in ({}, {"sortBy": "displayName", "sortOrder": "descending"}, {"filter": 'meta.resourceType ne "X"'}):
        whole = names(team.acme.get("", **asked))
        pages = [team.acme.get("", startIndex=start, count=count, **asked) for start in range(1, 8, count)]
        assert [name for page in pages for name in names(page)] == whole
        assert {page.body["totalResults"] for page in pages} == {6}
    assert team.acme.get("", count=0).body["totalResults"] == 6
    assert names(team.acme.get("", startIndex=100)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('meta.resourceType eq "User"', ["ann", "Bob", "cid"]),
        ('(meta.resourceType eq "User") or (meta.resourceType eq "Group")', EVERYBODY),
        ('not (meta.resourceType eq "User")', ["Beta", "alpha", "Gamma"]),
        ('displayName sw "b" or userName eq "ann"', ["ann", "Bob", "Beta"]),
        ('userName eq "bob"', ["Bob"]),
        ('userName ne "bob"', ["ann", "cid", "Beta", "alpha", "Gamma"]),
        ("userName pr", ["ann", "Bob", "cid"]),
        ("members pr", ["Beta", "alpha", "Gamma"]),
        ("not (members pr)", ["ann", "Bob", "cid"]),
        ("members eq null", ["ann", "Bob", "cid"]),
        ('members[type eq "User"]', ["Beta", "alpha", "Gamma"]),
        ('externalId sw "u" and title pr', ["ann", "Bob", "cid"]),
        ("nothing pr", []),
        ('nothing eq "x" or urn:x:y:z:Thing:part.of gt 5', []),
        ('nothing ne "x"', EVERYBODY),
        ('nothing[part eq "x"]', []),
        ('nothing[part eq "x"].value ne "y"', []),
        ("id pr", EVERYBODY),
        ('displayName eq "ALPHA"', ["alpha"]),
        (f'{ENTERPRISE}:department eq "x"', []),
        (f'schemas eq "{CORE}"', ["ann", "Bob", "cid"]),
    ],
)
def test_a_filter_at_the_root_is_asked_of_each_type(team: Cast, text: str, expected: list[str]) -> None:
    answer = team.acme.get("", filter=text)
    assert names(answer) == expected
    assert answer.body["totalResults"] == len(expected)
    assert names(search(team.acme, filter=text)) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"sortBy": "displayName"}, ["alpha", "Beta", "Bob", "cid", "Gamma", "ann"]),
        ({"sortBy": "displayName", "sortOrder": "descending"}, ["ann", "Gamma", "cid", "Bob", "Beta", "alpha"]),
        ({"sortBy": "userName"}, ["ann", "Bob", "cid", "Beta", "alpha", "Gamma"]),
        ({"sortBy": "userName", "sortOrder": "descending"}, ["Beta", "alpha", "Gamma", "cid", "Bob", "ann"]),
        ({"sortBy": "externalId"}, ["Beta", "alpha", "Gamma", "ann", "Bob", "cid"]),
        ({"sortBy": "title", "filter": "nickName pr or id pr"}, ["ann", "Bob", "cid", "Beta", "alpha", "Gamma"]),
        ({"sortBy": "meta.resourceType"}, ["Beta", "alpha", "Gamma", "ann", "Bob", "cid"]),
    ],
)
def test_an_order_at_the_root_is_over_both_types(team: Cast, asked: dict[str, str], expected: list[str]) -> None:
    assert names(team.acme.get("", **asked)) == expected
    assert names(search(team.acme, **asked)) == expected


def test_what_is_shown_is_said_once_for_both_types(team: Cast) -> None:
    shown = team.acme.get("", attributes="displayName,members.value,title").body["Resources"]
    assert set(shown[1]) == {"schemas", "id", "displayName", "title"}
    assert set(shown[3]) == {"schemas", "id", "displayName", "members"} and set(shown[3]["members"][0]) == {"value"}
    hidden = team.acme.get("", excludedAttributes=f"members,groups,meta,{LICENSES}").body["Resources"]
    assert not any(one.keys() & {"members", "groups", "meta", LICENSES} for one in hidden)


def test_a_search_by_post_asks_the_same_as_a_get(team: Cast) -> None:
    asked = {"filter": "title pr", "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 1}
    got = team.acme.get("/Users", attributes="userName,title", **asked)
    sent = search(team.acme, "/Users", attributes=["userName", "title"], **asked)
    assert sent.body == got.body and names(sent) == ["Bob"]
    assert names(search(team.acme, "/Groups", filter='displayName co "a"', excludedAttributes=["members"])) == [
        "Beta",
        "alpha",
        "Gamma",
    ]
    assert search(team.acme, "/Users", COUNT=2, Filter=None).body["itemsPerPage"] == 2


def test_who_may_only_read_may_search(team: Cast) -> None:
    reader = Caller(team.app.test_client(), team.tokens["read"])
    for place in ("", "/Users", "/Groups"):
        assert search(reader, place).status == 200
    assert reader.get("").status == 200
    assert reader.post("/Users", {"schemas": [CORE], "userName": "x"}).status == 403


@pytest.mark.parametrize(
    ("asked", "scim_type"),
    [
        ({"schemas": None}, "invalidSyntax"),
        ({"schemas": []}, "invalidSyntax"),
        ({"schemas": [CORE]}, "invalidSyntax"),
        ({"schemas": 1}, "invalidSyntax"),
        ({"filters": "id pr"}, "invalidSyntax"),
        ({"filter": "id"}, "invalidFilter"),
        ({"filter": ""}, "invalidFilter"),
        ({"filter": 5}, "invalidValue"),
        ({"filter": "active gt true"}, "invalidFilter"),
        ({"filter": "userName eq 5"}, "invalidFilter"),
        ({"filter": "nothing gt null"}, "invalidFilter"),
        ({"filter": "a[b[c pr]]"}, "invalidFilter"),
        ({"attributes": "userName"}, "invalidValue"),
        ({"attributes": ["userName,title"]}, "invalidValue"),
        ({"attributes": [1]}, "invalidValue"),
        ({"attributes": ["userName"], "excludedAttributes": ["title"]}, "invalidValue"),
        ({"attributes": ["a"] * 201}, "invalidValue"),
        ({"startIndex": "1"}, "invalidValue"),
        ({"startIndex": True}, "invalidValue"),
        ({"startIndex": 1.5}, "invalidValue"),
        ({"count": [1]}, "invalidValue"),
        ({"count": "x", "cursor": ""}, "invalidValue"),
        ({"count": 1001, "cursor": ""}, "invalidCount"),
        ({"cursor": 5}, "invalidValue"),
        ({"cursor": "x"}, "invalidCursor"),
        ({"cursor": "", "startIndex": 1}, "invalidValue"),
        ({"sortBy": "nothing"}, "invalidPath"),
        ({"sortBy": "name"}, "invalidPath"),
        ({"sortBy": 1}, "invalidValue"),
        ({"sortBy": "userName", "sortOrder": "up"}, "invalidValue"),
        ({"sortOrder": {}}, "invalidValue"),
        ({"COUNT": 1, "count": 1}, "invalidSyntax"),
    ],
)
def test_a_search_that_cannot_be_understood_is_refused_by_name(team: Cast, asked: Any, scim_type: str) -> None:
    for place in ("", "/Users"):
        answer = search(team.acme, place, **asked)
        assert (answer.status, answer.body.get("scimType")) == (400, scim_type), answer.text


def test_a_search_takes_nothing_from_its_address(team: Cast) -> None:
    answer = team.acme.post('/Users/.search?filter=userName+eq+"ann"', {"schemas": [SEARCH_URN]})
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert "filter" in answer.body["detail"]
    assert team.acme.post("/Users/.search?x=1", {"schemas": [SEARCH_URN]}).status == 200


def test_an_order_over_everything_is_not_numbered_without_end(team: Cast) -> None:
    app = team.app
    service = app.extensions["scim_service"]
    object.__setattr__(service.settings, "scan_limit", 3)
    assert names(team.acme.get("", sortBy="displayName", count=3)) == ["alpha", "Beta", "Bob"]
    answer = team.acme.get("", sortBy="displayName", startIndex=2, count=3)
    assert (answer.status, answer.body["scimType"]) == (400, "tooMany")
    walked = team.acme.get("", sortBy="displayName", count=3, cursor="").body
    last = team.acme.get("", sortBy="displayName", count=3, cursor=walked["nextCursor"])
    assert names(last) == ["cid", "Gamma", "ann"]


LEAVES = [
    'userName eq "ann"',
    'userName ne "ann"',
    'displayName co "a"',
    "displayName pr",
    "members pr",
    'members[value pr and type eq "User"]',
    "title pr",
    'title gt "T0"',
    'meta.resourceType eq "Group"',
    'meta.resourceType ne "Group"',
    "meta.resourceType pr",
    "nothing pr",
    'nothing ne "x"',
    "active eq true",
    'externalId sw "g"',
    "nickName pr",
]
trees = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=6,
)


@pytest.mark.proof
@settings(max_examples=300 if PROVE else 30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=trees, sort_by=st.sampled_from([None, "displayName", "title", "nickName", "meta.created"]))
def test_the_root_agrees_with_looking_at_each_resource(
    cast: Cast, count: Count, text: str, sort_by: str | None
) -> None:
    if not cast.acme.get("", count=0).body["totalResults"]:
        ids = [cast.acme.user(name, title=f"T{number}")["id"] for number, name in enumerate(("ann", "Bob"))]
        cast.acme.group("Alpha", *ids, externalId="g1")
        cast.acme.group("beta")
    expected = []
    for resource_type, place in ((schema.USER, "/Users"), (schema.GROUP, "/Groups")):
        meant = filters.parse_at_root(text, resource_type)
        for one in cast.acme.get(place).body["Resources"]:
            if meant if isinstance(meant, bool) else filters.match(meant, one):
                expected.append(one["id"])
    asked = {} if sort_by is None else {"sortBy": sort_by}
    found = cast.acme.get("", filter=text, **asked).body
    assert sorted(one["id"] for one in found["Resources"]) == sorted(expected)
    assert sort_by is not None or [one["id"] for one in found["Resources"]] == expected
    assert found["totalResults"] == len(expected)
    count("{:,} filters over everything")
