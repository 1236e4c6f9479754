"""Several processes at once at the limit of a plan and at the head of a tenant: one head at every commit (I-9, D-2)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.access import admins, roles
from tests.races.conftest import PROCESSES, PROVE, Race, watching
from tests.service import Cast

ROUNDS = 10 if PROVE else 1


def mail(number: int) -> str:
    return f"a{number}@acme.example"


def heads(cast: Cast) -> list[str]:
    with cast.reading() as work:
        return [one.email for one in admins.listing(work) if one.role == roles.HEAD]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_I_9_of_heads_appointed_at_once_one_is_appointed_and_there_is_never_another_number(
    cast: Cast, race: Race, round_: int
) -> None:
    with cast.writing() as work:
        admins.change_plan(work, "enterprise")
        for number in range(PROCESSES + 1):
            admins.add(work, mail(number), "Somebody", roles.OPERATOR if number % 2 else roles.ADMINISTRATOR)
            admins.accept(work, mail(number))
        admins.appoint_head(work, mail(0))
    acts: list[list[Any]] = [["appoint", mail(number), mail(0)] for number in range(1, PROCESSES + 1)]
    with watching(lambda: len(heads(cast))) as seen:
        outcomes = race(cast, [[act] for act in acts])
    assert sorted(outcome for _, outcome in outcomes) == ["403"] * (PROCESSES - 1) + ["done"]
    assert heads(cast) == [act[1] for act, outcome in outcomes if outcome == "done"]
    assert seen and set(seen) == {1}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_D_2_of_administrators_invited_at_once_no_more_come_in_than_the_plan_allows(
    cast: Cast, race: Race, round_: int
) -> None:
    with cast.writing() as work:
        for number in range(3):
            admins.add(work, mail(number), "Somebody", roles.ADMINISTRATOR)
    invites: list[list[Any]] = [["invite", mail(10 + number)] for number in range(PROCESSES * 2)]
    outcomes = race(cast, [invites[number::PROCESSES] for number in range(PROCESSES)])
    assert sorted(outcome for _, outcome in outcomes) == ["409"] * (PROCESSES * 2 - 2) + ["done"] * 2
    with cast.reading() as work:
        assert len(admins.listing(work)) == 5


def test_I_9_a_head_who_is_appointed_while_being_removed_is_the_head_or_gone(cast: Cast, race: Race) -> None:
    with cast.writing() as work:
        for number in range(2):
            admins.add(work, mail(number), "Somebody", roles.ADMINISTRATOR)
            admins.accept(work, mail(number))
        admins.appoint_head(work, mail(0))
    outcomes = race(cast, [[["appoint", mail(1), mail(0)]], [["dismiss", mail(1)]], [["dismiss", mail(0)]]])
    told = {(act[0], act[1]): outcome for act, outcome in outcomes}
    assert len(heads(cast)) == 1
    assert {told["appoint", mail(1)], told["dismiss", mail(1)]} in ({"done", "409"}, {"404", "done"})
