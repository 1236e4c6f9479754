"""Idle people are asked, reminded, and lose what they do not answer for (E-29)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import links
from scim_service.jobs import reclaim
from scim_service.jobs.job import Context
from scim_service.licensing import catalog, contracts, direct, reclaim_asks
from scim_service.storage import tables
from tests import service
from tests.conftest import START, SettableClock
from tests.licensing.conftest import Organization
from tests.licensing.test_notices import becomes

DAY = timedelta(days=1)
ASKS = tables.usage.reclaim_asks
ACCOUNTS = tables.directory.accounts
PRO = {"code": "pro", "name": "Pro"}


def run(acme: Organization) -> int:
    now = acme.store.clock.now()
    return reclaim.run(Context(acme.store, service.settings(acme.store.database.url), now, now)).items


def until(acme: Organization, clock: SettableClock, days: int) -> None:
    """The job runs every night until so many days after the start."""
    while clock.instant < START + days * DAY:
        clock.advance(DAY)
        run(acme)


@pytest.fixture
def idle(acme: Organization) -> Organization:
    """Ann and Ben have `pro` by hand, Cem by a group; who is idle for 30 days is asked. Dan waits."""
    with acme.writing() as work:
        asks = catalog.Options(reclaim=30, reclaim_asks=True)
        catalog.create_type(work, "pro", "Pro", options=asks)
        contracts.create(work, "C-1", {"pro": 3})
    acme.has("ann", "ben", "cem", "dan")
    acme.makes("Sales", "cem")
    acme.gives("Sales", "pro")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
        direct.assign(work, "ben", "pro")
    return acme


def seen(acme: Organization, name: str, at: datetime) -> None:
    """The product saw somebody."""
    with acme.writing() as work:
        work.insert(ACCOUNTS, [{"user_seq": acme.people[name], "last_active_at": at}])


def question(acme: Organization, name: str) -> Any:
    with acme.reading() as work:
        return work.row(
            sa.select(ASKS).where(ASKS.c.tenant_id == sa.bindparam("tenant"), ASKS.c.user_seq == sa.bindparam("who")),
            who=acme.people[name],
        )


def test_E_29_who_never_used_it_is_asked_after_30_days_reminded_after_7_and_loses_it_after_14(
    idle: Organization, clock: SettableClock
) -> None:
    idle.join("Sales", "dan")
    until(idle, clock, 29)
    assert idle.posted() == []
    until(idle, clock, 30)
    assert sorted(idle.told("reclaim_ask")) == [("reclaim_ask", name) for name in ("ann", "ben", "cem")]
    [ann] = [one for one in idle.posted() if one.recipient.startswith("ann")]
    assert ann.key == "rcl:id-ann:pro:1:ask"
    assert ann.facts == {
        "type": PRO,
        "idle_days": 30,
        "release_at": "2027-04-14T08:00:00.000Z",
        "keep_link": {"kind": "reclaim_keep", "seq": question(idle, "ann").seq, "cycle": 1},
        "give_up_link": {"kind": "reclaim_give_up", "seq": question(idle, "ann").seq, "cycle": 1},
    }
    until(idle, clock, 36)
    assert idle.posted("reclaim_reminder") == []
    until(idle, clock, 37)
    assert sorted(idle.told("reclaim_reminder")) == [("reclaim_reminder", name) for name in ("ann", "ben", "cem")]
    until(idle, clock, 44)
    assert idle.states("pro") == {"cem": "assigned", "dan": "assigned"}
    assert sorted(idle.told("reclaim_released", "promoted")) == [
        ("promoted", "dan"),
        ("reclaim_released", "ann"),
        ("reclaim_released", "ben"),
    ]
    assert [question(idle, name).state for name in ("ann", "cem")] == ["released", "reported"]
    idle.check()


def test_E_29_who_used_it_lately_or_has_no_address_is_not_asked(idle: Organization, clock: SettableClock) -> None:
    seen(idle, "ann", START + 10 * DAY)
    becomes(idle, "ben")
    until(idle, clock, 35)
    assert idle.told() == [("reclaim_ask", "cem")]
    until(idle, clock, 60)
    assert ("reclaim_ask", "ann") in idle.told()
    assert question(idle, "ben") is None
    assert idle.states("pro")["ben"] == "assigned"


def test_E_29_who_uses_it_after_the_question_keeps_it_and_the_letter_is_taken_back(
    idle: Organization, clock: SettableClock
) -> None:
    until(idle, clock, 30)
    seen(idle, "ann", clock.instant + timedelta(hours=1))
    until(idle, clock, 50)
    assert idle.states("pro")["ann"] == "assigned"
    assert question(idle, "ann").state == "over"
    assert [one.state for one in idle.posted() if one.recipient.startswith("ann")] == ["cancelled"]
    until(idle, clock, 61)
    assert len([one for one in idle.posted("reclaim_ask") if one.recipient.startswith("ann")]) == 2


def answers(acme: Organization, name: str, keep: bool) -> str:
    row = question(acme, name)
    with acme.writing() as work:
        return reclaim_asks.answer(work, row.seq, row.cycle, keep)


def test_E_29_who_keeps_it_is_left_alone_for_30_days(idle: Organization, clock: SettableClock) -> None:
    until(idle, clock, 31)
    assert answers(idle, "ann", keep=True) == "kept"
    with pytest.raises(errors.NotFound, match="answered already"):
        answers(idle, "ann", keep=False)
    until(idle, clock, 60)
    mine = [one.key for one in idle.posted("reclaim_ask", "reclaim_reminder") if one.recipient.startswith("ann")]
    assert mine == ["rcl:id-ann:pro:1:ask"]
    until(idle, clock, 61)
    assert idle.posted("reclaim_ask")[-1].key == "rcl:id-ann:pro:2:ask"
    assert idle.states("pro")["ann"] == "assigned"


def test_E_29_who_gives_it_up_loses_it_at_once_and_the_queue_is_served(
    idle: Organization, clock: SettableClock
) -> None:
    idle.join("Sales", "dan")
    until(idle, clock, 30)
    assert answers(idle, "ann", keep=False) == "given_up"
    assert idle.states("pro") == {"ben": "assigned", "cem": "assigned", "dan": "assigned"}
    assert idle.posted("reclaim_released") == []
    assert answers(idle, "cem", keep=False) == "reported"
    assert idle.states("pro")["cem"] == "assigned"
    idle.check()


def test_E_29_a_job_that_was_down_reminds_first_and_leaves_a_week_to_answer(
    idle: Organization, clock: SettableClock
) -> None:
    until(idle, clock, 30)
    clock.set(START + 60 * DAY)
    run(idle)
    assert len(idle.posted("reclaim_reminder")) == 3
    assert idle.states("pro")["ann"] == "assigned"
    until(idle, clock, 66)
    assert idle.states("pro")["ann"] == "assigned"
    until(idle, clock, 67)
    assert "ann" not in idle.states("pro")


def test_E_29_a_type_that_only_reports_asks_nobody_and_one_that_stops_asking_takes_nothing(
    idle: Organization, clock: SettableClock
) -> None:
    until(idle, clock, 30)
    with idle.writing() as work:
        catalog.update_type(work, "pro", reclaim_asks=False)
    until(idle, clock, 90)
    assert len(idle.posted()) == 3
    assert set(idle.states("pro").values()) == {"assigned"}


def test_E_29_a_pinned_license_is_reported_and_stays(idle: Organization, clock: SettableClock) -> None:
    with idle.writing() as work:
        direct.assign(work, "ann", "pro", pinned=True)
    until(idle, clock, 50)
    assert (question(idle, "ann").state, idle.states("pro")["ann"]) == ("reported", "assigned")


def test_E_29_a_link_is_of_the_question_its_cycle_and_the_present_address(
    idle: Organization, clock: SettableClock
) -> None:
    until(idle, clock, 30)
    row = question(idle, "ann")
    with idle.reading() as work:
        found = reclaim_asks.subject(work, links.KEEP, row.seq)
        asked = reclaim_asks.look(work, row.seq, 1)
        assert reclaim_asks.look(work, row.seq, 2) is None
        assert reclaim_asks.look(work, row.seq + 99, 1) is None
        assert reclaim_asks.subject(work, links.KEEP, row.seq + 99) is None
    assert found == links.Subject(links.KEEP, idle.tenant_id, row.seq, 1, row.nonce, "ann@people.example")
    assert asked is not None
    assert (asked.user_name, asked.kind.code, asked.idle_days) == ("ann", "pro", 30)
    assert asked.release_at == START + 44 * DAY
    becomes(idle, "ann")
    with idle.reading() as work:
        assert reclaim_asks.subject(work, links.KEEP, row.seq) is None


def test_I_11_E_29_nobody_answers_for_another_tenant(
    idle: Organization, founded: Callable[..., Organization], clock: SettableClock
) -> None:
    until(idle, clock, 30)
    row, globex = question(idle, "ann"), founded("globex")
    with globex.writing() as work:
        assert reclaim_asks.look(work, row.seq, 1) is None
        with pytest.raises(errors.NotFound):
            reclaim_asks.answer(work, row.seq, 1, False)
