"""What is computed when a resource is shown: a person's groups and licenses, a group's members.

Every question is asked for a whole page at once, and only when the answer is wanted (`Projection.shows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import shown as licenses_shown
from scim_service.protocol import schema
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_groups = tables.directory.groups
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")


def _groups_of() -> sa.Select[Any]:
    """(user_seq, id, display_name, direct) of every group that the people `:seqs` are in, at any depth."""
    start = sa.select(_memberships.c.user_seq, _memberships.c.group_seq).where(
        _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq.in_(sa.bindparam("seqs", expanding=True))
    )
    reached = start.cte("reached", recursive=True)
    reached = reached.union(
        sa.select(reached.c.user_seq, _nestings.c.group_seq).where(
            _nestings.c.tenant_id == _TENANT, _nestings.c.child_seq == reached.c.group_seq
        )
    )
    direct = _memberships.alias("direct")
    return (
        sa.select(reached.c.user_seq, _groups.c.id, _groups.c.display_name, direct.c.seq.is_not(None).label("direct"))
        .join(_groups, sa.and_(_groups.c.tenant_id == _TENANT, _groups.c.seq == reached.c.group_seq))
        .outerjoin(
            direct,
            sa.and_(
                direct.c.tenant_id == _TENANT,
                direct.c.user_seq == reached.c.user_seq,
                direct.c.group_seq == reached.c.group_seq,
            ),
        )
        .order_by(reached.c.user_seq, reached.c.group_seq)
    )


_GROUPS_OF = _groups_of()
_MEMBERS_OF = (
    sa.select(_memberships.c.group_seq, _users.c.id, _users.c.display)
    .join(_users, sa.and_(_users.c.tenant_id == _memberships.c.tenant_id, _users.c.seq == _memberships.c.user_seq))
    .where(_memberships.c.tenant_id == _TENANT, _memberships.c.group_seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(_memberships.c.seq)
)
_CHILDREN_OF = (
    sa.select(_nestings.c.group_seq, _groups.c.id, _groups.c.display_name)
    .join(_groups, sa.and_(_groups.c.tenant_id == _nestings.c.tenant_id, _groups.c.seq == _nestings.c.child_seq))
    .where(_nestings.c.tenant_id == _TENANT, _nestings.c.group_seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(_nestings.c.child_seq)
)


def groups(work: Work, user_seqs: Sequence[int], base: str) -> dict[int, list[dict[str, Any]]]:
    """User.groups of each of these people: direct and indirect membership (RFC 7643 section 4.1.2)."""
    found: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks(user_seqs):
        for row in work.rows(_GROUPS_OF, seqs=list(chunk)):
            found.setdefault(row.user_seq, []).append(
                {
                    "value": row.id,
                    "$ref": f"{base}{schema.GROUP.endpoint}/{row.id}",
                    "display": row.display_name,
                    "type": "direct" if row.direct else "indirect",
                }
            )
    return found


def licenses(work: Work, user_seqs: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The values of our extension's `licenses` for each of these people."""
    return licenses_shown.licenses(work, user_seqs)


def members(work: Work, group_seqs: Sequence[int], base: str) -> dict[int, list[dict[str, Any]]]:
    """Group.members of each of these groups, in the order of joining, people first (RFC 7643 section 4.2)."""
    found: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks(group_seqs):
        for seq, member in _people(work, chunk, base):
            found.setdefault(seq, []).append(member)
        for row in work.rows(_CHILDREN_OF, seqs=list(chunk)):
            found.setdefault(row.group_seq, []).append(_member(row.id, row.display_name, schema.GROUP, base))
    return found


def _people(work: Work, group_seqs: Sequence[int], base: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in work.execute(_MEMBERS_OF, seqs=list(group_seqs)):
        yield row.group_seq, _member(row.id, row.display, schema.USER, base)


def _member(member_id: str, display: str, kind: schema.ResourceType, base: str) -> dict[str, Any]:
    member = {"value": member_id, "$ref": f"{base}{kind.endpoint}/{member_id}", "type": kind.name}
    return {**member, "display": display} if display else member
