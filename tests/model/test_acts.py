"""Acts by hand in any order, beside an identity provider, the clock and falling caps: after each one nothing is left to
do (licensing.md I-6, I-12). Refused acts carry a code; converting moves no seat."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scim_service import errors
from scim_service.directory import people
from scim_service.licensing import catalog, contracts, conversion, direct, lifecycle, rules, seats, usage, verify
from scim_service.licensing.catalog import Options
from scim_service.storage.store import Store
from scim_service.storage.work import Work
from tests import service
from tests.conftest import Count, SettableClock
from tests.service import CORE

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
WALKS, STEPS = (100, 80) if PROVE else (6, 60)
CODES = ("basic", "pro", "base", "extra", "guest")

pytestmark = pytest.mark.proof


class Walk:
    """Acme on one walk: who there is by now, and the dice."""

    def __init__(self, store: Store, clock: SettableClock, seed: int) -> None:
        self.cast, self.clock, self.dice = service.assemble(store), clock, random.Random(seed)
        self.names: list[str] = []
        self.ids: dict[str, str] = {}
        self.made = 0
        self.groups = {name: self.cast.acme.group(name)["id"] for name in ("Sales", "Staff")}
        with self.cast.writing() as work:
            self._sell(work)
        for _ in range(6):
            self.meet(self.act(lambda work: people.add(work, self.form())))

    def _sell(self, work: Work) -> None:
        """A family, a type that requires another one, one that excludes another one; rules with and without a quota."""
        grace = timedelta(hours=self.dice.randrange(2))
        for rank, code in enumerate(("basic", "pro")):
            catalog.create_type(work, code, code, family="suite", rank=rank, exit_grace=grace)
        catalog.create_type(work, "base", "Base")
        needs = Options(requires=("base",), suspend_frees=self.dice.random() < 0.5)
        catalog.create_type(work, "extra", "Extra", options=needs)
        apart = Options(excludes=("pro",), grace_yields=True)
        catalog.create_type(work, "guest", "Guest", rank=-1, options=apart)
        contracts.create(work, "C-1", {"basic": 2, "pro": 2, "base": 3, "extra": 2, "guest": 2})
        quota = rules.Terms(quota=1 if self.dice.random() < 0.5 else None)
        rules.create(work, "Sales", "pro", terms=quota)
        rules.create(work, "Staff", "basic")
        rules.create(work, "Staff", "base")

    def form(self) -> dict[str, Any]:
        self.made += 1
        return people.form(f"n{self.made}")

    def act(self, what: Callable[[Work], Any]) -> Any:
        with self.cast.writing() as work:
            return what(work)

    def meet(self, made: people.Made) -> None:
        self.names.append(made.person.document["userName"])
        self.ids[self.names[-1]] = made.person.id

    def seated(self) -> set[tuple[str, str]]:
        with self.cast.reading() as work:
            found = usage.people(work)
        return {(one.user_name, one.type_code) for one in found if one.state in ("assigned", "grace")}

    def findings(self) -> list[str]:
        with self.cast.reading() as work:
            return verify.findings(work)

    def step(self) -> str:
        """One act, whoever it is about; what it was."""
        kind = self.dice.choice(sorted(ACTS))
        user, other = self.dice.sample(self.names, 2)
        code, to = self.dice.sample(CODES, 2)
        try:
            ACTS[kind](self, user, other, code, to)
        except errors.ScimError as refused:
            assert refused.code or kind == "seats", (kind, refused.detail)
        return f"{kind} {user} {other} {code} {to}"


def _given(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    until = walk.clock.now() + timedelta(minutes=walk.dice.randrange(1, 90))
    terms: dict[str, Any] = walk.dice.choice([{}, {}, {"pinned": True}, {"pinned": False}, {"expires_at": until}])
    walk.act(lambda work: direct.assign(work, user, code, **terms))


def _suspended(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    free = walk.dice.choice([None, True, False])
    walk.act(lambda work: lifecycle.suspend(work, user, code, free_seat=free))


def _changed(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    pin = walk.dice.random() < 0.3
    walk.act(lambda work: lifecycle.change_type(work, user, code, to, pin=pin))


def _converted(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    walk.act(seats.tick)
    before = walk.seated()
    walk.act(conversion.convert)
    assert walk.seated() == before


def _replaced(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    wanted = walk.dice.choice([None, code])
    walk.meet(walk.act(lambda work: people.add(work, walk.form(), wanted, replaces=user)))


def _pushed(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    group, user_id = walk.groups[walk.dice.choice(["Sales", "Staff"])], walk.ids[user]
    add = {"op": "add", "path": "members", "value": [{"value": user_id}]}
    remove = {"op": "remove", "path": f'members[value eq "{user_id}"]'}
    assert walk.cast.acme.patch(f"/Groups/{group}", walk.dice.choice([add, add, remove])).status == 200


def _deleted(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    assert walk.cast.acme.delete(f"/Users/{walk.ids[user]}").status == 204
    walk.ids[user] = walk.cast.acme.post("/Users", {"schemas": [CORE], "userName": user}).body["id"]


def _waited(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    walk.clock.advance(timedelta(minutes=walk.dice.choice([5, 20, 60, 60, 31 * 24 * 60])))
    walk.act(seats.tick)


def _capped(walk: Walk, user: str, other: str, code: str, to: str) -> None:
    count, mode = walk.dice.randrange(4), walk.dice.choice(["freeze", "immediate", "reject"])
    walk.act(lambda work: contracts.set_seats(work, "C-1", {code: count}, mode))


ACTS: dict[str, Callable[[Walk, str, str, str, str], Any]] = {
    "assign": _given,
    "assign again": _given,
    "suspend": _suspended,
    "resume": lambda walk, user, other, code, to: walk.act(lambda work: lifecycle.resume(work, user, code)),
    "remove": lambda walk, user, other, code, to: walk.act(lambda work: lifecycle.remove(work, user, code)),
    "remove all": lambda walk, user, other, code, to: walk.act(lambda work: lifecycle.remove(work, user)),
    "reassign": lambda walk, user, other, code, to: walk.act(lambda work: lifecycle.reassign(work, user, code, other)),
    "change type": _changed,
    "convert": _converted,
    "ban": lambda walk, user, other, code, to: walk.act(lambda work: people.ban(work, user, "fraud")),
    "unban": lambda walk, user, other, code, to: walk.act(lambda work: people.unban(work, user)),
    "deactivate": lambda walk, user, other, code, to: walk.act(lambda work: people.deactivate(work, user)),
    "reactivate": lambda walk, user, other, code, to: walk.act(lambda work: people.reactivate(work, user)),
    "replace": _replaced,
    "copy": lambda walk, user, other, code, to: walk.meet(walk.act(lambda work: people.copy(work, user, walk.form()))),
    "push": _pushed,
    "push again": _pushed,
    "delete": _deleted,
    "wait": _waited,
    "seats": _capped,
}


@pytest.mark.parametrize("seed", range(WALKS))
def test_I_6_after_every_act_by_hand_nothing_is_left_to_do(
    store: Store, clock: SettableClock, count: Count, seed: int
) -> None:
    walk, done = Walk(store, clock, seed), []
    for _ in range(STEPS):
        done.append(walk.step())
        assert walk.findings() == [], done[-8:]
    count("{:,} acts by hand in any order", STEPS)
