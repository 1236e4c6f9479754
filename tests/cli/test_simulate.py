"""`simulate` against a service that was just set up by the demo, on both databases."""

from __future__ import annotations

import pytest

from conformance import simulate as playing
from scim_service import app, config
from scim_service.cli import demo_data, opening
from tests.cli import processes
from tests.cli.conftest import Terminal
from tests.live import serving

KEY = "a key for tests only, long enough to be one"


@pytest.mark.parametrize("profile", list(playing.PROVIDERS))
def test_a_play_against_the_demo_differs_in_nothing_and_no_cap_is_exceeded(database_url: str, profile: str) -> None:
    settings = config.from_environment({"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": KEY})
    terminal = Terminal({"SCIM_DATABASE_URL": database_url})
    with opening.opened(settings) as service:
        planted = demo_data.plant(service, KEY)
        with serving(app.create_app(settings, service.store)) as base:
            target = ("--base", base, "--token", planted.tokens["acme", profile])
            report = terminal.do("simulate", profile, *target, "--users", "50", "--json").json
    assert report["ok"], report
    rows = terminal.do("seats", "acme", "--json").json
    assert all(one["used"] <= one["limit"] for one in rows)
    assert sum(one["waiting"] for one in rows) > 0


def test_a_server_that_is_not_there_is_refused_with_one_sentence() -> None:
    base = f"http://127.0.0.1:{processes.free_port()}/scim/v2"
    said = Terminal({}).run("simulate", "okta", "--base", base, "--token", "none")
    assert said.status == 2
    assert said.out == ""


def test_a_base_that_is_no_url_is_refused_with_how_to_write_it() -> None:
    said = Terminal({}).run("simulate", "okta", "--base", "localhost", "--token", "none")
    assert said.status == 2
    assert "http://127.0.0.1:8080/scim/v2" in said.err
