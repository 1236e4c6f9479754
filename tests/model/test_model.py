"""Two tenants against a plain model: after each step the service says what the model says (reliability.md V1).

The model is dictionaries and sets, written without a look at the program: the directory with its closure, the rules
with what they are bound to, the direct grants, the caps. It says who must have a reason for a type; who of them gets
the seat is not modeled but judged: whatever happened, the tables must be sound and the pure function must find nothing
left to do. Charlie, of Globex, never shows up in an answer to Acme: every answer is read for that.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from scim_service import errors
from scim_service.access import connections, credentials, tenants
from scim_service.app import create_app
from scim_service.licensing import catalog, contracts, direct, rules, usage, verify
from scim_service.protocol import text
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Work
from tests import service
from tests.conftest import Count, SettableClock
from tests.races import soundness
from tests.service import CORE, GROUP, LICENSES, Answer, Caller

PROVE, SAME = (os.environ.get(f"SCIM_TEST_{name}") == "1" for name in ("PROVE", "SAME"))
BLOCKS, EXAMPLES, STEPS = (10, 20, 50) if PROVE else (1, 8, 30)
CHARLIE = "charlie@globex.example"
NAMES = [f"person{number}" for number in range(6)]
TEAMS = ["Sales", "Design", "Support"]
TYPES = ["basic", "pro"]
"""One family, the better one last."""

SEATED = {"assigned", "grace"}

numbers = itertools.count(1)
a_name, a_team, a_type = st.sampled_from(NAMES), st.sampled_from(TEAMS), st.sampled_from(TYPES)
an_index = st.integers(0, 5)
a_tenant = st.sampled_from(["acme", "acme", "acme", "globex"])
"""Mostly Acme, so that things meet."""
a_grace = st.sampled_from([None, timedelta(0), timedelta(minutes=20)])


@dataclass
class Person:
    user_name: str
    active: bool
    display: str = ""
    direct: set[str] = field(default_factory=set)


@dataclass
class Group:
    name: str
    members: set[str] = field(default_factory=set)


@dataclass
class Rule:
    """Bound to a group; or to none, and then it waits for one unless it is orphaned (decision 30)."""

    code: str
    group: str | None = None
    orphaned: bool = False


@dataclass
class Known:
    """What the model knows of a tenant; ids in the order of making."""

    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=lambda: {"basic": 2, "pro": 1})

    def below(self, group_id: str) -> set[str]:
        """A group and all inside it."""
        found, new = {group_id}, {group_id}
        while new:
            new = {one for group in new for one in self.groups[group].members if one in self.groups} - found
            found |= new
        return found

    def groups_of(self, user_id: str) -> dict[str, str]:
        """Group id → direct or indirect."""
        near = {one for one, group in self.groups.items() if user_id in group.members}
        every = {one for one in self.groups if self.below(one) & near}
        return {one: "direct" if one in near else "indirect" for one in every}

    def reasons(self, user_id: str) -> set[str]:
        """The types that a person has a live reason for; none while inactive."""
        person, groups = self.people[user_id], self.groups_of(user_id)
        given = {one.code for one in self.rules.values() if one.group in groups}
        return (given | person.direct) if person.active else set()

    def named(self, name: str, but: str | None = None) -> bool:
        """Whether somebody (else) has this userName, in whatever case."""
        return any(one.user_name.lower() == name.lower() for key, one in self.people.items() if key != but)

    def circle(self, group_id: str, member_ids: set[str]) -> bool:
        """Whether the group would contain itself with these members."""
        return any(group_id in self.below(one) for one in member_ids if one in self.groups)

    def call(self, group_id: str, name: str) -> None:
        """A group is made, or has a new name: its rules follow, unless there is such a rule; those that wait bind."""
        self.groups[group_id].name = name
        given = {one.code for one in self.rules.values() if one.group == group_id}
        for (old, code), one in list(self.rules.items()):
            if one.group == group_id and (name.lower(), code) not in self.rules:
                self.rules[name.lower(), code] = self.rules.pop((old, code))
        for (waits_for, code), one in self.rules.items():
            waits = one.group is None and not one.orphaned
            if waits and waits_for == name.lower() and code not in given:
                one.group = group_id

    def first(self, name: str) -> str | None:
        """The oldest group of this name."""
        return next((one for one, group in self.groups.items() if group.name.lower() == name.lower()), None)

    def forget(self, member_id: str) -> None:
        """A person or a group is gone from every group, a group also from its rules."""
        for group in self.groups.values():
            group.members.discard(member_id)
        for one in self.rules.values():
            if one.group == member_id:
                one.group, one.orphaned = None, True


class Watching(Caller):
    """A caller whose every answer is read for what it must never tell."""

    hidden: tuple[str, ...] = ()

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        answer = super().send(method, path, body, headers)
        assert answer.status < 500, answer.text
        assert [one for one in self.hidden if one in answer.text.lower()] == [], (method, path, answer.text)
        return answer


class Tenant:
    """One tenant: its callers, and the model of it."""

    def __init__(self, store: Store, app: Flask, name: str) -> None:
        self.store = store
        with store.writing(EVERY_TENANT, service.ACTOR) as work:
            self.id = tenants.create(work, f"{name}-{next(numbers)}", name).id
            token = credentials.create(work, connections.create(work, "rfc", "rfc"))
            for rank, code in enumerate(TYPES):
                catalog.create_type(work, code, code.title(), family="suite", rank=rank)
            contracts.create(work, "C", {"basic": 2, "pro": 1})
        self.caller = Watching(app.test_client(), token)
        self.known = Known()

    def person(self, index: int) -> str | None:
        return _one_of(list(self.known.people), index)

    def group(self, index: int) -> str | None:
        return _one_of(list(self.known.groups), index)

    def members(self, people: set[int], groups: set[int]) -> set[str]:
        """The ids of some people and some groups."""
        return {one for one in [*map(self.person, people), *map(self.group, groups)] if one}

    def change(self, group_id: str, *operations: dict[str, Any]) -> Answer:
        return self.caller.patch(f"/Groups/{group_id}", *operations)

    def tried(self, act: Callable[[Work], Any]) -> int:
        """What an administrator tries; 0 where it was done, else the status of the refusal."""
        try:
            with self.store.writing(self.id, service.ACTOR) as work:
                act(work)
        except errors.ScimError as refusal:
            assert refusal.status < 500, refusal.detail
            return refusal.status
        return 0


def _one_of(known: list[str], index: int) -> str | None:
    return known[index % len(known)] if known else None


def _values(ids: set[str]) -> list[dict[str, str]]:
    return [{"value": one} for one in sorted(ids)]


class Model(RuleBasedStateMachine):
    """What people, providers and administrators do, in any order, in two tenants."""

    store: Store
    clock: SettableClock
    count: Count

    def __init__(self) -> None:
        super().__init__()
        app = create_app(service.settings(self.store.database.url), self.store)
        self.tenants = {name: Tenant(self.store, app, name) for name in ("acme", "globex")}
        globex = self.tenants["globex"]
        made = globex.caller.user(CHARLIE, displayName="Charlie")
        self.charlie = made["id"]
        globex.known.people[self.charlie] = Person(CHARLIE, True, "Charlie")
        self.tenants["acme"].caller.hidden = ("charlie", "globex")
        self.acted = set(self.tenants)

    def acting(self, name: str) -> Tenant:
        """The tenant in which something is about to happen; the other one must not notice."""
        self.acted.add(name)
        return self.tenants[name]

    def teardown(self) -> None:
        """A walk that came to its end is counted."""
        self.count(f"{{:,}} walks of up to {STEPS} steps beside a plain model")

    @initialize()
    def there_was_something_before(self) -> None:
        """People of whom one waits and one is inactive, a group in a group, rules: else little ever meets."""
        for name in NAMES[:5]:
            self.a_person_comes(at="acme", name=name, upper=False, active=None if name != NAMES[4] else False)
        self.a_group_comes(at="acme", name="Sales", whom={0, 1, 2, 4}, groups=set())
        self.a_group_comes(at="acme", name="Design", whom={3}, groups={0})
        self.a_rule_is_made(at="acme", name="Design", code="basic", grace=timedelta(0))
        self.a_rule_is_made(at="acme", name="Support", code="pro", grace=None)
        self.a_license_is_given_or_taken(at="acme", index=3, code="pro", give=True)
        self.a_group_comes(at="globex", name="Sales", whom={0}, groups=set())
        self.a_rule_is_made(at="globex", name="Sales", code="pro", grace=None)

    @rule(at=a_tenant, name=a_name, upper=st.booleans(), active=st.sampled_from([True, False, None]))
    def a_person_comes(self, at: str, name: str, upper: bool, active: bool | None) -> None:
        tenant, sent = self.acting(at), name.upper() if upper else name
        body = {"schemas": [CORE], "userName": sent, **({} if active is None else {"active": active})}
        answer = tenant.caller.post("/Users", body)
        if tenant.known.named(sent):
            assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
            return
        assert answer.status == 201
        tenant.known.people[answer.body["id"]] = Person(sent, active is not False)

    @rule(at=a_tenant, index=an_index, active=st.booleans())
    def a_person_is_switched(self, at: str, index: int, active: bool) -> None:
        tenant = self.acting(at)
        if one := tenant.person(index):
            operation = {"op": "replace", "value": {"active": active}}
            assert tenant.caller.patch(f"/Users/{one}", operation).body["active"] is active
            tenant.known.people[one].active = active

    @rule(at=a_tenant, index=an_index, name=a_name)
    def a_person_is_renamed(self, at: str, index: int, name: str) -> None:
        tenant = self.acting(at)
        if (one := tenant.person(index)) and one != self.charlie:
            answer = tenant.caller.patch(f"/Users/{one}", {"op": "replace", "path": "userName", "value": name})
            if tenant.known.named(name, but=one):
                assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
                return
            assert answer.status == 200
            tenant.known.people[one].user_name = name

    @rule(at=a_tenant, index=an_index, other=st.none() | a_name, active=st.sampled_from([None, True, False]))
    def a_person_is_put(self, at: str, index: int, other: str | None, active: bool | None) -> None:
        tenant = self.acting(at)
        if (one := tenant.person(index)) and one != self.charlie:
            name = other or tenant.known.people[one].user_name
            given = {} if active is None else {"active": active}
            body = {"schemas": [CORE], "userName": name, "displayName": name.title(), **given}
            answer = tenant.caller.put(f"/Users/{one}", body)
            if tenant.known.named(name, but=one):
                assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
                return
            assert answer.status == 200
            person = tenant.known.people[one]
            person.user_name, person.display = name, name.title()
            person.active = person.active if active is None else active

    @rule(at=a_tenant, index=an_index)
    def a_person_goes(self, at: str, index: int) -> None:
        tenant = self.acting(at)
        if (one := tenant.person(index)) and one != self.charlie:
            assert tenant.caller.delete(f"/Users/{one}").status == 204
            assert tenant.caller.get(f"/Users/{one}").status == 404
            del tenant.known.people[one]
            tenant.known.forget(one)

    @rule(at=a_tenant, name=a_team, whom=st.sets(an_index, max_size=3), groups=st.sets(an_index, max_size=2))
    def a_group_comes(self, at: str, name: str, whom: set[int], groups: set[int]) -> None:
        tenant = self.acting(at)
        members = tenant.members(whom, groups)
        body = {"schemas": [GROUP], "displayName": name, "members": _values(members)}
        answer = tenant.caller.post("/Groups", body)
        assert answer.status == 201
        tenant.known.groups[answer.body["id"]] = Group(name, members)
        tenant.known.call(answer.body["id"], name)

    @rule(at=a_tenant, index=an_index, name=a_team, upper=st.booleans())
    def a_group_is_renamed(self, at: str, index: int, name: str, upper: bool) -> None:
        tenant, sent = self.acting(at), name.upper() if upper else name
        if one := tenant.group(index):
            answer = tenant.change(one, {"op": "replace", "path": "displayName", "value": sent})
            assert answer.status == 200
            if tenant.known.groups[one].name != sent:
                tenant.known.call(one, sent)

    @rule(at=a_tenant, index=an_index, name=a_team, whom=st.sets(an_index), groups=st.sets(an_index, max_size=2))
    def a_group_is_put(self, at: str, index: int, name: str, whom: set[int], groups: set[int]) -> None:
        tenant = self.acting(at)
        if one := tenant.group(index):
            members = tenant.members(whom, groups)
            body = {"schemas": [GROUP], "displayName": name, "members": _values(members)}
            answer = tenant.caller.put(f"/Groups/{one}", body)
            if tenant.known.circle(one, members):
                assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
                return
            assert answer.status == 200
            tenant.known.groups[one].members = members
            if tenant.known.groups[one].name != name:
                tenant.known.call(one, name)

    @rule(at=a_tenant, index=an_index)
    def a_group_goes(self, at: str, index: int) -> None:
        tenant = self.acting(at)
        if one := tenant.group(index):
            assert tenant.caller.delete(f"/Groups/{one}").status == 204
            assert tenant.caller.get(f"/Groups/{one}").status == 404
            del tenant.known.groups[one]
            tenant.known.forget(one)

    @rule(at=a_tenant, index=an_index, whom=st.sets(an_index, min_size=1, max_size=3))
    def people_join(self, at: str, index: int, whom: set[int]) -> None:
        tenant = self.acting(at)
        members = tenant.members(whom, set())
        if (group := tenant.group(index)) and members:
            assert tenant.change(group, {"op": "add", "path": "members", "value": _values(members)}).status == 200
            tenant.known.groups[group].members |= members

    @rule(at=a_tenant, index=an_index, inner=an_index)
    def a_group_joins(self, at: str, index: int, inner: int) -> None:
        tenant = self.acting(at)
        group, one = tenant.group(index), tenant.group(inner)
        if group and one:
            answer = tenant.change(group, {"op": "add", "path": "members", "value": _values({one})})
            if tenant.known.circle(group, {one}):
                assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
            else:
                assert answer.status == 200
                tenant.known.groups[group].members.add(one)

    @rule(at=a_tenant, index=an_index, which=an_index)
    def a_member_leaves(self, at: str, index: int, which: int) -> None:
        tenant = self.acting(at)
        if group := tenant.group(index):
            gone = _one_of(sorted(tenant.known.groups[group].members), which) or "nobody"
            assert tenant.change(group, {"op": "remove", "path": f'members[value eq "{gone}"]'}).status == 200
            tenant.known.groups[group].members.discard(gone)

    @rule(at=a_tenant, index=an_index, kind=st.sampled_from(["", '[type eq "Group"]', '[type eq "User"]']))
    def members_of_a_kind_leave(self, at: str, index: int, kind: str) -> None:
        tenant = self.acting(at)
        if group := tenant.group(index):
            stay = {"": set(), '[type eq "Group"]': set(tenant.known.people)}.get(kind, set(tenant.known.groups))
            if kind and not tenant.known.groups[group].members - stay:
                return
            assert tenant.change(group, {"op": "remove", "path": f"members{kind}"}).status == 200
            tenant.known.groups[group].members &= stay

    @rule(at=a_tenant, index=an_index, whom=st.sets(an_index), groups=st.sets(an_index, max_size=2))
    def the_members_are_replaced(self, at: str, index: int, whom: set[int], groups: set[int]) -> None:
        tenant = self.acting(at)
        if group := tenant.group(index):
            members = tenant.members(whom, groups)
            answer = tenant.change(group, {"op": "replace", "path": "members", "value": _values(members)})
            if tenant.known.circle(group, members):
                assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
                return
            assert answer.status == 200
            tenant.known.groups[group].members = members

    @rule(index=an_index)
    def acme_reaches_for_charlie(self, index: int) -> None:
        """Somebody else's id is 404, as an id that never was; as a member it is nobody's (decision 4)."""
        acme = self.acting("acme")
        path, absent = f"/Users/{self.charlie}", "/Users/00000000-0000-4000-8000-000000000000"
        mine = [acme.caller.get(path), acme.caller.delete(path)]
        assert [(one.status, one.body) for one in mine] == [(404, acme.caller.get(absent).body)] * 2
        assert acme.caller.patch(path, {"op": "replace", "path": "active", "value": False}).status == 404
        assert acme.caller.names(f'id eq "{self.charlie}" or userName sw "char"') == []
        if group := acme.group(index):
            assert acme.change(group, {"op": "add", "path": "members", "value": _values({self.charlie})}).status == 200

    @rule(at=a_tenant, name=a_team, code=a_type, grace=a_grace)
    def a_rule_is_made(self, at: str, name: str, code: str, grace: timedelta | None) -> None:
        tenant = self.acting(at)
        status = tenant.tried(lambda work: rules.create(work, name, code, exit_grace=grace))
        if (name.lower(), code) in tenant.known.rules:
            assert status == 409
            return
        assert status == 0
        tenant.known.rules[name.lower(), code] = Rule(code, tenant.known.first(name))

    @rule(at=a_tenant, name=a_team, code=a_type)
    def a_rule_is_ended(self, at: str, name: str, code: str) -> None:
        tenant = self.acting(at)
        known = tenant.known.rules.pop((name.lower(), code), None)
        assert tenant.tried(lambda work: rules.delete(work, name, code)) == (0 if known else 404)

    @rule(at=a_tenant, name=a_team, code=a_type)
    def a_rule_is_linked_again(self, at: str, name: str, code: str) -> None:
        tenant = self.acting(at)
        known, group = tenant.known.rules.get((name.lower(), code)), tenant.known.first(name)
        done = tenant.tried(lambda work: rules.relink(work, name, code)) == 0
        assert done == (known is not None and known.orphaned and group is not None)
        if done and known is not None:
            known.group, known.orphaned = group, False

    @rule(at=a_tenant, index=an_index, code=a_type, give=st.booleans())
    def a_license_is_given_or_taken(self, at: str, index: int, code: str, give: bool) -> None:
        tenant = self.acting(at)
        if one := tenant.person(index):
            person = tenant.known.people[one]
            act = direct.assign if give else direct.unassign
            done = tenant.tried(lambda work: act(work, person.user_name, code)) == 0
            if give:
                assert not done or person.active
                assert done or not person.active or code not in person.direct
            else:
                assert done == (code in person.direct)
            if done:
                (person.direct.add if give else person.direct.discard)(code)

    @rule(at=a_tenant, count=st.integers(0, 5).map(lambda less: 5 - less), code=a_type)
    def the_cap_changes(self, at: str, count: int, code: str) -> None:
        tenant = self.acting(at)
        done = tenant.tried(lambda work: contracts.set_seats(work, "C", {code: count})) == 0
        assert done or count < tenant.known.caps[code]
        if done:
            tenant.known.caps[code] = count

    @rule(more=st.integers(1, 3))
    def acme_buys_seats_of_both_types(self, more: int) -> None:
        acme = self.acting("acme")
        caps = {code: cap + more for code, cap in acme.known.caps.items()}
        assert acme.tried(lambda work: contracts.set_seats(work, "C", caps)) == 0
        acme.known.caps = caps

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        self.acted |= set(self.tenants)

    @invariant()
    def what_is_read_is_what_the_model_says(self) -> None:
        """Everything where something happened, first over HTTP, which lets time pass; elsewhere the people."""
        for name, tenant in self.tenants.items():
            people = tenant.caller.get("/Users", count=1000).body
            assert_people(tenant.known, people)
            if name not in self.acted:
                continue
            assert_groups(tenant.known, tenant.caller.get("/Groups", count=1000).body)
            assert_licenses(tenant.known, people["Resources"])
            for path, known in (("/Users", tenant.known.people), ("/Groups", tenant.known.groups)):
                assert tenant.caller.get(path, count=0).body["totalResults"] == len(known)
            with self.store.reading(tenant.id, service.ACTOR) as work:
                assert soundness.faults(work) == []
                assert_rules(tenant.known, work)
                assert_seats(tenant.known, work)
                assert verify.findings(work) == []
        self.acted.clear()


def assert_people(known: Known, answer: dict[str, Any]) -> None:
    """Everybody, with the groups they are in directly and by groups in groups."""
    shown = {
        one["id"]: (
            one["userName"],
            one["active"],
            one.get("displayName", ""),
            {group["value"]: (group["type"], group["display"]) for group in one.get("groups", [])},
        )
        for one in answer["Resources"]
    }
    groups_of = {
        one: {group: (how, known.groups[group].name) for group, how in known.groups_of(one).items()}
        for one in known.people
    }
    assert shown == {
        one: (person.user_name, person.active, person.display, groups_of[one]) for one, person in known.people.items()
    }
    assert answer["totalResults"] == len(known.people)


def assert_groups(known: Known, answer: dict[str, Any]) -> None:
    """Every group with its direct members, each once, people and groups."""
    shown = {
        one["id"]: (
            one["displayName"],
            sorted((member["value"], member["type"], member.get("display", "")) for member in one.get("members", [])),
        )
        for one in answer["Resources"]
    }
    kinds = {one: ("User", person.display) for one, person in known.people.items()}
    kinds |= {one: ("Group", group.name) for one, group in known.groups.items()}
    assert shown == {
        one: (group.name, sorted((member, *kinds[member]) for member in group.members))
        for one, group in known.groups.items()
    }
    assert answer["totalResults"] == len(known.groups)


def assert_licenses(known: Known, shown: list[dict[str, Any]]) -> None:
    """Who has a live reason has an outcome, nobody else has one but in grace; at most one held type of the family."""
    for one in shown:
        states = {row["value"]: row["state"] for row in one.get(LICENSES, {}).get("licenses", [])}
        wanted = known.reasons(one["id"])
        assert {code for code, state in states.items() if state != "grace"} == wanted, one
        assert set(states) - wanted == {code for code, state in states.items() if state == "grace"}, one
        assert sum(state in SEATED for state in states.values()) <= 1, one
        assert not states or known.people[one["id"]].active, one
        if states.get("pro") in SEATED:
            assert states.get("basic") in {None, "covered"}, one


def assert_rules(known: Known, work: Work) -> None:
    """Every rule under its name, bound to the group that the model says."""
    shown = {(text.fold(one.group_name), one.type_code): (one.group_id, one.state) for one in rules.listing(work)}
    unbound = {True: "orphaned", False: "unbound"}
    assert shown == {
        key: (one.group, "bound" if one.group else unbound[one.orphaned]) for key, one in known.rules.items()
    }


def assert_seats(known: Known, work: Work) -> None:
    """The cap is the model's, and never exceeded."""
    for line in usage.seats(work):
        assert line.limit == known.caps[line.code]
        assert line.used <= known.caps[line.code]


@pytest.mark.proof
@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_service_does_what_a_plain_model_does(store: Store, clock: SettableClock, count: Count, block: int) -> None:
    """Each block walks other ways: nothing fixes the ways, and what fails is shown with how to walk it again."""
    machine = type(f"ModelOfBlock{block}", (Model,), {"store": store, "clock": clock, "count": staticmethod(count)})
    run_state_machine_as_test(
        seed(block)(machine) if SAME else machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not PROVE,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
