"""Whether a letter is still true, asked right before it is sent (licensing.md 4.7; reliability.md F4, F11).

A letter waits: for its time, for a mail server that is down. Meanwhile the person may have left, the invitation may
have been accepted, the contract renewed. Then the letter is not sent, and the reason is kept with it.

One more letter that can become untrue: a function of the work and the entry in `STILL_TRUE`. It gives the reason not to
send, a few words without any personal value, or None. It reads, and never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from scim_service.access import token_notices
from scim_service.delivery.entries import Entry
from scim_service.jobs import truth_asked
from scim_service.licensing import still_true
from scim_service.storage import tables
from scim_service.storage.work import Work

GONE, INACTIVE, BANNED = "the person is gone", "the person is inactive", "the person is banned"
TOKEN_OVER = "the token has ended, or has a successor"

Question = Callable[[Work, Entry], str | None]

_users = tables.directory.users
_PERSON = sa.select(_users.c.active, _users.c.banned).where(
    _users.c.tenant_id == sa.bindparam("tenant"), _users.c.seq == sa.bindparam("which")
)

STILL_TRUE: Mapping[str, Question] = {
    token_notices.LETTER: lambda work, entry: TOKEN_OVER if token_notices.is_over(work, entry.key) else None,
    **truth_asked.QUESTIONS,
    **still_true.QUESTIONS,
}
"""Letter → what has to be asked besides the rule for people; a letter that is not here stays true."""


def reason_against(work: Work, entry: Entry) -> str | None:
    """Why this message must not be sent any more, or None. Raises nothing for an entry that can be read."""
    question = STILL_TRUE.get(entry.letter)
    return _about_person(work, entry) or (question(work, entry) if question else None)


def _about_person(work: Work, entry: Entry) -> str | None:
    """Nothing goes to, or is told about, somebody who is deleted, inactive or banned."""
    if entry.user_seq is None:
        return None
    person = work.row(_PERSON, which=entry.user_seq)
    if person is None:
        return GONE
    if person.banned:
        return BANNED
    return None if person.active else INACTIVE
