"""Why, why not, and the smallest change, for every state and reason there is (licensing.md A-11, I-8)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import (
    attributes,
    catalog,
    change,
    contracts,
    direct,
    ends,
    explain,
    facts,
    gate,
    rules,
    seats,
    sentences,
    words,
)
from scim_service.licensing.explain import Explanation
from scim_service.protocol import schema
from scim_service.storage import tables
from scim_service.storage.work import Actor
from tests.conftest import START, SettableClock
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
_users = tables.directory.users
_tenants = tables.access.tenants
_THE_PERSON = sa.update(_users).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which")
)
_SET_BANNED = _THE_PERSON.values(banned=True)
_SET_INACTIVE = _THE_PERSON.values(active=False)


def of(acme: Organization, name: str, code: str = "pro") -> Explanation:
    with acme.reading() as work:
        [found] = explain.explain(work, name, code)
    return found


def assign(acme: Organization, name: str, code: str = "pro", **options: Any) -> None:
    with acme.writing() as work:
        direct.assign(work, name, code, **options)


def stop(acme: Organization, name: str, holds: bool = True) -> None:
    with acme.writing() as work:
        entered = gate.enter(work)
        [person] = entered.load([acme.people[name]])
        person.stops[next(iter(person.held))] = facts.Stop(facts.ADMINISTRATOR, holds)
        entered.settle([person.seq])


def set_seats(acme: Organization, code: str, count: int, mode: str = "freeze") -> None:
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {code: count}, mode)


def update_rule(acme: Organization, **changes: Any) -> None:
    with acme.writing() as work:
        rules.update(work, "Sales", "pro", **changes)


def ban(acme: Organization, name: str) -> None:
    with acme.writing() as work:
        who = {"user_seq": acme.people[name]}
        work.insert(tables.directory.accounts, [{**who, "ban_reason": "fraud", "banned_at": work.now}])
        work.execute(_SET_BANNED, which=who["user_seq"])
        seats.activity_changed(work, [who["user_seq"]])


def settings(acme: Organization, stored: str) -> None:
    with acme.writing() as work:
        work.execute(_tenants.update().where(_tenants.c.id == work.tenant_id).values(settings=stored))


def family(acme: Organization, policy: str = facts.HIGHEST_RANK, **seats_of: int) -> None:
    """`basic` and the better `pro`; Ann is in Everyone, which gives basic, and in Sales, which gives pro."""
    acme.sells({"basic": 1, "pro": 1, **seats_of}, ("basic", "pro"), conflict_policy=policy)
    acme.has("ann")
    for group, code in {"Everyone": "basic", "Sales": "pro"}.items():
        acme.makes(group, "ann")
        acme.gives(group, code)


def held(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    return of(acme, "ann")


def left(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    acme.leave("Sales", "ann")
    return of(acme, "ann")


def value_removed(acme: Organization, clock: SettableClock) -> Explanation:
    given(acme, {"licenseType": "pro"}, {})
    return of(acme, "ann")


def without_authority(acme: Organization, clock: SettableClock) -> Explanation:
    given(acme, {"licenseType": "pro"}, {"licenseType": "pro"})
    with acme.writing() as work:
        catalog.update_type(work, "pro", authority=catalog.CONSOLE)
    return of(acme, "ann")


def given(acme: Organization, *extensions: dict[str, str]) -> None:
    """The identity provider writes our extension of Ann's, once for each."""
    acme.sells({"pro": 1})
    acme.has("ann")
    written = [{}, *({schema.LICENSE_URN: one} for one in extensions)]
    for before, after in pairwise(written):
        with acme.writing() as work:
            attributes.written(work, acme.people["ann"], before, after)


def rule_removed(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    with acme.writing() as work:
        rules.delete(work, "Sales", "pro")
    return of(acme, "ann")


def migrating(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1, "next": 0})
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    update_rule(acme, to_type="next")
    return of(acme, "ann")


def cap_decrease(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 3, "ann", "ben", "cem")
    set_seats(acme, "pro", 1)
    return of(acme, "ben")


def contract_end(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 0})
    with acme.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, ends=START + DAY)
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 0})
    return _at(acme, clock, DAY, "ann")


def line_end(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 0, "ann")
    with acme.writing() as work:
        contracts.add_line(work, "C-1", contracts.SeatLine("pro", 1, ends=START + DAY))
    return _at(acme, clock, DAY, "ann")


def _at(acme: Organization, clock: SettableClock, later: timedelta, name: str) -> Explanation:
    clock.advance(later)
    acme.tick()
    return of(acme, name)


def suspended(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    stop(acme, "ann")
    return of(acme, "ann")


def parked(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 2, "ann", "ben")
    settings(acme, '{"mass_change_people":0,"mass_change_percent":0}')
    with acme.store.writing(acme.tenant_id, Actor("connection", "okta")) as work:
        seq = acme.people["ann"]
        work.execute(_SET_INACTIVE, which=seq)
        seats.activity_changed(work, [seq])
    return of(acme, "ann")


def kept_inactive(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    settings(acme, '{"deactivate_policy":"hold"}')
    acme.turn("ann", False)
    return of(acme, "ann")


def waiting(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", "ben", "cem")
    return of(acme, "cem")


def approval(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 0})
    with acme.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, terms=contracts.Terms(overage={"pro": "approve"}))
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    return of(acme, "ben")


def quota(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 5, "ann", "ben", terms=rules.Terms(quota=1))
    return of(acme, "ben")


def conflict(acme: Organization, clock: SettableClock) -> Explanation:
    family(acme, facts.MANUAL)
    return of(acme, "ann")


def prerequisite(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"basic": 1, "pro": 1})
    acme.has("ann")
    with acme.writing() as work:
        catalog.update_type(work, "pro", requires=("basic",))
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    return of(acme, "ann")


def contract_inactive(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1})
    with acme.writing() as work:
        contracts.create(work, "C-2", {"pro": 1}, ends=START + DAY)
        catalog.create_type(work, "max", "Max")
        contracts.create(work, "C-3", {"max": 1}, ends=START + DAY)
    clock.advance(DAY)
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "max")
    return of(acme, "ann", "max")


def filtered(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", terms=rules.Terms(filter='userName eq "zoe"'))
    return of(acme, "ann")


def not_yet(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", terms=rules.Terms(valid_from=START + DAY))
    return of(acme, "ann")


def banned(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    ban(acme, "ann")
    return of(acme, "ann")


def retired(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1})
    with acme.writing() as work:
        catalog.retire_type(work, "pro")
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    return of(acme, "ann")


def covered(acme: Organization, clock: SettableClock) -> Explanation:
    family(acme)
    return of(acme, "ann", "basic")


def awaited(acme: Organization, clock: SettableClock) -> Explanation:
    family(acme, pro=0)
    with acme.writing() as work:
        catalog.update_type(work, "pro", fallback=False)
    return of(acme, "ann", "basic")


def pinned(acme: Organization, clock: SettableClock) -> Explanation:
    family(acme)
    acme.leave("Everyone", "ann")
    assign(acme, "ann", "basic", pinned=True)
    return of(acme, "ann")


def expired(acme: Organization, clock: SettableClock) -> Explanation:
    contract_inactive_of_holder(acme, clock)
    return _at(acme, clock, 14 * DAY, "ann")


def contract_inactive_of_holder(acme: Organization, clock: SettableClock) -> None:
    acme.sells({})
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-2", {"pro": 1}, ends=START + DAY)
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    clock.advance(DAY)
    acme.tick()


def dormant(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    acme.turn("ann", False)
    return of(acme, "ann")


def nothing(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    acme.has("zoe")
    return of(acme, "zoe")


def nothing_retired(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1})
    acme.has("zoe")
    with acme.writing() as work:
        catalog.retire_type(work, "pro")
    return of(acme, "zoe")


def no_longer_met(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", exit_grace=NOW)
    update_rule(acme, filter='userName eq "zoe"')
    return of(acme, "ann")


def excluded(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", exclude=["ann"])
    return of(acme, "ann")


def disabled(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", terms=rules.Terms(enabled=False))
    return of(acme, "ann")


def over(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann", terms=rules.Terms(valid_to=START + HOUR, exit_grace=NOW))
    return _at(acme, clock, HOUR, "ann")


def reserved(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({})
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-2", {"pro": 2}, terms=contracts.Terms(reserve={"pro": 1}))
    acme.has("ann", "ben")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    return of(acme, "ben")


def bundle(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1, "max": 0})
    acme.has("ann")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, "Sales", "pro", "max", atomic=True)
    return of(acme, "ann")


def bundle_without_any(acme: Organization, clock: SettableClock) -> Explanation:
    """Of two parts no seat is free, and somebody else waits for one of them; a third part has seats."""
    acme.sells({"pro": 0, "max": 0, "plus": 5})
    acme.has("zoe", "ann")
    acme.makes("Sales", "ann")
    with acme.writing() as work:
        rules.create(work, rules.EVERYONE, "max", exclude=["ann"])
        rules.create(work, "Sales", "pro", "max", "plus", atomic=True)
    return of(acme, "ann")


def bundle_to_join(acme: Organization, clock: SettableClock) -> Explanation:
    bundle_without_any(acme, clock)
    return of(acme, "zoe")


def excluded_while_held(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    update_rule(acme, exclude=["ann"])
    return of(acme, "ann")


def expiring(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1})
    acme.has("ann")
    assign(acme, "ann", expires_at=START + DAY)
    return of(acme, "ann")


def for_everyone(acme: Organization, clock: SettableClock) -> Explanation:
    acme.sells({"pro": 1})
    acme.has("ann")
    acme.gives(rules.EVERYONE, "pro", terms=rules.Terms(valid_to=START + DAY))
    return of(acme, "ann")


def by_all_ways(acme: Organization, clock: SettableClock) -> Explanation:
    sales(acme, 1, "ann")
    assign(acme, "ann")
    return of(acme, "ann")


def parked_and_back(acme: Organization, clock: SettableClock) -> Explanation:
    parked(acme, clock)
    return _at(acme, clock, DAY, "ann")


CASES = [
    *(
        held,
        left,
        rule_removed,
        value_removed,
        without_authority,
        migrating,
        cap_decrease,
        contract_end,
        line_end,
        suspended,
        parked,
        kept_inactive,
    ),
    *(
        waiting,
        approval,
        quota,
        reserved,
        bundle,
        bundle_without_any,
        bundle_to_join,
        conflict,
        prerequisite,
        contract_inactive,
        filtered,
        not_yet,
    ),
    *(banned, retired, covered, awaited, pinned, expired, dormant, nothing, nothing_retired, no_longer_met, excluded),
    *(disabled, over, excluded_while_held, expiring, for_everyone, by_all_ways, parked_and_back),
]
GOLDEN = Path(__file__).with_name("explained.txt")
"""What each case is told to be: its name, state and reason; the change as data; the sentence in English and French."""


def test_A_11_every_outcome_is_explained_with_the_smallest_change_in_two_languages(
    founded: Callable[..., Organization], clock: SettableClock
) -> None:
    told, outcomes = [], set()
    for number, case in enumerate(CASES):
        clock.set(START)
        acme = founded(f"acme-{number}")
        found = case(acme, clock)
        outcomes.add((found.state, found.reason))
        told += _told(case.__name__, found)
        acme.check()
    assert told == GOLDEN.read_text(encoding="utf-8").splitlines()
    assert set(sentences.OUTCOMES) - outcomes == set()


def _told(name: str, found: Explanation) -> list[str]:
    wanted = {key: value for key, value in asdict(found.change).items() if value not in (None, ())}
    ends_by = f" until {found.ends.kind}" if found.ends else ""
    head = f"{name}: {found.state} ({found.reason}){ends_by}"
    return [head, json.dumps(wanted), *(words.sentence(found, one) for one in sentences.LANGUAGES), ""]


def test_A_11_every_reason_that_the_engine_knows_has_words() -> None:
    named = {value for name, value in vars(facts).items() if name.isupper() and isinstance(value, str)}
    policies = {facts.HIGHEST_RANK, facts.RULE_PRIORITY, facts.MANUAL}
    spoken = {part for outcome in sentences.OUTCOMES for part in outcome if part is not None}
    assert named - policies - spoken == set()
    assert {state for state, _ in sentences.OUTCOMES} == {*facts.STATES, explain.NONE, explain.DORMANT}


def test_A_11_every_change_and_every_ending_has_words() -> None:
    assert set(sentences.CHANGES) == set(change.KINDS)
    assert set(sentences.ENDINGS) == set(ends.KINDS)
    named = {value for name, value in vars(change).items() if name.isupper() and isinstance(value, str)}
    assert {one for one in named if one in sentences.CHANGES} == set(change.KINDS)


def _pairs() -> list[tuple[str, str]]:
    tables = (sentences.OUTCOMES, sentences.FULL, sentences.ENDINGS, sentences.CHANGES, sentences.SOURCES)
    more = (sentences.RULES, sentences.SEAT_STATES, sentences.ACTORS)
    single = [
        sentences.ADVICE,
        sentences.WITH_SEATS,
        sentences.SEATS_OF,
        sentences.AND,
        sentences.OR,
        sentences.QUOTES,
        sentences.INSTANT,
    ]
    return [*(pair for table in (*tables, *more) for pair in table.values()), *single, sentences.FROM_GROUP]


def test_N_9_both_languages_say_the_same_things() -> None:
    for english, french in _pairs():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, french)]
        assert names[0] == names[1], english
        assert bool(english) == bool(french)
    assert [len(months) for months in sentences.MONTHS] == [12, 12]


def test_N_9_french_has_its_own_typography() -> None:
    french = words.Words("fr")
    for pair in _pairs():
        text = french.say(pair, **{name: "x" for _, name, _, _ in Formatter().parse(pair[1]) if name})
        assert not re.search(r"(?<![\u00a0\u202f])[;:!?»]|«(?!\u00a0)|'|\"", text), text
    assert french.instant(START) == "1er mars 2027 à 08\u00a0h\u00a000 UTC"
    assert words.Words("en").instant(START + DAY) == "2 March 2027, 08:00 UTC"
    assert french.list(["a", "b", "c"]) == "a, b et c"


def test_A_11_an_explanation_has_the_numbers_and_the_claim_that_decides(acme: Organization) -> None:
    sales(acme, 2, "ann", "ben", "cem", "dan", exit_grace=NOW)
    acme.makes("Support", "dan")
    acme.gives("Support", "pro", priority=10)
    found = of(acme, "dan")
    assert (found.numbers.used, found.numbers.limit, found.numbers.cap) == (2, 2, 2)
    assert (found.numbers.position, found.numbers.waiting, found.numbers.missing) == (1, 2, 1)
    assert [(one.rule, one.priority, one.effective) for one in found.claims] == [
        ("Sales", 100, False),
        ("Support", 10, True),
    ]


def test_A_11_as_many_seats_as_the_change_names_are_enough_and_one_less_is_not(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem", "dan")
    missing = of(acme, "dan").change.seats
    assert missing == 3
    set_seats(acme, "pro", 1 + missing - 1)
    assert of(acme, "dan").state == "waiting"
    set_seats(acme, "pro", 1 + missing)
    assert of(acme, "dan").state == "assigned"


def buy(acme: Organization, found: Explanation) -> None:
    """Exactly the seats that the change names."""
    wanted = found.change
    assert wanted.kind == change.RAISE_CAP
    more = {wanted.types[0]: wanted.seats or 0, **{one.type: one.seats for one in wanted.besides}}
    with acme.reading() as work:
        limits = {kind.code: gate.look(work).types[kind.seq].limit or 0 for kind in catalog.types(work)}
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {code: limits[code] + count for code, count in more.items()})


def test_A_9_A_11_the_seats_of_all_types_of_a_bundle_that_the_change_names_are_enough(acme: Organization) -> None:
    acme.sells({"base": 0, "pro": 0, "extra": 1})
    acme.has("ann", "ben", "cem")
    with acme.writing() as work:
        catalog.update_type(work, "extra", requires=("base",))
        rules.create(work, rules.EVERYONE, "base", "extra", "pro", atomic=True)
    found = of(acme, "ben")
    assert (found.change.seats, found.change.types) == (2, ("pro",))
    assert [(one.type, one.seats) for one in found.change.besides] == [("base", 2), ("extra", 1)]
    buy(acme, found)
    for code in ("base", "pro"):
        assert acme.states(code) == {"ann": "assigned", "ben": "assigned", "cem": "waiting 1"}
    acme.check()


def test_A_9_A_11_nobody_is_told_to_buy_the_rest_of_a_bundle_who_needs_one_type_alone(acme: Organization) -> None:
    acme.sells({"base": 0, "pro": 0})
    acme.has("ann")
    with acme.writing() as work:
        rules.create(work, rules.EVERYONE, "base", "pro", atomic=True)
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    found = of(acme, "ann")
    assert (found.change.types, found.change.besides) == (("pro",), ())
    buy(acme, found)
    assert of(acme, "ann").state == "assigned"
    acme.check()


def test_A_11_nobody_is_sent_into_a_group_whose_rule_gives_nothing(acme: Organization, clock: SettableClock) -> None:
    sales(acme, 1, "ann", terms=rules.Terms(enabled=False))
    acme.has("zoe")
    assert of(acme, "zoe").change == change.Change(change.ASSIGN, types=("pro",))
    update_rule(acme, enabled=True, valid_to=START + HOUR, exit_grace=NOW)
    assert of(acme, "zoe").change.kind == change.JOIN
    assert _at(acme, clock, HOUR, "zoe").change.kind == change.ASSIGN


def test_A_11_a_lapsed_grace_is_not_explained_as_a_seat_even_before_the_clock_ran(
    acme: Organization, clock: SettableClock
) -> None:
    left(acme, clock)
    clock.advance(HOUR)
    assert of(acme, "ann").state == "none"


def test_A_11_what_gives_nothing_is_told_beside_what_is_held(acme: Organization) -> None:
    sales(acme, 1, "ann", exclude=["ann"])
    assign(acme, "ann")
    found = of(acme, "ann")
    assert (found.state, [one.kind for one in found.facts]) == ("assigned", ["excluded"])
