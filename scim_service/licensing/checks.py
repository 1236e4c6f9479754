"""What the product that sells the seats asks: is this person licensed for X now, with which rights, and who holds X.

A check is one statement, which finds the person and reads the types that the person has something to do with and those
that bring the rights of others (D-4, `implies`): it costs no more than reading the person by SCIM.
What lapsed is not effective even where nobody could let the queue move yet (licensing.md I-10, decision 23).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import connections, invitations
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.licensing import catalog, facts, shown
from scim_service.licensing.catalog import Options
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

NONE, NO_REASON = "none", "no_reason"
"""What is said of a type that a person has nothing to do with."""

FLAGS = ("sessions_void_before", "api_keys_void_before", "must_change_password", "privacy_override")
"""Instants that the product obeys (decision 32): what is older is void, or what is asked for or on since then."""

_users = tables.directory.users
_accounts = tables.directory.accounts
_external_ids = tables.directory.user_external_ids
_connections = tables.access.connections
_types = tables.licensing.license_types
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_NAMED: dict[str, sa.ColumnElement[bool]] = {
    "id": _users.c.id == sa.bindparam("id"),
    "user_name": _users.c.user_name_key == sa.bindparam("user_name"),
    "external_id": _users.c.seq
    == sa.select(_external_ids.c.owner_seq)
    .join(
        _connections,
        sa.and_(
            _connections.c.tenant_id == _external_ids.c.tenant_id,
            _connections.c.seq == _external_ids.c.connection_seq,
        ),
    )
    .where(
        _external_ids.c.tenant_id == _TENANT,
        _external_ids.c.external_id == sa.bindparam("external_id"),
        _connections.c.name == sa.bindparam("connection_name"),
    )
    .scalar_subquery(),
}
"""How a person is named → the condition on the row."""


def _each(statement: sa.Select[Any]) -> dict[str, sa.Select[Any]]:
    return {name: statement.where(condition) for name, condition in _NAMED.items()}


_WHO = (_users.c.seq, _users.c.id, _users.c.active, _users.c.banned)
_PERSON = _each(
    sa.select(
        *(*_WHO, _users.c.document, *(_accounts.c[name] for name in FLAGS)),
        invitations.state_of(INVITATION, _users.c.seq).label("invitation"),
        invitations.state_of(VERIFICATION, _users.c.seq).label("verification"),
    )
    .outerjoin(_accounts, sa.and_(_accounts.c.tenant_id == _users.c.tenant_id, _accounts.c.user_seq == _users.c.seq))
    .where(_users.c.tenant_id == _TENANT)
)
_STANDING = (
    sa.select(*_WHO, _types.c.code, _types.c.name.label("type_name"), _types.c.settings, _assignments)
    .join(_types, _types.c.tenant_id == _users.c.tenant_id)
    .outerjoin(
        _assignments,
        sa.and_(
            _assignments.c.tenant_id == _users.c.tenant_id,
            _assignments.c.user_seq == _users.c.seq,
            _assignments.c.type_seq == _types.c.seq,
            shown.NOT_LAPSED,
        ),
    )
    .where(
        _users.c.tenant_id == _TENANT,
        sa.or_(
            _assignments.c.user_seq.is_not(None),
            _types.c.settings.contains('"implies"'),
            _types.c.code == sa.bindparam("code"),
        ),
    )
    .order_by(_types.c.rank.desc(), _types.c.code)
)
_OF_PERSON = _STANDING.where(_users.c.seq == sa.bindparam("user"))
_CHECK = _each(_STANDING)
_RIGHTS = sa.select(_types.c.code, _types.c.settings).where(
    _types.c.tenant_id == _TENANT, _types.c.code.in_(sa.bindparam("codes", expanding=True))
)
_HOLDERS = (
    sa.select(_users.c.seq, _users.c.id, _users.c.document, _assignments.c.state, _assignments.c.reason)
    .add_columns(_assignments.c.since, _assignments.c.until)
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
        _assignments.c.user_seq > sa.bindparam("after"),
        shown.NOT_LAPSED,
    )
    .order_by(_assignments.c.user_seq)
    .limit(sa.bindparam("many"))
)


@dataclass(frozen=True)
class Whom:
    """How a person is named: one of `id`, `user_name`, or `external_id` as the `connection` of this name gave it."""

    id: str | None = None
    user_name: str | None = None
    external_id: str | None = None
    connection: str | None = None

    def rows(self, work: Work, statements: Mapping[str, sa.Select[Any]], **values: Any) -> Sequence[Any]:
        """The rows of the statement for this way of naming a person."""
        if self.id is not None:
            return work.rows(statements["id"], id=self.id, **values)
        if self.user_name is not None:
            return work.rows(statements["user_name"], user_name=text.fold(self.user_name), **values)
        named = {"external_id": self.external_id, "connection_name": self.connection}
        return work.rows(statements["external_id"], **named, **values)


@dataclass(frozen=True)
class License:
    """A person and a type: what came of it, why, since and until when, and the place in the queue while waiting."""

    code: str
    name: str
    state: str
    reason: str | None
    since: datetime | None
    until: datetime | None
    position: int | None

    @property
    def effective(self) -> bool:
        """Whether the person may work with it now."""
        return self.state in facts.EFFECTIVE


@dataclass(frozen=True)
class Person:
    """A person as the product needs it. `rights` are the codes of the types held and of those that they imply.

    `attributes` are their rights as data (D-4), the better type's where two say different; `flags` are FLAGS. `status`
    is how the account stands (D-8).
    """

    id: str
    user_name: str
    active: bool
    banned: bool
    status: str
    flags: Mapping[str, datetime | None]
    licenses: Sequence[License]
    rights: Sequence[str]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """Whether a person is licensed for a type now, and by which type: itself, or one that implies it.

    The rest tells of `by` for who is licensed, of the type asked for otherwise.
    """

    person_id: str
    code: str
    licensed: bool
    by: str | None
    license: License


@dataclass(frozen=True)
class Holder:
    """Somebody who holds a type now; `seq` is where a walk goes on."""

    seq: int
    id: str
    user_name: str
    state: str
    reason: str | None
    since: datetime
    until: datetime | None


def person(work: Work, whom: Whom) -> Person:
    """A person with rights, flags and licenses, better types first. Raises NotFound."""
    row = _found(work, whom)
    standing = work.rows(_OF_PERSON, user=row.seq, at=work.now, code="")
    held = _licenses(work, row.seq, standing)
    rights = list(_granted(held.values(), _implied(standing)))
    return Person(
        row.id,
        orjson.loads(row.document)["userName"],
        row.active,
        row.banned,
        invitations.account_status(row.active, row.banned, row.invitation, row.verification),
        {name: row._mapping[name] for name in FLAGS},
        list(held.values()),
        rights,
        _attributes(work, rights),
    )


def check(work: Work, whom: Whom, code: str) -> Check:
    """Whether a person is licensed for a type now. Raises NotFound for an unknown person or type."""
    standing = whom.rows(work, _CHECK, at=work.now, code=code)
    asked = next((one for one in standing if one.code == code), None)
    if asked is None:
        _found(work, whom)
        raise errors.NotFound("There is no such license type; /licenses lists those there are.", code="unknown_license")
    held = _licenses(work, asked.seq, standing)
    by = _granted(held.values(), _implied(standing)).get(code)
    nothing = License(code, asked.type_name, NONE, _why_none(asked), None, None, None)
    return Check(asked.id, code, by is not None, by, held[by] if by is not None else held.get(code, nothing))


def holders(work: Work, code: str, after: int, many: int) -> list[Holder]:
    """At most `many` of those who hold a type now, itself, in the order of `seq`, from the one after `after` on.

    Raises NotFound for an unknown type.
    """
    kind = catalog.find_type(work, code)
    rows = work.rows(_HOLDERS, type=kind.seq, after=after, many=many, at=work.now)
    return [
        Holder(row.seq, row.id, orjson.loads(row.document)["userName"], row.state, row.reason, row.since, row.until)
        for row in rows
    ]


def _found(work: Work, whom: Whom) -> Any:
    """The person's row. Raises NotFound for an unknown person, or connection."""
    rows = whom.rows(work, _PERSON)
    if rows:
        return rows[0]
    if whom.connection is not None:
        connections.find(work, whom.connection)
    raise errors.NotFound("There is no such person here. Ask again once it was pushed.", code="unknown_person")


def _licenses(work: Work, user_seq: int, standing: Iterable[Any]) -> dict[str, License]:
    """The person's licenses by code, better types first."""
    rows = [row for row in standing if row.state is not None]
    places = shown.positions(work, rows)
    return {
        row.code: License(
            row.code,
            row.type_name,
            row.state,
            row.reason,
            row.since,
            row.until,
            places.get((user_seq, row.type_seq)),
        )
        for row in rows
    }


def _implied(standing: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    return {row.code: Options.of(row.settings).implies for row in standing}


def _granted(held: Iterable[License], implied: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Type whose rights the person has → the held type that gives them: itself where it is held, else the best one."""
    effective = [one.code for one in held if one.effective]
    found = {code: code for code in effective}
    for by in effective:
        waiting = list(implied.get(by, ()))
        seen = {by}
        while waiting:
            code = waiting.pop(0)
            if code not in seen:
                seen.add(code)
                found.setdefault(code, by)
                waiting += implied.get(code, ())
    return found


def _attributes(work: Work, rights: Sequence[str]) -> dict[str, Any]:
    """The rights as data of these types, the first one's where two say different."""
    if not rights:
        return {}
    said = {row.code: Options.of(row.settings).rights for row in work.rows(_RIGHTS, codes=list(rights))}
    found: dict[str, Any] = {}
    for code in reversed(rights):
        found |= said.get(code, {})
    return found


def _why_none(row: Any) -> str:
    if row.banned:
        return facts.BANNED
    return NO_REASON if row.active else facts.INACTIVE
