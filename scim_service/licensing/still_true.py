"""Whether what licensing had to tell is still so, asked when the letter is sent (reliability.md F4, F11).

A function for each letter: the work and the entry → a few words why it must not be sent, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from scim_service.access import told
from scim_service.delivery import addresses
from scim_service.delivery.entries import Entry
from scim_service.licensing import (
    contract_notices,
    contract_steps,
    contracts,
    facts,
    gate,
    letters,
    reclaim_asks,
    removal_notices,
    request_letters,
)
from scim_service.protocol.text import fold, format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work

CHANGED = "the license is in another state by now"
SEATS_AGAIN = "there are seats again"
NO_READER = "the recipient is no administrator any more"
ANSWERED = "the question is over"
DECIDED_ANEW = "it was decided anew"

Question = Callable[[Work, Entry], str | None]

_assignments = tables.licensing.assignments
_types = tables.licensing.license_types
_requests = tables.licensing.requests
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_ROW = (
    sa.select(_assignments.c.state, _assignments.c.reason, _assignments.c.until)
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .where(_assignments.c.tenant_id == _TENANT, _assignments.c.user_seq == sa.bindparam("user"))
)
_OF_TYPE = _ROW.where(_types.c.code == sa.bindparam("code"))
_DECIDED = (
    sa.select(_requests.c.state)
    .join(_types, sa.and_(_types.c.tenant_id == _requests.c.tenant_id, _types.c.seq == _requests.c.type_seq))
    .where(
        _requests.c.tenant_id == _TENANT,
        _requests.c.user_seq == sa.bindparam("user"),
        _types.c.code == sa.bindparam("code"),
    )
    .order_by(_requests.c.seq.desc())
    .limit(1)
)


def _works(work: Work, entry: Entry) -> str | None:
    """Told to have it: it must be there."""
    return None if _state(work, entry) in facts.EFFECTIVE else CHANGED


def _works_not(work: Work, entry: Entry) -> str | None:
    """Told to have lost it: it must be gone still."""
    return CHANGED if _state(work, entry) in facts.EFFECTIVE else None


def _ends_then(work: Work, entry: Entry) -> str | None:
    """Told of a deadline: it must be that one still."""
    row = work.row(_OF_TYPE, user=entry.user_seq, code=entry.facts["type"]["code"])
    if row is None or row.state != facts.GRACE or row.reason not in facts.DROPS or row.until is None:
        return CHANGED
    return None if format_datetime(row.until) == entry.facts["until"] else CHANGED


def _ends_with_contract(work: Work, entry: Entry) -> str | None:
    for row in work.rows(_ROW, user=entry.user_seq):
        ends = row.state == facts.GRACE and row.reason == facts.CONTRACT_END and row.until is not None
        if ends and format_datetime(row.until) == entry.facts["grace_until"]:
            return None
    return CHANGED


def _low_still(work: Work, entry: Entry) -> str | None:
    level = gate.look(work).level()
    kind = next((one for one in level.types.values() if one.code == entry.facts["type"]["code"]), None)
    if kind is None or kind.limit is None:
        return SEATS_AGAIN
    left = kind.limit - level.consuming[kind.seq]
    most = 0 if entry.letter == letters.NONE_LEFT else letters.threshold(kind.limit)
    return SEATS_AGAIN if left > most else _reads(work, entry)


def _reads(work: Work, entry: Entry) -> str | None:
    """An administrator who was removed, or is none that is told, hears nothing more."""
    return None if _is_reader(work, entry, ()) else NO_READER


def _contract_ends(work: Work, entry: Entry) -> str | None:
    everything = contracts.listing(work)
    contract = next((one for one in everything if one.number == entry.facts["contract"]), None)
    if contract is None:
        return NO_READER
    if contract_steps.goes_on(contract, contract_steps.renewal_of(contract, everything), work.now):
        return contract_steps.RENEWED
    contacts = addresses.only(contract.details.get("contacts", ()))
    return None if _is_reader(work, entry, contacts) else NO_READER


def _open_still(work: Work, entry: Entry) -> str | None:
    link = entry.facts["keep_link"]
    return None if reclaim_asks.look(work, int(link["seq"]), int(link["cycle"])) else ANSWERED


def _decided_so(work: Work, entry: Entry) -> str | None:
    state = work.value(_DECIDED, user=entry.user_seq, code=entry.facts["type"]["code"])
    wanted = "denied" if entry.letter == request_letters.DENIED else "approved"
    return None if state == wanted else DECIDED_ANEW


def _state(work: Work, entry: Entry) -> str | None:
    row = work.row(_OF_TYPE, user=entry.user_seq, code=entry.facts["type"]["code"])
    return None if row is None else str(row.state)


def _is_reader(work: Work, entry: Entry, besides: Collection[str]) -> bool:
    readers = [one.email for one in told.of_any_product(told.everybody(work))]
    return fold(entry.recipient) in {fold(one) for one in (*readers, *besides, addresses.OPERATOR)}


QUESTIONS: Mapping[str, Question] = {
    letters.PROMOTED: _works,
    letters.YIELDED: _works_not,
    letters.DEADLINE_SET: _ends_then,
    letters.DROP_EXECUTED: _works_not,
    letters.LOW: _low_still,
    letters.NONE_LEFT: _low_still,
    **dict.fromkeys(contract_steps.LETTERS, _contract_ends),
    contract_notices.LAST_DAY: _ends_with_contract,
    removal_notices.LETTER: _reads,
    "ledger_differs": _reads,
    "digest": _reads,
    reclaim_asks.ASK: _open_still,
    reclaim_asks.REMINDER: _open_still,
    reclaim_asks.GONE: _works_not,
    request_letters.APPROVED: _decided_so,
    request_letters.DENIED: _decided_so,
}
"""Letter → what has to be so for it to be sent."""
