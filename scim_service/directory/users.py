"""People: made, read, changed, ended (RFC 7644 sections 3.3 to 3.6). Seats follow in the same transaction.

Every function takes a `Work`; those that change something need one from `writing()`. The answers are documents as the
caller's `View` wants them. A person of another tenant is answered as one that never was (decision 3).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import invitations
from scim_service.delivery import outbox
from scim_service.directory import accounts, documents, external_ids, group_rows, listing, relations, verifications
from scim_service.directory.documents import ANY_VERSION, Expected, Resource, View
from scim_service.directory.listing import Listed, Query, Rows
from scim_service.licensing import attributes, preview, seats
from scim_service.protocol import patch as patching
from scim_service.protocol import schema, validation
from scim_service.storage import closure, faults, filter_plan, index_rows, paging, sort_sql, tables
from scim_service.storage.joined import Part
from scim_service.storage.paging import Source
from scim_service.storage.work import Work, chunks

LICENSES = schema.LICENSE_URN
COMPUTED = {"groups": "groups", LICENSES: f"{LICENSES}:licenses"}
"""What is shown of a person and not kept in the document: the top-level name → what of it is computed."""

Tell = Callable[[Work, list[int]], None]
"""Tells the seats that people became active or inactive, after that is written."""

_users = tables.directory.users
_values = tables.directory.user_values
_memberships = tables.directory.memberships
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQ: sa.BindParameter[Any] = sa.bindparam("which")

_assignments = tables.licensing.assignments
_GROUPED = sa.exists().where(_memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _users.c.seq)
_LICENSED = sa.exists().where(_assignments.c.tenant_id == _TENANT, _assignments.c.user_seq == _users.c.seq)
_SELECT = (
    sa.select(_users, external_ids.USERS.table.c.external_id, _GROUPED.label("grouped"), _LICENSED.label("licensed"))
    .outerjoin(external_ids.USERS.table, external_ids.USERS.of(_users))
    .where(_users.c.tenant_id == _TENANT)
)
_BY_ID = _SELECT.where(_users.c.id == sa.bindparam("id"))
_BY_ID_LOCKED = _BY_ID.with_for_update(of=_users, key_share=True)
_INACTIVE = _SELECT.where(
    external_ids.USERS.table.c.external_id == sa.bindparam("given"), _users.c.active.is_(False)
).with_for_update(of=_users, key_share=True)
_BY_SEQS = _SELECT.where(_users.c.seq.in_(sa.bindparam("seqs", expanding=True))).order_by(_users.c.seq)
_LOCK = sa.select(_users.c.seq).where(_users.c.tenant_id == _TENANT, _users.c.seq == _SEQ).with_for_update()
_CHANGE = (
    sa.update(_users)
    .where(_users.c.tenant_id == _TENANT, _users.c.seq == _SEQ)
    .values(
        user_name_key=sa.bindparam("new_user_name_key"),
        display=sa.bindparam("new_display"),
        active=sa.bindparam("new_active"),
        version=_users.c.version + 1,
        modified_at=sa.bindparam("at"),
        document=sa.bindparam("new_document"),
    )
)
_DELETE = sa.delete(_users).where(_users.c.tenant_id == _TENANT, _users.c.seq == _SEQ)
_UNINDEX = sa.delete(_values).where(
    _values.c.tenant_id == _TENANT,
    _values.c.user_seq == _SEQ,
    _values.c.path == sa.bindparam("at_path"),
    _values.c.item == sa.bindparam("at_item"),
    _values.c.value == sa.bindparam("old_value"),
)
_GROUPS_OF = sa.select(_memberships.c.group_seq).where(
    _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == _SEQ
)


def create(work: Work, payload: Mapping[str, Any], user_id: str | None = None) -> Resource:
    """Make a person from a POST body; active unless it says otherwise (decision 5). The id is a new one if not given.

    Who is inactive and comes again under the externalId is the same person, with the same id (scim.md 1.11). Raises
    Uniqueness for a taken userName or externalId, InvalidValue and InvalidSyntax for what is no User.
    """
    draft = drafted(work, payload, user_id)
    row, external_id, document = draft.row, draft.external_id, draft.document
    if external_id is not None:
        known = work.row(_INACTIVE, given=external_id, connection=external_ids.connection_of(work))
        if known is not None:
            return _save(work, _resource(known), {**document, "externalId": external_id})
    values = Part(_values, _value_rows(index_rows.of(document)), "user_seq")
    event = audit.part(work, *draft.event, **draft.event_data)
    seq = work.insert_with(_users, [values, external_ids.USERS.part(work, external_id), event], **row)
    claimed = seats.person_made(work, seq)
    claimed = attributes.written(work, seq, {}, document) or claimed
    verifications.pushed(work, seq, document)
    paging.count_one(work, schema.USER.name, seq, 1)
    return draft.resource(seq, claimed)


@dataclass(frozen=True)
class Draft:
    """A person that is about to be: the row but for its seq, and what is written beside it."""

    row: dict[str, Any]
    document: dict[str, Any]
    external_id: str | None

    def value_rows(self, seq: int) -> list[dict[str, Any]]:
        """The rows of the index, once the person's seq is known."""
        return [{"user_seq": seq, **row} for row in _value_rows(index_rows.of(self.document))]

    @property
    def event(self) -> tuple[str, str]:
        """The action and the subject for the event log."""
        return "user:created", self.row["id"]

    @property
    def event_data(self) -> dict[str, Any]:
        """What the event log keeps."""
        return {"active": self.row["active"], "attributes": sorted(self.document)}

    def resource(self, seq: int, licensed: bool) -> Resource:
        """The person, once made; in no group yet."""
        row, at, document = self.row, self.row["created_at"], self.document
        connection, active = row["connection_seq"], row["active"]
        return Resource(seq, row["id"], 1, at, at, connection, self.external_id, document, active, False, licensed)


def drafted(work: Work, payload: Mapping[str, Any], user_id: str | None = None) -> Draft:
    """The person that a POST body asks for, checked; nothing is written. Raises InvalidValue and InvalidSyntax."""
    cleaned = validation.clean(schema.USER, dict(payload))
    external_id = documents.external_id_of(cleaned)
    document = documents.without({"active": True, **cleaned}, "externalId")
    row = {
        "id": user_id or str(uuid.uuid4()),
        "connection_seq": work.actor.connection_seq,
        **_columns(document),
        "active": document["active"],
        "version": 1,
        "created_at": work.now,
        "modified_at": work.now,
    }
    return Draft(row, document, external_id)


def find(work: Work, user_id: str) -> Resource:
    """The person with this id. Raises NotFound."""
    return _resource(work.row(_BY_ID, id=user_id, connection=external_ids.connection_of(work)))


def replace(work: Work, user_id: str, payload: Mapping[str, Any], expected: Expected = ANY_VERSION) -> Resource:
    """Put a new document in the place of a person's (RFC 7644 section 3.5.1); a missing `active` stays as it is."""
    cleaned = validation.clean(schema.USER, dict(payload))
    current = _locked(work, user_id)
    documents.expect_version(current, expected)
    return _save(work, current, {"active": current.active, **cleaned})


def patch(
    work: Work,
    user_id: str,
    operations: Sequence[patching.Operation],
    *,
    replace_creates: bool = False,
    expected: Expected = ANY_VERSION,
) -> Resource:
    """Carry out a PATCH, all of it or nothing (RFC 7644 section 3.5.2)."""
    current = _locked(work, user_id)
    documents.expect_version(current, expected)
    before = _full(work, [current], "", _mentioned(operations))[0][1]
    patched = patching.apply(schema.USER, before, operations, replace_creates=replace_creates)
    kept = documents.without(patched.document, "id", "meta", "schemas", "groups", LICENSES)
    written = documents.without(patched.document.get(LICENSES, {}), "licenses")
    return _save(work, current, {**kept, LICENSES: written} if written else kept)


def turn(work: Work, user_id: str, active: bool, tell: Tell = seats.activity_changed) -> Resource:
    """Activate or deactivate a person by hand; the document says it as if it had been sent. `tell` tells the seats."""
    current = _locked(work, user_id)
    if current.active == active:
        return current
    return _save(work, current, {**_sent(current), "active": active}, tell)


def delete(work: Work, user_id: str, expected: Expected = ANY_VERSION) -> None:
    """End a person: memberships, claims and seats go in the same transaction (RFC 7644 section 3.6, licensing.md E-19).

    The groups are locked before the person (decision 19); if the person joined one more by then, the door starts over.
    """
    current = find(work, user_id)
    if work.careful:
        invitations.lock_about(work, user_id)
    group_seqs = [row.group_seq for row in work.rows(_GROUPS_OF, which=current.seq)]
    closure.lock_groups(work, group_seqs)
    if work.value(_LOCK, which=current.seq) is None:
        raise _unknown()
    current = find(work, user_id)
    documents.expect_version(current, expected)
    if {row.group_seq for row in work.rows(_GROUPS_OF, which=current.seq)} - set(group_seqs):
        raise faults.Again("This person is being added to a group. Send the request again.", faults.RETRY)
    group_rows.drop_person(work, current.seq, current.id)
    seats.person_gone(work, current.seq)
    outbox.forget(work, current.seq)
    preview.remember(work, current.seq, current.document["userName"])
    work.execute(_DELETE, which=current.seq)
    audit.record(work, "user:deleted", current.id)
    paging.count_one(work, schema.USER.name, current.seq, -1)


def page(work: Work, query: Query, view: View) -> Listed:
    """How many people the query means, and one page of them as the view wants them (RFC 7644 section 3.4.2)."""
    return listing.listed(work, [rows(work, query, view)], query)


def rows(work: Work, query: Query, view: View, kind: int = 0) -> Rows:
    """The people that a query means, for a list; `kind` is the number of their type in it."""
    planned, connection = filter_plan.users(query.filter), external_ids.connection_of(work)
    everybody = Source(_users, _SELECT, schema.USER.name, planned, connection)
    sorting = sort_sql.user_sorting(query.order) if query.order else None
    source = None if query.order and sorting is None else replaced(everybody, order=query.order, sorting=sorting)

    def candidates(seqs: Sequence[int]) -> list[tuple[int, dict[str, Any]]]:
        return _full(work, _by_seqs(work, seqs), view.base, query.asked)

    def answered(seqs: Sequence[int], read: Sequence[Any] | None) -> list[dict[str, Any]]:
        found = _by_seqs(work, seqs) if read is None else map(_resource, read)
        people = {person.seq: person for person in found}
        return shown(work, [people[seq] for seq in seqs], view)

    return Rows(query, source, everybody, candidates, answered, kind)


def shown(work: Work, people: Sequence[Resource], view: View) -> list[dict[str, Any]]:
    """These people as a caller is answered; groups and licenses are read only where they are wanted."""
    wanted = {name for name, computed in COMPUTED.items() if view.projection.shows(computed)}
    found = []
    for person, (_, document) in zip(people, _full(work, people, view.base, wanted), strict=True):
        hidden = () if "active" in person.document else ("active",)
        found.append(documents.shown(documents.without(document, *hidden), schema.USER, view))
    return found


def shows_seats(view: View) -> bool:
    """Whether an answer tells what moves without the person's version: groups and licenses (decision 13)."""
    return any(view.projection.shows(computed) for computed in COMPUTED.values())


def _full(
    work: Work, people: Sequence[Resource], base: str, wanted: Collection[str]
) -> list[tuple[int, dict[str, Any]]]:
    """(seq, full document), with `groups` and licenses where they are in `wanted`.

    It always says `active`, which is what filters ask; where a PATCH removed it, it is not shown, and the state stays.
    """
    grouped = [person.seq for person in people if person.grouped and "groups" in wanted]
    licensed = [person.seq for person in people if person.licensed and LICENSES in wanted]
    groups_of = relations.groups(work, grouped, base)
    licenses_of = relations.licenses(work, licensed)
    found = []
    for person in people:
        document = {**documents.full(person, schema.USER, base), "active": person.active}
        if person.seq in groups_of:
            document["groups"] = groups_of[person.seq]
        if licenses_of.get(person.seq):
            document[LICENSES] = {**document.get(LICENSES, {}), "licenses": licenses_of[person.seq]}
        found.append((person.seq, document))
    return found


def _mentioned(operations: Sequence[patching.Operation]) -> set[str]:
    """Which of the computed attributes a PATCH speaks of: their present values decide whether it may (decision 12)."""
    keys = [key for one in operations if isinstance(one.value, dict) for key in [one.path or "", *one.value]]
    spoken = " ".join([*(one.path or "" for one in operations), *keys]).casefold()
    return {name for name in COMPUTED if name.casefold() in spoken}


def _sent(current: Resource) -> dict[str, Any]:
    """The document as a PUT would send it again."""
    known = {} if current.external_id is None else {"externalId": current.external_id}
    return {**current.document, **known}


def _save(work: Work, current: Resource, wanted: Mapping[str, Any], tell: Tell = seats.activity_changed) -> Resource:
    """Write what differs; nothing at all where nothing does, so that a repeated request leaves no trace (F13)."""
    external_id = documents.external_id_of(wanted)
    document = documents.without(wanted, "externalId")
    if document == current.document and external_id == current.external_id:
        return current
    active = document.get("active", current.active)
    saved = replaced(
        current,
        version=current.version + 1,
        modified_at=work.now,
        external_id=external_id,
        document=document,
        active=active,
    )
    heard = _write(work, current, saved) or tell is not seats.activity_changed
    if current.active and not active:
        invitations.void(work, current.seq)
    verifications.address_changed(work, current.seq, current.id, current.document, document, active)
    if active and not current.active:
        verifications.back(work, current.seq, document, current.connection_seq)
    licensed = _move_seats(work, current, saved, tell, heard)
    return replaced(saved, licensed=saved.licensed or licensed)


def _write(work: Work, before: Resource, after: Resource) -> bool:
    """The row, its event, what ends with the access; then the rows that filters ask. Whether seats may listen."""
    if work.actor.connection_seq not in (None, before.connection_seq):
        audit.record_adoption(work, before.id)
    ends = [accounts.VOID[work.dialect]] if before.active and not after.active else []
    columns = {f"new_{name}": value for name, value in _columns(after.document).items()}
    values = {"which": after.seq, "at": work.now, "new_active": after.active, **columns, **_change(work, before, after)}
    heard = work.together(_CHANGE, audit.TELL, *ends, asking=seats.LISTEN, **values)
    _index(work, after.seq, index_rows.of(before.document), index_rows.of(after.document))
    external_ids.USERS.keep(work, after.seq, before.external_id, after.external_id)
    return bool(heard)


def _change(work: Work, before: Resource, after: Resource) -> dict[str, Any]:
    """The event of a change, for `audit.TELL`."""
    old = {**before.document, "externalId": before.external_id}
    new = {**after.document, "externalId": after.external_id}
    active = {"active": after.active} if after.active != before.active else {}
    return audit.told(work, "user:changed", after.id, attributes=documents.changed_names(old, new), **active)


def _move_seats(work: Work, before: Resource, after: Resource, tell: Tell, heard: bool) -> bool:
    """Seats follow, and whether anything asked: who leaves does so before values go, so that the brake sees it."""
    changed, moved = after.document != before.document, after.active != before.active
    if moved and heard and not after.active:
        tell(work, [after.seq])
    valued = changed and attributes.written(work, after.seq, before.document, after.document)
    heard = heard or valued
    if moved and heard and after.active:
        tell(work, [after.seq])
    asked = changed and heard and seats.attributes_changed(work, after.seq)
    return (moved and heard) or valued or asked


def _columns(document: Mapping[str, Any]) -> dict[str, Any]:
    name = document.get("name") or {}
    return {
        "user_name_key": documents.name_key(document["userName"], "userName"),
        "display": document.get("displayName") or name.get("formatted") or "",
        "document": documents.text_of(document),
    }


def _index(work: Work, seq: int, before: set[index_rows.IndexRow], after: set[index_rows.IndexRow]) -> None:
    gone = sorted(before - after, key=str)
    work.many(_UNINDEX, [{"which": seq, "at_path": one[0], "at_item": one[1], "old_value": one[2]} for one in gone])
    work.insert(_values, [{"user_seq": seq, **row} for row in _value_rows(after - before)])


def _value_rows(rows: set[index_rows.IndexRow]) -> list[dict[str, Any]]:
    return [{"path": p, "item": i, "value": v, "whole": w} for p, i, v, w in sorted(rows, key=str)]


def _locked(work: Work, user_id: str) -> Resource:
    """The person, locked; where this is another try, what comes before people in the order of locks too."""
    if work.careful:
        invitations.lock_about(work, user_id)
    return _resource(work.row(_BY_ID_LOCKED, id=user_id, connection=external_ids.connection_of(work)))


def _by_seqs(work: Work, seqs: Sequence[int]) -> list[Resource]:
    connection = external_ids.connection_of(work)
    rows = [row for chunk in chunks(seqs) for row in work.rows(_BY_SEQS, seqs=list(chunk), connection=connection)]
    return [_resource(row) for row in rows]


def _resource(row: sa.Row[Any] | None) -> Resource:
    if row is None:
        raise _unknown()
    return Resource(
        row.seq,
        row.id,
        row.version,
        row.created_at,
        row.modified_at,
        row.connection_seq,
        row.external_id,
        documents.stored(row.document),
        row.active,
        row.grouped,
        row.licensed,
    )


def _unknown() -> errors.NotFound:
    return errors.NotFound("There is no user with this id. It may have been deleted; look it up by userName.")
