"""Letters to a person about a license (licensing.md N-4, N-6, E-22, E-29)."""

from __future__ import annotations

from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Letter

DROPS = {
    "cap_decrease": (
        "More people hold this license than {tenant} has seats for.",
        "{tenant} a moins de sièges que de personnes qui disposent de cette licence.",
    ),
    "contract_end": (
        "The contract that this license was bought with has ended.",
        "Le contrat qui comprend cette licence est arrivé à son terme.",
    ),
    "line_end": (
        "The seats of this license were bought for a time that is over.",
        "Les sièges de cette licence avaient été achetés pour une durée qui est écoulée.",
    ),
}
"""Why seats are taken away, by the reason of a capacity drop (D-13)."""

WAITING = "waiting"


def promoted(facts: Facts) -> Letter:
    """From the queue to a seat: {type, since}."""
    at = facts.instant(facts["since"])
    return facts.letter(
        facts.say("You now have a license: {type}", "Vous avez maintenant une licence : {type}"),
        facts.say(
            "A seat is free, and it is yours: you have had the license {type} since {at}.",
            "Un siège s’est libéré pour vous : vous disposez de la licence {type} depuis le {at}.",
            at=at,
        ),
        facts.say("There is nothing to do.", "Vous n’avez rien à faire."),
        facts.product_link(),
    )


def yielded(facts: Facts) -> Letter:
    """The grace was cut short for somebody who waits (A-6): {type}."""
    return facts.letter(
        facts.say("Your license has ended: {type}", "Votre licence a pris fin : {type}"),
        facts.say(
            "Your license {type} was about to end. All seats are used and somebody else was waiting, "
            "so it has ended now.",
            "Votre licence {type} arrivait à son terme. Tous les sièges étant occupés et une autre personne étant en "
            "file d’attente, elle a pris fin dès maintenant.",
        ),
        _if_needed(facts),
    )


def drop_deadline(facts: Facts) -> Letter:
    """A seat will be taken away, as capacity fell: {type, until, reason}."""
    at = facts.instant(facts["until"])
    reason = DROPS.get(str(facts.get("reason")))
    return facts.letter(
        facts.say("Your license will end: {type}", "Votre licence va prendre fin : {type}"),
        facts.say(
            "You keep your license {type} until {at}. Then it ends.",
            "Vous conservez votre licence {type} jusqu’au {at}. Elle prendra fin à cette date.",
            at=at,
        ),
        facts.say(*reason) if reason else "",
        _if_needed(facts),
    )


def drop_executed(facts: Facts) -> Letter:
    """The seat was taken away: {type}."""
    return facts.letter(
        facts.say("Your license has ended: {type}", "Votre licence a pris fin : {type}"),
        facts.say(
            "Your license {type} has ended, because there are no longer enough seats of it.",
            "Votre licence {type} a pris fin, car il n’y a plus assez de sièges.",
        ),
        _if_needed(facts),
    )


def contract_last_day(facts: Facts) -> Letter:
    """The last day before the grace of a contract ends: {types, grace_until}."""
    names = [facts.name(one) for one in facts.listed("types")]
    at = facts.instant(facts["grace_until"])
    return facts.letter(
        facts.count(
            len(names),
            ("Your license will end: {names}", "Your licenses will end: {names}"),
            ("Votre licence va prendre fin : {names}", "Vos licences vont prendre fin : {names}"),
            names=facts.join(names),
        ),
        facts.count(
            len(names),
            ("Your license {names} ends on {at}.", "Your licenses {names} end on {at}."),
            ("Votre licence {names} prendra fin le {at}.", "Vos licences {names} prendront fin le {at}."),
            names=facts.join(names),
            at=at,
        ),
        facts.say(*DROPS["contract_end"]) if len(names) == 1 else "",
        _if_needed(facts, len(names)),
    )


def request_approved(facts: Facts) -> Letter:
    """A request was approved; without a seat the person waits (E-22): {type, state}."""
    waits = facts.get("state") == WAITING
    return facts.letter(
        facts.say("Your request was approved: {type}", "Votre demande a été acceptée : {type}"),
        facts.say(
            "You asked for the license {type}, and your request was approved.",
            "Vous avez demandé la licence {type} et votre demande a été acceptée.",
        ),
        facts.say(
            "No seat is free at the moment. You are in the queue and will be told when it is your turn.",
            "Aucun siège n’est libre pour le moment. "
            "Vous êtes en file d’attente ; nous vous préviendrons le moment venu.",
        )
        if waits
        else facts.say("You have the license now.", "Vous disposez maintenant de la licence."),
        [] if waits else facts.product_link(),
    )


def request_denied(facts: Facts) -> Letter:
    """A request was denied, for a reason (E-22): {type, reason, not_before}."""
    reason, again = facts.get("reason"), facts.get("not_before")
    return facts.letter(
        facts.say("Your request was denied: {type}", "Votre demande a été refusée : {type}"),
        facts.say(
            "You asked for the license {type}, and your request was denied.",
            "Vous avez demandé la licence {type} et votre demande a été refusée.",
        ),
        facts.say("Reason given: {reason}", "Motif indiqué : {reason}", reason=reason) if reason else "",
        facts.say(
            "You may ask again from {at} on.",
            "Vous pourrez faire une nouvelle demande à partir du {at}.",
            at=facts.instant(again),
        )
        if again
        else "",
    )


def reclaim_ask(facts: Facts) -> Letter:
    """Somebody holds a license and does not use it (E-29): {type, idle_days, keep_link, give_up_link, release_at}."""
    return facts.letter(
        facts.say("Do you still need your license {type}?", "Avez-vous encore besoin de votre licence {type} ?"),
        _idle(facts),
        facts.say("Say whether you still need it.", "Dites-nous si vous en avez encore besoin."),
        facts.link("keep_link", "Keep the license", "Conserver la licence"),
        facts.link("give_up_link", "Give the license up", "Libérer la licence"),
        _released_at(facts),
    )


def reclaim_reminder(facts: Facts) -> Letter:
    """The same again, as there was no answer: {type, idle_days, keep_link, give_up_link, release_at}."""
    return facts.letter(
        facts.say(
            "Reminder: do you still need your license {type}?",
            "Rappel : avez-vous encore besoin de votre licence {type} ?",
        ),
        _idle(facts),
        facts.say(
            "We asked whether you still need it, and have no answer yet.",
            "Nous vous avons demandé si vous en avez encore besoin et n’avons pas encore de réponse.",
        ),
        facts.link("keep_link", "Keep the license", "Conserver la licence"),
        facts.link("give_up_link", "Give the license up", "Libérer la licence"),
        _released_at(facts),
    )


def reclaim_released(facts: Facts) -> Letter:
    """The license was released, as nobody answered: {type}."""
    return facts.letter(
        facts.say("Your license was released: {type}", "Votre licence a été libérée : {type}"),
        facts.say(
            "You did not use your license {type} and did not say that you need it, so its seat was released.",
            "Vous n’utilisiez pas votre licence {type} et n’avez pas indiqué en avoir besoin : son siège a été libéré.",
        ),
        _if_needed(facts),
    )


def _idle(facts: Facts) -> str:
    return facts.count(
        int(facts["idle_days"]),
        ("You have not used your license {type} for {n} day.", "You have not used your license {type} for {n} days."),
        (
            "Vous n’avez pas utilisé votre licence {type} depuis {n} jour.",
            "Vous n’avez pas utilisé votre licence {type} depuis {n} jours.",
        ),
    )


def _released_at(facts: Facts) -> str:
    end = facts.get("release_at")
    if not end:
        return ""
    return facts.say(
        "Without an answer, the license is released on {at} and somebody else can have it.",
        "Sans réponse de votre part, la licence sera libérée le {at} et pourra être réaffectée.",
        at=facts.instant(end),
    )


def _if_needed(facts: Facts, licenses: int = 1) -> str:
    french = "Si vous en avez encore besoin, dites-le à vos administrateurs."
    return facts.count(
        licenses,
        ("If you still need it, tell your administrators.", "If you still need them, tell your administrators."),
        (french, french),
    )
