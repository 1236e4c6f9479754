"""Walks by cursor (RFC 9865): every list, every order, while people come and go, on both databases."""

from __future__ import annotations

import os
import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.protocol.schema import SEARCH_URN
from tests import service
from tests.conftest import Count, SettableClock
from tests.service import Answer, Caller, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
ORDERS = [
    None,
    "userName",
    "title",
    "displayName",
    "externalId",
    "active",
    "meta.created",
    "id",
    "emails",
    "nickName",
    "meta.resourceType",
]


def page(caller: Caller, place: str, cursor: str = "", **asked: Any) -> Answer:
    return caller.get(place, cursor=cursor, **asked)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [one["id"] for one in answer.body["Resources"]]


def walk(caller: Caller, place: str, **asked: Any) -> list[Answer]:
    """All pages, the first one first."""
    pages = [page(caller, place, **asked)]
    while "nextCursor" in pages[-1].body:
        pages.append(page(caller, place, pages[-1].body["nextCursor"], **asked))
    return pages


@pytest.fixture
def many(cast: Cast) -> Cast:
    """Eleven people, some with equal values and some without, and three groups."""
    for number in range(11):
        title = {"title": f"T{number % 3}"} if number % 4 else {}
        more = {"externalId": f"x{number}"} if number % 2 else {}
        emails = {"emails": [{"value": f"{number % 5}@example.com"}]} if number % 3 else {}
        cast.acme.user(f"p{number * 7 % 11}", active=number % 2 == 0, **title, **more, **emails)
    for name in ("one", "Two", "three"):
        cast.acme.group(name)
    return cast


@pytest.mark.parametrize("place", ["/Users", "/Groups", ""])
@pytest.mark.parametrize("descending", [False, True])
def test_a_walk_by_cursor_is_the_list_there_and_back(many: Cast, place: str, descending: bool) -> None:
    for order in ORDERS:
        if place == "/Groups" and order in {"userName", "title", "active", "emails", "nickName"}:
            continue
        asked = {} if order is None else {"sortBy": order, "sortOrder": "descending" if descending else "ascending"}
        whole = ids(many.acme.get(place, **asked))
        pages = walk(many.acme, place, count=3, **asked)
        assert [one for some in pages for one in ids(some)] == whole, order
        assert {some.body["totalResults"] for some in pages} == {len(whole)}
        assert "previousCursor" not in pages[0].body and "startIndex" not in pages[0].body
        at = pages[-1]
        back = [ids(at)]
        while "previousCursor" in at.body:
            at = page(many.acme, place, at.body["previousCursor"], count=3, **asked)
            back.append(ids(at))
        assert [one for some in reversed(back) for one in some] == whole, order
        assert len(back) == len(pages)


def test_a_search_by_post_walks_too(many: Cast) -> None:
    asked: dict[str, Any] = {"schemas": [SEARCH_URN], "count": 5, "filter": "title pr", "attributes": ["title"]}
    first = many.acme.post("/Users/.search", {**asked, "cursor": ""})
    second = many.acme.post("/Users/.search", {**asked, "cursor": first.body["nextCursor"]})
    assert [*ids(first), *ids(second)] == ids(many.acme.get("/Users", filter="title pr"))
    assert "nextCursor" not in second.body and second.body["itemsPerPage"] == 3


def test_without_a_cursor_pages_are_numbered(many: Cast) -> None:
    body = many.acme.get("/Users", count=3).body
    assert "nextCursor" not in body and body["startIndex"] == 1
    config = many.acme.get("/ServiceProviderConfig").body["pagination"]
    assert config == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 1000,
        "cursorTimeout": 3600,
    }


def test_a_count_of_nothing_tells_the_total_only(many: Cast) -> None:
    for count in (0, -5):
        body = page(many.acme, "/Users", count=count).body
        assert (body["totalResults"], body["Resources"]) == (11, [])
        assert "nextCursor" not in body


def refused(answer: Answer, scim_type: str) -> bool:
    return (answer.status, answer.body.get("scimType")) == (400, scim_type)


def test_a_cursor_is_good_for_its_question_and_its_caller_only(many: Cast) -> None:
    asked: dict[str, Any] = {"count": 3, "filter": 'userName sw "p"'}
    cursor = page(many.acme, "/Users", **asked).body["nextCursor"]
    assert len(ids(page(many.acme, "/Users", cursor, **asked))) == 3
    others: list[tuple[Caller, str, dict[str, Any]]] = [
        (many.acme, "/Users", {"count": 3}),
        (many.acme, "/Users", {"count": 3, "filter": 'userName sw "P"'}),
        (many.acme, "/Users", {**asked, "sortBy": "id"}),
        (many.acme, "/Users", {**asked, "attributes": "userName"}),
        (many.acme, "/Users", {**asked, "excludedAttributes": "groups"}),
        (many.acme, "", asked),
        (many.as_("okta"), "/Users", asked),
        (many.globex, "/Users", asked),
    ]
    answers = [page(caller, place, cursor, **given) for caller, place, given in others]
    assert all(refused(answer, "invalidCursor") for answer in answers)
    invented = page(many.acme, "/Users", "invented", **asked)
    assert {answer.text for answer in answers} == {invented.text}
    assert ids(page(Caller(many.app.test_client(), many.tokens["read"]), "/Users", cursor, **asked))


def test_a_count_that_is_wrong_or_another_is_refused_by_name(many: Cast) -> None:
    cursor = page(many.acme, "/Users", count=3).body["nextCursor"]
    for count in (2, 4, 0, 1001, "x", "", "1.5"):
        assert refused(page(many.acme, "/Users", cursor, count=count), "invalidCount"), count
    for count in (1001, "x", 10**30):
        assert refused(page(many.acme, "/Users", count=count), "invalidCount")
    assert refused(many.acme.get("/Users", cursor="", startIndex=1), "invalidValue")
    assert refused(many.acme.send("GET", "/Users?cursor=&cursor="), "invalidValue")


def test_a_cursor_has_its_time(many: Cast, clock: SettableClock) -> None:
    cursor = page(many.acme, "/Users", count=3).body["nextCursor"]
    clock.advance(timedelta(seconds=3600))
    second = page(many.acme, "/Users", cursor, count=3)
    clock.advance(timedelta(seconds=1))
    assert refused(page(many.acme, "/Users", cursor, count=3), "expiredCursor")
    assert len(ids(page(many.acme, "/Users", second.body["nextCursor"], count=3))) == 3


def test_a_walk_back_before_the_first_page_ends_at_the_beginning(cast: Cast) -> None:
    made = [cast.acme.user(f"p{number}")["id"] for number in range(6)]
    second = page(cast.acme, "/Users", page(cast.acme, "/Users", count=2).body["nextCursor"], count=2)
    for one in made[:2]:
        cast.acme.delete(f"/Users/{one}")
    before = page(cast.acme, "/Users", second.body["previousCursor"], count=2)
    assert ids(before) == [] and "previousCursor" not in before.body
    assert ids(page(cast.acme, "/Users", before.body["nextCursor"], count=2)) == made[2:4]


def test_a_page_whose_people_are_gone_is_the_last(cast: Cast) -> None:
    made = [cast.acme.user(f"p{number}")["id"] for number in range(4)]
    cursor = page(cast.acme, "/Users", count=2).body["nextCursor"]
    for one in made[2:]:
        cast.acme.delete(f"/Users/{one}")
    last = page(cast.acme, "/Users", cursor, count=2)
    assert ids(last) == [] and not last.body.keys() & {"nextCursor", "previousCursor"}


def test_long_and_odd_values_are_walked_past(cast: Cast) -> None:
    for number, title in enumerate(["ß" * 300, "ß" * 300 + "a", "é", "\u2028", "z" * 5000, "", "\U0001f600" * 200]):
        cast.acme.user(f"p{number}", title=title)
    whole = ids(cast.acme.get("/Users", sortBy="title"))
    pages = walk(cast.acme, "/Users", count=1, sortBy="title")
    assert [one for some in pages for one in ids(some)] == whole
    assert max(len(some.body.get("nextCursor", "")) for some in pages) < 2_000


@pytest.mark.proof
@settings(max_examples=60 if PROVE else 6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    order=st.sampled_from(ORDERS),
    place=st.sampled_from(["/Users", ""]),
    size=st.integers(1, 5),
    descending=st.booleans(),
)
def test_a_walk_loses_and_repeats_nobody_who_stays_while_people_come_and_go(
    cast: Cast, count: Count, seed: int, order: str | None, place: str, size: int, descending: bool
) -> None:
    chance = random.Random(seed)
    acme = service.another(cast, f"t{uuid.uuid4().hex}").acme
    asked: dict[str, Any] = {} if order is None else {"sortBy": order}
    if order is not None and descending:
        asked["sortOrder"] = "descending"
    staying = [come(acme, chance) for _ in range(10)]
    leaving = [come(acme, chance) for _ in range(10)]
    seen: list[str] = []
    cursor = ""
    for _ in range(100):
        answer = page(acme, place, cursor, count=size, **asked)
        seen += ids(answer)
        for _ in range(chance.randrange(3)):
            if leaving and chance.random() < 0.5:
                path = leaving.pop(chance.randrange(len(leaving)))
                assert acme.delete(path).status == 204
            else:
                leaving.append(come(acme, chance))
        if "nextCursor" not in answer.body:
            break
        cursor = answer.body["nextCursor"]
    stayed = {path.rpartition("/")[2] for path in staying if place == "" or path.startswith(place)}
    met = [one for one in seen if one in stayed]
    final = [one for one in ids(acme.get(place, count=1000, **asked)) if one in stayed]
    assert met == final and set(met) == stayed
    assert len(set(seen)) == len(seen)
    count("{:,} walks by cursor while people came and went")


def come(caller: Caller, chance: random.Random) -> str:
    """Somebody or some group new; its address."""
    name = f"{chance.choice('abcABC')}{chance.getrandbits(48)}"
    if chance.random() < 0.3:
        return f"/Groups/{caller.group(name)['id']}"
    title = {"title": chance.choice("xyz")} if chance.random() < 0.7 else {}
    more = {"externalId": name, "nickName": chance.choice("NM")} if chance.random() < 0.5 else {}
    emails = {"emails": [{"value": chance.choice("lm") + "@example.com"}]} if chance.random() < 0.5 else {}
    return f"/Users/{caller.user(name, active=chance.random() < 0.5, **title, **more, **emails)['id']}"
