"""Every path that takes a seat, at once from several processes, while seats are bought and given back (I-1, I-2)."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from scim_service.directory import people
from scim_service.licensing import catalog, contracts, direct, rules, usage
from scim_service.licensing.catalog import Options
from tests.races.conftest import Race, Rounds, watching
from tests.races.test_lifecycle import check
from tests.races.test_races import dealt, set_brake
from tests.service import Cast

FEW, MANY = 6, 30
"""Seats of `pro`: so many are there at first, and so many at times, when nobody waits."""

RING = ("r0@example.com", "r1@example.com")
"""Two who hand one license to each other."""

PATHS = {
    "add",
    "found",
    "active",
    "attribute",
    "licensed",
    "assign",
    "ask",
    "import",
    "copy",
    "return",
    "reassign",
    "rule",
    "buy",
}
"""Acts that can take a seat; each must have come to something in one of the rounds."""

pytestmark = pytest.mark.proof


def shop(cast: Cast, seed: int) -> list[str]:
    """Six seats of `pro`, which a group gives and people may ask for; where the seed is odd, the brake is on."""
    with cast.writing() as work:
        brake = '{"mass_change_people": 0, "mass_change_percent": 0}' if seed % 2 else '{"mass_change": false}'
        set_brake(work, brake)
        options = Options(requestable=True)
        catalog.create_type(work, "pro", "Pro", exit_grace=timedelta(0), options=options)
        contracts.create(work, "C-1", {"pro": FEW})
        rules.create(work, "Sales", "pro")
        for name in RING:
            people.add(work, people.form(name))
        direct.assign(work, RING[0], "pro")
    return [cast.acme.user(f"p{number}@example.com")["id"] for number in range(12)]


def acts_of(cast: Cast, ids: list[str], dice: random.Random) -> list[list[Any]]:
    """Five times each path, for somebody; and what gives seats back."""
    sales = cast.acme.group("Sales", *ids[:3])["id"]
    acts: list[list[Any]] = []
    for number in range(5):
        one, other = dice.sample(range(12), 2)
        name, heir = f"p{one}@example.com", f"p{other}@example.com"
        acts += [
            ["add", sales, ids[one]],
            ["remove", sales, ids[other]],
            ["found", f"Group {number % 3}", ids[one], ids[other]],
            ["rule", f"Group {number % 3}", "pro"],
            ["active", ids[other], number % 2 == 0],
            ["attribute", ids[one], "pro"],
            ["take_attribute", ids[other]],
            ["licensed", f"l{number}@example.com", "pro"],
            ["assign", name, "pro"],
            ["reassign", RING[number % 2], "pro", RING[1 - number % 2]],
            ["reassign", name, "pro", heir],
            ["ask", heir, "pro"],
            ["approve", heir, "pro"],
            ["import", name, "pro", "add"],
            ["import", heir, "pro", "remove"],
            ["copy", f"c{number}@example.com", name, "pro"],
            ["rest", heir],
            ["return", heir],
            ["seat_remove", name, "pro"],
            ["buy", "pro", dice.choice([FEW, FEW + 2, MANY])],
            ["tick"],
            *([["undo"], ["confirm"]] if number == 2 else []),
        ]
    return acts


def numbers(cast: Cast) -> tuple[int, int]:
    """Seats in use, and bought, as one snapshot has them."""
    with cast.reading() as work:
        [line] = usage.seats(work)
    assert line.limit is not None
    return line.used, line.limit


def test_I_1_I_2_no_path_takes_a_seat_that_is_not_there(rounds: Rounds, race: Race) -> None:
    done: Counter[str] = Counter()
    for cast, seed in rounds("every-path"):
        ids, dice = shop(cast, seed), random.Random(seed)
        acts = acts_of(cast, ids, dice)
        with watching(partial(numbers, cast)) as seen:
            outcomes = race(cast, dealt(acts, seed))
        assert {outcome for _, outcome in outcomes} <= {"done", "404", "409"}
        done.update(act[0] for act, outcome in outcomes if outcome == "done")
        assert [one for one in seen if one[0] > one[1]] == []
        assert max(used for used, _ in seen) >= FEW
        check(cast)
    assert set(done) >= PATHS, PATHS - set(done)
