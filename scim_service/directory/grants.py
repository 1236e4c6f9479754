"""Resource grants (decision 33, D-18): which of the product's own things, by opaque keys, a person may work on.

Written by the API and the command line, copied with a person (E-15), never made with one (E-1). The keys mean nothing
here: a recruitment file, a project, a folder. A grant may name a team, and then is another one than without.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

KEY_CHARACTERS = 250
MOST = 10_000
"""Grants of one person."""

_grants = tables.directory.resource_grants
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_MINE = (_grants.c.tenant_id == _TENANT, _grants.c.user_seq == sa.bindparam("which"))
_ALL = sa.select(_grants).where(*_MINE).order_by(_grants.c.resource, _grants.c.team)
_COUNT = sa.select(sa.func.count()).where(*_MINE)
_REMOVE = sa.delete(_grants).where(
    *_MINE, _grants.c.team == sa.bindparam("of_team"), _grants.c.resource.in_(sa.bindparam("keys", expanding=True))
)


@dataclass(frozen=True)
class Grant:
    """One thing that a person may work on; `team` is empty for none."""

    resource: str
    team: str
    granted_at: datetime


def of_person(work: Work, user_seq: int) -> list[Grant]:
    """The grants of a person, by key."""
    return [Grant(row.resource, row.team, row.granted_at) for row in work.rows(_ALL, which=user_seq)]


def add(work: Work, user: Any, resources: Iterable[str], team: str = "") -> None:
    """Grant these things to a person (a row with `seq` and `id`, held by the caller); again changes nothing.

    Raises InvalidValue for a key that cannot be, Refused where there would be too many.
    """
    keys = _checked(resources, team)
    known = {one.resource for one in of_person(work, user.seq) if one.team == team}
    new = [key for key in keys if key not in known]
    if not new:
        return
    if int(work.value(_COUNT, which=user.seq)) + len(new) > MOST:
        raise errors.Refused(f"A person has at most {MOST} grants. Take some back first.", code="too_many_grants")
    work.insert(_grants, [_row(user.seq, key, team, work.now) for key in new])
    audit.record(work, "grant:added", user.id, resources=new, team=team)


def remove(work: Work, user: Any, resources: Iterable[str], team: str = "") -> None:
    """Take these grants back. Raises NotFound, naming them, where some of them are not there; then none is taken."""
    keys = _checked(resources, team)
    known = {one.resource for one in of_person(work, user.seq) if one.team == team}
    missing = [key for key in keys if key not in known]
    if missing:
        where = f" for the team {team!r}" if team else " without a team"
        raise errors.NotFound(f"There is no grant of {', '.join(map(repr, missing))}{where}.", code="no_grant")
    for chunk in chunks(keys):
        work.execute(_REMOVE, which=user.seq, of_team=team, keys=list(chunk))
    audit.record(work, "grant:removed", user.id, resources=keys, team=team)


def copy(work: Work, from_seq: int, user: Any) -> int:
    """Give a person all grants of another one (E-15); how many."""
    found = of_person(work, from_seq)
    work.insert(_grants, [_row(user.seq, one.resource, one.team, work.now) for one in found])
    if found:
        audit.record(work, "grant:copied", user.id, grants=len(found))
    return len(found)


def _row(user_seq: int, resource: str, team: str, at: datetime) -> dict[str, Any]:
    return {"user_seq": user_seq, "resource": resource, "team": team, "granted_at": at}


def _checked(resources: Iterable[str], team: str) -> Sequence[str]:
    keys = list(dict.fromkeys(resources))
    for text in [*keys, *([team] if team else [])]:
        bad = any(unicodedata.category(one) in {"Cc", "Cs"} for one in text)
        if not text.strip() or len(text) > KEY_CHARACTERS or bad:
            raise errors.InvalidValue(
                f"A key and a team are 1 to {KEY_CHARACTERS} characters, without control characters.", code="bad_key"
            )
    return keys
