"""A type that grants administration is held by a direct claim alone (decision 7, BW-09)."""

from __future__ import annotations

import pytest

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, rules
from scim_service.licensing.catalog import Options
from scim_service.storage.store import Store
from tests import service
from tests.licensing.conftest import Organization

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


def test_BW_09_no_attribute_of_an_identity_provider_gives_it(store: Store) -> None:
    cast = service.assemble(store)
    with cast.writing() as work:
        catalog.create_type(work, "administrator", "Administrator", options=Options(grants_admin=True))
        contracts.create(work, "C-1", {"administrator": 5})
    values = [{"value": "administrator", "type": "License"}]
    said = {"entitlements": values, "roles": values}
    answers = [
        cast.acme.post("/Users", {"schemas": [service.CORE], "userName": "mal", **said}),
        cast.acme.patch(f"/Users/{cast.acme.user('eve')['id']}", {"op": "replace", "value": said}),
    ]
    assert {answer.status for answer in answers} <= {200, 201, 400, 409}
    for person in cast.acme.get("/Users").body["Resources"]:
        assert service.LICENSES not in person
