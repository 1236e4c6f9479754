"""In which language somebody is written to (licensing.md N-9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

LANGUAGES = ("en", "fr")


class Spoken(Protocol):
    """What knows the language of a tenant: its settings."""

    @property
    def language(self) -> str:
        """One of LANGUAGES."""


def of_person(document: Mapping[str, Any], settings: Spoken) -> str:
    """The person's own language where letters exist in it, else the tenant's, else English."""
    preferred = str(document.get("preferredLanguage") or "")
    for one in preferred.split(","):
        word = one.partition(";")[0].strip().replace("_", "-").partition("-")[0].lower()
        if word in LANGUAGES:
            return word
    return settings.language if settings.language in LANGUAGES else LANGUAGES[0]
