"""What a tenant decides for all its people (licensing.md 4.0, E-10), and a family's policy that a new type brings."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service import errors
from scim_service.access import tenant_settings
from scim_service.licensing import catalog, facts, policies
from tests.licensing.conftest import Organization, sales


def decides(acme: Organization, **texts: str) -> None:
    with acme.writing() as work:
        policies.change(work, settings=tenant_settings.parsed(texts))


def test_E_10_when_seats_of_inactive_people_are_held_no_more_they_go_to_who_waits(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    decides(acme, deactivate_policy="hold")
    acme.turn("ann", False)
    assert acme.states("pro") == {"ann": "suspended", "ben": "waiting 1"}
    decides(acme, deactivate_policy="release")
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()


def test_E_10_seats_that_are_gone_already_do_not_come_back_when_they_are_to_be_held(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.turn("ann", False)
    decides(acme, deactivate_policy="hold")
    assert acme.states("pro") == {"ben": "assigned"}
    acme.check()


def test_D_1_a_setting_that_is_changed_leaves_the_others(acme: Organization) -> None:
    decides(acme, overcap_grace="2d", verified_domains="Acme.example, b.example")
    decides(acme, mass_change_people="3")
    with acme.writing() as work:
        found = policies.change(work, name="Acme Corp.").settings
    assert found.verified_domains == ("acme.example", "b.example")
    assert (found.values["overcap_grace"], found.mass_change.people if found.mass_change else 0) == (2 * 86_400, 3)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("colour", "red", "unknown_setting"),
        ("overcap_grace", "soon", "bad_setting"),
        ("mass_change", "perhaps", "bad_setting"),
        ("verified_domains", "no domain", "bad_setting"),
        ("verified_domains", "localhost", "bad_setting"),
    ],
)
def test_D_1_a_setting_that_cannot_be_is_refused_by_its_name(name: str, text: str, code: str) -> None:
    with pytest.raises(errors.InvalidValue, match=name) as refusal:
        tenant_settings.parsed({name: text})
    assert refusal.value.code == code


def test_A_7_a_new_type_that_brings_another_policy_to_its_family_has_the_family_looked_at_again(
    suite: Organization,
) -> None:
    with suite.writing() as work:
        catalog.update_type(work, "pro", conflict_policy=facts.MANUAL)
    suite.join("Everyone", "ann", "ben")
    suite.join("Sales", "ann", "ben")
    assert suite.states("pro") == {"ann": "blocked", "ben": "blocked"}
    family: Any = {"family": "f0", "rank": 9}
    with suite.writing() as work:
        catalog.create_type(work, "top", "Top", conflict_policy=facts.HIGHEST_RANK, **family)
    assert suite.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    suite.check()
