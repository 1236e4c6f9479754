"""A preview says exactly what then happens (licensing.md A-12): any change of any small organization."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service import errors
from scim_service.access import tenant_settings
from scim_service.licensing import catalog, contracts, direct, facts, letters, policies, preview, rules, seats, usage
from scim_service.licensing.contracts import SeatLine, Terms
from scim_service.licensing.letters import DIGEST, LICENSE_ADMINISTRATORS, PERSON
from scim_service.licensing.preview import KINDS, OTHERS, Numbers, Preview, Unconfirmed
from scim_service.storage import closure, tables
from scim_service.storage.work import Work
from tests.licensing.conftest import HOUR, NOW, Organization, Posted
from tests.licensing.test_preview import everything

EXAMPLES = 250 if os.environ.get("SCIM_TEST_PROVE") == "1" else 25
DAY = timedelta(days=1)
NAMES = ("ann", "ben", "cem", "dan", "eve", "fay")
GROUPS = ("Sales", "Ops")
CODES = ("basic", "pro", "tool")
_memberships = tables.directory.memberships
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_LEAVE = sa.delete(_memberships).where(
    _memberships.c.tenant_id == _TENANT,
    _memberships.c.group_seq == sa.bindparam("group"),
    _memberships.c.user_seq == sa.bindparam("user"),
)
_TURN = sa.update(_users).where(_users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which"))
_numbers = itertools.count(1)

Act = tuple[Any, ...]
"""The name of a change, and what it is made with."""

codes, names, groups = st.sampled_from(CODES), st.sampled_from(NAMES), st.sampled_from(GROUPS)
graces = st.sampled_from([NOW, HOUR, DAY])
counts = st.integers(0, 5)
ACTS: list[st.SearchStrategy[Act]] = [
    st.tuples(st.just("set_seats"), codes, counts, st.sampled_from(contracts.MODES)),
    st.tuples(st.just("add_line"), codes, counts, st.sampled_from(["block", "count:1", "approve", "percent:50"])),
    st.tuples(st.just("renew"), codes, counts, counts),
    st.tuples(st.just("approve"), codes),
    st.tuples(st.just("rule"), st.sampled_from([*GROUPS, rules.EVERYONE]), codes, graces, st.none() | counts),
    st.tuples(st.just("bundle"), groups),
    st.tuples(st.just("unrule"), groups, codes),
    st.tuples(st.just("enabled"), groups, codes, st.booleans()),
    st.tuples(st.just("quota"), groups, codes, st.none() | counts),
    st.tuples(st.just("filter"), groups, codes, st.sampled_from([None, 'userName sw "a"', "active eq true"])),
    st.tuples(st.just("exclude"), groups, codes, names),
    st.tuples(st.just("switch"), groups, codes, codes, graces),
    st.tuples(st.just("rank"), codes, st.integers(0, 3)),
    st.tuples(st.just("family"), codes, st.sampled_from([None, "f"])),
    st.tuples(st.just("policy"), codes, st.sampled_from(facts.POLICIES)),
    st.tuples(st.just("requires"), codes, codes),
    st.tuples(st.just("excludes"), codes, codes),
    st.tuples(st.just("retire"), codes),
    st.tuples(st.just("assign"), names, codes, st.booleans()),
    st.tuples(st.just("unassign"), names, codes),
    st.tuples(st.just("join"), groups, names, names),
    st.tuples(st.just("leave"), groups, names),
    st.tuples(st.just("turn"), names, st.booleans()),
    st.tuples(st.just("deactivate_policy"), st.sampled_from(["hold", "release"])),
]
changes = st.one_of(ACTS)


class Acts:
    """The changes of an organization, each as an act on a Work."""

    def __init__(self, acme: Organization) -> None:
        self.acme = acme

    def of(self, act: Act) -> Callable[[Work], object]:
        """What to do in a transaction."""
        name, *given_with = act
        found: Callable[..., object] = getattr(self, name)
        return lambda work: found(work, *given_with)

    def set_seats(self, work: Work, code: str, count: int, mode: str) -> object:
        return contracts.set_seats(work, "C-1", {code: count}, mode)

    def add_line(self, work: Work, code: str, count: int, overage: str) -> object:
        return contracts.add_line(work, "C-1", SeatLine(code, count, overage=overage))

    def renew(self, work: Work, code: str, count: int, hours: int) -> object:
        last = contracts.listing(work)[-1].number
        return contracts.renew(work, last, f"{last}+", {code: count}, Terms(starts=work.now + hours * HOUR))

    def approve(self, work: Work, code: str) -> object:
        return contracts.approve_overage(work, code)

    def rule(self, work: Work, group: str, code: str, grace: timedelta, quota: int | None) -> object:
        return rules.create(work, group, code, terms=rules.Terms(exit_grace=grace, quota=quota))

    def bundle(self, work: Work, group: str) -> object:
        return rules.create(work, group, "basic", "tool", atomic=True)

    def unrule(self, work: Work, group: str, code: str) -> object:
        return rules.delete(work, group, code)

    def enabled(self, work: Work, group: str, code: str, enabled: bool) -> object:
        return rules.update(work, group, code, enabled=enabled)

    def quota(self, work: Work, group: str, code: str, quota: int | None) -> object:
        return rules.update(work, group, code, quota=quota)

    def filter(self, work: Work, group: str, code: str, text: str | None) -> object:
        return rules.update(work, group, code, filter=text)

    def exclude(self, work: Work, group: str, code: str, name: str) -> object:
        return rules.update(work, group, code, exclude=[name])

    def switch(self, work: Work, group: str, code: str, to_type: str, grace: timedelta) -> object:
        return rules.update(work, group, code, to_type=to_type, migration_grace=grace)

    def rank(self, work: Work, code: str, rank: int) -> object:
        return catalog.update_type(work, code, rank=rank)

    def family(self, work: Work, code: str, family: str | None) -> object:
        return catalog.update_type(work, code, family=family)

    def policy(self, work: Work, code: str, policy: str) -> object:
        return catalog.update_type(work, code, conflict_policy=policy)

    def requires(self, work: Work, code: str, other: str) -> object:
        return catalog.update_type(work, code, requires=(other,))

    def excludes(self, work: Work, code: str, other: str) -> object:
        return catalog.update_type(work, code, excludes=(other,))

    def retire(self, work: Work, code: str) -> object:
        return catalog.retire_type(work, code)

    def assign(self, work: Work, name: str, code: str, pinned: bool) -> object:
        return direct.assign(work, name, code, pinned=pinned)

    def unassign(self, work: Work, name: str, code: str) -> object:
        return direct.unassign(work, name, code)

    def join(self, work: Work, group: str, *names: str) -> None:
        group_seq, seqs = self.acme.groups[group], list(dict.fromkeys(self.acme.people[name] for name in names))
        closure.lock_groups(work, [group_seq])
        work.insert_new(_memberships, [{"group_seq": group_seq, "user_seq": seq} for seq in seqs])
        seats.people_moved(work, [group_seq], seqs)

    def leave(self, work: Work, group: str, name: str) -> None:
        group_seq, seq = self.acme.groups[group], self.acme.people[name]
        closure.lock_groups(work, [group_seq])
        work.execute(_LEAVE, group=group_seq, user=seq)
        seats.people_moved(work, [group_seq], [seq])

    def turn(self, work: Work, name: str, active: bool) -> None:
        work.execute(_TURN.values(active=active), which=self.acme.people[name])
        seats.activity_changed(work, [self.acme.people[name]])

    def deactivate_policy(self, work: Work, word: str) -> object:
        return policies.change(work, settings=tenant_settings.parsed({"deactivate_policy": word}))


def founded_with(acme: Organization) -> Acts:
    """Basic and pro are of one family; three people each in Sales and in Ops; Sales gives basic."""
    acme.sells({"basic": 3, "pro": 1, "tool": 2}, ("basic", "pro"), exit_grace=HOUR)
    acme.has(*NAMES)
    acme.makes("Sales", *NAMES[:3])
    acme.makes("Ops", *NAMES[2:5])
    acme.gives("Sales", "basic")
    acme.is_run_by("head", "administrator", "auditor")
    return Acts(acme)


def holdings(acme: Organization) -> dict[tuple[str, str], usage.Holding]:
    with acme.reading() as work:
        return {(one.user_name, one.type_code): one for one in usage.people(work)}


def lines(acme: Organization) -> dict[str, Numbers]:
    with acme.reading() as work:
        return {one.code: Numbers(one.used, one.limit, one.waiting) for one in usage.seats(work)}


@pytest.fixture
def organizations(founded: Callable[..., Organization]) -> Callable[[], Organization]:
    """Another organization each time."""
    return lambda: founded(f"o-{next(_numbers)}")


@given(
    history=st.lists(st.tuples(changes, st.sampled_from([NOW, HOUR, DAY])), max_size=8),
    wanted=st.lists(changes, min_size=1, max_size=3),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_A_12_a_preview_changes_nothing_and_says_exactly_what_then_happens(
    organizations: Callable[[], Organization], clock: Any, history: list[tuple[Act, timedelta]], wanted: list[Act]
) -> None:
    acme = organizations()
    acts = founded_with(acme)
    for act, wait in history:
        attempt(acme, acts.of(act))
        clock.advance(wait)
    for act in wanted:
        acme.tick()
        expect_true(acme, acts.of(act))
        if all(one[0] != "bundle" for one in [*wanted, *(past for past, _ in history)]):
            acme.check()


def attempt(acme: Organization, act: Callable[[Work], object]) -> str | None:
    """Do it, or say why it was refused."""
    try:
        with acme.writing() as work:
            act(work)
    except errors.ScimError as refusal:
        return refusal.detail
    return None


def expect_true(acme: Organization, act: Callable[[Work], object]) -> None:
    tables_before, before, used = everything(acme), holdings(acme), lines(acme)
    try:
        said = preview.previewed(acme.writing, act)
    except errors.ScimError as refusal:
        assert everything(acme) == tables_before
        assert attempt(acme, act) == refusal.detail
        assert everything(acme) == tables_before
        return
    assert everything(acme) == tables_before
    expect_stale(acme, act, tables_before)
    posted = acme.posted()
    preview.made(acme.writing, act, said.version)
    expect_posted(said, acme.posted()[len(posted) :])
    expect_said(said, before, holdings(acme))
    assert {one.type_code: one.before for one in said.seats} == used
    assert {one.type_code: one.after for one in said.seats} == lines(acme)


def expect_posted(said: Preview, posted: list[Posted]) -> None:
    """The mails of the preview are those that were posted, each to whom it said, and no other (A-12, N-4, N-5)."""
    kinds = {"head@staff.example": letters.HEAD_ADMINISTRATOR, "administrator@staff.example": LICENSE_ADMINISTRATORS}
    found = Counter((one.letter, kinds.get(one.recipient, PERSON), one.facts["type"]["code"]) for one in posted)
    told = {(one.event, one.recipient, one.type_code): one.count for one in said.mails if one.recipient != DIGEST}
    assert found == told


def expect_stale(acme: Organization, act: Callable[[Work], object], tables_before: dict[str, list[Any]]) -> None:
    """Another version is refused with the fresh preview, and nothing is changed."""
    with pytest.raises(Unconfirmed) as refusal:
        preview.made(acme.writing, act, "another")
    assert refusal.value.code == "stale_preview"
    assert everything(acme) == tables_before


def expect_said(
    said: Preview, before: dict[tuple[str, str], usage.Holding], after: dict[tuple[str, str], usage.Holding]
) -> None:
    rows = {(row.user, row.type_code): row for kind in KINDS for row in said.rows(kind)}
    left = {(row.user, str(row.moved_from)) for row in said.moving}
    changed = {key for key in {*before, *after} if seen(before.get(key)) != seen(after.get(key))}
    assert changed <= {*rows, *left}
    for key, row in rows.items():
        now, was = after.get(key), before.get(key)
        assert (row.state, row.until) == ((now.state, now.until) if now else ("released", None))
        assert row.was == (was.state if was else None)
        assert row.reason == now.reason if now else True
        assert row.position == (now.position if now else None)
    for key in left:
        assert key not in after or after[key].state not in facts.EFFECTIVE
    gained = {(row.user, row.type_code) for row in (*said.gaining, *said.moving)}
    newly = {key for key in after if works(after.get(key)) and not works(before.get(key))}
    lost = {key for key in before if works(before.get(key)) and not works(after.get(key))}
    assert newly <= gained
    assert lost <= {(row.user, row.type_code) for row in said.losing} | left
    joined = {key for key in after if waits(after.get(key)) and not waits(before.get(key))}
    assert joined == {(row.user, row.type_code) for row in said.waiting}
    assert all(key not in newly | lost for key in ((row.user, row.type_code) for row in said.rows(OTHERS)))
    promoted = sum(one.count for one in said.mails if (one.event, one.recipient) == ("promoted", "person"))
    assert promoted <= sum(1 for key in newly if waits(before.get(key)))


def seen(one: usage.Holding | None) -> Any:
    return (one.state, one.reason, one.until) if one else None


def works(one: usage.Holding | None) -> bool:
    return one is not None and one.state in facts.EFFECTIVE


def waits(one: usage.Holding | None) -> bool:
    return one is not None and one.state == facts.WAITING
