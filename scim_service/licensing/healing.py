"""What of a difference between the tables can be mended by itself (licensing.md I-12, job `reconcile`).

Safe is what takes no license from anybody: the ledger's number is counted anew from the rows that use a seat, under the
gate's lock; the drops of a type are brought to its surplus; and seats that turn out to be free go to who waits. That a
row differs from what the rules say is for a person to look at: the cause is not known, and somebody would lose access.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.access import told
from scim_service.delivery import addresses, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import facts, gate
from scim_service.licensing.assignments import USES_SEAT
from scim_service.licensing.capacity import Shortfall
from scim_service.licensing.gate import Gate
from scim_service.protocol.text import fold
from scim_service.storage import tables
from scim_service.storage.work import Work

LETTER = "ledger_differs"
MOST = 20
"""So many findings are written out; how many more there are is said."""

_assignments = tables.licensing.assignments
_parked = tables.licensing.parked_seats
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_COUNTED = [
    sa.select(_assignments.c.type_seq, sa.func.count().label("seats"))
    .where(_assignments.c.tenant_id == _TENANT, USES_SEAT)
    .group_by(_assignments.c.type_seq),
    sa.select(_parked.c.type_seq, sa.func.count().label("seats"))
    .where(_parked.c.tenant_id == _TENANT)
    .group_by(_parked.c.type_seq),
]


def heal(work: Work) -> list[str]:
    """Mend what is safe to mend; a sentence for each thing that was done. Running it again does nothing."""
    entered = gate.enter(work)
    done = [*_recounted(work, entered), *_without_drops(entered)]
    if done:
        ends = entered.now + entered.settings.overcap_grace
        opened = {seq for seq, _ in done}
        entered.settle([], opened=opened, why={seq: Shortfall(facts.CAP_DECREASE, ends) for seq in opened})
        entered.reschedule()
    return [sentence for _, sentence in done]


def report(work: Work, findings: list[str]) -> int:
    """Tell the license administrators and the operator what was found, once a day; how many messages were written."""
    settings = gate.look(work).settings
    more = len(findings) - MOST
    said = findings[:MOST] + ([f"{more} more: see scim-service seats verify."] if more > 0 else [])
    recipients = [one.email for one in told.of_any_product(told.everybody(work))] + [addresses.OPERATOR]
    key = f"rec:{work.now:%Y-%m-%d}:"
    messages = [Message(f"{key}{fold(one)}", LETTER, one, settings.language, {"findings": said}) for one in recipients]
    outbox.post(work, messages)
    return len(messages)


def _recounted(work: Work, entered: Gate) -> list[tuple[int, str]]:
    seats = dict.fromkeys(entered.types, 0)
    for statement in _COUNTED:
        for row in work.rows(statement):
            seats[row.type_seq] += row.seats
    found = []
    for seq, kind in entered.types.items():
        before, now = entered.consuming[seq], seats[seq]
        if before != now:
            entered.correct(seq, now)
            audit.record(work, "ledger:recounted", kind.code, before=before, used=now)
            found.append((seq, f"{kind.code}: the ledger said {before} seats, {now} are used; it was counted anew."))
    return found


def _without_drops(entered: Gate) -> list[tuple[int, str]]:
    """Types whose planned drops are not their surplus."""
    found = []
    for seq, kind in entered.types.items():
        surplus = 0 if kind.limit is None else max(0, entered.consuming[seq] - kind.limit)
        planned = sum(one.amount for one in entered.drops.get(seq, ()))
        if surplus != planned:
            said = (
                f"{kind.code}: {surplus} seats too many are used, {planned} were planned to be given up; planned anew."
            )
            found.append((seq, said))
    return found
