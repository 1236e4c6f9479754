"""Letters to administrators and to who runs the service, when something is wrong (licensing.md N-8)."""

from __future__ import annotations

from typing import Any

from scim_service.delivery.letters.administrators import because_you_administer
from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Letter


def mass_removal(facts: Facts) -> Letter:
    """An identity provider removed many people at once; seats are parked (E-27): {removed, parked, types, until}."""
    removed, parked, end = int(facts["removed"]), int(facts["parked"]), facts.get("until")
    return facts.letter(
        facts.count(
            removed,
            ("{n} person was removed at once", "{n} people were removed at once"),
            ("{n} personne a été retirée en peu de temps", "{n} personnes ont été retirées en peu de temps"),
        ),
        facts.count(
            removed,
            (
                "The identity provider of {tenant} removed {n} person within a few minutes. The access has ended.",
                "The identity provider of {tenant} removed {n} people within a few minutes. Their access has ended.",
            ),
            (
                "Le fournisseur d’identité de l’organisation {tenant} a retiré {n} personne en quelques minutes. "
                "Son accès a pris fin.",
                "Le fournisseur d’identité de l’organisation {tenant} a retiré {n} personnes en quelques minutes. "
                "Leurs accès ont pris fin.",
            ),
        ),
        _kept(facts, parked, end) if parked and end else "",
        facts.table([facts.say("License", "Licence")], [(_named(facts, one),) for one in facts.listed("types")]),
        facts.say(
            "If this was an error, undo it, or let the identity provider send these people again. If it was meant, "
            "confirm it and the queue has the seats at once.",
            "S’il s’agit d’une erreur, annulez-la ou faites renvoyer ces personnes par le fournisseur d’identité. "
            "Si c’était voulu, confirmez-le : la file d’attente recevra les sièges aussitôt.",
        ),
        why=because_you_administer(facts),
    )


def ledger_differs(facts: Facts) -> Letter:
    """The nightly check found what does not add up: {findings}."""
    found = facts["findings"]
    told = found if isinstance(found, list) else [found]
    return facts.letter(
        facts.say("The seats of {tenant} do not add up", "Les comptes de sièges chez {tenant} ne concordent pas"),
        facts.say(
            "The nightly check compared the seats of {tenant} with what they should be, and found differences.",
            "La vérification nocturne a comparé les sièges de l’organisation {tenant} à ce qu’ils devraient être "
            "et a constaté des écarts.",
        ),
        facts.table([facts.say("Finding", "Constat")], [(_text(one),) for one in told]),
        facts.say(
            "Let who runs the service look at it: scim-service seats verify tells the details.",
            "Demandez à l’exploitant du service d’examiner ces écarts : "
            "la commande scim-service seats verify en donne le détail.",
        ),
        why=because_you_administer(facts),
    )


def dead_letters(facts: Facts) -> Letter:
    """Letters could not be delivered and are given up: {count, oldest_at, reason}."""
    reason = facts.get("reason")
    return facts.letter(
        facts.count(
            int(facts["count"]),
            ("{n} letter could not be delivered", "{n} letters could not be delivered"),
            ("{n} message n’a pas pu être remis", "{n} messages n’ont pas pu être remis"),
        ),
        facts.count(
            int(facts["count"]),
            (
                "{n} letter of {tenant} could not be delivered and is tried no more. It is from {at}.",
                "{n} letters of {tenant} could not be delivered and are tried no more. The oldest is from {at}.",
            ),
            (
                "{n} message de l’organisation {tenant} n’a pas pu être remis et ne sera plus envoyé. Il date du {at}.",
                "{n} messages de l’organisation {tenant} n’ont pas pu être remis et ne seront plus envoyés. "
                "Le plus ancien date du {at}.",
            ),
            at=facts.instant(facts["oldest_at"]),
        ),
        facts.say("The last reason: {reason}", "Le dernier motif : {reason}", reason=reason) if reason else "",
        facts.say(
            "Correct the addresses, then have the letters sent again: "
            "scim-service outbox list --state dead shows them.",
            "Corrigez les adresses, puis faites renvoyer les messages : "
            "la commande scim-service outbox list --state dead les affiche.",
        ),
        why=because_you_administer(facts),
    )


def token_expires(facts: Facts) -> Letter:
    """A connection's token expires in 30 or 7 days (reliability.md A3): {connection, days}."""
    days, connection = int(facts["days"]), facts["connection"]
    return facts.letter(
        facts.count(
            days,
            (
                "The token of {connection} expires in {n} day",
                "The token of {connection} expires in {n} days",
            ),
            (
                "Le jeton de la connexion {connection} expire dans {n} jour",
                "Le jeton de la connexion {connection} expire dans {n} jours",
            ),
            connection=connection,
        ),
        facts.count(
            days,
            (
                "A token of the connection {connection} of {tenant} expires in {n} day. From then on the identity "
                "provider is refused, and nobody is added or removed.",
                "A token of the connection {connection} of {tenant} expires in {n} days. From then on the identity "
                "provider is refused, and nobody is added or removed.",
            ),
            (
                "Un jeton de la connexion {connection} de l’organisation {tenant} expire dans {n} jour. "
                "Ensuite, le fournisseur d’identité sera refusé : plus personne ne sera ajouté ni retiré.",
                "Un jeton de la connexion {connection} de l’organisation {tenant} expire dans {n} jours. "
                "Ensuite, le fournisseur d’identité sera refusé : plus personne ne sera ajouté ni retiré.",
            ),
            connection=connection,
        ),
        facts.say(
            "Make a new token, enter it at the identity provider, and let the old one run out.",
            "Créez un nouveau jeton, saisissez-le chez le fournisseur d’identité et laissez l’ancien expirer.",
        ),
        why=because_you_administer(facts),
    )


def _kept(facts: Facts, parked: int, end: str) -> str:
    return facts.count(
        parked,
        (
            "{n} seat is kept for its holder until {at}; then the queue has it.",
            "{n} seats are kept for their holders until {at}; then the queue has them.",
        ),
        (
            "{n} siège est conservé pour la personne qui l’occupait jusqu’au {at} ; "
            "il sera ensuite attribué à la file d’attente.",
            "{n} sièges sont conservés pour les personnes qui les occupaient jusqu’au {at} ; "
            "ils seront ensuite attribués à la file d’attente.",
        ),
        at=facts.instant(end),
    )


def _named(facts: Facts, one: Any) -> str:
    """A type, alone or as {"type": …}."""
    return facts.name(one["type"] if isinstance(one, dict) and "type" in one else one)


def _text(found: Any) -> str:
    if isinstance(found, dict):
        return ", ".join(f"{name}: {value}" for name, value in found.items())
    return str(found)
