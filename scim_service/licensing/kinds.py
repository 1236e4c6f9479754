"""The license types and rules as they decide: read from their rows for the gate, with what there is of each now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.licensing import capacity
from scim_service.licensing.facts import Rules, Type
from scim_service.storage import tables
from scim_service.storage.work import Work

_rules = tables.licensing.rules
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SPECIAL_RULES = sa.select(_rules.c.seq, _rules.c.type_seq, _rules.c.quota, _rules.c.bundle).where(
    _rules.c.tenant_id == _TENANT, sa.or_(_rules.c.quota.is_not(None), _rules.c.bundle.is_not(None))
)


def read_types(rows: Iterable[Any], capacities: Mapping[int, capacity.Capacity]) -> dict[int, Type]:
    """The types as they decide, from their rows and what there is of each."""
    settings = {row.code: orjson.loads(row.settings) if row.settings != "{}" else {} for row in rows}
    seqs = {row.code: row.seq for row in rows}
    apart = {code: set(one.get("excludes", ())) for code, one in settings.items()}
    for code, others in list(apart.items()):
        for other in others:
            apart.setdefault(other, set()).add(code)
    found = {}
    for row in rows:
        mine = settings[row.code]
        kind = Type(
            row.seq,
            row.code,
            row.family,
            row.rank,
            0 if row.counted else None,
            policy=row.conflict_policy,
            requires=frozenset(seqs[code] for code in mine.get("requires", ()) if code in seqs),
            excludes=frozenset(seqs[code] for code in apart[row.code] if code in seqs),
            fallback=mine.get("fallback", True),
            yields=mine.get("grace_yields", False),
            retired=row.retired_at is not None,
        )
        found[row.seq] = with_capacity(kind, capacities.get(row.seq)) if row.counted else kind
    return found


def with_capacity(kind: Type, known: capacity.Capacity | None) -> Type:
    """The type with what there is of it now; a free type stays without a limit."""
    if kind.limit is None and known is None:
        return kind
    found = known or capacity.Capacity()
    return replace(kind, limit=found.limit, reserve=found.reserve, inactive=found.inactive, approval=found.approval)


def special_rules(work: Work) -> Rules:
    """The quotas (A-13) and bundles (A-9) of the tenant's rules."""
    rows = work.rows(_SPECIAL_RULES)
    bundles: dict[int, set[int]] = {}
    for row in rows:
        if row.bundle is not None:
            bundles.setdefault(row.bundle, set()).add(row.type_seq)
    together = {row.seq: frozenset(bundles[row.bundle]) for row in rows if row.bundle is not None}
    return Rules({row.seq: row.quota for row in rows if row.quota is not None}, together)
