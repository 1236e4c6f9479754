"""What is not so any more is not sent: asked of each letter of seats when it leaves (F4, F11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_service.access import admins
from scim_service.delivery import entries
from scim_service.delivery.entries import Entry
from scim_service.jobs import truth
from scim_service.licensing import (
    catalog,
    contract_notices,
    contracts,
    direct,
    letters,
    preview,
    reclaim_asks,
    requests,
    still_true,
)
from scim_service.licensing.catalog import Options
from scim_service.licensing.contracts import Terms
from scim_service.storage import tables
from tests.conftest import SettableClock
from tests.licensing.conftest import NOW, Organization, sales

DAY = timedelta(days=1)
OUTBOX = tables.delivery.outbox
ALL = sa.select(*entries.columns).where(OUTBOX.c.tenant_id == sa.bindparam("tenant")).order_by(OUTBOX.c.seq)


def against(acme: Organization, *wanted: str) -> list[str | None]:
    """Of each message of these letters, why it would not be sent now."""
    with acme.reading() as work:
        found: list[Entry] = [entries.entry(row) for row in work.rows(ALL)]
        return [truth.reason_against(work, one) for one in found if one.letter in wanted]


def seats_of(acme: Organization, count: int, mode: str = contracts.REJECT) -> None:
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"pro": count}, mode)


def test_F4_a_promotion_is_told_to_who_has_it_still(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    acme.leave("Sales", "ann")
    assert against(acme, "promoted") == [None]
    acme.leave("Sales", "ben")
    assert against(acme, "promoted") == [still_true.CHANGED]


def test_F4_nothing_is_told_about_who_is_inactive_by_now(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=NOW)
    acme.leave("Sales", "ann")
    acme.turn("ben", False)
    assert against(acme, "promoted") == [truth.INACTIVE]


def test_F4_a_deadline_that_was_lifted_and_a_seat_that_came_back_are_not_told(
    acme: Organization, clock: SettableClock
) -> None:
    sales(acme, 2, "ann", "ben")
    seats_of(acme, 1, contracts.FREEZE)
    assert against(acme, "drop_deadline") == [None]
    seats_of(acme, 2)
    assert against(acme, "drop_deadline") == [still_true.CHANGED]
    seats_of(acme, 1, contracts.FREEZE)
    clock.advance(31 * DAY)
    acme.tick()
    assert against(acme, "drop_executed") == [None]
    seats_of(acme, 2)
    assert against(acme, "drop_executed") == [still_true.CHANGED]


def test_F4_who_gave_a_grace_up_and_has_it_again_is_not_told(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=Options(grace_yields=True))
        contracts.create(work, "C-1", {"pro": 1})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro", exit_grace=DAY)
    acme.leave("Sales", "ann")
    acme.join("Sales", "ben")
    assert against(acme, "yielded") == [None]
    seats_of(acme, 2)
    acme.join("Sales", "ann")
    assert against(acme, "yielded") == [still_true.CHANGED]


@pytest.mark.parametrize(("count", "letter"), [(2, "seats_low"), (1, "none_left")])
def test_F4_seats_that_are_there_again_and_readers_who_are_gone_are_not_told(
    acme: Organization, count: int, letter: str
) -> None:
    acme.is_run_by("administrator")
    acme.sells({"pro": count})
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    assert against(acme, letter) == [None]
    with acme.writing() as work:
        admins.remove(work, "administrator@staff.example")
    assert against(acme, letter) == [still_true.NO_READER]
    seats_of(acme, 9)
    assert against(acme, letter) == [still_true.SEATS_AGAIN]


def test_F4_a_contract_that_was_renewed_is_not_told_of_as_ending(acme: Organization, clock: SettableClock) -> None:
    acme.is_run_by("head")
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        terms = Terms(ends=work.now + 10 * DAY, grace=2 * DAY, details={"contacts": ["buyer@acme.example"]})
        contracts.create(work, "C-1", {"pro": 9}, terms=terms)
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    clock.advance(11 * DAY)
    with acme.writing() as work:
        contract_notices.post(work)
    both = ("grace_ends", "contract_last_day")
    assert against(acme, *both) == [None] * 4
    with acme.writing() as work:
        contracts.renew(work, "C-1", "C-2", {}, Terms())
    assert against(acme, "grace_ends") == ["the contract was renewed"] * 3
    assert against(acme, "contract_last_day") == [still_true.CHANGED]


def test_F4_a_question_that_was_answered_is_not_asked(acme: Organization, clock: SettableClock) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=Options(reclaim_asks=True))
        contracts.create(work, "C-1", {"pro": 9})
    acme.has("ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
    clock.advance(31 * DAY)
    with acme.writing() as work:
        assert reclaim_asks.begin(work) == 1
    assert against(acme, "reclaim_ask") == [None]
    with acme.writing() as work:
        reclaim_asks.answer(work, 1, 1, True)
    assert against(acme, "reclaim_ask") == [still_true.ANSWERED]


def asked(acme: Organization, seats: int) -> None:
    with acme.writing() as work:
        options = Options(requestable=True, request_mode="manual", name_fr="Le Pro")
        catalog.create_type(work, "pro", "Pro", options=options)
        contracts.create(work, "C-1", {"pro": seats})
    acme.has("ann")
    with acme.writing() as work:
        requests.create(work, "ann", "pro", "I need it.")


def test_E_22_who_asked_is_told_why_it_was_denied_and_when_to_ask_again(
    acme: Organization, clock: SettableClock
) -> None:
    asked(acme, 1)
    with acme.writing() as work:
        requests.deny(work, "ann", "pro", "Not this year.")
    [one] = acme.posted()
    assert (one.letter, one.recipient, one.key) == (
        "request_denied",
        "ann@people.example",
        "req:id-ann:pro:1:request_denied",
    )
    assert one.facts == {
        "type": {"code": "pro", "name": "Pro"},
        "reason": "Not this year.",
        "not_before": "2027-03-08T08:00:00.000Z",
    }
    assert against(acme, "request_denied") == [None]
    clock.advance(8 * DAY)
    with acme.writing() as work:
        requests.create(work, "ann", "pro", "Really.")
        requests.approve(work, "ann", "pro")
    assert against(acme, "request_denied", "request_approved") == [still_true.DECIDED_ANEW, None]


@pytest.mark.parametrize(("seats", "state"), [(1, "assigned"), (0, "waiting")])
def test_E_22_who_asked_is_told_that_it_was_approved_and_whether_there_is_a_seat(
    acme: Organization, seats: int, state: str
) -> None:
    asked(acme, seats)
    with acme.writing() as work:
        requests.approve(work, "ann", "pro")
    [one] = acme.posted()
    assert (one.letter, one.facts["state"]) == ("request_approved", state)
    acme.check()


def test_A_12_E_22_a_preview_says_that_who_asked_will_be_told(acme: Organization) -> None:
    asked(acme, 1)
    found = preview.previewed(acme.writing, lambda work: requests.approve(work, "ann", "pro"))
    assert found.mails == (letters.Mail("E-22", "request_approved", "person", "pro", 1),)
    assert acme.posted() == []


def test_E_22_what_is_granted_at_once_by_its_mode_is_not_told(acme: Organization) -> None:
    with acme.writing() as work:
        catalog.create_type(work, "pro", "Pro", options=Options(requestable=True, request_mode="auto"))
        contracts.create(work, "C-1", {"pro": 5})
    acme.has("ann")
    with acme.writing() as work:
        requests.create(work, "ann", "pro", "I need it.")
    assert acme.posted() == []


def test_F4_every_letter_of_seats_says_what_has_to_be_so(acme: Organization) -> None:
    known = {"promoted", "yielded", "drop_deadline", "drop_executed", "seats_low", "none_left", "digest"}
    known |= {"contract_ends", "contract_ended", "grace_ends", "grace_ended", "contract_last_day"}
    known |= {"mass_removal", "ledger_differs", "reclaim_ask", "reclaim_reminder", "reclaim_released"}
    assert set(still_true.QUESTIONS) == known | {"request_denied", "request_approved"}
    assert all(truth.STILL_TRUE[letter] is question for letter, question in still_true.QUESTIONS.items())
