"""In which language somebody is written to (licensing.md N-9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

LANGUAGES = ("en", "fr")
"""Every letter exists in these; the first one is for who has told none, in a tenant that has set none."""

_RANGES = 20
"""More languages than that nobody lists; what is behind them is not read."""


class Spoken(Protocol):
    """What knows the language of a tenant: its settings."""

    @property
    def language(self) -> str:
        """One of LANGUAGES."""


def of_person(document: Mapping[str, Any], settings: Spoken) -> str:
    """The person's own language where letters exist in it, else the tenant's, else English.

    `preferredLanguage` is written as in Accept-Language (RFC 7643 section 4.1.1): `fr-CA`, or `de, fr;q=0.8, en;q=0.5`.
    """
    return preferred(str(document.get("preferredLanguage") or "")) or of_tenant(settings)


def of_tenant(settings: Spoken) -> str:
    """The tenant's language, for administrators and pages about nobody in particular; else English."""
    return settings.language if settings.language in LANGUAGES else LANGUAGES[0]


def preferred(ranges: str) -> str | None:
    """The best of these language ranges (RFC 9110 section 12.5.4) that letters exist in, or None."""
    weighed = [_weighed(one) for one in ranges.split(",")[:_RANGES]]
    known = [(weight, language) for weight, language in weighed if language in LANGUAGES and weight > 0]
    return max(known, key=lambda one: one[0])[1] if known else None


def _weighed(text: str) -> tuple[float, str]:
    """A range's weight, 1 where it tells none and 0 where that cannot be read, and its language without a region."""
    tag, *more = (one.strip() for one in text.split(";"))
    language = tag.replace("_", "-").partition("-")[0].lower()
    weights = [one[2:] for one in more if one.lower().startswith("q=")]
    try:
        return float(weights[0]) if weights else 1.0, language
    except ValueError:
        return 0.0, language
