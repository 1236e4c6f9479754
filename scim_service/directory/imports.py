"""People and licenses from a file, row by row, through the same gate as everything else (licensing.md E-28, E-1, E-9).

A row is one transaction. That it was carried out is an event under the hash of the file and the number of the row, so
that the same file again changes nothing more, while rows that were refused are tried again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.directory import documents, letters, sheets, users
from scim_service.directory.sheets import Row, Sheet
from scim_service.licensing import direct, gate, usage
from scim_service.protocol.text import fold
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

DONE, AGAIN, REFUSED = "done", "again", "refused"
KEY_LENGTH = 32
"""Characters of the file's hash that are in the key of a row."""

EXPORTED = (
    *("email", "given_name", "family_name", "license_type", "state", "reason", "source", "since", "until"),
    "position",
)

_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_BY_NAME = sa.select(_users.c.seq, _users.c.id).where(
    _users.c.tenant_id == _TENANT, _users.c.user_name_key == sa.bindparam("key")
)
_LOCK = (
    sa.select(_users.c.seq)
    .where(_users.c.tenant_id == _TENANT, _users.c.user_name_key.in_(sa.bindparam("keys", expanding=True)))
    .order_by(_users.c.seq)
    .with_for_update(key_share=True)
)
_DOCUMENTS = sa.select(_users.c.id, _users.c.document).where(
    _users.c.tenant_id == _TENANT, _users.c.id.in_(sa.bindparam("ids", expanding=True))
)


@dataclass(frozen=True)
class Result:
    """What came of one row: done, again (it was done before), or refused, with a sentence."""

    row: int
    user: str
    action: str
    type_code: str
    result: str
    state: str | None = None
    detail: str = ""


def carry_out(work: Work, sheet: Sheet, row: Row) -> Result:
    """Do what one row says: `add` makes the person where there is none and gives the license, `remove` takes it back.

    The person is found by the userName, which is the address. Raises what the row is refused for; nothing of it stays.
    """
    key = f"{sheet.key[:KEY_LENGTH]}:{row.number}"
    told = [one for one in audit.about(work, key) if one.action == "import:row"]
    if told:
        return _result(row, AGAIN, told[-1].data["state"])
    row.check()
    known = work.row(_BY_NAME, key=fold(row.email))
    state = _removed(work, row) if row.action == sheets.REMOVE else _added(work, row, known is None)
    if row.notify:
        _notify(work, row)
    audit.record(work, "import:row", key, state=state)
    return _result(row, DONE, state)


def carry_out_all(work: Work, sheet: Sheet) -> list[Result]:
    """Do what every row says in one transaction; a row that is refused leaves nothing, and the next one is tried."""
    for chunk in chunks(sorted({fold(row.email) for row in sheet.rows})):
        work.rows(_LOCK, keys=list(chunk))
    return [_tried(work, sheet, row) for row in sheet.rows]


def refused(row: Row, error: errors.ScimError) -> Result:
    """The result of a row that was refused."""
    return _result(row, REFUSED, None, error.detail)


def exported(work: Work, type_code: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
    """Everybody who has or awaits a license, with the name, as records of the columns `EXPORTED`."""
    found = usage.people(work, type_code, state)
    names = _names(work, {one.user_id for one in found})
    return [
        {
            "email": one.user_name,
            "given_name": names[one.user_id].get("givenName"),
            "family_name": names[one.user_id].get("familyName"),
            "license_type": one.type_code,
            "state": one.state,
            "reason": one.reason,
            "source": one.sources,
            "since": one.since,
            "until": one.until,
            "position": one.position,
        }
        for one in found
    ]


def _tried(work: Work, sheet: Sheet, row: Row) -> Result:
    try:
        with work.part():
            return carry_out(work, sheet, row)
    except errors.ScimError as error:
        gate.reopen(work)
        return refused(row, error)


def _added(work: Work, row: Row, is_new: bool) -> str:
    if is_new:
        name = {"givenName": row.cells.get("given_name"), "familyName": row.cells.get("family_name")}
        mails = [{"value": row.email, "type": "work", "primary": True}]
        users.create(work, {"userName": row.email, "name": name, "emails": mails})
    if not row.license_type:
        return "made" if is_new else "known"
    return direct.assign(work, row.email, row.license_type, expires_at=row.expires_at)


def _notify(work: Work, row: Row) -> None:
    """Tell the person that access was created (N-3). Raises InvalidValue for who has no address to be told at."""
    known = work.row(_BY_NAME, key=fold(row.email))
    assert known is not None
    document = users.find(work, known.id).document
    if not letters.access_created(work, known.seq, document, row.license_type or None):
        raise errors.InvalidValue("notify: the person has no address. Leave it empty, and tell the person.")


def _removed(work: Work, row: Row) -> str:
    return direct.unassign(work, row.email, row.license_type) or "released"


def _names(work: Work, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    rows = [row for chunk in chunks(sorted(ids)) for row in work.rows(_DOCUMENTS, ids=list(chunk))]
    return {row.id: documents.stored(row.document).get("name") or {} for row in rows}


def _result(row: Row, result: str, state: str | None, detail: str = "") -> Result:
    return Result(row.number, row.email, row.action, row.license_type, result, state, detail)
