"""The event log: one append-only row per change, in the transaction of the change (decision 26, reliability.md D1).

An action is `subject:verb`. `data` names what changed, with what a replay needs; it never holds a secret or a value
whose attribute is never returned. A change that changes nothing is not recorded (D3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.joined import Part
from scim_service.storage.work import Work

_audit = tables.audit.audit
COLUMNS = ("at", "actor", "request_id", "action", "subject", "data")
TELL = sa.insert(_audit).values(
    {
        "tenant_id": sa.bindparam("tenant"),
        **{name: sa.bindparam(f"told_{name}", type_=_audit.c[name].type) for name in COLUMNS},
    }
)
"""Writes the event of `told`, in one statement with the change (`Work.together`)."""

_OF_SUBJECT = (
    sa.select(_audit)
    .where(_audit.c.tenant_id == sa.bindparam("tenant"), _audit.c.subject == sa.bindparam("subject"))
    .order_by(_audit.c.seq)
)
_ALL = (
    sa.select(_audit)
    .where(_audit.c.tenant_id == sa.bindparam("tenant"))
    .order_by(_audit.c.seq)
    .execution_options(yield_per=1_000)
)
_LATEST = (
    sa.select(_audit)
    .where(_audit.c.tenant_id == sa.bindparam("tenant"))
    .order_by(_audit.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_ADOPTED: sa.Select[Any] = (
    sa.select(sa.literal_column("1"))
    .select_from(_audit)
    .where(
        _audit.c.tenant_id == sa.bindparam("tenant"),
        _audit.c.subject == sa.bindparam("subject"),
        _audit.c.actor == sa.bindparam("by"),
        tables.audit.ADOPTED,
    )
    .limit(1)
)
_ABOUT = _audit.c.subject == sa.bindparam("subject")
_FROM = _audit.c.at >= sa.bindparam("since", type_=_audit.c.at.type)
_STATEMENTS = {
    (False, False): _LATEST,
    (True, False): _LATEST.where(_ABOUT),
    (False, True): _LATEST.where(_FROM),
    (True, True): _LATEST.where(_ABOUT, _FROM),
}
_OVERLAP = timedelta(minutes=5)
"""A transaction takes less: so much later an event may be written than its instant says."""

_LAST = sa.select(sa.func.max(_audit.c.seq)).execution_options(across_tenants=True)
_NEXT_AT = (
    sa.select(_audit.c.at)
    .where(_audit.c.seq >= sa.bindparam("place"))
    .order_by(_audit.c.seq)
    .limit(1)
    .execution_options(across_tenants=True)
)
_BEHIND = (
    sa.select(_audit)
    .where(
        _audit.c.tenant_id == sa.bindparam("tenant"),
        _audit.c.seq >= sa.bindparam("place"),
        _audit.c.action >= sa.bindparam("kind"),
        _audit.c.action < sa.bindparam("beyond"),
    )
    .order_by(_audit.c.seq)
)


@dataclass(frozen=True)
class Event:
    """One row of the log as it is read back."""

    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]


def record(work: Work, action: str, subject: str, **data: Any) -> None:
    """Write one event about `subject` (a resource's id, or the code of a thing)."""
    record_many(work, [(action, subject, data)])


def record_many(work: Work, events: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Write (action, subject, data) events, in order."""
    work.insert(_audit, [_row(work, *event) for event in events])


def told(work: Work, action: str, subject: str, **data: Any) -> dict[str, Any]:
    """What TELL is to be given to write this event."""
    return {f"told_{name}": value for name, value in _row(work, action, subject, data).items()}


def part(work: Work, action: str, subject: str, **data: Any) -> Part:
    """An event that is written with a new row (`Work.insert_with`)."""
    return Part(_audit, [_row(work, action, subject, data)])


def _row(work: Work, action: str, subject: str, data: Mapping[str, Any]) -> dict[str, Any]:
    values = (work.now, str(work.actor), work.request_id, action, subject, orjson.dumps(data).decode())
    return dict(zip(COLUMNS, values, strict=True))


def record_adoption(work: Work, subject: str) -> None:
    """Write `user:adopted` of the caller once; whether there is one is found without reading the subject's history."""
    if work.value(_ADOPTED, subject=subject, by=str(work.actor)) is None:
        record(work, "user:adopted", subject)


def about(work: Work, subject: str) -> list[Event]:
    """Everything that happened to one subject, oldest first."""
    return [_event(row) for row in work.rows(_OF_SUBJECT, subject=subject)]


def everything(work: Work) -> Iterator[Event]:
    """The whole log of the tenant, oldest first, read as it is used."""
    for row in work.execute(_ALL):
        yield _event(row)


def listing(work: Work, subject: str | None = None, since: datetime | None = None, most: int = 1_000) -> list[Event]:
    """The latest events, at most so many, oldest first: about one subject, or from an instant on, or all."""
    found = work.rows(_STATEMENTS[subject is not None, since is not None], subject=subject, since=since, most=most)
    return [_event(row) for row in reversed(found)]


def since(work: Work, instant: datetime, beginning: str) -> Iterator[Event]:
    """The tenant's events from an instant on, oldest first, whose action begins like this.

    The log is as long as the service is old: the place is found by halving, as later rows have later instants but for
    what was written at the same time.
    """
    low, high = 0, int(work.value(_LAST) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = work.value(_NEXT_AT, place=middle)
        if at is not None and at < instant - _OVERLAP:
            low = middle + 1
        else:
            high = middle
    for row in work.execute(_BEHIND, place=low, kind=beginning, beyond=beginning + "\U0010ffff"):
        if row.at >= instant:
            yield _event(row)


def _event(row: sa.Row[Any]) -> Event:
    return Event(row.at, row.actor, row.action, row.subject, orjson.loads(row.data))
