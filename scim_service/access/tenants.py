"""Tenants: one customer organization each, the boundary of everything (licensing.md D-1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import names, plans
from scim_service.access.tenant_settings import TenantSettings
from scim_service.storage import tables
from scim_service.storage.work import Work, first_key

EXIT_GRACE = timedelta(hours=1)
"""Decision 28: protects moves between groups that arrive as two calls."""

_NOTE = "access.settings"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_tenants = tables.access.tenants
_BY_SLUG = sa.select(_tenants).where(_tenants.c.slug == sa.bindparam("slug"))
_ALL = sa.select(_tenants).order_by(_tenants.c.slug)
_HELD = sa.select(_tenants).where(_tenants.c.id == sa.bindparam("tenant")).with_for_update(key_share=True)
_SETTINGS = sa.select(_tenants.c.settings).where(_tenants.c.id == sa.bindparam("tenant"))
_CHANGE = (
    sa.update(_tenants)
    .where(_tenants.c.id == sa.bindparam("tenant"))
    .values({_tenants.c[name]: sa.bindparam(f"new_{name}") for name in ("name", "exit_grace", "settings")})
)


@dataclass(frozen=True)
class Tenant:
    """One customer organization; `exit_grace`: how long a seat outlives its reason unless a type or rule says else."""

    id: int
    slug: str
    name: str
    exit_grace: timedelta
    plan: str = plans.DEFAULT
    settings: TenantSettings = field(default_factory=lambda: TenantSettings.of("{}"))


def create(work: Work, slug: str, name: str, exit_grace: timedelta = EXIT_GRACE, plan: str = plans.DEFAULT) -> Tenant:
    """Make a tenant; `work` becomes this tenant's.

    Raises InvalidValue for a bad slug or name or an unknown plan, Uniqueness for a taken slug.
    """
    if not SLUG.fullmatch(slug):
        raise errors.InvalidValue("A tenant's slug is 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.")
    names.check("A tenant's name", name)
    values = {
        "slug": slug,
        "name": name,
        "exit_grace": int(exit_grace.total_seconds()),
        "created_at": work.now,
        "plan": plans.find(plan).code,
    }
    result = work.connection.execute(sa.insert(_tenants), values)
    work.tenant_id = first_key(result)
    work.insert(tables.licensing.licensing, [{"last_seq": 0, "next_due": None}])
    audit.record(work, "tenant:created", slug, name=name, exit_grace=values["exit_grace"], plan=plan)
    return Tenant(work.tenant_id, slug, name, exit_grace, plan)


def update(
    work: Work,
    *,
    name: str | None = None,
    exit_grace: timedelta | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Tenant:
    """Change a tenant; what is not given stays, of the settings too (as `tenant_settings.parsed` gives them).

    Whoever else could be concerned by a setting is looked at by `licensing.policies`, which calls this.
    """
    row = work.row(_HELD)
    assert row is not None
    if name is not None:
        names.check("A tenant's name", name)
    changed = {**orjson.loads(row.settings), **(settings or {})}
    new = {
        "name": row.name if name is None else name,
        "exit_grace": row.exit_grace if exit_grace is None else int(exit_grace.total_seconds()),
        "settings": orjson.dumps(changed).decode(),
    }
    if any(row._mapping[column] != value for column, value in new.items()):
        work.execute(_CHANGE, **{f"new_{column}": value for column, value in new.items()})
        audit.record(work, "tenant:changed", row.slug, **{**new, "settings": changed})
    return find(work, row.slug)


def find(work: Work, slug: str) -> Tenant:
    """The tenant with this slug. Raises NotFound."""
    row = work.row(_BY_SLUG, slug=slug)
    if row is None:
        raise errors.NotFound(
            f"There is no tenant {slug!r}. Make it with: scim-service tenant create {slug} --name NAME",
            code="unknown_tenant",
        )
    return _tenant(row)


def settings_of(work: Work) -> TenantSettings:
    """The settings of the tenant that this transaction is of; read once, unless the door has told them (`tell`)."""
    known = work.notes.get(_NOTE)
    if not isinstance(known, TenantSettings):
        known = work.notes[_NOTE] = TenantSettings.of(known if isinstance(known, str) else work.value(_SETTINGS))
    return known


def tell(work: Work, stored: str) -> None:
    """Let a transaction know the tenant's settings, which came with the credential: they are not read again then."""
    work.notes[_NOTE] = stored


def listing(work: Work) -> list[Tenant]:
    """Every tenant, by slug."""
    return [_tenant(row) for row in work.rows(_ALL)]


def _tenant(row: sa.Row[tuple[object, ...]]) -> Tenant:
    found = row._mapping
    grace, settings = timedelta(seconds=found["exit_grace"]), TenantSettings.of(str(found["settings"]))
    return Tenant(found["id"], found["slug"], found["name"], grace, found["plan"], settings)
