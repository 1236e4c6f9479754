"""/Bulk (RFC 7644 section 3.7) on both databases: the same as one by one, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import re
import uuid
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service import audit, errors
from scim_service.access import connections, credentials
from scim_service.directory import many_users, users
from scim_service.endpoints.scim import bulk as endpoint
from scim_service.licensing import catalog, contracts, replay, rules, usage, verify
from scim_service.protocol import limits
from scim_service.protocol.schema import BULK_REQUEST_URN, BULK_RESPONSE_URN
from scim_service.storage import tables
from tests import service
from tests.conftest import Count
from tests.rows import everything
from tests.service import CORE, ENTERPRISE, GROUP, LICENSES, PATCH, Answer, Caller, Cast

PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"


def person(name: str, bulk_id: str = "", attributes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    data = {"schemas": [CORE], "userName": name, **(attributes or {}), **more}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id or name, "data": data}


def managed(name: str, manager: str) -> dict[str, Any]:
    return person(name, attributes={ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}})


def group(name: str, *members: str, **attributes: Any) -> dict[str, Any]:
    data = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members], **attributes}
    return {"method": "POST", "path": "/Groups", "bulkId": name, "data": data}


def change(path: str, *operations: Any, **more: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH], "Operations": list(operations)}, **more}


def send(caller: Caller, *operations: Any, **more: Any) -> Answer:
    return caller.post("/Bulk", {"schemas": [BULK_REQUEST_URN], "Operations": list(operations), **more})


def results(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.text
    assert answer.body["schemas"] == [BULK_RESPONSE_URN]
    found: list[dict[str, Any]] = answer.body["Operations"]
    return found


def statuses(answer: Answer) -> list[str]:
    return [one["status"] for one in results(answer)]


def test_every_method_is_carried_out_and_told_as_the_rfc_has_it(cast: Cast) -> None:
    kept, gone = cast.acme.user("kept")["id"], cast.acme.user("gone")["id"]
    answer = send(
        cast.acme,
        person("ann", "qwerty"),
        {"method": "PUT", "path": f"/Users/{kept}", "data": {"schemas": [CORE], "userName": "renamed"}},
        change(f"/Users/{kept}", {"op": "add", "path": "title", "value": "T"}),
        {"method": "DELETE", "path": f"/Users/{gone}"},
        group("Tour Guides", "bulkId:qwerty", kept),
    )
    base = "http://localhost/scim/v2"
    made, put, patched, deleted, grouped = results(answer)
    [ann] = cast.acme.get("/Users", filter='userName eq "ann"').body["Resources"]
    assert made == {
        "method": "POST",
        "bulkId": "qwerty",
        "location": f"{base}/Users/{ann['id']}",
        "version": 'W/"1"',
        "status": "201",
    }
    assert put == {"method": "PUT", "location": f"{base}/Users/{kept}", "version": 'W/"2"', "status": "200"}
    assert patched == {"method": "PATCH", "location": f"{base}/Users/{kept}", "version": 'W/"3"', "status": "200"}
    assert deleted == {"method": "DELETE", "location": f"{base}/Users/{gone}", "status": "204"}
    found = cast.acme.get(grouped["location"].removeprefix(base)).body
    assert {one["value"] for one in found["members"]} == {ann["id"], kept}
    assert cast.acme.get(f"/Users/{kept}").body["userName"] == "renamed"
    assert cast.acme.get(f"/Users/{gone}").status == 404


def test_what_is_referred_to_may_come_later(cast: Cast) -> None:
    answer = send(
        cast.acme,
        change("/Groups/bulkId:Team", {"op": "add", "path": "members", "value": [{"value": "bulkId:cid"}]}),
        group("Team", "bulkId:ann", "bulkId:bob"),
        managed("ann", "boss"),
        managed("bob", "boss"),
        person("boss"),
        person("cid"),
    )
    assert statuses(answer) == ["200", "201", "201", "201", "201", "201"]
    by_name = {one["userName"]: one for one in cast.acme.get("/Users").body["Resources"]}
    assert by_name["ann"][ENTERPRISE]["manager"]["value"] == by_name["boss"]["id"]
    [team] = cast.acme.get("/Groups").body["Resources"]
    assert {one["value"] for one in team["members"]} == {by_name[name]["id"] for name in ("ann", "bob", "cid")}


def test_people_who_refer_to_each_other_are_all_made(cast: Cast) -> None:
    circle = [managed(one, other) for one, other in ("ab", "bc", "ca")]
    own = managed("me", "me")
    assert statuses(send(cast.acme, *circle, own, person("z"))) == ["201"] * 5
    by_name = {one["userName"]: one for one in cast.acme.get("/Users").body["Resources"]}
    for one, other in ("ab", "bc", "ca", ("me", "me")):
        assert by_name[one][ENTERPRISE]["manager"]["value"] == by_name[other]["id"]
        assert by_name[one]["meta"]["version"] == 'W/"1"'


def test_of_a_circle_with_a_mistake_nobody_is_made(cast: Cast) -> None:
    cast.acme.user("b")
    circle = [managed(one, other) for one, other in ("ab", "bc", "ca")]
    answer = send(cast.acme, *circle, managed("z", "a"), person("y"))
    assert statuses(answer) == ["409", "409", "409", "409", "201"]
    assert [one["response"].get("scimType") for one in results(answer)[:4]] == [None, "uniqueness", None, None]
    assert sorted(cast.acme.names("userName pr")) == ["b", "y"]


def test_who_comes_back_in_a_bulk_request_is_referred_to_by_the_id_that_is_known(cast: Cast) -> None:
    left = {name: cast.acme.user(name, externalId=name, active=False)["id"] for name in ("a", "z")}
    circle = [managed(one, other) for one, other in ("ab", "ba")]
    circle[0]["data"]["externalId"] = "a"
    answer = send(cast.acme, *circle, person("z", externalId="z"), group("Team", "bulkId:a", "bulkId:z"))
    assert statuses(answer) == ["201"] * 4
    by_name = {one["userName"]: one for one in cast.acme.get("/Users").body["Resources"]}
    assert {name: by_name[name]["id"] for name in ("a", "z")} == left
    assert by_name["b"][ENTERPRISE]["manager"]["value"] == left["a"]
    assert by_name["a"][ENTERPRISE]["manager"]["value"] == by_name["b"]["id"]
    [team] = cast.acme.get("/Groups").body["Resources"]
    assert {one["value"] for one in team["members"]} == set(left.values())
    assert results(answer)[0]["location"].endswith(left["a"])


def test_groups_cannot_be_in_each_other_in_a_circle(cast: Cast) -> None:
    answer = send(
        cast.acme,
        group("A", "bulkId:B"),
        group("B", "bulkId:A"),
        group("C", "bulkId:C"),
        group("D", "bulkId:B"),
        group("E", "bulkId:F"),
        group("F"),
    )
    assert statuses(answer) == ["409", "409", "400", "409", "201", "201"]
    assert {one["displayName"] for one in cast.acme.get("/Groups").body["Resources"]} == {"E", "F"}


def test_what_fails_is_told_and_the_rest_is_done(cast: Cast) -> None:
    ann = cast.acme.user("ann")
    answer = send(
        cast.acme,
        person("x"),
        person("ANN"),
        person(""),
        person("x", "x2"),
        {"method": "DELETE", "path": f"/Users/{ann['id']}", "version": 'W/"7"'},
        {"method": "DELETE", "path": "/Users/bulkId:ANN"},
        change("/Users/nobody", {"op": "add", "path": "title", "value": "T"}),
        change(f"/Users/{ann['id']}", {"op": "add", "path": "nothing", "value": "T"}),
        {"method": "GET", "path": "/Users"},
        group("G", "bulkId:ANN"),
        person("y"),
    )
    assert statuses(answer) == ["201", "409", "400", "409", "412", "409", "404", "400", "400", "409", "201"]
    for one in results(answer):
        failed = one["status"] not in {"200", "201", "204"}
        assert ("response" in one) == failed
        assert ("location" in one) == (one["method"] != "POST" or not failed)
        assert not failed or (one["response"]["status"] == one["status"] and one["response"]["detail"])
    assert sorted(cast.acme.names("userName pr")) == ["ann", "x", "y"]
    assert cast.acme.get("/Groups").body["totalResults"] == 0


@pytest.mark.parametrize("most", range(1, 6))
def test_fail_on_errors_ends_the_request_after_so_many(cast: Cast, most: int) -> None:
    wrong = [
        person("a"),
        person("a", "a2"),
        person(""),
        person("b"),
        person("A", "a3"),
        person("c"),
        {"method": "X"},
        person("d"),
    ]
    answer = send(cast.acme, *wrong, failOnErrors=most)
    whole = ["201", "409", "400", "201", "409", "201", "400", "201"]
    ends = [place + 1 for place, status in enumerate(whole) if status >= "400"]
    assert statuses(answer) == whole[: ends[most - 1] if most <= len(ends) else len(whole)]
    made = [
        one
        for one, status in zip(["a", "", "", "b", "", "c", "", "d"], statuses(answer), strict=False)
        if status == "201"
    ]
    assert sorted(cast.acme.names("userName pr")) == made


def test_the_version_of_an_operation_is_its_if_match(cast: Cast) -> None:
    ann = cast.acme.user("ann")["id"]
    add = {"op": "replace", "path": "title", "value": "T"}
    right, wrong, any_ = (change(f"/Users/{ann}", add, version=one) for one in ('W/"1"', 'W/"9"', "*"))
    assert statuses(send(cast.acme, wrong, right, right, any_)) == ["412", "200", "412", "200"]


def test_limits_are_told_and_kept(cast: Cast) -> None:
    config = cast.acme.get("/ServiceProviderConfig").body["bulk"]
    assert config == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 16 * 1024 * 1024}
    before = everything(cast.store)
    many = send(cast.acme, *[person(f"p{number}") for number in range(limits.BULK_OPERATIONS + 1)])
    assert many.status == 413 and "1000" in many.body["detail"]
    large = cast.acme.send("POST", "/Bulk", b" " * (limits.BULK_BODY_BYTES + 1))
    assert large.status == 413 and str(limits.BULK_BODY_BYTES) in large.body["detail"]
    assert everything(cast.store) == before
    big = person("big", nickName="x" * 60_000, title="x" * 60_000, emails=[{"value": "x" * 60_000}] * 20)
    deep = person("deep", emails=[{"value": f"{n}@example.com", "type": "work"} for n in range(4_000)])
    assert statuses(send(cast.acme, big, deep, person("ok"))) == ["413", "400", "201"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"{", b'{"schemas": ["urn:x"]}', json.dumps({"schemas": [BULK_REQUEST_URN]}).encode(),
     json.dumps({"schemas": [BULK_REQUEST_URN], "Operations": [1]}).encode(),
     json.dumps({"schemas": [BULK_REQUEST_URN], "Operations": [person("a"), person("b", "a")]}).encode(),
     json.dumps({"schemas": [BULK_REQUEST_URN], "Operations": [person("a")], "failOnErrors": -1}).encode()],
)  # fmt: skip
def test_what_is_no_bulk_request_is_400_and_does_nothing(cast: Cast, body: bytes) -> None:
    before = everything(cast.store)
    answer = cast.acme.send("POST", "/Bulk", body)
    assert (answer.status, answer.body["status"]) == (400, "400")
    assert everything(cast.store) == before


def test_who_may_only_read_sends_no_bulk_request(cast: Cast) -> None:
    assert send(Caller(cast.app.test_client(), cast.tokens["read"]), person("a")).status == 403
    assert cast.acme.get("/Bulk").status == 405


def test_another_tenants_people_are_unknown(cast: Cast) -> None:
    [charlie] = cast.globex.get("/Users").body["Resources"]
    answer = send(cast.acme, {"method": "DELETE", "path": f"/Users/{charlie['id']}"}, person("charlie@globex.example"))
    assert statuses(answer) == ["404", "201"]
    assert cast.globex.get(f"/Users/{charlie['id']}").status == 200


def seats(cast: Cast, **caps: int) -> None:
    """License types, one of them given to everyone, the others by attribute or by a group's name."""
    with cast.writing() as work:
        for code in caps:
            catalog.create_type(work, code, code, counted=True)
        contracts.create(work, "C1", caps)
        if "free" in caps:
            rules.create(work, rules.EVERYONE, "free")
        if "pro" in caps:
            rules.create(work, "Pros", "pro")


def test_seats_are_given_in_the_order_of_the_request_and_never_beyond_the_cap(cast: Cast) -> None:
    seats(cast, free=3)
    assert set(statuses(send(cast.acme, *[person(f"p{number}") for number in range(5)]))) == {"201"}
    shown = [one[LICENSES]["licenses"][0]["state"] for one in cast.acme.get("/Users").body["Resources"]]
    assert shown == ["assigned"] * 3 + ["waiting"] * 2
    with cast.writing() as work:
        assert verify.findings(work) == [] and replay.check(work) == []


def test_a_strict_connection_has_only_those_refused_for_whom_there_is_no_seat(cast: Cast) -> None:
    seats(cast, solo=2)
    with cast.writing() as work:
        made = connections.create(work, "strict", "rfc", over_cap="strict")
        token = credentials.create(work, made)
    strict = Caller(cast.app.test_client(), token)
    solo = {"schemas": [CORE, LICENSES], LICENSES: {"licenseType": "solo"}}
    people = [
        person("p0"),
        *(person(f"s{n}", attributes=solo) for n in range(4)),
        person("p1"),
        person("bad", attributes={LICENSES: {"licenseType": "no"}}),
    ]
    answer = send(strict, *people)
    assert statuses(answer) == ["201", "201", "201", "403", "403", "201", "400"]
    assert results(answer)[3]["response"]["scimType"] == "seatLimitReached"
    assert sorted(cast.acme.names("userName pr")) == ["p0", "p1", "s0", "s1"]
    with cast.writing() as work:
        assert verify.findings(work) == []


def test_an_operation_that_crashes_is_its_own_500_and_the_others_stand(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = users.drafted

    def drafted(work: Any, payload: Any, user_id: Any = None) -> users.Draft:
        if payload["userName"] == "boom":
            raise RuntimeError("a defect")
        return real(work, payload, user_id)

    monkeypatch.setattr(users, "drafted", drafted)
    answer = send(cast.acme, person("a"), person("boom"), person("b"))
    assert statuses(answer) == ["201", "500", "201"]
    assert "defect" not in answer.text and "a defect" in caplog.text
    assert cast.acme.names("userName pr") == ["a", "b"]


def test_a_name_that_is_taken_meanwhile_is_refused_to_that_one_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer's commit between the look and the insert: here the look is made blind."""
    cast.acme.user("b")
    monkeypatch.setattr(many_users, "_held", lambda wanted, find: set())
    assert statuses(send(cast.acme, *map(person, "abc"))) == ["201", "409", "201"]
    assert sorted(cast.acme.names("userName pr")) == ["a", "b", "c"]


def test_a_batch_that_cannot_be_locked_is_tried_again_and_then_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []

    def busy(work: Any, news: Any, most: Any) -> Any:
        tries.append(work.careful)
        raise errors.Unavailable("busy")

    monkeypatch.setattr(many_users, "create", busy)
    assert statuses(send(cast.acme, *map(person, "abc"), failOnErrors=2)) == ["503", "503"]
    assert len(tries) == 1


def test_many_people_are_few_statements_and_few_transactions(cast: Cast) -> None:
    seats(cast, free=1000)
    assert cast.acme.get("/Users").status == 200
    seen = []
    engine = cast.store.database.writes

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        seen.append(sql)

    begun: list[Any] = []

    def begin(connection: Any) -> None:
        begun.append(connection)

    sa.event.listen(engine, "before_cursor_execute", note)
    sa.event.listen(engine, "begin", begin)
    try:
        assert set(statuses(send(cast.acme, *[person(f"p{n}", externalId=f"x{n}") for n in range(300)]))) == {"201"}
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
        sa.event.remove(engine, "begin", begin)
    assert len(begun) == -(-300 // endpoint.BATCH)
    assert len(seen) < 40 * len(begun)


# ---- the same as one by one


REFERENCE = re.compile(r"bulkId:(b\d+)")


def one_by_one(caller: Caller, operations: list[dict[str, Any]]) -> list[str]:
    """The operations as requests of their own, references put in by hand; their statuses."""
    ids: dict[str, str] = {}
    found = []
    for one in operations:
        if any(name not in ids for name in REFERENCE.findall(json.dumps([one["path"], one.get("data")]))):
            found.append("409")
            continue
        text, path = (
            REFERENCE.sub(lambda match: ids[match[1]], some) for some in (json.dumps(one.get("data")), one["path"])
        )
        headers = {"If-Match": one["version"]} if "version" in one else {}
        answer = caller.send(one["method"], path, None if text == "null" else text.encode(), headers)
        found.append(str(answer.status))
        if answer.status == 201:
            ids[one["bulkId"]] = answer.body["id"]
    return found


def invented(chance: random.Random, size: int) -> list[dict[str, Any]]:
    """Operations on what was made before, right and wrong ones."""
    made: dict[str, list[str]] = {"/Users": [], "/Groups": []}
    found: list[dict[str, Any]] = []
    for number in range(size):
        kind = chance.choice(["/Users", "/Users", "/Groups"])
        method = chance.choice(["POST", "POST", "POST", "PUT", "PATCH", "DELETE"])
        if not made[kind] or method == "POST":
            found.append({"method": "POST", "path": kind, "bulkId": f"b{number}", "data": document(chance, kind, made)})
            made[kind].append(f"b{number}")
            continue
        one: dict[str, Any] = {"method": method, "path": f"{kind}/bulkId:{chance.choice(made[kind])}"}
        if chance.random() < 0.2:
            one["version"] = f'W/"{chance.randint(1, 3)}"'
        if method == "PUT":
            one["data"] = document(chance, kind, made)
        if method == "PATCH":
            one["data"] = {"schemas": [PATCH], "Operations": [step(chance, kind, made)]}
        found.append(one)
    return found


def document(chance: random.Random, kind: str, made: dict[str, list[str]]) -> dict[str, Any]:
    if kind == "/Groups":
        members = [{"value": f"bulkId:{one}"} for one in chance.sample(made["/Users"], min(2, len(made["/Users"])))]
        return {"schemas": [GROUP], "displayName": chance.choice(["Pros", "Team", "Other"]), "members": members}
    found: dict[str, Any] = {"schemas": [CORE], "userName": f"u{chance.randrange(12)}", "active": chance.random() < 0.8}
    if chance.random() < 0.3:
        found["externalId"] = f"x{chance.randrange(8)}"
    if chance.random() < 0.5:
        found["emails"] = [{"value": f"{found['userName']}@example.com"}]
    if chance.random() < 0.25:
        found |= {LICENSES: {"licenseType": chance.choice(["solo", "solo", "nothing"])}}
    if made["/Users"] and chance.random() < 0.3:
        found |= {ENTERPRISE: {"manager": {"value": f"bulkId:{chance.choice(made['/Users'])}"}}}
    if chance.random() < 0.1:
        found["userName"] = ""
    return found


def step(chance: random.Random, kind: str, made: dict[str, list[str]]) -> dict[str, Any]:
    if kind == "/Users":
        return chance.choice(
            [
                {"op": "replace", "path": "active", "value": chance.random() < 0.5},
                {"op": "add", "path": "title", "value": chance.choice("TU")},
                {"op": "add", "path": "nothing", "value": 1},
            ]
        )
    who = f"bulkId:{chance.choice(made['/Users'])}" if made["/Users"] else "nobody"
    return chance.choice(
        [
            {"op": "add", "path": "members", "value": [{"value": who}]},
            {"op": "remove", "path": f'members[value eq "{who}"]'},
            {"op": "replace", "path": "displayName", "value": chance.choice(["Pros", "Team"])},
        ]
    )


def state(cast: Cast) -> dict[str, Any]:
    """All that can be seen of a tenant, with names in the place of ids."""
    people, found = cast.acme.get("/Users").body["Resources"], cast.acme.get("/Groups").body["Resources"]
    names = {one["id"]: one["userName"] for one in people}
    text = json.dumps(
        {
            "people": [without_ids(one) for one in people],
            "groups": [
                {
                    **without_ids(one),
                    "members": sorted(names.get(some["value"], "?") for some in one.get("members", [])),
                }
                for one in found
            ],
        }
    )
    for known, name in names.items():
        text = text.replace(known, name)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "somebody who is gone", text)
    with cast.reading(cast.acme_id) as work:
        numbers = [(one.code, one.used, one.waiting, one.grace) for one in usage.seats(work)]
        events = Counter((one.action, one.actor) for one in audit.everything(work))
        letters = Counter(row.letter for row in work.rows(LETTERS))
        asked = Counter((row.kind, row.state) for row in work.rows(ASKED))
    return {"resources": json.loads(text), "seats": numbers, "events": events, "letters": letters, "asked": asked}


LETTERS = sa.select(tables.delivery.outbox.c.letter).where(tables.delivery.outbox.c.tenant_id == sa.bindparam("tenant"))
ASKED = sa.select(tables.access.invitations.c.kind, tables.access.invitations.c.state).where(
    tables.access.invitations.c.tenant_id == sa.bindparam("tenant")
)


def without_ids(one: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in one.items() if name not in {"id", "meta", "groups"}}
    names = sorted(some["display"] for some in one.get("groups", []))
    return {**kept, "version": one["meta"]["version"], "in": names}


@pytest.mark.proof
@settings(max_examples=100 if PROVE else 10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), size=st.integers(2, 40), most=st.none() | st.integers(1, 6))
def test_a_bulk_request_comes_to_the_same_as_its_operations_one_by_one(
    cast: Cast, count: Count, seed: int, size: int, most: int | None
) -> None:
    chance = random.Random(seed)
    operations = invented(chance, size)
    states, told = [], []
    for way in ("bulk", "single"):
        mine = service.another(cast, f"{way}-{uuid.uuid4()}")
        seats(mine, free=8, pro=2, solo=2)
        if way == "bulk":
            more = {} if most is None else {"failOnErrors": most}
            told.append(statuses(send(mine.acme, *operations, **more)))
            operations = operations[: len(told[0])]
        else:
            told.append(one_by_one(mine.acme, operations))
        states.append(state(mine))
        with mine.writing(mine.acme_id) as work:
            assert verify.findings(work) == []
    assert told[0] == told[1]
    assert states[0] == states[1]
    count("{:,} operations in bulk against one by one", len(operations))
