"""Which mails a change of seats brings (licensing.md 4.7), as data and without a database: N-4 and N-5.

Pure. The letters themselves, their languages and who is told when are `delivery`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scim_service.delivery.outbox import Message
from scim_service.licensing import facts
from scim_service.licensing.facts import Assignment

PERSON, DIGEST = "person", "administrators_digest"
LICENSE_ADMINISTRATORS, HEAD_ADMINISTRATOR = "license_administrators", "head_administrator"
"""The kinds of recipients."""

PROMOTED, YIELDED = "promoted", "yielded"
DEADLINE_SET, DROP_EXECUTED = "drop_deadline", "drop_executed"
LOW, NONE_LEFT = "seats_low", "none_left"

OF_THE_GATE = frozenset({PROMOTED, YIELDED, DEADLINE_SET, DROP_EXECUTED, LOW, NONE_LEFT})
"""What the gate tells at the end of a transaction, or of what time alone had decided."""

_NOTICES = {
    "administrator_invited": "N-1",
    "administrator_designated": "N-1",
    "head_appointed": "N-1",
    "head_handed_over": "N-1",
    "invitation": "N-2",
    "verification": "N-2",
    "welcome": "N-2",
    "belongs_to": "N-2",
    "access_created": "N-3",
    "request_approved": "E-22",
    "request_denied": "E-22",
    "mass_removal": "N-8",
}
"""Letter → the notice of 4.7, or the event, that it is for."""

_THRESHOLDS = ((15, 0, 1), (25, 0, 2), (99, 10, 0), (999, 8, 0))
"""N-5: up to this limit, so many percent of it and so many seats besides; 5 % above the last one."""


@dataclass(frozen=True)
class Mail:
    """So many mails of one kind: the notice of licensing.md 4.7, what happened, to whom, about which type."""

    notice: str
    event: str
    recipient: str
    type_code: str
    count: int


@dataclass(frozen=True)
class Change:
    """What became of one person and type over a whole change; `dropped`: a capacity drop took the seat (A-8).

    `yielded`: the grace was cut short for somebody who waits (A-6).
    """

    before: Assignment | None
    after: Assignment | None
    dropped: bool = False
    yielded: bool = False


def about_person(change: Change) -> str | None:
    """The event of N-4 that a person is told of, if any.

    That a contract has ended is for the administrators; its people hear of it on the last day before they lose (N-6).
    """
    before, after = change.before, change.after
    if facts.is_seated(before) and not facts.is_seated(after) and (change.yielded or change.dropped):
        return YIELDED if change.yielded else DROP_EXECUTED
    if after is None:
        return None
    if before is not None and before.state == facts.WAITING and after.state in facts.EFFECTIVE:
        return PROMOTED
    if (
        is_drop(after)
        and after.reason != facts.CONTRACT_END
        and not (before is not None and is_drop(before) and before.until == after.until)
    ):
        return DEADLINE_SET
    return None


def is_drop(row: Assignment) -> bool:
    """Whether a seat is kept only until the deadline of a capacity drop."""
    return row.state == facts.GRACE and row.reason in facts.DROPS


def threshold(limit: int) -> int:
    """How many seats are left when the administrators are warned (N-5)."""
    for upto, percent, seats in _THRESHOLDS:
        if limit <= upto:
            return limit * percent // 100 + seats
    return limit * 5 // 100


def about_seats(limit_before: int | None, used_before: int, limit: int | None, used: int) -> str | None:
    """The event of N-5 when the seats left of a type fall to a threshold; the higher alert alone where both are met."""
    if limit is None or limit == 0:
        return None
    left = limit - used
    left_before = None if limit_before is None else limit_before - used_before
    if left <= 0:
        return NONE_LEFT if left_before is None or left_before > 0 else None
    warned = threshold(limit)
    return LOW if left <= warned and (left_before is None or left_before > warned) else None


def told(message: Message) -> tuple[str, str, str, str]:
    """A letter that an act posted itself, as `mails` counts it."""
    about = message.facts.get("type")
    recipient = LICENSE_ADMINISTRATORS if message.user_seq is None else PERSON
    code = about["code"] if isinstance(about, Mapping) else ""
    return _NOTICES.get(message.letter, ""), message.letter, recipient, code


def mails(told: Iterable[tuple[str, str, str, str]], digest: bool) -> list[Mail]:
    """The mails, from (notice, event, kind of recipient, type) of each; N-4 is in the digest too, if there is one."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for one in told:
        counts[one] = counts.get(one, 0) + 1
        if digest and one[0] == "N-4":
            counts[one[0], one[1], DIGEST, one[3]] = 1
    return [Mail(*one, count) for one, count in sorted(counts.items())]
