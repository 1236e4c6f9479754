"""What is sold: license types, their families and ranks, and the products they belong to (licensing.md D-3, D-4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.licensing import seats
from scim_service.storage import tables
from scim_service.storage.work import Work

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_types = tables.licensing.license_types
_products = tables.licensing.products
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_ALL = (
    sa.select(_types, _products.c.code.label("product"))
    .outerjoin(_products, sa.and_(_products.c.tenant_id == _types.c.tenant_id, _products.c.seq == _types.c.product_seq))
    .where(_types.c.tenant_id == _TENANT)
    .order_by(_types.c.family.is_(None), _types.c.family, _types.c.rank.desc(), _types.c.code)
)
_BY_CODE = _ALL.where(_types.c.code == sa.bindparam("code"))
_PRODUCT = sa.select(_products.c.seq).where(_products.c.tenant_id == _TENANT, _products.c.code == sa.bindparam("code"))


@dataclass(frozen=True)
class LicenseType:
    """Something that a person can hold. Of one `family` a person holds one, the greatest `rank` there is a seat for.

    `counted` is False for a free type, without a cap; `exit_grace` None means the tenant's.
    """

    seq: int
    code: str
    name: str
    product: str | None
    family: str | None
    rank: int
    counted: bool
    exit_grace: timedelta | None


def create_type(
    work: Work,
    code: str,
    name: str,
    *,
    product: str | None = None,
    family: str | None = None,
    rank: int = 0,
    counted: bool = True,
    exit_grace: timedelta | None = None,
) -> LicenseType:
    """Make a license type; its product is made when first named. It has no seats until a contract has a line for it.

    Raises InvalidValue for a code or a grace that cannot be, Uniqueness for a taken code.
    """
    if not CODE.fullmatch(code):
        raise errors.InvalidValue(
            "A license type's code is 1 to 64 letters, digits, '.', '_' or '-', such as RECRUITER."
        )
    seconds = seconds_of(exit_grace)
    values = {"code": code, "name": name, "family": family, "rank": rank, "counted": counted, "exit_grace": seconds}
    seq = work.insert_one(_types, product_seq=_product(work, product), created_at=work.now, **values)
    work.insert(tables.licensing.ledger, [{"type_seq": seq, "consuming": 0, "high_water": 0, "version": 0}])
    seats.reopen(work)
    audit.record(
        work, "license-type:created", code, product=product, **{k: v for k, v in values.items() if k != "code"}
    )
    return LicenseType(seq, code, name, product, family, rank, counted, exit_grace)


def find_type(work: Work, code: str) -> LicenseType:
    """The type with this code. Raises NotFound, naming the codes that there are."""
    row = work.row(_BY_CODE, code=code)
    if row is None:
        known = ", ".join(sorted(kind.code for kind in types(work)))
        raise errors.NotFound(
            f"There is no license type {code!r}. " + (f"There are: {known}." if known else "There is none yet.")
        )
    return _type(row)


def types(work: Work) -> list[LicenseType]:
    """Every type: family by family, the greater rank first, those without a family last."""
    return [_type(row) for row in work.rows(_ALL)]


def seconds_of(duration: timedelta | None) -> int | None:
    """A grace as it is stored, in whole seconds. Raises InvalidValue for a negative or endless one."""
    if duration is None:
        return None
    if not timedelta(0) <= duration <= timedelta(days=3650):
        raise errors.InvalidValue("An exit grace is between 0 and 3650 days. Write it as 0, 90m, 24h or 30d.")
    return int(duration.total_seconds())


def duration_of(seconds: int | None) -> timedelta | None:
    """The reverse of `seconds_of`."""
    return None if seconds is None else timedelta(seconds=seconds)


def _product(work: Work, code: str | None) -> int | None:
    if code is None:
        return None
    known = work.value(_PRODUCT, code=code)
    return int(known) if known is not None else work.insert_one(_products, code=code, name=code)


def _type(row: sa.Row[Any]) -> LicenseType:
    return LicenseType(
        row.seq, row.code, row.name, row.product, row.family, row.rank, row.counted, duration_of(row.exit_grace)
    )
