"""Two tenants against a plain model: after each step the service says what the model says (reliability.md V1).

The model is dictionaries and sets, written without a look at the program. Seats are not modeled but judged: whatever
happened, the tables must be sound. Charlie, of Globex, never shows up in an answer to Acme.
"""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from scim_service import errors
from scim_service.access import connections, credentials, tenants
from scim_service.app import create_app
from scim_service.licensing import catalog, contracts, direct, rules
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests import service
from tests.races import soundness
from tests.service import CORE, GROUP, Caller

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
EXAMPLES, STEPS = (200, 50) if PROVE else (8, 25)
NAMES = [f"person{number}" for number in range(6)]
TEAMS = ["Sales", "Design", "Support"]
TYPES = ["basic", "pro"]

numbers = itertools.count(1)
a_name, a_team, a_type = st.sampled_from(NAMES), st.sampled_from(TEAMS), st.sampled_from(TYPES)
an_index = st.integers(0, 5)


class Tenant:
    """One tenant, its callers, and what the model knows of it."""

    def __init__(self, store: Store, app: Any, name: str) -> None:
        self.store = store
        self.slug = f"{name}-{next(numbers)}"
        with store.writing(EVERY_TENANT, service.ACTOR) as work:
            self.id = tenants.create(work, self.slug, name).id
            token = credentials.create(work, connections.create(work, "rfc", "rfc"))
            for rank, code in enumerate(TYPES):
                catalog.create_type(work, code, code.title(), family="suite", rank=rank)
            contracts.create(work, "C", {"basic": 2, "pro": 1})
        self.caller = Caller(app.test_client(), token)
        self.people: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}

    def below(self, group_id: str) -> set[str]:
        """A group and all inside it."""
        found, new = {group_id}, {group_id}
        while new:
            new = {one for group in new for one in self.groups[group]["members"] if one in self.groups} - found
            found |= new
        return found

    def groups_of(self, user_id: str) -> dict[str, str]:
        """Group id → direct or indirect."""
        direct_ones = {one for one, group in self.groups.items() if user_id in group["members"]}
        all_ones = {one for one in self.groups if self.below(one) & direct_ones}
        return {one: "direct" if one in direct_ones else "indirect" for one in all_ones}


class Model(RuleBasedStateMachine):
    """What people and providers do, in any order."""

    store: Store
    clock: Any

    def __init__(self) -> None:
        super().__init__()
        app = create_app(service.settings(self.store.database.url), self.store)
        self.acme, self.globex = Tenant(self.store, app, "acme"), Tenant(self.store, app, "globex")
        self.globex.caller.user("charlie@globex.example", displayName="Charlie")

    def person(self, index: int) -> str | None:
        known = list(self.acme.people)
        return known[index % len(known)] if known else None

    def group(self, index: int) -> str | None:
        known = list(self.acme.groups)
        return known[index % len(known)] if known else None

    @rule(name=a_name, upper=st.booleans(), active=st.booleans())
    def a_person_comes(self, name: str, upper: bool, active: bool) -> None:
        sent = name.upper() if upper else name
        answer = self.acme.caller.post("/Users", {"schemas": [CORE], "userName": sent, "active": active})
        if any(one["userName"].lower() == name for one in self.acme.people.values()):
            assert answer.status == 409
            return
        assert answer.status == 201
        self.acme.people[answer.body["id"]] = {"userName": sent, "active": active}

    @rule(index=an_index, active=st.booleans())
    def a_person_is_switched(self, index: int, active: bool) -> None:
        if one := self.person(index):
            operation = {"op": "replace", "value": {"active": active}}
            assert self.acme.caller.patch(f"/Users/{one}", operation).body["active"] is active
            self.acme.people[one]["active"] = active

    @rule(index=an_index)
    def a_person_goes(self, index: int) -> None:
        if one := self.person(index):
            assert self.acme.caller.delete(f"/Users/{one}").status == 204
            del self.acme.people[one]
            for group in self.acme.groups.values():
                group["members"].discard(one)

    @rule(name=a_team, index=an_index)
    def a_group_comes(self, name: str, index: int) -> None:
        members = [one for one in [self.person(index)] if one]
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members]}
        answer = self.acme.caller.post("/Groups", body)
        assert answer.status == 201
        self.acme.groups[answer.body["id"]] = {"displayName": name, "members": set(members)}

    @rule(index=an_index, name=a_team)
    def a_group_is_renamed(self, index: int, name: str) -> None:
        if one := self.group(index):
            answer = self.acme.caller.patch(f"/Groups/{one}", {"op": "replace", "path": "displayName", "value": name})
            assert answer.status == 200
            self.acme.groups[one]["displayName"] = name

    @rule(index=an_index)
    def a_group_goes(self, index: int) -> None:
        if one := self.group(index):
            assert self.acme.caller.delete(f"/Groups/{one}").status == 204
            del self.acme.groups[one]
            for group in self.acme.groups.values():
                group["members"].discard(one)

    @rule(index=an_index, who=an_index)
    def a_person_joins(self, index: int, who: int) -> None:
        group, one = self.group(index), self.person(who)
        if group and one:
            add = {"op": "add", "path": "members", "value": [{"value": one}]}
            assert self.acme.caller.patch(f"/Groups/{group}", add).status == 200
            self.acme.groups[group]["members"].add(one)

    @rule(index=an_index, inner=an_index)
    def a_group_joins(self, index: int, inner: int) -> None:
        group, one = self.group(index), self.group(inner)
        if group and one:
            add = {"op": "add", "path": "members", "value": [{"value": one}]}
            answer = self.acme.caller.patch(f"/Groups/{group}", add)
            if one in self.acme.groups[group]["members"]:
                assert answer.status == 200
            elif group in self.acme.below(one):
                assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
            else:
                assert answer.status == 200
                self.acme.groups[group]["members"].add(one)

    @rule(index=an_index, which=an_index)
    def a_member_leaves(self, index: int, which: int) -> None:
        if group := self.group(index):
            members = sorted(self.acme.groups[group]["members"])
            gone = members[which % len(members)] if members else "nobody"
            operation = {"op": "remove", "path": f'members[value eq "{gone}"]'}
            assert self.acme.caller.patch(f"/Groups/{group}", operation).status == 200
            self.acme.groups[group]["members"].discard(gone)

    @rule(index=an_index, whom=st.sets(an_index))
    def the_members_are_replaced(self, index: int, whom: set[int]) -> None:
        if group := self.group(index):
            members = {one for one in map(self.person, whom) if one}
            value = [{"value": one} for one in members]
            operation = {"op": "replace", "path": "members", "value": value}
            assert self.acme.caller.patch(f"/Groups/{group}", operation).status == 200
            self.acme.groups[group]["members"] = members

    @rule(name=a_team, code=a_type, make=st.booleans())
    def a_rule_is_made_or_ended(self, name: str, code: str, make: bool) -> None:
        self.try_to(lambda work: rules.create(work, name, code) if make else rules.delete(work, name, code))

    @rule(index=an_index, code=a_type, give=st.booleans())
    def a_license_is_given_or_taken(self, index: int, code: str, give: bool) -> None:
        if one := self.person(index):
            name = self.acme.people[one]["userName"]
            self.try_to(lambda work: (direct.assign if give else direct.unassign)(work, name, code))

    @rule(count=st.integers(0, 5), code=a_type)
    def the_cap_changes(self, count: int, code: str) -> None:
        self.try_to(lambda work: contracts.set_seats(work, "C", {code: count}))

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    def try_to(self, act: Any) -> None:
        """What an administrator tries; a refusal is an answer, too."""
        try:
            with self.store.writing(self.acme.id, service.ACTOR) as work:
                act(work)
        except errors.ScimError as refusal:
            assert refusal.status < 500, refusal.detail

    @invariant()
    def people_are_as_the_model_says(self) -> None:
        answer = self.acme.caller.get("/Users", count=1000)
        shown = {
            one["id"]: (
                one["userName"],
                one["active"],
                {group["value"]: group["type"] for group in one.get("groups", [])},
            )
            for one in answer.body["Resources"]
        }
        assert shown == {
            one: (person["userName"], person["active"], self.acme.groups_of(one))
            for one, person in self.acme.people.items()
        }
        assert answer.body["totalResults"] == len(self.acme.people)
        assert "harlie" not in answer.text

    @invariant()
    def groups_are_as_the_model_says(self) -> None:
        answer = self.acme.caller.get("/Groups", count=1000)
        shown = {
            one["id"]: (one["displayName"], {member["value"] for member in one.get("members", [])})
            for one in answer.body["Resources"]
        }
        assert shown == {one: (group["displayName"], group["members"]) for one, group in self.acme.groups.items()}
        assert answer.body["totalResults"] == len(self.acme.groups)

    @invariant()
    def every_table_is_sound(self) -> None:
        for tenant in (self.acme, self.globex):
            with self.store.reading(tenant.id, service.ACTOR) as work:
                assert soundness.faults(work) == []
        assert [one["userName"] for one in self.globex.caller.get("/Users").body["Resources"]] == [
            "charlie@globex.example"
        ]


def test_the_service_does_what_a_plain_model_does(store: Store, clock: Any) -> None:
    machine = type("ModelOfThisDatabase", (Model,), {"store": store, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
