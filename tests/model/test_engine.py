"""The license engine under every event and the clock, in any order, on both databases (licensing.md 4.3, issue 4).

After each step the invariants are asked of the rows themselves, counted here without a look at the program: who uses a
seat, how many were bought, who is in which group and must have a reason. Beside them the product's own judges: a full
resolution, the log replayed from empty, and a sentence in two languages for every outcome. A second tenant is never
touched.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from scim_service import errors
from scim_service.access import tenant_settings
from scim_service.directory import holds as undoing
from scim_service.directory import people
from scim_service.licensing import (
    catalog,
    contracts,
    conversion,
    direct,
    explain,
    holds,
    lifecycle,
    policies,
    replay,
    requests,
    rules,
    seats,
    sentences,
    verify,
    words,
)
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work
from tests import service
from tests.conftest import START, Count, SettableClock
from tests.service import LICENSES, Cast

PROVE, SAME = (os.environ.get(f"SCIM_TEST_{name}") == "1" for name in ("PROVE", "SAME"))
BLOCKS, EXAMPLES, STEPS = (10, 20, 50) if PROVE else (1, 10, 40)
PROVIDER = Actor("connection", "rfc", 1)

L, D = tables.licensing, tables.directory
FAMILY = ("basic", "pro", "max")
CODES = (*FAMILY, "base", "extra", "apart", "guest")
GROUPS = ("All", "Sales", "Field")
RULES = [(group, code) for group in ("", *GROUPS) for code in ("basic", "pro", "max", "base", "extra", "apart")]
FILTER = 'title eq "boss"'
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

numbers = itertools.count(1)
a_person = st.integers(0, 7)
a_code = st.sampled_from(CODES)
a_counted = st.sampled_from(CODES[:-1])
a_group = st.integers(0, 2)
a_rule = st.sampled_from(RULES)
a_duration = st.sampled_from([MINUTE, 30 * MINUTE, HOUR, 5 * HOUR, DAY, 15 * DAY, 31 * DAY])
some_time = st.none() | a_duration
a_grace = st.sampled_from([None, timedelta(0), 30 * MINUTE])
terms = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.sampled_from([10, 50, 100, 200]),
        "quota": st.none() | st.integers(0, 2),
        "filter": st.sampled_from([None, FILTER]),
        "enabled": st.booleans(),
        "exit_grace": a_grace,
    },
)


def rows_of(work: Work, table: sa.Table) -> list[Any]:
    """Every row of the tenant."""
    return list(work.rows(sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant"))))


@dataclass(frozen=True)
class Seen:
    """What was there after a step, as far as the next one is measured by it."""

    at: datetime
    used: dict[int, int]
    quotas: dict[int, int]
    events: int
    last: int


class Engine(RuleBasedStateMachine):
    """Everything that people, groups, rules, contracts, administrators and the clock can do to a tenant."""

    store: Store
    clock: SettableClock
    count: Count

    def __init__(self) -> None:
        super().__init__()
        self.clock.set(START)
        self.cast: Cast = service.another(self.template, f"acme-{next(numbers)}")
        self.names: list[str] = []
        self.ids: dict[str, str] = {}
        self.groups: list[str] = []
        self.seen: Seen | None = None
        self.done: list[str] = []
        self.made = itertools.count(1)
        self.other = self.globex()

    template: Cast

    def teardown(self) -> None:
        """A walk that came to its end is counted."""
        self.count(f"{{:,}} walks of up to {STEPS} events through the license engine")

    def globex(self) -> list[Any]:
        """All that the other tenant has of licenses, people and events."""
        with self.cast.reading(self.cast.globex_id) as work:
            names = ("licensing", "claims", "assignments", "ledger", "rules", "seat_lines")
            return [rows_of(work, table) for table in (*(getattr(L, name) for name in names), D.users)]

    def act(self, what: Callable[[Work], Any], by: Actor = service.ACTOR) -> bool:
        """One transaction; a refusal is said properly, and leaves nothing behind."""
        try:
            with self.store.writing(self.cast.acme_id, by) as work:
                what(work)
        except errors.ScimError as refused:
            assert refused.status < 500, refused.detail
            return False
        return True

    def name(self, index: int) -> str:
        return self.names[index % len(self.names)]

    def ids_of(self, whom: Iterable[int]) -> list[str]:
        """Of these people, each once, in the order of their names: the same in every run."""
        return [self.ids[name] for name in sorted({self.name(one) for one in whom})]

    def pushed(self, answer: service.Answer) -> service.Answer:
        assert answer.status < 500, answer.text
        return answer

    def later(self, duration: timedelta | None) -> datetime | None:
        return None if duration is None else self.clock.now() + duration

    @initialize(policy=st.sampled_from(["highest_rank", "rule_priority", "manual"]), fallback=st.booleans())
    def there_is_something_to_sell(self, policy: str, fallback: bool) -> None:
        self.act(lambda work: self.sell(work, policy, fallback))
        for number in range(6):
            self.join_the_company(f"p{number}", "boss" if number % 2 else "clerk")
        members = [[3, 4], [0, 1, 2], [4, 5]]
        for group, whom in zip(GROUPS, members, strict=True):
            self.groups.append(self.cast.acme.group(group, *(self.ids[f"p{one}"] for one in whom))["id"])
        self.cast.acme.patch(f"/Groups/{self.groups[0]}", _add(self.groups[1]))
        self.act(lambda work: rules.create(work, "All", "basic"))
        self.act(lambda work: rules.create(work, "Sales", "pro", exit_grace=timedelta(0)))

    def sell(self, work: Work, policy: str, fallback: bool) -> None:
        """A family of three, of which the best may have no fallback; a type that requires one, one that excludes."""
        for rank, code in enumerate(FAMILY):
            options = catalog.Options(fallback=fallback or code != "max", requestable=True)
            catalog.create_type(work, code, code, family="suite", rank=rank, conflict_policy=policy, options=options)
        catalog.create_type(work, "base", "Base", options=catalog.Options(grace_yields=True))
        catalog.create_type(work, "extra", "Extra", options=catalog.Options(requires=("base",), suspend_frees=True))
        catalog.create_type(work, "apart", "Apart", rank=1, options=catalog.Options(excludes=("pro",)))
        catalog.create_type(work, "guest", "Guest", counted=False)
        contracts.create(work, "C-1", {"basic": 2, "pro": 1, "max": 1, "base": 2, "extra": 1, "apart": 1})

    def join_the_company(self, user_name: str, title: str) -> None:
        answer = self.pushed(self.cast.acme.post("/Users", _user(user_name, title)))
        if answer.status == 201:
            self.ids[user_name] = answer.body["id"]
            self.names.append(user_name)

    # What the identity provider does.

    @rule(index=a_person, title=st.sampled_from(["boss", "clerk"]))
    def a_title_changes(self, index: int, title: str) -> None:
        self.patch_person(index, {"op": "replace", "path": "title", "value": title})

    @rule(index=a_person, code=st.none() | a_code)
    def a_license_attribute_is_written(self, index: int, code: str | None) -> None:
        path = f"{LICENSES}:licenseType"
        self.patch_person(
            index, {"op": "remove", "path": path} if code is None else {"op": "add", "path": path, "value": code}
        )

    @rule(index=a_person, active=st.booleans())
    def a_person_is_switched(self, index: int, active: bool) -> None:
        self.patch_person(index, {"op": "replace", "path": "active", "value": active})

    def patch_person(self, index: int, operation: dict[str, Any]) -> None:
        self.pushed(self.cast.acme.patch(f"/Users/{self.ids[self.name(index)]}", operation))

    @rule(index=a_person, back=st.booleans())
    def a_person_is_deleted_and_perhaps_made_again(self, index: int, back: bool) -> None:
        name = self.name(index)
        if len(self.names) > 2:
            assert self.cast.acme.delete(f"/Users/{self.ids[name]}").status == 204
            self.names.remove(name)
            if back:
                self.join_the_company(name, "boss")

    @rule(group=a_group, whom=st.sets(a_person, min_size=1, max_size=3), leave=st.booleans())
    def people_join_or_leave(self, group: int, whom: set[int], leave: bool) -> None:
        ids = self.ids_of(whom)
        path = f"/Groups/{self.groups[group]}"
        for operation in [_remove(one) for one in ids] if leave else [_add(*ids)]:
            self.pushed(self.cast.acme.patch(path, operation))

    @rule(group=a_group, whom=st.sets(a_person, max_size=3))
    def the_members_are_replaced(self, group: int, whom: set[int]) -> None:
        values = [{"value": one} for one in self.ids_of(whom)]
        operation = {"op": "replace", "path": "members", "value": values}
        self.pushed(self.cast.acme.patch(f"/Groups/{self.groups[group]}", operation))

    @rule(group=a_group, inner=a_group, leave=st.booleans())
    def a_group_joins_or_leaves(self, group: int, inner: int, leave: bool) -> None:
        one = self.groups[inner]
        self.pushed(self.cast.acme.patch(f"/Groups/{self.groups[group]}", _remove(one) if leave else _add(one)))

    @rule(group=a_group, whom=st.sets(a_person, max_size=3))
    def a_group_is_deleted_and_made_again(self, group: int, whom: set[int]) -> None:
        assert self.cast.acme.delete(f"/Groups/{self.groups[group]}").status == 204
        self.groups[group] = self.cast.acme.group(GROUPS[group], *self.ids_of(whom))["id"]

    # What groups give.

    @rule(which=a_rule, given=terms, begin=some_time, end=some_time, exclude=st.sets(a_person, max_size=1))
    def a_rule_is_made(
        self,
        which: tuple[str, str],
        given: dict[str, Any],
        begin: timedelta | None,
        end: timedelta | None,
        exclude: set[int],
    ) -> None:
        times: dict[str, Any] = {"valid_from": self.later(begin), "valid_to": self.later(end)}
        who = [self.name(one) for one in exclude]
        self.act(lambda work: rules.create(work, *which, terms=rules.Terms(**given, **times), exclude=who))

    @rule(group=st.sampled_from(["", *GROUPS]), codes=st.sets(st.sampled_from(["pro", "base", "extra", "apart"])))
    def a_bundle_is_made(self, group: str, codes: set[str]) -> None:
        if len(codes) > 1:
            self.act(lambda work: rules.create(work, group, *sorted(codes), atomic=True))

    @rule(which=a_rule, given=terms, to_type=st.none() | a_counted, grace=a_duration)
    def a_rule_is_changed(
        self, which: tuple[str, str], given: dict[str, Any], to_type: str | None, grace: timedelta
    ) -> None:
        self.act(lambda work: rules.update(work, *which, to_type=to_type, migration_grace=grace, **given))

    @rule(which=a_rule, index=a_person, exclude=st.booleans())
    def a_person_is_excluded_or_included(self, which: tuple[str, str], index: int, exclude: bool) -> None:
        who: dict[str, Any] = {"exclude" if exclude else "include": [self.name(index)]}
        self.act(lambda work: rules.update(work, *which, **who))

    @rule(which=a_rule, relink=st.booleans())
    def a_rule_is_deleted_or_linked_again(self, which: tuple[str, str], relink: bool) -> None:
        self.act(lambda work: (rules.relink if relink else rules.delete)(work, *which))

    # What is sold and bought.

    @rule(code=a_code, change=st.sampled_from(["rank", "family", "retired", "authority", "excludes", "requires"]))
    def a_type_is_changed(self, code: str, change: str) -> None:
        values: dict[str, Any] = {
            "rank": next(self.made) % 4,
            "family": None if code in FAMILY else "suite",
            "retired": next(self.made) % 2 == 0,
            "authority": ["any", "groups", "any", "console"][next(self.made) % 4],
            "excludes": () if next(self.made) % 2 else ("base",),
            "requires": () if next(self.made) % 2 else ("apart",),
        }
        self.act(lambda work: catalog.update_type(work, code, **{change: values[change]}))

    @rule(policy=st.sampled_from(["highest_rank", "rule_priority", "manual"]))
    def a_family_is_decided_otherwise(self, policy: str) -> None:
        self.act(lambda work: catalog.update_type(work, "pro", conflict_policy=policy))

    @rule(code=a_counted, count=st.integers(0, 3), mode=st.sampled_from(["reject", "freeze", "immediate"]))
    def seats_are_set(self, code: str, count: int, mode: str) -> None:
        self.act(lambda work: contracts.set_seats(work, "C-1", {code: count}, mode))

    @rule(
        code=a_counted,
        count=st.integers(1, 2),
        begin=some_time,
        end=a_duration,
        overage=st.sampled_from(["block", "percent:50", "count:1", "approve", "approve:1", "true_up"]),
        reserve=st.integers(0, 1),
    )
    def a_contract_is_signed(
        self, code: str, count: int, begin: timedelta | None, end: timedelta, overage: str, reserve: int
    ) -> None:
        starts = self.clock.now() + (begin or timedelta(0))
        given = contracts.Terms(starts, starts + end, 2 * HOUR, {code: overage}, {code: reserve})
        self.act(lambda work: contracts.create(work, f"X-{next(self.made)}", {code: count}, terms=given))

    @rule(code=a_counted, begin=some_time, end=some_time)
    def a_line_is_added(self, code: str, begin: timedelta | None, end: timedelta | None) -> None:
        line = contracts.SeatLine(
            code, 1, self.later(begin), None if end is None else self.later((begin or HOUR) + end)
        )
        self.act(lambda work: contracts.add_line(work, "C-1", line))

    @rule(index=st.integers(0, 5), begin=some_time, end=some_time, seats_of=st.integers(0, 2))
    def a_contract_is_renewed(self, index: int, begin: timedelta | None, end: timedelta | None, seats_of: int) -> None:
        with self.cast.reading() as work:
            old = contracts.listing(work)
        one = old[index % len(old)]
        given = contracts.Terms(
            self.later(begin), None if end is None else self.later((begin or HOUR) + 40 * DAY + end)
        )
        fewer = dict.fromkeys(list(one.seats)[:1], seats_of)
        self.act(lambda work: contracts.renew(work, one.number, f"R-{next(self.made)}", fewer, given))

    @rule(code=a_counted)
    def overage_is_approved(self, code: str) -> None:
        self.act(lambda work: contracts.approve_overage(work, code))

    # What administrators do.

    @rule(index=a_person, code=a_code, pinned=st.booleans(), expires=some_time)
    def a_license_is_given(self, index: int, code: str, pinned: bool, expires: timedelta | None) -> None:
        held = self.effective()
        more: dict[str, Any] = {"pinned": pinned, "expires_at": self.later(expires)}
        name = self.name(index)
        if self.act(lambda work: direct.assign(work, name, code, **more)):
            self.only_theirs_moved(held, name)

    @rule(index=a_person, code=a_code, whole=st.booleans())
    def a_license_is_removed(self, index: int, code: str, whole: bool) -> None:
        self.act(lambda work: lifecycle.remove(work, self.name(index), None if whole else code))

    @rule(index=a_person, code=a_code, free=st.none() | st.booleans(), resume=st.booleans())
    def a_license_is_suspended_or_resumed(self, index: int, code: str, free: bool | None, resume: bool) -> None:
        name = self.name(index)
        if resume:
            self.act(lambda work: lifecycle.resume(work, name, code))
        else:
            self.act(lambda work: lifecycle.suspend(work, name, code, free_seat=free))

    @rule(index=a_person, other=a_person, code=a_code)
    def a_license_is_handed_on(self, index: int, other: int, code: str) -> None:
        """I-4: in one step, and the queue gets nothing of it."""
        giver, heir = self.name(index), self.name(other)
        before = self.effective()
        if self.act(lambda work: lifecycle.reassign(work, giver, code, heir)):
            after = self.effective()
            assert (giver, code) not in after or (giver, code) in before
            self.only_theirs_moved(before, giver, heir)

    @rule(index=a_person, code=a_code, to=a_code, pin=st.booleans())
    def a_type_is_exchanged(self, index: int, code: str, to: str, pin: bool) -> None:
        self.act(lambda work: lifecycle.change_type(work, self.name(index), code, to, pin=pin))

    @rule(index=a_person, how=st.sampled_from(["ban", "unban", "deactivate", "reactivate"]))
    def a_person_is_banned_or_deactivated(self, index: int, how: str) -> None:
        name = self.name(index)
        more = ("fraud",) if how == "ban" else ()
        self.act(lambda work: getattr(people, how)(work, name, *more))

    @rule(index=a_person, code=st.none() | a_code, how=st.sampled_from(["add", "copy", "replace"]))
    def a_person_is_added(self, index: int, code: str | None, how: str) -> None:
        name, new = self.name(index), f"n{next(self.made)}"
        form = people.form(new)
        if how == "copy":
            done = self.act(lambda work: people.copy(work, name, form, code))
        else:
            done = self.act(lambda work: people.add(work, form, code, replaces=name if how == "replace" else None))
        if done:
            self.names.append(new)
            with self.cast.reading() as work:
                self.ids[new] = next(row.id for row in rows_of(work, D.users) if row.user_name_key == new)

    @rule(index=a_person, code=a_code, how=st.sampled_from(["create", "approve", "deny"]))
    def a_license_is_asked_for(self, index: int, code: str, how: str) -> None:
        name = self.name(index)
        more = () if how == "approve" else ("because",)
        self.act(lambda work: getattr(requests, how)(work, name, code, *more))

    @rule()
    def direct_claims_are_converted(self) -> None:
        self.act(seats.tick)
        before = self.effective()
        self.act(conversion.convert)
        assert self.effective() == before

    @rule(undo=st.booleans())
    def a_hold_is_confirmed_or_undone(self, undo: bool) -> None:
        self.act(lambda work: (undoing.undo if undo else holds.confirm)(work))

    @rule(policy=st.sampled_from(["release", "hold"]), brake=st.sampled_from(["on", "off"]), few=st.sampled_from("019"))
    def the_organization_decides_otherwise(self, policy: str, brake: str, few: str) -> None:
        texts = {"deactivate_policy": policy, "mass_change": brake, "mass_change_people": few}
        chosen = tenant_settings.parsed({**texts, "mass_change_percent": "0"})
        self.act(lambda work: policies.change(work, settings=chosen))

    @rule(index=a_person, code=a_counted)
    def the_seats_that_are_said_to_lack_are_bought(self, index: int, code: str) -> None:
        """A-11: as many seats as the smallest change names are enough for who waits."""
        name = self.name(index)
        self.act(seats.tick)
        with self.cast.reading() as work:
            [found] = explain.explain(work, name, code)
            lines = contracts.find(work, "C-1").lines
            before = self.limits(work)
        change = found.change
        if (found.state, change.kind) != ("waiting", "raise_cap"):
            return
        lacks = {change.types[0]: change.seats or 0, **{one.type: one.seats for one in change.besides}}
        bought = Counter({one.type_code: one.quantity for one in lines if one.starts is None and one.ends is None})
        self.act(lambda work: contracts.set_seats(work, "C-1", {one: bought[one] + lacks[one] for one in lacks}))
        with self.cast.reading() as work:
            [after] = explain.explain(work, name, code)
            limits = self.limits(work)
        if all((before[one] or 0) + lacks[one] == limits[one] for one in lacks):
            assert after.state == "assigned", (found, after)

    def limits(self, work: Work) -> dict[str, int | None]:
        """How many seats may be used of each type now."""
        codes = {row.seq: row.code for row in rows_of(work, L.license_types)}
        return {codes[seq]: limit for seq, limit in limits_of(work, self.clock.now()).items()}

    @rule(duration=a_duration)
    def time_passes(self, duration: timedelta) -> None:
        self.clock.advance(duration)

    # What must be so, whatever happened.

    def effective(self) -> set[tuple[str, str]]:
        """(userName, type) of who may work now; a grace that has lapsed is none (4.2)."""
        now = self.clock.now()
        with self.cast.reading() as work:
            names = {row.seq: row.user_name_key for row in rows_of(work, D.users)}
            codes = {row.seq: row.code for row in rows_of(work, L.license_types)}
            return {
                (names[row.user_seq], codes[row.type_seq])
                for row in rows_of(work, L.assignments)
                if row.state == "assigned" or (row.state == "grace" and row.until > now)
            }

    def only_theirs_moved(self, before: set[tuple[str, str]], *names: str) -> None:
        """I-5: nobody else lost what was effective, but for a better type, or by a grace that yields (A-6)."""
        after = self.effective()
        moved_up = {name for name, _ in after - before}
        lost = {(name, code) for name, code in before - after if name not in {*names, *moved_up} and code != "base"}
        assert lost == set(), lost

    @invariant()
    def the_rules_of_the_engine_hold(self) -> None:
        if not self.groups:
            return
        self.act(seats.tick)
        with self.cast.reading() as work:
            self.assert_counts(work)
            self.assert_reasons(work)
            self.assert_history(work)
            assert verify.findings(work) == []
            assert [str(one) for one in replay.check(work)] == []
            self.assert_explained(work)
        with self.cast.writing() as work:
            assert seats.tick(work) == 0
        assert self.globex() == self.other

    def assert_counts(self, work: Work) -> None:
        """I-1, I-3, I-12, A-5, A-13, from the rows."""
        held = rows_of(work, L.assignments)
        seated = [
            row for row in held if row.state in ("assigned", "grace") or (row.state == "suspended" and row.stop_holds)
        ]
        assert len({(row.user_seq, row.type_seq) for row in held}) == len(held)
        used = Counter(row.type_seq for row in [*seated, *rows_of(work, L.parked_seats)])
        ledger = {row.type_seq: row.consuming for row in rows_of(work, L.ledger)}
        assert ledger == {seq: used[seq] for seq in ledger}
        quotas = Counter(row.quota_rule for row in seated if row.quota_rule is not None)
        limits = limits_of(work, self.clock.now())
        before = self.seen
        for seq, limit in limits.items():
            if limit is not None and used[seq] > limit:
                assert before is not None and used[seq] <= self.most(work, seq, before), "I-1"
        for one in rows_of(work, L.rules):
            if one.quota is not None and quotas[one.seq] > one.quota:
                assert before is not None and quotas[one.seq] <= before.quotas.get(one.seq, used[one.type_seq]), "A-13"
        self.assert_nobody_waits_beside_a_free_seat(work, held, used, limits)
        log = [row.seq for row in rows_of(work, tables.audit.audit)]
        self.seen = Seen(self.clock.now(), dict(ledger), dict(quotas), self.seen.events if self.seen else 0, max(log))

    def most(self, work: Work, seq: int, before: Seen) -> float:
        """As many as there were, or as a contract allowed at an instant since then (I-10)."""
        instants = [one for one in boundaries(work) if before.at < one <= self.clock.now()]
        limits = [limits_of(work, one)[seq] for one in instants]
        return max([before.used[seq], *(float("inf") if one is None else one for one in limits)])

    def assert_nobody_waits_beside_a_free_seat(
        self, work: Work, held: Iterable[Any], used: Counter[int], limits: dict[int, int | None]
    ) -> None:
        """A-5, where no quota, no bundle and no reserve stands between."""
        bundled = {row.type_seq for row in rows_of(work, L.rules) if row.bundle is not None}
        kept_back = {row.type_seq for row in rows_of(work, L.seat_lines) if row.reserve}
        for row in held:
            if row.state == "waiting" and row.reason != "quota" and row.type_seq not in bundled | kept_back:
                limit = limits[row.type_seq]
                assert limit is not None and used[row.type_seq] >= limit, row

    def assert_reasons(self, work: Work) -> None:
        """I-7, D-7: who is in the group of a rule that counts has its claim, and nobody else a live one."""
        now = self.clock.now()
        users = {row.seq: row for row in rows_of(work, D.users)}
        excluded = {(row.rule_seq, row.user_seq) for row in rows_of(work, L.rule_exclusions)}
        live = {
            (row.rule_seq, row.user_seq): row.held_back
            for row in rows_of(work, L.claims)
            if row.rule_seq is not None and row.until is None
        }
        wanted: dict[tuple[int, int], str | None] = {}
        for one in rows_of(work, L.rules):
            over = one.valid_to is not None and one.valid_to <= now
            if one.state != "bound" or not one.enabled or over:
                continue
            for seq in users if one.everyone else inside(work, one.group_seq):
                if (one.seq, seq) not in excluded:
                    wanted[one.seq, seq] = held_back(one, users[seq], now)
        assert {key: back for key, back in live.items() if back is None} == {
            key: back for key, back in wanted.items() if back is None
        }
        assert set(live) <= set(wanted)

    def assert_history(self, work: Work) -> None:
        """D-10: the log only grows."""
        assert self.seen is not None
        log = [row.seq for row in rows_of(work, tables.audit.audit)]
        kept = sum(1 for seq in log if seq <= self.seen.last)
        assert kept >= self.seen.events
        self.seen = replace(self.seen, events=len(log), last=max(log))

    def assert_explained(self, work: Work) -> None:
        """I-8, A-11: of one person after the other, every outcome has a sentence in each language."""
        name = self.name(len(self.done))
        self.done.append(name)
        for found in explain.explain(work, name):
            for language in sentences.LANGUAGES:
                assert words.sentence(found, language).endswith(".")
        for code in CODES[: 1 + len(self.done) % 3]:
            [found] = explain.explain(work, name, code)
            assert found.state != "waiting" or found.change.seats != 0


def boundaries(work: Work) -> list[datetime]:
    """When a contract, or a line of it, begins or ends."""
    contracts_of = [(row.starts_at, row.ends_at) for row in rows_of(work, L.contracts)]
    lines_of = [(row.valid_from, row.valid_to) for row in rows_of(work, L.seat_lines)]
    return sorted({one for pair in [*contracts_of, *lines_of] for one in pair if one is not None})


def limits_of(work: Work, now: datetime) -> dict[int, int | None]:
    """A-1, A-2 from the contracts' rows: how many seats may be used of each type then; None without a limit."""
    signed = {row.seq: row for row in rows_of(work, L.contracts)}
    replaced = {row.renewed_seq: signed[row.contract_seq].starts_at for row in rows_of(work, L.renewals)}
    approved = {row.type_seq: row.approved for row in rows_of(work, L.ledger)}
    lines: dict[int, list[Any]] = {}
    for line in rows_of(work, L.seat_lines):
        contract = signed[line.contract_seq]
        begins = max(one for one in (contract.starts_at, line.valid_from) if one is not None)
        ends = [one for one in (contract.ends_at, line.valid_to, replaced.get(line.contract_seq)) if one is not None]
        if begins <= now and all(now < one for one in ends):
            lines.setdefault(line.type_seq, []).append(line)
    found: dict[int, int | None] = {}
    for kind in rows_of(work, L.license_types):
        mine = lines.get(kind.seq, [])
        free = not kind.counted or any(line.overage == "true_up" for line in mine)
        found[kind.seq] = None if free else limit_of(mine, approved[kind.seq])
    return found


def limit_of(lines: list[Any], approved: int) -> int:
    """Seats of lines of the same overage are added up before it is applied."""
    by_overage: Counter[str] = Counter()
    for line in lines:
        by_overage[line.overage] += line.quantity
    total, most = 0, 0
    for overage, quantity in by_overage.items():
        word, _, amount = overage.partition(":")
        total += quantity
        total += quantity * int(amount) // 100 if word == "percent" else 0
        total += int(amount) if word == "count" else 0
        most += (int(amount) if amount else 10**6) if word == "approve" else 0
    return total + min(approved, most)


def inside(work: Work, group_seq: int) -> set[int]:
    """D-6: who is in a group, or in a group in it."""
    below, new = {group_seq}, {group_seq}
    nestings = [(row.group_seq, row.child_seq) for row in rows_of(work, D.nestings)]
    while new:
        new = {child for group, child in nestings if group in new} - below
        below |= new
    return {row.user_seq for row in rows_of(work, D.memberships) if row.group_seq in below}


def held_back(one: Any, user: Any, now: datetime) -> str | None:
    """Why a rule's claim does not count yet."""
    if one.valid_from is not None and one.valid_from > now:
        return "not_yet_valid"
    meets = one.filter is None or orjson.loads(user.document).get("title") == "boss"
    return None if meets else "filter"


def _user(user_name: str, title: str) -> dict[str, Any]:
    return {"schemas": [service.CORE], "userName": user_name, "title": title}


def _add(*ids: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": one} for one in ids]}


def _remove(one: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{one}"]'}


@pytest.mark.proof
@pytest.mark.parametrize("block", range(BLOCKS))
def test_I_1_I_3_I_5_I_6_I_7_I_8_I_10_I_11_I_12_the_engine_keeps_its_rules_whatever_happens(
    store: Store, clock: SettableClock, count: Count, block: int
) -> None:
    """The same ways in every run of the suite; a proof walks new ones, and shows how to walk again what fails."""
    parts = {"store": store, "clock": clock, "count": staticmethod(count), "template": service.assemble(store)}
    machine = type(f"EngineOfBlock{block}", (Engine,), parts)
    run_state_machine_as_test(
        seed(block)(machine) if SAME else machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not PROVE,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
