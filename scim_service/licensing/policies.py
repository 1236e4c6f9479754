"""What a tenant decides for all its people (licensing.md 4.0): a change is looked at for everybody it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.access import tenants
from scim_service.access.tenants import Tenant
from scim_service.licensing import assignments, gate
from scim_service.storage import tables
from scim_service.storage.work import Work

_users = tables.directory.users
_claims = tables.licensing.claims
_INACTIVE = (
    sa.select(_users.c.seq)
    .join(_claims, sa.and_(_claims.c.tenant_id == _users.c.tenant_id, _claims.c.user_seq == _users.c.seq))
    .where(_users.c.tenant_id == sa.bindparam("tenant"), sa.not_(_users.c.active))
    .group_by(_users.c.seq)
    .order_by(_users.c.seq)
)


def change(
    work: Work,
    *,
    name: str | None = None,
    exit_grace: timedelta | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Tenant:
    """Change a tenant's name, exit grace and settings; the seats of inactive people follow `deactivate_policy` (E-10).

    Graces and deadlines that run already keep their instants. Locks: the tenant's row, people, the gate.
    """
    new = tenants.update(work, name=name, exit_grace=exit_grace, settings=settings)
    if settings and "deactivate_policy" in settings:
        people = sorted(assignments.lock_people(work, [row.seq for row in work.rows(_INACTIVE)]))
        gate.reopen(work)
        gate.enter(work).settle(people)
    return new
