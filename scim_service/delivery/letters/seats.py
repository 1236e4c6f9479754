"""Letters to administrators about seats that run out, and contracts that end (licensing.md N-5, N-6)."""

from __future__ import annotations

from scim_service.delivery.letters.administrators import because_you_administer
from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Block, Letter

UNLIMITED = "-"


def seats_low(facts: Facts) -> Letter:
    """Few seats are left: {type, used, limit, left}."""
    left = int(facts["left"])
    return facts.letter(
        facts.count(
            left,
            ("{type}: {n} seat left", "{type}: {n} seats left"),
            ("{type} : il reste {n} siège", "{type} : il reste {n} sièges"),
        ),
        facts.count(
            int(facts["used"]),
            (
                "Of {limit} seats of the license {type}, {n} is used.",
                "Of {limit} seats of the license {type}, {n} are used.",
            ),
            (
                "Sur {limit} sièges de la licence {type}, {n} est occupé.",
                "Sur {limit} sièges de la licence {type}, {n} sont occupés.",
            ),
            limit=facts.number(facts["limit"]),
        ),
        facts.say(
            "When none is left, people wait in the queue. Buy seats or free some before.",
            "Lorsqu’il n’y en aura plus, les personnes seront placées en file d’attente. "
            "Achetez des sièges ou libérez-en d’ici là.",
        ),
        why=because_you_administer(facts),
    )


def none_left(facts: Facts) -> Letter:
    """All seats are used: {type, used, limit, waiting}."""
    return facts.letter(
        facts.say("{type}: no seat left", "{type} : plus aucun siège libre"),
        facts.count(
            int(facts["limit"]),
            ("The only seat of the license {type} is used.", "All {n} seats of the license {type} are used."),
            (
                "Le seul siège de la licence {type} est occupé.",
                "Les {n} sièges de la licence {type} sont tous occupés.",
            ),
        ),
        facts.count(
            int(facts["waiting"]),
            ("{n} person is waiting for one.", "{n} people are waiting for one."),
            ("{n} personne est en file d’attente.", "{n} personnes sont en file d’attente."),
        )
        if facts["waiting"]
        else facts.say("Nobody is waiting yet.", "Personne n’est encore en file d’attente."),
        facts.say(
            "Seats that are freed go to the queue by themselves. Buy seats, or free some that are not needed.",
            "Les sièges libérés sont attribués automatiquement à la file d’attente. "
            "Achetez des sièges ou libérez ceux qui ne servent pas.",
        ),
        why=because_you_administer(facts),
    )


def contract_ends(facts: Facts) -> Letter:
    """A contract ends, 90 to 1 days before: {contract, ends_at, days, types}."""
    return facts.letter(
        facts.count(
            int(facts["days"]),
            ("Contract {contract} ends in {n} day", "Contract {contract} ends in {n} days"),
            ("Le contrat {contract} se termine dans {n} jour", "Le contrat {contract} se termine dans {n} jours"),
            contract=facts["contract"],
        ),
        facts.say(
            "The contract {contract} of {tenant} ends on {at}. From then on its seats are given to nobody new.",
            "Le contrat {contract} de l’organisation {tenant} se termine le {at}. "
            "À partir de cette date, ses sièges ne seront plus attribués à de nouvelles personnes.",
            contract=facts["contract"],
            at=facts.instant(facts["ends_at"]),
        ),
        _types(facts),
        facts.say(
            "Renew the contract before, and nobody notices anything.",
            "Renouvelez le contrat d’ici là : personne ne remarquera rien.",
        ),
        why=because_you_administer(facts),
    )


def contract_ended(facts: Facts) -> Letter:
    """A contract is over and its grace runs: {contract, grace_until, types}."""
    return facts.letter(
        facts.say("Contract {contract} has ended", "Le contrat {contract} est terminé", contract=facts["contract"]),
        facts.say(
            "The contract {contract} of {tenant} has ended. Who has one of its seats keeps it until {at}.",
            "Le contrat {contract} de l’organisation {tenant} est terminé. "
            "Les personnes qui occupent ses sièges les conservent jusqu’au {at}.",
            contract=facts["contract"],
            at=facts.instant(facts["grace_until"]),
        ),
        _types(facts),
        _renew(facts),
        why=because_you_administer(facts),
    )


def grace_ends(facts: Facts) -> Letter:
    """The grace of a contract ends, 3 and 1 days before: {contract, grace_until, days, types}."""
    return facts.letter(
        facts.count(
            int(facts["days"]),
            (
                "In {n} day the licenses of contract {contract} end",
                "In {n} days the licenses of contract {contract} end",
            ),
            (
                "Dans {n} jour, les licences du contrat {contract} prendront fin",
                "Dans {n} jours, les licences du contrat {contract} prendront fin",
            ),
            contract=facts["contract"],
        ),
        facts.say(
            "The contract {contract} of {tenant} has ended. On {at} its seats go, and who has one loses the license.",
            "Le contrat {contract} de l’organisation {tenant} est terminé. "
            "Le {at}, ses sièges disparaîtront et les personnes qui les occupent perdront leur licence.",
            contract=facts["contract"],
            at=facts.instant(facts["grace_until"]),
        ),
        _types(facts),
        _renew(facts),
        why=because_you_administer(facts),
    )


def grace_ended(facts: Facts) -> Letter:
    """The grace of a contract is over: {contract, types}."""
    return facts.letter(
        facts.say(
            "The licenses of contract {contract} have ended",
            "Les licences du contrat {contract} ont pris fin",
            contract=facts["contract"],
        ),
        facts.say(
            "The contract {contract} of {tenant} and the time after it are over: its seats are gone.",
            "Le contrat {contract} de l’organisation {tenant} et le délai qui le suit sont écoulés : "
            "ses sièges ne sont plus disponibles.",
            contract=facts["contract"],
        ),
        _types(facts),
        facts.say(
            "A renewal gives the seats back, first to those who had them.",
            "Un renouvellement rétablit les sièges, d’abord pour les personnes qui en disposaient.",
        ),
        why=because_you_administer(facts),
    )


def _types(facts: Facts) -> list[Block]:
    heads = (facts.say("License", "Licence"), facts.say("Seats", "Sièges"), facts.say("Used", "Occupés"))
    rows = [
        (facts.name(one["type"]), _number(facts, one.get("seats")), _number(facts, one.get("used")))
        for one in facts.listed("types")
    ]
    return facts.table(heads, rows)


def _number(facts: Facts, value: int | None) -> str:
    return UNLIMITED if value is None else facts.number(value)


def _renew(facts: Facts) -> str:
    return facts.say(
        "Renew the contract before, and everybody keeps the license.",
        "Renouvelez le contrat d’ici là : chacun conservera sa licence.",
    )
