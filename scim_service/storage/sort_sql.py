"""An order as SQL for both databases, where a column or index row holds what is sorted by (RFC 7644 3.4.2.3)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scim_service.protocol.sorting import Order
from scim_service.storage import tables
from scim_service.storage.filter_plan import CONNECTION
from scim_service.storage.index_rows import INDEXED
from scim_service.storage.paging import Sorting

_users = tables.directory.users
_groups = tables.directory.groups
_values = tables.directory.user_values
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")


def user_sorting(order: Order) -> Sorting | None:
    """What to order `users` by; None where the documents have to be looked at."""
    key = order.path.key
    columns: dict[str, Any] = {"userName": _users.c.user_name_key, "active": _users.c.active, **_shared(_users)}
    if key == "externalId":
        return Sorting(_external(_users, tables.directory.user_external_ids), order.descending)
    if key in columns:
        return Sorting(columns[key], order.descending, nullable=False)
    attribute = order.path.attribute
    if key in INDEXED and attribute is not None and not attribute.multi_valued:
        return Sorting(_indexed(INDEXED[key]), order.descending)
    return None


def group_sorting(order: Order) -> Sorting | None:
    """What to order `groups` by; None where the documents have to be looked at."""
    key = order.path.key
    columns: dict[str, Any] = {"displayName": _groups.c.display_name_key, **_shared(_groups)}
    if key == "externalId":
        return Sorting(_external(_groups, tables.directory.group_external_ids), order.descending)
    return Sorting(columns[key], order.descending, nullable=False) if key in columns else None


def _shared(table: Any) -> dict[str, Any]:
    return {"id": table.c.id, "meta.created": table.c.created_at, "meta.lastModified": table.c.modified_at}


def _indexed(path: int) -> Any:
    """The value as far as it is in the index, which is as far as it is sorted by (`sorting.CHARACTERS`)."""
    mine = (_values.c.tenant_id == _TENANT, _values.c.user_seq == _users.c.seq, _values.c.path == path)
    return sa.select(_values.c.value).where(*mine).scalar_subquery()


def _external(table: Any, external: Any) -> Any:
    mine = (
        external.c.tenant_id == _TENANT,
        external.c.connection_seq == CONNECTION,
        external.c.owner_seq == table.c.seq,
    )
    return sa.select(external.c.external_id).where(*mine).scalar_subquery()
