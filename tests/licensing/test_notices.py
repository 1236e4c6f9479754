"""What a change of seats has to be told, posted in its transaction: N-4 to people, N-5 to administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from scim_service.access import admins
from scim_service.licensing import alerts, catalog, contracts, direct, gate, notices, preview, type_names
from scim_service.storage import tables
from scim_service.storage.work import Work
from tests.conftest import SettableClock
from tests.licensing.conftest import HOUR, NOW, Organization, sales

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
_users = tables.directory.users
_SET_DOCUMENT = (
    sa.update(_users)
    .where(_users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which"))
    .values(document=sa.bindparam("new_document"))
)


def becomes(acme: Organization, name: str, **document: Any) -> None:
    """A person's document is another one."""
    with acme.writing() as work:
        text = orjson.dumps({"userName": name, **document}).decode()
        work.execute(_SET_DOCUMENT, which=acme.people[name], new_document=text)


def seats_of(acme: Organization, count: int, mode: str = contracts.REJECT) -> None:
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": count}, mode)


def watch(acme: Organization) -> int:
    """The job that arms alerts again."""
    with acme.writing() as work:
        return alerts.rearm(work, gate.enter(work).level())


def test_N_4_who_moves_up_is_told_in_the_transaction_that_frees_the_seat(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    assert acme.posted() == []
    acme.leave("Sales", "ann")
    [one] = acme.posted()
    assert (one.letter, one.recipient, one.state) == ("promoted", "ben@people.example", "queued")
    assert one.facts == {"type": {"code": "pro", "name": "Pro"}, "since": "2027-03-01T08:00:00.000Z"}
    assert one.key == "n4:promoted:id-ben:pro:2027-03-01T08:00:00.000Z"


def test_N_4_a_request_that_is_undone_tells_nobody(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    with pytest.raises(ZeroDivisionError), acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 2})
        _ = 1 // 0
    preview.previewed(acme.writing, lambda work: contracts.set_seats(work, "C-1", {"pro": 2}))
    assert acme.posted() == []


def test_N_4_what_comes_and_goes_within_a_transaction_is_not_told(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 2})
        contracts.set_seats(work, "C-1", {"pro": 1}, contracts.IMMEDIATE)
    assert acme.posted() == []
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}


def test_N_4_who_had_no_seat_before_is_not_told_of_losing_one(acme: Organization) -> None:
    sales(acme, 1, "ann")
    acme.has("ben")
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 2})
        direct.assign(work, "ben", "pro")
        contracts.set_seats(work, "C-1", {"pro": 0}, contracts.FREEZE)
        contracts.set_seats(work, "C-1", {"pro": 0}, contracts.IMMEDIATE)
    assert [one for one in acme.told() if one[0] == "drop_executed" and one[1] == "ben"] == []
    acme.tick()
    acme.check()


def test_N_4_who_leaves_and_comes_back_within_the_grace_gets_no_mail(acme: Organization, clock: SettableClock) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=HOUR)
    acme.leave("Sales", "ann")
    clock.advance(30 * MINUTE)
    acme.join("Sales", "ann")
    clock.advance(2 * HOUR)
    acme.tick()
    assert acme.posted() == []


def test_N_4_what_time_alone_decided_is_told_once_by_whoever_comes_first(
    acme: Organization, clock: SettableClock
) -> None:
    sales(acme, 1, "ann", "ben", "cem", exit_grace=HOUR)
    acme.leave("Sales", "ann")
    clock.advance(2 * HOUR)
    acme.join("Sales", "cem")
    acme.tick()
    assert acme.told() == [("promoted", "ben")]
    assert acme.posted()[0].facts["since"] == "2027-03-01T09:00:00.000Z"


def test_N_4_a_deadline_is_told_once_and_its_end_too(acme: Organization, clock: SettableClock) -> None:
    sales(acme, 3, "ann", "ben", "cem")
    seats_of(acme, 2, contracts.FREEZE)
    [one] = acme.posted()
    assert (one.letter, one.recipient) == ("drop_deadline", "cem@people.example")
    assert one.facts == {
        "type": {"code": "pro", "name": "Pro"},
        "until": "2027-03-31T08:00:00.000Z",
        "reason": "cap_decrease",
    }
    acme.turn("ann", False)
    acme.turn("ann", True)
    clock.advance(31 * DAY)
    acme.tick()
    assert acme.told() == [("drop_deadline", "cem")]
    seats_of(acme, 1, contracts.FREEZE)
    clock.advance(31 * DAY)
    acme.tick()
    assert acme.told() == [("drop_deadline", "cem"), ("drop_deadline", "cem"), ("drop_executed", "cem")]
    acme.check()


def test_N_4_who_gives_a_grace_up_and_who_gets_the_seat_are_told(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=catalog.Options(grace_yields=True))
        contracts.create(work, "C-1", {"pro": 1})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro", exit_grace=DAY)
    acme.leave("Sales", "ann")
    acme.makes("Ops", "ben")
    acme.gives("Ops", "pro")
    assert acme.told() == [("yielded", "ann")]
    assert acme.states("pro") == {"ben": "assigned"}


def test_N_4_a_person_without_an_address_or_away_is_not_written_to(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", "cem")
    becomes(acme, "ben", emails=[{"value": "no address"}, {"display": "Ben"}])
    seats_of(acme, 3)
    assert acme.told() == [("promoted", "cem")]


def test_N_4_the_primary_address_counts_and_the_language_is_the_persons(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Recruiter", options=catalog.Options(name_fr="Recruteur"))
        contracts.create(work, "C-1", {"pro": 1})
    acme.has("ann", "ben")
    mails = [{"value": "first@people.example"}, {"value": "main@people.example", "primary": True}]
    becomes(acme, "ben", emails=mails, preferredLanguage="fr-CH")
    acme.makes("Sales", "ann", "ben")
    acme.gives("Sales", "pro")
    seats_of(acme, 2)
    [one] = acme.posted()
    assert one.recipient == "main@people.example"
    assert one.facts["type"] == {"code": "pro", "name": "Recruteur"}


def test_N_4_the_end_of_a_contract_is_not_told_to_people_until_the_last_day(
    acme: Organization, clock: SettableClock
) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": 1}, ends=work.now + DAY)
    acme.has("ann")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    clock.advance(2 * DAY)
    acme.tick()
    assert acme.states("pro") == {"ann": "grace"}
    assert acme.posted() == []
    clock.advance(14 * DAY)
    acme.tick()
    assert acme.told() == [("drop_executed", "ann")]


def test_N_4_many_people_are_told_with_few_statements(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"p{number}" for number in range(1_200)]
    sales(acme, 1, *names)
    asked = statements(monkeypatch)
    seats_of(acme, 1_200)
    assert len(acme.posted("promoted")) == 1_199
    assert len([one for one in asked if one == "documents"]) == 3


def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What notices ask the database, by name, from now on."""
    asked: list[str] = []
    rows = Work.rows

    def counted(self: Work, statement: Any, **values: Any) -> Any:
        if statement is notices._DOCUMENTS:
            asked.append("documents")
        return rows(self, statement, **values)

    monkeypatch.setattr(Work, "rows", counted)
    return asked


@pytest.fixture
def staffed(acme: Organization) -> Organization:
    """Four seats of `pro`, which is of the product Core; Sales is empty, and whoever leaves it lets go at once."""
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", product="Core", exit_grace=NOW)
        catalog.create_type(work, "lab", "Lab", product="Lab")
        contracts.create(work, "C-1", {"pro": 4})
    acme.is_run_by("head", "operator", "auditor")
    acme.is_run_by("license_administrator", product="Core")
    acme.has("ann", "ben", "cem", "dan", "eve")
    acme.makes("Sales")
    acme.gives("Sales", "pro")
    return acme


def test_N_5_license_administrators_of_the_product_and_the_head_are_told_what_is_left(staffed: Organization) -> None:
    staffed.join("Sales", "ann", "ben", "cem")
    both = [("seats_low", "head"), ("seats_low", "license_administrator")]
    assert staffed.told() == both
    assert staffed.posted()[0].facts == {"type": {"code": "pro", "name": "Pro"}, "used": 3, "limit": 4, "left": 1}
    assert staffed.posted()[0].key == "low:pro:seats_low:1:head@staff.example"
    staffed.join("Sales", "dan", "eve")
    last = staffed.posted()[-1]
    assert (last.letter, last.facts) == (
        "none_left",
        {"type": {"code": "pro", "name": "Pro"}, "used": 4, "limit": 4, "waiting": 1},
    )
    assert len(staffed.posted()) == 4


def test_N_5_a_type_that_is_retired_warns_of_nothing(staffed: Organization) -> None:
    with staffed.writing() as work:
        catalog.retire_type(work, "pro")
    with staffed.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": 1})
    staffed.join("Sales", "ann")
    assert staffed.posted() == []


def test_N_5_a_license_administrator_of_another_product_and_an_open_invitation_hear_nothing(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", product="Core")
        catalog.create_type(work, "lab", "Lab", product="Lab")
        contracts.create(work, "C-1", {"pro": 1})
        admins.add(work, "invited@staff.example", "Invited", "administrator")
    acme.is_run_by("license_administrator", product="Lab")
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    assert acme.posted() == []


def test_N_5_falling_again_within_a_day_is_not_told_again_and_a_lower_alert_not_after_a_higher_one(
    staffed: Organization, clock: SettableClock
) -> None:
    staffed.join("Sales", "ann", "ben", "cem", "dan")
    assert {one.letter for one in staffed.posted()} == {"none_left"}
    for _ in range(3):
        staffed.leave("Sales", "ben", "cem", "dan")
        watch(staffed)
        clock.advance(7 * HOUR)
        assert watch(staffed) == 0
        staffed.join("Sales", "ben", "cem")
        staffed.join("Sales", "dan")
    assert len(staffed.posted()) == 2


def test_N_5_after_a_day_above_the_threshold_it_is_told_again(staffed: Organization, clock: SettableClock) -> None:
    staffed.join("Sales", "ann", "ben", "cem")
    staffed.leave("Sales", "cem")
    watch(staffed)
    clock.advance(25 * HOUR)
    assert watch(staffed) == 1
    assert watch(staffed) == 0
    staffed.join("Sales", "cem")
    assert [one.key for one in staffed.posted()][::2] == [
        "low:pro:seats_low:1:head@staff.example",
        "low:pro:seats_low:2:head@staff.example",
    ]


def test_N_5_it_is_armed_lazily_too_when_the_job_is_late(staffed: Organization, clock: SettableClock) -> None:
    staffed.join("Sales", "ann", "ben", "cem")
    staffed.leave("Sales", "cem")
    watch(staffed)
    clock.advance(24 * HOUR)
    staffed.join("Sales", "cem")
    assert len(staffed.posted()) == 4


def test_N_5_a_line_that_ends_lets_the_seats_fall_and_that_is_told(staffed: Organization, clock: SettableClock) -> None:
    with staffed.writing() as work:
        contracts.add_line(work, "C-1", contracts.SeatLine("pro", 3, ends=work.now + DAY))
    staffed.join("Sales", "ann", "ben", "cem", "dan")
    assert staffed.posted() == []
    clock.advance(2 * DAY)
    staffed.tick()
    assert [one.letter for one in staffed.posted()] == ["none_left", "none_left"]


def test_N_4_N_5_a_change_that_tells_nobody_asks_the_database_for_nothing_more(
    staffed: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("a statement of notices ran")

    for room, name in ((type_names, "of_all"), (notices, "documents"), (alerts, "_rows")):
        monkeypatch.setattr(room, name, refuse)
    staffed.join("Sales", "ann", "ben")
    staffed.leave("Sales", "ann")
    staffed.join("Sales", "ann")
    with pytest.raises(AssertionError, match="a statement of notices ran"):
        staffed.join("Sales", "cem")
