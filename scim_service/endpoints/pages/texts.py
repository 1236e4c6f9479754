"""What the public pages say, by language, in whole sentences; `{names}` are filled in (licensing.md N-9)."""

from __future__ import annotations

from collections.abc import Mapping

from scim_service.delivery.letters import typography

EN: Mapping[str, str] = {
    "language": "English",
    "switch": "Language",
    "invitation.title": "You are invited to {product}",
    "invitation.lead": "{tenant} invites you to use {product}. This invitation is for {email}.",
    "invitation.type": "A license is reserved for you: {type}.",
    "invitation.button": "Accept the invitation",
    "invitation.done.title": "You have accepted",
    "invitation.done.lead": "You belong to {tenant} now.",
    "invitation.done.verify": "One thing is left: confirm your address by the other letter that we sent to {email}.",
    "administrator.title": "You are invited to administer {tenant}",
    "administrator.lead": "This invitation is for {email}. Your role will be: {role}.",
    "administrator.button": "Accept the invitation",
    "administrator.done.title": "You have accepted",
    "administrator.done.lead": "You administer {tenant} now. Your role is: {role}.",
    "verification.title": "Confirm your address",
    "verification.lead": "{tenant} asks whether {email} is your address.",
    "verification.button": "Yes, this is my address",
    "verification.done.title": "Your address is confirmed",
    "verification.done.lead": "Thank you. {tenant} knows now that letters to {email} reach you.",
    "reclaim_keep.title": "Keep your license",
    "reclaim_keep.lead": "{tenant} asks whether you still need {type}. You have not used it for {days} days.",
    "reclaim_keep.button": "Yes, I want to keep it",
    "reclaim_keep.done.title": "You keep your license",
    "reclaim_keep.done.lead": "Thank you. {type} stays yours, and you are not asked again for some time.",
    "reclaim_give_up.title": "Give your license back",
    "reclaim_give_up.lead": "{tenant} asks whether you still need {type}. You have not used it for {days} days.",
    "reclaim_give_up.button": "No, I do not need it",
    "reclaim_give_up.done.title": "Thank you",
    "reclaim_give_up.done.lead": "You have given {type} back. Somebody else can have it now.",
    "reclaim_give_up.done.reported": "A group gives you {type}, so it stays yours for now. {tenant} is told that you "
    "do not need it.",
    "done.product": "Go to {product}",
    "done.documentation": "Read how to begin",
    "support": "Need help? Ask {contact}.",
    "404.title": "This link does not work",
    "404.lead": "It may have been used already, or taken back, or its time is over, or a part of it is missing.",
    "404.next": "Open the link of the latest letter, or ask who invited you to send another one.",
    "400.title": "This did not work",
    "400.lead": "The form did not come from this page. Open the link of your letter again.",
    "405.title": "This did not work",
    "405.lead": "That is not possible at this address. Open the link of your letter again.",
    "429.title": "Too many attempts",
    "429.lead": "Too many links that do not work were opened from where you are. Wait a minute, then try again.",
    "503.title": "Please try again",
    "503.lead": "We are busy at the moment, and nothing was changed. Open the link of your letter again in a minute.",
    "500.title": "Something went wrong here",
    "500.lead": "Nothing was changed. Open the link of your letter again, and ask for help if it goes on.",
    "role.head": "head administrator",
    "role.administrator": "administrator",
    "role.license_administrator": "license administrator",
    "role.operator": "operator",
    "role.auditor": "auditor",
}

FR: Mapping[str, str] = {
    "language": "Français",
    "switch": "Langue",
    "invitation.title": "Vous êtes invité(e) à utiliser {product}",
    "invitation.lead": "{tenant} vous invite à utiliser {product}. Cette invitation est destinée à {email}.",
    "invitation.type": "Une licence vous est réservée : {type}.",
    "invitation.button": "Accepter l’invitation",
    "invitation.done.title": "Vous avez accepté",
    "invitation.done.lead": "Vous faites maintenant partie de {tenant}.",
    "invitation.done.verify": "Il reste une chose à faire : confirmez votre adresse grâce à l’autre message que nous "
    "avons envoyé à {email}.",
    "administrator.title": "Vous êtes invité(e) à administrer {tenant}",
    "administrator.lead": "Cette invitation est destinée à {email}. Votre rôle sera : {role}.",
    "administrator.button": "Accepter l’invitation",
    "administrator.done.title": "Vous avez accepté",
    "administrator.done.lead": "Vous administrez maintenant {tenant}. Votre rôle est : {role}.",
    "verification.title": "Confirmez votre adresse",
    "verification.lead": "{tenant} demande si {email} est bien votre adresse.",
    "verification.button": "Oui, c’est mon adresse",
    "verification.done.title": "Votre adresse est confirmée",
    "verification.done.lead": "Merci. {tenant} sait maintenant que les messages envoyés à {email} vous parviennent.",
    "reclaim_keep.title": "Garder votre licence",
    "reclaim_keep.lead": "{tenant} demande si {type} vous est encore utile. Vous ne l’avez pas utilisée depuis {days} "
    "jours.",
    "reclaim_keep.button": "Oui, je veux la garder",
    "reclaim_keep.done.title": "Vous gardez votre licence",
    "reclaim_keep.done.lead": "Merci. {type} reste à vous, et la question ne vous sera plus posée avant quelque temps.",
    "reclaim_give_up.title": "Rendre votre licence",
    "reclaim_give_up.lead": "{tenant} demande si {type} vous est encore utile. Vous ne l’avez pas utilisée depuis "
    "{days} jours.",
    "reclaim_give_up.button": "Non, elle ne m’est pas utile",
    "reclaim_give_up.done.title": "Merci",
    "reclaim_give_up.done.lead": "Vous avez rendu {type}. Quelqu’un d’autre peut maintenant en bénéficier.",
    "reclaim_give_up.done.reported": "Un groupe vous donne {type}, qui reste donc à vous pour l’instant. {tenant} "
    "est informé que vous n’en avez pas besoin.",
    "done.product": "Aller à {product}",
    "done.documentation": "Lire comment commencer",
    "support": "Besoin d’aide ? Adressez-vous à {contact}.",
    "404.title": "Ce lien ne fonctionne pas",
    "404.lead": "Il a peut-être déjà servi, ou il a été retiré, ou son délai est passé, ou il en manque une partie.",
    "404.next": "Ouvrez le lien du dernier message reçu, ou demandez à qui vous a invité(e) d’en envoyer un autre.",
    "400.title": "Cela n’a pas fonctionné",
    "400.lead": "Le formulaire ne venait pas de cette page. Ouvrez à nouveau le lien de votre message.",
    "405.title": "Cela n’a pas fonctionné",
    "405.lead": "Ce n’est pas possible à cette adresse. Ouvrez à nouveau le lien de votre message.",
    "429.title": "Trop de tentatives",
    "429.lead": "Trop de liens qui ne fonctionnent pas ont été ouverts depuis chez vous. Attendez une minute, puis "
    "réessayez.",
    "503.title": "Veuillez réessayer",
    "503.lead": "Nous sommes occupés en ce moment et rien n’a été changé. Rouvrez le lien de votre message dans une "
    "minute.",
    "500.title": "Une erreur s’est produite chez nous",
    "500.lead": "Rien n’a été changé. Ouvrez à nouveau le lien de votre message, et demandez de l’aide si cela "
    "continue.",
    "role.head": "administrateur principal",
    "role.administrator": "administrateur",
    "role.license_administrator": "administrateur de licences",
    "role.operator": "opérateur",
    "role.auditor": "auditeur",
}

BY_LANGUAGE: Mapping[str, Mapping[str, str]] = {"en": EN, "fr": FR}


def say(language: str, name: str, **values: str) -> str:
    """One sentence in a language."""
    return typography.filled(BY_LANGUAGE[language][name], values)
