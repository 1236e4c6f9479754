"""Requests that nobody should send: the exact status and scimType of each, in SCIM's form, and nothing is changed.

The tables say what is sent; that it changes nothing is asked of the whole database (reliability.md A4, A6, P2, T1, W8).
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from scim_service.protocol import limits
from scim_service.protocol.schema import ERROR_URN
from tests.rows import everything
from tests.service import CORE, GROUP, PATCH, SECRET, Answer, Cast

SCIM = "application/scim+json"


def refused(answer: Answer, status: int, scim_type: str | None = None, what: Any = "") -> bool:
    """Whether this is a SCIM error of just this kind that tells what to do; `what` was sent."""
    body = answer.body
    assert isinstance(body, dict), (what, answer)
    assert (answer.status, body.get("scimType")) == (status, scim_type), (what, answer.text)
    assert answer.headers["Content-Type"] == SCIM, what
    assert body["schemas"] == [ERROR_URN] and body["status"] == str(status) and len(body["detail"]) > 10
    assert set(body) <= {"schemas", "status", "scimType", "detail"}
    return True


@pytest.fixture
def ids(cast: Cast) -> dict[str, str]:
    """A person and a group of Acme, and those of Globex, which Acme must not see."""
    ann = cast.acme.user("ann@example.com", title="T")["id"]
    charlie = cast.globex.get("/Users").body["Resources"][0]["id"]
    return {
        "user": ann,
        "group": cast.acme.group("Team", ann)["id"],
        "their user": charlie,
        "their group": cast.globex.group("Theirs", charlie)["id"],
    }


def writes(ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every route that takes a body."""
    for place, one in (("/Users", ids["user"]), ("/Groups", ids["group"])):
        yield "POST", place
        yield "PUT", f"{place}/{one}"
        yield "PATCH", f"{place}/{one}"


# ---- bodies that are no JSON object


def nested(depth: int) -> bytes:
    return b'{"x":' * depth + b"{}" + b"}" * depth


NO_OBJECT: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "an open brace": b"{",
    "a closing bracket": b"{]",
    "a missing value": b'{"userName": }',
    "a comma at the end": b'{"userName": "a",}',
    "single quotes": b"{'userName': 'a'}",
    "a comment": b'{"userName": "a" /* x */}',
    "an unquoted name": b'{userName: "a"}',
    "two objects": b'{"userName": "a"} {"userName": "b"}',
    "a word cut short": b"nul",
    "null": b"null",
    "true": b"true",
    "a text": b'"userName"',
    "a number": b"5",
    "an empty list": b"[]",
    "a list of an object": b'[{"userName": "a"}]',
    "NaN": b'{"userName": "a", "x": NaN}',
    "Infinity": b'{"userName": "a", "x": Infinity}',
    "minus Infinity": b'{"userName": "a", "x": -Infinity}',
    "a number beyond a float": b'{"userName": "a", "x": 1e999}',
    "an integer of 400 digits": b'{"userName": "a", "x": ' + b"9" * 400 + b"}",
    "an integer of 65 bits": b'{"userName": "a", "x": 18446744073709551616}',
    "a leading zero": b'{"userName": "a", "x": 01}',
    "a plus": b'{"userName": "a", "x": +1}',
    "a lone high surrogate": b'{"userName": "a\\ud800"}',
    "a lone low surrogate": b'{"userName": "\\udc00a"}',
    "a surrogate in bytes": b'{"userName": "a\xed\xa0\x80"}',
    "a surrogate in a name": b'{"userName": "a", "\\ud800": 1}',
    "a byte that is not UTF-8": b'{"userName": "\xff"}',
    "an overlong NUL": b'{"userName": "\xc0\x80"}',
    "UTF-16": '{"userName": "a"}'.encode("utf-16"),
    "NUL as an escape": b'{"userName": "a\\u0000"}',
    "NUL as a byte": b'{"userName": "a\x00"}',
    "NUL in a name": b'{"userName": "a", "x\\u0000": 1}',
    "NUL deep inside": b'{"userName": "a", "x": [{"y": ["\\u0000"]}]}',
    "a raw line feed in a text": b'{"userName": "a\nb"}',
    "the same key twice": b'{"userName": "a", "userName": "b"}',
    "the same key in another case": b'{"userName": "a", "USERNAME": "b"}',
    "the same key by an escape": b'{"userName": "a", "user\\u004eame": "b"}',
    "the same key twice deep inside": b'{"userName": "a", "name": {"familyName": "x", "FamilyName": "y"}}',
    "the same operations twice": b'{"Operations": [], "operations": []}',
    "an unknown key twice": b'{"userName": "a", "x": {"y": 1, "y": 1}}',
    "objects 33 deep": nested(limits.JSON_DEPTH),
    "lists 33 deep": b'{"x":' + b"[" * limits.JSON_DEPTH + b"]" * limits.JSON_DEPTH + b"}",
    "lists 100,000 deep": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "lists that never end": b"[" * 100_000,
    "a text beyond 64 KiB": b'{"userName": "a", "x": "' + b"x" * (limits.STRING_BYTES + 1) + b'"}',
    "a name beyond 64 KiB": b'{"' + b"x" * (limits.STRING_BYTES + 1) + b'": 1}',
}


def test_what_is_no_json_object_within_the_limits_is_an_invalid_syntax_on_every_write(
    cast: Cast, ids: dict[str, str]
) -> None:
    before = everything(cast.store)
    for what, body in NO_OBJECT.items():
        for method, path in writes(ids):
            assert refused(cast.acme.send(method, path, body), 400, "invalidSyntax", (what, method, path))
        assert everything(cast.store) == before, what


def test_what_is_just_within_the_limits_is_read(cast: Cast) -> None:
    for number, body in enumerate(
        [
            {"x": json.loads(nested(limits.JSON_DEPTH - 2))},
            {"x": "x" * limits.STRING_BYTES},
            {"x": [1] * (limits.USER_VALUES - 4)},
            {"x": 2**63 - 1, "y": -(2**63), "z": 1e18},
            {"x": "\U0001f600\u2028"},
        ]
    ):
        assert cast.acme.post("/Users", {"userName": f"u{number}", **body}).status == 201, list(body)
    with_mark = b"\xef\xbb\xbf" + b'{"userName": "marked"}'
    assert cast.acme.send("POST", "/Users", with_mark).status == 201


def test_one_value_too_many_is_refused(cast: Cast) -> None:
    body = {"userName": "u", "x": [1] * limits.USER_VALUES}
    assert refused(cast.acme.post("/Users", body), 400, "invalidSyntax")


# ---- sizes


class Endless(io.RawIOBase):
    """A body without an end, which counts what is read of it."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), 16_384)
        buffer[:size] = b" " * size
        self.given += size
        return size


def chunked(cast: Cast, token: str, method: str, path: str) -> tuple[int, Any, int]:
    """Status, body, and how much was read of a chunked request whose body does not end."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": SCIM, "Transfer-Encoding": "chunked"}
    environ = EnvironBuilder(f"/scim/v2{path}", method=method, headers=list(headers.items())).get_environ()
    stream = Endless()
    environ |= {"wsgi.input": stream, "wsgi.input_terminated": True, "REMOTE_ADDR": "127.0.0.1"}
    environ.pop("CONTENT_LENGTH", None)
    got = Response.from_app(cast.app.wsgi_app, environ, buffered=True)
    return got.status_code, json.loads(got.get_data()), stream.given


@pytest.mark.parametrize("place", ["/Users", "/Groups"])
def test_a_body_that_is_too_large_is_413_by_its_length_and_when_it_comes_in_chunks(
    cast: Cast, ids: dict[str, str], place: str
) -> None:
    most = limits.USER_BODY_BYTES if place == "/Users" else limits.GROUP_BODY_BYTES
    one = ids["user"] if place == "/Users" else ids["group"]
    before = everything(cast.store)
    for method, path in (("POST", place), ("PUT", f"{place}/{one}"), ("PATCH", f"{place}/{one}")):
        assert refused(cast.acme.send(method, path, b" " * (most + 1)), 413)
        status, body, read = chunked(cast, cast.tokens["rfc"], method, path)
        assert (status, body["status"], body["schemas"]) == (413, "413", [ERROR_URN])
        assert most < read < most + 1_000_000
    assert everything(cast.store) == before


def test_a_body_with_a_bad_token_is_hardly_read(cast: Cast) -> None:
    for token, refusal in (("wrong", 401), (cast.tokens["read"], 403)):
        status, body, read = chunked(cast, token, "POST", "/Users")
        assert (status, body["status"]) == (refusal, str(refusal))
        assert read < 65_536


def test_more_operations_or_members_than_are_allowed_are_413(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    step = {"op": "add", "path": "title", "value": "x"}
    assert refused(cast.acme.patch(f"/Users/{ids['user']}", *[step] * (limits.PATCH_OPERATIONS + 1)), 413)
    assert everything(cast.store) == before


# ---- media types


OTHER_MEDIA = [
    "text/plain", "text/html", "text/json", "application/xml", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=x", "application/json-patch+json",
    "application/merge-patch+json", "application/octet-stream", "application/scim", "application/scim+xml",
    "garbage", "/", "*/*", "application/json, text/html", "application/json; charset=utf-16",
    "application/scim+json; charset=latin-1",
]  # fmt: skip
PACKED = ["gzip", "deflate", "br", "identity, gzip", "x"]


def test_a_body_of_another_media_type_or_packed_is_415(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    for headers in [{"Content-Type": one} for one in OTHER_MEDIA] + [{"Content-Encoding": one} for one in PACKED]:
        for method, path in writes(ids):
            answer = cast.acme.send(method, path, b'{"userName": "a", "displayName": "a"}', headers)
            assert refused(answer, 415, None, (headers, method, path))
        assert everything(cast.store) == before, headers


# ---- messages and values


def patch_of(**changes: Any) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "x"}], **changes}


def steps(*operations: Any) -> dict[str, Any]:
    return patch_of(Operations=list(operations))


TITLE = {"path": "title", "value": "x"}

PATCHES: list[tuple[str, Any, str]] = [
    ("no operations at all", {"schemas": [PATCH]}, "invalidSyntax"),
    ("operations that are null", patch_of(Operations=None), "invalidSyntax"),
    ("operations that are a text", patch_of(Operations="replace"), "invalidSyntax"),
    ("operations that are an object", patch_of(Operations={"op": "replace"}), "invalidSyntax"),
    ("an empty list of operations", patch_of(Operations=[]), "invalidSyntax"),
    ("an operation that is a number", steps(5), "invalidSyntax"),
    ("an operation that is null", steps(None), "invalidSyntax"),
    ("an operation that is a list", steps([]), "invalidSyntax"),
    ("an operation without op", steps(TITLE), "invalidSyntax"),
    ("an op that is a number", steps({"op": 5, **TITLE}), "invalidSyntax"),
    ("an op that nobody knows", steps({"op": "move", **TITLE}), "invalidSyntax"),
    ("an op with a blank", steps({"op": "add ", **TITLE}), "invalidSyntax"),
    ("a good operation before a bad one", steps({"op": "add", **TITLE}, {"op": "move"}), "invalidSyntax"),
    ("no schemas that fit", patch_of(schemas=[CORE]), "invalidSyntax"),
    ("schemas that are empty", patch_of(schemas=[]), "invalidSyntax"),
    ("schemas of numbers", patch_of(schemas=[5]), "invalidSyntax"),
    ("a path that is a number", steps({"op": "add", "path": 5, "value": "x"}), "invalidPath"),
    ("a path that is a list", steps({"op": "add", "path": ["title"], "value": "x"}), "invalidPath"),
    ("an empty path", steps({"op": "add", "path": "", "value": "x"}), "invalidPath"),
    ("a blank path", steps({"op": "add", "path": " ", "value": "x"}), "invalidPath"),
    ("a path to nowhere", steps({"op": "add", "path": "shoeSize", "value": 44}), "invalidPath"),
    ("a path to a part of nothing", steps({"op": "add", "path": "name.shoeSize", "value": "x"}), "invalidPath"),
    ("a path three deep", steps({"op": "add", "path": "name.familyName.x", "value": "x"}), "invalidPath"),
    ("a path with an open bracket", steps({"op": "add", "path": "emails[", "value": "x"}), "invalidPath"),
    ("a path with a URN alone", steps({"op": "add", "path": "urn:x:y", "value": "x"}), "invalidPath"),
    ("a path by JSON pointer", steps({"op": "add", "path": "/title", "value": "x"}), "invalidPath"),
    ("a filter on a singular", steps({"op": "add", "path": 'title[value eq "x"]', "value": "x"}), "invalidPath"),
    ("a filter that cannot be read", steps({"op": "remove", "path": 'emails[type xx "w"]'}), "invalidFilter"),
    ("a filter that matches nothing", steps({"op": "replace", "path": 'emails[type eq "w"].value', "value": "x"}),
     "noTarget"),
    ("a remove of nothing", steps({"op": "remove"}), "noTarget"),
    ("an add without a value", steps({"op": "add", "path": "title"}), "invalidValue"),
    ("a replace without a value", steps({"op": "replace", "path": "title"}), "invalidValue"),
    ("a text for the whole", steps({"op": "add", "value": "x"}), "invalidValue"),
    ("a list for the whole", steps({"op": "replace", "value": [{"title": "x"}]}), "invalidValue"),
    ("a remove of what is required", steps({"op": "remove", "path": "userName"}), "mutability"),
    ("a change of the id", steps({"op": "replace", "path": "id", "value": "x"}), "mutability"),
    ("a change of meta", steps({"op": "add", "path": "meta.created", "value": "2026-01-01T00:00:00Z"}), "mutability"),
    ("a change of groups", steps({"op": "remove", "path": "groups"}), "mutability"),
    ("a userName that is null", steps({"op": "replace", "path": "userName", "value": None}), "invalidValue"),
]  # fmt: skip


def test_a_patch_that_cannot_be_done_is_refused_whole(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    for what, body, scim_type in PATCHES:
        assert refused(cast.acme.send("PATCH", f"/Users/{ids['user']}", body), 400, scim_type, what)
        assert everything(cast.store) == before, what


MEMBERS: list[tuple[str, dict[str, Any], str]] = [
    ("a member that is a number", {"op": "add", "path": "members", "value": [5]}, "invalidValue"),
    ("a member without a value", {"op": "add", "path": "members", "value": [{"display": "x"}]}, "invalidValue"),
    ("a member whose value is a number", {"op": "add", "path": "members", "value": [{"value": 5}]}, "invalidValue"),
    ("a member whose value is blank", {"op": "add", "path": "members", "value": [{"value": ""}]}, "invalidValue"),
    ("a member whose value is a list", {"op": "add", "path": "members", "value": [{"value": ["x"]}]}, "invalidValue"),
    ("members that are true", {"op": "replace", "path": "members", "value": True}, "invalidValue"),
    ("a remove of a number", {"op": "remove", "path": "members", "value": 5}, "invalidValue"),
    ("a change inside of all members", {"op": "replace", "path": "members.value", "value": "x"}, "invalidPath"),
    ("a filter that cannot be read", {"op": "remove", "path": "members[value eq]"}, "invalidFilter"),
    ("a filter on what members have not", {"op": "remove", "path": 'members[shoe eq "x"]'}, "invalidFilter"),
    ("no display name", {"op": "remove", "path": "displayName"}, "mutability"),
    ("a display name that is a list", {"op": "replace", "path": "displayName", "value": ["x"]}, "invalidValue"),
]


def test_a_patch_of_members_that_cannot_be_done_is_refused_whole(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    good = {"op": "replace", "path": "displayName", "value": "Renamed"}
    for what, step, scim_type in MEMBERS:
        for operations in ([step], [good, step]):
            assert refused(cast.acme.patch(f"/Groups/{ids['group']}", *operations), 400, scim_type, what)
        assert everything(cast.store) == before, what


def test_schemas_that_do_not_fit_are_an_invalid_syntax(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    wrong: list[Any] = [[], "x", {}, [5], [None], [[CORE]], ["urn:unknown"], True, 5, [PATCH]]
    for place, one, other in (("/Users", ids["user"], GROUP), ("/Groups", ids["group"], CORE)):
        for method, path in (("POST", place), ("PUT", f"{place}/{one}")):
            for schemas in [*wrong, [other], other]:
                body = {"userName": "a", "displayName": "a", "schemas": schemas}
                assert refused(cast.acme.send(method, path, body), 400, "invalidSyntax", (method, path, schemas))
    assert everything(cast.store) == before


NAMES: list[Any] = ["", " ", "a" * 257, "\ufdfa" * 257, "a\tb", "a\u202eb", "a\u200bb", None, [], ["a"], 5, {}]


def test_a_user_name_that_cannot_be_one_is_an_invalid_value(cast: Cast, ids: dict[str, str]) -> None:
    before, path = everything(cast.store), f"/Users/{ids['user']}"
    for name in NAMES:
        step = {"op": "replace", "path": "userName", "value": name}
        for answer in (
            cast.acme.post("/Users", {"schemas": [CORE], "userName": name}),
            cast.acme.put(path, {"schemas": [CORE], "userName": name}),
            cast.acme.patch(path, step),
        ):
            assert refused(answer, 400, "invalidValue", name)
        assert everything(cast.store) == before, name


# ---- ids


def test_anothers_id_is_answered_byte_for_byte_like_one_that_never_was(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    for kind, theirs in (("Users", ids["their user"]), ("Groups", ids["their group"])):
        for method, body in (
            ("GET", None),
            ("PUT", {"schemas": [CORE if kind == "Users" else GROUP], "userName": "a", "displayName": "a"}),
            ("PATCH", steps({"op": "replace", "value": {"displayName": "x"}})),
            ("DELETE", None),
        ):
            told = set()
            for one in (theirs, "00000000-0000-4000-8000-000000000000", "x", "7", "'", "%25", "%E2%98%83", "a" * 400):
                answer = cast.acme.send(method, f"/{kind}/{one}", body)
                assert refused(answer, 404)
                told.add((answer.text, tuple(sorted(set(answer.headers) - {"Date"}))))
            assert len(told) == 1, (method, kind, told)
    assert everything(cast.store) == before


def test_a_member_of_another_tenant_is_like_a_member_that_never_was(cast: Cast, ids: dict[str, str]) -> None:
    for stranger in (ids["their user"], ids["their group"], "00000000-0000-4000-8000-000000000000"):
        made = cast.acme.group(f"With {stranger}", stranger)
        assert "members" not in made
        step = {"op": "add", "path": "members", "value": [{"value": stranger}]}
        patched = cast.acme.patch(f"/Groups/{ids['group']}", step)
        assert [one["value"] for one in patched.body["members"]] == [ids["user"]]
    assert cast.acme.names('groups pr and userName co "charlie"') == []
    assert "groups" in cast.globex.get(f"/Users/{ids['their user']}").body


def test_the_path_is_the_only_target_whatever_id_the_body_says(cast: Cast, ids: dict[str, str]) -> None:
    ben = cast.acme.user("ben@example.com", title="Ben's")["id"]
    for stranger in (ben, ids["their user"], ids["group"], 5, None):
        put = cast.acme.put(
            f"/Users/{ids['user']}", {"schemas": [CORE], "id": stranger, "userName": "ann@example.com", "title": "N"}
        )
        assert (put.status, put.body["id"], put.body["title"]) == (200, ids["user"], "N")
        assert cast.acme.get(f"/Users/{ben}").body["title"] == "Ben's"
    made = cast.acme.post("/Users", {"schemas": [CORE], "id": ben, "userName": "cid@example.com"})
    assert made.status == 201 and made.body["id"] not in {ben, ids["user"]}
    before = everything(cast.store)
    for value in ({"id": ben}, {"id": ids["their user"], "title": "x"}, {"ID": ben}):
        step = {"op": "replace", "value": value}
        assert refused(cast.acme.patch(f"/Users/{ids['user']}", step), 400, "mutability")
    assert everything(cast.store) == before


# ---- addresses and methods

ADDRESSES = [
    "/%55sers", "/%75sers", "/users", "/USERS", "/Users/", "//Users", "/Users//", "/./Users", "/x/../Users",
    "/x/%2e%2e/Users", "/Users;x=1", "/Users%3bx", "/Users%2F", "/%2FUsers", "/Users%00", "/Users%20",
    "/Users.json", "/Users%ff", "/\\Users", "/Users?", "/Users#x", "/.search/../Users", "/Schemas/../Users",
    "/Schemas/%2e%2e/Users", "/ServiceProviderConfig/../Users", "/ServiceProviderConfig%2f..%2fUsers",
    "/Users/..;/Users",
]  # fmt: skip


def test_no_spelling_of_an_address_gives_more_than_the_plain_one(cast: Cast, ids: dict[str, str]) -> None:
    for path in ADDRESSES:
        for token in ("", "Bearer wrong"):
            answer = cast.acme.send("GET", path, headers={"Authorization": token})
            assert answer.status in {401, 404} and refused(answer, answer.status, None, path)
        mine = cast.acme.send("GET", path)
        assert mine.status in {200, 404} and mine.headers["Content-Type"] == SCIM, path
        assert ids["their user"] not in mine.text and "charlie" not in mine.text.lower(), path


METHODS: dict[str, tuple[set[str], int]] = {
    "/Users": ({"GET", "HEAD", "POST"}, 405),
    "/Groups": ({"GET", "HEAD", "POST"}, 405),
    "/Users/{user}": ({"GET", "HEAD", "PUT", "PATCH", "DELETE"}, 405),
    "/Groups/{group}": ({"GET", "HEAD", "PUT", "PATCH", "DELETE"}, 405),
    "/ServiceProviderConfig": ({"GET", "HEAD"}, 405),
    "/ResourceTypes": ({"GET", "HEAD"}, 405),
    "/ResourceTypes/User": ({"GET", "HEAD"}, 405),
    "/Schemas": ({"GET", "HEAD"}, 405),
    f"/Schemas/{CORE}": ({"GET", "HEAD"}, 405),
    "": ({"GET", "HEAD"}, 405),
    "/.search": ({"POST"}, 405),
    "/Bulk": ({"POST"}, 405),
    "/Nothing": (set(), 404),
    "/Users/{user}/emails": (set(), 404),
}


EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO")


def test_a_method_that_an_address_does_not_have_is_405_with_those_that_it_has(cast: Cast, ids: dict[str, str]) -> None:
    before = everything(cast.store)
    for template, (allowed, status) in METHODS.items():
        path = template.format(**ids)
        for method in set(EVERY_METHOD) - allowed:
            answer = cast.acme.send(method, path, None if method == "HEAD" else b"{}")
            assert (answer.status, answer.headers["Content-Type"]) == (status, SCIM), (method, path)
            assert method == "HEAD" or refused(answer, status, None, (method, path))
            assert status == 404 or {one.strip() for one in answer.headers["Allow"].split(",")} == allowed
        cast.acme.send("GET", path, headers={"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE"})
    assert everything(cast.store) == before


# ---- queries


QUERIES = [
        ("count=x", "invalidValue"), ("count=", "invalidValue"), ("count=1.5", "invalidValue"),
        ("count=%D9%A1", "invalidValue"), ("count=0x10", "invalidValue"), ("count=1_000", "invalidValue"),
        ("count=1&count=2", "invalidValue"), ("startIndex=x", "invalidValue"), ("startIndex=1e3", "invalidValue"),
        ("startIndex=", "invalidValue"), ("startIndex=1&startIndex=1", "invalidValue"),
        ("attributes=title&excludedAttributes=title", "invalidValue"), ("attributes=a&attributes=b", "invalidValue"),
        ("sortOrder=up", "invalidValue"), ("sortBy=nothing", "invalidPath"), ("sortBy=", "invalidPath"),
        ("sortBy=password", "invalidPath"), ("filter=", "invalidFilter"), ("filter=%20", "invalidFilter"),
        ("filter=x", "invalidFilter"), ("filter=password%20pr", "invalidFilter"), ("filter=%00", "invalidFilter"),
        ("filter=%ff", "invalidFilter"), ("filter=%ed%a0%80", "invalidFilter"),
        ("filter=title%20eq%20%22%5Cud800%22", "invalidFilter"), ("filter=bogus%20eq%201", "invalidFilter"),
        ("filter=" + "(" * 9000, "invalidFilter"), ("filter=title%20pr&filter=title%20pr", "invalidValue"),
        ("filter=title%20pr%3B%20drop%20table%20users", "invalidFilter"),
]  # fmt: skip


def test_a_query_that_cannot_be_meant_is_refused(cast: Cast) -> None:
    for query, scim_type in QUERIES:
        assert refused(cast.acme.send("GET", f"/Users?{query}"), 400, scim_type, query)


ODD = ["count=-5", "count=0", "startIndex=-5", "startIndex=0", "count=" + "9" * 40, "startIndex=" + "9" * 40,
              "x=%00", "%00=x", "%ff=%ff", "&&&=&", "attributes=", "attributes=nothing", "attributes=%00",
              "excludedAttributes=id,schemas", "sortBy=name.familyName&sortOrder=DESCENDING"]  # fmt: skip


def test_a_query_that_is_odd_is_answered_within_the_limits(cast: Cast) -> None:
    cast.acme.user("ann@example.com")
    for query in ODD:
        answer = cast.acme.send("GET", f"/Users?{query}")
        assert answer.status == 200 and answer.body["totalResults"] == 1, query
        assert all("id" in one and "schemas" in one for one in answer.body["Resources"]), query


# ---- credentials


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def headers_of(token: str) -> dict[str, str]:
    """Forty Authorization headers that hold no token of ours, by what is wrong with them."""
    other = token[:-8] + ("0" * 8 if token[-8:] != "0" * 8 else "1" * 8)
    return {
        "nothing": "",
        "a blank": " ",
        "the scheme alone": "Bearer",
        "the scheme and a blank": "Bearer ",
        "the scheme and many blanks": "Bearer" + " " * 300,
        "the scheme twice": f"Bearer Bearer {token}",
        "no blank": f"Bearer{token}",
        "a colon": f"Bearer: {token}",
        "an equals sign": f"Bearer={token}",
        "a tab for the blank": f"Bearer\t{token}",
        "a short token": "Bearer x",
        "a text that is no token": "non-token",
        "another service's token": "Bearer ghp_" + "a" * 36,
        "a JWT without a signature": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "an unknown token of our form": "Bearer scim_00000000_" + "A" * 43 + "00000000",
        "the token without its end": f"Bearer {token[:-1]}",
        "the token and one more": f"Bearer {token}a",
        "the token with a wrong check": f"Bearer {other}",
        "the token without its name": f"Bearer {token.removeprefix('scim_')}",
        "the visible prefix alone": f"Bearer {token[:13]}",
        "the token in capitals": f"Bearer {token.upper()}",
        "the token in quotes": f'Bearer "{token}"',
        "the token in brackets": f"Bearer <{token}>",
        "the token twice": f"Bearer {token}, Bearer {token}",
        "the token and a comma": f"Bearer {token},",
        "the token and a word": f"Bearer {token} x",
        "the token percent-encoded": f"Bearer {token.replace('_', '%5F')}",
        "the token in base64": "Bearer " + base64.b64encode(token.encode()).decode(),
        "an endless header": "Bearer " + "x" * 100_000,
        "letters beyond ASCII": "Bearer \u00e9\u00ff",
        "a quote for the database": "Bearer ' OR '1'='1",
        "Basic alone": "Basic",
        "Basic that is no base64": "Basic !!!",
        "Basic without a colon": "Basic " + base64.b64encode(b"x").decode(),
        "Basic with the token as the name": basic(f"{token}:"),
        "Basic with a wrong password": basic("scim:secret"),
        "Basic with bytes that are no text": "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Digest": f'Digest username="x", response="{token}"',
        "another scheme with our token": f"Token {token}",
        "the service's own secret key": f"Bearer {SECRET}",
    }


def test_forty_headers_without_a_token_of_ours_are_401_and_say_how(cast: Cast) -> None:
    headers = headers_of(cast.tokens["rfc"])
    assert len(headers) == 40
    before = everything(cast.store)
    for number, (what, header) in enumerate(headers.items()):
        from_elsewhere = {"REMOTE_ADDR": f"127.0.0.{number + 1}"}
        got = cast.acme.client.open(
            "/scim/v2/Users",
            method="POST",
            data=b'{"userName": "intruder"}',
            headers={"Authorization": header, "Content-Type": SCIM},
            environ_overrides=from_elsewhere,
        )
        assert (got.status_code, got.get_json(force=True)["status"]) == (401, "401"), what
        assert got.headers["WWW-Authenticate"].startswith("Bearer") and got.headers["Content-Type"] == SCIM, what
        assert cast.tokens["rfc"][14:50] not in got.get_data(as_text=True), what
    assert everything(cast.store) == before


def test_a_token_anywhere_but_in_the_header_is_no_credential(cast: Cast) -> None:
    token = cast.tokens["rfc"]
    for query in (f"access_token={token}", f"token={token}", f"Authorization=Bearer%20{token}"):
        assert refused(cast.acme.send("GET", f"/Users?{query}", headers={"Authorization": ""}), 401)
    for name in ("Cookie", "X-Authorization", "Proxy-Authorization", "X-Api-Key"):
        sent = {"Authorization": "", name: f"Bearer {token}"}
        assert refused(cast.acme.send("GET", "/Users", headers=sent), 401)
    body = {"userName": "a", "access_token": token}
    assert refused(cast.acme.send("POST", "/Users", body, {"Authorization": ""}), 401)
