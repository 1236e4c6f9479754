"""/Groups over HTTP (RFC 7643 section 4.2), on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service import GROUP, Caller, Cast


def values(caller: Caller, group: dict[str, Any]) -> list[str]:
    """The ids of a group's members, as it is read back."""
    read = caller.get(f"/Groups/{group['id']}").body
    return [member["value"] for member in read.get("members", [])]


def people(caller: Caller, *names: str) -> list[str]:
    return [caller.user(f"{name}@example.com", displayName=name.title())["id"] for name in names]


def test_members_are_filled_in_and_shown_in_the_order_of_joining(cast: Cast) -> None:
    ann, ben = people(cast.acme, "ann", "ben")
    inner = cast.acme.group("Inner")
    team = cast.acme.group("Team", ben, ann, inner["id"])
    assert [(m["value"], m["display"], m["type"]) for m in team["members"]] == [
        (ben, "Ben", "User"),
        (ann, "Ann", "User"),
        (inner["id"], "Inner", "Group"),
    ]
    assert team["members"][0]["$ref"].endswith(f"/scim/v2/Users/{ben}")
    assert cast.acme.get(f"/Groups/{team['id']}").body == team


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "members", "value": [{"value": "$c"}]}], "abc"),
        ([{"op": "Add", "path": "members", "value": [{"$ref": None, "value": "$a"}]}], "ab"),
        ([{"op": "Remove", "path": "members", "value": [{"value": "$a"}, {"value": "$c"}]}], "b"),
        ([{"op": "remove", "path": 'members[value eq "$a"]'}], "b"),
        ([{"op": "remove", "path": 'members[display sw "b"]'}], "a"),
        ([{"op": "remove", "path": "members"}], ""),
        ([{"op": "replace", "path": "members", "value": []}], ""),
        ([{"op": "replace", "path": "members", "value": [{"value": "$c"}, {"value": "$b"}]}], "bc"),
        ([{"op": "replace", "value": {"displayName": "T", "members": [{"value": "$c"}]}}], "c"),
        ([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [{"value": "$a"}]}], "a"),
        ([{"op": "replace", "value": {"displayName": "T"}}], "ab"),
    ],
)
def test_member_operations(cast: Cast, operations: list[dict[str, Any]], expected: str) -> None:
    ids = dict(zip("abc", people(cast.acme, "ann", "ben", "cid"), strict=True))
    team = cast.acme.group("Team", ids["a"], ids["b"])

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            for letter, one in ids.items():
                value = value.replace(f"${letter}", one) if value != "$ref" else value
            return value
        if isinstance(value, list):
            return [filled(one) for one in value]
        return {key: filled(one) for key, one in value.items()} if isinstance(value, dict) else value

    answer = cast.acme.patch(f"/Groups/{team['id']}", *[filled(one) for one in operations])
    assert answer.status == 200, answer.text
    assert sorted(values(cast.acme, team)) == sorted(ids[letter] for letter in expected)
    assert [m["value"] for m in answer.body.get("members", [])] == values(cast.acme, team)


def test_adding_who_is_there_and_removing_who_is_not_change_nothing(cast: Cast) -> None:
    (ann,) = people(cast.acme, "ann")
    team = cast.acme.group("Team", ann)
    path = f"/Groups/{team['id']}"
    assert cast.acme.patch(path, {"op": "add", "path": "members", "value": [{"value": ann}]}).body == team
    assert cast.acme.patch(path, {"op": "remove", "path": 'members[value eq "nobody"]'}).body == team


def test_the_version_moves_with_the_members(cast: Cast) -> None:
    ann, ben = people(cast.acme, "ann", "ben")
    team = cast.acme.group("Team", ann)
    path = f"/Groups/{team['id']}"
    add = {"op": "add", "path": "members", "value": [{"value": ben}]}
    assert cast.acme.patch(path, add, **{"If-Match": team["meta"]["version"]}).body["meta"]["version"] == 'W/"2"'
    assert cast.acme.patch(path, add, **{"If-Match": team["meta"]["version"]}).status == 412


def test_a_large_group_is_not_sent_back_unless_asked_for(cast: Cast) -> None:
    ids = people(cast.acme, *[f"p{number}" for number in range(102)])
    team = cast.acme.group("Team", *ids[:101])
    add = {"op": "add", "path": "members", "value": [{"value": ids[101]}]}
    answer = cast.acme.patch(f"/Groups/{team['id']}", add)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["ETag"] == 'W/"2"'
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [add]}
    assert cast.acme.send("PATCH", f"/Groups/{team['id']}?attributes=displayName", body).status == 200
    assert len(values(cast.acme, team)) == 102


def test_unknown_members_are_kept_pending_and_not_shown(cast: Cast) -> None:
    charlie = cast.globex.get("/Users").body["Resources"][0]["id"]
    team = cast.acme.group("Team", "fake-member-id", charlie)
    assert "members" not in team
    add = {"op": "add", "path": "members", "value": [{"value": "another-fake"}]}
    assert cast.acme.patch(f"/Groups/{team['id']}", add).status == 200


def test_a_deleted_person_leaves_every_group_and_a_deleted_group_leaves_its_people(cast: Cast) -> None:
    ann, ben = people(cast.acme, "ann", "ben")
    team, other = cast.acme.group("Team", ann, ben), cast.acme.group("Other", ann)
    cast.acme.delete(f"/Users/{ann}")
    assert (values(cast.acme, team), values(cast.acme, other)) == ([ben], [])
    assert cast.acme.get(f"/Groups/{team['id']}").body["meta"]["version"] == 'W/"2"'
    assert cast.acme.delete(f"/Groups/{team['id']}").status == 204
    assert "groups" not in cast.acme.get(f"/Users/{ben}").body
    assert cast.acme.get(f"/Groups/{team['id']}").status == 404
    assert cast.acme.get("/Groups").body["totalResults"] == 1


def test_a_group_cannot_contain_itself_through_others(cast: Cast) -> None:
    inner = cast.acme.group("Inner")
    outer = cast.acme.group("Outer", inner["id"])
    for group in (inner, outer):
        add = {"op": "add", "path": "members", "value": [{"value": outer["id"]}]}
        answer = cast.acme.patch(f"/Groups/{group['id']}", add)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert cast.acme.get(f"/Groups/{inner['id']}").body == inner


def test_names_are_unique_without_case_where_the_profile_wants_it(cast: Cast) -> None:
    okta, entra = cast.as_("okta"), cast.as_("entra")
    first = okta.group("Design Seats")
    refused = okta.post("/Groups", {"schemas": [GROUP], "displayName": "DESIGN seats"})
    assert (refused.status, refused.body["scimType"]) == (409, "uniqueness")
    entra.group("Design Seats")
    cast.acme.group("Design Seats")
    cast.acme.group("Design Seats")
    second = okta.group("Other")
    rename = {"op": "replace", "value": {"id": second["id"], "displayName": "design seats"}}
    assert okta.patch(f"/Groups/{second['id']}", rename).status == 409
    assert okta.patch(f"/Groups/{first['id']}", {**rename, "value": {"displayName": "DESIGN seats"}}).status == 200


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ('displayName eq "TEAM"', ["Team"]),
        ('members eq "$ann"', ["Team"]),
        ('members.value eq "$inner"', ["Outer"]),
        ('members[value eq "$ann" and type eq "User"]', ["Team"]),
        ('members[value eq "$ann" and type eq "Group"]', []),
        ('id eq "$team" and members eq "$ann"', ["Team"]),
        ("not (members pr)", ["Empty"]),
        ('displayName sw "E" or displayName sw "O"', ["Empty", "Outer"]),
        ('members.display eq "Ann"', ["Team"]),
    ],
)
def test_group_filters_ask_stored_members_though_they_are_not_shown(
    cast: Cast, filter_text: str, found: list[str]
) -> None:
    (ann,) = people(cast.acme, "ann")
    team = cast.acme.group("Team", ann)
    cast.acme.group("Outer", team["id"])
    cast.acme.group("Empty")
    text = filter_text.replace("$ann", ann).replace("$inner", team["id"]).replace("$team", team["id"])
    answer = cast.acme.get("/Groups", filter=text, excludedAttributes="members")
    assert answer.status == 200, answer.text
    assert sorted(one["displayName"] for one in answer.body["Resources"]) == found
    assert "members" not in answer.text


def test_put_replaces_the_list_and_who_stays_does_not_move(cast: Cast) -> None:
    ann, ben, cid = people(cast.acme, "ann", "ben", "cid")
    team = cast.acme.group("Team", ann, ben)
    members = [{"value": cid, "display": None}, {"value": ben, "display": "Other"}]
    answer = cast.acme.put(f"/Groups/{team['id']}", {"schemas": [GROUP], "displayName": "Team 2", "members": members})
    assert answer.status == 200
    assert [m["value"] for m in answer.body["members"]] == [ben, cid]
    assert answer.body["displayName"] == "Team 2"
