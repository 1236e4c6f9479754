"""PATCH (RFC 7644 section 3.5.2), every form of op and path. Alice is in Sales; her values are the `ALICE` below."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_service import errors
from scim_service.protocol import filters, limits, patch, schema
from scim_service.protocol.patch import AddMembers, Operation, RemoveMatching, RemoveMembers, ReplaceMembers

E, L, U = schema.ENTERPRISE_URN, schema.LICENSE_URN, schema.USER_URN
WORK = {"value": "alice@acme.example", "type": "work", "primary": True}
HOME = {"value": "alice@home.example", "type": "home"}
OFFICE = {"type": "work", "locality": "Basel", "country": "CH"}
ALICE: dict[str, Any] = {
    "id": "u-1",
    "meta": {"resourceType": "User", "location": "/Users/u-1", "version": 'W/"1"'},
    "userName": "alice",
    "active": True,
    "title": "Engineer",
    "name": {"givenName": "Alice", "familyName": "Ames"},
    "emails": [WORK, HOME],
    "addresses": [OFFICE],
    "groups": [{"value": "g-1", "$ref": "/Groups/g-1", "display": "Sales"}],
    E: {"department": "Ops", "manager": {"value": "m-1", "$ref": "../Users/m-1"}},
}
SALES: dict[str, Any] = {"id": "g-1", "displayName": "Sales"}


def changed(op: str, path: str | None, value: Any = None, **options: bool) -> dict[str, Any]:
    """What one operation changes of Alice: the new values of attributes, None for one that is gone."""
    after = patch.apply(schema.USER, ALICE, [Operation(op, path, value)], **options).document
    names = [*ALICE, *(name for name in after if name not in ALICE)]
    return {name: after.get(name) for name in names if after.get(name) != ALICE.get(name)}


def steps(*operations: Operation, **options: bool) -> tuple[patch.MemberStep, ...]:
    """The member steps of operations on Sales."""
    patched = patch.apply(schema.GROUP, SALES, operations, **options)
    assert "members" not in patched.document
    return patched.member_steps


def emails(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"emails": list(elements)}


PLAIN = {**WORK, "primary": False}
NEW = {"value": "new@acme.example", "type": "other"}
MERGED = {"name": {"givenName": "Ally", "familyName": "Ames"}}

ROWS: list[tuple[str, str | None, Any, dict[str, Any]]] = [
    # no path
    ("add", None, {"nickName": "Al", "title": "CTO"}, {"nickName": "Al", "title": "CTO"}),
    ("replace", None, {"nickName": "Al", "title": "CTO"}, {"nickName": "Al", "title": "CTO"}),
    ("replace", None, {"active": False}, {"active": False}),
    ("replace", None, {"name.givenName": "Ally"}, MERGED),
    ("add", None, {"NAME.GIVENNAME": "Ally"}, MERGED),
    ("replace", None, {"name": {"givenName": "Ally"}}, MERGED),
    ("replace", None, {E: {"department": "Sales"}}, {E: {**ALICE[E], "department": "Sales"}}),
    ("replace", None, {f"{E}:department": "Sales"}, {E: {**ALICE[E], "department": "Sales"}}),
    ("replace", None, {f"{E}:manager": "m-2"}, {E: {"department": "Ops", "manager": {"value": "m-2"}}}),
    ("replace", None, {f"{E}:manager.value": "m-2"}, {E: {"department": "Ops", "manager": {"value": "m-2"}}}),
    ("replace", None, {U: {"title": "CTO", "nothing": 1}}, {"title": "CTO"}),
    ("replace", None, {f"{U}:title": "CTO"}, {"title": "CTO"}),
    ("replace", None, {E: None}, {E: None}),
    ("replace", None, {"title": None, "emails": None, "name": None}, {"title": None, "emails": None, "name": None}),
    ("replace", None, {"emails": [NEW]}, emails(NEW)),
    ("add", None, {"emails": [NEW]}, emails(WORK, HOME, NEW)),
    ("replace", None, {'emails[type eq "work"].value': "x"}, emails({**WORK, "value": "x"}, HOME)),
    ("replace", None, {"unknown": 1, "is_admin": True, "password": "p", f"{E}:nothing": 1, "urn:x:y": {}}, {}),
    ("replace", None, {"id": "u-1", "meta": {"resourceType": "User"}, "title": "CTO"}, {"title": "CTO"}),
    ("replace", None, {"schemas": [U, E], "title": "CTO"}, {"title": "CTO"}),
    ("replace", None, {}, {}),
    ("replace", "Password", "secret", {}),
    ("remove", "password", None, {}),
    # singular simple
    ("add", "title", "CTO", {"title": "CTO"}),
    ("replace", "TITLE", "CTO", {"title": "CTO"}),
    ("replace", "nickName", "Al", {"nickName": "Al"}),
    ("replace", "title", "Engineer", {}),
    ("replace", "title", None, {"title": None}),
    ("replace", "title", "", {"title": None}),
    ("remove", "title", None, {"title": None}),
    ("remove", "nickName", None, {}),
    ("replace", "active", "False", {"active": False}),
    ("add", "active", "true", {}),
    ("remove", "active", None, {"active": None}),
    ("replace", "userName", "Alice2", {"userName": "Alice2"}),
    ("add", "externalId", "x-1", {"externalId": "x-1"}),
    # singular complex, whole: merged
    ("add", "name", {"givenName": "Ally"}, MERGED),
    ("replace", "name", {"givenName": "Ally", "unknown": 1}, MERGED),
    ("replace", "name", {"givenName": None}, {"name": {"familyName": "Ames"}}),
    ("replace", "name", {"unknown": 1}, {}),
    ("replace", "name", {}, {}),
    ("replace", "name", None, {"name": None}),
    ("remove", "name", None, {"name": None}),
    # complex.sub
    ("add", "name.middleName", "B", {"name": {**ALICE["name"], "middleName": "B"}}),
    ("replace", "name.givenName", "Ally", MERGED),
    ("remove", "name.givenName", None, {"name": {"familyName": "Ames"}}),
    ("remove", "name.middleName", None, {}),
    ("replace", "name.givenName", "", {"name": {"familyName": "Ames"}}),
    # multi-valued, no filter
    ("add", "emails", [NEW], emails(WORK, HOME, NEW)),
    ("add", "emails", NEW, emails(WORK, HOME, NEW)),
    ("add", "emails", "bare@acme.example", emails(WORK, HOME, {"value": "bare@acme.example"})),
    ("add", "emails", [WORK, HOME], {}),
    ("add", "emails", [{"value": "alice@acme.example"}], {}),
    ("add", "emails", [{"value": "ALICE@HOME.example", "type": "HOME"}],
     emails(WORK, {"value": "ALICE@HOME.example", "type": "HOME"})),
    ("add", "emails", [{**HOME, "display": "Home"}], emails(WORK, {**HOME, "display": "Home"})),
    ("add", "emails", [{**HOME, "type": "other"}], emails(WORK, HOME, {**HOME, "type": "other"})),
    ("add", "emails", [{**NEW, "primary": True}], emails(PLAIN, HOME, {**NEW, "primary": True})),
    ("add", "emails", [{**HOME, "primary": "True"}], emails(PLAIN, {**HOME, "primary": True})),
    ("add", "emails", [], {}),
    ("add", "emails", None, {}),
    ("add", "addresses", [OFFICE], {}),
    ("add", "addresses", [{**OFFICE, "country": "DE"}], {"addresses": [OFFICE, {**OFFICE, "country": "DE"}]}),
    ("add", "roles", [{"value": "a"}, {"value": "a"}], {"roles": [{"value": "a"}]}),
    ("replace", "emails", [NEW], emails(NEW)),
    ("replace", "emails", NEW, emails(NEW)),
    ("replace", "emails", [], {"emails": None}),
    ("replace", "emails", None, {"emails": None}),
    ("replace", "roles", [{"value": "a"}], {"roles": [{"value": "a"}]}),
    ("remove", "emails", None, {"emails": None}),
    ("remove", "roles", None, {}),
    ("remove", "emails", [{"value": "ALICE@acme.example"}], emails(HOME)),
    ("remove", "emails", [{"value": "alice@acme.example", "type": "home"}], {}),
    ("remove", "emails", {"value": "alice@home.example", "type": "home"}, emails(WORK)),
    ("remove", "emails", [WORK, HOME], {"emails": None}),
    ("remove", "emails", [], {}),
    ("remove", "addresses", [OFFICE], {"addresses": None}),
    # attr[filter]
    ("add", 'emails[type eq "home"]', {"display": "H"}, emails(WORK, {**HOME, "display": "H"})),
    ("add", 'emails[type eq "home"]', [{"display": "H"}], emails(WORK, {**HOME, "display": "H"})),
    ("add", 'emails[type eq "home"]', {"primary": True}, emails(PLAIN, {**HOME, "primary": True})),
    ("add", 'emails[type eq "other"]', {"value": "x"}, emails(WORK, HOME, {"type": "other", "value": "x"})),
    ("add", 'emails[type eq "other"]', None, {}),
    ("replace", 'emails[type eq "home"]', {"value": "x"}, emails(WORK, {"value": "x"})),
    ("replace", 'emails[type eq "home"]', {**NEW, "primary": True}, emails(PLAIN, {**NEW, "primary": True})),
    ("replace", 'emails[type eq "home"]', None, emails(WORK)),
    ("remove", 'emails[type eq "HOME"]', None, emails(WORK)),
    ("remove", "emails[value pr]", None, {"emails": None}),
    ("remove", 'emails[type eq "work" and value ew "acme.example"]', None, emails(HOME)),
    ("remove", 'emails[type eq "other"]', None, {}),
    ("remove", 'roles[value eq "a"]', None, {}),
    # attr[filter].sub
    ("add", 'emails[type eq "work"].display', "W", emails({**WORK, "display": "W"}, HOME)),
    ("add", 'emails[type eq "other"].Value', "x", emails(WORK, HOME, {"type": "other", "value": "x"})),
    ("add", 'phoneNumbers[type eq "mobile"].value', "+1", {"phoneNumbers": [{"type": "mobile", "value": "+1"}]}),
    ("add", 'roles[primary eq "True"].value', "pro", {"roles": [{"primary": True, "value": "pro"}]}),
    ("add", 'emails[type eq "other" and primary eq true].value', "x",
     emails(PLAIN, HOME, {"type": "other", "primary": True, "value": "x"})),
    ("replace", 'emails[type eq "work"].value', "x", emails({**WORK, "value": "x"}, HOME)),
    ("replace", "emails[value pr].display", "D", emails({**WORK, "display": "D"}, {**HOME, "display": "D"})),
    ("replace", 'emails[type eq "home"].primary', "True", emails(PLAIN, {**HOME, "primary": True})),
    ("replace", 'emails[type eq "work"].primary', False, emails(PLAIN, HOME)),
    ("replace", 'emails[type eq "work"].value', None, emails({"type": "work", "primary": True}, HOME)),
    ("replace", f'{U}:addresses[country eq "CH"].locality', "Bern", {"addresses": [{**OFFICE, "locality": "Bern"}]}),
    ("remove", 'emails[type eq "work"].primary', None, emails({"value": WORK["value"], "type": "work"}, HOME)),
    ("remove", 'emails[type eq "other"].value', None, {}),
    # extensions
    ("add", f"{E}:division", "D", {E: {**ALICE[E], "division": "D"}}),
    ("replace", f"{E}:department", "D", {E: {**ALICE[E], "department": "D"}}),
    ("remove", f"{E}:department", None, {E: {"manager": ALICE[E]["manager"]}}),
    ("add", f"{E}:manager.value", "m-2", {E: {"department": "Ops", "manager": {"value": "m-2"}}}),
    ("replace", f"{E}:manager", "m-1", {}),
    ("add", f"{E}:manager", [{"value": "m-2", "$ref": "x"}],
     {E: {"department": "Ops", "manager": {"value": "m-2", "$ref": "x"}}}),
    ("replace", f"{E}:manager", {"value": ""}, {E: {"department": "Ops"}}),
    ("replace", f"{E}:manager", "", {E: {"department": "Ops"}}),
    ("remove", f"{E}:manager.value", None, {E: {"department": "Ops"}}),
    ("remove", f"{E}:manager.$ref", None, {E: {"department": "Ops", "manager": {"value": "m-1"}}}),
    ("add", E, {"division": "D"}, {E: {**ALICE[E], "division": "D"}}),
    ("replace", E.lower(), {"department": "D"}, {E: {**ALICE[E], "department": "D"}}),
    ("remove", E, None, {E: None}),
    # readOnly, as it is already
    ("replace", "id", "u-1", {}),
    ("replace", "meta", {"location": "https://scim.example/scim/v2/Users/u-1", "version": 'W/"1"'}, {}),
    ("replace", "meta.version", 'W/"1"', {}),
    ("add", "groups", [{"value": "g-1", "$ref": "https://scim.example/scim/v2/Groups/g-1"}], {}),
    ("replace", L, None, {}),
    ("replace", L, {"licenses": []}, {}),
    ("add", "schemas", ["urn:x:y"], {}),
    ("replace", "schemas", [U], {}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "path", "value", "expected"), ROWS, ids=lambda part: str(part)[:60])
def test_an_operation_changes_what_its_path_names(
    op: str, path: str | None, value: Any, expected: dict[str, Any]
) -> None:
    given = copy.deepcopy(value)
    assert changed(op, path, value) == expected
    assert value == given


REPEATABLE = [row[:3] for row in ROWS if not (row[0] == "replace" and str(row[1]).endswith("]"))]
"""All but the replacing of whole elements, which need not meet the filter any more."""


@pytest.mark.parametrize(("op", "path", "value"), REPEATABLE, ids=lambda part: str(part)[:60])
def test_an_operation_done_twice_changes_nothing_more(op: str, path: str | None, value: Any) -> None:
    once = patch.apply(schema.USER, ALICE, [Operation(op, path, value)]).document
    assert patch.apply(schema.USER, once, [Operation(op, path, value)]).document == once


REFUSED: list[tuple[str, str | None, Any, type[errors.ScimError]]] = [
    ("remove", None, None, errors.NoTarget),
    ("remove", None, {"title": "x"}, errors.NoTarget),
    ("replace", None, "text", errors.InvalidValue),
    ("add", None, [{"title": "x"}], errors.InvalidValue),
    ("add", None, None, errors.InvalidValue),
    ("add", None, {E: "text"}, errors.InvalidValue),
    ("add", E, ["text"], errors.InvalidValue),
    ("replace", None, {"id": "other"}, errors.Mutability),
    ("replace", None, {"meta": {"version": 'W/"9"'}}, errors.Mutability),
    ("replace", None, {"title": "x", "groups": [{"value": "g-2"}]}, errors.Mutability),
    ("replace", None, {f"{L}:licenses": [{"value": "pro"}]}, errors.Mutability),
    ("replace", None, {L: {"licenses": [{"value": "pro"}]}}, errors.Mutability),
    ("replace", None, {"emails[type eq 1].value": "x"}, errors.InvalidFilter),
    ("replace", None, {'emails[type eq "work".value': "x"}, errors.InvalidPath),
    ("replace", None, {"schemas": [E]}, errors.InvalidSyntax),
    ("replace", "", "x", errors.InvalidPath),
    ("replace", "unknown", "x", errors.InvalidPath),
    ("add", "name.unknown", "x", errors.InvalidPath),
    ("remove", "title.x", None, errors.InvalidPath),
    ("replace", "__class__", "x", errors.InvalidPath),
    ("add", f"{E}:unknown", "x", errors.InvalidPath),
    ("add", "urn:x:y", "x", errors.InvalidPath),
    ("replace", 'emails[type eq "work"', "x", errors.InvalidPath),
    ("replace", 'emails[type eq "work"].nothing', "x", errors.InvalidPath),
    ("replace", 'name[givenName eq "x"]', "x", errors.InvalidPath),
    ("replace", "emails.value", "x", errors.InvalidPath),
    ("remove", "emails.value", None, errors.InvalidPath),
    ("replace", 'emails[nothing eq "x"]', "x", errors.InvalidFilter),
    ("replace", "emails[]", "x", errors.InvalidFilter),
    ("replace", "title", 7, errors.InvalidValue),
    ("replace", "active", "perhaps", errors.InvalidValue),
    ("replace", "name", "Alice", errors.InvalidValue),
    ("replace", "name.givenName", {"a": 1}, errors.InvalidValue),
    ("add", "emails", [{"value": 7}], errors.InvalidValue),
    ("add", "emails", [{**NEW, "primary": True}, {"value": "y", "primary": True}], errors.InvalidValue),
    ("replace", "emails", [{**NEW, "primary": True}, {"value": "y", "primary": True}], errors.InvalidValue),
    ("replace", "emails[value pr].primary", True, errors.InvalidValue),
    ("replace", 'emails[type eq "work"]', [NEW, HOME], errors.InvalidValue),
    ("replace", 'addresses[type eq "work"]', "text", errors.InvalidValue),
    ("remove", "userName", None, errors.Mutability),
    ("replace", "userName", None, errors.InvalidValue),
    ("replace", "userName", "", errors.InvalidValue),
    ("remove", "id", None, errors.Mutability),
    ("replace", "id", None, errors.Mutability),
    ("replace", "id", "other", errors.Mutability),
    ("replace", "meta.version", 'W/"2"', errors.Mutability),
    ("remove", "meta", None, errors.Mutability),
    ("add", "groups", [{"value": "g-2"}], errors.Mutability),
    ("replace", "groups", "g-1", errors.Mutability),
    ("replace", "groups", [], errors.Mutability),
    ("remove", "groups", None, errors.Mutability),
    ("remove", 'groups[value eq "g-1"]', None, errors.Mutability),
    ("replace", 'groups[value eq "g-1"].display', "x", errors.Mutability),
    ("replace", "groups.display", "Sales", errors.Mutability),
    ("remove", f"{L}:licenses", None, errors.Mutability),
    ("remove", f"{L}:licenses", None, errors.Mutability),
    ("add", f"{L}:licenses", [{"value": "pro"}], errors.Mutability),
    ("replace", f"{E}:manager.displayName", "Bob", errors.Mutability),
    ("remove", "schemas", None, errors.Mutability),
    ("replace", 'emails[type eq "other"].value', "x", errors.NoTarget),
    ("replace", 'emails[type eq "other"]', NEW, errors.NoTarget),
    ("replace", 'emails[type eq "other"].value', None, errors.NoTarget),
    ("replace", 'roles[value eq "a"].type', "x", errors.NoTarget),
    ("add", 'emails[type ne "work" and type ne "home"].value', "x", errors.NoTarget),
    ("add", 'emails[type eq "a" or type eq "b"].value', "x", errors.NoTarget),
    ("add", 'emails[not (value pr)].value', "x", errors.NoTarget),
    ("add", 'emails[type eq "a" and type eq "b"].value', "x", errors.NoTarget),
]  # fmt: skip


@pytest.mark.parametrize(("op", "path", "value", "error"), REFUSED, ids=lambda part: str(part)[:60])
def test_what_an_operation_may_not_do_has_its_own_error(
    op: str, path: str | None, value: Any, error: type[errors.ScimError]
) -> None:
    with pytest.raises(error) as refused:
        changed(op, path, value)
    assert type(refused.value) is error


def test_a_replace_without_match_makes_the_element_where_the_profile_says_so() -> None:
    made = {"type": "other", "value": "x"}
    assert changed("replace", 'emails[type eq "other"].value', "x", replace_creates=True) == emails(WORK, HOME, made)
    assert changed("replace", 'emails[type eq "other"]', {"value": "x"}, replace_creates=True) == emails(
        WORK, HOME, made
    )
    assert changed("replace", 'emails[type eq "other"].value', None, replace_creates=True) == {}
    with pytest.raises(errors.NoTarget):
        changed("replace", 'emails[type co "other"].value', "x", replace_creates=True)


def test_several_paths_with_the_same_filter_make_one_element() -> None:
    parts = {"locality": "Bern", "country": "CH", "postalCode": "3000"}
    operations = [Operation("Add", f'addresses[type eq "home"].{name}', part) for name, part in parts.items()]
    document = patch.apply(schema.USER, ALICE, operations).document
    assert document["addresses"] == [OFFICE, {"type": "home", **parts}]


def test_each_operation_sees_what_the_one_before_it_left() -> None:
    operations = [
        Operation("remove", "emails", None),
        Operation("add", "emails", [HOME]),
        Operation("replace", 'emails[type eq "home"].primary', True),
        Operation("add", "emails", [WORK]),
    ]
    assert patch.apply(schema.USER, ALICE, operations).document["emails"] == [{**HOME, "primary": False}, WORK]


def test_an_error_in_any_operation_leaves_the_document_as_it_was() -> None:
    before = copy.deepcopy(ALICE)
    for place in range(3):
        operations = [Operation("replace", "title", "CTO"), Operation("remove", 'emails[type eq "work"].value', None)]
        operations.insert(place, Operation("replace", "unknown", "x"))
        with pytest.raises(errors.InvalidPath):
            patch.apply(schema.USER, ALICE, operations)
        assert before == ALICE


def test_an_immutable_attribute_is_set_once() -> None:
    badge = replace(schema.USER.schema.attributes[3], name="badge", mutability="immutable")
    core = replace(schema.USER.schema, attributes=(*schema.USER.schema.attributes, badge))
    staff = replace(schema.USER, schema=core)
    once = patch.apply(staff, ALICE, [Operation("add", "badge", "7")]).document
    assert once["badge"] == "7"
    assert patch.apply(staff, once, [Operation("replace", "badge", "7")]).document == once
    for op in ("add", "replace", "remove"):
        with pytest.raises(errors.Mutability):
            patch.apply(staff, once, [Operation(op, "badge", "8")])


def test_no_error_repeats_a_value() -> None:
    for path, value in (("title", {"x": "canary"}), ("active", "canary"), ("id", "canary"), (None, "canary")):
        with pytest.raises(errors.ScimError) as refused:
            changed("replace", path, value)
        assert "canary" not in refused.value.detail


def test_work_beyond_the_limits_is_refused() -> None:
    many = {**ALICE, "roles": [{"value": str(number)} for number in range(limits.ELEMENTS)]}
    with pytest.raises(errors.TooLarge, match="roles takes at most"):
        patch.apply(schema.USER, many, [Operation("add", "roles", "one more")])
    again = [Operation("replace", 'roles[value eq "x" or value eq "7"].type', str(number)) for number in range(50)]
    with pytest.raises(errors.TooMany):
        patch.apply(schema.USER, many, again)


# ---- members of groups


@pytest.mark.parametrize(
    ("op", "path", "value", "expected"),
    [
        ("add", "members", [{"value": "u-1"}, {"value": "u-2", "display": None}], [AddMembers(("u-1", "u-2"))]),
        ("Add", "MEMBERS", {"VALUE": "u-1", "type": "User"}, [AddMembers(("u-1",))]),
        ("add", "members", ["u-1", "u-2"], [AddMembers(("u-1", "u-2"))]),
        ("add", "members", "u-1", [AddMembers(("u-1",))]),
        ("add", "members", [], []),
        ("add", "members", None, []),
        ("add", f"{schema.GROUP_URN}:members", ["u-1"], [AddMembers(("u-1",))]),
        ("add", 'members[value eq "u-1"]', {"value": "u-1"}, [AddMembers(("u-1",))]),
        ("add", 'members[value eq "u-1" and type eq "User"]', None, [AddMembers(("u-1",))]),
        ("replace", "members", [{"value": "u-1"}], [ReplaceMembers(("u-1",))]),
        ("replace", "members", [], [ReplaceMembers(())]),
        ("replace", "members", None, [ReplaceMembers(())]),
        ("remove", "members", None, [ReplaceMembers(())]),
        ("remove", "members", [{"$ref": None, "value": "u-1"}], [RemoveMembers(("u-1",))]),
        ("remove", "members", {"value": "u-1"}, [RemoveMembers(("u-1",))]),
        ("remove", "members", ["u-1", "u-2"], [RemoveMembers(("u-1", "u-2"))]),
        ("remove", "members", [], []),
        ("remove", 'members[value eq "u-1"]', None, [RemoveMembers(("u-1",))]),
        ("remove", 'members[value eq "u-1" or value eq "u-2"]', None, [RemoveMembers(("u-1", "u-2"))]),
        ("add", None, {"members": [{"value": "u-1"}], "displayName": "Sales"}, [AddMembers(("u-1",))]),
        ("replace", None, {"id": "g-1", "members": []}, [ReplaceMembers(())]),
        ("replace", None, {"id": "g-1", "displayName": "Sales"}, []),
    ],
    ids=lambda part: str(part)[:60],
)  # fmt: skip
def test_an_operation_on_members_becomes_a_step(
    op: str, path: str | None, value: Any, expected: list[patch.MemberStep]
) -> None:
    assert steps(Operation(op, path, value)) == tuple(expected)


@pytest.mark.parametrize(
    "text", ['type eq "User"', 'value sw "u"', 'value eq "u-1" and type eq "User"', "not (value pr)"]
)
def test_another_filter_on_members_is_a_step_that_keeps_it(text: str) -> None:
    members = schema.GROUP.attribute("members")
    assert members is not None
    assert steps(Operation("remove", f"members[{text}]", None)) == (
        RemoveMatching(filters.parse_element(text, members)),
    )


@pytest.mark.parametrize(
    ("op", "path", "value", "error"),
    [
        ("add", "members.value", "u-1", errors.InvalidPath),
        ("remove", "members.value", None, errors.InvalidPath),
        ("add", "members", [{"display": "Alice"}], errors.InvalidValue),
        ("replace", "members", [{}], errors.InvalidValue),
        ("remove", "members", [7], errors.InvalidValue),
        ("remove", "members", [None], errors.InvalidValue),
        ("remove", "members", [["u-1"]], errors.InvalidValue),
        ("add", "members", [{"value": "x" * 257}], errors.InvalidValue),
        ("replace", 'members[value eq "u-1"]', {"value": "u-2"}, errors.Mutability),
        ("replace", 'members[value eq "u-1"].value', "u-2", errors.Mutability),
        ("remove", 'members[value eq "u-1"].display', None, errors.Mutability),
        ("add", 'members[value eq "u-1"]', {"value": "u-2"}, errors.InvalidValue),
        ("add", 'members[type eq "User"]', {"display": "x"}, errors.NoTarget),
        ("add", 'members[value sw "u"]', {"value": "u-1"}, errors.NoTarget),
        ("remove", "members[nothing pr]", None, errors.InvalidFilter),
        ("remove", "displayName", None, errors.Mutability),
        ("add", "members", ["u"] * (limits.MEMBERS + 1), errors.TooLarge),
    ],
    ids=lambda part: str(part)[:60],
)  # fmt: skip
def test_a_members_operation_that_is_not_understood_is_refused(
    op: str, path: str, value: Any, error: type[errors.ScimError]
) -> None:
    with pytest.raises(error):
        steps(Operation(op, path, value))


def test_member_steps_keep_their_order_and_the_document_its_other_changes() -> None:
    operations = [
        Operation("remove", 'members[value eq "u-1"]', None),
        Operation("replace", "displayName", "Selling"),
        Operation("add", "members", [{"value": "u-2"}]),
    ]
    patched = patch.apply(schema.GROUP, SALES, operations)
    assert patched.document == {"id": "g-1", "displayName": "Selling"}
    assert patched.member_steps == (RemoveMembers(("u-1",)), AddMembers(("u-2",)))


def test_members_are_counted_over_all_operations() -> None:
    half = ["u"] * (limits.MEMBERS // 2)
    assert len(steps(*[Operation("add", "members", half)] * 2)) == 2
    with pytest.raises(errors.TooLarge):
        steps(*[Operation("add", "members", half)] * 2, Operation("remove", "members", ["u"]))


def test_a_hundred_thousand_members_take_no_more_than_their_share() -> None:
    value = [{"value": f"u-{number}", "display": None} for number in range(limits.MEMBERS)]
    start = time.perf_counter()
    (step,) = steps(Operation("add", "members", value))
    assert isinstance(step, AddMembers)
    assert len(step.ids) == limits.MEMBERS
    assert time.perf_counter() - start < 2


# ---- the message


def message(*listed: Any, **values: Any) -> dict[str, Any]:
    return {"schemas": [schema.PATCH_URN], "Operations": list(listed), **values}


def test_a_patch_message_is_read_in_any_case() -> None:
    given = {"SCHEMAS": [schema.PATCH_URN.upper()], "operations": [{"OP": "Add", "Path": "title", "VALUE": "x"}]}
    assert patch.operations(given) == [Operation("add", "title", "x")]
    assert patch.operations(message({"op": "REPLACE", "value": {"active": False}})) == [
        Operation("replace", None, {"active": False})
    ]
    assert patch.operations(message({"op": "remove", "path": "title"})) == [Operation("remove", "title", None)]
    assert patch.operations(message({"op": "replace", "path": "title", "value": None}, schemas=None))


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({}, errors.InvalidSyntax),
        (message(), errors.InvalidSyntax),
        (message(Operations=None), errors.InvalidSyntax),
        (message(Operations={"op": "add"}), errors.InvalidSyntax),
        (message("add"), errors.InvalidSyntax),
        (message({"path": "title"}), errors.InvalidSyntax),
        (message({"op": "move", "path": "title"}), errors.InvalidSyntax),
        (message({"op": ["add"], "path": "title"}), errors.InvalidSyntax),
        (message({"op": "remove", "path": "title"}, schemas=[U]), errors.InvalidSyntax),
        (message({"op": "remove", "path": 7}), errors.InvalidPath),
        (message({"op": "add", "path": "title"}), errors.InvalidValue),
        (message({"op": "replace"}), errors.InvalidValue),
        (message(*[{"op": "remove", "path": "title"}] * (limits.PATCH_OPERATIONS + 1)), errors.TooLarge),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_message_of_the_wrong_structure_is_refused(payload: dict[str, Any], error: type[errors.ScimError]) -> None:
    with pytest.raises(error):
        patch.operations(payload)


# ---- whatever comes

PATHS = [path for _, path, _, _ in ROWS if path] + [path for _, path, _, _ in REFUSED if path]
NAMES = ["value", "type", "primary", "PRIMARY", "name", "givenName", "emails", "members", E, U, "id", "x"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["work", "True", "u-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
OPERATIONS = st.lists(
    st.builds(
        Operation,
        st.sampled_from(["add", "replace", "remove"]),
        st.none() | st.sampled_from([*PATHS, "members", 'members[value eq "u"]']) | st.text('ae[]".: ', max_size=6),
        VALUES,
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([(schema.USER, ALICE), (schema.GROUP, SALES)]), OPERATIONS, st.booleans())
def test_whatever_is_sent_changes_no_input_and_raises_only_refusals(
    subject: tuple[schema.ResourceType, dict[str, Any]], operations: list[Operation], creates: bool
) -> None:
    resource_type, document = subject
    before, sent = copy.deepcopy(document), copy.deepcopy(operations)
    try:
        after = patch.apply(resource_type, document, operations, replace_creates=creates).document
        assert is_canonical(after)
        for name in ("id", "meta", "groups"):
            assert after.get(name) == document.get(name)
        for element in after.values():
            if isinstance(element, list):
                assert sum(one.get("primary") is True for one in element) <= 1
    except errors.ScimError:
        pass
    assert document == before
    assert operations == sent


def is_canonical(value: Any) -> bool:
    """Whether nothing in a document is unassigned."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return bool(value) and all(map(is_canonical, inside))
    return value is not None and value != ""
