"""Idempotency-Key (reliability.md F2) and `Prefer: return=minimal` (RFC 7240), on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from scim_service.directory import repeats
from tests.conftest import SettableClock
from tests.rows import everything
from tests.service import CORE, GROUP, PATCH, Answer, Caller, Cast

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def post(caller: Caller, name: str, headers: Mapping[str, str] = KEY, **more: Any) -> Answer:
    return caller.send("POST", "/Users", {"schemas": [CORE], "userName": name, **more}, headers)


def same(one: Answer, other: Answer) -> bool:
    kept = ("Content-Type", "ETag", "Location")
    return (one.status, one.text, *map(one.headers.get, kept)) == (
        other.status,
        other.text,
        *map(other.headers.get, kept),
    )


def test_a_request_that_is_sent_again_is_answered_again_and_done_once(cast: Cast) -> None:
    first = post(cast.acme, "ann")
    before = everything(cast.store)
    assert first.status == 201 and same(first, post(cast.acme, "ann"))
    assert everything(cast.store) == before
    assert post(cast.acme, "ann", {}).status == 409


def test_a_patch_that_is_sent_again_is_done_once(cast: Cast) -> None:
    members = [cast.acme.user(f"p{number}")["id"] for number in range(2)]
    team = cast.acme.group("Team")["id"]
    body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": members[0]}]}]}
    first = cast.acme.send("PATCH", f"/Groups/{team}", body, KEY)
    cast.acme.patch(f"/Groups/{team}", {"op": "remove", "path": "members"})
    again = cast.acme.send("PATCH", f"/Groups/{team}", body, KEY)
    assert first.status == 200 and same(first, again)
    assert "members" not in cast.acme.get(f"/Groups/{team}").body


def test_another_request_under_the_key_is_422(cast: Cast) -> None:
    ann = post(cast.acme, "ann").body["id"]
    before = everything(cast.store)
    group = {"schemas": [GROUP], "displayName": "ann"}
    patch = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "title"}]}
    for answer in (
        post(cast.acme, "bob"),
        cast.acme.send("POST", "/Users?attributes=id", {"schemas": [CORE], "userName": "ann"}, KEY),
        cast.acme.send("POST", "/Groups", group, KEY),
        cast.acme.send("PATCH", f"/Users/{ann}", patch, KEY),
    ):
        assert (answer.status, answer.body["status"]) == (422, "422")
    assert everything(cast.store) == before


def test_a_refusal_is_not_kept(cast: Cast) -> None:
    taken = cast.acme.user("ann")["id"]
    assert post(cast.acme, "ann").status == 409
    assert post(cast.acme, "").status == 400
    cast.acme.delete(f"/Users/{taken}")
    assert post(cast.acme, "ann").status == 201


def test_a_key_is_its_connections_own(cast: Cast) -> None:
    assert post(cast.acme, "ann").status == 201
    assert post(cast.as_("okta"), "bob").status == 201
    assert post(cast.globex, "ann").status == 201


def test_a_key_is_forgotten_after_a_day_and_purged(cast: Cast, clock: SettableClock) -> None:
    first = post(cast.acme, "ann")
    clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert same(first, post(cast.acme, "ann"))
    clock.advance(timedelta(seconds=1))
    assert post(cast.acme, "ann").status == 409
    assert post(cast.acme, "bob").status == 201
    post(cast.acme, "cid", {"Idempotency-Key": "other"})
    with cast.writing() as work:
        assert repeats.purge(work) == 0
    clock.advance(timedelta(hours=24))
    with cast.writing() as work:
        assert (repeats.purge(work), repeats.purge(work)) == (2, 0)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é"])
def test_a_key_that_cannot_be_kept_is_refused(cast: Cast, key: str) -> None:
    answer = post(cast.acme, "ann", {"Idempotency-Key": key})
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert cast.acme.names("userName pr") == []


def test_a_put_and_a_delete_take_no_notice_of_a_key(cast: Cast) -> None:
    ann = cast.acme.user("ann")["id"]
    for title in ("T", "U"):
        body = {"schemas": [CORE], "userName": "ann", "title": title}
        assert cast.acme.send("PUT", f"/Users/{ann}", body, KEY).body["title"] == title
    assert [cast.acme.send("DELETE", f"/Users/{ann}", headers=KEY).status for _ in range(2)] == [204, 404]


def test_a_bulk_request_takes_no_key(cast: Cast) -> None:
    answer = cast.acme.send("POST", "/Bulk", b"{}", KEY)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")


def test_twins_make_one_person_and_the_other_waits_or_is_told(cast: Cast) -> None:
    answers: list[Answer] = []
    callers = [Caller(cast.app.test_client(), cast.tokens["rfc"]) for _ in range(6)]
    threads = [threading.Thread(target=lambda one=one: answers.append(post(one, "ann"))) for one in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = Counter(one.status for one in answers)
    assert set(statuses) <= {201, 409} and statuses[201] >= 1
    assert len({one.text for one in answers if one.status == 201}) == 1
    assert all("Idempotency-Key" in one.text for one in answers if one.status == 409)
    assert cast.acme.names("userName pr") == ["ann"]


def test_a_twin_in_another_process_is_409_on_postgresql(cast: Cast, kind: str) -> None:
    """There the key is locked; on SQLite the twin waits for the one writer and is answered as it was."""
    sent = repeats.Sent.of("key", b"request")
    with cast.writing() as work:
        assert repeats.known(work, sent) is None
        if kind == "postgresql":
            with cast.writing() as other:
                with pytest.raises(Exception, match="worked on"):
                    repeats.known(other, sent)
                assert repeats.known(other, repeats.Sent.of("another", b"request")) is None


def test_minimal_answers_are_without_the_resource(cast: Cast) -> None:
    little = {"Prefer": "return=minimal"}
    made = post(cast.acme, "ann", little)
    assert (made.status, made.text, made.headers["Preference-Applied"]) == (201, "", "return=minimal")
    assert "Content-Type" not in made.headers and made.headers["ETag"] == 'W/"1"'
    path = made.headers["Location"].partition("/scim/v2")[2]
    body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "T"}]}
    changed = cast.acme.send("PATCH", path, body, {"Prefer": 'respond-async, Return="minimal"'})
    assert (changed.status, changed.text, changed.headers["ETag"]) == (204, "", 'W/"2"')
    whole = cast.acme.send("PATCH", f"{path}?attributes=title", body, little)
    assert (whole.status, whole.body["title"]) == (200, "T") and "Preference-Applied" not in whole.headers
    put = cast.acme.send("PUT", path, {"schemas": [CORE], "userName": "ann"}, little)
    assert (put.status, put.headers["ETag"]) == (204, 'W/"3"')
    group = cast.acme.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "G"}, little)
    assert (group.status, group.text) == (201, "")
    assert cast.acme.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "G"}, {"Prefer": "x"}).body["id"]


def test_a_minimal_answer_is_given_again_as_it_was(cast: Cast) -> None:
    both = {**KEY, "Prefer": "return=minimal"}
    first = post(cast.acme, "ann", both)
    assert first.status == 201 and same(first, post(cast.acme, "ann", both))
    assert post(cast.acme, "ann", KEY).status == 422
