"""Settings from the environment: what is read, what is refused, and that no secret is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scim_service import config
from scim_service.config import ConfigError, Settings

SECRET = "canary-key-that-is-long-enough-to-be-one"


def read(**environ: str) -> Settings:
    return config.from_environment(environ)


def problems(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(**environ)
    return caught.value.problems


def test_an_empty_environment_is_a_database_in_the_data_folder() -> None:
    found = read()
    assert found.data_dir == Path("data")
    assert found.database_url == f"sqlite:///{Path('data').absolute() / 'scim.db'}"
    assert (found.host, found.port, found.secret_key, found.clock) == ("127.0.0.1", 8080, None, None)


def test_an_empty_value_is_a_setting_left_out() -> None:
    assert read(SCIM_HOST="", SCIM_PORT=" ", SCIM_DATABASE_URL="") == read()


def test_every_field_is_a_setting_with_a_sentence() -> None:
    assert {one.name for one in config.SETTINGS} == {one.name for one in dataclasses.fields(Settings)}
    assert [one.key for one in config.SETTINGS if not one.sentence.endswith(".")] == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgresql://u:p%40@h:5433/d?sslmode=require", "postgresql+psycopg://u:p%40@h:5433/d?sslmode=require"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://[::1]:5432/d", "postgresql+psycopg://[::1]:5432/d"),
        ("postgresql://u:a:b/c@h/d", "postgresql+psycopg://u:a:b/c@h/d"),
        ("postgresql://u@/d?host=/run/postgresql", "postgresql+psycopg://u@/d?host=/run/postgresql"),
        ("sqlite:///scim.db", "sqlite:///scim.db"),
        ("sqlite:////var/lib/scim.db", "sqlite:////var/lib/scim.db"),
    ],
)
def test_a_database_is_a_file_or_a_server(given: str, kept: str) -> None:
    assert read(SCIM_DATABASE_URL=given).database_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "mysql://canary@h/d",
        "postgresql:canary",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql://u:canary@h:port/d",
        "postgresql://u:canary@h:65536/d",
    ],
)
def test_a_database_that_cannot_be_is_refused_without_telling_its_password(url: str) -> None:
    (problem,) = problems(SCIM_DATABASE_URL=url)
    assert problem.startswith("SCIM_DATABASE_URL: write sqlite:///FILE or ")
    assert "canary" not in problem


def test_one_error_lists_every_bad_key() -> None:
    found = problems(
        SCIM_PORT="eighty",
        SCIM_THREADS="0",
        SCIM_SECRET_KEY="short",
        SCIM_PUBLIC_URL="scim.example.com",
        SCIM_TRUSTED_PROXIES="10.0.0.0/8,nowhere",
        SCIM_CLOCK="later",
        SCIM_ALLOW_HTTP="yes",
        SCIM_LOG_LEVEL="loud",
    )
    assert {one.partition(":")[0] for one in found} == {
        "SCIM_PORT",
        "SCIM_THREADS",
        "SCIM_SECRET_KEY",
        "SCIM_PUBLIC_URL",
        "SCIM_TRUSTED_PROXIES",
        "SCIM_CLOCK",
        "SCIM_ALLOW_HTTP",
        "SCIM_LOG_LEVEL",
    }


def test_a_misspelled_key_is_told_and_those_of_the_tests_are_not() -> None:
    assert problems(SCIM_DATABASE_ULR="x", SCIM_TEST_PROVE="1", PATH="x") == [
        "SCIM_DATABASE_ULR is no setting of this service"
    ]


@pytest.mark.parametrize("url", ["ftp://h", "https://", "https://h/?a=b", "https://h/#x", "https://user:pw@h"])
def test_a_public_url_is_an_address_and_nothing_more(url: str) -> None:
    assert problems(SCIM_PUBLIC_URL=url) == ["SCIM_PUBLIC_URL: write it like https://scim.example.com"]


def test_a_public_url_is_kept_without_its_last_slash() -> None:
    assert read(SCIM_PUBLIC_URL="https://scim.example.com/base/").public_url == "https://scim.example.com/base"


def test_proxies_are_networks() -> None:
    found = read(SCIM_TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7,::1").trusted_proxies
    assert [str(one) for one in found] == ["10.0.0.0/8", "192.0.2.7/32", "::1/128"]


def test_neither_the_key_nor_the_password_is_told_by_the_settings_or_an_error() -> None:
    shown = repr(read(SCIM_SECRET_KEY=SECRET, SCIM_DATABASE_URL="postgresql://u:canary@h/d"))
    shown += str(problems(SCIM_SECRET_KEY="canary"))
    assert "canary" not in shown


def refused(settings: Settings) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.refuse_to_serve(settings)
    return [one.split()[0] for one in caught.value.problems]


def test_nobody_serves_without_a_key_or_with_a_clock_of_trials() -> None:
    assert refused(read()) == ["SCIM_SECRET_KEY"]
    assert refused(read(SCIM_CLOCK="+30d")) == ["SCIM_SECRET_KEY", "SCIM_CLOCK"]
    assert refused(read(SCIM_CLOCK="+30d", SCIM_SECRET_KEY=SECRET)) == ["SCIM_CLOCK"]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, []),
        ({"SCIM_HOST": "0.0.0.0"}, ["SCIM_PUBLIC_URL"]),
        ({"SCIM_PUBLIC_URL": "http://scim.acme.example"}, ["SCIM_PUBLIC_URL"]),
        ({"SCIM_PUBLIC_URL": "http://localhost:8080"}, []),
        ({"SCIM_HOST": "0.0.0.0", "SCIM_PUBLIC_URL": "https://scim.acme.example"}, []),
    ],
)
def test_L_7_who_sends_letters_needs_an_https_url_for_their_links(more: dict[str, str], wrong: list[str]) -> None:
    settings = read(SCIM_SECRET_KEY=SECRET, SCIM_SMTP_URL="smtps://mail.acme.example", **more)
    if wrong:
        assert refused(settings) == wrong
    else:
        config.refuse_to_serve(settings)


def test_development_may_serve_with_a_clock_of_trials() -> None:
    config.refuse_to_serve(read(SCIM_SECRET_KEY=SECRET))
    config.refuse_to_serve(read(SCIM_CLOCK="+30d", SCIM_SECRET_KEY=SECRET, SCIM_DEVELOPMENT="1"))
