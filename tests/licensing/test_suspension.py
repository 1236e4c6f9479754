"""A license that an administrator stopped, and what goes on around it (licensing.md E-12), on both databases."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from scim_service.licensing import catalog, contracts, direct, facts, gate
from scim_service.licensing.facts import Stop
from scim_service.storage import tables
from tests.conftest import START, SettableClock
from tests.licensing.conftest import Organization, sales

_tenants = tables.access.tenants
_SETTINGS = (
    sa.update(_tenants).where(_tenants.c.id == sa.bindparam("tenant")).values(settings=sa.bindparam("new_settings"))
)


def stop(acme: Organization, name: str, code: str) -> None:
    with acme.writing() as work:
        entered = gate.enter(work)
        [person] = entered.load([acme.people[name]])
        person.stops[catalog.find_type(work, code).seq] = Stop(facts.ADMINISTRATOR)
        entered.settle([person.seq])


def test_A_7_a_suspended_lesser_type_lets_its_seat_go_when_the_better_one_is_given(suite: Organization) -> None:
    suite.join("Everyone", "ann")
    stop(suite, "ann", "basic")
    suite.join("Sales", "ann")
    assert (suite.states("basic"), suite.states("pro")) == ({"ann": "suspended"}, {"ann": "assigned"})
    assert suite.line("basic").used == 0
    suite.check()


def test_A_9_a_suspended_license_without_its_prerequisite_lets_its_seat_go(acme: Organization) -> None:
    acme.sells({"base": 1, "extra": 1})
    acme.has("ann")
    with acme.writing() as work:
        catalog.update_type(work, "extra", requires=("base",))
        direct.assign(work, "ann", "base")
        direct.assign(work, "ann", "extra")
    stop(acme, "ann", "extra")
    assert acme.line("extra").used == 1
    with acme.writing() as work:
        direct.unassign(work, "ann", "base")
    assert (acme.states("extra"), acme.line("extra").used) == ({"ann": "suspended"}, 0)
    acme.check()


def test_a_suspended_seat_of_an_inactive_person_is_held_where_the_tenant_holds_the_seats_of_inactive_people(
    acme: Organization,
) -> None:
    sales(acme, 1, "ann", "ben")
    with acme.writing() as work:
        work.execute(_SETTINGS, new_settings='{"deactivate_policy": "hold"}')
    stop(acme, "ann", "pro")
    acme.turn("ann", False)
    assert (acme.states("pro"), acme.line("pro").used) == ({"ann": "suspended", "ben": "waiting 1"}, 1)
    acme.turn("ann", True)
    assert acme.line("pro").used == 1
    acme.check()


def test_A_8_at_the_deadline_of_a_drop_suspended_seats_are_given_up_where_too_few_others_are(
    acme: Organization, clock: SettableClock
) -> None:
    sales(acme, 3, "ann", "ben", "cem")
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 1}, "freeze")
    stop(acme, "ben", "pro")
    stop(acme, "cem", "pro")
    assert acme.states("pro") == {"ann": "grace", "ben": "suspended", "cem": "suspended"}
    acme.check()
    clock.advance(timedelta(days=30))
    acme.tick()
    assert acme.line("pro").used == 1
    acme.check()


def test_A_8_so_are_the_seats_that_are_held_for_inactive_people(acme: Organization, clock: SettableClock) -> None:
    sales(acme, 2, "ann", "ben")
    with acme.writing() as work:
        work.execute(_SETTINGS, new_settings='{"deactivate_policy": "hold"}')
    for name in ("ann", "ben"):
        acme.turn(name, False)
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 1}, "freeze")
    clock.advance(timedelta(days=30))
    acme.tick()
    assert (acme.states("pro"), acme.line("pro").used) == ({"ann": "suspended"}, 1)
    acme.check()


def test_A_8_after_the_grace_of_a_contract_no_suspended_seat_is_left(acme: Organization, clock: SettableClock) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-9", {"pro": 1}, ends=START + timedelta(days=1))
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    stop(acme, "ann", "pro")
    clock.advance(timedelta(days=30))
    acme.tick()
    assert (acme.states("pro"), acme.line("pro").used) == ({"ann": "suspended"}, 0)
    acme.check()
