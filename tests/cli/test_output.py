"""Tables line up for every script, and no name can steer a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scim_service.cli import output


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() -> None:
    rows = [{"type": "basic", "used": 3, "limit": None}, {"type": "professional", "used": 12, "limit": 10}]
    assert output.table(rows).splitlines() == [
        "TYPE          USED  LIMIT",
        "basic            3      -",
        "professional    12     10",
    ]


def test_wide_letters_and_combining_marks_keep_the_columns_in_line() -> None:
    rows = [{"user": "\u5c71\u7530", "state": "x"}, {"user": "e\u0301va", "state": "y"}]
    assert output.table(rows).splitlines() == ["USER  STATE", "\u5c71\u7530  x", "e\u0301va   y"]


def test_control_characters_of_a_name_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in output.cell("Sales\x1b[2J")


def test_instants_are_rfc_3339_in_utc_and_durations_read_as_they_are_written() -> None:
    assert output.instant(datetime(2027, 3, 1, 8, tzinfo=UTC)) == "2027-03-01T08:00:00Z"
    assert output.instant(datetime(2027, 3, 1, 8, 0, 0, 120_000, tzinfo=UTC)) == "2027-03-01T08:00:00.120Z"
    assert output.cell(timedelta(hours=24)) in {"24h", "1d"}
