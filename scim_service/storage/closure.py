"""Who is in which group when groups are in groups: the edges are kept, the closure is asked of them (decision 24).

Here too are the locks that such questions need, and `groups.feeds`, which tells whether a change of members can touch a
seat at all (decision 20). Locks are taken in the order of decision 19, groups by seq.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from scim_service.storage import faults, tables
from scim_service.storage.work import Work, chunks

_tenants = tables.access.tenants
_groups = tables.directory.groups
_nestings = tables.directory.nestings
_rules = tables.licensing.rules

_NESTING = "closure.nesting"
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")


def _closure(upwards: bool) -> sa.Select[tuple[int]]:
    """Seqs reached from `:seqs` along the edges, the starting groups included; a cycle ends as nothing new is found."""
    near, far = (
        (_nestings.c.child_seq, _nestings.c.group_seq) if upwards else (_nestings.c.group_seq, _nestings.c.child_seq)
    )
    start = sa.select(_groups.c.seq.label("seq")).where(
        _groups.c.tenant_id == _TENANT, _groups.c.seq.in_(sa.bindparam("seqs", expanding=True))
    )
    reached = start.cte("reached", recursive=True)
    reached = reached.union(sa.select(far).where(_nestings.c.tenant_id == _TENANT, near == reached.c.seq))
    return sa.select(reached.c.seq)


_ABOVE = _closure(upwards=True)
_BELOW = _closure(upwards=False)
_LOCK_TENANT = sa.select(_tenants.c.id).where(_tenants.c.id == _TENANT).with_for_update(key_share=True)
_LOCK_GROUPS = (
    sa.select(_groups.c.seq)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(_groups.c.seq)
    .with_for_update(key_share=True)
)
_RULED = sa.select(sa.literal(1)).where(
    _rules.c.tenant_id == _TENANT,
    _rules.c.state == "bound",
    _rules.c.group_seq.in_(sa.bindparam("seqs", expanding=True)),
)
_FEED = (
    sa.update(_groups)
    .where(
        _groups.c.tenant_id == _TENANT,
        _groups.c.seq == sa.bindparam("group"),
        _groups.c.feeds != sa.bindparam("is_fed"),
    )
    .values(feeds=sa.bindparam("is_fed"))
)


def above(work: Work, seqs: Collection[int]) -> set[int]:
    """These groups and every group that contains one of them, at any depth."""
    return _reached(work, _ABOVE, seqs)


def below(work: Work, seqs: Collection[int]) -> set[int]:
    """These groups and every group inside them, at any depth."""
    return _reached(work, _BELOW, seqs)


def lock_nesting(work: Work) -> None:
    """Wait until no other transaction of this tenant changes which group is in which; the first lock of all."""
    work.execute(_LOCK_TENANT)
    work.notes[_NESTING] = True


def need_nesting_lock(work: Work) -> None:
    """Raise Again where the change turns out to need `lock_nesting`, and other locks are held already.

    The next try is careful (`Work.careful`) and takes that lock first: an ordinary change of members never pays for it.
    """
    if not work.notes.get(_NESTING):
        raise faults.Again("Which group is in which is being changed. Send the request again.", faults.RETRY)


def lock_groups(work: Work, seqs: Collection[int]) -> set[int]:
    """Lock the groups, by seq; those that still exist."""
    return {row.seq for chunk in chunks(sorted(seqs)) for row in work.rows(_LOCK_GROUPS, seqs=chunk)}


def refresh_feeds(work: Work, seqs: Collection[int]) -> None:
    """Make `feeds` true of these groups and everything inside them: is there a bound rule here or above?

    The caller has locked all of them.
    """
    for seq in sorted(below(work, seqs)):
        fed = work.value(_RULED, seqs=sorted(above(work, [seq]))) is not None
        work.execute(_FEED, group=seq, is_fed=fed)


def _reached(work: Work, statement: sa.Select[tuple[int]], seqs: Collection[int]) -> set[int]:
    return {row.seq for chunk in chunks(sorted(seqs)) for row in work.rows(statement, seqs=list(chunk))}
