"""The epoch of an installation: it rises when a backup is restored, and voids what was made before (F20)."""

from __future__ import annotations

import sqlalchemy as sa

from scim_service.storage import schema_version, tables
from scim_service.storage.work import Work

FIRST = 1
NAME = "epoch"

_installation = tables.jobs.installation
_FIND = sa.select(_installation.c.value).where(_installation.c.name == NAME)
_FIND_LOCKED = _FIND.with_for_update()
_RISE = sa.update(_installation).where(_installation.c.name == NAME).values(value=sa.bindparam("new_value"))


def of(work: Work) -> int:
    """The epoch of this installation, 1 from the start: links and sessions of another one are dead."""
    return int(work.value(_FIND) or FIRST)


def of_any(connection: sa.Connection) -> int:
    """The same of a database that may have the schema of another version."""
    known = schema_version.has(connection, *_installation.c)
    return int(connection.execute(_FIND).scalar() or FIRST) if known else FIRST


def rise(work: Work, above: int = 0) -> int:
    """Begin a new epoch; the new one. The migration that made the table made its row.

    No number comes twice: a backup knows the epoch of its time only, and may be restored again. So the new one is
    greater than its own, than `above` (of the database that it replaces), and than every earlier second.
    """
    new = max(int(work.value(_FIND_LOCKED)) + 1, above + 1, int(work.now.timestamp()))
    work.execute(_RISE, new_value=str(new))
    return new
