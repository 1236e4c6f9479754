"""Letters to who administers, about that (licensing.md N-1; BK-04, BS-04, BS-06, BS-15)."""

from __future__ import annotations

from scim_service.delivery.letters import invitations
from scim_service.delivery.letters.facts import Facts
from scim_service.delivery.letters.letter import Letter

ROLES = {
    "head": ("head administrator", "administrateur principal"),
    "administrator": ("administrator", "administrateur"),
    "license_administrator": ("license administrator", "administrateur des licences"),
    "operator": ("operator", "opérateur"),
    "auditor": ("auditor", "auditeur"),
}
"""What the roles of D-12 are called."""

DUTIES = {
    "head": (
        "You have every authority, and you alone appoint your successor.",
        "Vous disposez de tous les droits et vous seul pouvez désigner votre successeur.",
    ),
    "administrator": (
        "You may change settings, people, licenses and access.",
        "Vous pouvez modifier les réglages, les personnes, les licences et les accès.",
    ),
    "license_administrator": (
        "You may give and take the licenses of your products.",
        "Vous pouvez attribuer et retirer les licences de vos produits.",
    ),
    "operator": (
        "You may look at everything, and send invitations again.",
        "Vous pouvez tout consulter et renvoyer les invitations.",
    ),
    "auditor": (
        "You may look at everything, the event log included.",
        "Vous pouvez tout consulter, y compris le journal des événements.",
    ),
}
"""What the roles may do, in a sentence."""


def administrator_invited(facts: Facts) -> Letter:
    """Somebody is to administer: {link, role, invited_by, expires_at}."""
    inviter = facts.get("invited_by")
    said = facts.say(
        "You are invited to administer {tenant}. Your role: {role}.",
        "Vous avez reçu une invitation à administrer {tenant}. Votre rôle : {role}.",
        role=_role(facts),
    )
    if inviter:
        said = facts.say(
            "{inviter} invites you to administer {tenant}. Your role: {role}.",
            "{inviter} vous invite à administrer {tenant}. Votre rôle : {role}.",
            inviter=inviter,
            role=_role(facts),
        )
    return facts.letter(
        facts.say("Invitation to administer {tenant}", "Invitation à administrer {tenant}"),
        said,
        _duty(facts, facts["role"]),
        invitations.accept(facts),
        invitations.works_until(facts),
        invitations.not_expected(facts),
        why=invitations.because_invited(facts),
    )


def administrator_reminder(facts: Facts) -> Letter:
    """The invitation to administer was not answered yet: {link, role, expires_at}."""
    return facts.letter(
        facts.say(
            "Reminder: your invitation to administer {tenant}", "Rappel : votre invitation à administrer {tenant}"
        ),
        facts.say(
            "You were invited to administer {tenant} and have not answered yet. Your role: {role}.",
            "Vous avez reçu une invitation à administrer {tenant} et n’avez pas encore répondu. Votre rôle : {role}.",
            role=_role(facts),
        ),
        invitations.accept(facts),
        invitations.works_until(facts),
        invitations.not_expected(facts),
        why=invitations.because_invited(facts),
    )


def administrator_designated(facts: Facts) -> Letter:
    """Somebody is administrator from now on (BK-04): {role}."""
    return facts.letter(
        facts.say("You now administer {tenant}", "Vous êtes maintenant administrateur chez {tenant}"),
        facts.say(
            "You are now an administrator of the organization {tenant}. Your role: {role}.",
            "Vous êtes maintenant administrateur de l’organisation {tenant}. Votre rôle : {role}.",
            role=_role(facts),
        ),
        _duty(facts, facts["role"]),
        why=because_you_administer(facts),
    )


def head_appointed(facts: Facts) -> Letter:
    """To who is head administrator from now on: {}."""
    return facts.letter(
        facts.say(
            "You are now the head administrator of {tenant}",
            "Vous êtes maintenant administrateur principal chez {tenant}",
        ),
        facts.say(
            "You are now the head administrator of the organization {tenant}.",
            "Vous êtes maintenant l’administrateur principal de l’organisation {tenant}.",
        ),
        _duty(facts, "head"),
        why=because_you_administer(facts),
    )


def head_handed_over(facts: Facts) -> Letter:
    """To who was head administrator until now: {to}."""
    return facts.letter(
        facts.say("{tenant} has another head administrator", "{tenant} a un nouvel administrateur principal"),
        facts.say(
            "From now on, the head administrator of the organization {tenant} is {to}. You remain an administrator.",
            "L’administrateur principal de l’organisation {tenant} est désormais {to}. Vous restez administrateur.",
            to=facts["to"],
        ),
        why=because_you_administer(facts),
    )


def because_you_administer(facts: Facts) -> str:
    """Why an administrator, or who runs the service, gets a letter."""
    return facts.say(
        "You get this letter from {product} because you administer {tenant}, or run the service for it.",
        "{product} vous envoie ce message car vous administrez {tenant}, "
        "ou exploitez le service pour cette organisation.",
    )


def _role(facts: Facts) -> str:
    en, fr = ROLES.get(str(facts["role"]), (str(facts["role"]),) * 2)
    return facts.say("{role}", "{role}", role=fr if facts.language == "fr" else en)


def _duty(facts: Facts, role: str) -> str:
    return facts.say(*DUTIES[role]) if role in DUTIES else ""
