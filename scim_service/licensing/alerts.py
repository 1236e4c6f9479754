"""When administrators are warned that seats run low, once for each arming (licensing.md N-5).

A type is armed until it was told of. It is armed again after it was above the threshold for 24 hours; `rearm`, a job,
looks. What falls to a threshold in a transaction is seen in numbers that the gate has already: rows are read only then.
A higher alert takes the lower one with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import letters
from scim_service.licensing.facts import Type
from scim_service.storage import tables
from scim_service.storage.work import Work

CLEAR = timedelta(hours=24)
"""So long above a threshold, and it is armed again."""

_alerts = tables.usage.seat_alerts
_MINE = _alerts.c.tenant_id == sa.bindparam("tenant")
_OF_TYPES = sa.select(_alerts).where(_MINE, _alerts.c.type_seq.in_(sa.bindparam("types", expanding=True)))
_SPENT = sa.select(_alerts).where(_MINE, sa.not_(_alerts.c.armed)).order_by(_alerts.c.type_seq, _alerts.c.threshold)
_CHANGE = (
    sa.update(_alerts)
    .where(_MINE, _alerts.c.type_seq == sa.bindparam("which"), _alerts.c.threshold == sa.bindparam("of"))
    .values(
        arming=sa.bindparam("new_arming"), armed=sa.bindparam("new_armed"), clear_since=sa.bindparam("new_clear_since")
    )
)


@dataclass(frozen=True)
class Level:
    """The types with their limits, and how many seats of each are used."""

    types: Mapping[int, Type]
    consuming: Mapping[int, int]


@dataclass(frozen=True)
class Alert:
    """The seats of a type fell to a threshold; `arming` numbers the alert, `told`: it is one to be sent."""

    type_seq: int
    event: str
    arming: int
    told: bool


def crossed(before: Level, after: Level) -> list[tuple[int, str]]:
    """(type, event) of each type whose seats fell to a threshold, but for retired ones: nobody new gets them. Pure."""
    found = []
    for seq, kind in sorted(after.types.items()):
        if (was := before.types.get(seq)) is None or kind.retired:
            continue
        event = letters.about_seats(was.limit, before.consuming[seq], kind.limit, after.consuming[seq])
        if event is not None:
            found.append((seq, event))
    return found


def due(work: Work, crossings: Sequence[tuple[int, str]]) -> list[Alert]:
    """What these crossings come to, by what was told before; nothing is written, and nothing read where none is."""
    if not crossings:
        return []
    rows = _rows(work, [seq for seq, _ in crossings])
    found = []
    for seq, event in crossings:
        row = rows.get((seq, event))
        told = row is None or row.armed or (row.clear_since is not None and work.now - row.clear_since >= CLEAR)
        found.append(Alert(seq, event, (0 if row is None else row.arming) + told, told))
    return found


def note(work: Work, alerts: Sequence[Alert]) -> None:
    """Keep that these were told, or fell below again; where none is left, the lower alert is spent with it."""
    if not alerts:
        return
    rows = _rows(work, [one.type_seq for one in alerts])
    for one in alerts:
        _put(work, rows, one.type_seq, one.event, one.arming)
        if one.event == letters.NONE_LEFT:
            low = rows.get((one.type_seq, letters.LOW))
            _put(work, rows, one.type_seq, letters.LOW, 0 if low is None else low.arming)


def rearm(work: Work, level: Level) -> int:
    """Arm what is above its threshold for 24 hours, and note since when the others are; how many are armed again.

    The caller holds the gate.
    """
    armed = 0
    for row in work.rows(_SPENT):
        since = _clear_since(row, level.types.get(row.type_seq), level.consuming.get(row.type_seq, 0), work.now)
        again = since is not None and work.now - since >= CLEAR
        armed += again
        if again or since != row.clear_since:
            new = {"new_arming": row.arming, "new_armed": again, "new_clear_since": None if again else since}
            work.execute(_CHANGE, which=row.type_seq, of=row.threshold, **new)
    return armed


def _clear_since(row: Any, kind: Type | None, used: int, now: datetime) -> datetime | None:
    limit = None if kind is None else kind.limit
    least = 0 if row.threshold == letters.NONE_LEFT or limit is None else letters.threshold(limit)
    if limit is not None and limit - used <= least:
        return None
    since: datetime = row.clear_since or now
    return since


def _rows(work: Work, type_seqs: Iterable[int]) -> dict[tuple[int, str], Any]:
    found = work.rows(_OF_TYPES, types=sorted(set(type_seqs)))
    return {(row.type_seq, row.threshold): row for row in found}


def _put(work: Work, known: Mapping[tuple[int, str], Any], type_seq: int, event: str, arming: int) -> None:
    if (type_seq, event) in known:
        new = {"new_arming": arming, "new_armed": False, "new_clear_since": None}
        work.execute(_CHANGE, which=type_seq, of=event, **new)
    else:
        row = {"threshold": event, "arming": arming, "armed": False, "clear_since": None}
        work.insert(_alerts, [{"type_seq": type_seq, **row}])
