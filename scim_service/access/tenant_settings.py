"""What a tenant may set for itself (licensing.md 4.0): a table of names, each with its default, kept as JSON."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from scim_service import clock, errors

RELEASE, HOLD, KEEP = "release", "hold", "keep"
STOP, SEND_THEN_STOP = "stop", "send_then_stop"
LINE_CHARACTERS = 200
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class MassChange:
    """The brake of E-27: more than `people` and more than `percent` of the holders within `window` are parked.

    `hold`: for how long.
    """

    people: int = 10
    percent: int = 20
    window: timedelta = timedelta(minutes=10)
    hold: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Setting:
    """One setting: its default as it is stored, what it is for, and how its text becomes what is stored."""

    name: str
    default: Any
    sentence: str
    parse: Callable[[str], Any]

    def told(self, value: Any) -> Any:
        """A stored value as a person writes it."""
        if self.parse is _duration:
            return clock.format_duration(timedelta(seconds=value))
        if isinstance(value, bool):
            return "on" if value else "off"
        return list(value) if isinstance(value, tuple) else value


def _duration(text: str) -> int:
    return int(clock.parse_duration(text).total_seconds())


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 1_000_000:
        raise ValueError(f"{text!r} is no number between 0 and 1000000.")
    return int(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is none of: {', '.join(words)}.")
        return text

    return parse


def _domains(text: str) -> list[str]:
    found = dict.fromkeys(one.strip().rstrip(".").lower() for one in text.split(",") if one.strip())
    wrong = [one for one in found if len(one) > 253 or not _DOMAIN.fullmatch(one)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no domain; write it as acme.example, several with commas.")
    return sorted(found)


def _switch(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _line(text: str) -> str:
    if len(text) > LINE_CHARACTERS or not text.isprintable():
        raise ValueError(f"write at most {LINE_CHARACTERS} printable characters in one line.")
    return text.strip()


def _https(text: str) -> str:
    parts = urlsplit(_line(text))
    if text and (parts.scheme != "https" or not parts.hostname or parts.username):
        raise ValueError(f"{text!r} is no https URL; write it as https://acme.example/welcome.")
    return text.strip()


def _time_zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise ValueError(f"{text!r} is no time zone; write it as Europe/Paris.")
    return text


def _offsets(text: str) -> str:
    found = [clock.parse_duration(one) for one in text.split(",")]
    if found != sorted(set(found)) or len(found) > 10 or not all(found):
        raise ValueError("write 1 to 10 durations that rise, with commas, such as 24h,96h.")
    return ",".join(clock.format_duration(one) for one in found)


SETTINGS = (
    Setting(
        "deactivate_policy", RELEASE, "What an inactive person's seats do: release or hold.", _one_of(RELEASE, HOLD)
    ),
    Setting("overcap_grace", 30 * 86_400, "How long a surplus keeps its seats after the cap fell.", _duration),
    Setting("mass_change", True, "The brake on mass removals by an identity provider: on or off.", _switch),
    Setting("mass_change_people", 10, "So many people may always be removed at once.", _count),
    Setting("mass_change_percent", 20, "And so many percent of the holders.", _count),
    Setting("mass_change_window", 600, "Within so long.", _duration),
    Setting("mass_change_hold", 86_400, "How long the seats beyond that are parked.", _duration),
    Setting("verified_domains", (), "Addresses in these mail domains need no verification.", _domains),
    Setting("language", "en", "The language of letters to who has told none: en or fr.", _one_of("en", "fr")),
    Setting("time_zone", "UTC", "The zone in which dates are written and the digest's hour is meant.", _time_zone),
    Setting("product_name", "", "What letters call the product; the tenant's own name when empty.", _line),
    Setting("product_url", "", "Where people go after accepting an invitation.", _https),
    Setting("documentation_url", "", "Where letters send people who begin.", _https),
    Setting("support_contact", "", "Whom letters and pages name for help: an address or a URL.", _line),
    Setting("remind_after", "24h,96h", "When an open invitation or verification is reminded of, by commas.", _offsets),
    Setting("lapse_after", 264 * 3_600, "When an open invitation or verification lapses.", _duration),
    Setting("final_step", STOP, "At the lapse: stop, or send_then_stop.", _one_of(STOP, SEND_THEN_STOP)),
    Setting("on_lapse", RELEASE, "The seat of a lapsed invitation: release or keep.", _one_of(RELEASE, KEEP)),
    Setting(
        "verify_pushed", True, "Whether people pushed by an identity provider verify addresses: on or off.", _switch
    ),
    Setting("tell_address_changes", True, "Whether both addresses are told of a change: on or off.", _switch),
    Setting("digest", True, "The administrators' weekly letter: on or off.", _switch),
)
BY_NAME = {one.name: one for one in SETTINGS}


def parsed(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Settings as they are stored, from their texts. Raises InvalidValue that names the setting and what it takes."""
    found = {}
    for name, text in pairs.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise errors.InvalidValue(
                f"There is no setting {name!r}. There are: {', '.join(sorted(BY_NAME))}.", code="unknown_setting"
            )
        try:
            found[name] = setting.parse(text)
        except ValueError as problem:
            raise errors.InvalidValue(f"{name}: {problem}", code="bad_setting") from problem
    return found


@dataclass(frozen=True)
class TenantSettings:
    """The settings of one tenant, the defaults filled in."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, stored: str) -> TenantSettings:
        """From the JSON in the tenant's row."""
        changed = orjson.loads(stored) if stored != "{}" else {}
        return cls({one.name: changed.get(one.name, one.default) for one in SETTINGS})

    @property
    def keeps_inactive(self) -> bool:
        """Whether an inactive person's seats are held."""
        return bool(self.values["deactivate_policy"] == HOLD)

    @property
    def verified_domains(self) -> tuple[str, ...]:
        """The mail domains whose addresses need no verification (D-1, T-5)."""
        return tuple(self.values["verified_domains"])

    @property
    def language(self) -> str:
        """The language of letters to who has told none (N-9)."""
        return str(self.values["language"])

    @property
    def has_digest(self) -> bool:
        """Whether the administrators get the weekly letter."""
        return bool(self.values["digest"])

    @property
    def time_zone(self) -> zoneinfo.ZoneInfo:
        """The zone in which dates are written."""
        return zoneinfo.ZoneInfo(self.values["time_zone"])

    @property
    def ladder(self) -> tuple[tuple[timedelta, ...], timedelta]:
        """When an open invitation or verification is reminded of, and when it lapses (T-3, T-4, T-6)."""
        steps = tuple(clock.parse_duration(one) for one in self.values["remind_after"].split(","))
        return steps, timedelta(seconds=self.values["lapse_after"])

    @property
    def overcap_grace(self) -> timedelta:
        """How long a surplus keeps its seats."""
        return timedelta(seconds=self.values["overcap_grace"])

    @property
    def mass_change(self) -> MassChange | None:
        """The brake, or None where it is off."""
        if not self.values["mass_change"]:
            return None
        window, hold = (timedelta(seconds=self.values[f"mass_change_{name}"]) for name in ("window", "hold"))
        return MassChange(self.values["mass_change_people"], self.values["mass_change_percent"], window, hold)
