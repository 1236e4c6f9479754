"""Groups: made, read, changed, ended (RFC 7643 section 4.2, RFC 7644 sections 3.3 to 3.6), members as deltas.

A request never loads the members to change one of them. Whose membership changed in a group that feeds a rule, here or
above (`feeds`, decision 20), is told to `licensing.seats`; for all other groups no seat is looked at.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.directory import documents, external_ids, group_rows, listing, members, relations
from scim_service.directory.documents import ANY_VERSION, Expected, Resource, View
from scim_service.directory.group_rows import Group
from scim_service.directory.listing import Listed, Query, Rows
from scim_service.idp import PROFILES
from scim_service.licensing import rules, seats
from scim_service.protocol import patch as patching
from scim_service.protocol import schema, validation
from scim_service.storage import closure, filter_plan, paging, sort_sql, tables
from scim_service.storage.paging import Source
from scim_service.storage.work import Work

_groups = tables.directory.groups
_pending = tables.directory.pending_members
_connections = tables.access.connections
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_OVERVIEW = (
    sa.select(
        _groups.c.id,
        _groups.c.display_name,
        _groups.c.member_count,
        _connections.c.name.label("connection"),
        sa.select(sa.func.count())
        .where(_pending.c.tenant_id == _TENANT, _pending.c.group_seq == _groups.c.seq)
        .scalar_subquery()
        .label("pending"),
    )
    .outerjoin(
        _connections,
        sa.and_(_connections.c.tenant_id == _groups.c.tenant_id, _connections.c.seq == _groups.c.connection_seq),
    )
    .where(_groups.c.tenant_id == _TENANT)
    .order_by(_groups.c.display_name_key, _groups.c.seq)
)


@dataclass(frozen=True)
class GroupLine:
    """A group in an overview; `types` are the codes that its rules give, `pending` counts unknown member ids."""

    id: str
    display_name: str
    member_count: int
    pending: int
    connection: str | None
    types: tuple[str, ...]


def create(work: Work, payload: Mapping[str, Any], profile: str = "rfc", group_id: str | None = None) -> Group:
    """Make a group from a POST body; rules that wait for a group of its name bind to it (decision 30).

    The id is a new one if not given. Raises Uniqueness for a displayName that the profile wants unique, or an
    externalId that is taken.
    """
    cleaned = validation.clean(schema.GROUP, dict(payload))
    closure.lock_nesting(work)
    external_id = documents.external_id_of(cleaned)
    document = documents.without(cleaned, "externalId", "members")
    new_id, unique_name = group_id or str(uuid.uuid4()), PROFILES[profile].unique_group_names
    seq = group_rows.insert(work, new_id, document, unique_name)
    external_ids.GROUPS.keep(work, seq, None, external_id)
    audit.record(work, "group:created", new_id, displayName=document["displayName"])
    resource = Resource(seq, new_id, 1, work.now, work.now, work.actor.connection_seq, external_id, document)
    group = _first_members(work, Group(resource, 0, False, unique_name), _member_ids(cleaned))
    rules.bind(work, seq, document["displayName"])
    paging.count_one(work, schema.GROUP.name, seq, 1)
    return group


def find(work: Work, group_id: str) -> Group:
    """The group with this id. Raises NotFound."""
    return group_rows.read(work, group_id)


def replace(work: Work, group_id: str, payload: Mapping[str, Any], expected: Expected = ANY_VERSION) -> Group:
    """Put a whole new group in the place of one (RFC 7644 section 3.5.1), members included: who stays does not move."""
    cleaned = validation.clean(schema.GROUP, dict(payload))
    current = group_rows.locked(work, group_id, expected)
    steps = [patching.ReplaceMembers(_member_ids(cleaned))]
    return _save(work, current, documents.without(cleaned, "members"), steps)


def patch(
    work: Work,
    group_id: str,
    operations: Sequence[patching.Operation],
    *,
    replace_creates: bool = False,
    expected: Expected = ANY_VERSION,
) -> Group:
    """Carry out a PATCH, all of it or nothing; its cost does not depend on how many members there are."""
    current = group_rows.locked(work, group_id, expected)
    before = documents.full(current.resource, schema.GROUP, "")
    patched = patching.apply(schema.GROUP, before, operations, replace_creates=replace_creates)
    return _save(work, current, documents.without(patched.document, "id", "meta", "schemas"), patched.member_steps)


def delete(work: Work, group_id: str, expected: Expected = ANY_VERSION) -> None:
    """End a group: its people stay, its memberships go, its rules are orphaned and seats follow (decision 30)."""
    closure.lock_nesting(work)
    seq = find(work, group_id).resource.seq
    parents, children = group_rows.parents(work, seq), group_rows.children(work, seq)
    closure.lock_groups(work, {*parents, *closure.below(work, [seq])})
    documents.expect_version(find(work, group_id).resource, expected)
    moved = members.people_below(work, [seq]) if group_rows.any_feeds(work, parents) else []
    rules.orphan(work, seq)
    group_rows.remove(work, seq)
    audit.record(work, "group:deleted", group_id)
    group_rows.shrink(work, parents)
    closure.refresh_feeds(work, children)
    if moved:
        seats.people_moved(work, parents, moved)
    paging.count_one(work, schema.GROUP.name, seq, -1)


def page(work: Work, query: Query, view: View) -> Listed:
    """How many groups the query means, and one page of them as the view wants them (RFC 7644 section 3.4.2)."""
    return listing.listed(work, [rows(work, query, view)], query)


def rows(work: Work, query: Query, view: View, kind: int = 0) -> Rows:
    """The groups that a query means, for a list; `kind` is the number of their type in it."""
    planned, connection = filter_plan.groups(query.filter), external_ids.connection_of(work)
    everything = Source(_groups, group_rows.SELECT, schema.GROUP.name, planned, connection)
    sorting = sort_sql.group_sorting(query.order) if query.order else None
    source = None if query.order and sorting is None else replaced(everything, order=query.order, sorting=sorting)

    def candidates(seqs: Sequence[int]) -> list[tuple[int, dict[str, Any]]]:
        return _full(work, group_rows.by_seqs(work, seqs), view.base, "members" in query.asked)

    def answered(seqs: Sequence[int], read: Sequence[Any] | None) -> list[dict[str, Any]]:
        rows = group_rows.by_seqs(work, seqs) if read is None else group_rows.resources(read)
        found = {one.seq: one for one in rows}
        return shown(work, [found[seq] for seq in seqs], view)

    return Rows(query, source, everything, candidates, answered, kind)


def shown(work: Work, found: Sequence[Resource], view: View) -> list[dict[str, Any]]:
    """These groups as a caller is answered; members are read only where they are wanted."""
    whole = _full(work, found, view.base, view.projection.shows("members"))
    return [documents.shown(document, schema.GROUP, view) for _, document in whole]


def overview(work: Work) -> list[GroupLine]:
    """Every group by name, with the license types that its rules give."""
    types: dict[str | None, list[str]] = {}
    for rule in rules.listing(work):
        types.setdefault(rule.group_id, []).append(rule.type_code)
    return [
        GroupLine(row.id, row.display_name, row.member_count, row.pending, row.connection, tuple(types.get(row.id, ())))
        for row in work.rows(_OVERVIEW)
    ]


def _full(work: Work, found: Sequence[Resource], base: str, with_members: bool) -> list[tuple[int, dict[str, Any]]]:
    members_of = relations.members(work, [one.seq for one in found], base) if with_members else {}
    whole = []
    for one in found:
        document = documents.full(one, schema.GROUP, base)
        if members_of.get(one.seq):
            document["members"] = members_of[one.seq]
        whole.append((one.seq, document))
    return whole


def _first_members(work: Work, group: Group, ids: tuple[str, ...]) -> Group:
    """The members that a new group comes with; it is in no other group yet, so no rule above can listen."""
    delta = members.apply(work, group.resource.seq, [patching.AddMembers(ids)]) if ids else members.Delta()
    if delta.changed:
        group_rows.count_members(work, group.resource.seq, delta.growth)
        group_rows.record_members(work, group.resource.id, delta)
        closure.refresh_feeds(work, delta.nested)
    return replaced(group, member_count=delta.growth)


def _save(work: Work, current: Group, wanted: Mapping[str, Any], steps: Sequence[patching.MemberStep]) -> Group:
    """Write what differs, then tell the seats; nothing at all where nothing does (F13)."""
    resource = current.resource
    external_id = documents.external_id_of(wanted)
    document = documents.without(wanted, "externalId")
    delta = members.apply(work, resource.seq, steps)
    before = {**resource.document, "externalId": resource.external_id}
    names = documents.changed_names(before, {**document, "externalId": external_id})
    if not names and not delta.changed:
        return current
    if "displayName" in names:
        closure.need_nesting_lock(work)
    group_rows.write(work, current, document, delta.growth)
    external_ids.GROUPS.keep(work, resource.seq, resource.external_id, external_id)
    _record(work, resource.id, names, document, delta)
    _tell_licensing(work, current, names, document, delta)
    saved = replaced(
        resource, version=resource.version + 1, modified_at=work.now, external_id=external_id, document=document
    )
    return replaced(current, resource=saved, member_count=current.member_count + delta.growth)


def _tell_licensing(
    work: Work, current: Group, names: list[str], document: Mapping[str, Any], delta: members.Delta
) -> None:
    seq = current.resource.seq
    closure.refresh_feeds(work, delta.nested | delta.unnested)
    if current.feeds and delta.changed:
        seats.people_moved(work, [seq], members.touched(work, delta))
    if "displayName" in names:
        rules.bind(work, seq, document["displayName"])


def _record(work: Work, group_id: str, names: list[str], document: Mapping[str, Any], delta: members.Delta) -> None:
    if names:
        name = {"displayName": document["displayName"]} if "displayName" in names else {}
        audit.record(work, "group:changed", group_id, attributes=names, **name)
    group_rows.record_members(work, group_id, delta)


def _member_ids(cleaned: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(member["value"] for member in cleaned.get("members", ()))
