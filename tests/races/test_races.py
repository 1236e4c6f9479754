"""Several processes at once: nothing lost, nothing oversold, nothing dangling (reliability.md F13 to F16)."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.licensing import catalog, contracts, rules, usage
from scim_service.storage import tables
from scim_service.storage.work import Work
from tests.races import soundness
from tests.races.conftest import PROCESSES, Race, Rounds
from tests.service import Cast

CAP = 15

_memberships = tables.directory.memberships
_claims = tables.licensing.claims
_assignments = tables.licensing.assignments
_users = tables.directory.users
_tenants = tables.access.tenants

pytestmark = pytest.mark.proof


def dealt(acts: list[list[Any]], seed: int) -> list[list[list[Any]]]:
    """The acts, shuffled and dealt out to the processes."""
    random.Random(seed).shuffle(acts)
    return [acts[number::PROCESSES] for number in range(PROCESSES)]


def members(cast: Cast, group_id: str) -> set[str]:
    return {one["value"] for one in cast.acme.get(f"/Groups/{group_id}").body.get("members", [])}


def test_the_last_seats_are_never_sold_twice_and_nobody_waits_beside_a_free_one(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("seat"):
        people, team = queue_of_forty(cast)
        ids = [one["id"] for one in people]
        acts: list[list[Any]] = [["add", team, one] for one in ids]
        acts += [["remove", team, one] for one in ids[::4]]
        acts += [["active", one, active] for one in ids[::3] for active in (False, True)]
        acts += [["assign", one["userName"], "pro"] for one in people[::5]]
        outcomes = race(cast, dealt(acts, seed))
        assert {outcome for act, outcome in outcomes if act[0] != "assign"} == {"done"}
        assert {outcome for act, outcome in outcomes if act[0] == "assign"} <= {"done", "409"}
        assert_seats_are_sound(cast)


def set_brake(work: Work, settings: str) -> None:
    """Whether many removals at once leave seats parked for a day (licensing.md E-27), as the tenant has set it."""
    work.execute(sa.update(_tenants).where(_tenants.c.id == sa.bindparam("tenant")).values(settings=settings))


def queue_of_forty(cast: Cast) -> tuple[list[dict[str, Any]], str]:
    """Forty people, fifteen seats, the group that gives them, and no brake: who loses a seat frees it at once."""
    with cast.writing() as work:
        set_brake(work, '{"mass_change": false}')
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": CAP})
    people = [cast.acme.user(f"p{number}@example.com") for number in range(40)]
    team = cast.acme.group("Sales")["id"]
    with cast.writing() as work:
        rules.create(work, "Sales", "pro", exit_grace=timedelta(0))
    return people, team


def test_fifty_parallel_member_patches_lose_none(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("member"):
        ids = [cast.acme.user(f"p{number}@example.com")["id"] for number in range(50)]
        team = cast.acme.group("Team")["id"]
        outcomes = race(cast, dealt([["add", team, one] for one in ids], seed))
        assert {outcome for _, outcome in outcomes} == {"done"}
        assert members(cast, team) == set(ids)
        assert cast.acme.get(f"/Groups/{team}", excludedAttributes="members").body["meta"]["version"] == 'W/"51"'


def test_of_two_creates_of_one_name_one_wins_and_one_is_told_so(rounds: Rounds, race: Race) -> None:
    for cast, _ in rounds("name"):
        names = [f"Person{number}@Example.com" for number in range(10)]
        spelled = [names, [name.upper() for name in names]] * (PROCESSES // 2)
        dealt_out = [share[number // 2 :: PROCESSES // 2] for number, share in enumerate(spelled)]
        outcomes = race(cast, [[["create", name] for name in share] for share in dealt_out])
        for name in names:
            assert sorted(outcome for act, outcome in outcomes if act[1].lower() == name.lower()) == ["409", "done"]
        assert cast.acme.get("/Users", count=0).body["totalResults"] == len(names)


def test_deleting_people_beside_member_adds_leaves_no_dangling_row_and_no_deadlock(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("leaver"):
        ids = [cast.acme.user(f"p{number}@example.com")["id"] for number in range(20)]
        teams = [cast.acme.group(f"Team {number}")["id"] for number in range(3)]
        adds = [["add", team, one] for team in teams for one in ids]
        outcomes = race(cast, dealt([*adds, *[["delete", one] for one in ids[:10]]], seed))
        assert {outcome for _, outcome in outcomes} == {"done"}
        for team in teams:
            assert members(cast, team) == set(ids[10:])
        with cast.reading() as work:
            rows = work.value(sa.select(sa.func.count()).where(_memberships.c.tenant_id == sa.bindparam("tenant")))
        assert rows == 30


def test_everything_at_once_leaves_every_table_sound(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("all-at-once"):
        with cast.writing() as work:
            if seed % 2:
                set_brake(work, '{"mass_change_people": 0, "mass_change_percent": 0}')
            catalog.create_type(work, "basic", "Basic", family="suite", rank=1)
            catalog.create_type(work, "pro", "Pro", family="suite", rank=2)
            contracts.create(work, "C-1", {"basic": 6, "pro": 4})
        people = [cast.acme.user(f"p{number}@example.com") for number in range(24)]
        groups = [cast.acme.group(f"G{number}")["id"] for number in range(6)]
        dice = random.Random(seed)
        acts = [any_act(dice, people, groups, number % 8 == 0) for number in range(160)]
        outcomes = race(cast, dealt(acts, seed))
        assert {outcome for _, outcome in outcomes} <= {"done", "400", "404", "409"}
        with cast.reading() as work:
            assert soundness.faults(work) == []


def any_act(dice: random.Random, people: list[dict[str, Any]], groups: list[str], ending: bool) -> list[Any]:
    """Something that somebody may do; deleting only now and then, else soon nobody is left."""
    person, group, other = dice.choice(people), dice.choice(groups), dice.choice(groups)
    name, code = f"G{dice.randrange(8)}", dice.choice(["basic", "pro"])
    acts: list[list[Any]] = [
        ["add", group, person["id"]],
        ["add", group, person["id"]],
        ["remove", group, person["id"]],
        ["add", group, other],
        ["remove", group, other],
        ["active", person["id"], dice.random() < 0.5],
        ["rename", group, name],
        ["rule", name, code],
        ["unrule", name, code],
        ["assign", person["userName"], "pro"],
        ["unassign", person["userName"], "pro"],
        ["found", name, person["id"], group],
    ]
    return dice.choice([*acts, ["delete", person["id"]], ["drop", group]] if ending else acts)


def assert_seats_are_sound(cast: Cast) -> None:
    """The ledger is the rows, the cap holds, and who waits does so because every seat is taken by somebody active."""
    tenant = _assignments.c.tenant_id == sa.bindparam("tenant")
    with cast.reading() as work:
        line = next(line for line in usage.seats(work) if line.code == "pro")
        states = [row.state for row in work.rows(sa.select(_assignments.c.state).where(tenant))]
        idle = work.value(
            sa.select(sa.func.count())
            .select_from(_assignments)
            .join(
                _users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq)
            )
            .where(tenant, _users.c.active.is_(False), _assignments.c.state == "assigned")
        )
        claimed = work.value(
            sa.select(sa.func.count(sa.distinct(_claims.c.user_seq)))
            .join(_users, sa.and_(_users.c.tenant_id == _claims.c.tenant_id, _users.c.seq == _claims.c.user_seq))
            .where(_claims.c.tenant_id == sa.bindparam("tenant"), _claims.c.until.is_(None), _users.c.active.is_(True))
        )
    held = sum(state in {"assigned", "grace"} for state in states)
    assert line.used == held <= CAP
    assert idle == 0
    assert held == min(CAP, claimed)
    assert states.count("waiting") == claimed - held
