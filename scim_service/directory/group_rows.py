"""The rows of groups: how they are read, locked and written. The use cases stand in `groups.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.directory import documents, external_ids, members
from scim_service.directory.documents import Expected, Resource
from scim_service.storage import closure, tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_groups = tables.directory.groups
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_pending = tables.directory.pending_members
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQ: sa.BindParameter[Any] = sa.bindparam("which")
_SEQS: sa.BindParameter[Any] = sa.bindparam("seqs", expanding=True)

SELECT = (
    sa.select(_groups, external_ids.GROUPS.table.c.external_id)
    .outerjoin(external_ids.GROUPS.table, external_ids.GROUPS.of(_groups))
    .where(_groups.c.tenant_id == _TENANT)
)
"""All that is shown of groups, but for their members."""

_BY_ID = SELECT.where(_groups.c.id == sa.bindparam("id"))
_BY_ID_LOCKED = _BY_ID.with_for_update(of=_groups, key_share=True)
_BY_SEQS = SELECT.where(_groups.c.seq.in_(_SEQS)).order_by(_groups.c.seq)
_CHANGE = (
    sa.update(_groups)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.seq == _SEQ)
    .values(
        display_name=sa.bindparam("new_display_name"),
        display_name_key=sa.bindparam("new_display_name_key"),
        unique_name_key=sa.bindparam("new_unique_name_key"),
        version=_groups.c.version + 1,
        modified_at=sa.bindparam("at"),
        member_count=_groups.c.member_count + sa.bindparam("growth"),
        document=sa.bindparam("new_document"),
    )
)
_COUNT = (
    sa.update(_groups)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.seq == _SEQ)
    .values(member_count=_groups.c.member_count + sa.bindparam("growth"))
)
_SHRINK = (
    sa.update(_groups)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.seq.in_(_SEQS))
    .values(version=_groups.c.version + 1, modified_at=sa.bindparam("at"), member_count=_groups.c.member_count - 1)
)
_FEEDS = (
    sa.select(sa.literal(1)).where(_groups.c.tenant_id == _TENANT, _groups.c.seq.in_(_SEQS), _groups.c.feeds).limit(1)
)
_PARENTS = sa.select(_nestings.c.group_seq).where(_nestings.c.tenant_id == _TENANT, _nestings.c.child_seq == _SEQ)
_CHILDREN = sa.select(_nestings.c.child_seq).where(_nestings.c.tenant_id == _TENANT, _nestings.c.group_seq == _SEQ)
_END = [
    sa.delete(_memberships).where(_memberships.c.tenant_id == _TENANT, _memberships.c.group_seq == _SEQ),
    sa.delete(_pending).where(_pending.c.tenant_id == _TENANT, _pending.c.group_seq == _SEQ),
    sa.delete(_nestings).where(
        _nestings.c.tenant_id == _TENANT, sa.or_(_nestings.c.group_seq == _SEQ, _nestings.c.child_seq == _SEQ)
    ),
    sa.delete(_groups).where(_groups.c.tenant_id == _TENANT, _groups.c.seq == _SEQ),
]
_GROUPS_OF = (
    sa.select(_groups.c.seq, _groups.c.id)
    .join(
        _memberships,
        sa.and_(_memberships.c.tenant_id == _groups.c.tenant_id, _memberships.c.group_seq == _groups.c.seq),
    )
    .where(_groups.c.tenant_id == _TENANT, _memberships.c.user_seq == _SEQ)
    .order_by(_groups.c.seq)
)
_LEAVE_ALL = sa.delete(_memberships).where(_memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _SEQ)
_USER_IDS = sa.select(_users.c.seq, _users.c.id).where(_users.c.tenant_id == _TENANT, _users.c.seq.in_(_SEQS))
_GROUP_IDS = sa.select(_groups.c.seq, _groups.c.id).where(_groups.c.tenant_id == _TENANT, _groups.c.seq.in_(_SEQS))


@dataclass(frozen=True)
class Group:
    """A stored group: the resource, how many members it shows, whether a rule listens, whether its name is unique."""

    resource: Resource
    member_count: int
    feeds: bool
    unique_name: bool


def insert(work: Work, new_id: str, document: Mapping[str, Any], unique_name: bool) -> int:
    """A new group without members; its seq."""
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now, "member_count": 0, "feeds": False}
    connection = work.actor.connection_seq
    return work.insert_one(_groups, id=new_id, connection_seq=connection, **_columns(document, unique_name), **stamps)


def write(work: Work, group: Group, document: Mapping[str, Any], growth: int) -> None:
    """Put a document in the place of a group's, and count its members anew by `growth`."""
    columns = {f"new_{name}": value for name, value in _columns(document, group.unique_name).items()}
    work.execute(_CHANGE, which=group.resource.seq, at=work.now, growth=growth, **columns)


def count_members(work: Work, seq: int, growth: int) -> None:
    """Count the members of a group that is being made; its version stays the first."""
    work.execute(_COUNT, which=seq, growth=growth)


def remove(work: Work, seq: int) -> None:
    """Take a group away, and everything that says who is in it or where it is in."""
    for statement in _END:
        work.execute(statement, which=seq)


def shrink(work: Work, group_seqs: Sequence[int]) -> None:
    """One member less in each of these groups."""
    for chunk in chunks(group_seqs):
        work.execute(_SHRINK, seqs=list(chunk), at=work.now)


def read(work: Work, group_id: str) -> Group:
    """The group with this id. Raises NotFound."""
    return _group(work.row(_BY_ID, id=group_id, connection=external_ids.connection_of(work)))


def locked(work: Work, group_id: str, expected: Expected) -> Group:
    """The same, locked until the commit. Raises PreconditionFailed when it has none of the expected versions."""
    if work.careful:
        closure.lock_nesting(work)
    group = _group(work.row(_BY_ID_LOCKED, id=group_id, connection=external_ids.connection_of(work)))
    documents.expect_version(group.resource, expected)
    return group


def by_seqs(work: Work, seqs: Sequence[int]) -> list[Resource]:
    """The groups with these seqs, in their order."""
    connection = external_ids.connection_of(work)
    rows = [row for chunk in chunks(seqs) for row in work.rows(_BY_SEQS, seqs=list(chunk), connection=connection)]
    return resources(rows)


def resources(rows: Iterable[Any]) -> list[Resource]:
    """The groups in rows of SELECT."""
    return [_group(row).resource for row in rows]


def parents(work: Work, seq: int) -> list[int]:
    """The groups that this group is a member of."""
    return [row.group_seq for row in work.rows(_PARENTS, which=seq)]


def children(work: Work, seq: int) -> list[int]:
    """The groups that are members of this group."""
    return [row.child_seq for row in work.rows(_CHILDREN, which=seq)]


def any_feeds(work: Work, group_seqs: Sequence[int]) -> bool:
    """Whether a rule listens to one of these groups."""
    return bool(group_seqs) and work.value(_FEEDS, seqs=list(group_seqs)) is not None


def drop_person(work: Work, user_seq: int, user_id: str) -> None:
    """Take a person who is about to be deleted out of every group; the caller has locked these groups."""
    left = work.rows(_GROUPS_OF, which=user_seq)
    work.execute(_LEAVE_ALL, which=user_seq)
    shrink(work, [row.seq for row in left])
    audit.record_many(work, [("group:members", row.id, {"left": [user_id]}) for row in left])


def record_members(work: Work, group_id: str, delta: members.Delta) -> None:
    """One event with the ids of who joined and left, which is what a replay needs (I-6)."""
    parts = {
        "joined": _ids(work, _USER_IDS, delta.joined, delta.ids),
        "left": _ids(work, _USER_IDS, delta.left, delta.ids),
        "nested": _ids(work, _GROUP_IDS, delta.nested, {}),
        "unnested": _ids(work, _GROUP_IDS, delta.unnested, {}),
    }
    if delta.changed:
        audit.record(work, "group:members", group_id, **{name: ids for name, ids in parts.items() if ids})


def _ids(work: Work, statement: sa.Select[Any], seqs: Collection[int], known: Mapping[int, str]) -> list[str]:
    missing = [seq for seq in seqs if seq not in known]
    found = {row.seq: row.id for chunk in chunks(missing) for row in work.rows(statement, seqs=list(chunk))}
    return [known.get(seq) or found[seq] for seq in seqs]


def _columns(document: Mapping[str, Any], unique_name: bool) -> dict[str, Any]:
    key = documents.name_key(document["displayName"], "displayName")
    return {
        "display_name": document["displayName"],
        "display_name_key": key,
        "unique_name_key": key if unique_name else None,
        "document": documents.text_of(document),
    }


def _group(row: sa.Row[Any] | None) -> Group:
    if row is None:
        raise errors.NotFound("There is no group with this id. It may have been deleted; look it up by displayName.")
    resource = Resource(
        row.seq,
        row.id,
        row.version,
        row.created_at,
        row.modified_at,
        row.connection_seq,
        row.external_id,
        documents.stored(row.document),
    )
    return Group(resource, row.member_count, row.feeds, row.unique_name_key is not None)
