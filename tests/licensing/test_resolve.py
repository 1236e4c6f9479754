"""The decision itself, without a database: tables of cases, properties of random ones (licensing.md A-3, A-5, A-7)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service.licensing.facts import (
    ASSIGNED,
    COVERED,
    EFFECTIVE,
    GRACE,
    WAITING,
    Assignment,
    Claim,
    Outcome,
    Person,
    Type,
)
from scim_service.licensing.resolve import Counts, Queues, resolve

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BASIC, PRO, EXTRA, FREE = 1, 2, 3, 4
CODES = {BASIC: "basic", PRO: "pro", EXTRA: "extra", FREE: "free"}
Limits = dict[int, int | None]


def types(limits: Limits) -> list[Type]:
    """`pro` is better than `basic`; `extra` and `free` stand alone."""
    family = {BASIC: ("suite", 10), PRO: ("suite", 20), EXTRA: (None, 0), FREE: (None, 0)}
    return [Type(seq, CODES[seq], *family[seq], limit) for seq, limit in limits.items()]


def someone(seq: int, wants: dict[int, str], has: dict[int, str] | None = None, *, active: bool = True) -> Person:
    """`wants`: type → live or left; `has`: type → state. The seq is the seniority."""
    person = Person(seq, active)
    for kind, how in wants.items():
        until, ending = (None, None) if how == "live" else (LATER, "left_group")
        person.claims.append(Claim(seq, kind, "direct", None, 100, NOW, seq, until, ending))
    for kind, state in (has or {}).items():
        until = LATER if state == GRACE else None
        person.held[kind] = Assignment(state, REASONS[state], NOW, until, (100, NOW, seq), seated=state in EFFECTIVE)
    return person


REASONS = {ASSIGNED: None, GRACE: "left_group", WAITING: "cap_reached", COVERED: "better_type_held"}


class World:
    """Everybody there is; keeps what comes out, as the tables would, and serves the heads of queues."""

    def __init__(self, limits: Limits, everybody: Iterable[Person]) -> None:
        self.limits = limits
        self.everybody = {person.seq: person for person in everybody}
        self.asked: list[int] = []

    def used(self, kind: int) -> int:
        rows = [person.held.get(kind) for person in self.everybody.values()]
        return sum(row is not None and row.state in EFFECTIVE for row in rows)

    def heads(self, kind: int, first: int, known: Container[int]) -> Iterator[Person]:
        self.asked.append(kind)
        waiting = [one for one in self.everybody.values() if kind in one.held and one.held[kind].state == WAITING]
        waiting.sort(key=lambda one: one.held[kind].key)
        return iter([one for one in waiting[:first] if one.seq not in known])

    def settle(self, *touched: int, opened: Container[int] = ()) -> Outcome:
        people = [self.everybody[seq] for seq in touched]
        consuming = {kind: self.used(kind) for kind in self.limits}
        queues = Queues(self.heads)
        outcome = resolve(types(self.limits), people, Counts(consuming), queues, NOW, opened=opened)
        for (seq, kind), row in outcome.changes.items():
            if row is None:
                del self.everybody[seq].held[kind]
            else:
                self.everybody[seq].held[kind] = row
        for kind, used in outcome.consuming.items():
            assert used == self.used(kind) != consuming[kind]
        return outcome

    def states(self) -> dict[int, dict[int, str]]:
        return {seq: {kind: row.state for kind, row in one.held.items()} for seq, one in self.everybody.items()}


live, left = "live", "left"
Case = tuple[Limits, list[tuple[dict[int, str], dict[int, str]]], dict[int, dict[int, str]]]
CASES: dict[str, Case] = {
    "I_7 nothing was bought, so everybody waits": ({EXTRA: 0}, [({EXTRA: live}, {})], {1: {EXTRA: WAITING}}),
    "D_4 a free type has no cap": ({FREE: None}, [({FREE: live}, {})] * 2, {1: {FREE: ASSIGNED}, 2: {FREE: ASSIGNED}}),
    "A_3 the most senior gets the last seat": (
        {EXTRA: 1},
        [({EXTRA: live}, {}), ({EXTRA: live}, {})],
        {1: {EXTRA: ASSIGNED}, 2: {EXTRA: WAITING}},
    ),
    "I_5 a holder stays, however senior the newcomer": (
        {EXTRA: 1},
        [({EXTRA: live}, {}), ({EXTRA: live}, {EXTRA: ASSIGNED})],
        {1: {EXTRA: WAITING}, 2: {EXTRA: ASSIGNED}},
    ),
    "decision_29 holders stay above a limit that fell": (
        {EXTRA: 0},
        [({EXTRA: live}, {EXTRA: ASSIGNED})],
        {1: {EXTRA: ASSIGNED}},
    ),
    "E_3 a lingering reason keeps the seat": ({EXTRA: 1}, [({EXTRA: left}, {EXTRA: ASSIGNED})], {1: {EXTRA: GRACE}}),
    "E_3 a lingering reason wins no seat": ({EXTRA: 1}, [({EXTRA: left}, {})], {1: {}}),
    "E_3 who waits and leaves just leaves the queue": ({EXTRA: 0}, [({EXTRA: left}, {EXTRA: WAITING})], {1: {}}),
    "E_2 a reason that is back ends the grace": (
        {EXTRA: 1},
        [({EXTRA: live}, {EXTRA: GRACE})],
        {1: {EXTRA: ASSIGNED}},
    ),
    "no reason, no seat": ({EXTRA: 1}, [({}, {EXTRA: ASSIGNED})], {1: {}}),
    "A_7 the better type covers the lesser": (
        {BASIC: 1, PRO: 1},
        [({BASIC: live, PRO: live}, {})],
        {1: {PRO: ASSIGNED, BASIC: COVERED}},
    ),
    "A_7 fall-back to the lesser while the better is full": (
        {BASIC: 1, PRO: 0},
        [({BASIC: live, PRO: live}, {})],
        {1: {PRO: WAITING, BASIC: ASSIGNED}},
    ),
    "A_7 both full: in both queues": (
        {BASIC: 0, PRO: 0},
        [({BASIC: live, PRO: live}, {})],
        {1: {PRO: WAITING, BASIC: WAITING}},
    ),
    "I_4 an upgrade gives the lesser seat to who waits for it": (
        {BASIC: 1, PRO: 1},
        [({BASIC: live, PRO: live}, {BASIC: ASSIGNED}), ({BASIC: live}, {BASIC: WAITING})],
        {1: {PRO: ASSIGNED, BASIC: COVERED}, 2: {BASIC: ASSIGNED}},
    ),
    "A_7 a better type in grace still covers": (
        {BASIC: 1, PRO: 1},
        [({BASIC: live, PRO: left}, {PRO: ASSIGNED})],
        {1: {PRO: GRACE, BASIC: COVERED}},
    ),
    "A_7 a lesser type in grace is given up for the better": (
        {BASIC: 1, PRO: 1},
        [({BASIC: left, PRO: live}, {BASIC: GRACE})],
        {1: {PRO: ASSIGNED}},
    ),
    "A_7 without the better type the lesser counts again": (
        {BASIC: 1, PRO: 1},
        [({BASIC: live}, {PRO: ASSIGNED, BASIC: COVERED})],
        {1: {BASIC: ASSIGNED}},
    ),
    "types outside a family stand alone": (
        {EXTRA: 1, PRO: 1},
        [({EXTRA: live, PRO: live}, {})],
        {1: {EXTRA: ASSIGNED, PRO: ASSIGNED}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_A_5_each_case_comes_out_as_told(name: str) -> None:
    limits, people, wanted = CASES[name]
    world = World(limits, [someone(seq, *one) for seq, one in enumerate(people, 1)])
    world.settle(*world.everybody)
    assert world.states() == wanted


def test_E_10_claims_of_an_inactive_person_are_dormant() -> None:
    world = World({EXTRA: 1, FREE: None}, [someone(1, {EXTRA: live, FREE: live}, {EXTRA: ASSIGNED}, active=False)])
    world.settle(1)
    assert world.states() == {1: {}}


def test_A_5_a_seat_that_comes_free_goes_to_the_head_of_the_queue_and_on_down_the_family() -> None:
    world = World(
        {BASIC: 1, PRO: 1},
        [
            someone(1, {}, {PRO: ASSIGNED}),
            someone(2, {PRO: live, BASIC: live}, {PRO: WAITING, BASIC: ASSIGNED}),
            someone(3, {PRO: live, BASIC: live}, {PRO: WAITING, BASIC: WAITING}),
            someone(4, {BASIC: live}, {BASIC: WAITING}),
        ],
    )
    world.settle(1)
    assert world.states() == {
        1: {},
        2: {PRO: ASSIGNED, BASIC: COVERED},
        3: {PRO: WAITING, BASIC: ASSIGNED},
        4: {BASIC: WAITING},
    }


def test_A_5_the_queue_is_not_asked_where_no_seat_came_free() -> None:
    world = World({EXTRA: 2}, [someone(1, {EXTRA: live}), someone(2, {EXTRA: live}), someone(3, {EXTRA: live})])
    world.settle(1)
    world.settle(2, 3)
    assert world.asked == []
    world.limits[EXTRA] = 3
    world.settle(opened={EXTRA})
    assert world.asked == [EXTRA]
    assert world.used(EXTRA) == 3


def test_a_touched_person_in_the_queue_does_not_hide_the_next_one() -> None:
    world = World(
        {EXTRA: 1},
        [
            someone(1, {}, {EXTRA: ASSIGNED}),
            someone(2, {}, {EXTRA: WAITING}),
            someone(3, {EXTRA: live}, {EXTRA: WAITING}),
        ],
    )
    world.settle(1, 2)
    assert world.states() == {1: {}, 2: {}, 3: {EXTRA: ASSIGNED}}


def test_since_is_kept_while_the_seat_is_held_and_set_when_it_is_given() -> None:
    early = NOW - timedelta(days=1)
    holder, waiter = someone(1, {EXTRA: left}), someone(2, {EXTRA: live}, {EXTRA: WAITING})
    holder.held[EXTRA] = Assignment(ASSIGNED, None, early, None, (100, NOW, 1), seated=True)
    world = World({EXTRA: 1}, [holder, waiter])
    world.settle(1)
    assert holder.held[EXTRA] == Assignment(GRACE, "left_group", early, LATER, (100, NOW, 1), seated=True)
    holder.claims.clear()
    world.settle(1)
    assert waiter.held[EXTRA].since == NOW


def test_A_3_of_several_reasons_the_most_senior_live_one_counts() -> None:
    person = someone(5, {EXTRA: live})
    person.claims.append(Claim(5, EXTRA, "rule:1", 1, 50, LATER, 9))
    person.claims.append(Claim(5, EXTRA, "rule:2", 2, 10, NOW, 3, LATER, "left_group"))
    world = World({EXTRA: 1}, [person])
    world.settle(5)
    assert person.held[EXTRA].key == (50, LATER, 9)


events = st.lists(
    st.tuples(
        st.integers(1, 8), st.sampled_from(list(CODES)), st.sampled_from([live, left, "none", "on", "off", "grow"])
    ),
    min_size=1,
    max_size=40,
)


@given(st.fixed_dictionaries({BASIC: st.integers(0, 3), PRO: st.integers(0, 2), EXTRA: st.integers(0, 3)}), events)
def test_I_1_I_6_A_5_A_7_hold_after_any_events(caps: dict[int, int], happened: list[tuple[int, int, str]]) -> None:
    world = World({**caps, FREE: None}, [Person(seq, True) for seq in range(1, 9)])
    for rank, (seq, kind, event) in enumerate(happened):
        happen(world, seq, kind, event, rank)
        assert_sound(world)
        settled = world.states()
        assert world.settle(*world.everybody, opened=set(CODES)).changes == {}
        assert world.states() == settled


def happen(world: World, seq: int, kind: int, event: str, rank: int) -> None:
    """One event: a reason comes, lingers or ends; a person sleeps or wakes; seats are bought."""
    person = world.everybody[seq]
    if event == "grow":
        world.limits[kind] = None if kind == FREE else (world.limits[kind] or 0) + 1
        world.settle(opened={kind})
        return
    if event in ("on", "off"):
        person.active = event == "on"
    else:
        person.claims = [claim for claim in person.claims if claim.type_seq != kind]
        person.claims += [Claim(seq, kind, "direct", None, 100, NOW, rank)] if event == live else []
        person.claims += (
            [Claim(seq, kind, "direct", None, 100, NOW, rank, LATER, "left_group")] if event == left else []
        )
    world.settle(seq)


def assert_sound(world: World) -> None:
    for kind, limit in world.limits.items():
        assert limit is None or world.used(kind) <= limit
        waiting = [one for one in world.everybody.values() if kind in one.held and one.held[kind].state == WAITING]
        assert not waiting or world.used(kind) == limit
    for person in world.everybody.values():
        held = {kind for kind, row in person.held.items() if row.state in EFFECTIVE}
        assert not {BASIC, PRO} <= held
        assert person.active or not person.held
        assert BASIC not in person.held or person.held[BASIC].state != COVERED or PRO in held
