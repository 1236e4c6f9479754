"""Two ways must agree: what SQL finds for a filter is what the in-memory match finds, on both databases."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scim_service.directory import groups, users
from scim_service.directory.documents import View
from scim_service.directory.listing import Query
from scim_service.protocol import filters, rendering, schema
from scim_service.storage import filter_plan
from scim_service.storage.paging import Span
from scim_service.storage.store import Store
from scim_service.storage.work import Actor
from tests import service
from tests.conftest import Count
from tests.service import ENTERPRISE, LICENSES

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
BLOCKS, FILTERS = (10 if PROVE else 1), 2_000
"""20,000 filters in all, a tenth of them in every run (decision 38)."""

PEOPLE = 40

WORDS = [
    "ann",
    "Ann",
    "ANN",
    "straße",
    "STRASSE",
    "ﬁn",
    "fin",
    "İ",
    "i",
    "ß",
    "",
    "a%b_c",
    "x" * 205,
    "x" * 205 + "Y",
    "日本",
]
INDEXED = [
    "userName", "displayName", "name.givenName", "name.familyName", "title", "userType", "externalId", "id",
    "emails.value", "emails.type", "emails", "phoneNumbers.value", "roles.value", f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:employeeNumber", f"{ENTERPRISE}:manager.value", f"{ENTERPRISE}:manager",
    "entitlements.value", f"{LICENSES}:licenseType",
]  # fmt: skip
OTHERS = ["nickName", "locale", "emails.display", "addresses.locality", "photos.value", f"{LICENSES}:licenses.value"]
BOOLEANS = ["active", "emails.primary", "roles.primary"]
INSTANTS = ["meta.created", "meta.lastModified"]
TEXT_OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]


def person(dice: random.Random, number: int) -> dict[str, Any]:
    """A person with some of the words here and there."""

    def word() -> str | None:
        return dice.choice(WORDS) or None

    return {
        "userName": f"{dice.choice(WORDS)}-{number}",
        "externalId": dice.choice([None, f"{dice.choice(WORDS)}{number}"]),
        "active": dice.random() < 0.7,
        **{name: word() for name in ("displayName", "nickName", "title", "userType", "locale") if dice.random() < 0.6},
        "name": {"givenName": word(), "familyName": word()},
        "emails": [
            {
                "value": word(),
                "type": dice.choice(["work", "Home", None]),
                "primary": index == 0 and dice.random() < 0.5,
            }
            for index in range(dice.randrange(4))
        ],
        "phoneNumbers": [{"value": word()} for _ in range(dice.randrange(2))],
        "roles": [{"value": word(), "primary": dice.random() < 0.3} for _ in range(dice.randrange(2))],
        "entitlements": [{"value": word(), "type": "AddOn"} for _ in range(dice.randrange(2))],
        "addresses": [{"locality": word()} for _ in range(dice.randrange(2))],
        ENTERPRISE: {"department": word(), "employeeNumber": word(), "manager": dice.choice([None, {"value": word()}])},
    }


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def term(dice: random.Random) -> str:
    """One comparison; at least half of the terms are on indexed paths."""
    kind = dice.random()
    if kind < 0.1:
        return f"{dice.choice(BOOLEANS)} {dice.choice(['eq', 'ne'])} {dice.choice(['true', 'false'])}"
    if kind < 0.15:
        instant = f"{dice.choice(['2020', '2027', '2030'])}-03-01T08:00:00Z"
        return f"{dice.choice(INSTANTS)} {dice.choice(TEXT_OPERATORS[5:])} {quoted(instant)}"
    path = dice.choice(INDEXED if kind < 0.75 else OTHERS)
    if kind > 0.97 or dice.random() < 0.1:
        return f"{path} pr" if dice.random() < 0.5 else f"{path} {dice.choice(['eq', 'ne'])} null"
    if dice.random() < 0.25:
        inner = [
            f"value {dice.choice(TEXT_OPERATORS)} {quoted(dice.choice(WORDS))}",
            'type eq "WORK"',
            "type pr",
            "primary eq true",
        ]
        chosen = dice.sample(inner, dice.randrange(1, 4))
        return f"emails[{dice.choice(['', 'not '])}({dice.choice([' and ', ' or ']).join(chosen)})]"
    return f"{path} {dice.choice(TEXT_OPERATORS)} {quoted(dice.choice(WORDS))}"


def expression(dice: random.Random, depth: int = 3) -> str:
    """Terms joined by and, or, not and parentheses."""
    if depth == 0 or dice.random() < 0.4:
        return term(dice)
    parts = [expression(dice, depth - 1) for _ in range(dice.randrange(2, 4))]
    joined = dice.choice([" and ", " or "]).join(parts)
    return f"not ({joined})" if dice.random() < 0.3 else f"({joined})"


def leaves(node: filters.Node) -> Iterator[filters.Node]:
    """The terms of a filter; a value path is one."""
    if isinstance(node, filters.And | filters.Or):
        for one in node.terms:
            yield from leaves(one)
    elif isinstance(node, filters.Not):
        yield from leaves(node.term)
    else:
        yield node


class Tried:
    """How many filters and terms were tried, and how many terms an index answers alone."""

    def __init__(self, planned: Callable[[filters.Node], filter_plan.Planned]) -> None:
        self.planned = planned
        self.filters = self.exact = self.terms = self.indexed = self.hits = 0

    def note(self, node: filters.Node, hits: int) -> None:
        self.filters += 1
        self.hits += hits > 0
        self.exact += self.planned(node).plan.lowered.exact
        for leaf in leaves(node):
            self.terms += 1
            self.indexed += self.planned(leaf).plan.lowered.exact

    def judge(self, kind: str, what: str) -> None:
        """Print the counts; at least half of the terms must be indexed, and filters must find somebody and nobody."""
        print(
            f"{kind}: {self.filters} filters over {what} agree; {self.exact} answered by SQL alone, {self.hits} found "
            f"something; {self.indexed} of {self.terms} terms on indexed paths ({100 * self.indexed // self.terms} %)"
        )
        assert self.indexed * 2 >= self.terms
        assert self.exact > self.filters / 10
        assert self.filters / 4 < self.hits < self.filters


@pytest.mark.proof
@pytest.mark.parametrize("block", range(BLOCKS))
def test_people_found_by_sql_are_those_that_match(store: Store, kind: str, count: Count, block: int) -> None:
    cast = service.assemble(store)
    dice = random.Random(7 + 100 * block)
    view = View("https://x.example/scim/v2", rendering.Projection.parse(schema.USER, None, None))
    with store.writing(cast.acme_id, Actor("connection", "rfc", 1)) as work:
        for number in range(PEOPLE):
            users.create(work, person(dice, number))
        everybody = users.page(work, Query(None, None, Span(1, 1000), 1000), view).documents
        tried = Tried(filter_plan.users)
        for _ in range(FILTERS):
            text = expression(dice)
            node = filters.parse(text, schema.USER)
            found = users.page(work, Query(node, None, Span(1, 1000), 1000), view)
            assert [one["id"] for one in found.documents] == [
                one["id"] for one in everybody if filters.match(node, one)
            ], text
            assert found.total == len(found.documents), text
            tried.note(node, found.total)
    tried.judge(kind, "people")
    count("{:,} filters over people", tried.filters)


@pytest.mark.proof
@pytest.mark.parametrize("block", range(BLOCKS))
def test_groups_found_by_sql_are_those_that_match(store: Store, kind: str, count: Count, block: int) -> None:
    cast = service.assemble(store)
    dice = random.Random(8 + 100 * block)
    view = View("https://x.example/scim/v2", rendering.Projection.parse(schema.GROUP, None, None))
    with store.writing(cast.acme_id, Actor("connection", "rfc", 1)) as work:
        ids = [
            users.create(work, {"userName": f"p{number}", "displayName": dice.choice(WORDS)}).id for number in range(6)
        ]
        for number in range(12):
            members = [{"value": one} for one in dice.sample(ids, dice.randrange(4))]
            made = groups.create(
                work, {"displayName": dice.choice(WORDS[:9]), "externalId": f"g{number}", "members": members}
            )
            ids.append(made.resource.id)
        everything = groups.page(work, Query(None, None, Span(1, 1000), 1000), view).documents
        tried = Tried(filter_plan.groups)
        for _ in range(FILTERS // 4):
            text = _group_expression(dice, ids)
            node = filters.parse(text, schema.GROUP)
            found = groups.page(work, Query(node, None, Span(1, 1000), 1000), view).documents
            assert [one["id"] for one in found] == [one["id"] for one in everything if filters.match(node, one)], text
            tried.note(node, len(found))
    tried.judge(kind, "groups")
    count("{:,} filters over groups", tried.filters)


def _group_expression(dice: random.Random, ids: list[str]) -> str:
    one = quoted(dice.choice(ids))
    terms = [
        f"displayName {dice.choice(TEXT_OPERATORS)} {quoted(dice.choice(WORDS))}",
        f"members {dice.choice(['eq', 'ne', 'co', 'sw'])} {one}",
        f"members.value eq {one}",
        f'members[value eq {one} and type eq "{dice.choice(["User", "Group", "user"])}"]',
        f"members[not (value eq {one})]",
        f"members.display {dice.choice(TEXT_OPERATORS)} {quoted(dice.choice(WORDS))}",
        f'members.type {dice.choice(["eq", "ne"])} "Group"',
        "members pr",
        f'externalId {dice.choice(TEXT_OPERATORS)} "g{dice.randrange(12)}"',
    ]
    chosen = dice.sample(terms, dice.randrange(1, 4))
    joined = dice.choice([" and ", " or "]).join(chosen)
    return f"not ({joined})" if dice.random() < 0.3 else joined
