"""Several processes at once at the limit of a plan and at the head of a tenant: one head at every commit (I-9, D-2)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from scim_service.access import admins, roles
from tests.races.conftest import PROCESSES, Race, Rounds, watching
from tests.service import Cast

pytestmark = pytest.mark.proof


def mail(number: int) -> str:
    return f"a{number}@acme.example"


def heads(cast: Cast) -> list[str]:
    with cast.reading() as work:
        return [one.email for one in admins.listing(work) if one.role == roles.HEAD]


def headed(cast: Cast, others: int) -> None:
    """Administrators and operators who have accepted, the first of them at the head."""
    with cast.writing() as work:
        admins.change_plan(work, "enterprise")
        for number in range(others + 1):
            admins.add(work, mail(number), "Somebody", roles.OPERATOR if number % 2 else roles.ADMINISTRATOR)
            admins.accept(work, mail(number))
        admins.appoint_head(work, mail(0))


def test_I_9_of_heads_appointed_at_once_one_is_appointed_and_there_is_never_another_number(
    rounds: Rounds, race: Race
) -> None:
    for cast, _ in rounds("head"):
        headed(cast, PROCESSES)
        acts: list[list[Any]] = [["appoint", mail(number), mail(0)] for number in range(1, PROCESSES + 1)]
        with watching(partial(heads, cast)) as seen:
            outcomes = race(cast, [[act] for act in acts])
        assert sorted(outcome for _, outcome in outcomes) == ["403"] * (PROCESSES - 1) + ["done"]
        assert heads(cast) == [act[1] for act, outcome in outcomes if outcome == "done"]
        assert {len(one) for one in seen} == {1}


def test_I_9_a_head_who_is_appointed_while_being_removed_is_the_head_or_gone(rounds: Rounds, race: Race) -> None:
    for cast, _ in rounds("head-or-gone"):
        headed(cast, 1)
        appoint, dismiss, retire = ("appoint", mail(1), mail(0)), ("dismiss", mail(1)), ("dismiss", mail(0))
        acts = [appoint, dismiss, retire, appoint, dismiss, retire, appoint, dismiss]
        with watching(partial(heads, cast)) as seen:
            outcomes = [(tuple(act), outcome) for act, outcome in race(cast, [[[*act]] for act in acts])]
        told = {act: sorted(outcome for one, outcome in outcomes if one == act) for act in (appoint, dismiss, retire)}
        if heads(cast) == [mail(1)]:
            assert (told[appoint], told[dismiss]) == (["403", "403", "done"], ["409"] * 3)
            assert told[retire] in (["404", "done"], ["409", "done"], ["409", "409"])
        else:
            assert heads(cast) == [mail(0)]
            assert (told[appoint], told[dismiss]) == (["404"] * 3, ["404", "404", "done"])
            assert told[retire] == ["409", "409"]
        assert {len(one) for one in seen} == {1}


def test_D_2_of_administrators_invited_at_once_no_more_come_in_than_the_plan_allows(rounds: Rounds, race: Race) -> None:
    for cast, _ in rounds("plan"):
        with cast.writing() as work:
            for number in range(3):
                admins.add(work, mail(number), "Somebody", roles.ADMINISTRATOR)
        invites: list[list[Any]] = [["invite", mail(10 + number)] for number in range(PROCESSES * 2)]
        outcomes = race(cast, [invites[number::PROCESSES] for number in range(PROCESSES)])
        assert sorted(outcome for _, outcome in outcomes) == ["409"] * (PROCESSES * 2 - 2) + ["done"] * 2
        with cast.reading() as work:
            assert len(admins.listing(work)) == 5
