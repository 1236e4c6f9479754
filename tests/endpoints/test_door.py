"""Who gets in, and how refusals look: one SCIM body for everything under the prefix (RFC 7644 sections 2, 3.12, 4)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from scim_service.access import connections, credentials
from scim_service.access.attempts import ALLOWED
from scim_service.storage.store import Store
from tests import service
from tests.service import CORE, Answer, Caller, Cast

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def is_scim_error(answer: Answer, status: int) -> bool:
    body = answer.body
    return (
        answer.status == status
        and answer.headers["Content-Type"] == "application/scim+json"
        and body["schemas"] == [ERROR]
        and body["status"] == str(status)
        and bool(body["detail"])
    )


def test_three_ways_to_send_a_token(cast: Cast) -> None:
    token = cast.tokens["rfc"]
    basic = base64.b64encode(f"anything:{token}".encode()).decode()
    for header in (f"Bearer {token}", f"bearer {token}", token, f"Basic {basic}"):
        assert cast.acme.send("GET", "/Users", headers={"Authorization": header}).status == 200


def test_a_read_token_reads_and_writes_nothing(cast: Cast) -> None:
    reader = cast.as_("read")
    assert reader.get("/Users").status == 200
    for method, path in (("POST", "/Users"), ("PUT", "/Users/x"), ("PATCH", "/Groups/x"), ("DELETE", "/Users/x")):
        assert is_scim_error(reader.send(method, path, {}), 403)


def test_a_token_ends_when_it_expires_is_revoked_or_its_overlap_is_over(cast: Cast, clock: Any) -> None:
    with cast.writing() as work:
        okta = connections.find(work, "okta")
        successor = credentials.rotate(work, okta, cast.tokens["okta"][5:13], 30, timedelta(hours=24))
    assert cast.as_("okta").get("/Users").status == 200
    assert Caller(cast.app.test_client(), successor).get("/Users").status == 200
    clock.advance(timedelta(hours=25))
    assert cast.as_("okta").get("/Users").status == 401
    with cast.writing() as work:
        credentials.revoke(work, successor[5:13])
    assert Caller(cast.app.test_client(), successor).get("/Users").status == 401
    assert cast.as_("entra").get("/Users").status == 200
    clock.advance(timedelta(days=366))
    assert cast.as_("entra").get("/Users").status == 401


def test_who_fails_too_often_waits_and_the_right_token_keeps_working(cast: Cast) -> None:
    wrong = Caller(cast.app.test_client(), "wrong")
    answers = [wrong.get("/Users") for _ in range(ALLOWED + 1)]
    assert is_scim_error(answers[-1], 429) and int(answers[-1].headers["Retry-After"]) > 0
    assert {answer.status for answer in answers[:-1]} == {401}
    assert cast.acme.get("/Users").status == 200


def test_the_connection_remembers_when_it_was_seen_and_what_it_was_refused(cast: Cast) -> None:
    cast.as_("okta").post("/Users", {"schemas": [CORE]})
    with cast.reading() as work:
        okta = connections.find(work, "okta")
    assert okta.last_seen_at is not None
    assert okta.last_error is not None and okta.last_error.startswith("400: ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Nothing", 404),
        ("GET", "/Users/a/b", 404),
        ("GET", "/Users//", 404),
        ("GET", "/Users/%00", 404),
        ("PATCH", "/Groups/a%00b", 404),
        ("GET", "/Users/%F0%9F", 404),
        ("DELETE", "/Users", 405),
        ("PUT", "/Groups", 405),
        ("POST", "/Users/x", 405),
        ("POST", "/Schemas", 405),
        ("POST", "/Bulk", 400),
        ("GET", "/Bulk", 405),
        ("POST", "/.search", 400),
        ("POST", "/Users/.search", 400),
        ("DELETE", "/.search", 405),
        ("POST", "", 405),
        ("GET", "/Me", 501),
        ("GET", "/Users?cursor=x", 400),
        ("GET", "/Users?filter=a&filter=b", 400),
        ("GET", "/Schemas?filter=id+pr", 403),
        ("GET", "/Schemas/unknown", 404),
        ("GET", "/ResourceTypes/Unknown", 404),
    ],
)
def test_every_refusal_is_a_scim_error(cast: Cast, method: str, path: str, status: int) -> None:
    answer = cast.acme.send(method, path, {} if method != "GET" else None)
    assert is_scim_error(answer, status)
    assert status != 405 or answer.headers["Allow"]


def test_without_a_token_an_unknown_address_is_401(cast: Cast) -> None:
    for path in ("/Nothing", "/%55sers", "//Users", "/Users%2F", "/users"):
        assert cast.acme.send("GET", path, headers={"Authorization": ""}).status in {401, 404, 308}
        assert "Resources" not in cast.acme.send("GET", path, headers={"Authorization": ""}).text


def test_json_in_both_media_types_and_with_charset(cast: Cast) -> None:
    for number, kind in enumerate(
        ("application/json", "application/scim+json; charset=utf-8", "application/json; charset=UTF-8")
    ):
        answer = cast.acme.send("POST", "/Users", {"schemas": [CORE], "userName": f"u{number}"}, {"Content-Type": kind})
        assert (answer.status, answer.headers["Content-Type"]) == (201, "application/scim+json")


def test_discovery_is_open_and_tells_the_truth(cast: Cast) -> None:
    nobody = {"Authorization": ""}
    config = cast.acme.send("GET", "/ServiceProviderConfig", headers=nobody).body
    assert config["patch"]["supported"] and config["etag"]["supported"] and config["filter"]["maxResults"] == 1000
    assert config["sort"]["supported"] and config["bulk"]["supported"]
    types = cast.acme.send("GET", "/ResourceTypes", headers=nobody).body
    assert [one["id"] for one in types["Resources"]] == ["User", "Group"]
    for one in cast.acme.send("GET", "/Schemas", headers=nobody).body["Resources"]:
        read = cast.acme.send("GET", f"/Schemas/{one['id']}", headers=nobody)
        assert read.body == one and read.body["meta"]["location"].endswith(one["id"])
    assert "password" not in cast.acme.get(f"/Schemas/{CORE}").text


def test_discovery_can_be_closed(store: Store) -> None:
    closed = service.assemble(store, SCIM_OPEN_DISCOVERY="0")
    assert closed.acme.send("GET", "/Schemas", headers={"Authorization": ""}).status == 401
    assert closed.acme.get("/Schemas").status == 200


def test_plain_http_from_elsewhere_is_refused_unless_a_trusted_proxy_had_tls(store: Store) -> None:
    behind = service.assemble(store, SCIM_TRUSTED_PROXIES="10.0.0.0/8")

    def ask(address: str, **headers: str) -> int:
        given = {"Authorization": f"Bearer {behind.tokens['rfc']}", **headers}
        environ = {"REMOTE_ADDR": address}
        return behind.app.test_client().get("/scim/v2/Users", headers=given, environ_base=environ).status_code

    assert ask("192.0.2.1") == 403
    assert ask("127.0.0.1") == 200
    assert ask("10.1.2.3", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}) == 200
    assert ask("10.1.2.3", **{"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"}) == 403
    assert ask("192.0.2.1", **{"X-Forwarded-Proto": "https"}) == 403


def test_health(cast: Cast) -> None:
    client = cast.app.test_client()
    assert client.get("/live").status_code == 200
    assert client.get("/ready").status_code == 200
    assert client.get("/nothing").status_code == 404


def test_a_crash_is_a_scim_error_that_tells_nothing_of_the_inside(cast: Cast) -> None:
    def crash() -> str:
        raise RuntimeError("inside-canary")

    cast.app.view_functions["scim.list_users"] = crash
    answer = cast.acme.get("/Users")
    assert is_scim_error(answer, 500)
    assert "canary" not in answer.text and answer.headers["X-Request-Id"] in answer.text
