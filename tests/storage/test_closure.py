"""Groups in groups, asked of the edges, against a plain model; both databases (decisions 20 and 24)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterable

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.access import tenants
from scim_service.licensing import catalog, rules
from scim_service.storage import closure, faults, tables
from scim_service.storage.store import Store
from scim_service.storage.work import CHUNK, EVERY_TENANT, Actor, Work
from tests.conftest import Count

EXAMPLES = 1_000 if os.environ.get("SCIM_TEST_PROVE") == "1" else 60
MOST = 7
GRAPHS = "{:,} graphs of groups in groups"
ACTOR = Actor("cli", "test")
GROUPS = tables.directory.groups
NESTINGS = tables.directory.nestings
RULES = tables.licensing.rules
TENANT: sa.BindParameter[int] = sa.bindparam("tenant")

Edge = tuple[int, int]
"""A group and a group that is its member, by number."""

edges = st.sets(st.tuples(st.integers(0, MOST - 1), st.integers(0, MOST - 1)), max_size=14)
numbers = st.sets(st.integers(0, MOST - 1), max_size=MOST)
repeated = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reached(found: Collection[Edge], start: Collection[int], upwards: bool) -> set[int]:
    """The plain model: follow every edge until nothing is new."""
    known = set(start)
    while True:
        new = {outer if upwards else inner for outer, inner in found if (inner if upwards else outer) in known} - known
        if not new:
            return known
        known |= new


class Graph:
    """Seven groups of Acme, and as many of Globex that are all inside each other and must not be found."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.strangers = self._tenant("globex")
        with store.writing(self.tenant, ACTOR) as work:
            work.insert(NESTINGS, [_edge(one, other) for one in self.strangers for other in self.strangers])
        self.seqs = self._tenant("acme")

    def _tenant(self, slug: str) -> list[int]:
        with self.store.writing(EVERY_TENANT, ACTOR) as work:
            self.tenant = tenants.create(work, slug, slug).id
            catalog.create_type(work, "pro", "Pro")
            return [_group(work, number) for number in range(MOST)]

    def draw(self, work: Work, found: Collection[Edge]) -> None:
        """Make these edges, and no others."""
        work.execute(sa.delete(NESTINGS).where(NESTINGS.c.tenant_id == TENANT))
        work.insert(NESTINGS, [_edge(self.seqs[outer], self.seqs[inner]) for outer, inner in sorted(found)])

    def rule(self, work: Work, ruled: Collection[int], state: str = rules.BOUND) -> None:
        """Bind a rule to each of these groups, and to no other."""
        work.execute(sa.delete(RULES).where(RULES.c.tenant_id == TENANT))
        pro = catalog.find_type(work, "pro").seq
        for number in sorted(ruled):
            names = {"group_name": str(number), "group_name_key": str(number), "group_seq": self.seqs[number]}
            work.insert_one(RULES, type_seq=pro, state=state, priority=1, created_at=work.now, **names)

    def fed(self, work: Work) -> set[int]:
        """Which groups say that they feed a rule."""
        rows = work.rows(sa.select(GROUPS.c.seq).where(GROUPS.c.tenant_id == TENANT, GROUPS.c.feeds))
        return self.numbers(row.seq for row in rows)

    def numbers(self, seqs: Iterable[int]) -> set[int]:
        return {self.seqs.index(seq) for seq in seqs}

    def of(self, chosen: Collection[int]) -> list[int]:
        return [self.seqs[number] for number in chosen]


def _edge(outer: int, inner: int) -> dict[str, int]:
    return {"group_seq": outer, "child_seq": inner}


def _group(work: Work, number: int) -> int:
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now, "document": "{}"}
    names = {"id": f"g{number}", "display_name": f"g{number}", "display_name_key": f"g{number}"}
    return work.insert_one(GROUPS, member_count=0, feeds=False, **names, **stamps)


@pytest.fixture
def graph(store: Store) -> Graph:
    """Groups without edges."""
    return Graph(store)


@pytest.mark.proof
@repeated
@given(found=edges, start=numbers)
def test_above_and_below_are_what_following_every_edge_finds(
    graph: Graph, count: Count, found: set[Edge], start: set[int]
) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, found)
        assert graph.numbers(closure.above(work, graph.of(start))) == reached(found, start, upwards=True)
        assert graph.numbers(closure.below(work, graph.of(start))) == reached(found, start, upwards=False)
    count(GRAPHS)


@pytest.mark.proof
@repeated
@given(found=edges, ruled=numbers, start=numbers)
def test_feeds_is_true_where_a_rule_is_here_or_above(
    graph: Graph, count: Count, found: set[Edge], ruled: set[int], start: set[int]
) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, found)
        graph.rule(work, ruled)
        closure.refresh_feeds(work, graph.seqs)
        assert graph.fed(work) == reached(found, ruled, upwards=False)
        graph.rule(work, set())
        closure.refresh_feeds(work, graph.of(start))
        assert graph.fed(work) == reached(found, ruled, upwards=False) - reached(found, start, upwards=False)
    count(GRAPHS)


@pytest.mark.proof
@repeated
@given(found=edges, ruled=numbers, edge=st.tuples(st.integers(0, MOST - 1), st.integers(0, MOST - 1)))
def test_one_edge_more_or_less_needs_a_refresh_of_the_member_only(
    graph: Graph, count: Count, found: set[Edge], ruled: set[int], edge: Edge
) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, found)
        graph.rule(work, ruled)
        closure.refresh_feeds(work, graph.seqs)
        graph.draw(work, found ^ {edge})
        closure.refresh_feeds(work, graph.of(edge[1:]))
        assert graph.fed(work) == reached(found ^ {edge}, ruled, upwards=False)
    count(GRAPHS)


DIAMOND = {(0, 1), (0, 2), (1, 3), (2, 3)}


def test_a_diamond_is_fed_until_both_ways_are_cut(graph: Graph) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, DIAMOND)
        graph.rule(work, {0})
        closure.refresh_feeds(work, graph.seqs)
        assert graph.fed(work) == {0, 1, 2, 3}
        graph.draw(work, DIAMOND - {(1, 3)})
        closure.refresh_feeds(work, graph.of([3]))
        assert graph.fed(work) == {0, 1, 2, 3}
        graph.draw(work, DIAMOND - {(1, 3), (2, 3)})
        closure.refresh_feeds(work, graph.of([3]))
        assert graph.fed(work) == {0, 1, 2}


@pytest.mark.parametrize("ring", [{(0, 0)}, {(0, 1), (1, 0)}, {(0, 1), (1, 2), (2, 0), (2, 3)}])
def test_a_ring_of_groups_comes_to_an_end(graph: Graph, ring: set[Edge]) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, ring)
        assert graph.numbers(closure.below(work, graph.of([0]))) == reached(ring, {0}, upwards=False)
        assert graph.numbers(closure.above(work, graph.of([0]))) == reached(ring, {0}, upwards=True)


@pytest.mark.parametrize("state", [rules.UNBOUND, rules.ORPHANED])
def test_a_rule_that_is_not_bound_feeds_nothing(graph: Graph, state: str) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        graph.draw(work, DIAMOND)
        graph.rule(work, {0}, state)
        closure.refresh_feeds(work, graph.seqs)
        assert graph.fed(work) == set()


def test_groups_that_are_gone_or_of_another_tenant_are_not_found(graph: Graph) -> None:
    asked = [*graph.strangers, max(graph.seqs) + 1, graph.seqs[0]]
    with graph.store.writing(graph.tenant, ACTOR) as work:
        assert closure.above(work, asked) == closure.below(work, asked) == {graph.seqs[0]}
        assert closure.lock_groups(work, asked) == {graph.seqs[0]}
        assert closure.above(work, []) == closure.below(work, []) == closure.lock_groups(work, []) == set()


def test_a_long_chain_is_followed_to_its_end_from_either_side(graph: Graph) -> None:
    with graph.store.writing(graph.tenant, ACTOR) as work:
        chain = [_group(work, number) for number in range(MOST, MOST + 2 * CHUNK)]
        work.insert(NESTINGS, [_edge(outer, inner) for outer, inner in itertools.pairwise(chain)])
        assert closure.below(work, chain[:1]) == closure.above(work, chain[-1:]) == set(chain)
        assert closure.below(work, chain) == closure.lock_groups(work, chain) == set(chain)


def test_who_did_not_take_the_lock_of_nestings_is_sent_again(graph: Graph) -> None:
    with pytest.raises(faults.Again), graph.store.writing(graph.tenant, ACTOR) as work:
        closure.need_nesting_lock(work)
    with graph.store.writing(graph.tenant, ACTOR) as work:
        closure.lock_nesting(work)
        closure.need_nesting_lock(work)
