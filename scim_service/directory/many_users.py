"""Many new people in one transaction, as a bulk request brings them: the rows of one by one, in far fewer statements.

Making people locks no group and nobody who is there already, so that many can be made before the licensing row is
locked once (decision 19); whatever else a bulk request asks is a transaction of its own (`endpoints/scim/bulk.py`).
Who comes with a license value is made alone, in a part that can be undone, as that can be refused for want of a seat;
so is who may be somebody inactive that comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.directory import external_ids, users, verifications
from scim_service.directory.documents import Resource
from scim_service.directory.users import Draft
from scim_service.licensing import attributes, gate, seats
from scim_service.protocol import schema
from scim_service.storage import faults, paging, tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_values = tables.directory.user_values
_external = external_ids.USERS.table
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_NAMES = sa.select(_users.c.user_name_key.label("held")).where(
    _users.c.tenant_id == _TENANT, _users.c.user_name_key.in_(sa.bindparam("held", expanding=True))
)
_EXTERNAL_IDS = sa.select(_external.c.external_id.label("held")).where(
    _external.c.tenant_id == _TENANT,
    _external.c.connection_seq == sa.bindparam("connection"),
    _external.c.external_id.in_(sa.bindparam("held", expanding=True)),
)
_INACTIVE = _EXTERNAL_IDS.join(
    _users, sa.and_(_users.c.tenant_id == _external.c.tenant_id, _users.c.seq == _external.c.owner_seq)
).where(_users.c.active.is_(False))
_SEQS = sa.select(_users.c.id, _users.c.seq).where(
    _users.c.tenant_id == _TENANT, _users.c.id.in_(sa.bindparam("ids", expanding=True))
)

Made = Resource | errors.ScimError


@dataclass(frozen=True)
class New:
    """A person that is asked for: the id to have, and the body of the POST."""

    id: str
    payload: Mapping[str, Any]


@dataclass
class _Making:
    """People on the way: what came of those before, and what is to be written together, or refused, next."""

    work: Work
    most_errors: int | None
    results: list[Made] = field(default_factory=list)
    waiting: list[Draft | errors.ScimError] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether there were so many errors that nothing more is to be done."""
        return self.most_errors is not None and self.errors >= self.most_errors

    @property
    def errors(self) -> int:
        return sum(isinstance(one, errors.ScimError) for one in self.results)


def create(work: Work, asked: Sequence[New], most_errors: int | None = None) -> list[Made]:
    """Make these people in order; what came of each, or why not. It ends after `most_errors` of those.

    Raises what undoes the whole transaction: Uniqueness where somebody else just took a name, Again, Unavailable.
    """
    making, drafts = _Making(work, most_errors), [_drafted(work, new) for new in asked]
    inactive = _inactive(work, drafts)
    for new, draft in zip(asked, drafts, strict=True):
        if isinstance(draft, Draft) and (attributes.values(draft.document) or draft.external_id in inactive):
            _write_waiting(making)
            if not making.is_over:
                making.results.append(_made_alone(work, new))
        else:
            making.waiting.append(draft)
        if isinstance(draft, Draft) and draft.external_id is not None and not draft.row["active"]:
            inactive.add(draft.external_id)
        if making.is_over:
            break
    _write_waiting(making)
    return making.results


def _inactive(work: Work, drafts: Sequence[Draft | errors.ScimError]) -> set[str]:
    """The externalIds of inactive people, who may come back: that is for `users.create` to say."""
    connection = external_ids.connection_of(work)
    ids = [one.external_id for one in drafts if isinstance(one, Draft) and one.external_id is not None]
    return _held(ids, lambda some: work.rows(_INACTIVE, held=some, connection=connection))


def _drafted(work: Work, new: New) -> Draft | errors.ScimError:
    try:
        return users.drafted(work, new.payload, new.id)
    except errors.ScimError as error:
        return error


def _made_alone(work: Work, new: New) -> Made:
    """Somebody made in a part of its own. What the gate knows of a part that is undone is not true any more."""
    try:
        with faults.translated(), work.part():
            return users.create(work, new.payload, new.id)
    except faults.Again:
        raise
    except errors.ScimError as error:
        if gate.is_open(work):
            gate.reopen(work)
            gate.enter(work)
        return error


def _write_waiting(making: _Making) -> None:
    """Write those who wait, in order, but for who has a name that is taken."""
    waiting, making.waiting = making.waiting, []
    if making.is_over or not waiting:
        return
    taken = _taken(making.work, [one for one in waiting if isinstance(one, Draft)])
    left = None if making.most_errors is None else making.most_errors - making.errors
    decided: list[Draft | errors.ScimError] = []
    for one in waiting:
        decided.append((taken.refusal(one) or one) if isinstance(one, Draft) else one)
        if left is not None and sum(isinstance(some, errors.ScimError) for some in decided) >= left:
            break
    written = iter(_written(making.work, [one for one in decided if isinstance(one, Draft)]))
    making.results += [next(written) if isinstance(one, Draft) else one for one in decided]


@dataclass
class _Taken:
    """Names that somebody has, those of the people before in the same request included."""

    names: set[str]
    external_ids: set[str]

    def refusal(self, draft: Draft) -> errors.Uniqueness | None:
        """Why this person cannot be; else the names are taken from now on."""
        name, external_id = draft.row["user_name_key"], draft.external_id
        if name in self.names:
            return errors.Uniqueness(faults.TAKEN["users", "user_name_key"], code="taken")
        if external_id is not None and external_id in self.external_ids:
            return errors.Uniqueness(faults.TAKEN["user_external_ids", "external_id"], code="taken")
        self.names.add(name)
        if external_id is not None:
            self.external_ids.add(external_id)
        return None


def _taken(work: Work, drafts: Sequence[Draft]) -> _Taken:
    connection = external_ids.connection_of(work)
    names = [draft.row["user_name_key"] for draft in drafts]
    ids = [draft.external_id for draft in drafts if draft.external_id is not None]
    return _Taken(
        _held(names, lambda some: work.rows(_NAMES, held=some)),
        _held(ids, lambda some: work.rows(_EXTERNAL_IDS, held=some, connection=connection)),
    )


def _held(wanted: Sequence[str], find: Callable[[list[str]], Iterable[Any]]) -> set[str]:
    return {row.held for chunk in chunks(wanted) for row in find(list(chunk))}


def _written(work: Work, drafts: Sequence[Draft]) -> list[Resource]:
    """The people of these drafts, whose names are free."""
    if not drafts:
        return []
    work.insert(_users, [draft.row for draft in drafts])
    ids = [draft.row["id"] for draft in drafts]
    seqs = {row.id: row.seq for chunk in chunks(ids) for row in work.rows(_SEQS, ids=list(chunk))}
    work.insert(_values, [row for draft in drafts for row in draft.value_rows(seqs[draft.row["id"]])])
    external_ids.USERS.keep_new(work, [(seqs[one.row["id"]], one.external_id) for one in drafts])
    audit.record_many(work, [(*draft.event, draft.event_data) for draft in drafts])
    claimed = seats.people_made(work, [seqs[one] for one in ids])
    for draft in drafts:
        verifications.pushed(work, seqs[draft.row["id"]], draft.document)
    paging.count_one(work, schema.USER.name, seqs[ids[0]], len(drafts))
    return [draft.resource(seqs[draft.row["id"]], claimed) for draft in drafts]
