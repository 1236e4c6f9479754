"""/Me (RFC 7644 section 3.11): a token that stands for a person, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.access import connections, credentials
from scim_service.licensing import direct
from scim_service.protocol.schema import BULK_REQUEST_URN, SEARCH_URN
from tests.rows import everything
from tests.service import CORE, ENTERPRISE, LICENSES, PATCH, Answer, Caller, Cast

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def token_of(cast: Cast, user_name: str, **more: Any) -> str:
    with cast.writing() as work:
        person = direct.locked_person(work, user_name)
        return credentials.create(work, connections.find(work, "rfc"), user_seq=person.seq, **more)


@pytest.fixture
def ann(cast: Cast) -> Caller:
    """Ann's own token; Bob is there too."""
    cast.acme.user("ann", externalId="x1", title="Engineer", displayName="Ann", emails=[{"value": "ann@example.com"}])
    cast.acme.user("bob")
    return Caller(cast.app.test_client(), token_of(cast, "ann"))


def test_a_machine_has_no_me(cast: Cast) -> None:
    before = everything(cast.store)
    for name in ("rfc", "read", "okta"):
        caller = Caller(cast.app.test_client(), cast.tokens[name])
        for method in METHODS:
            answer = caller.send(method, "/Me", b"{}")
            assert (answer.status, answer.body["status"]) in {(501, "501"), (403, "403")}, (name, method)
            assert method != "GET" or answer.status == 501
    assert everything(cast.store) == before


def test_a_person_reads_the_own_resource_at_its_permanent_place(cast: Cast, ann: Caller) -> None:
    [known] = cast.acme.get("/Users", filter='userName eq "ann"').body["Resources"]
    answer = ann.get("/Me")
    assert (answer.status, answer.body) == (200, known)
    assert answer.headers["Location"] == known["meta"]["location"]
    assert answer.headers["ETag"] == known["meta"]["version"]
    assert set(ann.get("/Me", attributes="title").body) == {"schemas", "id", "title"}
    plain = f"/Me?excludedAttributes=groups,{LICENSES}"
    same = ann.send("GET", plain, headers={"If-None-Match": known["meta"]["version"]})
    assert same.status == 304 and same.headers["Location"] == known["meta"]["location"]


def test_a_person_changes_what_is_the_own(cast: Cast, ann: Caller) -> None:
    me = ann.get("/Me").body
    patched = ann.patch(
        "/Me", {"op": "replace", "path": "nickName", "value": "Annie"}, **{"If-Match": me["meta"]["version"]}
    )
    assert (patched.status, patched.body["nickName"]) == (200, "Annie")
    assert patched.headers["Location"] == me["meta"]["location"]
    put = ann.put("/Me", {**patched.body, "displayName": "Annie A", "preferredLanguage": "fr"})
    assert (put.status, put.body["displayName"], put.body["externalId"]) == (200, "Annie A", "x1")
    assert cast.acme.get("/Users", filter='displayName eq "annie a"').body["totalResults"] == 1
    stale = ann.patch("/Me", {"op": "remove", "path": "nickName"}, **{"If-Match": me["meta"]["version"]})
    assert stale.status == 412


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "userName", "value": "boss"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "remove", "path": "active"},
        {"op": "replace", "path": "externalId", "value": "x2"},
        {"op": "replace", "path": "title", "value": "Director"},
        {"op": "add", "path": "emails", "value": [{"value": "boss@example.com"}]},
        {"op": "add", "path": "entitlements", "value": [{"value": "pro", "type": "Text"}]},
        {"op": "add", "path": "roles", "value": [{"value": "admin"}]},
        {"op": "add", "path": "userType", "value": "Employee"},
        {"op": "add", "path": f"{ENTERPRISE}:department", "value": "Board"},
        {"op": "add", "value": {"nickName": "A", "title": "Director"}},
    ],
)
def test_a_person_changes_nothing_else(cast: Cast, ann: Caller, operation: dict[str, Any]) -> None:
    before = everything(cast.store)
    answer = ann.patch("/Me", operation)
    assert (answer.status, answer.body["status"]) == (403, "403") and "yourself" in answer.body["detail"]
    assert everything(cast.store) == before
    shorter = ann.put("/Me", {"schemas": [CORE], "userName": "ann"})
    assert shorter.status == 403 and everything(cast.store) == before


def test_nobody_makes_or_ends_the_own_resource(cast: Cast, ann: Caller) -> None:
    before = everything(cast.store)
    for method in ("POST", "DELETE"):
        assert ann.send(method, "/Me", {"schemas": [CORE], "userName": "new"}).status == 403
    assert everything(cast.store) == before


def test_a_persons_token_opens_nothing_but_me_and_discovery(cast: Cast, ann: Caller) -> None:
    bob = cast.acme.get("/Users", filter='userName eq "bob"').body["Resources"][0]["id"]
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/Users", None),
        ("GET", f"/Users/{bob}", None),
        ("GET", "/Groups", None),
        ("GET", "", None),
        ("POST", "/.search", {"schemas": [SEARCH_URN]}),
        ("POST", "/Users/.search", {"schemas": [SEARCH_URN]}),
        ("POST", "/Users", {"schemas": [CORE], "userName": "new"}),
        ("PATCH", f"/Users/{bob}", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "title"}]}),
        ("DELETE", f"/Users/{bob}", None),
        ("POST", "/Bulk", {"schemas": [BULK_REQUEST_URN], "Operations": []}),
    ]
    before = everything(cast.store)
    for method, path, body in requests:
        answer: Answer = ann.send(method, path, body)
        assert (answer.status, answer.body["status"]) == (403, "403"), (method, path)
        assert "bob" not in answer.text
    assert everything(cast.store) == before
    assert ann.get("/ServiceProviderConfig").status == 200
    assert ann.get("/Nothing").status == 404
    api = cast.app.test_client().get("/api/v1/licenses", headers={"Authorization": f"Bearer {ann.token}"})
    assert api.status_code == 403


def test_the_token_ends_with_the_person(cast: Cast, ann: Caller) -> None:
    user_id = ann.get("/Me").body["id"]
    cast.acme.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    assert ann.get("/Me").status == 401
    cast.acme.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": True})
    assert ann.get("/Me").status == 200
    assert cast.acme.delete(f"/Users/{user_id}").status == 204
    assert ann.get("/Me").status == 401


def test_a_rotated_token_stands_for_the_same_person(cast: Cast, ann: Caller) -> None:
    with cast.writing() as work:
        made = credentials.rotate(
            work, connections.find(work, "rfc"), ann.token[5:13], 30, cast.store.clock.now() - cast.store.clock.now()
        )
    assert Caller(cast.app.test_client(), made).get("/Me").body["userName"] == "ann"
    assert ann.get("/Me").status == 401
