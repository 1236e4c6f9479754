"""Direct to inherited (licensing.md E-17, C-06), and what a person may do (LX-09), on both databases."""

from __future__ import annotations

from scim_service.licensing import catalog, contracts, conversion, direct, lifecycle, permissions, rules
from scim_service.licensing.conversion import Converted
from tests.licensing.conftest import NOW, Organization
from tests.licensing.test_lifecycle import act, refused


def outcomes(acme: Organization, *arguments: object) -> dict[str, str]:
    found = act(acme, conversion.convert, *arguments)
    assert isinstance(found, list)
    assert all(isinstance(one, Converted) for one in found)
    return {one.user_name: one.outcome for one in found}


def test_E_17_who_has_both_keeps_the_seat_by_the_group_alone(acme: Organization) -> None:
    acme.sells({"pro": 3})
    acme.has("ann", "ben", "cem")
    for name in acme.people:
        act(acme, direct.assign, name, "pro")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    before = {
        name: len([one for one in acme.events(name) if one.action.startswith("license:")]) for name in acme.people
    }
    assert outcomes(acme, "pro") == {"ann": "converted", "ben": "converted"}
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "assigned"}
    after = {name: len([one for one in acme.events(name) if one.action.startswith("license:")]) for name in acme.people}
    assert before == after
    with refused(acme, "inherited_license", "'Sales'"):
        act(acme, lifecycle.remove, "ann", "pro")
    assert outcomes(acme) == {}
    acme.check()


def test_E_17_of_one_person_only(acme: Organization) -> None:
    acme.sells({"pro": 2})
    acme.has("ann", "ben")
    for name in acme.people:
        act(acme, direct.assign, name, "pro")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    assert outcomes(acme, None, "BEN") == {"ben": "converted"}
    with refused(acme, "unknown_person"):
        outcomes(acme, None, "zoe")
    acme.check()


def test_E_17_a_quota_that_is_used_up_leaves_the_direct_claim_so_that_no_seat_moves(acme: Organization) -> None:
    acme.sells({"pro": 3})
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben", "cem")
    acme.gives("Sales", "pro")
    act(acme, rules.update, "Sales", "pro", quota=2)
    act(acme, direct.assign, "cem", "pro")
    assert outcomes(acme) == {"cem": "seat_would_move"}
    assert set(acme.states("pro").values()) == {"assigned"}
    acme.check()


def test_E_17_a_pin_and_a_lock_stay(acme: Organization) -> None:
    acme.sells({"pro": 2})
    acme.has("ann", "ben")
    act(acme, direct.assign, "ann", "pro", pinned=True)
    act(acme, direct.assign, "ben", "pro", locked=True)
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    assert outcomes(acme) == {"ann": "pinned", "ben": "locked"}
    acme.check()


def test_E_17_a_rule_that_does_not_count_is_no_reason_to_convert(acme: Organization) -> None:
    acme.sells({"pro": 1}, exit_grace=NOW)
    acme.has("ann")
    act(acme, direct.assign, "ann", "pro")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro", terms=rules.Terms(filter='title eq "boss"'))
    assert outcomes(acme) == {}
    assert acme.states("pro") == {"ann": "assigned"}
    acme.check()


def test_LX_09_a_persons_permissions_are_the_rights_of_what_is_held_and_of_what_that_implies(
    acme: Organization,
) -> None:
    with acme.writing() as work:
        viewer = catalog.Options(rights={"read": True, "projects": 1})
        catalog.create_type(work, "viewer", "Viewer", counted=False, options=viewer)
        recruiter = catalog.Options(implies=("viewer",), rights={"publish": True, "projects": 5, "areas": ["jobs"]})
        catalog.create_type(work, "recruiter", "Recruiter", options=recruiter)
        admin = catalog.Options(implies=("recruiter",), grants_admin=True, rights={"areas": ["licenses"]})
        catalog.create_type(work, "administrator", "Administrator", rank=9, options=admin)
        catalog.update_type(work, "viewer", implies=("recruiter",))
        contracts.create(work, "C-1", {"recruiter": 1, "administrator": 1})
    acme.has("ann", "ben")
    act(acme, direct.assign, "ann", "administrator")
    with acme.reading() as work:
        found = permissions.of_person(work, acme.people["ann"])
        assert permissions.of_person(work, acme.people["ben"]) == []
    assert [(one.type_code, one.by, one.implied) for one in found] == [
        ("administrator", "administrator", False),
        ("recruiter", "administrator", True),
        ("viewer", "administrator", True),
    ]
    assert permissions.rights(found) == {
        "areas": ["licenses", "jobs"],
        "publish": True,
        "projects": 5,
        "read": True,
    }
    act(acme, lifecycle.suspend, "ann", "administrator")
    with acme.reading() as work:
        assert permissions.of_person(work, acme.people["ann"]) == []
