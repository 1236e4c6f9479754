"""Licenses in a person's attributes, over HTTP (licensing.md X-2 to X-6, X-8), on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scim_service import audit, errors
from scim_service.access import connections, credentials
from scim_service.licensing import catalog, contracts, direct, explain, rules, verify
from scim_service.licensing.catalog import Options
from tests.rows import everything
from tests.service import CORE, ENTERPRISE, LICENSES, Answer, Caller, Cast

HOUR = timedelta(hours=1)


@pytest.fixture
def sold(cast: Cast) -> Cast:
    """One seat of `basic`, one of the better `pro` of the same family, two of `sign`; an exit grace of one hour."""
    with cast.writing() as work:
        catalog.create_type(work, "basic", "Basic", family="suite", rank=10, exit_grace=HOUR)
        catalog.create_type(work, "pro", "Pro", family="suite", rank=20, exit_grace=HOUR)
        catalog.create_type(work, "sign", "Sign", exit_grace=HOUR)
        contracts.create(work, "C-1", {"basic": 1, "pro": 1, "sign": 2})
    return cast


@pytest.fixture
def strict(sold: Cast) -> Caller:
    """A connection of Acme that wants a license refused where no seat is left."""
    with sold.writing() as work:
        token = credentials.create(work, connections.create(work, "strict", "rfc", connections.STRICT))
    return Caller(sold.app.test_client(), token)


def check(cast: Cast) -> None:
    with cast.reading() as work:
        assert verify.findings(work) == []


def typed(code: str | None) -> dict[str, Any]:
    """Our extension as a client writes it."""
    return {LICENSES: {"licenseType": code}}


def entitled(*codes: str) -> dict[str, Any]:
    return {"entitlements": [{"type": "License", "value": code} for code in codes]}


def states(caller: Caller, *ids: str) -> list[dict[str, str]]:
    """Each person's licenses: code → state, with the reason where there is one."""
    found = []
    for one in ids:
        licenses = caller.get(f"/Users/{one}").body.get(LICENSES, {}).get("licenses", [])
        found.append({row["value"]: f"{row['state']} {row.get('reason', '')}".strip() for row in licenses})
    return found


def refused(answer: Answer, status: int, scim_type: str) -> str:
    assert (answer.status, answer.body["scimType"]) == (status, scim_type), answer.text
    sentence: str = answer.body["detail"]
    return sentence


def replace(value: dict[str, Any]) -> dict[str, Any]:
    return {"op": "replace", "value": value}


def test_X_1_groups_give_licenses_by_rules_beside_attributes_and_come_first_or_last_by_priority(sold: Cast) -> None:
    with sold.writing() as work:
        rules.create(work, "Sales", "pro", priority=90)
        rules.create(work, "Support", "pro", priority=110)
    first, sales, support = (sold.acme.user(f"{name}@example.com")["id"] for name in ("first", "ann", "ben"))
    sold.acme.patch(f"/Users/{first}", replace(typed("pro")))
    sold.acme.group("Support", support)
    attribute = sold.acme.user("cem@example.com", **typed("pro"))["id"]
    sold.acme.group("Sales", sales)
    places = {one: sold.acme.get(f"/Users/{one}").body[LICENSES]["licenses"][0] for one in (sales, attribute, support)}
    assert [(row["state"], row["queuePosition"], row["source"]) for row in places.values()] == [
        ("waiting", 1, "group"),
        ("waiting", 2, "scim"),
        ("waiting", 3, "group"),
    ]
    check(sold)


def test_X_2_license_type_and_entitlements_give_licenses_of_source_scim(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("pro"), **entitled("sign"))
    held = {row["value"]: (row["state"], row["source"]) for row in ann[LICENSES]["licenses"]}
    assert held == {"pro": ("assigned", "scim"), "sign": ("assigned", "scim")}
    with sold.reading() as work:
        assert [one.claims[0].source for one in explain.explain(work, "ann@example.com")] == ["scim", "scim"]
    check(sold)


def test_X_2_both_attributes_may_name_one_type_which_ends_with_the_last(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("sign"), **entitled("sign"))["id"]
    sold.acme.patch(f"/Users/{ann}", {"op": "remove", "path": f"{LICENSES}:licenseType"})
    assert states(sold.acme, ann) == [{"sign": "assigned"}]
    sold.acme.patch(f"/Users/{ann}", {"op": "remove", "path": 'entitlements[type eq "license"]'})
    assert states(sold.acme, ann) == [{"sign": "grace value_removed"}]
    check(sold)


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ({"op": "add", "path": f"{LICENSES}:licenseType", "value": "sign"}, {"sign": "assigned"}),
        ({"op": "replace", "value": {f"{LICENSES}:licenseType": "sign"}}, {"sign": "assigned"}),
        ({"op": "replace", "path": LICENSES, "value": {"licenseType": "sign"}}, {"sign": "assigned"}),
        ({"op": "add", "path": 'entitlements[type eq "License"].value', "value": "sign"}, {"sign": "assigned"}),
        ({"op": "add", "path": "entitlements", "value": [{"type": "License", "value": "sign"}]}, {"sign": "assigned"}),
        ({"op": "replace", "value": {LICENSES: {"licenseType": "SIGN"}}}, {"sign": "assigned"}),
        ({"op": "add", "path": "entitlements", "value": [{"type": "AddOn", "value": "sign"}]}, {}),
        ({"op": "add", "path": "roles", "value": [{"type": "License", "value": "sign"}]}, {}),
        ({"op": "replace", "path": "userType", "value": "sign"}, {}),
    ],
)
def test_X_2_every_form_of_a_path_reaches_the_attributes_and_no_other_gives_a_license(
    sold: Cast, operation: dict[str, Any], state: dict[str, str]
) -> None:
    ann = sold.acme.user("ann@example.com")["id"]
    assert sold.acme.patch(f"/Users/{ann}", operation).status == 200
    assert states(sold.acme, ann) == [state]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": LICENSES},
        {"op": "replace", "path": LICENSES, "value": None},
        {"op": "replace", "value": {LICENSES: None}},
        {"op": "remove", "path": f"{LICENSES}:LICENSETYPE"},
        {"op": "replace", "path": f"{LICENSES}:licenseType", "value": ""},
    ],
)
def test_X_2_every_form_takes_the_license_type_away(sold: Cast, operation: dict[str, Any]) -> None:
    ann = sold.acme.user("ann@example.com", **typed("sign"))["id"]
    assert sold.acme.patch(f"/Users/{ann}", operation).status == 200
    assert "licenseType" not in sold.acme.get(f"/Users/{ann}").body[LICENSES]
    assert states(sold.acme, ann) == [{"sign": "grace value_removed"}]


def test_X_3_what_was_written_is_read_back_whatever_came_of_it(sold: Cast) -> None:
    sold.acme.user("first@example.com", **typed("pro"))
    sent = {
        "entitlements": [
            {"type": "License", "value": "Pro", "display": "Seat", "primary": True},
            {"type": "AddOn", "value": "whatever"},
        ],
        "roles": [{"value": '{"id":"r-1","value":"pro"}', "type": "WindowsAzureActiveDirectoryRole"}],
        LICENSES: {"licenseType": "PRO"},
    }
    ann = sold.acme.user("ann@example.com", **sent)
    read = sold.acme.get(f"/Users/{ann['id']}").body
    assert {name: read[name] for name in ("entitlements", "roles")} == {
        name: sent[name] for name in ("entitlements", "roles")
    }
    assert read[LICENSES]["licenseType"] == "PRO"
    assert [(row["value"], row["state"], row["queuePosition"]) for row in read[LICENSES]["licenses"]] == [
        ("pro", "waiting", 1)
    ]
    check(sold)


def test_X_3_a_license_by_a_group_never_shows_in_what_the_client_writes(sold: Cast) -> None:
    with sold.writing() as work:
        rules.create(work, "Sales", "pro")
    ann = sold.acme.user("ann@example.com", **typed("sign"))["id"]
    sold.acme.group("Sales", ann)
    read = sold.acme.get(f"/Users/{ann}").body
    assert read[LICENSES]["licenseType"] == "sign" and "entitlements" not in read
    assert states(sold.acme, ann) == [{"pro": "assigned", "sign": "assigned"}]


def test_X_2_the_attributes_are_asked_for_and_left_out_by_name(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("sign"))["id"]
    asked = sold.acme.get(f"/Users/{ann}", attributes=f"{LICENSES}:licenseType").body
    assert asked[LICENSES] == {"licenseType": "sign"}
    without = sold.acme.get(f"/Users/{ann}", excludedAttributes=f"{LICENSES}:licenses").body
    assert without[LICENSES] == {"licenseType": "sign"} and LICENSES in without["schemas"]


def test_E_3_a_value_that_was_taken_away_lingers_and_is_revived_in_its_place(sold: Cast, clock: Any) -> None:
    first, second = (sold.acme.user(f"{name}@example.com", **typed("pro"))["id"] for name in ("ann", "ben"))
    sold.acme.put(f"/Users/{first}", {"schemas": [CORE], "userName": "ann@example.com"})
    assert states(sold.acme, first, second) == [{"pro": "grace value_removed"}, {"pro": "waiting cap_reached"}]
    clock.advance(timedelta(minutes=59))
    sold.acme.patch(f"/Users/{first}", replace(typed("pro")))
    assert states(sold.acme, first, second) == [{"pro": "assigned"}, {"pro": "waiting cap_reached"}]
    sold.acme.patch(f"/Users/{first}", replace(typed(None)))
    clock.advance(timedelta(minutes=61))
    assert states(sold.acme, first, second) == [{}, {"pro": "assigned"}]
    check(sold)


def test_E_3_a_waiting_person_whose_value_is_taken_away_just_leaves_the_queue(sold: Cast) -> None:
    first, second, third = (sold.acme.user(f"p{number}@example.com", **typed("pro"))["id"] for number in range(3))
    sold.acme.patch(f"/Users/{second}", {"op": "remove", "path": f"{LICENSES}:licenseType"})
    assert states(sold.acme, first, second, third) == [{"pro": "assigned"}, {}, {"pro": "waiting cap_reached"}]
    assert sold.acme.get(f"/Users/{third}").body[LICENSES]["licenses"][0]["queuePosition"] == 1
    check(sold)


def test_X_2_another_value_of_the_family_takes_the_place_at_once_where_it_has_a_seat(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("pro"), **entitled("sign"))["id"]
    sold.acme.patch(f"/Users/{ann}", replace(typed("basic")))
    assert states(sold.acme, ann) == [{"basic": "assigned", "sign": "assigned"}]
    check(sold)


def test_X_2_another_value_of_the_family_without_a_seat_leaves_the_old_one_for_its_grace(
    sold: Cast, clock: Any
) -> None:
    sold.acme.user("first@example.com", **typed("basic"))
    ann = sold.acme.user("ann@example.com", **typed("pro"), **entitled("sign"))["id"]
    sold.acme.patch(f"/Users/{ann}", replace(typed("basic")))
    assert states(sold.acme, ann) == [
        {"pro": "grace migrating", "basic": "waiting cap_reached", "sign": "assigned"},
    ]
    check(sold)
    clock.advance(timedelta(minutes=61))
    assert states(sold.acme, ann) == [{"basic": "waiting cap_reached", "sign": "assigned"}]
    check(sold)


def test_X_4_by_default_the_license_waits_and_the_request_succeeds(sold: Cast) -> None:
    sold.acme.user("first@example.com", **typed("pro"))
    answer = sold.acme.post("/Users", {"schemas": [CORE], "userName": "ann@example.com", **typed("pro")})
    assert answer.status == 201
    assert answer.body[LICENSES]["licenses"][0] | {"since": ""} == {
        "value": "pro", "display": "Pro", "state": "waiting", "source": "scim",
        "since": "", "queuePosition": 1, "reason": "cap_reached",
    }  # fmt: skip


def test_X_4_a_strict_connection_is_refused_with_the_numbers_and_nothing_is_stored(sold: Cast, strict: Caller) -> None:
    ann = strict.user("ann@example.com")["id"]
    strict.user("first@example.com", **typed("pro"))
    before = everything(sold.store)
    body = {"schemas": [CORE], "userName": "ben@example.com", **typed("pro")}
    for answer in (
        strict.post("/Users", body),
        strict.post("/Users", {**body, **typed(None), **entitled("sign", "pro")}),
        strict.put(f"/Users/{ann}", {**body, "userName": "ann@example.com"}),
        strict.patch(f"/Users/{ann}", replace({"displayName": "Ann", **typed("pro")})),
    ):
        assert refused(answer, 403, "seatLimitReached").startswith("No seat of pro is left: 1 of 1 are used.")
    assert everything(sold.store) == before
    check(sold)


def test_X_4_strict_concerns_attributes_only_and_only_new_values(sold: Cast, strict: Caller) -> None:
    with sold.writing() as work:
        rules.create(work, "Sales", "pro")
    waiting = sold.acme.user("ann@example.com", **typed("basic"))["id"]
    second = sold.acme.user("ben@example.com", **typed("basic"))["id"]
    assert strict.patch(f"/Users/{second}", replace({"displayName": "Ben"})).status == 200
    strict.group("Sales", waiting, second)
    assert states(strict, waiting, second) == [
        {"pro": "assigned", "basic": "covered better_type_held"},
        {"pro": "waiting cap_reached", "basic": "assigned"},
    ]
    assert strict.patch(f"/Users/{second}", replace({"active": False})).status == 200
    assert strict.user("cem@example.com", active=False, **typed("pro"))["active"] is False
    check(sold)


def test_X_4_a_strict_connection_gives_a_lesser_type_that_needs_no_seat(sold: Cast, strict: Caller) -> None:
    strict.user("first@example.com", **typed("basic"))
    ann = strict.user("ann@example.com", **entitled("pro"))["id"]
    assert strict.patch(f"/Users/{ann}", replace(typed("basic"))).status == 200
    assert states(strict, ann) == [{"pro": "assigned", "basic": "covered better_type_held"}]
    check(sold)


def test_X_5_an_unknown_value_is_refused_with_those_that_are_accepted(sold: Cast) -> None:
    with sold.writing() as work:
        catalog.create_type(work, "head", "Head", options=Options(grants_admin=True))
        catalog.create_type(work, "desk", "Desk", authority=catalog.CONSOLE)
        catalog.create_type(work, "gone", "Gone")
        catalog.retire_type(work, "gone")
    ann = sold.acme.user("ann@example.com")["id"]
    before = everything(sold.store)
    for sent in (typed("gold"), entitled("sign", "gold"), typed("head"), entitled("desk")):
        body = {"schemas": [CORE], "userName": "ann@example.com", **sent}
        for answer in (
            sold.acme.post("/Users", {**body, "userName": "ben@example.com"}),
            sold.acme.put(f"/Users/{ann}", body),
            sold.acme.patch(f"/Users/{ann}", replace(sent)),
        ):
            assert refused(answer, 400, "invalidValue").endswith("Accepted values: basic, pro, sign.")
    assert everything(sold.store) == before


def test_X_5_a_retired_type_is_accepted_and_blocked(sold: Cast) -> None:
    with sold.writing() as work:
        catalog.retire_type(work, "pro")
    ann = sold.acme.user("ann@example.com", **typed("pro"))["id"]
    assert states(sold.acme, ann) == [{"pro": "blocked retired"}]
    check(sold)


def test_X_5_without_any_type_the_refusal_says_so(cast: Cast) -> None:
    answer = cast.acme.post("/Users", {"schemas": [CORE], "userName": "ann@example.com", **typed("pro")})
    assert "No value is accepted yet" in refused(answer, 400, "invalidValue")


def test_X_6_a_type_of_groups_keeps_the_value_and_tells_that_it_does_not_count(sold: Cast, strict: Caller) -> None:
    with sold.writing() as work:
        catalog.update_type(work, "pro", authority=catalog.GROUPS)
        rules.create(work, "Sales", "pro")
    ann = sold.acme.user("ann@example.com", **typed("pro"))
    assert ann[LICENSES]["licenseType"] == "pro"
    assert states(sold.acme, ann["id"]) == [{"pro": "blocked authority"}]
    answer = strict.post("/Users", {"schemas": [CORE], "userName": "ben@example.com", **typed("pro")})
    assert "pro is given by groups only" in refused(answer, 400, "invalidValue")
    sold.acme.group("Sales", ann["id"])
    assert states(sold.acme, ann["id"]) == [{"pro": "assigned"}]
    check(sold)


def test_X_6_a_change_of_authority_lets_what_was_written_count_or_not(sold: Cast) -> None:
    first, second = (sold.acme.user(f"{name}@example.com", **typed("pro"))["id"] for name in ("ann", "ben"))
    with sold.writing() as work:
        direct.assign(work, "ann@example.com", "sign")
        catalog.update_type(work, "pro", authority=catalog.CONSOLE)
    assert states(sold.acme, first, second) == [
        {"pro": "blocked authority", "sign": "assigned"},
        {"pro": "blocked authority"},
    ]
    check(sold)
    with sold.writing() as work:
        catalog.update_type(work, "pro", authority=catalog.SCIM)
    assert states(sold.acme, first, second) == [
        {"pro": "assigned", "sign": "assigned"},
        {"pro": "waiting cap_reached"},
    ]
    check(sold)


def test_X_6_a_type_of_scim_is_refused_to_the_console_and_given_by_attributes(sold: Cast) -> None:
    with sold.writing() as work:
        catalog.update_type(work, "pro", authority=catalog.SCIM)
    ann = sold.acme.user("ann@example.com")["id"]
    with pytest.raises(errors.Refused, match="attributes"), sold.writing() as work:
        direct.assign(work, "ann@example.com", "pro")
    sold.acme.patch(f"/Users/{ann}", replace(typed("pro")))
    assert states(sold.acme, ann) == [{"pro": "assigned"}]
    with pytest.raises(errors.Refused, match="attribute"), sold.writing() as work:
        direct.unassign(work, "ann@example.com", "pro")


def test_X_8_values_of_one_request_are_ranked_in_their_order(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("sign"), **entitled("pro", "basic"))["id"]
    with sold.reading() as work:
        added = [one.data for one in audit.about(work, ann) if one.action == "claim:added"]
    assert [one["type"] for one in added] == ["sign", "pro", "basic"]
    assert [one["rank_seq"] for one in added] == sorted(one["rank_seq"] for one in added)
    check(sold)


def test_F13_the_same_request_again_writes_nothing(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("pro"), **entitled("sign"))["id"]
    before = everything(sold.store)
    body = {"schemas": [CORE], "userName": "ann@example.com", "active": True, **typed("pro"), **entitled("sign")}
    assert sold.acme.put(f"/Users/{ann}", body).status == 200
    assert sold.acme.patch(f"/Users/{ann}", replace(typed("pro"))).status == 200
    assert everything(sold.store) == before


def test_decision_20_a_write_without_license_values_asks_nothing_of_licensing(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com", **typed("pro"))["id"]
    before = everything(sold.store)["licensing"]
    sold.acme.patch(f"/Users/{ann}", replace({"displayName": "Ann", ENTERPRISE: {"department": "Sales"}}))
    assert everything(sold.store)["licensing"] == before


def test_E_10_the_seat_goes_with_the_activity_and_comes_back_with_it(sold: Cast) -> None:
    first, second = (sold.acme.user(f"{name}@example.com", **typed("pro"))["id"] for name in ("ann", "ben"))
    sold.acme.patch(f"/Users/{first}", replace({"active": False}))
    assert states(sold.acme, first, second) == [{}, {"pro": "assigned"}]
    sold.acme.patch(f"/Users/{second}", replace({"active": False, **typed(None)}))
    assert states(sold.acme, second) == [{}]
    sold.acme.patch(f"/Users/{first}", replace({"active": True}))
    assert states(sold.acme, first) == [{"pro": "assigned"}]
    sold.acme.delete(f"/Users/{first}")
    sold.acme.patch(f"/Users/{second}", replace({"active": True, **typed("pro")}))
    assert states(sold.acme, second) == [{"pro": "assigned"}]
    check(sold)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (f'{LICENSES}:licenseType eq "PRO"', ["ann@example.com"]),
        (f'{LICENSES}:licenseType sw "p"', ["ann@example.com"]),
        (f"{LICENSES}:licenseType pr", ["ann@example.com"]),
        (f"not ({LICENSES}:licenseType pr)", ["ben@example.com", "cem@example.com"]),
        (f'{LICENSES}:licenseType ne "pro"', ["ben@example.com", "cem@example.com"]),
        (f'{LICENSES}:licenseType eq "pro" and {LICENSES}:licenses.state eq "assigned"', ["ann@example.com"]),
        ('entitlements[type eq "License" and value eq "sign"]', ["ben@example.com"]),
        ('entitlements[type eq "License"].value eq "sign"', ["ben@example.com"]),
        ('entitlements.value eq "sign"', ["ben@example.com", "cem@example.com"]),
        ('entitlements eq "sign"', ["ben@example.com", "cem@example.com"]),
        ('entitlements[type eq "AddOn"]', ["cem@example.com"]),
    ],
)
def test_X_2_filters_on_the_attributes_find_who_was_given_the_value(sold: Cast, asked: str, names: list[str]) -> None:
    sold.acme.user("ann@example.com", **typed("pro"))
    sold.acme.user("ben@example.com", **entitled("sign"))
    sold.acme.user("cem@example.com", entitlements=[{"type": "AddOn", "value": "sign"}])
    assert sold.acme.names(asked) == names


def test_X_2_a_foreign_tenant_has_its_own_values(sold: Cast) -> None:
    answer = sold.globex.post("/Users", {"schemas": [CORE], "userName": "dan@globex.example", **typed("pro")})
    assert "No value is accepted yet" in refused(answer, 400, "invalidValue")
    assert sold.globex.names(f"{LICENSES}:licenseType pr") == []
