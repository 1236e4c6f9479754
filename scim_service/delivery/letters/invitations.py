"""Letters that ask somebody to come in, and that say who is in (licensing.md T-1 to T-6, N-2, N-3)."""

from __future__ import annotations

from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Block, Letter


def invitation(facts: Facts) -> Letter:
    """Somebody without an account is invited: {link, type|null, invited_by, expires_at}."""
    return facts.letter(
        facts.say("Invitation to {service}", "Invitation à rejoindre {service}"),
        _invited_by(facts),
        _reserved(facts),
        facts.say("Accept the invitation to create your account.", "Acceptez l’invitation pour créer votre compte."),
        accept(facts),
        works_until(facts),
        not_expected(facts),
        why=because_invited(facts),
    )


def invitation_reminder(facts: Facts) -> Letter:
    """The invitation was not answered yet: {link, type|null, expires_at}."""
    return facts.letter(
        facts.say("Reminder: your invitation to {service}", "Rappel : votre invitation à rejoindre {service}"),
        facts.say(
            "You were invited to {service} and have not answered yet.",
            "Vous avez reçu une invitation à rejoindre {service} et n’avez pas encore répondu.",
        ),
        _reserved(facts),
        accept(facts),
        works_until(facts),
        not_expected(facts),
        why=because_invited(facts),
    )


def invitation_last(facts: Facts) -> Letter:
    """The last word about an invitation, before its link dies: {link}."""
    return facts.letter(
        facts.say(
            "Last reminder: your invitation to {service}", "Dernier rappel : votre invitation à rejoindre {service}"
        ),
        facts.say(
            "Your invitation to {service} is about to end. This is the last letter about it.",
            "Votre invitation à rejoindre {service} va bientôt expirer. Ce message est le dernier à ce sujet.",
        ),
        accept(facts),
        works_until(facts),
        not_expected(facts),
        why=because_invited(facts),
    )


def verification(facts: Facts) -> Letter:
    """An address is to be confirmed: {link}."""
    return facts.letter(
        facts.say("Confirm your address for {service}", "Confirmez votre adresse pour {service}"),
        facts.say(
            "This address was given for an account at {service}. Confirm that it is yours.",
            "Cette adresse a été indiquée pour un compte {service}. Confirmez qu’elle est bien la vôtre.",
        ),
        _confirm(facts),
        works_until(facts),
        _not_yours(facts),
        why=_because_of_address(facts),
    )


def verification_reminder(facts: Facts) -> Letter:
    """The address is still not confirmed, a day and four days after (BK-12, BK-13): {link, expires_at}."""
    return facts.letter(
        facts.say("Reminder: confirm your address for {service}", "Rappel : confirmez votre adresse pour {service}"),
        facts.say(
            "The address of your account at {service} is not confirmed yet.",
            "L’adresse de votre compte {service} n’est pas encore confirmée.",
        ),
        _confirm(facts),
        works_until(facts),
        _not_yours(facts),
        why=_because_of_address(facts),
    )


def verification_last(facts: Facts) -> Letter:
    """The last word about a verification, before its link dies: {link}."""
    return facts.letter(
        facts.say(
            "Last reminder: confirm your address for {service}",
            "Dernier rappel : confirmez votre adresse pour {service}",
        ),
        facts.say(
            "The address of your account at {service} is not confirmed yet. This is the last letter about it.",
            "L’adresse de votre compte {service} n’est pas encore confirmée. Ce message est le dernier à ce sujet.",
        ),
        _confirm(facts),
        works_until(facts),
        _not_yours(facts),
        why=_because_of_address(facts),
    )


def welcome(facts: Facts) -> Letter:
    """The address is confirmed and the account is linked to the license, with nothing left to do: {type|null}."""
    return facts.letter(
        facts.say("Welcome to {service}", "Bienvenue sur {service}"),
        facts.say(
            "Your address is confirmed and your account is ready.",
            "Votre adresse est confirmée et votre compte est prêt.",
        ),
        _held(facts),
        facts.product_link(),
        facts.documentation_link(),
    )


def belongs_to(facts: Facts) -> Letter:
    """Somebody with an account belongs to the organization now, the license named (BK-16, BK-20): {type|null}."""
    return facts.letter(
        facts.say("You now belong to {tenant}", "Vous faites maintenant partie de l’organisation {tenant}"),
        facts.say(
            "Your account at {product} now belongs to the organization {tenant}.",
            "Votre compte {product} fait maintenant partie de l’organisation {tenant}.",
        ),
        _held(facts),
        facts.say(
            "To begin, sign in with the account that you have: "
            "there is no account to create and no address to confirm.",
            "Pour commencer, connectez-vous avec votre compte actuel : "
            "vous n’avez ni compte à créer, ni adresse à confirmer.",
        ),
        facts.product_link(),
        facts.documentation_link(),
    )


def access_created(facts: Facts) -> Letter:
    """An access was made by hand or by an import, and the person is told of it (BW-24): {type|null, user_name}."""
    return facts.letter(
        facts.say("Your access to {service}", "Votre accès à {service}"),
        facts.say(
            "An access to {service} was created for you. Your user name is: {user}",
            "Un accès à {service} a été créé pour vous. Votre nom d’utilisateur est : {user}",
            user=facts["user_name"],
        ),
        _held(facts),
        facts.product_link(),
        facts.documentation_link(),
    )


def address_changed_old(facts: Facts) -> Letter:
    """To the address that an account had until now (E4): {}."""
    return facts.letter(
        facts.say(
            "The address of your account at {service} has changed", "L’adresse de votre compte {service} a changé"
        ),
        facts.say(
            "Another address now stands for your account at {service}. Letters about it no longer come to this one.",
            "Une autre adresse est désormais associée à votre compte {service}. "
            "Les messages à son sujet ne vous parviendront plus à celle-ci.",
        ),
        facts.say(
            "If you know nothing of this change, tell your administrators at once.",
            "Si vous n’êtes pas au courant de ce changement, prévenez immédiatement vos administrateurs.",
        ),
    )


def address_changed_new(facts: Facts) -> Letter:
    """To the address that an account has from now on (E4); with {link}, it is to be confirmed."""
    said = facts.say(
        "This address now stands for your account at {service}.",
        "Cette adresse est désormais associée à votre compte {service}.",
    )
    if not facts.get("link"):
        return facts.letter(
            facts.say("The new address of your account at {service}", "La nouvelle adresse de votre compte {service}"),
            said,
        )
    return facts.letter(
        facts.say(
            "Confirm the new address of your account at {service}",
            "Confirmez la nouvelle adresse de votre compte {service}",
        ),
        said,
        facts.say("Confirm that it is yours.", "Confirmez qu’elle est bien la vôtre."),
        _confirm(facts),
        works_until(facts),
        _not_yours(facts),
        why=_because_of_address(facts),
    )


def _invited_by(facts: Facts) -> str:
    inviter = facts.get("invited_by")
    if not inviter:
        return facts.say("You are invited to {service}.", "Vous avez reçu une invitation à rejoindre {service}.")
    return facts.say(
        "{inviter} invites you to {service}.", "{inviter} vous invite à rejoindre {service}.", inviter=inviter
    )


def _reserved(facts: Facts) -> str:
    if not facts.type:
        return ""
    return facts.say("A license is reserved for you: {type}.", "Une licence vous est réservée : {type}.")


def _held(facts: Facts) -> str:
    if not facts.type:
        return ""
    return facts.say("You have this license: {type}.", "Vous disposez de cette licence : {type}.")


def accept(facts: Facts) -> list[Block]:
    """The link that accepts an invitation."""
    return facts.link("link", "Accept the invitation", "Accepter l’invitation")


def _confirm(facts: Facts) -> list[Block]:
    return facts.link("link", "Confirm the address", "Confirmer l’adresse")


def works_until(facts: Facts) -> str:
    """Until when the link works, where that is known."""
    end = facts.get("expires_at")
    if not end:
        return ""
    at = facts.instant(end)
    return facts.say("The link works until {at}.", "Ce lien est valable jusqu’au {at}.", at=at)


def not_expected(facts: Facts) -> str:
    """What to do with an invitation that comes as a surprise."""
    return facts.say(
        "If you did not expect this invitation, ignore this letter: nothing happens without you.",
        "Si vous n’attendiez pas cette invitation, ignorez ce message : rien ne se passera sans vous.",
    )


def _not_yours(facts: Facts) -> str:
    return facts.say(
        "If you know nothing of this account, ignore this letter: the address stays unconfirmed.",
        "Si vous n’avez pas connaissance de ce compte, ignorez ce message : l’adresse ne sera pas confirmée.",
    )


def because_invited(facts: Facts) -> str:
    """Why somebody who is invited gets a letter."""
    return facts.say(
        "You get this letter from {product} because {tenant} invited you at this address.",
        "{product} vous envoie ce message car {tenant} vous a adressé une invitation.",
    )


def _because_of_address(facts: Facts) -> str:
    return facts.say(
        "You get this letter from {product} because this address was given for an account at {tenant}.",
        "{product} vous envoie ce message car cette adresse a été indiquée pour un compte chez {tenant}.",
    )
