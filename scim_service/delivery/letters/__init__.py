"""THE LETTERS. One function for each, in English and French, and the table that finds them.

Here: what a letter says (`invitations.py`, `administrators.py`, `licenses.py`, `seats.py`, `alarms.py`, `digest.py`),
from facts and words (`facts.py`, `typography.py`), as data (`letter.py`) that becomes text and HTML (`rendering.py`,
`layout.html`). Not here: when a letter goes, to whom, and whether it is still true.
Called by `access/letters.py`, which adds the tenant and makes the links.

The one surprise: nothing that came from outside is fit for a letter before `Facts` has read it; sentences are constants
with placeholders, so that a name can be no part of a format, of a header or of markup.

One more letter: a function of `Facts` with both languages side by side, a row in `LETTERS`, a sample in
`samples.py`, and the two texts in tests/delivery/samples, read by somebody who speaks the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scim_service.delivery.letters import administrators, alarms, digest, invitations, licenses, seats
from scim_service.delivery.letters.facts import Facts, Sender
from scim_service.delivery.letters.letter import Letter

WRITERS: tuple[Callable[[Facts], Letter], ...] = (
    invitations.invitation,
    invitations.invitation_reminder,
    invitations.invitation_last,
    invitations.verification,
    invitations.verification_reminder,
    invitations.verification_last,
    invitations.welcome,
    invitations.belongs_to,
    invitations.access_created,
    invitations.address_changed_old,
    invitations.address_changed_new,
    administrators.administrator_invited,
    administrators.administrator_reminder,
    administrators.administrator_designated,
    administrators.head_appointed,
    administrators.head_handed_over,
    licenses.promoted,
    licenses.yielded,
    licenses.drop_deadline,
    licenses.drop_executed,
    licenses.contract_last_day,
    licenses.request_approved,
    licenses.request_denied,
    licenses.reclaim_ask,
    licenses.reclaim_reminder,
    licenses.reclaim_released,
    seats.seats_low,
    seats.none_left,
    seats.contract_ends,
    seats.contract_ended,
    seats.grace_ends,
    seats.grace_ended,
    digest.digest,
    alarms.mass_removal,
    alarms.ledger_differs,
    alarms.dead_letters,
    alarms.token_expires,
)
LETTERS: Mapping[str, Callable[[Facts], Letter]] = {one.__name__: one for one in WRITERS}
"""The name in the outbox → the function that writes it."""


def write(
    name: str, facts: Mapping[str, Any], sender: Sender, language: str, links: Mapping[str, str] | None = None
) -> Letter:
    """The letter of that name. `links` are the URLs made for it, by the name of the fact that stands for each.

    Raises KeyError for an unknown letter, or a fact that is missing, and ValueError for one that cannot be read.
    """
    return LETTERS[name](Facts(facts, sender, language, links or {}))
