"""Rules: how groups become claims (licensing.md D-6, D-7, D-9, E-5 to E-8), on both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import direct, explain, rules, usage
from scim_service.storage import tables
from tests.licensing.conftest import HOUR, NOW, Organization, sales

_groups = tables.directory.groups
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_FEEDS = sa.select(_groups.c.seq).where(_groups.c.tenant_id == _TENANT, _groups.c.feeds)


def test_E_7_a_rule_claims_for_everybody_in_the_group_in_the_order_of_joining(acme: Organization) -> None:
    acme.sells({"pro": 2})
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "cem", "ann", "ben")
    acme.gives("Sales", "pro")
    assert acme.states("pro") == {"cem": "assigned", "ann": "assigned", "ben": "waiting 1"}
    acme.check()


def test_X_8_people_of_one_request_queue_in_the_order_of_its_array(acme: Organization) -> None:
    sales(acme, 1, exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    acme.join("Sales", "cem", "ann", "ben")
    assert acme.states("pro") == {"cem": "assigned", "ann": "waiting 1", "ben": "waiting 2"}
    acme.join("Sales", "ben", "ann", "cem")
    assert acme.states("pro") == {"cem": "assigned", "ann": "waiting 1", "ben": "waiting 2"}


def test_D_6_a_person_in_a_nested_group_counts_once_and_stays_while_one_way_leads_there(acme: Organization) -> None:
    sales(acme, 5, "ann", "ben", exit_grace=NOW)
    acme.makes("Inner", "ann", "ben", inside="Sales")
    assert acme.line("pro").used == 2
    acme.leave("Sales", "ann")
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned"}
    acme.leave("Inner", "ann")
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()


def test_D_6_nesting_a_group_claims_and_unnesting_lets_go(acme: Organization) -> None:
    sales(acme, 5, exit_grace=NOW)
    acme.has("ann")
    acme.makes("Outer")
    acme.makes("Inner", "ann", inside="Outer")
    acme.nest("Sales", "Outer")
    assert acme.states("pro") == {"ann": "assigned"}
    acme.unnest("Outer", "Inner")
    assert acme.states("pro") == {}
    acme.check()


def test_decision_20_groups_feed_while_a_rule_listens_to_them_or_above(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.makes("Sales")
    acme.makes("Inner", inside="Sales")
    acme.makes("Apart")
    acme.gives("Sales", "pro")
    with acme.reading() as work:
        assert {row.seq for row in work.rows(_FEEDS)} == {acme.groups["Sales"], acme.groups["Inner"]}
    with acme.writing() as work:
        rules.delete(work, "sales", "pro")
    with acme.reading() as work:
        assert work.rows(_FEEDS) == []


def test_I_3_two_reasons_for_a_type_use_one_seat(acme: Organization) -> None:
    sales(acme, 2, "ann", exit_grace=NOW)
    acme.makes("Support", "ann")
    acme.gives("Support", "pro", exit_grace=NOW)
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    assert acme.line("pro").used == 1
    for group in ("Sales", "Support"):
        acme.leave(group, "ann")
        assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_decision_30_a_rule_waits_for_its_group_and_binds_once(acme: Organization) -> None:
    acme.sells({"pro": 3})
    acme.has("ann", "ben")
    assert acme.gives("SALES", "pro").state == "unbound"
    acme.makes("Sales", "ann")
    acme.makes("sales", "ben")
    assert acme.states("pro") == {"ann": "assigned"}
    with acme.reading() as work:
        [rule] = rules.listing(work)
    assert (rule.state, rule.group_id, rule.group_name, rule.type_code) == ("bound", "id-Sales", "SALES", "pro")


def test_decision_30_a_rule_binds_to_the_first_of_several_groups_of_its_name(acme: Organization) -> None:
    acme.sells({"pro": 3})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann")
    acme.makes("sales", "ben")
    assert acme.gives("sales", "pro").state == "bound"
    assert acme.states("pro") == {"ann": "assigned"}


def test_a_second_rule_for_the_same_group_and_type_is_refused(acme: Organization) -> None:
    sales(acme, 1)
    with pytest.raises(errors.Uniqueness, match="already a rule"):
        acme.gives("SALES", "pro")


def test_a_rule_for_an_unknown_license_or_with_a_wrong_priority_is_refused(acme: Organization) -> None:
    acme.sells({"pro": 1})
    with pytest.raises(errors.NotFound, match="There are: pro"):
        acme.gives("Sales", "gold")
    for name, options in {"Sales": {"priority": 0}, " ": {}}.items():
        with pytest.raises(errors.InvalidValue):
            acme.gives(name, "pro", **options)


def test_E_5_a_renamed_group_keeps_its_rule_which_follows_the_name(acme: Organization) -> None:
    sales(acme, 1, "ann")
    acme.gives("Team", "pro")
    with acme.writing() as work:
        assert not rules.bind(work, acme.groups["Sales"], "Vendors")
        assert {(rule.group_name, rule.state) for rule in rules.listing(work)} == {
            ("Vendors", "bound"),
            ("Team", "unbound"),
        }
        assert not rules.bind(work, acme.groups["Sales"], "Team"), "the group gives this type already"
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_E_6_a_deleted_group_orphans_its_rules_and_its_people_leave_after_the_grace(
    acme: Organization, clock: Any
) -> None:
    sales(acme, 1, "ann")
    acme.drops("Sales")
    assert acme.states("pro") == {"ann": "grace"}
    acme.makes("Sales", "ann")
    with acme.reading() as work:
        assert [(rule.state, rule.group_id) for rule in rules.listing(work)] == [("orphaned", None)]
    clock.advance(HOUR)
    assert acme.tick() == 1
    assert acme.states("pro") == {}
    acme.check()


def test_E_6_an_orphaned_rule_is_linked_again_only_when_told_to(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann")
    with acme.writing() as work, pytest.raises(errors.Refused, match="only an orphaned rule"):
        rules.relink(work, "Sales", "pro")
    acme.drops("Sales")
    with acme.writing() as work, pytest.raises(errors.NotFound, match="no group"):
        rules.relink(work, "Sales", "pro")
    acme.makes("Sales", "ann")
    assert acme.states("pro") == {"ann": "grace"}
    with acme.writing() as work:
        assert rules.relink(work, "sales", "pro").state == "bound"
        with pytest.raises(errors.NotFound, match="no rule"):
            rules.relink(work, "Other", "pro")
    clock.advance(HOUR)
    assert acme.tick() == 0
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_E_8_a_deleted_rule_lets_go_after_the_grace_and_says_why(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben")
    with acme.writing() as work:
        assert rules.delete(work, "Sales", "pro").type_code == "pro"
    assert acme.states("pro") == {"ann": "grace"}
    with acme.reading() as work:
        assert [one.reason for one in usage.people(work)] == ["rule_removed"]
        [line] = explain.explain(work, "ann")[0].claims
        assert line.rule == explain.REMOVED
    clock.advance(HOUR)
    acme.tick()
    assert acme.states("pro") == {}
    with acme.writing() as work, pytest.raises(errors.NotFound, match="no rule"):
        rules.delete(work, "Sales", "pro")
    acme.check()
