"""A person's account, as the product that sells the seats must treat it (licensing.md E-13, E-23, decision 32).

A row of instants and a ban's reason, made when the first of them is set. This service keeps no session and no API key
of a person: it says before which instant they are void, and the product asks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_service.storage import tables
from scim_service.storage.tables.columns import Instant
from scim_service.storage.work import Work

_accounts = tables.directory.accounts
_OF_ONE = (_accounts.c.tenant_id == sa.bindparam("tenant"), _accounts.c.user_seq == sa.bindparam("which"))


@dataclass(frozen=True)
class Account:
    """What is set on an account; None is not set. `must_change_password` and `privacy_override` say since when."""

    ban_reason: str | None = None
    banned_at: datetime | None = None
    sessions_void_before: datetime | None = None
    api_keys_void_before: datetime | None = None
    must_change_password: datetime | None = None
    privacy_override: datetime | None = None
    last_active_at: datetime | None = None


_NAMES = tuple(asdict(Account()))
_FIND = sa.select(*(_accounts.c[name] for name in _NAMES)).where(*_OF_ONE)
_CHANGE = (
    sa.update(_accounts).where(*_OF_ONE).values({_accounts.c[name]: sa.bindparam(f"new_{name}") for name in _NAMES})
)


def _voiding(insert: Any) -> Any:
    instants = dict.fromkeys(("sessions_void_before", "api_keys_void_before"), sa.bindparam("at", type_=Instant))
    made = insert(_accounts).values(tenant_id=sa.bindparam("tenant"), user_seq=sa.bindparam("which"), **instants)
    return made.on_conflict_do_update(index_elements=["tenant_id", "user_seq"], set_=instants)


VOID = {"postgresql": _voiding(postgresql.insert), "sqlite": _voiding(sqlite.insert)}
"""By dialect, the statement of `void` for the person `:which` at the instant `:at`."""


def find(work: Work, user_seq: int) -> Account:
    """The account of a person."""
    row = work.row(_FIND, which=user_seq)
    return Account() if row is None else Account(**row._mapping)


def change(work: Work, user_seq: int, **values: Any) -> Account:
    """Set these; the account as it is then. The caller holds the person."""
    before = find(work, user_seq)
    after = replace(before, **values)
    if after != before:
        work.insert_new(_accounts, [{"user_seq": user_seq}])
        work.execute(_CHANGE, which=user_seq, **{f"new_{name}": getattr(after, name) for name in _NAMES})
    return after


def void(work: Work, user_seq: int) -> None:
    """Sessions and API keys end with the access, in the same transaction, whoever ended it (reliability.md W17)."""
    work.execute(VOID[work.dialect], which=user_seq, at=work.now)
