"""Settings from the environment: one sentence each in `SETTINGS`, and one error that lists every bad key.

One more setting: a field of `Settings` and a row of `SETTINGS`; the README's table is checked against it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scim_service.clock import Clock

PREFIX = "SCIM_"
FOR_TESTS = "SCIM_TEST_"
KEY_CHARACTERS = 32
SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
"""How mail may leave, each with its usual port: plain, upgraded, or inside TLS from the start."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfigError(Exception):
    """The environment does not describe a service; the text names every key that is wrong, and how to set it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """How this installation runs; made by `from_environment`."""

    database_url: str = field(repr=False)
    data_dir: Path
    public_url: str | None
    secret_key: str | None = field(repr=False)
    clock: str | None
    development: bool
    host: str
    port: int
    threads: int
    synchronous: str
    trusted_proxies: tuple[Network, ...]
    allow_http: bool
    open_discovery: bool
    group_patch_limit: int
    scan_limit: int
    cursor_timeout: int
    log_level: str
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "no-reply@localhost"
    operator_email: str | None = None


@dataclass(frozen=True)
class Setting:
    """One key of the environment: what it is when left out, how its text is read, and what it does in a sentence."""

    key: str
    default: str
    read: Callable[[str], Any]
    sentence: str

    @property
    def name(self) -> str:
        """The field of `Settings`."""
        return self.key.removeprefix(PREFIX).lower()


def database_url(text: str) -> str:
    """A database's URL as the program uses it. Raises ValueError with a sentence."""
    scheme, separator, rest = text.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"} and separator and _port_is_right(rest):
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest not in {"/", "/:memory:"}:
        return text
    raise ValueError("write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")


def _port_is_right(rest: str) -> bool:
    """Whether what follows the host is a number; a password may hold any sign but @."""
    host = rest.rpartition("@")[2].partition("/")[0].partition("?")[0]
    port = host.rpartition("]")[2].partition(":")[2]
    return port == "" or (port.isascii() and port.isdigit() and int(port) < 65536)


def _public_url(text: str) -> str | None:
    parts = urlsplit(text)
    more = parts.query or parts.fragment or parts.username
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or more):
        raise ValueError("write it like https://scim.example.com")
    return text.rstrip("/") or None


def _clock(text: str) -> str | None:
    Clock.parse(text)
    return text or None


def _yes_or_no(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("write 1 or 0")
    return text == "1"


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"write a number from {least} to {most}")
        return int(text)

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.upper() not in words:
            raise ValueError(f"write one of {', '.join(words)}")
        return text.upper()

    return read


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as problem:
        raise ValueError("write networks like 10.0.0.0/8,192.0.2.7") from problem


def _smtp_url(text: str) -> str | None:
    parts = urlsplit(text)
    if text and (parts.scheme not in SMTP_PORTS or not parts.hostname or not _port_is_right(parts.netloc)):
        raise ValueError("write it like smtp+starttls://USER:PASSWORD@mail.example.com:587, with % signs encoded")
    if parts.username and parts.scheme == "smtp" and not _is_loopback(parts.hostname):
        raise ValueError("a password needs smtp+starttls:// or smtps://")
    return text or None


def _is_loopback(host: str | None) -> bool:
    return host in {"localhost", "127.0.0.1", "::1"}


def _address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or not domain or "@" in local or not text.isprintable() or any(one in text for one in " ,;<>"):
        raise ValueError("write one address, like no-reply@example.com")
    return text


def _address_or_none(text: str) -> str | None:
    return _address(text) if text else None


def _secret(text: str) -> str | None:
    if text and len(text) < KEY_CHARACTERS:
        raise ValueError(f"it is shorter than {KEY_CHARACTERS} characters; make one with: openssl rand -hex 32")
    return text or None


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "SCIM_DATABASE_URL",
        "",
        database_url,
        "The database, sqlite:///FILE or postgresql://…; a file in SCIM_DATA_DIR when left out.",
    ),
    Setting("SCIM_DATA_DIR", "data", Path, "The folder for what is kept in files."),
    Setting(
        "SCIM_PUBLIC_URL",
        "",
        _public_url,
        "The URL that others reach this service at, and that links in letters begin with; answers use the request's "
        "own when left out.",
    ),
    Setting("SCIM_SECRET_KEY", "", _secret, "At least 32 characters that nobody else knows; `serve` needs it."),
    Setting("SCIM_HOST", "127.0.0.1", str, "The address to listen on."),
    Setting("SCIM_PORT", "8080", _number(0, 65535), "The port to listen on."),
    Setting("SCIM_THREADS", "8", _number(1, 64), "How many requests are worked on at once."),
    Setting(
        "SCIM_SYNCHRONOUS",
        "FULL",
        _one_of("FULL", "NORMAL"),
        "SQLite only: FULL keeps what was acknowledged through a loss of power.",
    ),
    Setting(
        "SCIM_TRUSTED_PROXIES", "", _networks, "Addresses of proxies whose X-Forwarded headers are believed, by commas."
    ),
    Setting("SCIM_ALLOW_HTTP", "0", _yes_or_no, "1 answers SCIM over plain http from other machines too."),
    Setting(
        "SCIM_OPEN_DISCOVERY",
        "1",
        _yes_or_no,
        "0 asks for a token on /ServiceProviderConfig, /ResourceTypes and /Schemas too.",
    ),
    Setting(
        "SCIM_GROUP_PATCH_LIMIT",
        "100",
        _number(0, 100_000),
        "A PATCH of a group with more members answers 204 without it.",
    ),
    Setting(
        "SCIM_SCAN_LIMIT",
        "50000",
        _number(0, 10_000_000),
        "How many resources a filter on unindexed attributes may read.",
    ),
    Setting(
        "SCIM_CURSOR_TIMEOUT",
        "3600",
        _number(60, 604_800),
        "Seconds that a cursor is good for after it was handed out.",
    ),
    Setting(
        "SCIM_SMTP_URL",
        "",
        _smtp_url,
        "The mail server: smtp://, smtp+starttls:// or smtps://; letters wait in the outbox when left out.",
    ),
    Setting("SCIM_MAIL_FROM", "no-reply@localhost", _address, "The address that letters come from."),
    Setting(
        "SCIM_OPERATOR_EMAIL", "", _address_or_none, "Who runs this installation, and is told of trouble (N-6, N-8)."
    ),
    Setting("SCIM_LOG_LEVEL", "INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "How much is logged."),
    Setting("SCIM_DEVELOPMENT", "0", _yes_or_no, "1 lets `serve` run with a clock that is not the real one."),
    Setting("SCIM_CLOCK", "", _clock, "For trials: an instant (time stands still) or a shift such as +30d."),
)
"""Every setting, in the order in which people need them."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """The settings in the environment. Raises ConfigError listing every bad, and every unknown, SCIM_ key."""
    known = {one.key for one in SETTINGS}
    problems = [
        f"{key} is no setting of this service"
        for key in sorted(environ)
        if key.startswith(PREFIX) and key not in known and not key.startswith(FOR_TESTS)
    ]
    values: dict[str, Any] = {}
    for one in SETTINGS:
        text = environ.get(one.key, "").strip() or one.default
        if one.key == "SCIM_DATABASE_URL" and not text:
            continue
        try:
            values[one.name] = one.read(text)
        except ValueError as problem:
            problems.append(f"{one.key}: {problem}")
    if problems:
        raise ConfigError(problems)
    values.setdefault("database_url", f"sqlite:///{values['data_dir'].absolute() / 'scim.db'}")
    return Settings(**values)


def _has_url_for_links(settings: Settings) -> bool:
    """Whether links in letters have a URL to begin with: https, or this machine itself (reliability.md L7)."""
    if settings.public_url is None:
        return _is_loopback(settings.host)
    parts = urlsplit(settings.public_url)
    return parts.scheme == "https" or _is_loopback(parts.hostname)


def refuse_to_serve(settings: Settings) -> None:
    """Raise ConfigError where the service must not go on line with these settings (reliability.md A5)."""
    problems = []
    if settings.secret_key is None:
        problems.append("SCIM_SECRET_KEY is missing; make one with: openssl rand -hex 32")
    if settings.clock is not None and not settings.development:
        problems.append("SCIM_CLOCK is for trials; leave it out, or set SCIM_DEVELOPMENT=1")
    if settings.smtp_url is not None and not _has_url_for_links(settings):
        problems.append("SCIM_PUBLIC_URL is missing, or plain http: links in letters need the https URL")
    if problems:
        raise ConfigError(problems)
