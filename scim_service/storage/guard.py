"""Tenant isolation, enforced: a statement on a tenant table without a tenant predicate raises (reliability.md T3).

Each statement object is judged once and remembered (decision 25). A statement that must look across tenants says so
with `.execution_options(across_tenants=True)`: finding a credential by its prefix, and the rounds of the jobs.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Alias, Select

_judged: weakref.WeakSet[Any] = weakref.WeakSet()


class TenantPredicateMissing(RuntimeError):
    """A statement would have read or changed rows of every tenant: a defect of this program."""


def watch(engine: Engine) -> None:
    """Judge every statement object that runs on this engine, once."""
    sa.event.listen(engine, "before_execute", _judge)


def _judge(connection: Any, statement: Any, many: Any, single: Any, options: Any) -> None:
    judge(statement)


def judge(statement: Any) -> None:
    """Raise TenantPredicateMissing for a statement that reads or changes rows of every tenant."""
    if not isinstance(statement, Select | UpdateBase | sa.CompoundSelect) or statement in _judged:
        return
    if not statement.get_execution_options().get("across_tenants"):
        unbound = tables_without_predicate(statement)
        if unbound:
            raise TenantPredicateMissing(f"No tenant predicate on {', '.join(sorted(unbound))}: {statement}")
    _judged.add(statement)


def tables_without_predicate(statement: Any) -> set[str]:
    """The tenant tables (by name or alias) that `statement` reads or changes without fixing their tenant_id.

    Fixed is what equals a value, or the tenant_id of something fixed: a join alone leaves every tenant in.
    """
    seen: set[str] = set()
    fixed: set[str] = set()
    joined: list[set[str]] = []
    for element in _parts(statement):
        name = _tenant_table(element)
        if name:
            seen.add(name)
        elif isinstance(element, sa.BinaryExpression) and element.operator is operators.eq:
            _compare(element, fixed, joined)
    if isinstance(statement, sa.Insert):
        seen.discard(statement.table.name)
    derived = set().union(*joined) - seen
    return seen - _spread(fixed | derived, joined)


def _compare(equation: Any, fixed: set[str], joined: list[set[str]]) -> None:
    """Note what `equation` says of tenants: one table's is a value, or two tables' are the same."""
    sides = (equation.left, equation.right)
    owners = [side.table.name for side in sides if _is_tenant_column(side)]
    if len(owners) == 2:
        joined.append(set(owners))
    elif owners and not all(isinstance(side, sa.ColumnClause) for side in sides):
        fixed.update(owners)


def _spread(fixed: set[str], joined: list[set[str]]) -> set[str]:
    """What is fixed, and all that is joined to it."""
    found = set(fixed)
    for _ in joined:
        for pair in joined:
            if pair & found:
                found |= pair
    return found


def _parts(statement: Any) -> Iterator[Any]:
    """Everything that a statement is made of; of an aliased table the alias only, since that is what is read."""
    waiting, known = [statement], set()
    while waiting:
        element = waiting.pop()
        if id(element) in known:
            continue
        known.add(id(element))
        yield element
        if not isinstance(element, Alias):
            waiting.extend(element.get_children())


def _tenant_table(element: Any) -> str | None:
    source = element.element if isinstance(element, Alias) else element
    if isinstance(source, sa.Table) and "tenant_id" in source.c:
        return str(element.name)
    return None


def _is_tenant_column(side: Any) -> bool:
    return isinstance(side, sa.Column | sa.ColumnClause) and side.name == "tenant_id" and side.table is not None
