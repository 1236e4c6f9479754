"""What is told: licenses, people, seats, explanations, events (licensing.md A-11, I-6, X-2), on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, explain, gate, shown, usage
from tests.licensing.conftest import HOUR, Organization, sales


def test_X_2_licenses_tell_value_state_source_since_until_place_and_reason(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    with acme.reading() as work:
        found = shown.licenses(work, list(acme.people.values()))
    assert found[acme.people["ann"]] == [
        {"value": "pro", "display": "Pro", "state": "assigned", "source": "group", "since": "2027-03-01T08:00:00.000Z"}
    ]
    [waiting] = found[acme.people["ben"]]
    assert (waiting["state"], waiting["queuePosition"], waiting["reason"]) == ("waiting", 1, "cap_reached")
    acme.leave("Sales", "ann")
    with acme.reading() as work:
        [left] = shown.licenses(work, [acme.people["ann"]])[acme.people["ann"]]
    assert (left["state"], left["reason"], left["until"]) == ("grace", "left_group", "2027-03-01T09:00:00.000Z")


def test_A_11_an_explanation_has_every_claim_with_the_paths_from_its_group(acme: Organization) -> None:
    sales(acme, 1, "ann")
    acme.makes("Inner", "ann", inside="Sales")
    acme.makes("Ring", inside="Inner")
    acme.nest("Ring", "Sales")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    with acme.reading() as work:
        [found] = explain.explain(work, "Ann", "pro")
    assert (found.type_code, found.state) == ("pro", "assigned")
    assert [(line.source, line.rule, line.paths) for line in found.claims] == [
        ("group", "Sales", [["Sales"], ["Sales", "Inner"]]),
        ("direct", None, []),
    ]


def test_A_11_a_type_without_a_reason_is_explained_when_asked_for(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann")
    with acme.reading() as work:
        assert explain.explain(work, "ann") == []
        [found] = explain.explain(work, "ann", "pro")
        assert (found.state, found.reason, found.claims) == ("none", "no_reason", [])
        with pytest.raises(errors.NotFound):
            explain.explain(work, "zoe")
        with pytest.raises(errors.NotFound):
            usage.people(work, "gold")


def test_people_are_listed_by_type_and_state(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    with acme.reading() as work:
        assert [one.user_name for one in usage.people(work, "pro", "waiting")] == ["ben", "cem"]
        assert [one.position for one in usage.people(work, state="waiting")] == [1, 2]
        assert usage.people(work, "pro", "grace") == []
        [holder] = usage.people(work, state="assigned")
    assert (holder.user_id, holder.sources) == ("id-ann", ["group"])
    line = acme.line("pro")
    assert (line.limit, line.used, line.waiting, line.grace) == (1, 1, 2, 0)


def test_I_6_the_event_log_tells_every_change_with_its_reason(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    acme.leave("Sales", "ann")
    clock.advance(2 * HOUR)
    acme.tick()
    told = [(one.action, one.data.get("from"), one.data["reason"]) for one in acme.events("ann")]
    assert told == [
        ("claim:added", None, None),
        ("license:assigned", None, None),
        ("claim:lingering", None, "left_group"),
        ("license:grace", "assigned", "left_group"),
        ("claim:ended", None, "lapsed"),
        ("license:released", "grace", "lapsed"),
    ]
    assert acme.events("ann")[-1].data["effective"].startswith("2027-03-01T09:00:00")
    assert [one.action for one in acme.events("ben")][-2:] == ["license:waiting", "license:assigned"]


def test_I_6_a_repeated_event_changes_nothing_and_leaves_no_trace(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    before = (acme.events("ann"), acme.events("ben"))
    acme.join("Sales", "ann", "ben")
    acme.tick()
    assert (acme.events("ann"), acme.events("ben")) == before


def test_I_11_another_tenant_is_never_touched_and_never_counted(founded: Callable[..., Organization]) -> None:
    acme, globex = founded("acme"), founded("globex")
    for one, person in ((acme, "alice"), (globex, "charlie")):
        sales(one, 1, person)
    acme.delete("alice")
    assert globex.states("pro") == {"charlie": "assigned"}
    assert (globex.line("pro").used, acme.line("pro").used) == (1, 0)


def test_I_1_the_ledger_refuses_what_the_gate_would_never_ask(acme: Organization) -> None:
    sales(acme, 1, "ann")
    with acme.writing() as work:
        entered = gate.enter(work)
        [seq] = entered.types
        with pytest.raises(gate.Broken, match="I-1"):
            entered._count({seq: 2})


def test_types_made_after_the_gate_was_entered_are_known_to_it(acme: Organization) -> None:
    acme.has("ann")
    with acme.writing() as work:
        catalog.create_type(work, "one", "One")
        contracts.create(work, "C-1", {"one": 1})
        catalog.create_type(work, "two", "Two")
        contracts.create(work, "C-2", {"two": 1})
        assert direct.assign(work, "ann", "two") == "assigned"
    acme.check()
