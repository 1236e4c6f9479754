"""`/api/v1`: what the product that sells the seats asks, with a token that is good for nothing else (W16)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service.access import connections, credentials
from scim_service.access.attempts import ALLOWED, Attempts
from scim_service.endpoints import doors
from scim_service.endpoints.api import cursors
from scim_service.endpoints.service import KEY
from scim_service.licensing import catalog, contracts, direct, rules
from scim_service.licensing.catalog import Options
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.rows import everything
from tests.service import Answer, Caller, Cast

WHEN = "2027-03-01T08:00:00.000Z"


@dataclass
class Product:
    """The product of one tenant, asking with its token."""

    cast: Cast
    token: str

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        given = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        got = self.cast.app.test_client().open(f"/api/v1{path}", method=method, headers=given, query_string=query)
        text = got.get_data(as_text=True)
        return Answer(got.status_code, dict(got.headers), text, json.loads(text) if text else None)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask(path, **query)
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.body

    def refused(self, status: int, code: str, path: str, **more: Any) -> str:
        """The sentence of a refusal, which has this form whatever went wrong."""
        answer = self.ask(path, **more)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
        assert set(answer.body) == {"code", "sentence"} and answer.body["code"] == code, answer.text
        sentence: str = answer.body["sentence"]
        return sentence


def product_of(cast: Cast, tenant_id: int, connection: str) -> Product:
    with cast.writing(tenant_id) as work:
        return Product(cast, credentials.create(work, connections.find(work, connection), scope="check"))


@pytest.fixture
def product(cast: Cast) -> Product:
    """Acme sells recruiters and administrators (who are recruiters too), one seat of the basic type, and a free one."""
    with cast.writing() as work:
        catalog.create_type(work, "recruiter", "Recruiter", rank=1, options=Options(rights={"jobs": 5, "cv": True}))
        catalog.create_type(
            work,
            "administrator",
            "Administrator",
            rank=2,
            options=Options(implies=("recruiter",), grants_admin=True, rights={"jobs": 50}),
        )
        catalog.create_type(work, "basic", "Basic", family="suite", rank=1)
        catalog.create_type(work, "pro", "Pro", family="suite", rank=2)
        catalog.create_type(work, "free", "Free", counted=False)
        contracts.create(work, "C-1", {"recruiter": 9, "administrator": 9, "basic": 1, "pro": 1})
    return product_of(cast, cast.acme_id, "okta")


def give(cast: Cast, user_name: str, *codes: str) -> None:
    for code in codes:
        with cast.writing() as work:
            direct.assign(work, user_name, code)


def sales(cast: Cast, code: str, *ids: str, grace: timedelta = timedelta(hours=1)) -> str:
    """A group that gives a type, with these people in it; its id."""
    group: str = cast.acme.group("Sales", *ids)["id"]
    with cast.writing() as work:
        rules.create(work, "Sales", code, exit_grace=grace)
    return group


def test_a_person_is_told_with_rights_flags_and_licenses(cast: Cast, product: Product) -> None:
    alice = cast.acme.user("Alice@acme.example", displayName="Alice")
    give(cast, "alice@acme.example", "administrator", "free")
    assert product.get(f"/people/{alice['id']}") == {
        "id": alice["id"],
        "userName": "Alice@acme.example",
        "active": True,
        "banned": False,
        "status": "active",
        "flags": dict.fromkeys(
            ["sessions_void_before", "api_keys_void_before", "must_change_password", "privacy_override"]
        ),
        "rights": ["administrator", "free", "recruiter"],
        "attributes": {"jobs": 50, "cv": True},
        "licenses": [
            {
                "license": code,
                "name": code.title(),
                "state": "assigned",
                "reason": None,
                "since": WHEN,
                "until": None,
                "position": None,
            }
            for code in ("administrator", "free")
        ],
    }


def test_E_13_and_E_23_flags_are_published_with_their_instants(cast: Cast, product: Product) -> None:
    alice = cast.acme.user("alice")["id"]
    now = cast.store.clock.now()
    with cast.writing() as work:
        seq = work.value(
            sa.select(tables.directory.users.c.seq).where(
                tables.directory.users.c.tenant_id == sa.bindparam("tenant"), tables.directory.users.c.id == alice
            )
        )
        work.insert(
            tables.directory.accounts,
            [
                {
                    "user_seq": seq,
                    "sessions_void_before": now,
                    "api_keys_void_before": now + timedelta(seconds=1),
                    "must_change_password": now + timedelta(seconds=2),
                    "privacy_override": None,
                }
            ],
        )
    assert product.get(f"/people/{alice}")["flags"] == {
        "sessions_void_before": WHEN,
        "api_keys_void_before": "2027-03-01T08:00:01.000Z",
        "must_change_password": "2027-03-01T08:00:02.000Z",
        "privacy_override": None,
    }


def test_a_person_is_found_by_user_name_in_any_case_and_by_the_external_id_of_a_named_connection(
    cast: Cast, product: Product
) -> None:
    alice = cast.as_("okta").user("Alice@acme.example", externalId="a-1")
    bob = cast.as_("entra").user("bob@acme.example", externalId="a-1")
    found = product.get("/people", userName="ALICE@ACME.EXAMPLE")
    assert found == product.get(f"/people/{alice['id']}")
    assert product.get("/people", externalId="a-1", connection="okta") == found
    assert product.get("/people", externalId="a-1", connection="entra")["id"] == bob["id"]
    product.refused(404, "unknown_person", "/people", externalId="A-1", connection="okta")
    product.refused(404, "unknown_person", "/people", externalId="a-1", connection="rfc")
    assert "okta" in product.refused(404, "unknown_connection", "/people", externalId="a-1", connection="fax")


def test_is_this_person_licensed_now_by_id_user_name_and_external_id(cast: Cast, product: Product) -> None:
    alice = cast.as_("okta").user("alice@acme.example", externalId="a-1")["id"]
    give(cast, "alice@acme.example", "pro")
    said = product.get(f"/people/{alice}/licenses/pro")
    assert said == {
        "person": alice,
        "license": "pro",
        "licensed": True,
        "by": "pro",
        "state": "assigned",
        "reason": None,
        "since": WHEN,
        "until": None,
        "position": None,
    }
    assert product.get("/people/licenses/pro", userName="Alice@Acme.example") == said
    assert product.get("/people/licenses/pro", externalId="a-1", connection="okta") == said
    nothing = product.get(f"/people/{alice}/licenses/recruiter")
    assert (nothing["licensed"], nothing["by"], nothing["state"], nothing["reason"]) == (
        False,
        None,
        "none",
        "no_reason",
    )


def test_BW_09_who_holds_a_type_that_implies_another_is_licensed_for_that_too(cast: Cast, product: Product) -> None:
    alice = cast.acme.user("alice")["id"]
    give(cast, "alice", "administrator")
    said = product.get(f"/people/{alice}/licenses/recruiter")
    assert (said["licensed"], said["by"], said["state"]) == (True, "administrator", "assigned")
    with cast.writing() as work:
        owner = Options(implies=("administrator",), grants_admin=True)
        catalog.create_type(work, "owner", "Owner", counted=False, options=owner)
        catalog.create_type(work, "reader", "Reader", counted=False, options=Options(implies=("recruiter",)))
        catalog.update_type(work, "recruiter", implies=("reader",))
        direct.unassign(work, "alice", "administrator")
        direct.assign(work, "alice", "owner")
    assert product.get(f"/people/{alice}/licenses/recruiter")["by"] == "owner"
    assert product.get(f"/people/{alice}")["rights"] == ["owner", "administrator", "recruiter", "reader"]


def test_who_waits_is_covered_or_is_inactive_is_not_licensed_and_is_told_why(cast: Cast, product: Product) -> None:
    ids = [cast.acme.user(name)["id"] for name in ("ann", "ben")]
    sales(cast, "pro", *ids)
    waiting = product.get(f"/people/{ids[1]}/licenses/pro")
    assert [waiting[name] for name in ("licensed", "state", "reason", "position")] == [
        False,
        "waiting",
        "cap_reached",
        1,
    ]
    give(cast, "ann", "basic")
    covered = product.get(f"/people/{ids[0]}/licenses/basic")
    assert [covered[name] for name in ("licensed", "state", "reason")] == [False, "covered", "better_type_held"]
    cast.acme.patch(f"/Users/{ids[0]}", {"op": "replace", "value": {"active": False}})
    gone = product.get(f"/people/{ids[0]}/licenses/pro")
    assert [gone[name] for name in ("licensed", "state", "reason")] == [False, "none", "person_inactive"]
    assert product.get(f"/people/{ids[1]}/licenses/pro")["licensed"]


def test_I_10_a_grace_that_is_over_is_no_license_and_the_next_one_is_licensed_before_any_job_ran(
    cast: Cast, product: Product, clock: SettableClock
) -> None:
    ann, ben = (cast.acme.user(name)["id"] for name in ("ann", "ben"))
    group = sales(cast, "pro", ann, ben)
    cast.acme.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{ann}"]'})
    grace = product.get(f"/people/{ann}/licenses/pro")
    assert (grace["licensed"], grace["state"], grace["until"]) == (True, "grace", "2027-03-01T09:00:00.000Z")
    clock.advance(timedelta(hours=1))
    assert product.get(f"/people/{ben}/licenses/pro")["licensed"]
    assert not product.get(f"/people/{ann}/licenses/pro")["licensed"]
    assert [one["id"] for one in product.get("/licenses/pro/holders")["holders"]] == [ben]


def test_I_10_where_nobody_can_let_time_pass_what_lapsed_is_still_not_effective(
    cast: Cast, product: Product, clock: SettableClock
) -> None:
    ann = cast.acme.user("ann")["id"]
    group = sales(cast, "pro", ann)
    cast.acme.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{ann}"]'})
    forget = sa.update(tables.licensing.licensing).where(
        tables.licensing.licensing.c.tenant_id == sa.bindparam("tenant")
    )
    with cast.writing() as work:
        work.execute(forget.values(next_due=None))
    clock.advance(timedelta(hours=1))
    assert product.get(f"/people/{ann}/licenses/pro")["state"] == "none"
    assert product.get(f"/people/{ann}")["licenses"] == []
    assert product.get("/licenses/pro/holders")["holders"] == []


def test_holders_are_told_page_by_page_each_once_while_people_come_and_go(cast: Cast, product: Product) -> None:
    ids = [cast.acme.user(f"p{number}")["id"] for number in range(7)]
    give(cast, "p0", "free")
    for number in range(1, 7):
        give(cast, f"p{number}", "free")
    first = product.get("/licenses/free/holders", count=3)
    assert [one["userName"] for one in first["holders"]] == ["p0", "p1", "p2"]
    assert first["holders"][0] == {
        "id": ids[0],
        "userName": "p0",
        "state": "assigned",
        "reason": None,
        "since": WHEN,
        "until": None,
    }
    for number in (0, 2, 4):
        cast.acme.delete(f"/Users/{ids[number]}")
    second = product.get("/licenses/free/holders", count=2, cursor=first["next"])
    assert [one["userName"] for one in second["holders"]] == ["p3", "p5"]
    last = product.get("/licenses/free/holders", count=3, cursor=second["next"])
    assert [one["userName"] for one in last["holders"]] == ["p6"]
    assert last["next"] is None


def test_a_cursor_is_good_for_its_own_list_and_tenant_only(cast: Cast, product: Product) -> None:
    for number in range(2):
        cast.acme.user(f"p{number}")
        give(cast, f"p{number}", "free", "recruiter")
    cursor = product.get("/licenses/free/holders", count=1)["next"]
    flipped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for wrong in ("x", "1", flipped, cursor[:-4], cursor + "AAAA", "ü"):
        product.refused(400, "bad_cursor", "/licenses/free/holders", cursor=wrong)
    product.refused(400, "bad_cursor", "/licenses/recruiter/holders", cursor=cursor)
    with cast.writing(cast.globex_id) as work:
        catalog.create_type(work, "free", "Free", counted=False)
    product_of(cast, cast.globex_id, "rfc").refused(400, "bad_cursor", "/licenses/free/holders", cursor=cursor)


def test_a_cursor_is_the_same_for_the_same_row_and_says_nothing_of_it() -> None:
    sealed = [cursors.seal("key", "list", seq) for seq in range(1, 200)]
    assert sealed == [cursors.seal("key", "list", seq) for seq in range(1, 200)]
    assert [cursors.opened("key", "list", one) for one in sealed] == list(range(1, 200))
    assert len({one[:4] for one in sealed}) > 190 and len({one[-8:] for one in sealed}) > 190


def test_licenses_are_told_with_their_numbers_and_the_plan_with_its_features(cast: Cast, product: Product) -> None:
    ids = [cast.acme.user(name)["id"] for name in ("ann", "ben")]
    sales(cast, "pro", *ids)
    body = product.get("/licenses")
    assert body["plan"]["code"] == "standard" and "check_api" in body["plan"]["features"]
    told = {one["license"]: one for one in body["licenses"]}
    assert told["pro"] == {
        "license": "pro",
        "name": "Pro",
        "product": None,
        "family": "suite",
        "rank": 2,
        "used": 1,
        "limit": 1,
        "waiting": 1,
        "grace": 0,
        "suspended": 0,
        "blocked": 0,
    }
    assert told["free"]["limit"] is None


def test_what_did_not_change_is_304_and_what_did_is_told(cast: Cast, product: Product) -> None:
    alice = cast.acme.user("alice")["id"]
    give(cast, "alice", "pro")
    paths = [f"/people/{alice}", f"/people/{alice}/licenses/pro", "/licenses", "/licenses/pro/holders"]
    tags = {path: product.ask(path).headers["ETag"] for path in paths}
    for path, tag in tags.items():
        for known in (tag, f'"x", W/{tag}', "*"):
            answer = product.ask(path, headers={"If-None-Match": known})
            assert (answer.status, answer.text, answer.headers["ETag"]) == (304, "", tag)
            assert "Content-Type" not in answer.headers
        assert product.ask(path, headers={"If-None-Match": '"x"'}).status == 200
    cast.acme.patch(f"/Users/{alice}", {"op": "replace", "value": {"active": False}})
    for path, tag in tags.items():
        assert product.ask(path, headers={"If-None-Match": tag}).status == 200


@pytest.mark.parametrize(
    ("path", "query", "part"),
    [
        ("/people", {}, "userName"),
        ("/people", {"userName": ""}, "userName"),
        ("/people", {"externalId": "x"}, "connection"),
        ("/people", {"connection": "okta"}, "externalId"),
        ("/people", {"userName": "a", "externalId": "x", "connection": "okta"}, "Say whom"),
        ("/people", {"userName": ["a", "b"]}, "more than once"),
        ("/people", {"userName": "a\0"}, "U+0000"),
        ("/people", {"userName": "a" * 2001}, "too long"),
        ("/people", {"filter": "x"}, "It takes: userName"),
        ("/people/x", {"attributes": "id"}, "none"),
        ("/people/x/licenses/pro", {"userName": "a"}, "none"),
        ("/people/licenses/pro", {}, "userName"),
        ("/licenses", {"count": "1"}, "none"),
        ("/licenses/pro/holders", {"count": "0"}, "1000"),
        ("/licenses/pro/holders", {"count": "1001"}, "1000"),
        ("/licenses/pro/holders", {"count": "-1"}, "1000"),
        ("/licenses/pro/holders", {"count": "1e2"}, "1000"),
        ("/licenses/pro/holders", {"count": "٣"}, "1000"),
        ("/licenses/pro/holders", {"startIndex": "2"}, "cursor, count"),
    ],
)
def test_a_question_that_is_not_understood_is_refused_by_name(
    product: Product, path: str, query: dict[str, Any], part: str
) -> None:
    assert part in product.refused(400, "bad_request", path, **query)


def test_every_refusal_is_a_code_and_a_sentence(cast: Cast, product: Product) -> None:
    alice = cast.acme.user("alice")["id"]
    product.refused(404, "unknown_person", "/people/none")
    product.refused(404, "unknown_person", "/people/none/licenses/pro")
    product.refused(404, "unknown_license", f"/people/{alice}/licenses/fax")
    product.refused(404, "unknown_license", f"/people/{alice}/licenses/PRO")
    product.refused(404, "unknown_license", "/licenses/fax/holders")
    for path in ("", "/", "/nothing", "/people/a/b", "/licenses/pro", "//people", "/people/a%00b"):
        product.refused(404, "not_found", path)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        before = everything(cast.store)
        product.refused(405, "method_not_allowed", f"/people/{alice}", method=method)
        assert product.ask("/licenses", method=method).headers["Allow"]
        assert everything(cast.store) == before
    for header in ("", "Bearer", "Bearer x", f"Bearer {product.token}x", "Digest x"):
        product.refused(401, "unauthorized", "/licenses", headers={"Authorization": header})
        assert product.ask("/nothing", headers={"Authorization": header}).headers["WWW-Authenticate"]


def test_who_fails_too_often_at_one_door_waits_at_both(cast: Cast, product: Product) -> None:
    wrong = Product(cast, "wrong")
    assert {wrong.ask("/licenses").status for _ in range(ALLOWED)} == {401}
    wrong.refused(429, "too_many_requests", "/licenses")
    assert Caller(cast.app.test_client(), "wrong").get("/Users").status == 429
    product.get("/licenses")


def test_W16_a_token_is_good_at_its_own_door_only(cast: Cast, product: Product) -> None:
    for name in ("rfc", "okta", "entra", "read"):
        assert "--scope check" in Product(cast, cast.tokens[name]).refused(403, "wrong_scope", "/licenses")
        Product(cast, cast.tokens[name]).refused(403, "wrong_scope", "/nothing")
    stranger = Caller(cast.app.test_client(), product.token)
    before = everything(cast.store)
    for method, path in (("GET", "/Users"), ("GET", "/Groups/x"), ("POST", "/Users"), ("DELETE", "/Users/x")):
        answer = stranger.send(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.headers["Content-Type"]) == (403, "application/scim+json")
        assert "/api/v1" in answer.body["detail"]
    assert everything(cast.store) == before


def test_T1_another_tenants_people_and_licenses_are_as_if_they_never_were(cast: Cast, product: Product) -> None:
    [charlie] = cast.globex.get("/Users").body["Resources"]
    other = product_of(cast, cast.globex_id, "rfc")
    assert other.get(f"/people/{charlie['id']}")["userName"] == "charlie@globex.example"
    never = "00000000-0000-4000-8000-000000000000"
    for path in ("/people/{}", "/people/{}/licenses/pro"):
        assert product.ask(path.format(charlie["id"])).body == product.ask(path.format(never)).body
    assert product.ask("/people", userName="charlie@globex.example").status == 404
    other.refused(404, "unknown_license", f"/people/{charlie['id']}/licenses/pro")
    other.refused(404, "unknown_license", "/licenses/pro/holders")
    other.refused(404, "unknown_connection", "/people", externalId="x", connection="okta")
    assert other.get("/licenses")["licenses"] == []


def test_A9_over_plain_http_from_elsewhere_nothing_is_told(cast: Cast, product: Product) -> None:
    given = {"Authorization": f"Bearer {product.token}"}
    got = cast.app.test_client().get("/api/v1/licenses", headers=given, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert got.status_code == 403 and got.json is not None and got.json["code"] == "forbidden"


def test_A6_every_address_is_at_a_door_or_listed_as_open_and_the_products_door_only_reads(cast: Cast) -> None:
    open_to_all = {"health.live", "health.ready"}
    prefixes = tuple(f"{door.prefix}/" for door in doors.DOORS)
    client = cast.app.test_client()
    cast.app.extensions[KEY].attempts = Attempts(allowed=10_000)
    for rule in cast.app.url_map.iter_rules():
        at_door = rule.rule == doors.SCIM.prefix or rule.rule.startswith(prefixes)
        assert at_door or rule.endpoint in open_to_all, rule.rule
        if rule.rule.startswith(f"{doors.LINKS.prefix}/"):
            assert rule.endpoint in {"pages.style", "pages.show", "pages.answer"}
            continue
        if rule.rule.startswith(f"{doors.API.prefix}/"):
            assert rule.methods == {"GET", "HEAD"}
        if at_door and rule.endpoint not in doors.SCIM.open:
            path = rule.rule.replace("<", "").replace(">", "")
            for method in rule.methods or ():
                assert client.open(path, method=method).status_code == 401, (method, path)
    for path in ("/API/v1/licenses", "//api/v1/licenses", "/api%2Fv1/licenses", "/api/v1;x/licenses"):
        assert client.get(path).status_code in {401, 404}


def test_the_products_questions_are_not_noted_as_the_identity_providers(cast: Cast, product: Product) -> None:
    product.get("/licenses")
    product.refused(400, "bad_request", "/people")
    with cast.reading() as work:
        okta = connections.find(work, "okta")
    assert okta.last_seen_at is None and okta.last_error is None


@contextmanager
def statements(cast: Cast) -> Iterator[list[str]]:
    """Everything that runs on the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        seen.append(sql)

    engines = {cast.store.database.reads, cast.store.database.writes}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def test_a_check_costs_no_more_statements_than_a_scim_get_by_id(cast: Cast, product: Product) -> None:
    ids = [cast.as_("okta").user(name, externalId=name)["id"] for name in ("ann", "ben", "cem")]
    sales(cast, "pro", *ids[:2])
    cast.acme.get("/Users")
    for name, person in zip(("ann", "ben", "cem"), ids, strict=True):
        with statements(cast) as read:
            assert cast.acme.get(f"/Users/{person}").status == 200
        named: list[tuple[str, dict[str, str]]] = [
            (f"/people/{person}/licenses/pro", {}),
            ("/people/licenses/pro", {"userName": name}),
            ("/people/licenses/pro", {"externalId": name, "connection": "okta"}),
        ]
        for path, query in named:
            with statements(cast) as checked:
                product.get(path, **query)
            assert 2 <= len(checked) <= len(read), "\n".join(checked)
            assert not any(sql.startswith(("INSERT", "UPDATE", "DELETE")) for sql in checked)


def test_a_closed_discovery_is_closed_to_the_products_token(store: Store) -> None:
    closed = service.assemble(store, SCIM_OPEN_DISCOVERY="0")
    token = product_of(closed, closed.acme_id, "rfc").token
    assert Caller(closed.app.test_client(), token).get("/Schemas").status == 403
