"""Lists in order (RFC 7644 section 3.4.2.3), and walks through many pages."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.directory import users
from scim_service.directory.documents import View
from scim_service.directory.listing import Query
from scim_service.protocol import filters, rendering, schema, sorting
from scim_service.storage import sort_sql
from scim_service.storage.paging import Span
from tests.conftest import Count
from tests.service import ENTERPRISE, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"


@pytest.fixture
def people(cast: Cast) -> Cast:
    """Four people: two titles that differ in case only, one long, one without."""
    cast.acme.user("Bea", title="b", emails=[{"value": "z@example.com"}, {"value": "a@example.com", "primary": True}])
    cast.acme.user("ann", title="B" + "x" * 300, externalId="2", emails=[{"value": "m@example.com"}])
    cast.acme.user("Cid", **{ENTERPRISE: {"department": "Ops"}}, externalId="1")
    cast.acme.user("dan", title="A", active=False, nickName="zz")
    return cast


@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("userName", ["ann", "Bea", "Cid", "dan"]),
        ("USERNAME", ["ann", "Bea", "Cid", "dan"]),
        ("title", ["dan", "Bea", "ann", "Cid"]),
        ("emails", ["Bea", "ann", "Cid", "dan"]),
        ("emails.value", ["Bea", "ann", "Cid", "dan"]),
        ("externalId", ["Cid", "ann", "Bea", "dan"]),
        ("nickName", ["dan", "Bea", "ann", "Cid"]),
        (f"{ENTERPRISE}:department", ["Cid", "Bea", "ann", "dan"]),
        ("active", ["dan", "Bea", "ann", "Cid"]),
        ("meta.created", ["Bea", "ann", "Cid", "dan"]),
    ],
)
def test_people_are_listed_in_the_order_that_is_asked_for(people: Cast, sort_by: str, ascending: list[str]) -> None:
    first = people.acme.get("/Users", sortBy=sort_by, count=3).body
    second = people.acme.get("/Users", sortBy=sort_by, startIndex=4, sortOrder="ascending").body
    assert [one["userName"] for page in (first, second) for one in page["Resources"]] == ascending
    assert (first["totalResults"], second["totalResults"]) == (4, 4)


def test_descending_puts_who_has_no_value_first(people: Cast) -> None:
    page = people.acme.get("/Users", sortBy="title", sortOrder="DESCENDING").body
    assert [one["userName"] for one in page["Resources"]] == ["Cid", "ann", "Bea", "dan"]
    found = people.acme.get(
        "/Users", sortBy="nickName", sortOrder="descending", filter='title pr and userName ne "ann"'
    )
    assert [one["userName"] for one in found.body["Resources"]] == ["Bea", "dan"]


def test_groups_are_listed_in_the_order_that_is_asked_for(cast: Cast) -> None:
    for name in ("beta", "Alpha", "gamma"):
        cast.acme.group(name)
    page = cast.acme.get("/Groups", sortBy="displayName", sortOrder="descending", excludedAttributes="members").body
    assert [one["displayName"] for one in page["Resources"]] == ["gamma", "beta", "Alpha"]


@pytest.mark.parametrize(
    "asked", [{"sortBy": "nonsense"}, {"sortBy": "name"}, {"sortBy": "userName", "sortOrder": "up"}]
)
def test_an_order_that_cannot_be_is_refused(cast: Cast, asked: dict[str, str]) -> None:
    assert cast.acme.get("/Users", **asked).status == 400


@pytest.mark.proof
@settings(max_examples=200 if PROVE else 15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    titles=st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8))
    ),
    descending=st.booleans(),
)
def test_sql_and_the_documents_agree_on_the_order(
    cast: Cast, count: Count, titles: list[str | None], descending: bool
) -> None:
    order = sorting.parse(schema.USER, "title", "descending" if descending else None)
    assert order is not None and sort_sql.user_sorting(order) is not None
    with cast.writing() as work:
        for number, title in enumerate(titles):
            users.create(work, {"userName": f"{work.notes.setdefault('n', len(titles))}-{number}", "title": title})
        view = View("", rendering.Projection.parse(schema.USER, "title", None))
        by_sql = users.page(work, Query(None, order, Span(1, 1000), 1000), view).documents
        slow = filters.parse("nickName pr or userName pr", schema.USER)
        by_documents = users.page(work, Query(slow, order, Span(1, 1000), 1000), view).documents
        assert by_sql == by_documents
        work.connection.rollback()
    count("{:,} lists in order")


def test_a_walk_loses_and_repeats_nobody_who_stays_while_others_leave(cast: Cast) -> None:
    ids = [cast.acme.user(f"p{number}")["id"] for number in range(10)]
    first = cast.acme.get("/Users", startIndex=1, count=4).body["Resources"]
    for one in ids[:3]:
        cast.acme.delete(f"/Users/{one}")
    second = cast.acme.get("/Users", startIndex=5, count=4).body["Resources"]
    third = cast.acme.get("/Users", startIndex=9, count=4).body
    assert [one["id"] for one in [*first, *second, *third["Resources"]]] == ids
    assert third["totalResults"] == 7


def test_a_bookmark_serves_its_own_question_only(cast: Cast) -> None:
    ids = [cast.acme.user(f"p{number}", active=number % 2 == 0)["id"] for number in range(8)]
    cast.acme.get("/Users", count=4)
    page = cast.acme.get("/Users", startIndex=5, filter="active eq true").body
    assert page["Resources"] == []
    assert page["totalResults"] == 4
    assert [one["id"] for one in cast.as_("okta").get("/Users", startIndex=5).body["Resources"]] == ids[4:]
