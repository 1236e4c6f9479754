"""The administrators' weekly letter: what happened, what waits, what is about to happen (licensing.md N-4, N-7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scim_service.delivery.letters.administrators import because_you_administer
from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Block, Heading, Letter

Pair = tuple[str, str]
Row = Callable[[Facts, Mapping[str, Any]], tuple[str, ...]]

TYPE, PERSON, SINCE, UNTIL = ("License", "Licence"), ("Person", "Personne"), ("Since", "Depuis"), ("Until", "Jusqu’au")
PEOPLE, SEATS, REASON = ("People", "Personnes"), ("Seats", "Sièges"), ("Reason", "Motif")

KINDS = {
    "invitation": ("Invitation", "Invitation"),
    "verification": ("Confirmation of the address", "Confirmation de l’adresse"),
}
OUTCOMES = {
    "kept": ("Still needed", "Encore utile"),
    "given_up": ("Given up", "Licence rendue"),
    "released": ("Released without an answer", "Libérée sans réponse"),
    "reported": ("Not needed, but a group gives it", "Inutile, mais attribuée par un groupe"),
    "over": ("Settled otherwise", "Réglé autrement"),
}
"""What came of asking who does not use a license (E-29)."""

REASONS = {
    "cap_decrease": ("Fewer seats", "Moins de sièges"),
    "contract_end": ("End of the contract", "Fin du contrat"),
    "line_end": ("End of the seats bought", "Fin des sièges achetés"),
    "yielded": ("Gave way to the queue", "Cédé à la file d’attente"),
    "drop_executed": ("No seat any more", "Plus de siège"),
}
"""Why seats go, in a few words."""


def digest(facts: Facts) -> Letter:
    """What administrators are told once a week: {week, waiting, lapsed, expiring, drops, requests, …}."""
    found = [block for name in SECTIONS for block in _section(facts, name)]
    if not found:
        found = [facts.say("There is nothing to tell of.", "Il n’y a rien à signaler.")]
    return facts.letter(
        facts.say(
            "Licenses of {tenant}: the week {week}", "Licences chez {tenant} : semaine {week}", week=facts["week"]
        ),
        facts.say(
            "What happened with the licenses of {tenant}, what waits, and what comes next.",
            "Ce qui s’est passé pour les licences de l’organisation {tenant}, ce qui attend et ce qui va suivre.",
        ),
        found,
        why=because_you_administer(facts),
    )


def _section(facts: Facts, name: str) -> list[Block]:
    """A title and a table; nothing where there is nothing to tell."""
    title, heads, row = SECTIONS[name]
    untold = int((facts.get("more") or {}).get(name, 0))
    table = facts.table([facts.say(*one) for one in heads], [row(facts, one) for one in facts.listed(name)], untold)
    return [Heading(facts.say(*title)), *table] if table else []


def _waiting(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return facts.name(row["type"]), facts.number(row["count"])


def _request(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"], facts.name(row["type"]), _at(facts, row.get("since"))


def _lapsed(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"] or row["email"], row["email"], _words(facts, KINDS, row["kind"])


def _expiring(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"], facts.name(row["type"]), _at(facts, row["until"])


def _drop(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    reason = _words(facts, REASONS, row["reason"])
    return facts.name(row["type"]), facts.number(row["seats"]), reason, _at(facts, row["until"])


def _lost(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"], facts.name(row["type"]), _words(facts, REASONS, row["reason"])


def _conflict(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"], facts.name(row["type"]), facts.join([str(one) for one in row["with"]])


def _orphan(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["group"], facts.name(row["type"])


def _reclaimed(facts: Facts, row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["name"], facts.name(row["type"]), _words(facts, OUTCOMES, row["outcome"])


def _at(facts: Facts, text: str | None) -> str:
    return facts.instant(text) if text else ""


def _words(facts: Facts, known: Mapping[str, Pair], code: str) -> str:
    return facts.say(*known[code]) if code in known else str(code)


SECTIONS: dict[str, tuple[Pair, tuple[Pair, ...], Row]] = {
    "waiting": (("Waiting for a seat", "En file d’attente"), (TYPE, PEOPLE), _waiting),
    "requests": (("Requests to decide", "Demandes à traiter"), (PERSON, TYPE, SINCE), _request),
    "drops": (("Seats that will be lost", "Sièges qui seront perdus"), (TYPE, SEATS, REASON, UNTIL), _drop),
    "expiring": (("Licenses that end soon", "Licences qui prennent bientôt fin"), (PERSON, TYPE, UNTIL), _expiring),
    "lapsed": (
        ("Not answered in time", "Restées sans réponse"),
        (PERSON, ("Address", "Adresse"), ("What", "Objet")),
        _lapsed,
    ),
    "promoted": (("Given from the queue", "Attribuées depuis la file d’attente"), (PERSON, TYPE, SINCE), _request),
    "lost": (("Licenses lost", "Licences perdues"), (PERSON, TYPE, REASON), _lost),
    "reclaimed": (
        ("Licenses that were not used", "Licences inutilisées"),
        (PERSON, TYPE, ("Outcome", "Résultat")),
        _reclaimed,
    ),
    "conflicts": (("Licenses in conflict", "Licences en conflit"), (PERSON, TYPE, ("With", "Avec")), _conflict),
    "orphans": (
        ("Rules without their group", "Règles dont le groupe n’existe plus"),
        (("Group", "Groupe"), TYPE),
        _orphan,
    ),
}
"""Part of the digest → its title, the heads of its table, and how a fact becomes a row; in the order of the letter."""
