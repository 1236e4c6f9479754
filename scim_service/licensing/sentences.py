"""The sentences about licenses, English and French side by side: an outcome, what ends it, what to do (A-11).

Data: `words.py` fills the placeholders. `OUTCOMES` has every state with every reason that it can have; a test holds the
engine against it. French: no article before a name, so that nothing has to be elided; the typography is the language's.
"""

from __future__ import annotations

from scim_service.licensing import change, ends, facts
from scim_service.licensing.obstacles import EXCLUDED, NO_REASON, RULE_DISABLED, RULE_OVER

ENGLISH, FRENCH = "en", "fr"
LANGUAGES = (ENGLISH, FRENCH)

NONE, DORMANT = "none", "dormant"

OUTCOMES: dict[tuple[str, str | None], tuple[str, str]] = {
    (facts.ASSIGNED, None): (
        "{user} has held a seat of {type} since {since}, by {because}",
        "{user} occupe une place du type {type} depuis le {since}, par {because}",
    ),
    (facts.GRACE, facts.LEFT_GROUP): (
        "{user} keeps a seat of {type} until {until}, because what gave it has ended: {because}",
        "{user} garde une place du type {type} jusqu’au {until}, car ce qui la donnait a pris fin : {because}",
    ),
    (facts.GRACE, facts.RULE_REMOVED): (
        "{user} keeps a seat of {type} until {until}, because the rule that gave it has ended",
        "{user} garde une place du type {type} jusqu’au {until}, car la règle qui la donnait a pris fin",
    ),
    (facts.GRACE, facts.VALUE_REMOVED): (
        "{user} keeps a seat of {type} until {until}, because the attribute that gave it was taken away",
        "{user} garde une place du type {type} jusqu’au {until}, car l’attribut qui la donnait a été retiré",
    ),
    (facts.GRACE, facts.MIGRATING): (
        "{user} keeps a seat of {type} until {until}, or until there is one of {types}, which takes its place",
        "{user} garde une place du type {type} jusqu’au {until}, ou jusqu’à ce qu’il y en ait une du type {types}, qui "
        "le remplace",
    ),
    (facts.GRACE, facts.CAP_DECREASE): (
        "{user} keeps a seat of {type} until {until} only, because more seats are used than there are "
        "({used}, not {limit})",
        "{user} ne garde une place du type {type} que jusqu’au {until}, car il y a plus de places occupées que de "
        "places prévues ({used} au lieu de {limit})",
    ),
    (facts.GRACE, facts.CONTRACT_END): (
        "{user} keeps a seat of {type} until {until} only, because the contract {contracts} has ended",
        "{user} ne garde une place du type {type} que jusqu’au {until}, car le contrat {contracts} est terminé",
    ),
    (facts.GRACE, facts.LINE_END): (
        "{user} keeps a seat of {type} until {until} only, because seats of the contract {contracts} have ended "
        "({used} used, not {limit})",
        "{user} ne garde une place du type {type} que jusqu’au {until}, car des places du contrat {contracts} ont pris "
        "fin (occupation : {used} au lieu de {limit})",
    ),
    (facts.SUSPENDED, facts.ADMINISTRATOR): (
        "the {type} license of {user} has been suspended since {at} by {by}, and its seat is {seat}",
        "la licence {type} attribuée à {user} est suspendue depuis le {at} par {by}, et sa place est {seat}",
    ),
    (facts.SUSPENDED, facts.MASS_CHANGE): (
        "the {type} license of {user} is suspended until {until}, because {by} removed many people at once, and its "
        "seat is {seat}",
        "la licence {type} attribuée à {user} est suspendue jusqu’au {until}, car {by} a retiré beaucoup de personnes "
        "à la fois, et sa place est {seat}",
    ),
    (facts.SUSPENDED, facts.INACTIVE): (
        "{user} is not active, and the seat of {type} is kept, as the organization wants it",
        "{user} n’est pas en activité, et la place du type {type} est gardée, comme le veut l’organisation",
    ),
    (facts.WAITING, facts.CAP_REACHED): (
        "{user} has waited for {type} since {since}, at place {position} of {waiting}: {full}",
        "{user} attend une place du type {type} depuis le {since}, en position {position} sur {waiting} : {full}",
    ),
    (facts.WAITING, facts.NEEDS_APPROVAL): (
        "{user} has waited for {type} since {since}, at place {position} of {waiting}: {full}, and a seat above the "
        "cap has to be approved",
        "{user} attend une place du type {type} depuis le {since}, en position {position} sur {waiting} : {full}, et "
        "une place au-delà du plafond doit être approuvée",
    ),
    (facts.WAITING, facts.QUOTA): (
        "{user} has waited for {type} since {since}, at place {position} of {waiting}: the quota of {rule} is used up, "
        "{used} of {limit}",
        "{user} attend une place du type {type} depuis le {since}, en position {position} sur {waiting} : le quota de "
        "{rule} est épuisé, {used} sur {limit}",
    ),
    (facts.BLOCKED, facts.CONFLICT): (
        "{user} cannot have {type} beside {types}",
        "{user} ne peut pas avoir de place du type {type} en même temps que {types}",
    ),
    (facts.BLOCKED, facts.MISSING_PREREQUISITE): (
        "{user} cannot have {type}, because it requires {any_of_types}, which is not held",
        "{user} ne peut pas avoir de place du type {type}, qui exige {any_of_types}, dont aucune place n’est occupée",
    ),
    (facts.BLOCKED, facts.CONTRACT_INACTIVE): (
        "{user} cannot have {type}, because the contract {contracts} ended on {at}",
        "{user} ne peut pas avoir de place du type {type}, car le contrat {contracts} s’est terminé le {at}",
    ),
    (facts.BLOCKED, facts.FILTER): (
        "{user} gets no {type} from {rule}, because its filter is not met: {filter}",
        "{user} ne reçoit pas de place du type {type} par {rule}, car son filtre n’est pas satisfait : {filter}",
    ),
    (facts.BLOCKED, facts.AUTHORITY): (
        "{user} gets no {type} by an attribute of the identity provider, because the type is not given in that way",
        "{user} ne reçoit pas de place du type {type} par un attribut du fournisseur d’identité, car ce type n’est pas "
        "attribué ainsi",
    ),
    (facts.BLOCKED, facts.NOT_YET_VALID): (
        "{user} gets no {type} yet, because {rule} counts from {at} on",
        "{user} ne reçoit pas encore de place du type {type}, car {rule} ne compte qu’à partir du {at}",
    ),
    (facts.BLOCKED, facts.BANNED): (
        "{user} is banned and cannot have {type}{text}",
        "{user} fait l’objet d’un bannissement et ne peut pas avoir de place du type {type}{text}",
    ),
    (facts.BLOCKED, facts.RETIRED): (
        "{user} cannot have {type}, because it is retired and given to nobody new",
        "{user} ne peut pas avoir de place du type {type}, qui est retiré et n’est plus attribué",
    ),
    (facts.COVERED, facts.BETTER_TYPE_HELD): (
        "{user} uses no seat of {type}, because {types} of the same family is held",
        "{user} n’occupe pas de place du type {type}, car une place du type {types} de la même famille est occupée",
    ),
    (facts.COVERED, facts.BETTER_TYPE_AWAITED): (
        "{user} uses no seat of {type}, because {types} of the same family is waited for",
        "{user} n’occupe pas de place du type {type}, car une place du type {types} de la même famille est attendue",
    ),
    (facts.COVERED, facts.PINNED): (
        "{user} uses no seat of {type}, because {types} is pinned as the type of the family",
        "{user} n’occupe pas de place du type {type}, car {types} est fixé comme type de la famille",
    ),
    (facts.EXPIRED, facts.CONTRACT_END): (
        "{user} has lost {type}, because the contract {contracts} ended on {at}",
        "{user} n’a plus de place du type {type}, car le contrat {contracts} s’est terminé le {at}",
    ),
    (DORMANT, facts.INACTIVE): (
        "{user} is not active, so what gives {type} does not count ({because})",
        "{user} n’est pas en activité : ce qui donne {type} ne compte pas ({because})",
    ),
    (NONE, NO_REASON): (
        "{user} has nothing that gives {type}",
        "{user} n’a rien qui donne {type}",
    ),
    (NONE, facts.RETIRED): (
        "{user} has nothing that gives {type}, which is retired and given to nobody new",
        "{user} n’a rien qui donne {type}, qui est retiré et n’est plus attribué",
    ),
    (NONE, facts.FILTER): (
        "{user} gets no {type} from {rule}, because its filter is not met: {filter}",
        "{user} ne reçoit pas de place du type {type} par {rule}, car son filtre n’est pas satisfait : {filter}",
    ),
    (NONE, EXCLUDED): (
        "{user} gets no {type}, because of an exclusion from {rule}",
        "{user} ne reçoit pas de place du type {type}, en raison d’une exclusion de {rule}",
    ),
    (NONE, RULE_DISABLED): (
        "{user} gets no {type}, because {rule} is switched off",
        "{user} ne reçoit pas de place du type {type}, car {rule} est désactivée",
    ),
    (NONE, RULE_OVER): (
        "{user} gets no {type}, because {rule} ended on {at}",
        "{user} ne reçoit pas de place du type {type}, car {rule} a pris fin le {at}",
    ),
}
"""(state, reason) → the sentence in each language, without its end."""

FULL: dict[str, tuple[str, str]] = {
    "all": ("no seat is free ({used} of {limit} used)", "aucune place n’est libre ({used} sur {limit})"),
    "bundle": (
        "it comes only together with {types}, where seats are missing",
        "ce type ne vient qu’avec {types}, où des places manquent",
    ),
    "reserve": (
        "what is free is reserved for direct grants ({used} of {limit} used)",
        "ce qui est libre est réservé aux attributions directes (occupation : {used} sur {limit})",
    ),
}
"""Why there is no seat."""

ENDINGS: dict[str, tuple[str, str]] = {
    ends.EXPIRY: ("; it expires on {at}", " ; elle expire le {at}"),
    ends.RULE_END: ("; the rule ends on {at}", " ; la règle prend fin le {at}"),
    ends.CONTRACT_END: ("; the contract ends on {at}", " ; le contrat se termine le {at}"),
    ends.GRACE_END: ("", ""),
    ends.DEADLINE: ("", ""),
    ends.HOLD_END: ("", ""),
}
"""What ends it by itself, where the sentence does not say it already."""

CHANGES: dict[str, tuple[str, str]] = {
    change.ACTIVATE: ("activate the person", "réactiver cette personne"),
    change.LIFT_BAN: ("lift the ban", "lever le bannissement"),
    change.RESUME: ("resume the license", "rétablir la licence"),
    change.UNDO_HOLD: ("undo or confirm the hold", "annuler ou confirmer la mise en attente"),
    change.JOIN: ("put the person into {any_of_groups}", "faire entrer cette personne dans {any_of_groups}"),
    change.ASSIGN: ("assign {types} directly", "attribuer {types} directement"),
    change.ADD_ATTRIBUTE: (
        "have the identity provider send {types} as an attribute",
        "faire envoyer {types} comme attribut par le fournisseur d’identité",
    ),
    change.RAISE_CAP: ("{seats}", "{seats}"),
    change.APPROVE: ("approve {seats} above the cap", "approuver {seats} au-delà du plafond"),
    change.RAISE_QUOTA: ("raise the quota of {rules} by {count}", "augmenter de {count} le quota de {rules}"),
    change.RENEW: ("renew the contract {contracts}", "renouveler le contrat {contracts}"),
    change.REJOIN: ("put the person back into {any_of_groups}", "remettre cette personne dans {any_of_groups}"),
    change.MEET_FILTER: (
        "change the person’s attributes, or the filter of {rules}",
        "modifier les attributs de cette personne, ou le filtre de {rules}",
    ),
    change.INCLUDE: ("end the exclusion from {rules}", "mettre fin à l’exclusion de {rules}"),
    change.EXCLUDE: ("exclude the person from {rules}", "exclure cette personne de {rules}"),
    change.ENABLE_RULE: ("switch {rules} on", "activer {rules}"),
    change.EXTEND_RULE: ("let {rules} last longer", "prolonger {rules}"),
    change.BEGIN_RULE: ("let {rules} begin earlier", "faire commencer plus tôt {rules}"),
    change.GET_PREREQUISITE: ("give {any_of_types} first", "attribuer d’abord {any_of_types}"),
    change.GIVE_UP_OTHER: ("take {types} away", "retirer {types}"),
    change.UNPIN: ("end the pin of {types}", "ne plus fixer {types}"),
    change.LEAVE: ("take the person out of {from_groups}", "faire sortir cette personne {from_groups}"),
    change.UNASSIGN: ("take the direct claim to {types} back", "reprendre l’attribution directe de {types}"),
    change.REMOVE_ATTRIBUTE: (
        "have the identity provider remove the attribute {types}",
        "faire retirer l’attribut {types} par le fournisseur d’identité",
    ),
    change.END_ALL: ("end all of these reasons: {because}", "mettre fin à toutes ces raisons : {because}"),
    change.GIVE_UP_BETTER: ("give {types} up", "abandonner {types}"),
    change.CHOOSE_OTHER: ("choose another type", "choisir un autre type"),
    change.AWAIT_OTHER: ("a seat of {types}", "une place du type {types}"),
}
"""What to do, by kind of change."""

ADVICE = ("{why}; the smallest change: {what}.", "{why} ; le plus petit changement : {what}.")
WITH_SEATS = ("{what}, and add {seats}", "{what}, et ajouter {seats}")
SEATS_OF = ("{seats} of {type}", "{seats} du type {type}")
SEATS = (("1 seat", "{count} seats"), ("1 place", "{count} places"))
"""One, and several."""

SOURCES: dict[str, tuple[str, str]] = {
    "direct": ("a direct grant", "une attribution directe"),
    "scim": ("an attribute from the identity provider", "un attribut du fournisseur d’identité"),
    "request": ("a granted request", "une demande acceptée"),
    "group": ("the group {path}", "le groupe {path}"),
    "everyone": ("the rule for everyone", "la règle pour tout le monde"),
    "removed": ("a rule that was deleted", "une règle supprimée"),
}
"""Where a license comes from."""

RULES: dict[str, tuple[str, str]] = {
    "group": ("the rule of the group {name}", "la règle du groupe {name}"),
    "everyone": ("the rule for everyone", "la règle pour tout le monde"),
    "removed": ("a rule that was deleted", "une règle supprimée"),
}
SEAT_STATES = {True: ("kept", "gardée"), False: ("free for others", "libre pour d’autres")}
ACTORS: dict[str, tuple[str, str]] = {
    "": ("somebody", "quelqu’un"),
    "connection": ("the identity provider {name}", "le fournisseur d’identité {name}"),
    "cli": ("{name} at the command line", "{name} en ligne de commande"),
    "job": ("the clock", "l’horloge"),
}
AND, OR = ("and", "et"), ("or", "ou")
QUOTES = ("“{text}”", "« {text} »")
REASON_GIVEN = (": {text}", " : {text}")
FROM_GROUP = ("the group {path}", "du groupe {path}")
EVERYONE = ("the group of everyone", "le groupe de tout le monde")
MONTHS = (
    *(
        tuple(names.split())
        for names in (
            "January February March April May June July August September October November December",
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        )
    ),
)
INSTANT = ("{day} {month} {year}, {hour}:{minute} UTC", "{day} {month} {year} à {hour} h {minute} UTC")
FIRST_DAY = ("1", "1er")
