"""The smallest change that explain names (licensing.md A-11)."""

from __future__ import annotations

import pytest

from scim_service.licensing.change import Change, smallest


@pytest.mark.parametrize(
    ("state", "active", "position", "claimed_by", "given_by", "change"),
    [
        (None, True, None, [], ["Sales", "Design"], Change("join_group", ("Sales", "Design"))),
        (None, True, None, [], [], Change("assign")),
        (None, False, None, ["Sales"], ["Sales"], Change("activate_person")),
        ("waiting", True, 3, ["Sales"], ["Sales"], Change("raise_cap", seats=3)),
        ("covered", True, None, ["Everyone"], ["Everyone"], Change("give_up_better")),
        ("grace", True, None, ["Sales"], ["Sales"], Change("rejoin_group", ("Sales",))),
        ("grace", True, None, [], ["Sales"], Change("assign")),
        ("assigned", True, None, ["Sales", "Sales", "Design"], [], Change("leave_groups", ("Sales", "Design"))),
        ("assigned", True, None, [None, "Sales"], [], Change("unassign", ("Sales",))),
    ],
)
def test_the_smallest_change_for_a_person_and_a_type(
    state: str | None,
    active: bool,
    position: int | None,
    claimed_by: list[str | None],
    given_by: list[str],
    change: Change,
) -> None:
    assert smallest(state, active, position, claimed_by, given_by) == change
