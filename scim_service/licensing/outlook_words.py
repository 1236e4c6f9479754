"""A forecast in a sentence, in English or French (licensing.md part 5.2, N-9)."""

from __future__ import annotations

from datetime import date

from scim_service.licensing import forecast, sentences
from scim_service.licensing.outlook import Outlook

VERDICTS = {
    forecast.FULL: ("Full now.", "Complet dès maintenant."),
    forecast.FULL_ON: ("Full on {full_on}{band}.", "Complet le {full_on}{band}."),
    forecast.NONE: ("No exhaustion within 12 months{early}.", "Pas d’épuisement d’ici 12 mois{early}."),
    forecast.TOO_LITTLE: (
        "Not enough data: a forecast takes {fewest} days.",
        "Pas assez de données : une prévision demande {fewest} jours.",
    ),
    forecast.NO_LIMIT: ("No limit.", "Sans limite."),
}
BETWEEN = (" (between {early} and {late})", " (entre le {early} et le {late})")
FROM = (" (from {early} on)", " (à partir du {early})")
EARLIEST = (" (at the earliest {early})", " (au plus tôt le {early})")
WAITING = ("{count} waiting for a seat.", "{count} en attente d’une place.")
LIMIT = ("{limit} seats from {day}.", "{limit} places à partir du {day}.")
UNLIMITED = ("No limit from {day}.", "Sans limite à partir du {day}.")
EXPIRING = ("{count} expiring by {day}.", "{count} expirant d’ici le {day}.")
HIGH = ("Last month’s forecast was {seats} too high.", "La prévision du mois dernier était trop élevée de {seats}.")
LOW = ("Last month’s forecast was {seats} too low.", "La prévision du mois dernier était trop basse de {seats}.")
RIGHT = ("Last month’s forecast was right.", "La prévision du mois dernier était juste.")
DAY = ("{day} {month} {year}", "{day} {month} {year}")


def sentence(found: Outlook, language: str) -> str:
    """The verdict, then what is known to come, then how good last month's forecast was."""
    at = sentences.LANGUAGES.index(language)
    told = [_verdict(found, at), *_known(found, at)]
    if found.error is not None:
        told.append(_error(found.error, at))
    return " ".join(told)


def _verdict(found: Outlook, at: int) -> str:
    made = found.forecast
    days = {name: _day(day, at) for name in ("full_on", "early", "late") if (day := getattr(made, name))}
    band = ("", "") if made.early == made.late else BETWEEN if made.late else FROM
    early = EARLIEST[at].format(**days) if made.early else ""
    text = VERDICTS[made.verdict][at]
    return text.format(**{**days, "band": band[at].format(**days), "early": early, "fewest": forecast.FEWEST})


def _known(found: Outlook, at: int) -> list[str]:
    """People who wait, limits that change, claims that expire."""
    told = [WAITING[at].format(count=found.known.waiting)] if found.known.waiting else []
    for day, limit in sorted(found.known.limits.items()):
        text = UNLIMITED if limit is None else LIMIT
        told.append(text[at].format(limit=limit, day=_day(day, at)))
    if found.known.expiring:
        count, last = sum(found.known.expiring.values()), max(found.known.expiring)
        told.append(EXPIRING[at].format(count=count, day=_day(last, at)))
    return told


def _error(seats: float, at: int) -> str:
    count = round(abs(seats), 1)
    if count == 0:
        return RIGHT[at]
    number = f"{count:g}".replace(".", "." if at == 0 else ",")
    one, several = (("seat", "seats"), ("place", "places"))[at]
    text = HIGH if seats > 0 else LOW
    return text[at].format(seats=f"{number} {one if count == 1 else several}")


def _day(day: date, at: int) -> str:
    first = sentences.FIRST_DAY[at] if day.day == 1 else str(day.day)
    return DAY[at].format(day=first, month=sentences.MONTHS[at][day.month - 1], year=day.year)
