"""The command `usage`: seats over time, and when they will be full."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal, Write, person

HOURS = ["2027-03-01T08:00:00Z", "2027-03-01T09:30:00Z", "2027-03-02T10:00:00Z"]


@pytest.fixture
def counted(acme: Terminal, write: Write) -> Terminal:
    """Ann gets a seat of `basic` in the second of three hours in which the job ran."""
    write(person("ann"))
    acme.do("jobs", "run", "usage-snapshot", SCIM_CLOCK=HOURS[0])
    acme.do("assign", "acme", "--user", "ann", "--type", "basic", SCIM_CLOCK=HOURS[1])
    for hour in HOURS[1:]:
        acme.do("jobs", "run", "usage-snapshot", SCIM_CLOCK=hour)
    acme.do("jobs", "run", "usage-daily", SCIM_CLOCK=HOURS[2])
    acme.do("jobs", "run", "forecast", SCIM_CLOCK=HOURS[2])
    return acme


def test_use_is_shown_day_by_day_with_its_high_water_mark_and_forecast(counted: Terminal) -> None:
    told = counted.do("usage", "acme", "--type", "basic", "--json", SCIM_CLOCK=HOURS[2]).json
    (basic,) = told["types"]
    assert (told["tenant"], basic["type"], basic["used"], basic["limit"], basic["waiting"]) == (
        "acme",
        "basic",
        1,
        1,
        0,
    )
    assert basic["days"] == [
        {"day": "2027-03-01", "least": 0, "mean": 0.5, "most": 1, "limit": 1, "waiting": 0},
        {"day": "2027-03-02", "least": 1, "mean": 1.0, "most": 1, "limit": 1, "waiting": 0},
    ]
    assert basic["high_water"] == {"used": 1, "day": "2027-03-01"}
    assert basic["forecast"]["verdict"] == "full"
    assert basic["forecast"]["sentence"] == "Full now."


def test_on_a_terminal_each_day_has_a_bar(counted: Terminal) -> None:
    lines = counted.do("usage", "acme", "--lang", "fr", SCIM_CLOCK=HOURS[2]).lines
    assert lines[0] == "professional (Professional): 0 / 1 used"
    assert lines[2].split() == ["2027-03-01", "0", "0.0", "0", "1", "0", "·" * 30]
    assert lines[5] == "Pas assez de données : une prévision demande 14 jours."
    assert lines[7] == "basic (Basic): 1 / 1 used"
    assert lines[9].split() == ["2027-03-01", "0", "0.5", "1", "1", "0", "█" * 30]
    assert lines[11:] == ["High-water mark: 1 on 2027-03-01.", "Complet dès maintenant."]


def test_fewer_days_are_shown_where_that_is_asked(counted: Terminal) -> None:
    told = counted.do("usage", "acme", "--days", "1", "--json", SCIM_CLOCK=HOURS[2]).json
    assert [day["day"] for one in told["types"] for day in one["days"]] == ["2027-03-02"] * 2


def test_where_nothing_was_counted_the_reader_is_told_what_counts(acme: Terminal) -> None:
    assert "No hour was counted yet. The job usage-snapshot does that" in acme.do("usage", "acme").out
    assert acme.do("usage", "acme", "--json").json["types"][0]["days"] == []


def test_what_is_not_there_is_refused_by_name(acme: Terminal) -> None:
    assert "gold" in acme.refused("usage", "acme", "--type", "gold")
    assert "nobody" in acme.refused("usage", "nobody")
    acme.do("tenant", "create", "empty", "--name", "Empty")
    assert "No license type yet." in acme.do("usage", "empty").out
