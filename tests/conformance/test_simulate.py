"""The simulator against an honest server, and against servers that lose, refuse or lie."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from conformance import progress, simulate
from conformance.client import Unreachable
from conformance.idps import roster
from conformance.idps.entra import compliant, legacy
from conformance.idps.play import chunks
from conformance.report import Report
from conformance.slowest import template
from tests.conformance.stub import ENTERPRISE, TOKEN, Stub, serving

BOTH = pytest.mark.parametrize("profile", ["okta", "entra"])


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def base(stub: Stub) -> Iterator[str]:
    with serving(stub) as url:
        yield url


def played(base: str, profile: str = "okta", **size: int) -> Report:
    size = {"users": 12, "groups": 5, **size}
    return simulate.simulate(profile, base, TOKEN, **size, progress=progress.silent)  # type: ignore[arg-type]


@BOTH
def test_an_honest_server_leaves_nothing_to_say(base: str, profile: str) -> None:
    report = played(base, profile)
    assert (report.differences, report.unexpected) == ([], [])
    assert report.ok and report.compared > 250


@BOTH
def test_a_second_play_finds_its_people_and_groups_and_goes_on(base: str, profile: str, stub: Stub) -> None:
    first, second = played(base, profile), played(base, profile)
    assert second.ok, second.differences + second.unexpected
    assert first.requests["POST", 201] == 12 + 5 + 1
    assert second.requests["POST", 201] < 4
    assert len(stub.kept["Groups"]) == 5


@BOTH
def test_a_play_with_other_people_beside_them_keeps_to_its_own(base: str, profile: str) -> None:
    assert played(base, profile, seed=1).ok
    other = played(base, profile, seed=2, users=31)
    assert other.ok, other.differences + other.unexpected


@BOTH
@pytest.mark.parametrize(("users", "groups"), [(0, 0), (1, 1), (3, 11)])
def test_any_size_can_be_played(base: str, profile: str, users: int, groups: int) -> None:
    assert played(base, profile, users=users, groups=groups).ok


@BOTH
def test_the_first_groups_are_those_that_rules_are_bound_to(base: str, profile: str, stub: Stub) -> None:
    played(base, profile)
    names = [one["displayName"] for one in stub.kept["Groups"].values()]
    assert names == ["Sales", "Engineering", "Support", "Everyone", "Design"]


@BOTH
def test_a_member_that_is_lost_is_named(base: str, profile: str, stub: Stub) -> None:
    def lose(method: str, path: str) -> None:
        for group in stub.kept["Groups"].values():
            if method == "PATCH" and group["displayName"] == "Sales" and len(group.get("members", [])) > 1:
                group["members"].pop()

    stub.after = lose
    report = played(base, profile)
    assert not report.ok and not report.unexpected
    assert any("group Sales: member " in line and "is missing" in line for line in report.differences)


@BOTH
def test_a_member_that_nobody_pushed_is_named(base: str, profile: str, stub: Stub) -> None:
    def slip_in(method: str, path: str) -> None:
        for group in stub.kept["Groups"].values():
            if method == "PATCH" and {"value": "stranger"} not in group.get("members", []):
                group.setdefault("members", []).append({"value": "stranger"})

    stub.after = slip_in
    report = played(base, profile)
    assert any("member stranger must not be there" in line for line in report.differences)


@BOTH
def test_a_leaver_who_stays_active_is_a_difference(base: str, profile: str, stub: Stub) -> None:
    stub.ignores = lambda method, path, payload: method == "PATCH" and _says_active(payload)
    report = played(base, profile)
    assert not report.unexpected
    assert any("/active: expected false, got true" in line for line in report.differences)


@BOTH
def test_a_wrong_status_is_told_with_its_request_and_phase(base: str, profile: str, stub: Stub) -> None:
    stub.status = lambda method, path, status: 500 if (method, path) == ("POST", "/scim/Groups") else status
    report = played(base, profile)
    assert any("POST /Groups: expected 201, got 500" in line for line in report.unexpected)
    assert report.requests["POST", 500] == 6
    assert any("group Sales has no id" in line for line in report.differences)


@BOTH
def test_a_changed_value_is_told_by_its_place(base: str, profile: str, stub: Stub) -> None:
    def lower(method: str, path: str) -> None:
        for user in stub.kept["Users"].values():
            user["userName"] = user["userName"].lower()
            user[ENTERPRISE]["department"] = "Elsewhere"

    stub.after = lower
    report = played(base, profile)
    assert any("/userName: expected" in line for line in report.differences)
    assert any(f"/{ENTERPRISE}/department: expected" in line for line in report.differences)


@BOTH
def test_a_person_who_disappears_is_missing_from_the_list_and_by_id(base: str, profile: str, stub: Stub) -> None:
    def forget(method: str, path: str) -> None:
        if method == "PATCH" and path.startswith("/scim/Groups/"):
            stub.kept["Users"].pop("u-2", None)

    stub.after = forget
    report = played(base, profile)
    assert any("on the list 0 times, expected 1" in line for line in report.differences)
    assert any("cannot be read at /Users/u-2" in line for line in report.differences)


def test_a_deleted_person_who_stays_is_a_difference(base: str, stub: Stub) -> None:
    honest = stub.answer

    def keep(method: str, target: str, payload: Any) -> tuple[int, Any]:
        return (204, None) if method == "DELETE" and "/Users/" in target else honest(method, target, payload)

    stub.answer = keep  # type: ignore[method-assign]
    report = played(base, "entra")
    assert any("on the list 1 times, expected 0" in line for line in report.differences)
    assert any("DELETE" in line and "expected 404, got 204" in line for line in report.unexpected)


def test_a_fault_is_told_once_with_the_phase_that_it_came_up_in(base: str, stub: Stub) -> None:
    stub.ignores = lambda method, path, payload: method == "PATCH" and _says_active(payload)
    report = played(base)
    assert len(report.differences) == len(set(report.differences))
    assert all(line.startswith("after 'Deactivate people'") for line in report.differences)


def test_a_refused_connection_test_ends_the_play(base: str) -> None:
    report = simulate.simulate("okta", base, "wrong", progress=progress.silent)
    assert set(report.requests) == {("GET", 401)}
    assert not report.ok and "would not save this connection" in report.unexpected[-1]


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        played("http://127.0.0.1:9/scim")


@pytest.mark.parametrize(("profile", "users"), [("nobody", 1), ("okta", -1)])
def test_wrong_arguments_are_refused(profile: str, users: int) -> None:
    with pytest.raises(ValueError):
        simulate.simulate(profile, "http://127.0.0.1:9/scim", TOKEN, users=users)


def test_entra_says_its_flag_in_each_request_and_okta_names_itself(base: str, stub: Stub) -> None:
    played(base, "entra", users=2)
    assert all("aadOptscim062020" in target for _, target, _ in stub.seen)
    stub.seen.clear()
    played(base, "okta", users=2)
    assert {headers["User-Agent"] for _, _, headers in stub.seen} == {"Okta SCIM Client 1.0.0"}


def test_requests_and_seats_stand_in_the_closing_tables(base: str) -> None:
    out = io.StringIO()
    report = simulate.simulate("okta", base, TOKEN, users=10, progress=progress.silent, out=out)
    assert report.seats == {"Basic": Counter({"assigned": 10})}
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["seats", "assigned", "total"] in lines and ["Basic", "10", "10"] in lines
    assert ["requests", "200", "201", "204", "404", "total"] in lines
    assert lines[-1] == ["0", "differences", "in", str(report.compared), "comparisons"]


def test_the_slowest_three_requests_are_told_without_saying_whom_they_were_about(base: str, stub: Stub) -> None:
    slow = {("POST", "/scim/Groups"): 0.6, ("PUT", "/scim/Users/u-1"): 0.4, ("GET", "/scim/Groups/g-14"): 0.2}
    honest = stub.answer

    def dawdle(method: str, target: str, payload: Any) -> Any:
        time.sleep(slow.pop((method, target.partition("?")[0]), 0))
        return honest(method, target, payload)

    stub.answer = dawdle  # type: ignore[method-assign]
    out = io.StringIO()
    report = simulate.simulate("okta", base, TOKEN, users=12, groups=5, progress=progress.silent, out=out)
    slowest = report.as_document()["slowest"]
    assert [(one["method"], one["path"], one["status"]) for one in slowest] == [
        ("POST", "/Groups", 201),
        ("PUT", "/Users/{id}", 200),
        ("GET", "/Groups/{id}", 200),
    ]
    assert slowest[0]["ms"] >= 600 and slowest[1]["ms"] >= 400 and slowest[2]["ms"] >= 200
    assert slowest[0]["phase"] == "Push groups"
    lines = out.getvalue().splitlines()
    assert lines[lines.index(next(line for line in lines if line.startswith("slowest"))) + 1].split()[:3] == [
        "POST",
        "/Groups",
        "201",
    ]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/Users", "/Users"),
        ("/Users/4a-1", "/Users/{id}"),
        (
            "/Users?filter=userName+eq+%22a%5C%22b%40x%22&aadOptscim062020",
            "/Users?filter=userName eq {value}&aadOptscim062020=",
        ),
        ("/Groups?excludedAttributes=members&startIndex=1", "/Groups?excludedAttributes=members&startIndex={value}"),
    ],
)
def test_a_path_is_told_as_its_template(path: str, shown: str) -> None:
    assert template(path) == shown


def test_the_program_ends_with_0_1_or_2(base: str, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--users", "3", "--groups", "2", "--json"]
    assert simulate.main(["okta", "--base", base, "--token", TOKEN, *size]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    stub.status = lambda method, path, status: 500 if method == "PUT" else status
    assert simulate.main(["okta", "--base", base, "--token", TOKEN, *size]) == 1
    assert json.loads(capsys.readouterr().out)["unexpected"]
    assert simulate.main(["okta", "--base", "http://127.0.0.1:9/scim", "--token", TOKEN]) == 2
    assert "ConnectionRefused" in capsys.readouterr().err


def test_without_a_terminal_there_is_one_line_per_phase(base: str) -> None:
    stream = io.StringIO()
    simulate.simulate("okta", base, TOKEN, users=10, progress=progress.shown_on(stream))
    lines = stream.getvalue().splitlines()
    assert lines == [f"{phase.title} ..." for phase in simulate.PROVIDERS["okta"].phases]


def test_the_bar_is_full_at_the_end_of_a_phase() -> None:
    stream = io.StringIO()
    bar = progress.Bar(stream)
    bar("Push", "writing", 1, 4)
    bar("Push", "writing", 2, 4)
    bar("Push", "reading back", 4, 4)
    bar.close()
    assert "2/4" not in stream.getvalue()
    assert stream.getvalue().endswith(f"[{'#' * progress.WIDTH}] reading back 4/4\n")


def test_the_same_seed_makes_the_same_people_and_more_begin_with_them() -> None:
    assert roster.people(50, 7, "example.com") == roster.people(80, 7, "example.com")[:50]
    assert roster.people(50, 7, "example.com") != roster.people(50, 8, "example.com")
    names = [one.user_name.casefold() for one in roster.people(3000, 1, "example.com")]
    assert len(set(names)) == 3000


def test_members_are_sent_in_portions() -> None:
    assert [len(some) for some in chunks(range(150), 60)] == [60, 60, 30]
    assert list(chunks([], 60)) == []


def test_entra_says_the_same_change_in_two_dialects() -> None:
    mail = 'emails[type eq "work"].value'
    changes = {"active": False, "title": None, mail: "m@example.org", "name.givenName": "Mara"}
    assert legacy(changes) == [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Remove", "path": "title"},
        {"op": "Add", "path": mail, "value": "m@example.org"},
        {"op": "Replace", "path": "name.givenName", "value": "Mara"},
    ]
    assert compliant(changes) == [
        {"op": "replace", "value": {"active": False, "name.givenName": "Mara"}},
        {"op": "remove", "path": "title"},
        {"op": "add", "path": mail, "value": "m@example.org"},
    ]


def _says_active(payload: Any) -> bool:
    """Whether a PATCH says something of `active`, in either dialect."""
    return any(
        one.get("path") == "active" or (one.get("path") is None and "active" in one["value"])
        for one in payload["Operations"]
    )
