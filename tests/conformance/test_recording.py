"""Recordings: what is none is refused with its faults; the replayer sends what is written, tells what differs."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance import recording, variables
from conformance.client import Client
from conformance.recording_file import CONDITIONS
from tests.conformance.stub import TOKEN, Stub, serving

SAID: dict[str, Any] = {
    "name": "somebody is created",
    "proves": [1],
    "request": {"method": "POST", "path": "/Users", "body": {"userName": "${who}", "displayName": "Mara"}},
    "expect": {"status": 201, "body": {"userName": "${who}"}},
    "capture": {"id": "/id"},
}


def written(*exchanges: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "A conversation",
        "profile": "okta",
        "source": "made up for this test",
        "variables": {"who": "mara.${unique}@example.com"},
        "exchanges": list(exchanges),
        **more,
    }


def read(**changes: Any) -> dict[str, Any]:
    """An exchange that reads who was created."""
    request = {"method": "GET", "path": "/Users/${id}"}
    exchange = {"name": "who was created is read", "proves": [30], "request": request, "expect": {"status": 200}}
    return exchange | changes


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def client(stub: Stub) -> Iterator[Client]:
    with serving(stub) as base, Client(base) as client:
        yield client


def replayed(client: Client, folder: Path, *exchanges: dict[str, Any], **more: Any) -> list[recording.Outcome]:
    file = folder / "said.json"
    file.write_text(json.dumps(written(*exchanges, **more)), encoding="utf-8")
    return recording.replay(client, recording.load(file), {"token": TOKEN})


def problems(outcomes: list[recording.Outcome]) -> list[str]:
    return [line for outcome in outcomes for line in outcome.problems]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"exchanges": []}, "exchanges must be a list"),
        ({"title": ""}, "title must be a text"),
        ({"author": "x"}, "nobody knows 'author'"),
        ({"exchanges": [SAID | {"proves": [99]}]}, "proves must list rows"),
        ({"exchanges": [SAID | {"proves": []}]}, "proves must list rows"),
        ({"exchanges": [SAID | {"times": 0}]}, "times must be from 1"),
        ({"exchanges": [{"proves": [1]}]}, "an exchange has no name"),
        ({"exchanges": [SAID | {"why": 1}]}, "nobody knows 'why'"),
        ({"given": "luck"}, "given knows one seat"),
        ({"exchanges": [SAID | {"given": "luck"}]}, "given knows one seat"),
        ({"exchanges": [SAID | {"at_once": 1}]}, "at_once must be true or false"),
        ({"exchanges": [SAID | {"at_once": True, "times": 51}]}, "at most 50 times"),
        ({"exchanges": [SAID | {"request": {"method": "FETCH", "path": "/Users"}}]}, "method must be one of"),
        ({"exchanges": [SAID | {"request": {"method": "GET", "path": "Users"}}]}, "path must begin with /"),
        ({"exchanges": [SAID | {"request": {"method": "GET", "path": "/Users?a b"}}]}, "be percent-encoded"),
        (
            {"exchanges": [SAID | {"request": {"method": "PUT", "path": "/", "body": {}, "raw": ""}}]},
            "a body or a raw text, not both",
        ),
        ({"exchanges": [SAID | {"expect": {"status": 99}}]}, "status must be a final HTTP status"),
        ({"exchanges": [SAID | {"expect": {}}]}, "status is missing"),
        ({"exchanges": [SAID | {"expect": {"status": 200, "absent": ["title"]}}]}, "'title' is no JSON pointer"),
        ({"exchanges": [SAID | {"expect": {"status": 200, "body": {"a": {"$is": "odd"}}}}]}, "$is knows"),
        ({"variables": {"who": "mara@real-company.com"}}, "real-company.com is no example domain"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    assert any(sentence in line for line in recording.faults(written(SAID) | change))


def test_a_recording_has_no_faults_and_all_faults_are_told_at_once(tmp_path: Path) -> None:
    assert recording.faults(written(SAID, read())) == []
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(written(SAID | {"proves": []}, title="")), encoding="utf-8")
    with pytest.raises(recording.BadRecording) as refused:
        recording.load(file)
    assert "title must be" in str(refused.value) and "proves must list" in str(refused.value)


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(recording.BadRecording, match=r"bad\.json is not JSON"):
        recording.load(file)


def test_right_answers_leave_no_problem(client: Client, tmp_path: Path) -> None:
    told = read(expect={"status": [200, 204], "equals": {"/displayName": "Mara"}, "absent": ["/title"]})
    outcomes = replayed(client, tmp_path, SAID, told)
    assert all(outcome.ok for outcome in outcomes) and [outcome.status for outcome in outcomes] == [201, 200]


@pytest.mark.parametrize(
    ("expect", "sentence"),
    [
        ({"status": 204}, "status: expected 204, got 200"),
        ({"status": 200, "body": {"displayName": "Ines"}}, '/displayName: expected "Ines", got "Mara"'),
        ({"status": 200, "body": {"title": "Lead"}}, '/title: expected "Lead", got nothing'),
        ({"status": 200, "equals": {"/userName": "x"}}, '/userName: expected "x"'),
        ({"status": 200, "differs": {"/displayName": "Mara"}}, "/displayName: expected another value"),
        ({"status": 200, "absent": ["/displayName"]}, "/displayName: expected no value"),
        ({"status": 200, "without": ["Mara"]}, "holds the text 'Mara'"),
        ({"status": 200, "headers": {"Content-Type": "text/html"}}, "header Content-Type: expected 'text/html'"),
        ({"status": 200, "headers": {"ETag": True}}, "header ETag"),
        ({"status": 200, "headers": {"Content-Length": False}}, "header Content-Length"),
    ],
)
def test_a_wrong_answer_is_told(client: Client, tmp_path: Path, expect: dict[str, Any], sentence: str) -> None:
    found = problems(replayed(client, tmp_path, SAID, read(expect=expect)))
    assert len(found) == 1 and sentence in found[0]


def test_a_server_that_does_nothing_and_says_ok_is_found_out(client: Client, stub: Stub, tmp_path: Path) -> None:
    stub.ignores = lambda method, path, payload: method == "PATCH"
    body = {"Operations": [{"op": "replace", "value": {"active": False}}]}
    request = {"method": "PATCH", "path": "/Users/${id}", "body": body}
    outcomes = replayed(
        client, tmp_path, SAID, read(request=request, expect={"status": 200, "body": {"active": False}})
    )
    assert problems(outcomes) == ["/active: expected false, got nothing"]
    assert "FAIL" in str(outcomes[-1]) and "PATCH /Users/" in str(outcomes[-1])


def test_what_was_not_captured_is_named_and_the_rest_goes_on(client: Client, stub: Stub, tmp_path: Path) -> None:
    stub.status = lambda method, path, status: 500 if method == "POST" else status
    nothing_kept = SAID | {"capture": {"id": "/nowhere"}}
    lost, after, last = replayed(client, tmp_path, nothing_kept, read(), SAID | {"expect": {"status": 500}})
    assert any("nothing there to remember as id" in line for line in lost.problems)
    assert after.status == 0 and "variable id is not known" in after.problems[0]
    assert last.status == 500


def test_an_exchange_is_repeated_with_its_number(client: Client, stub: Stub, tmp_path: Path) -> None:
    request = {"method": "POST", "path": "/Users", "body": {"userName": "p${n}.${unique}@example.com"}}
    again = SAID | {"times": 3, "request": request, "expect": {"status": 201}, "capture": {"p${n}": "/id"}}
    outcomes = replayed(client, tmp_path, again, read(request={"method": "GET", "path": "/Users/${p2}"}))
    assert [outcome.ok for outcome in outcomes] == [True] * 4
    assert sorted(stub.kept["Users"]) == ["u-1", "u-2", "u-3"]


def test_headers_are_sent_changed_and_left_out_as_written(client: Client, stub: Stub, tmp_path: Path) -> None:
    basic = read(request={"method": "GET", "path": "/Users", "headers": {"Authorization": "Basic ${basic}"}})
    bare = read(request={"method": "GET", "path": "/Users", "headers": {"Authorization": None, "X-One": None}})
    replayed(client, tmp_path, read(request={"method": "GET", "path": "/Users"}), basic, bare, headers={"X-One": "1"})
    first, second, third = (headers for _, _, headers in stub.seen)
    assert first["Authorization"] == f"Bearer {TOKEN}" and first["X-One"] == "1"
    assert second["Authorization"] == f"Basic {base64.b64encode(f'scim:{TOKEN}'.encode()).decode()}"
    assert "Authorization" not in third and "X-One" not in third
    assert all("Content-Type" not in headers for headers in (first, second, third))


def test_what_was_read_is_put_back_with_changes_over_it(client: Client, stub: Stub, tmp_path: Path) -> None:
    body = {"$merge": ["${whole}", {"displayName": "Mara Lind"}]}
    request = {"method": "PUT", "path": "/Users/${id}", "body": body}
    put = read(request=request, expect={"status": 200, "body": {"userName": "${who}", "displayName": "Mara Lind"}})
    assert problems(replayed(client, tmp_path, SAID, read(capture={"whole": ""}), put)) == []


def test_variables_in_a_path_are_encoded() -> None:
    assert variables.fill({"a": ["${x}", "<${x}>"], "${x}": 1}, {"x": "y"}) == {"a": ["y", "<y>"], "y": 1}
    assert variables.fill("${x}", {"x": {"b": 1}}) == {"b": 1}


def test_the_program_tells_each_exchange_and_ends_with_0_1_or_2(
    client: Client, stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "said.json"
    file.write_text(json.dumps(written(SAID, read())), encoding="utf-8")
    with serving(stub) as base:
        arguments = [base, str(file), "--token", TOKEN]
        assert recording.main(arguments) == 0
        assert capsys.readouterr().out.endswith("2 exchanges, 0 failed\n")
        stub.status = lambda method, path, status: 500 if method == "GET" else status
        assert recording.main(arguments) == 1
        assert "status: expected 200, got 500" in capsys.readouterr().out
        assert recording.main([base, str(tmp_path / "none.json"), "--token", TOKEN]) == 2


def test_a_server_that_is_not_there_is_a_problem_of_each_exchange(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9/scim") as client:
        outcomes = replayed(client, tmp_path, SAID)
    assert outcomes[0].problems[0].startswith("no answer: POST /Users")


def test_a_write_whose_answer_is_not_what_is_read_afterwards_is_a_problem(
    client: Client, stub: Stub, tmp_path: Path
) -> None:
    def spoil(method: str, path: str) -> None:
        if method == "POST":
            for user in stub.kept["Users"].values():
                user["displayName"] = "Nobody"

    assert problems(replayed(client, tmp_path, SAID)) == []
    stub.after = spoil
    assert problems(replayed(client, tmp_path, SAID)) == ['read back: /displayName: expected "Mara", got "Nobody"']
    stub.after = lambda method, path: stub.kept["Users"].clear()
    assert problems(replayed(client, tmp_path, SAID))[0].startswith("read back: GET /Users/u-3 answered 404")


def test_what_is_sent_at_once_comes_over_connections_of_its_own(client: Client, stub: Stub, tmp_path: Path) -> None:
    waiting = threading.Barrier(3, timeout=10)
    honest = stub.answer

    def together(method: str, target: str, payload: Any) -> Any:
        if method == "POST":
            waiting.wait()
        return honest(method, target, payload)

    stub.answer = together  # type: ignore[method-assign]
    body = {"userName": "${n}.${unique}@example.com"}
    request = {"method": "POST", "path": "/Users", "body": body}
    three = SAID | {"request": request, "expect": {"status": 201}, "times": 3, "at_once": True}
    three["capture"] = {"made${n}Id": "/id"}
    each = read(times=3, request={"method": "GET", "path": "/Users/${made${n}Id}"})
    each["expect"] = {"status": 200, "equals": {"/id": "${made${n}Id}", "/userName": "${n}.${unique}@example.com"}}
    outcomes = replayed(client, tmp_path, three, each)
    assert problems(outcomes) == []
    assert [one.exchange for one in outcomes[:2]] == ["somebody is created (1 of 3)", "somebody is created (2 of 3)"]


def test_what_is_sent_at_once_to_nobody_is_a_problem_each_time(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9/scim") as client:
        outcomes = replayed(client, tmp_path, SAID | {"times": 2, "at_once": True})
    assert len(outcomes) == 2 and all(one.problems[0].startswith("no answer") for one in outcomes)


def test_what_needs_a_condition_that_nobody_brings_about_is_not_tried_and_says_so(
    client: Client, stub: Stub, tmp_path: Path
) -> None:
    some, other = replayed(client, tmp_path, SAID | {"given": "a failing database"}, read(expect={"status": 200}))
    assert some.ok and some.untried == "a failing database" and "not tried, needs a failing database" in str(some)
    assert not other.ok
    assert [one.untried for one in replayed(client, tmp_path, SAID, read(), given="one seat")] == ["one seat"] * 2
    assert stub.seen == []


def test_a_condition_is_brought_about_and_ended(client: Client, tmp_path: Path) -> None:
    told: list[str] = []

    @contextmanager
    def bring(name: str, known: Mapping[str, Any]) -> Iterator[None]:
        told.append(f"{name} for {known['who'][:4]}")
        yield
        told.append("ended")

    conditions = {name: partial(bring, name) for name in CONDITIONS}
    file = tmp_path / "said.json"
    file.write_text(json.dumps(written(SAID, read(given="a failing database"), given="one seat")), encoding="utf-8")
    outcomes = recording.replay(client, recording.load(file), {"token": TOKEN}, conditions)
    assert problems(outcomes) == [] and not any(one.untried for one in outcomes)
    assert told == ["one seat for mara", "a failing database for mara", "ended", "ended"]


def test_the_program_counts_what_was_not_tried(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "said.json"
    file.write_text(json.dumps(written(SAID, read(given="a failing database"))), encoding="utf-8")
    with serving(stub) as base:
        assert recording.main([base, str(file), "--token", TOKEN]) == 0
    assert capsys.readouterr().out.endswith("2 exchanges, 0 failed, 1 not tried\n")
