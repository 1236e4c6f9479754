"""What SQL says of a generated filter: all that matches and nothing else where it says so, else nothing too little.

`tests/directory/test_filter_agreement.py` compares whole lists; here the condition itself is compared, so that a
condition that calls itself exact, or narrows too far, is found with the smallest filter and document that show it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service import errors
from scim_service.directory import groups, users
from scim_service.directory.documents import View
from scim_service.directory.listing import Query
from scim_service.protocol import filters, rendering, schema
from scim_service.storage import filter_plan, tables
from scim_service.storage.index_rows import CUT
from scim_service.storage.paging import Span
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work
from tests import service
from tests.conftest import Count
from tests.service import CORE, ENTERPRISE, GROUP, Cast

EXAMPLES = 1_000 if os.environ.get("SCIM_TEST_PROVE") == "1" else 60
repeated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ALL = Query(None, None, Span(1, 1_000), 1_000)
TENANT: sa.BindParameter[int] = sa.bindparam("tenant")

LETTERS = "aAb ßſςΣéİıﬁ%_\\\"'😀\uffff日"
short = st.text(LETTERS, min_size=1, max_size=3)
long = st.builds(
    lambda letter, count, end: letter * count + end,
    st.sampled_from("aßİ日"),
    st.sampled_from([CUT // 2, CUT - 1, CUT, CUT + 1]),
    st.text("aß", max_size=2),
)
words = st.one_of(short, short, short, long)
literals = st.one_of(words, words, words, st.just(""), st.just("\x00"), st.just("a\ud800"))
maybe = st.none() | words


def parts(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


def some(element: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(element, max_size=3)


kinds = st.sampled_from(["work", "Work", "home"])
people = parts(
    displayName=maybe,
    title=words,
    userType=words,
    nickName=words,
    externalId=words,
    active=st.booleans(),
    name=parts(givenName=words, familyName=maybe, formatted=words),
    emails=some(parts(value=maybe, type=kinds, display=words)),
    phoneNumbers=some(parts(value=words, type=kinds)),
    roles=some(parts(value=words)),
    entitlements=some(parts(value=words)),
    **{ENTERPRISE: parts(department=words, employeeNumber=words, manager=parts(value=words, displayName=words))},
)

TEXTS = [
    "userName", "displayName", "title", "userType", "nickName", "externalId", "id", "name.givenName",
    "name.familyName", "name.formatted", "emails", "emails.value", "emails.type", "emails.display",
    "phoneNumbers.value", "phoneNumbers.type", "roles.value", "entitlements.value", f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:employeeNumber", f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.displayName",
]  # fmt: skip
PRESENT = [*TEXTS, "active", "name", "phoneNumbers", "roles", "meta.created", "schemas"]
OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
HOLDERS = {"emails": ["value", "type", "display"], "phoneNumbers": ["value", "type"], "roles": ["value", "type"]}
INSTANTS = ["2027-03-01T08:00:00Z", "2027-03-01T09:00:00+01:00", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00.001Z"]


def compared(
    paths: list[str], operators: list[str] = OPERATORS, given_literals: st.SearchStrategy[Any] = literals
) -> st.SearchStrategy[str]:
    chosen = st.tuples(st.sampled_from(paths), st.sampled_from(operators), given_literals.map(json.dumps))
    return chosen.map(" ".join)


def present(paths: list[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(paths), st.sampled_from(["pr", "eq null", "ne null"])).map(" ".join)


def joined(terms: st.SearchStrategy[str], leaves: int) -> st.SearchStrategy[str]:
    """Terms with and, or, not and parentheses."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pairs = st.tuples(inner, st.sampled_from(["and", "or"]), inner)
        return pairs.map(lambda three: f"({' '.join(three)})") | inner.map(lambda one: f"not ({one})")

    return st.recursive(terms, grow, max_leaves=leaves)


def element_of(name: str, subs: list[str]) -> st.SearchStrategy[str]:
    inner = joined(compared(subs) | compared(subs, ["eq"], kinds) | present(subs), 4)
    return inner.map(lambda text: f"{name}[{text}]")


user_filters = joined(
    st.one_of(
        compared(TEXTS),
        compared(TEXTS, ["eq", "ne", "sw"], short),
        present(PRESENT),
        compared(["active"], ["eq", "ne"], st.booleans()),
        compared(
            ["meta.created", "meta.lastModified"], ["eq", "ne", "gt", "ge", "lt", "le"], st.sampled_from(INSTANTS)
        ),
        *(element_of(name, subs) for name, subs in HOLDERS.items()),
    ),
    5,
)


class Undone(Exception):
    """Ends an example, so that the next one begins with an empty tenant."""


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme, empty, and Globex with Charlie, who must never be found."""
    return service.assemble(store)


def tried(cast: Cast, example: Callable[[Work], None]) -> None:
    """Run an example in a transaction that is undone."""
    with pytest.raises(Undone), cast.store.writing(cast.acme_id, Actor("connection", "rfc", 1)) as work:
        example(work)
        raise Undone


def found_by_sql(work: Work, table: sa.Table, planned: filter_plan.Planned) -> list[str]:
    """The ids that the condition alone lets through."""
    statement = sa.select(table.c.id).where(table.c.tenant_id == TENANT).order_by(table.c.seq)
    condition = planned.plan.lowered.condition
    if condition is not None:
        statement = statement.where(condition)
    return [row.id for row in work.rows(statement, connection=1, **planned.values)]


def parsed(texts: list[str], kind: schema.ResourceType) -> Iterator[tuple[str, filters.Node]]:
    """Those that are filters: a text that no database can hold is refused before it gets there."""
    for text in texts:
        try:
            yield text, filters.parse(text, kind)
        except errors.InvalidFilter:
            assert "\\u0000" in text or "\\ud800" in text


def compare(found: list[str], matching: list[str], exact: bool, text: str) -> None:
    if exact:
        assert found == matching, text
    else:
        assert set(matching) <= set(found), text


def view_of(kind: schema.ResourceType) -> View:
    return View("https://x.example/scim/v2", rendering.Projection.parse(kind, None, None))


@pytest.mark.proof
@repeated
@given(documents=st.lists(people, min_size=1, max_size=4), texts=st.lists(user_filters, min_size=1, max_size=4))
def test_a_condition_over_people_finds_who_matches(
    cast: Cast, count: Count, documents: list[dict[str, Any]], texts: list[str]
) -> None:
    def example(work: Work) -> None:
        for number, document in enumerate(documents):
            external = f"{document['externalId']}{number}" if "externalId" in document else None
            users.create(work, {"schemas": [CORE], "userName": f"a{number}ß", **document, "externalId": external})
        everybody = users.page(work, ALL, view_of(schema.USER)).documents
        assert len(everybody) == len(documents)
        for text, node in parsed(texts, schema.USER):
            planned = filter_plan.users(node)
            matching = [one["id"] for one in everybody if filters.match(node, one)]
            compare(found_by_sql(work, tables.directory.users, planned), matching, planned.plan.lowered.exact, text)

    tried(cast, example)
    count("{:,} sets of conditions and documents")


MEMBERS = ["<0>", "<1>", "<2>", "<3>", "nobody"]
"""Stand for the ids of two people, two groups, and of nobody, which are known only in the example."""

member_terms = st.one_of(
    compared(["members", "members.value"], OPERATORS, st.sampled_from(MEMBERS)),
    compared(["members.type"], ["eq", "ne", "co"], st.sampled_from(["User", "group", "e"])),
    compared(["members.display"], OPERATORS, words),
    present(["members", "members.value", "members.display", "members.type"]),
    joined(
        compared(["value"], OPERATORS, st.sampled_from(MEMBERS))
        | compared(["type"], ["eq", "ne"], st.sampled_from(["User", "Group"]))
        | present(["value", "type", "display"]),
        4,
    ).map(lambda text: f"members[{text}]"),
)
group_filters = joined(
    st.one_of(
        member_terms,
        member_terms,
        compared(["displayName", "externalId", "id"]),
        present(["displayName", "externalId"]),
        compared(["meta.created"], ["eq", "ge", "lt"], st.sampled_from(INSTANTS)),
    ),
    4,
)


@pytest.mark.proof
@repeated
@given(
    names=st.lists(words.filter(str.strip), min_size=3, max_size=3),
    members=st.lists(st.sets(st.integers(0, 3), max_size=4), min_size=3, max_size=3),
    texts=st.lists(group_filters, min_size=1, max_size=4),
)
def test_a_condition_over_groups_finds_those_that_match(
    cast: Cast, count: Count, names: list[str], members: list[set[int]], texts: list[str]
) -> None:
    def example(work: Work) -> None:
        ids = [users.create(work, {"schemas": [CORE], "userName": f"p{n}", "displayName": names[n]}).id for n in (0, 1)]
        for name, chosen in zip(names, members, strict=True):
            known = [{"value": ids[number]} for number in sorted(chosen) if number < len(ids)]
            ids.append(groups.create(work, {"schemas": [GROUP], "displayName": name, "members": known}).resource.id)
        everything = groups.page(work, ALL, view_of(schema.GROUP)).documents
        for text, _ in parsed(texts, schema.GROUP):
            for number in range(4):
                text = text.replace(f"<{number}>", ids[number])
            node = filters.parse(text, schema.GROUP)
            planned = filter_plan.groups(node)
            matching = [one["id"] for one in everything if filters.match(node, one)]
            compare(found_by_sql(work, tables.directory.groups, planned), matching, planned.plan.lowered.exact, text)

    tried(cast, example)
    count("{:,} sets of conditions and documents")


INDEXED_FILTERS = [
    'userName eq "a"', 'externalId sw "a"', 'emails.value co "a"', 'emails[type eq "work" and value ew "a"]',
    'displayName pr', 'name.familyName gt "a"', f'{ENTERPRISE}:department ne "a"', "active eq true",
    'meta.lastModified ge "2027-03-01T08:00:00Z"', 'not (title eq "a") or userType eq "b"', 'emails pr',
    'phoneNumbers[type eq "work"]',
]  # fmt: skip


@pytest.mark.parametrize("text", INDEXED_FILTERS)
def test_what_identity_providers_ask_is_answered_by_sql_alone(text: str) -> None:
    assert filter_plan.users(filters.parse(text, schema.USER)).plan.lowered.exact


def test_what_is_not_indexed_only_narrows() -> None:
    lowered = filter_plan.users(filters.parse('userName eq "a" and nickName eq "b"', schema.USER)).plan.lowered
    assert not lowered.exact
    assert lowered.condition is not None
