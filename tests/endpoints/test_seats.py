"""The main story over HTTP: groups come and go, seats follow under the cap (licensing.md X-1, X-4, X-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scim_service.licensing import catalog, contracts, rules, usage
from tests.service import LICENSES, Caller, Cast


@pytest.fixture
def sold(cast: Cast) -> Cast:
    """Acme bought two seats of `pro` and one of `basic`; the group Sales gives pro, Everyone gives basic."""
    with cast.writing() as work:
        catalog.create_type(work, "basic", "Basic", family="suite", rank=10)
        catalog.create_type(work, "pro", "Pro", family="suite", rank=20, exit_grace=timedelta(0))
        contracts.create(work, "C-1", {"basic": 1, "pro": 2})
        rules.create(work, "Sales", "pro")
        rules.create(work, "Everyone", "basic")
    return cast


def states(caller: Caller, *ids: str) -> list[dict[str, str]]:
    """Each person's licenses: code → state."""
    found = []
    for one in ids:
        licenses = caller.get(f"/Users/{one}").body.get(LICENSES, {}).get("licenses", [])
        found.append({license["value"]: license["state"] for license in licenses})
    return found


def used(cast: Cast, code: str) -> tuple[int, int]:
    with cast.reading() as work:
        line = next(line for line in usage.seats(work) if line.code == code)
    return line.used, line.waiting


def remove(member: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{member}"]'}


def test_membership_is_always_accepted_and_who_is_over_the_cap_waits_in_order(sold: Cast) -> None:
    ids = [sold.acme.user(f"p{number}@example.com")["id"] for number in range(4)]
    sales = sold.acme.group("Sales", *ids)
    assert states(sold.acme, *ids) == [{"pro": "assigned"}, {"pro": "assigned"}, {"pro": "waiting"}, {"pro": "waiting"}]
    last = sold.acme.get(f"/Users/{ids[3]}").body[LICENSES]["licenses"][0]
    assert last["queuePosition"] == 2
    assert sold.acme.patch(f"/Groups/{sales['id']}", remove(ids[0])).status == 200
    assert states(sold.acme, *ids) == [{}, {"pro": "assigned"}, {"pro": "assigned"}, {"pro": "waiting"}]


def test_deactivation_frees_the_seat_and_reactivation_queues_at_the_end(sold: Cast) -> None:
    ids = [sold.acme.user(f"p{number}@example.com")["id"] for number in range(3)]
    sold.acme.group("Sales", *ids)
    sold.acme.patch(f"/Users/{ids[0]}", {"op": "replace", "value": {"active": False}})
    assert states(sold.acme, ids[1], ids[2]) == [{"pro": "assigned"}, {"pro": "assigned"}]
    assert "assigned" not in states(sold.acme, ids[0])[0].values()
    sold.acme.patch(f"/Users/{ids[0]}", {"op": "Replace", "path": "active", "value": "True"})
    assert states(sold.acme, ids[0]) == [{"pro": "waiting"}]
    assert used(sold, "pro") == (2, 1)


def test_a_deleted_persons_seat_goes_to_who_waited_longest(sold: Cast) -> None:
    ids = [sold.acme.user(f"p{number}@example.com")["id"] for number in range(3)]
    sold.acme.group("Sales", *ids)
    assert sold.acme.delete(f"/Users/{ids[1]}").status == 204
    assert states(sold.acme, ids[0], ids[2]) == [{"pro": "assigned"}, {"pro": "assigned"}]
    assert used(sold, "pro") == (2, 0)


def test_a_deleted_group_ends_its_claims_and_its_rule_does_not_jump_to_a_namesake(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com")["id"]
    sales = sold.acme.group("Sales", ann)
    sold.acme.delete(f"/Groups/{sales['id']}")
    assert states(sold.acme, ann) == [{}]
    sold.acme.group("Sales", ann)
    assert states(sold.acme, ann) == [{}]


def test_nested_groups_count_each_person_once(sold: Cast) -> None:
    ann, ben = (sold.acme.user(f"{name}@example.com")["id"] for name in ("ann", "ben"))
    inner = sold.acme.group("Inner", ann, ben)
    sales = sold.acme.group("Sales", ann)
    sold.acme.patch(f"/Groups/{sales['id']}", {"op": "add", "path": "members", "value": [{"value": inner["id"]}]})
    assert states(sold.acme, ann, ben) == [{"pro": "assigned"}, {"pro": "assigned"}]
    assert used(sold, "pro") == (2, 0)
    sold.acme.patch(f"/Groups/{sales['id']}", remove(ann))
    assert states(sold.acme, ann, ben) == [{"pro": "assigned"}, {"pro": "assigned"}]
    sold.acme.patch(f"/Groups/{sales['id']}", remove(inner["id"]))
    assert states(sold.acme, ann, ben) == [{}, {}]


def test_a_rename_binds_a_rule_that_waited_for_the_name(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com")["id"]
    team = sold.acme.group("Team", ann)
    assert states(sold.acme, ann) == [{}]
    sold.acme.patch(f"/Groups/{team['id']}", {"op": "replace", "value": {"id": team["id"], "displayName": "Sales"}})
    assert states(sold.acme, ann) == [{"pro": "assigned"}]
    sold.acme.patch(f"/Groups/{team['id']}", {"op": "replace", "value": {"displayName": "Renamed"}})
    assert states(sold.acme, ann) == [{"pro": "assigned"}]


def test_a_better_license_takes_the_place_of_the_lesser_which_goes_to_who_waits(sold: Cast) -> None:
    ann, ben = (sold.acme.user(f"{name}@example.com")["id"] for name in ("ann", "ben"))
    sold.acme.group("Everyone", ann, ben)
    assert states(sold.acme, ann, ben) == [{"basic": "assigned"}, {"basic": "waiting"}]
    sold.acme.group("Sales", ann)
    assert states(sold.acme, ann, ben) == [{"basic": "covered", "pro": "assigned"}, {"basic": "assigned"}]


def test_the_exit_grace_keeps_the_seat_until_it_is_over_then_the_next_request_sees_it_gone(
    sold: Cast, clock: Any
) -> None:
    ann, ben = (sold.acme.user(f"{name}@example.com")["id"] for name in ("ann", "ben"))
    everyone = sold.acme.group("Everyone", ann, ben)
    sold.acme.patch(f"/Groups/{everyone['id']}", remove(ann))
    assert states(sold.acme, ann, ben) == [{"basic": "grace"}, {"basic": "waiting"}]
    clock.advance(timedelta(minutes=59))
    assert states(sold.acme, ben) == [{"basic": "waiting"}]
    clock.advance(timedelta(minutes=2))
    assert states(sold.acme, ann, ben) == [{}, {"basic": "assigned"}]


def test_seats_do_not_move_a_persons_version(sold: Cast) -> None:
    ann = sold.acme.user("ann@example.com")
    sold.acme.group("Sales", ann["id"])
    assert sold.acme.get(f"/Users/{ann['id']}").body["meta"] == ann["meta"]


def test_licenses_can_be_asked_for_in_a_filter(sold: Cast) -> None:
    ids = [sold.acme.user(f"p{number}@example.com")["id"] for number in range(3)]
    sold.acme.group("Sales", *ids)
    assert sold.acme.names(f'{LICENSES}:licenses[value eq "pro" and state eq "waiting"]') == ["p2@example.com"]
