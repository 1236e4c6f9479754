"""Several processes hand on, exchange, suspend and push: no seat is sold twice, lost, or seen half moved (I-4)."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.directory import people
from scim_service.licensing import catalog, contracts, direct, lifecycle, rules, verify
from scim_service.storage import tables
from tests.races import soundness
from tests.races.conftest import PROCESSES, Race, Rounds, watching
from tests.races.test_races import dealt
from tests.service import Cast

PRO, SIDE = 6, 4
"""Seats of `pro`, and of `left` and of `right` each."""

CAPS = {"ring": 1, "left": SIDE, "right": SIDE, "pro": PRO}
REFUSED = {"404", "409"}

_assignments = tables.licensing.assignments
_types = tables.licensing.license_types
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_EVERYTHING = (
    sa.select(_users.c.user_name_key, _types.c.code, _assignments.c.state, _assignments.c.stop_holds)
    .join(_users, sa.and_(_users.c.tenant_id == _TENANT, _users.c.seq == _assignments.c.user_seq))
    .join(_types, sa.and_(_types.c.tenant_id == _TENANT, _types.c.seq == _assignments.c.type_seq))
    .where(_assignments.c.tenant_id == _TENANT)
)

pytestmark = pytest.mark.proof

Seen = frozenset[tuple[str, str]]


def seats(cast: Cast) -> Seen:
    """(person, type) of every seat in use, as one statement sees it."""
    with cast.reading() as work:
        return frozenset((row.user_name_key, row.code) for row in work.rows(_EVERYTHING) if soundness.uses_a_seat(row))


def check(cast: Cast) -> None:
    with cast.reading() as work:
        assert soundness.faults(work) == []
        assert verify.findings(work) == []


def fair(cast: Cast) -> Cast:
    """The one ring is r0's by hand, and two wait for it; c0 to c3 have `left`; d0 to d3 hold `pro`, as may a group."""
    with cast.writing() as work:
        for code in CAPS:
            catalog.create_type(work, code, code.title(), exit_grace=timedelta(0))
        contracts.create(work, "C-1", CAPS)
        for name in (*(f"{row}{number}" for row in "rcd" for number in range(4)), "q0", "q1"):
            people.add(work, people.form(name))
        direct.assign(work, "r0", "ring")
        for number in range(4):
            direct.assign(work, f"c{number}", "left")
            direct.assign(work, f"d{number}", "pro")
    with cast.reading() as work:
        queue = [people.profile(work, name).person.id for name in ("q0", "q1")]
    cast.acme.group("Ringers", *queue)
    with cast.writing() as work:
        rules.create(work, "Ringers", "ring")
        rules.create(work, "Sales", "pro")
    return cast


def acts_of(cast: Cast, dice: random.Random) -> list[list[Any]]:
    """Reassignments of the ring, exchanges of left and right, suspensions of pro, and pushes to a group of pro."""
    staff = [cast.acme.user(f"s{number}")["id"] for number in range(8)]
    sales = cast.acme.group("Sales")["id"]
    acts: list[list[Any]] = []
    for _ in range(15):
        giver, taker = dice.sample(range(4), 2)
        changer, keeper, helper = (dice.randrange(4) for _ in range(3))
        one, other = dice.sample(["left", "right"], 2)
        acts += [
            ["reassign", f"r{giver}", "ring", f"r{taker}"],
            ["reassign", f"r{taker}", "ring", f"r{giver}"],
            ["change_type", f"c{changer}", one, other],
            ["suspend", f"d{keeper}", "pro", dice.random() < 0.5],
            ["resume", f"d{keeper}", "pro"],
            ["reassign", f"d{keeper}", "pro", f"d{helper}"] if keeper != helper else ["resume", f"d{keeper}", "pro"],
            ["add", sales, dice.choice(staff)],
            ["add", sales, dice.choice(staff)],
            ["remove", sales, dice.choice(staff)],
        ]
    return acts


def wrong(seen: Seen) -> list[str]:
    """What nobody must ever see: a cap exceeded, the ring nobody's or two people's, left and right both or neither."""
    used = Counter(code for _, code in seen)
    found = [f"{used[code]} seats of {code}" for code, cap in CAPS.items() if used[code] > cap]
    rings = [name for name, code in seen if code == "ring"]
    if len(rings) != 1 or not rings[0].startswith("r"):
        found.append(f"the ring is with {rings}")
    sides = Counter(name for name, code in seen if code in ("left", "right"))
    return found + [f"c{number} has {sides[f'c{number}']}" for number in range(4) if sides[f"c{number}"] != 1]


def test_I_4_no_swap_is_seen_half_done_no_cap_exceeded_and_no_seat_lost(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("swap"):
        acts = acts_of(fair(cast), random.Random(seed))
        with watching(partial(seats, cast)) as seen:
            outcomes = race(cast, dealt(acts, seed))
        assert {outcome for _, outcome in outcomes} <= {"done", *REFUSED}
        done = Counter(act[0] for act, outcome in outcomes if outcome == "done")
        assert all(done[kind] for kind in ("reassign", "change_type", "suspend", "add")), done
        assert seen
        assert [wrong(one) for one in {*seen, seats(cast)} if wrong(one)] == []
        check(cast)


def test_I_1_people_who_come_and_go_by_hand_beside_a_provider_leave_every_table_sound(
    rounds: Rounds, race: Race
) -> None:
    for cast, seed in rounds("come-and-go"):
        dice = random.Random(seed)
        acts = acts_of(fair(cast), dice)
        for number in range(10):
            name = dice.choice(["d0", "d1", "d2", "d3"])
            acts += [
                ["ban", name, "fraud"],
                ["unban", name],
                ["rest", name],
                ["return", name],
                ["replace", f"n{number}", "pro", name],
                ["copy", f"m{number}", name],
                ["seat_remove", name, "pro"],
                ["assign", name, "pro"],
                ["convert"],
            ]
        outcomes = race(cast, dealt(acts, seed))
        assert {outcome for _, outcome in outcomes} <= {"done", *REFUSED}
        check(cast)


def test_I_4_of_many_who_want_the_same_license_handed_on_one_gets_it(rounds: Rounds, race: Race) -> None:
    for cast, _ in rounds("hand-on"):
        fair(cast)
        takers = [f"{row}{number}" for row in "rcd" for number in range(4)][1 : 1 + PROCESSES]
        outcomes = race(cast, [[["reassign", "r0", "ring", name]] for name in takers])
        assert sorted(outcome for _, outcome in outcomes) == ["404"] * (PROCESSES - 1) + ["done"]
        winners = {act[3] for act, outcome in outcomes if outcome == "done"}
        assert {name for name, code in seats(cast) if code == "ring"} == winners
        check(cast)


def test_E_12_a_seat_that_is_held_while_suspended_is_there_when_it_is_resumed(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("suspension"):
        fair(cast)
        staff = [cast.acme.user(f"s{number}")["id"] for number in range(12)]
        sales = cast.acme.group("Sales")["id"]
        acts: list[list[Any]] = [["add", sales, one] for one in staff]
        keepers = [f"d{number}" for number in range(4)]
        acts += [["suspend", name, "pro", False] for name in keepers] * 2 + [
            ["resume", name, "pro"] for name in keepers
        ]
        outcomes = race(cast, dealt(acts, seed))
        assert {outcome for _, outcome in outcomes} == {"done"}
        held = {name for name, code in seats(cast) if code == "pro"}
        assert held >= set(keepers)
        with cast.writing() as work:
            assert {lifecycle.resume(work, name, "pro") for name in keepers} == {"assigned"}
        check(cast)
