"""What a change would do, before it is made (licensing.md A-12): exactly true, changing nothing, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import catalog, contracts, direct, letters, preview, rules
from scim_service.licensing.preview import Numbers, Preview, Row, Unconfirmed
from scim_service.storage import tables
from scim_service.storage.work import Work
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def seen(acme: Organization, act: Callable[[Work], object]) -> Preview:
    """The preview of an act; nothing is changed by it."""
    before = everything(acme)
    found = preview.previewed(acme.writing, act)
    assert everything(acme) == before
    return found


def everything(acme: Organization) -> dict[str, list[Any]]:
    """Every row of every table."""
    with acme.reading() as work:
        found = {}
        for table in tables.columns.metadata.sorted_tables:
            statement = sa.select(table)
            if "tenant_id" in table.c:
                statement = statement.where(table.c.tenant_id == sa.bindparam("tenant"))
            found[table.name] = sorted(repr(tuple(row)) for row in work.rows(statement))
        return found


def who(rows: tuple[Row, ...]) -> list[tuple[str, str]]:
    return [(row.user, row.type_code) for row in rows]


def numbers(found: Preview, code: str) -> tuple[Numbers | None, Numbers]:
    return next((one.before, one.after) for one in found.seats if one.type_code == code)


def seats_of(count: int, mode: str = contracts.REJECT) -> Callable[[Work], object]:
    return lambda work: contracts.set_seats(work, "C-1", {"pro": count}, mode)


def test_A_12_who_gains_and_who_waits_at_which_place_and_the_seats_before_and_after(acme: Organization) -> None:
    acme.sells({"pro": 1})
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann", "ben", "cem")
    found = seen(acme, lambda work: rules.create(work, "Sales", "pro"))
    assert who(found.gaining) == [("ann", "pro")]
    assert [(row.user, row.position, row.reason) for row in found.waiting] == [
        ("ben", 1, "cap_reached"),
        ("cem", 2, "cap_reached"),
    ]
    assert numbers(found, "pro") == (Numbers(0, 1, 0), Numbers(1, 1, 2))
    assert found.losing == found.moving == found.keeping == found.others == ()


def test_E_8_who_loses_is_told_with_the_date_of_the_grace_or_at_once(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=DAY)
    found = seen(acme, lambda work: rules.delete(work, "Sales", "pro"))
    [ann] = found.losing
    assert (ann.user, ann.state, ann.reason, ann.until) == ("ann", "grace", "rule_removed", clock.now() + DAY)
    assert [(row.user, row.was, row.state) for row in found.others] == [("ben", "waiting", "released")]
    with acme.writing() as work:
        rules.update(work, "Sales", "pro", exit_grace=NOW)
    found = seen(acme, lambda work: rules.delete(work, "Sales", "pro"))
    assert [(row.user, row.state, row.at_once) for row in found.losing] == [("ann", "released", True)]
    assert numbers(found, "pro") == (Numbers(1, 1, 1), Numbers(0, 1, 0))


def test_A_7_who_gets_another_type_of_the_family_moves(suite: Organization) -> None:
    suite.join("Everyone", "ann", "ben", "cem")
    found = seen(suite, lambda work: direct.assign(work, "ann", "pro"))
    assert [(row.user, row.moved_from, row.type_code) for row in found.moving] == [("ann", "basic", "pro")]
    assert who(found.gaining) == [("cem", "basic")]
    assert found.losing == ()
    assert numbers(found, "basic") == (Numbers(2, 2, 1), Numbers(2, 2, 0))


def test_E_21_a_lowered_cap_says_until_when_the_surplus_stays_or_that_it_goes_at_once(
    acme: Organization, clock: Any
) -> None:
    sales(acme, 2, "ann", "ben")
    frozen = seen(acme, seats_of(1, contracts.FREEZE))
    assert [(row.user, row.reason, row.until) for row in frozen.losing] == [
        ("ben", "cap_decrease", clock.now() + MONTH)
    ]
    taken = seen(acme, seats_of(1, contracts.IMMEDIATE))
    assert [(row.user, row.state, row.position, row.at_once) for row in taken.losing] == [("ben", "waiting", 1, True)]
    assert who(taken.waiting) == [("ben", "pro")]
    assert numbers(taken, "pro") == (Numbers(2, 2, 0), Numbers(1, 1, 1))
    assert frozen.version != taken.version
    with acme.writing() as work:
        seats_of(1, contracts.FREEZE)(work)
    back = seen(acme, seats_of(2))
    assert [(row.user, row.until) for row in back.keeping] == [("ben", None)]


def test_N_4_a_promotion_a_deadline_and_a_seat_that_is_taken_are_told_to_the_person_and_in_the_digest(
    acme: Organization,
) -> None:
    acme.is_run_by("administrator")
    sales(acme, 2, "ann", "ben", "cem")
    told = {
        count: {(one.event, one.recipient) for one in seen(acme, seats_of(count, mode)).mails if one.notice == "N-4"}
        for count, mode in ((3, contracts.REJECT), (1, contracts.FREEZE), (0, contracts.IMMEDIATE))
    }
    both = (letters.PERSON, letters.DIGEST)
    assert told == {
        3: {(letters.PROMOTED, one) for one in both},
        1: {(letters.DEADLINE_SET, one) for one in both},
        0: {(letters.DROP_EXECUTED, one) for one in both},
    }


def test_N_4_who_gives_a_grace_up_for_somebody_who_waits_is_told(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=catalog.Options(grace_yields=True))
        contracts.create(work, "C-1", {"pro": 1})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro", exit_grace=DAY)
    acme.leave("Sales", "ann")
    acme.makes("Ops", "ben")
    found = seen(acme, lambda work: rules.create(work, "Ops", "pro"))
    assert [(row.user, row.reason, row.at_once) for row in found.losing] == [("ann", "yielded", True)]
    assert (letters.YIELDED, letters.PERSON) in {(one.event, one.recipient) for one in found.mails}


def test_N_5_administrators_are_told_when_a_threshold_is_crossed_and_the_head_when_none_is_left(
    acme: Organization,
) -> None:
    acme.is_run_by("head", "administrator")
    acme.sells({"pro": 3})
    acme.has("ann", "ben", "cem")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")

    def low(name: str) -> set[tuple[str, str]]:
        found = seen(acme, lambda work: direct.assign(work, name, "pro"))
        direct_to(acme, name)
        return {(one.event, one.recipient) for one in found.mails if one.notice == "N-5"}

    assert low("ben") == {("seats_low", "license_administrators"), ("seats_low", "head_administrator")}
    assert low("cem") == {("none_left", "license_administrators"), ("none_left", "head_administrator")}


def direct_to(acme: Organization, name: str) -> None:
    with acme.writing() as work:
        direct.assign(work, name, "pro")


@pytest.mark.parametrize(
    ("limit", "left"), [(1, 1), (15, 1), (16, 2), (25, 2), (26, 2), (99, 9), (100, 8), (999, 79), (1000, 50)]
)
def test_N_5_the_threshold_follows_the_limit(limit: int, left: int) -> None:
    assert letters.threshold(limit) == left
    assert letters.about_seats(limit, limit - left - 1, limit, limit - left) == letters.LOW
    assert letters.about_seats(limit, limit - left, limit, limit - left) is None
    assert letters.about_seats(limit, 0, limit, limit) == letters.NONE_LEFT


def test_A_12_the_same_change_has_the_same_version_a_minute_later_and_another_one_when_somebody_joined(
    acme: Organization, clock: Any
) -> None:
    sales(acme, 5, "ann", "ben")
    acme.has("cem")

    def version() -> str:
        return seen(acme, lambda work: rules.delete(work, "Sales", "pro")).version

    first = version()
    clock.advance(timedelta(minutes=1))
    assert version() == first
    acme.join("Sales", "cem")
    assert version() != first


def test_A_12_a_change_with_its_version_does_what_the_preview_said(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    found = seen(acme, seats_of(2))
    preview.made(acme.writing, seats_of(2), found.version)
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned"}
    acme.check()


def test_A_12_a_stale_version_is_refused_with_a_fresh_preview_and_nothing_is_changed(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    acme.has("cem")
    old = seen(acme, seats_of(5))
    acme.join("Sales", "cem")
    before = everything(acme)
    with pytest.raises(Unconfirmed, match="--version") as refusal:
        preview.made(acme.writing, seats_of(5), old.version)
    assert everything(acme) == before
    assert (refusal.value.code, refusal.value.status) == ("stale_preview", 409)
    assert who(refusal.value.preview.gaining) == [("ben", "pro"), ("cem", "pro")]
    preview.made(acme.writing, seats_of(5), refusal.value.preview.version)
    assert acme.states("pro") == dict.fromkeys(("ann", "ben", "cem"), "assigned")


def test_A_12_what_time_alone_has_decided_is_not_laid_to_the_change(acme: Organization, clock: Any) -> None:
    sales(acme, 2, "ann", "ben")
    acme.leave("Sales", "ann")
    acme.makes("Ops")
    clock.advance(2 * HOUR)
    found = seen(acme, lambda work: rules.create(work, "Ops", "pro"))
    assert all(found.rows(kind) == () for kind in preview.KINDS)
    assert numbers(found, "pro") == (Numbers(1, 2, 0), Numbers(1, 2, 0))


def test_A_12_a_change_that_is_refused_is_refused_in_its_preview_too(acme: Organization) -> None:
    sales(acme, 1, "ann")
    with pytest.raises(errors.Refused, match="1"):
        seen(acme, seats_of(0))


def test_E_8_more_people_than_mass_change_allows_need_the_version_of_the_preview(acme: Organization) -> None:
    names = [f"p{number:02}" for number in range(11)]
    sales(acme, 20, *names)
    before = everything(acme)

    def act(work: Work) -> object:
        return rules.delete(work, "Sales", "pro")

    with pytest.raises(Unconfirmed, match="11 people") as refusal:
        preview.made(acme.writing, act, None, True)
    assert everything(acme) == before
    assert refusal.value.code == "preview_required"
    assert len(refusal.value.preview.losing) == 11
    preview.made(acme.writing, act, refusal.value.preview.version, True)
    assert set(acme.states("pro").values()) == {"grace"}
    acme.check()


def test_E_8_few_people_need_no_version(acme: Organization) -> None:
    sales(acme, 20, *[f"p{number:02}" for number in range(10)])
    preview.made(acme.writing, lambda work: rules.delete(work, "Sales", "pro"), None, True)
    assert set(acme.states("pro").values()) == {"grace"}
