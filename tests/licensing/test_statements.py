"""Statements of the source products, and entities, that the engine makes true and that no other test names."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_service import audit, errors
from scim_service.licensing import catalog, claims, contracts, direct, explain, permissions, requests, rules, usage
from scim_service.licensing.catalog import Options
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service
from tests.house import sources
from tests.licensing.conftest import NOW, Organization, sales
from tests.service import GROUP

SEATS = {"RECRUITER": 3, "MANAGER": 2, "ADMINISTRATOR": 1}


def recruitment(acme: Organization) -> None:
    """Three types as one of the source products sells them, each with what it allows."""
    rights: dict[str, dict[str, Any]] = {
        "RECRUITER": {"rights": {"adverts": "publish", "recruitment": "whole"}},
        "MANAGER": {"rights": {"candidates": "decide"}},
        "ADMINISTRATOR": {"rights": {"licenses": "administer"}, "implies": ("RECRUITER",)},
    }
    with acme.writing() as work:
        for code, options in rights.items():
            catalog.create_type(work, code, code.title(), product="Recruiting", options=Options(**options))
        contracts.create(work, "C-1", SEATS)
    acme.has("ann", "ben")


def allowed(acme: Organization, name: str) -> dict[str, Any]:
    with acme.reading() as work:
        return permissions.rights(permissions.of_person(work, acme.people[name]))


def test_BW_06_BW_07_BW_08_three_types_allow_what_is_said_of_each(acme: Organization) -> None:
    recruitment(acme)
    with acme.writing() as work:
        direct.assign(work, "ann", "RECRUITER")
        direct.assign(work, "ben", "MANAGER")
    assert allowed(acme, "ann") == {"adverts": "publish", "recruitment": "whole"}
    assert allowed(acme, "ben") == {"candidates": "decide"}


def test_BW_10_BW_11_BK_21_used_and_available_follow_the_subscription(acme: Organization) -> None:
    recruitment(acme)
    with acme.writing() as work:
        direct.assign(work, "ann", "RECRUITER")
    with acme.reading() as work:
        told = {line.code: (line.used, line.limit) for line in usage.seats(work)}
    assert told == {"RECRUITER": (1, 3), "MANAGER": (0, 2), "ADMINISTRATOR": (0, 1)}
    with acme.writing() as work:
        contracts.set_seats(work, "C-1", {"RECRUITER": 5})
    assert (acme.line("RECRUITER").used, acme.line("RECRUITER").limit) == (1, 5)


def test_LX_12_D_3_seats_are_counted_under_the_product_that_they_belong_to(acme: Organization) -> None:
    with acme.writing() as work:
        for code, product in {"core": "Core", "core-plus": "Core", "contract": "Contract"}.items():
            catalog.create_type(work, code, code, product=product)
        contracts.create(work, "C-1", {"core": 2, "core-plus": 1, "contract": 4})
    with acme.reading() as work:
        products = {line.code: (line.product, line.limit) for line in usage.seats(work)}
    assert products == {"core": ("Core", 2), "core-plus": ("Core", 1), "contract": ("Contract", 4)}


def test_LX_13_with_ten_seats_and_eight_people_exactly_two_more_come_in(acme: Organization) -> None:
    acme.sells({"core": 10})
    names = [f"p{number}" for number in range(11)]
    acme.has(*names)
    for name in names[:10]:
        with acme.writing() as work:
            direct.assign(work, name, "core")
        if name == "p7":
            assert acme.line("core").used == 8
    with acme.writing() as work, pytest.raises(errors.Refused, match="10 of 10"):
        direct.assign(work, "p10", "core")


def test_BK_02_D_15_a_request_goes_to_the_organizations_own_administrator_and_is_kept(acme: Organization) -> None:
    acme.sells({"core": 1})
    acme.has("ann")
    with acme.writing() as work:
        catalog.update_type(work, "core", requestable=True, request_mode=catalog.BY_HAND)
        assert requests.create(work, "ann", "core", "a new project").state == requests.OPEN
    assert acme.states("core") == {}
    with acme.writing() as work:
        requests.approve(work, "ann", "core", "go ahead")
    with acme.reading() as work:
        [kept] = requests.listing(work)
    assert (kept.user_name, kept.type_code, kept.reason, kept.state) == ("ann", "core", "a new project", "approved")
    assert (kept.decided_by, kept.decision) == ("cli", "go ahead")


def test_D_9_a_person_has_one_open_claim_to_a_type_from_a_source(acme: Organization) -> None:
    sales(acme, 1, "ann")
    with acme.writing() as work:
        direct.assign(work, "ann", "pro")
        direct.assign(work, "ann", "pro")
    with acme.reading() as work:
        mine = claims.of_people(work, [acme.people["ann"]])[acme.people["ann"]]
    assert sorted((one.source, one.priority) for one in mine) == [("direct", 0), ("rule:1", 100)]
    table = tables.licensing.claims
    again = {"user_seq": mine[0].user_seq, "type_seq": mine[0].type_seq, "source": mine[0].source}
    with pytest.raises(IntegrityError), acme.writing() as work:
        work.connection.execute(
            sa.insert(table), {"tenant_id": work.tenant_id, **again, "priority": 1, "since": work.now, "rank_seq": 99}
        )


def test_D_10_the_history_of_a_license_only_grows(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    before = acme.events("ann")
    acme.turn("ann", False)
    acme.turn("ann", True)
    after = acme.events("ann")
    assert after[: len(before)] == before
    assert [one.action for one in after if one.action.startswith("license:")] == [
        "license:assigned",
        "license:released",
        "license:waiting",
    ]


def test_D_11_the_ledger_has_one_row_for_each_type_with_what_is_used_and_was_at_most(acme: Organization) -> None:
    sales(acme, 2, "ann", "ben")
    acme.turn("ann", False)
    ledger = tables.licensing.ledger
    with acme.reading() as work:
        [row] = work.rows(sa.select(ledger).where(ledger.c.tenant_id == sa.bindparam("tenant")))
    assert (row.consuming, row.high_water) == (1, 2)


def test_D_16_a_decision_can_be_traced_to_its_claims_rank_limit_use_and_place(acme: Organization) -> None:
    sales(acme, 1, "ann", "ben")
    with acme.reading() as work:
        [found] = explain.explain(work, "ben", "pro")
    numbers = found.numbers
    assert (found.state, found.rank, numbers.limit, numbers.used, numbers.position) == ("waiting", 0, 1, 1, 1)
    assert [(one.source, one.rule, one.effective) for one in found.claims] == [("group", "Sales", True)]


def test_I_2_no_other_file_writes_an_assignment_or_the_ledger() -> None:
    """What changes these two tables stands in one file, which the gate calls; a deleted person's rows go beside it."""
    written = {
        f"{path.name}:{node.func.attr}"
        for path in sources.files()
        if "versions" not in path.parts
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("insert", "update", "delete", "insert_one")
        if any(ast.unparse(one) in ("_assignments", "_ledger", "tables.licensing.ledger") for one in node.args)
    }
    assert written == {
        "assignments.py:insert",
        "assignments.py:update",
        "assignments.py:delete",
        "seats.py:delete",
        "catalog.py:insert",
        "contracts.py:update",
    }


def test_I_2_the_gate_alone_calls_what_writes_them() -> None:
    calls = {
        path.name
        for path in sources.files()
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("assignments.write", "assignments.count")
    }
    assert calls == {"gate.py", "parking.py"}


def test_E_4_a_replaced_group_is_the_difference_and_who_stays_is_not_touched(store: Store) -> None:
    cast = service.assemble(store)
    ids = {name: cast.acme.user(name)["id"] for name in ("ann", "ben", "cem")}
    sales = cast.acme.group("Sales", ids["ann"], ids["ben"])
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro", exit_grace=NOW)
        contracts.create(work, "C-1", {"pro": 2})
        rules.create(work, "Sales", "pro")
    with cast.reading() as work:
        before = audit.about(work, ids["ben"])
    body = {"schemas": [GROUP], "displayName": "Sales", "members": [{"value": ids["ben"]}, {"value": ids["cem"]}]}
    assert cast.acme.put(f"/Groups/{sales['id']}", body).status == 200
    with cast.reading() as work:
        assert {one.user_name: one.state for one in usage.people(work)} == {"ben": "assigned", "cem": "assigned"}
        assert audit.about(work, ids["ben"]) == before
        told = [(one.action, one.subject) for one in audit.listing(work) if one.action.startswith("license:")][-2:]
    assert told == [("license:released", ids["ann"]), ("license:assigned", ids["cem"])]
