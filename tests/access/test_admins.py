"""Administrators: invited by role up to the plan's number, one head, appointed by the head alone (D-2, D-12, I-9)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import admins, plans, roles, tenants
from scim_service.access.admins import Administrator
from scim_service.licensing import catalog
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests import service
from tests.conftest import START, SettableClock
from tests.rows import everything

ACTOR = Actor("cli", "test")


class House:
    """One tenant's administrators; each method is one transaction."""

    def __init__(self, store: Store, slug: str, plan: str) -> None:
        self.store = store
        with store.writing(EVERY_TENANT, ACTOR) as work:
            self.tenant_id = tenants.create(work, slug, slug.title(), plan=plan).id

    def writing(self) -> AbstractContextManager[Work]:
        return self.store.writing(self.tenant_id, ACTOR)

    def add(self, *names: str, role: str = roles.ADMINISTRATOR, accepted: bool = True, **more: Any) -> None:
        for name in names:
            with self.writing() as work:
                admins.add(work, mail(name), name.title(), role, **more)
                if accepted:
                    admins.accept(work, mail(name))

    def appoint(self, name: str, by: str | None = None) -> Administrator:
        with self.writing() as work:
            return admins.appoint_head(work, mail(name), by and mail(by))

    def remove(self, name: str) -> Administrator:
        with self.writing() as work:
            return admins.remove(work, mail(name))

    def listing(self) -> list[Administrator]:
        with self.store.reading(self.tenant_id, ACTOR) as work:
            return admins.listing(work)

    @property
    def roles(self) -> dict[str, str]:
        return {one.email.partition("@")[0]: one.role for one in self.listing()}

    def refused(self, act: Callable[[Work], Any], *kinds: type[errors.ScimError]) -> errors.ScimError:
        """The refusal of an act, which leaves nothing behind."""
        before = everything(self.store)
        with pytest.raises(kinds or errors.Refused) as caught, self.writing() as work:
            act(work)
        assert everything(self.store) == before
        return caught.value


def mail(name: str) -> str:
    return f"{name}@acme.example"


@pytest.fixture
def house(store: Store) -> House:
    return House(store, "acme", "standard")


@pytest.fixture
def small(store: Store) -> House:
    return House(store, "acme", "essential")


def test_BS_01_administrators_and_operators_are_invited_by_role_and_listed(house: House) -> None:
    house.add("bob")
    house.add("olga", role=roles.OPERATOR, accepted=False)
    assert [(one.email, one.role, one.pending) for one in house.listing()] == [
        ("bob@acme.example", "administrator", False),
        ("olga@acme.example", "operator", True),
    ]


@pytest.mark.parametrize(
    "email", ["", " ", "bob", "@acme.example", "bob@", "a@b@c", "b ob@acme.example", "a" * 250 + "@b.example"]
)
def test_BS_02_an_invitation_needs_an_address(house: House, email: str) -> None:
    assert (
        "bob@acme.example"
        in house.refused(lambda work: admins.add(work, email, "Bob", roles.OPERATOR), errors.InvalidValue).detail
    )


def test_BS_03_administrators_change_settings_and_operators_do_not() -> None:
    may = {role for role in roles.ROLES if roles.allows(role, (), roles.SETTINGS)}
    assert may == {roles.HEAD, roles.ADMINISTRATOR}
    assert roles.allows(roles.OPERATOR, (), roles.READ) and roles.allows(roles.OPERATOR, (), roles.RESEND)


@pytest.mark.parametrize("role", ["", "boss", "Administrator", roles.HEAD])
def test_BS_04_a_role_is_one_of_those_that_can_be_invited(house: House, role: str) -> None:
    house.refused(lambda work: admins.add(work, mail("bob"), "Bob", role), errors.InvalidValue)


def test_BS_05_who_accepted_has_a_last_active_and_who_did_not_has_none(house: House, clock: SettableClock) -> None:
    house.add("bob", accepted=False)
    assert house.listing()[0].last_active_at is None
    clock.advance(timedelta(hours=1))
    with house.writing() as work:
        assert admins.accept(work, "BOB@acme.example").last_active_at == START + timedelta(hours=1)
    clock.advance(timedelta(hours=1))
    with house.writing() as work:
        admins.accept(work, mail("bob"))
    assert house.listing()[0].accepted_at == START + timedelta(hours=1)


def test_BS_05_last_active_moves_at_most_once_a_minute_and_never_for_who_is_only_invited(
    house: House, clock: SettableClock
) -> None:
    house.add("bob")
    house.add("olga", accepted=False)
    for seconds, seen in ((30, 0), (30, 60), (59, 60), (1, 120)):
        clock.advance(timedelta(seconds=seconds))
        for one in house.listing():
            with house.writing() as work:
                admins.active(work, one)
        bob, olga = house.listing()
        assert bob.last_active_at == START + timedelta(seconds=seen)
        assert olga.last_active_at is None


@pytest.mark.parametrize(("plan", "limit"), [("essential", 2), ("standard", 5)])
def test_BS_07_to_BS_10_a_plan_allows_so_many_administrators_and_the_next_is_refused(
    store: Store, plan: str, limit: int
) -> None:
    house = House(store, "acme", plan)
    house.add(*(f"a{number}" for number in range(limit)))
    refusal = house.refused(lambda work: admins.add(work, mail("more"), "More", roles.ADMINISTRATOR))
    assert refusal.code == "plan_limit"
    assert f"allows {limit}" in refusal.detail and "contact us for a larger plan" in refusal.detail
    house.add("o1", "o2", "o3", role=roles.OPERATOR)
    house.add("u1", role=roles.AUDITOR)


def test_BS_10_a_larger_plan_has_the_number_that_was_agreed_upon(store: Store) -> None:
    house = House(store, "acme", "standard")
    house.add(*(f"a{number}" for number in range(5)))
    with house.writing() as work:
        assert admins.change_plan(work, "enterprise").admin_limit is None
    house.add("a5", "a6", "a7")
    refusal = house.refused(lambda work: admins.change_plan(work, "standard"))
    assert refusal.code == "below_use" and "allows 5" in refusal.detail and "there are 8" in refusal.detail
    house.refused(lambda work: admins.change_plan(work, "gold"), errors.InvalidValue)


def test_D_12_pending_invitations_count_against_the_limit(small: House) -> None:
    small.add("ada", "bob", accepted=False)
    refusal = small.refused(lambda work: admins.add(work, mail("eve"), "Eve", roles.ADMINISTRATOR))
    assert "there are 2, 2 of them invited" in refusal.detail
    small.remove("bob")
    small.add("eve")


def test_D_12_a_license_administrator_counts_and_is_for_products_that_exist(small: House) -> None:
    with small.writing() as work:
        catalog.create_type(work, "pro", "Pro", product="Suite")
    wrong: list[tuple[str, list[str]]] = [
        (roles.LICENSE_ADMINISTRATOR, []),
        (roles.LICENSE_ADMINISTRATOR, ["Fax"]),
        (roles.OPERATOR, ["Suite"]),
    ]
    for role, products in wrong:
        invite = partial(admins.add, email=mail("lea"), name="Lea", role=role, products=products)
        small.refused(invite, errors.InvalidValue)
    small.add("lea", role=roles.LICENSE_ADMINISTRATOR, products=["Suite"])
    [lea] = small.listing()
    assert lea.may(roles.LICENSES, "Suite") and not lea.may(roles.LICENSES, "Fax") and not lea.may(roles.LICENSES)
    assert lea.may(roles.READ) and not lea.may(roles.SETTINGS)
    small.add("bob")
    small.refused(lambda work: admins.add(work, mail("eve"), "Eve", roles.ADMINISTRATOR))


def test_BS_11_an_operator_who_accepted_can_be_appointed_head(house: House) -> None:
    house.add("ada")
    house.add("olga", role=roles.OPERATOR)
    house.appoint("ada")
    assert house.appoint("olga", by="ada").role == roles.HEAD
    assert house.roles == {"olga": "head", "ada": "administrator"}


def test_BS_11_an_operator_becomes_head_only_where_the_plan_has_room_for_the_head_until_then(small: House) -> None:
    small.add("ada", "bob")
    small.add("olga", role=roles.OPERATOR)
    small.appoint("ada")
    refusal = small.refused(lambda work: admins.appoint_head(work, mail("olga"), mail("ada")))
    assert refusal.code == "plan_limit"
    small.remove("bob")
    small.appoint("olga", by="ada")


def test_BS_12_who_has_not_accepted_cannot_be_appointed(house: House) -> None:
    house.add("bob", accepted=False)
    refusal = house.refused(lambda work: admins.appoint_head(work, mail("bob")))
    assert refusal.code == "not_accepted"
    house.refused(lambda work: admins.appoint_head(work, mail("nobody")), errors.NotFound)


def test_BS_13_only_the_head_appoints(house: House) -> None:
    house.add("ada", "bob", "eve")
    house.refused(lambda work: admins.appoint_head(work, mail("ada"), mail("bob")))
    house.appoint("ada")
    for by in (None, mail("bob"), mail("eve"), mail("nobody"), ""):
        appoint = partial(admins.appoint_head, email=mail("eve"), by=by)
        assert house.refused(appoint, errors.Forbidden).code == "not_head"
    assert house.appoint("ada", by="ada").role == roles.HEAD
    house.appoint("eve", by="ADA")
    assert house.roles["eve"] == roles.HEAD


def test_BS_14_and_I_9_the_database_itself_knows_one_head_only(house: House) -> None:
    house.add("ada", "bob")
    house.appoint("ada")
    table = tables.access.administrators
    force = sa.update(table).where(table.c.tenant_id == sa.bindparam("tenant")).values(role=roles.HEAD)
    refusal = house.refused(lambda work: work.execute(force), errors.Uniqueness)
    assert "head administrator" in refusal.detail


def test_BS_15_appointing_another_one_revokes_the_head_until_then_in_the_same_transaction(house: House) -> None:
    house.add("ada", "bob")
    house.appoint("ada")
    with house.writing() as work:
        admins.appoint_head(work, mail("bob"), mail("ada"))
        assert [one.role for one in admins.listing(work)] == ["head", "administrator"]
    assert house.roles == {"bob": "head", "ada": "administrator"}
    with house.store.reading(house.tenant_id, ACTOR) as work:
        actions = [one.action for number in (1, 2) for one in audit.about(work, f"administrator:{number}")]
    assert actions.count("administrator:head-revoked") == 1 and actions.count("administrator:head-appointed") == 2


def test_BS_16_the_head_has_every_authority_and_only_the_head_appoints() -> None:
    assert all(roles.HEAD in allowed for allowed in roles.PERMISSIONS.values())
    assert roles.PERMISSIONS[roles.APPOINT] == {roles.HEAD}
    assert all(allowed <= set(roles.ROLES) for allowed in roles.PERMISSIONS.values())


def test_BS_17_anybody_but_the_head_can_be_removed_and_an_invitation_too(house: House) -> None:
    house.add("ada", "bob")
    house.add("olga", role=roles.OPERATOR, accepted=False)
    house.appoint("ada")
    assert house.refused(lambda work: admins.remove(work, mail("ada"))).code == "head_stays"
    house.remove("bob")
    house.remove("olga")
    assert house.roles == {"ada": "head"}
    house.refused(lambda work: admins.remove(work, mail("bob")), errors.NotFound)


def test_BS_19_and_T_7_who_was_removed_can_be_invited_again_ten_minutes_later(
    house: House, clock: SettableClock
) -> None:
    house.add("bob")
    house.remove("bob")
    with pytest.raises(errors.Refused) as refusal:
        house.add("bob", role=roles.OPERATOR, accepted=False)
    assert refusal.value.code == "too_often"
    clock.advance(timedelta(minutes=10))
    house.add("bob", role=roles.OPERATOR, accepted=False)
    [bob] = house.listing()
    assert (bob.role, bob.pending, bob.last_active_at) == (roles.OPERATOR, True, None)


def test_BS_18_who_is_only_invited_may_nothing(house: House) -> None:
    house.add("bob", accepted=False)
    assert not any(house.listing()[0].may(one) for one in roles.PERMISSIONS)


def test_LX_02_and_BW_02_only_administrators_manage_people_and_access() -> None:
    for permission in (roles.PEOPLE, roles.TOKENS, roles.ADMINS, roles.RULES, roles.CONTRACTS):
        assert roles.PERMISSIONS[permission] == {roles.HEAD, roles.ADMINISTRATOR}
    assert roles.OPERATOR not in roles.PERMISSIONS[roles.LICENSES] | roles.PERMISSIONS[roles.ADD_PEOPLE]
    assert roles.AUDITOR not in roles.PERMISSIONS[roles.RESEND]


def test_BK_03_administrators_of_one_tenant_are_nothing_in_another(house: House) -> None:
    other = House(house.store, "globex", "standard")
    house.add("bob")
    house.appoint("bob")
    assert other.listing() == []
    other.refused(lambda work: admins.remove(work, mail("bob")), errors.NotFound)
    other.add("bob", role=roles.AUDITOR)
    assert house.roles == {"bob": "head"} and other.roles == {"bob": "auditor"}


@pytest.mark.parametrize("again", ["bob@acme.example", "BOB@ACME.example", " bob@acme.example ", "ｂｏｂ@acme.example"])
def test_an_address_is_invited_once_in_whatever_case(house: House, again: str) -> None:
    house.add("bob")
    house.refused(lambda work: admins.add(work, again, "Bob", roles.OPERATOR), errors.Uniqueness)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 257])
def test_a_name_is_one_line(house: House, name: str) -> None:
    house.refused(lambda work: admins.add(work, mail("bob"), name, roles.OPERATOR), errors.InvalidValue)


def test_W15_no_write_of_an_identity_provider_touches_administrators_and_none_becomes_one(store: Store) -> None:
    cast = service.assemble(store)
    with cast.writing() as work:
        admins.add(work, "bob@acme.example", "Bob", roles.ADMINISTRATOR)
        admins.accept(work, "bob@acme.example")
        admins.appoint_head(work, "bob@acme.example")
        before = admins.listing(work)
    bob = cast.acme.user(
        "bob@acme.example",
        emails=[{"value": "bob@acme.example", "primary": True}],
        roles=[{"value": "head"}, {"value": "administrator"}],
        entitlements=[{"value": "administrator"}],
    )
    cast.acme.group("administrators", bob["id"])
    cast.acme.patch(f"/Users/{bob['id']}", {"op": "replace", "value": {"active": False}})
    cast.acme.delete(f"/Users/{bob['id']}")
    with cast.reading() as work:
        assert admins.listing(work) == before


def test_D_2_each_plan_says_what_it_includes_in_words() -> None:
    assert [(one.code, one.admin_limit) for one in plans.PLANS.values()] == [
        ("essential", 2),
        ("standard", 5),
        ("enterprise", None),
    ]
    assert {name for one in plans.PLANS.values() for name in one.features} == set(plans.FEATURES)


def test_the_event_log_holds_no_address_of_an_administrator(house: House) -> None:
    house.add("bob")
    house.appoint("bob")
    rows = everything(house.store)["audit"]
    assert any("administrator:1" in row for row in rows) and not any("bob" in row.lower() for row in rows)
