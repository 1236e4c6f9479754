"""Filters as statements that are built once per shape: literals are lifted out and bound (performance.md 5.4).

Two filters have one shape when they differ in literals only. Identity providers send few shapes and many literals, so
the condition, the statements over it and their compiled SQL are found again; the 512 shapes used last are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_service.protocol import filters, schema
from scim_service.storage import filter_sql
from scim_service.storage.comparing import Slot, literal_of
from scim_service.storage.filter_sql import Lowered

SHAPES = 512
CONNECTION: sa.BindParameter[Any] = sa.bindparam("connection")
"""Whose externalIds are meant; bound when a statement runs."""


@dataclass(frozen=True)
class Plan:
    """What SQL can say of filters of one shape, and the statements that were built over it, by what they are for."""

    lowered: Lowered
    statements: dict[Any, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Planned:
    """A plan with the literals of one filter, by the names that they are bound to."""

    plan: Plan
    values: dict[str, Any]


def users(node: filters.Node | None) -> Planned:
    """The plan of a filter over users; None means everybody."""
    return _planned(node, schema.USER.name)


def groups(node: filters.Node | None) -> Planned:
    """The plan of a filter over groups; None means all of them."""
    return _planned(node, schema.GROUP.name)


def _planned(node: filters.Node | None, kind: str) -> Planned:
    if node is None:
        return Planned(_plan(None, kind), {})
    values: dict[str, Any] = {}
    return Planned(_plan(_slotted(node, values, of_members=False), kind), values)


@lru_cache(maxsize=SHAPES)
def _plan(shape: filters.Node | None, kind: str) -> Plan:
    if shape is None:
        return Plan(Lowered(None, exact=True))
    lowering = filter_sql.user_condition if kind == schema.USER.name else filter_sql.group_condition
    return Plan(lowering(shape, CONNECTION))


def _slotted(node: filters.Node, values: dict[str, Any], of_members: bool) -> filters.Node:
    """The shape of a filter, and its literals put into `values`."""
    if isinstance(node, filters.And | filters.Or):
        return replace(node, terms=tuple(_slotted(term, values, of_members) for term in node.terms))
    if isinstance(node, filters.Not):
        return filters.Not(_slotted(node.term, values, of_members))
    if isinstance(node, filters.ValuePath):
        return replace(node, filter=_slotted(node.filter, values, node.path.key == "members"))
    if isinstance(node, filters.Compare) and not _decides_the_shape(node, of_members):
        return replace(node, value=_lifted(node, values))
    return node


def _decides_the_shape(node: filters.Compare, of_members: bool) -> bool:
    """The type of a member is asked of the table it is in, so its literal cannot be bound."""
    return node.path.key == "members.type" or (of_members and node.path.key == "type")


def _lifted(node: filters.Compare, values: dict[str, Any]) -> Any:
    leaf = node.path.leaf
    assert leaf is not None
    literal = node.value if node.path.key == "active" else literal_of(node, leaf)
    slot = Slot.of(len(values), literal)
    values |= slot.bound(literal)
    return slot
