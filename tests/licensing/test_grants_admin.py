"""A type that grants administration is held by a direct claim alone (decision 7, BW-09)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, rules, usage, verify
from scim_service.licensing.catalog import Options
from scim_service.storage.store import Store
from tests import service
from tests.licensing.conftest import Organization
from tests.service import Cast

ADMIN = Options(implies=("recruiter",), grants_admin=True)


@pytest.fixture
def firm(acme: Organization) -> Organization:
    """Recruiters, and administrators, who are recruiters with one right more; Alice is in Sales."""
    acme.sells({"recruiter": 5})
    with acme.writing() as work:
        catalog.create_type(work, "administrator", "Administrator", options=ADMIN)
        contracts.create(work, "C-2", {"administrator": 1})
    acme.has("alice")
    acme.makes("Sales", "alice")
    return acme


def test_BW_09_it_is_given_by_hand(firm: Organization) -> None:
    with firm.writing() as work:
        assert direct.assign(work, "alice", "administrator") == "assigned"
    firm.check()


@pytest.mark.parametrize("group", ["Sales", "Nobody yet", rules.EVERYONE])
def test_BW_09_no_group_gives_it_and_the_refusal_says_how_it_is_given(firm: Organization, group: str) -> None:
    with pytest.raises(errors.Refused, match="by hand only") as caught, firm.writing() as work:
        rules.create(work, group, "administrator")
    assert "administrator" in caught.value.detail
    with pytest.raises(errors.Refused, match="by hand only"), firm.writing() as work:
        rules.create(work, group, "recruiter", "administrator", atomic=True)
    firm.gives("Sales", "recruiter")
    with pytest.raises(errors.Refused, match="by hand only"), firm.writing() as work:
        rules.update(work, "Sales", "recruiter", to_type="administrator")
    assert firm.states("administrator") == {}
    firm.check()


def test_BW_09_a_type_that_groups_give_cannot_come_to_grant_administration(firm: Organization) -> None:
    firm.gives("Sales", "recruiter")
    with pytest.raises(errors.Refused, match="'Sales'"), firm.writing() as work:
        catalog.update_type(work, "recruiter", grants_admin=True)
    with firm.writing() as work:
        rules.delete(work, "Sales", "recruiter")
    with pytest.raises(errors.Refused, match="otherwise than by hand"), firm.writing() as work:
        catalog.update_type(work, "recruiter", grants_admin=True)
    firm.check()


def test_BW_09_a_type_that_is_given_by_hand_only_can(firm: Organization) -> None:
    with firm.writing() as work:
        direct.assign(work, "alice", "recruiter")
        assert catalog.update_type(work, "recruiter", grants_admin=True).options.grants_admin
    firm.check()


def test_BW_09_what_implies_it_grants_administration_too_so_that_no_group_gives_it_that_way(firm: Organization) -> None:
    with pytest.raises(errors.InvalidValue, match="owner implies administrator"), firm.writing() as work:
        catalog.create_type(work, "owner", "Owner", options=Options(implies=("administrator",)))
    with firm.writing() as work:
        catalog.create_type(work, "chief", "Chief", options=Options(implies=("recruiter",)))
    with pytest.raises(errors.InvalidValue, match="chief implies recruiter"), firm.writing() as work:
        catalog.update_type(work, "recruiter", grants_admin=True)
    with pytest.raises(errors.InvalidValue, match="administrator implies recruiter"), firm.writing() as work:
        catalog.update_type(work, "chief", implies=())
        catalog.update_type(work, "recruiter", grants_admin=True)
        catalog.update_type(work, "administrator", grants_admin=False)


LICENSE = {"entitlements": [{"value": "administrator", "type": "License"}]}
SAID: list[dict[str, Any]] = [LICENSE, {service.LICENSES: {"licenseType": "administrator"}}]


@pytest.mark.parametrize("said", SAID, ids=["entitlements", "licenseType"])
def test_BW_09_no_attribute_of_an_identity_provider_gives_it(store: Store, said: dict[str, Any]) -> None:
    cast = selling(store, Options(grants_admin=True))
    eve = cast.acme.user("eve", roles=[{"value": "administrator"}], entitlements=[{"value": "administrator"}])
    schemas = [service.CORE, service.LICENSES]
    answers = [
        cast.acme.post("/Users", {"schemas": schemas, "userName": "mal", **said}),
        cast.acme.put(f"/Users/{eve['id']}", {"schemas": schemas, "userName": "eve", **said}),
        cast.acme.patch(f"/Users/{eve['id']}", {"op": "add", "value": said}),
    ]
    assert [(one.status, one.body["scimType"]) for one in answers] == [(400, "invalidValue")] * 3
    assert [one["userName"] for one in cast.acme.get("/Users").body["Resources"]] == ["eve"]
    with cast.reading() as work:
        assert usage.people(work) == [] and verify.findings(work) == []


@pytest.mark.parametrize("said", SAID, ids=["entitlements", "licenseType"])
def test_BW_09_a_type_that_attributes_give_cannot_come_to_grant_administration(
    store: Store, said: dict[str, Any]
) -> None:
    cast = selling(store, Options())
    cast.acme.user("eve", **said)
    with pytest.raises(errors.Refused, match="otherwise than by hand"), cast.writing() as work:
        catalog.update_type(work, "administrator", grants_admin=True)
    with cast.reading() as work:
        assert not catalog.find_type(work, "administrator").options.grants_admin and verify.findings(work) == []


def selling(store: Store, options: Options) -> Cast:
    """Acme, with five seats of a type."""
    cast = service.assemble(store)
    with cast.writing() as work:
        catalog.create_type(work, "administrator", "Administrator", options=options)
        contracts.create(work, "C-1", {"administrator": 5})
    return cast
