"""What license types are called in letters, and which product they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.storage import tables
from scim_service.storage.work import Work

_types = tables.licensing.license_types
_products = tables.licensing.products
_NAMED = (
    sa.select(_types.c.seq, _types.c.code, _types.c.name, _types.c.settings, _products.c.code.label("product"))
    .outerjoin(_products, sa.and_(_products.c.tenant_id == _types.c.tenant_id, _products.c.seq == _types.c.product_seq))
    .where(_types.c.tenant_id == sa.bindparam("tenant"))
    .order_by(_types.c.code)
)


@dataclass(frozen=True)
class Named:
    """A type as letters name it; `name_fr` where it has a French name."""

    code: str
    name: str
    name_fr: str | None
    product: str | None

    def told(self, language: str) -> dict[str, Any]:
        """The fact `type` of a letter in a language."""
        return {"code": self.code, "name": self.name_fr or self.name if language == "fr" else self.name}


def of_all(work: Work) -> dict[int, Named]:
    """Every type of the tenant by its seq, in the order of codes."""
    return {
        row.seq: Named(row.code, row.name, orjson.loads(row.settings).get("name_fr"), row.product)
        for row in work.rows(_NAMED)
    }
