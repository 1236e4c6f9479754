"""The nightly comparison: what is mended, what is only told (I-12, N-8)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service.jobs import reconcile
from scim_service.jobs.job import Context, Report
from scim_service.storage import tables
from tests import service
from tests.licensing.conftest import HOUR, Organization, sales
from tests.rows import everything

_ledger = tables.licensing.ledger
_rows = tables.licensing.assignments
_BROKEN = (
    sa.update(_ledger).where(_ledger.c.tenant_id == sa.bindparam("tenant")).values(consuming=sa.bindparam("wrong"))
)
_LOST = sa.update(_rows).where(_rows.c.tenant_id == sa.bindparam("tenant")).values(state="blocked", reason="conflict")


def run(acme: Organization) -> Report:
    now = acme.store.clock.now()
    return reconcile.run(Context(acme.store, service.settings(acme.store.database.url), now, now))


def breaks(acme: Organization, statement: Any, **values: Any) -> None:
    with acme.writing() as work:
        work.execute(statement, **values)


def test_N_8_I_12_a_ledger_that_differs_is_counted_anew_and_told(acme: Organization) -> None:
    acme.is_run_by("head", "operator")
    sales(acme, 3, "ann", "ben", "cem")
    acme.posted()
    breaks(acme, _BROKEN, wrong=2)
    assert run(acme) == Report(1, 1)
    acme.check()
    assert acme.told("ledger_differs") == [("ledger_differs", "head"), ("ledger_differs", "operator:")]
    assert acme.posted("ledger_differs")[0].facts == {
        "findings": ["pro: the ledger said 2 seats, 3 are used; it was counted anew."]
    }
    assert acme.posted("ledger_differs")[0].key == "rec:2027-03-01:head@staff.example"
    assert run(acme) == Report(1, 0)


def test_I_12_seats_that_turn_out_to_be_free_go_to_who_waits(acme: Organization) -> None:
    acme.is_run_by("head")
    acme.sells({"pro": 2})
    acme.has("ann", "ben")
    acme.makes("Sales", "ann")
    acme.gives("Sales", "pro")
    breaks(acme, _BROKEN, wrong=2)
    acme.join("Sales", "ben")
    assert acme.states("pro") == {"ann": "assigned", "ben": "waiting 1"}
    run(acme)
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned"}
    assert ("promoted", "ben") in acme.told()
    acme.check()


def test_I_12_a_surplus_that_turns_up_is_planned_to_be_given_up(acme: Organization) -> None:
    sales(acme, 2, "ann", "ben", "cem")
    breaks(acme, _BROKEN, wrong=1)
    breaks(acme, sa.update(_rows).where(_rows.c.tenant_id == sa.bindparam("tenant")).values(state="assigned"))
    run(acme)
    assert acme.states("pro") == {"ann": "assigned", "ben": "assigned", "cem": "grace"}
    assert acme.line("pro").used == 3


def test_N_8_a_row_that_differs_from_the_rules_is_told_and_left_as_it_is(acme: Organization) -> None:
    sales(acme, 3, "ann")
    breaks(acme, _LOST)
    breaks(acme, _BROKEN, wrong=0)
    run(acme)
    assert acme.states("pro") == {"ann": "blocked"}
    [one] = acme.posted("ledger_differs")
    assert one.facts["findings"] == ["person id-ann and pro: blocked (conflict) in the table, assigned by the rules."]


def test_I_12_where_everything_is_right_nothing_is_written(acme: Organization, clock: Any) -> None:
    sales(acme, 1, "ann", "ben", exit_grace=HOUR)
    acme.leave("Sales", "ann")
    clock.advance(2 * HOUR)
    assert run(acme) == Report(1, 0)
    before = everything(acme.store)
    assert run(acme) == Report(1, 0)
    assert everything(acme.store) == before
