"""`demo` and `serve`: real processes on a free port; what is planted, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from scim_service import config
from scim_service.access import credentials
from scim_service.cli import demo, demo_data, opening
from scim_service.protocol import schema
from tests.cli import processes
from tests.cli.conftest import Terminal

KEY = "a key for tests only, long enough to be one"


@pytest.fixture
def planted(database_url: str) -> tuple[str, demo_data.Demo]:
    return database_url, plant(database_url)


def plant(database_url: str, key: str = KEY, **more: str) -> demo_data.Demo:
    settings = config.from_environment({"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": key, **more})
    with opening.opened(settings) as service:
        return demo_data.plant(service, key)


def test_a_second_planting_keeps_everything_and_gives_the_same_tokens(planted: tuple[str, demo_data.Demo]) -> None:
    url, first = planted
    assert plant(url) == first
    assert sorted(first.tokens) == [("acme", "entra"), ("acme", "okta"), ("acme", "rfc"), ("globex", "rfc")]


def test_a_revoked_demo_token_gets_a_successor_that_stays_the_same(planted: tuple[str, demo_data.Demo]) -> None:
    url, first = planted
    old = first.tokens["acme", "okta"]
    Terminal({"SCIM_DATABASE_URL": url}).do("token", "revoke", "acme", old[5:13])
    second, third = plant(url), plant(url)
    assert second.tokens["acme", "okta"] == third.tokens["acme", "okta"] != old
    assert second.tokens["acme", "rfc"] == first.tokens["acme", "rfc"]


def test_a_demo_that_has_lain_for_three_years_has_working_tokens_again(planted: tuple[str, demo_data.Demo]) -> None:
    url, first = planted
    later = plant(url, SCIM_CLOCK="+1100d")
    assert set(later.tokens.values()).isdisjoint(first.tokens.values())


def test_another_key_makes_other_tokens_on_the_same_data(planted: tuple[str, demo_data.Demo]) -> None:
    url, first = planted
    other = plant(url, key="another key for tests, also long enough")
    assert other.alice_id == first.alice_id
    assert set(other.tokens.values()).isdisjoint(first.tokens.values())


def test_the_facts_of_the_demo_for_a_program_are_those_for_a_reader(planted: tuple[str, demo_data.Demo]) -> None:
    settings = config.from_environment({"SCIM_DATABASE_URL": planted[0], "SCIM_PORT": "8123"})
    told = json.loads(json.dumps(demo.facts(settings, planted[1])))
    welcome = demo.welcome(settings, planted[1])
    assert told["base"] == "http://127.0.0.1:8123/scim/v2" and told["base"] in welcome
    assert {(one["tenant"], one["connection"]): one["token"] for one in told["tokens"]} == planted[1].tokens
    assert all(one["token"] in welcome for one in told["tokens"]) and told["user"] == planted[1].alice_id


def test_acme_has_a_family_of_three_and_a_free_standing_type_under_caps(planted: tuple[str, demo_data.Demo]) -> None:
    rows = Terminal({"SCIM_DATABASE_URL": planted[0]}).do("seats", "acme", "--json").json
    assert {one["type"]: one["limit"] for one in rows} == demo_data.ACME_SEATS
    assert sorted(one["rank"] for one in rows if one["family"] == "suite") == [10, 20, 30]
    assert [one["used"] for one in rows if one["type"] == "analytics"] == [1]


def test_alice_has_every_attribute_that_the_schemas_let_a_client_write() -> None:
    for attribute in schema.USER.schema.attributes:
        if attribute.mutability != "readOnly":
            assert attribute.name in demo_data.ALICE, attribute.name
    extension = schema.USER.extension(schema.ENTERPRISE_URN)
    assert extension is not None
    for attribute in extension.attributes:
        assert attribute.name in demo_data.ALICE[schema.ENTERPRISE_URN], attribute.name
    assert "password" not in demo_data.ALICE


def test_the_folder_and_the_key_of_the_demo_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    found = config.from_environment({"SCIM_DATA_DIR": str(folder)})
    first, second = demo.prepare(found, "127.0.0.1", 8080), demo.prepare(found, "127.0.0.1", 8080)
    assert first.secret_key == second.secret_key
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / demo.KEY_FILE).stat().st_mode) == 0o600


def test_the_demo_runs_prints_what_to_paste_and_leaves_with_0_twice(tmp_path: Path) -> None:
    first, second = run_demo(tmp_path), run_demo(tmp_path)
    assert first == second
    assert len(set(first)) == 4


def run_demo(folder: Path) -> list[str]:
    """The tokens that one run of the demo prints, each of which works."""
    port = processes.free_port()
    environment = {"SCIM_DATA_DIR": str(folder / "data")}
    with processes.running(["-m", "scim_service.cli", "demo", "--port", str(port)], environment) as process:
        processes.wait_until_live(port, process)
        status, body = processes.answer(port, "/ready")
        assert status == 200, body
        status, out, err = processes.ended(process)
    assert status == 0, err
    facts, _, tries = out.partition("Try next")
    assert f"SCIM base URL: http://127.0.0.1:{port}/scim/v2" in facts.splitlines()
    assert len([one for one in tries.splitlines()[1:] if one.strip()]) == 3
    return [match[0] for match in credentials.TOKEN.finditer(facts)]


def test_the_demo_serves_alice_with_her_license(tmp_path: Path) -> None:
    port = processes.free_port()
    environment = {"SCIM_DATA_DIR": str(tmp_path / "data")}
    with processes.running(["-m", "scim_service.cli", "demo", "--port", str(port)], environment) as process:
        processes.wait_until_live(port, process)
        settings = demo.prepare(config.from_environment(environment), "127.0.0.1", port)
        with opening.opened(settings) as service:
            planted = demo_data.plant(service, str(settings.secret_key))
        token = {"Authorization": f"Bearer {planted.tokens['acme', 'rfc']}"}
        status, body = processes.answer(port, f"/scim/v2/Users/{planted.alice_id}", token)
        other = {"Authorization": f"Bearer {planted.tokens['globex', 'rfc']}"}
        foreign, _ = processes.answer(port, f"/scim/v2/Users/{planted.alice_id}", other)
    alice = json.loads(body)
    assert status == 200
    assert alice["externalId"] == demo_data.ALICE["externalId"]
    assert alice[schema.LICENSE_URN]["licenses"][0]["value"] == "analytics"
    assert foreign == 404


def test_serve_is_refused_without_a_secret_key(terminal: Terminal) -> None:
    assert "SCIM_SECRET_KEY" in terminal.refused("serve", SCIM_CLOCK="")


def test_serve_is_refused_on_a_database_without_schema(tmp_path: Path) -> None:
    settings = {"SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/none.db", "SCIM_SECRET_KEY": KEY}
    settings["SCIM_PUBLIC_URL"] = "https://scim.example"
    assert "scim-service db upgrade" in Terminal(settings).refused("serve")


def test_serve_is_refused_on_a_port_that_is_taken(terminal: Terminal) -> None:
    more = {"SCIM_SECRET_KEY": KEY, "SCIM_PUBLIC_URL": "https://scim.example", "SCIM_DEVELOPMENT": "1"}
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert "--port" in terminal.refused("serve", "--port", str(holder.getsockname()[1]), **more)


@pytest.mark.parametrize("options", [[], ["--no-jobs"]], ids=["with jobs", "without"])
def test_serve_answers_until_it_is_told_to_stop(terminal: Terminal, options: list[str]) -> None:
    port = processes.free_port()
    environment = {**os.environ, **terminal.environment, "SCIM_SECRET_KEY": KEY, "SCIM_DEVELOPMENT": "1"}
    environment["SCIM_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    arguments = ["-m", "scim_service.cli", "serve", "--port", str(port), *options]
    with processes.running(arguments, environment) as process:
        processes.wait_until_live(port, process)
        assert processes.answer(port, "/ready")[0] == 200
        status, _, err = processes.ended(process)
    assert status == 0, err
