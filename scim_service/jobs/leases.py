"""Who leads: one row that a process holds for some seconds, and a number that rises with every new holder (T-9, F5).

The lease is a matter of the database's time, so that clocks of hosts which differ or jump have no say in it. It makes
nobody hurry: a leader that was frozen past its lease goes on as if nothing had been, and its next write is refused by
the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_service.storage import tables
from scim_service.storage.moment import moment
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

NAME = "jobs"
SECONDS = 30.0
"""How long a lease holds. It is renewed at a third of that, so a dead leader is followed within a minute."""

_leases = tables.jobs.leases
_SECONDS = sa.bindparam("seconds", type_=sa.Double)
_NOW = sa.func.coalesce(sa.bindparam("instant", type_=Instant), moment(sa.literal(0.0)))
_UNTIL = sa.func.coalesce(sa.bindparam("ends", type_=Instant), moment(_SECONDS))
_TOO_FAR = sa.func.coalesce(sa.bindparam("too_far", type_=Instant), moment(_SECONDS + _SECONDS))
_MINE = (_leases.c.name == sa.bindparam("lease"), _leases.c.owner == sa.bindparam("holder"))
_EXPECT = sa.select(_leases.c.fence).where(*_MINE, _leases.c.fence == sa.bindparam("number")).with_for_update(read=True)
_RELEASE = sa.update(_leases).where(*_MINE).values(until=_NOW)
_FIND = sa.select(_leases, (_leases.c.until > _NOW).label("holds")).where(_leases.c.name == sa.bindparam("lease"))


class Lost(Exception):
    """Somebody else leads by now: what this process was about to write is not to be."""


@dataclass(frozen=True)
class Lease:
    """That `owner` leads, as the `fence`-th one."""

    owner: str
    fence: int
    name: str = NAME


@dataclass(frozen=True)
class Leader:
    """Who holds the lease until when; `holds` is false where it has lapsed."""

    owner: str
    until: datetime
    fence: int
    holds: bool


def take(
    work: Work, owner: str, seconds: float = SECONDS, instant: datetime | None = None, name: str = NAME
) -> Lease | None:
    """The lease for `seconds`, new or renewed; None where somebody else has it.

    It is taken by one statement, by the database's time unless an `instant` is given. What lasts longer than any lease
    can is of a time that was set back, and counts as lapsed.
    """
    ends = instant and instant + timedelta(seconds=seconds)
    too_far = ends and ends + timedelta(seconds=seconds)
    values = {"seconds": seconds, "instant": instant, "ends": ends, "too_far": too_far}
    fence = work.value(_taking(work.dialect), lease=name, holder=owner, **values)
    return None if fence is None else Lease(owner, int(fence), name)


def expect(work: Work, lease: Lease) -> None:
    """Hold the lease where it is until this transaction is over. Raises Lost where it is somebody else's."""
    if work.value(_EXPECT, lease=lease.name, holder=lease.owner, number=lease.fence) is None:
        raise Lost(lease.name)


def release(work: Work, lease: Lease, instant: datetime | None = None) -> None:
    """Give the lease up, for the next one to take it at once."""
    work.execute(_RELEASE, lease=lease.name, holder=lease.owner, instant=instant)


def leader(work: Work, instant: datetime | None = None, name: str = NAME) -> Leader | None:
    """Who holds the lease, or held it last; None where nobody ever did."""
    row = work.row(_FIND, lease=name, instant=instant)
    return row and Leader(row.owner, row.until, row.fence, bool(row.holds))


_statements: dict[str, Any] = {}


def _taking(dialect: str) -> Any:
    if dialect not in _statements:
        insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
        made = insert(_leases).values(
            name=sa.bindparam("lease"), owner=sa.bindparam("holder"), until=_UNTIL, fence=sa.literal(1)
        )
        given = made.excluded
        _statements[dialect] = made.on_conflict_do_update(
            index_elements=[_leases.c.name],
            set_={
                "owner": given.owner,
                "until": given.until,
                "fence": _leases.c.fence + sa.case((_leases.c.owner == given.owner, 0), else_=1),
            },
            where=sa.or_(_leases.c.owner == given.owner, _leases.c.until <= _NOW, _leases.c.until > _TOO_FAR),
        ).returning(_leases.c.fence)
    return _statements[dialect]
