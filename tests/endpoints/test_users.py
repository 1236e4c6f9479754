"""/Users over HTTP (RFC 7644 sections 3.3 to 3.6), on both databases. Charlie, of Globex, never shows up."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from scim_service import audit
from tests.service import CORE, ENTERPRISE, LICENSES, PATCH, Cast

WHOLE: dict[str, Any] = {
    "schemas": [CORE, ENTERPRISE],
    "userName": "Alice@Example.com",
    "externalId": "a-1",
    "name": {"givenName": "Alice", "familyName": "Ames", "formatted": "Alice Ames", "honorificPrefix": "Dr."},
    "displayName": "Alice Ames",
    "nickName": "Al",
    "profileUrl": "https://example.com/alice",
    "title": "Engineer",
    "userType": "Employee",
    "preferredLanguage": "en-US",
    "locale": "en-US",
    "timezone": "Europe/Zurich",
    "active": True,
    "emails": [
        {"value": "alice@example.com", "type": "work", "primary": True},
        {"value": "al@example.org", "type": "home"},
    ],
    "phoneNumbers": [{"value": "+41 44 555 01 00", "type": "work"}],
    "ims": [{"value": "alice", "type": "xmpp"}],
    "photos": [{"value": "https://example.com/alice.png", "type": "photo"}],
    "addresses": [{"type": "work", "locality": "Basel", "country": "CH", "streetAddress": "1 Main Street"}],
    "roles": [{"value": "editor", "primary": True}],
    "entitlements": [{"value": "beta"}],
    "x509Certificates": [{"value": "MIIB"}],
    ENTERPRISE: {"employeeNumber": "7", "department": "R&D", "manager": {"value": "m-1"}},
}


def test_a_person_comes_back_as_it_was_sent_with_what_the_server_adds(cast: Cast) -> None:
    answer = cast.acme.post(
        "/Users", {**WHOLE, "password": "secret-canary", "id": "mine", "meta": {"x": 1}, "groups": []}
    )
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/scim+json"
    body = answer.body
    assert {name: body[name] for name in WHOLE if name != "schemas"} == {
        n: v for n, v in WHOLE.items() if n != "schemas"
    }
    assert sorted(body["schemas"]) == sorted([CORE, ENTERPRISE])
    assert uuid.UUID(body["id"])
    assert body["meta"]["location"] == answer.headers["Location"]
    assert body["meta"]["version"] == answer.headers["ETag"]
    assert "canary" not in answer.text and "groups" not in body
    assert cast.acme.get(f"/Users/{body['id']}").body == body


def test_an_answer_without_a_body_names_no_media_type(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    unchanged = cast.acme.send(
        "GET",
        f"/Users/{alice['id']}?excludedAttributes=groups," + LICENSES,
        headers={"If-None-Match": alice["meta"]["version"]},
    )
    gone = cast.acme.delete(f"/Users/{alice['id']}")
    assert (unchanged.status, gone.status) == (304, 204)
    assert not any("Content-Type" in answer.headers or answer.text for answer in (unchanged, gone))


def test_a_name_is_taken_in_any_case_and_free_again_after_a_delete(cast: Cast) -> None:
    alice = cast.acme.user("Straße@Example.com")
    for same in ("straße@example.com", "STRASSE@EXAMPLE.COM", "ｓｔｒａｓｓｅ@example.com"):
        answer = cast.acme.post("/Users", {"schemas": [CORE], "userName": same})
        assert (answer.status, answer.body["scimType"]) == (409, "uniqueness"), same
        assert cast.acme.names(f'userName eq "{same}"') == ["Straße@Example.com"]
    assert cast.acme.delete(f"/Users/{alice['id']}").status == 204
    assert cast.acme.delete(f"/Users/{alice['id']}").status == 404
    assert cast.acme.user("STRASSE@EXAMPLE.COM")["id"] != alice["id"]


def test_put_replaces_clears_and_keeps_active_and_ids(cast: Cast) -> None:
    alice = cast.acme.post("/Users", WHOLE).body
    cast.acme.patch(f"/Users/{alice['id']}", {"op": "replace", "value": {"active": False}})
    answer = cast.acme.put(f"/Users/{alice['id']}", {"schemas": [CORE], "userName": "alice@example.com", "id": "other"})
    assert answer.status == 200
    body = answer.body
    assert body["id"] == alice["id"] and body["active"] is False
    assert set(body) == {"schemas", "id", "userName", "active", "meta"}
    assert body["schemas"] == [CORE]
    assert cast.acme.put("/Users/unknown", WHOLE).status == 404


def test_a_patch_that_changes_nothing_leaves_no_trace(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com", displayName="Alice")
    again = cast.acme.patch(f"/Users/{alice['id']}", {"op": "replace", "path": "displayName", "value": "Alice"})
    assert again.body["meta"] == alice["meta"]
    changed = cast.acme.patch(f"/Users/{alice['id']}", {"op": "replace", "path": "displayName", "value": "Ally"})
    assert changed.body["meta"]["version"] == 'W/"2"'


def test_a_patch_is_all_or_nothing(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    answer = cast.acme.patch(
        f"/Users/{alice['id']}",
        {"op": "replace", "path": "displayName", "value": "Ally"},
        {"op": "replace", "path": "nonsense", "value": 1},
    )
    assert (answer.status, answer.body["scimType"]) == (400, "invalidPath")
    assert cast.acme.get(f"/Users/{alice['id']}").body == alice


def test_if_match_lets_one_of_two_changes_through(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    first = {"op": "replace", "path": "title", "value": "One"}
    assert cast.acme.patch(f"/Users/{alice['id']}", first, **{"If-Match": 'W/"1"'}).status == 200
    refused = cast.acme.patch(f"/Users/{alice['id']}", {**first, "value": "Two"}, **{"If-Match": 'W/"1"'})
    assert refused.status == 412 and refused.body["status"] == "412"
    assert cast.acme.patch(f"/Users/{alice['id']}", {**first, "value": "Three"}, **{"If-Match": "*"}).status == 200
    assert cast.acme.send("DELETE", f"/Users/{alice['id']}", headers={"If-Match": '"1"'}).status == 412


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ('userName eq "ALICE@example.com"', ["alice"]),
        ('userName sw "b" or userName sw "a" and active eq false', ["bob"]),
        ('(userName sw "b" or userName sw "a") and active eq true', ["alice"]),
        ('emails[type eq "work" and value co "@example.org"]', []),
        ('emails[type eq "home" and value co "@example.org"]', ["alice"]),
        ('emails.value ew "@EXAMPLE.com"', ["alice", "bob"]),
        ("not (emails pr)", []),
        ('title ne "Engineer"', ["bob"]),
        ("title eq null", ["bob"]),
        ('externalId eq "a-1"', ["alice"]),
        ('externalId eq "A-1"', []),
        (f'{ENTERPRISE}:department eq "r&d"', ["alice"]),
        (f'{CORE}:name.familyName gt "b"', ["bob"]),
        ('nickName eq "al"', ["alice"]),
        ('nickName co "a" and userName sw "alice"', ["alice"]),
        ('meta.created gt "2020-01-01T00:00:00Z"', ["alice", "bob"]),
        ('active eq "False"', ["bob"]),
        ('displayName co "charlie"', []),
    ],
)
def test_filters_find_who_is_meant(cast: Cast, filter_text: str, found: list[str]) -> None:
    cast.acme.post("/Users", WHOLE)
    cast.acme.user("bob@example.com", active=False, name={"familyName": "Berg"}, emails=[{"value": "bob@example.com"}])
    assert [name.partition("@")[0].lower() for name in cast.acme.names(filter_text)] == found


@pytest.mark.parametrize(
    "bad", ["userName", "nonsense eq 1", 'userName eq "a" or', "active gt true", "", 'password eq "x"']
)
def test_a_bad_filter_is_refused_not_guessed(cast: Cast, bad: str) -> None:
    answer = cast.acme.get("/Users", filter=bad)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")


def test_pages_are_true_and_stable(cast: Cast) -> None:
    made = [cast.acme.user(f"p{number}@example.com")["id"] for number in range(7)]
    first = cast.acme.get("/Users", startIndex=1, count=3).body
    second = cast.acme.get("/Users", startIndex=4, count=3).body
    third = cast.acme.get("/Users", startIndex=7, count=3).body
    assert [one["id"] for page in (first, second, third) for one in page["Resources"]] == made
    assert [page["totalResults"] for page in (first, second, third)] == [7, 7, 7]
    assert (third["itemsPerPage"], third["startIndex"]) == (1, 7)
    filtered = cast.acme.get("/Users", filter='userName sw "p"', startIndex=2, count=2).body
    assert (filtered["totalResults"], filtered["itemsPerPage"]) == (7, 2)
    assert cast.acme.get("/Users", count=0).body["totalResults"] == 7
    assert cast.acme.get("/Users", startIndex=100).body["Resources"] == []
    assert cast.acme.get("/Users", startIndex="x").status == 400


def test_attributes_and_excluded_attributes_also_shape_writes(cast: Cast) -> None:
    answer = cast.acme.post("/Users?attributes=userName", WHOLE)
    assert set(answer.body) == {"schemas", "id", "userName"}
    path = f"/Users/{answer.body['id']}"
    assert "emails" not in cast.acme.get(path, excludedAttributes="emails,meta").body
    assert set(cast.acme.get(path, attributes="emails.value").body["emails"][0]) == {"value"}
    assert cast.acme.get(path, attributes="userName", excludedAttributes="emails").status == 400


def test_groups_of_a_person_are_computed_direct_and_indirect(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    team = cast.acme.group("Team", alice["id"])
    whole = cast.acme.group("Whole", team["id"])
    groups = cast.acme.get(f"/Users/{alice['id']}").body["groups"]
    assert {(one["value"], one["type"], one["display"]) for one in groups} == {
        (team["id"], "direct", "Team"),
        (whole["id"], "indirect", "Whole"),
    }
    assert cast.acme.names(f'groups.value eq "{whole["id"]}"') == ["alice@example.com"]
    assert cast.acme.get(f"/Users/{alice['id']}").body["meta"]["version"] == 'W/"1"'


def test_readonly_values_are_refused_in_a_patch_unless_they_are_the_same(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    path = f"/Users/{alice['id']}"
    assert cast.acme.patch(path, {"op": "replace", "value": {"id": alice["id"], "title": "T"}}).status == 200
    for value in ({"id": "x"}, {"groups": [{"value": "g"}]}, {LICENSES: {"licenses": [{"value": "pro"}]}}):
        answer = cast.acme.patch(path, {"op": "replace", "value": value})
        assert (answer.status, answer.body["scimType"]) == (400, "mutability"), value


def test_another_tenants_person_is_as_unknown_as_nobody(cast: Cast) -> None:
    charlie = cast.globex.get("/Users", filter='userName sw "charlie"').body["Resources"][0]
    unknown = cast.acme.get("/Users/00000000-0000-4000-8000-000000000000")
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"schemas": [CORE, PATCH], "userName": "x", "Operations": [{"op": "remove", "path": "title"}]}
        answer = cast.acme.send(method, f"/Users/{charlie['id']}", None if method in {"GET", "DELETE"} else body)
        assert (answer.status, answer.body) == (404, unknown.body), method
    assert cast.acme.get("/Users").body["totalResults"] == 0
    cast.acme.user("charlie@globex.example")
    assert cast.globex.get("/Users").body["totalResults"] == 1


def test_each_connection_has_its_own_external_ids(cast: Cast) -> None:
    okta = cast.as_("okta")
    alice = okta.user("alice@example.com", externalId="00u1")
    assert "externalId" not in cast.acme.get(f"/Users/{alice['id']}").body
    mine = {"op": "add", "path": "externalId", "value": "rfc-1"}
    assert cast.acme.patch(f"/Users/{alice['id']}", mine).body["externalId"] == "rfc-1"
    assert okta.get(f"/Users/{alice['id']}").body["externalId"] == "00u1"
    assert okta.post("/Users", {"schemas": [CORE], "userName": "other", "externalId": "00u1"}).status == 409
    with cast.reading() as work:
        actions = [event.action for event in audit.about(work, alice["id"])]
    assert actions.count("user:adopted") == 1


def test_if_none_match_spares_an_answer_that_cannot_have_changed(cast: Cast) -> None:
    alice = cast.acme.user("alice@example.com")
    path, known = f"/Users/{alice['id']}", {"If-None-Match": 'W/"9", W/"1"'}
    spared = cast.acme.send("GET", f"{path}?attributes=userName", headers=known)
    assert (spared.status, spared.text, spared.headers["ETag"]) == (304, "", 'W/"1"')
    assert cast.acme.send("GET", f"{path}?attributes=userName", headers={"If-None-Match": '"2"'}).status == 200
    assert cast.acme.send("GET", path, headers=known).status == 200
    assert cast.acme.send("DELETE", path, headers={"If-None-Match": "*"}).status == 412
    group = cast.acme.group("Team", alice["id"])
    assert cast.acme.send("GET", f"/Groups/{group['id']}", headers={"If-None-Match": "*"}).status == 304


def test_who_is_inactive_and_comes_again_under_the_external_id_is_the_same_person(cast: Cast) -> None:
    ann = cast.acme.user("ann", externalId="a-1", title="T")
    team = cast.acme.group("Team", ann["id"])
    cast.acme.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    back = cast.acme.post("/Users", {"schemas": [CORE], "userName": "ann.ames", "externalId": "a-1"})
    assert (back.status, back.body["id"], back.body["userName"]) == (201, ann["id"], "ann.ames")
    assert back.body["active"] is True and "title" not in back.body
    assert back.headers["ETag"] == back.body["meta"]["version"] == 'W/"3"'
    assert [one["value"] for one in back.body["groups"]] == [team["id"]]
    assert cast.acme.get(f"/Users/{ann['id']}").body == back.body
    assert cast.acme.get("/Users", count=0).body["totalResults"] == 1


def test_who_is_active_or_known_to_another_connection_only_does_not_come_back(cast: Cast) -> None:
    ann = cast.acme.user("ann", externalId="a-1")
    again = {"schemas": [CORE], "userName": "other", "externalId": "a-1"}
    assert cast.acme.post("/Users", again).body["scimType"] == "uniqueness"
    cast.acme.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    other = cast.as_("okta").post("/Users", again)
    assert other.status == 201 and other.body["id"] != ann["id"]
    taken = cast.acme.post("/Users", {"schemas": [CORE], "userName": "other", "externalId": "a-1"})
    assert (taken.status, taken.body["scimType"]) == (409, "uniqueness")
    assert cast.acme.get(f"/Users/{ann['id']}").body["active"] is False
