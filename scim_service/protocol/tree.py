"""The typed tree of a filter: names are resolved, literals have their attribute's type (RFC 7644 section 3.4.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scim_service.protocol.names import AttributePath

Literal = str | bool | int | float | datetime


@dataclass(frozen=True)
class And:
    """All of the terms are met; there are at least two."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """At least one of the terms is met; there are at least two."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """The term is not met."""

    term: Node


@dataclass(frozen=True)
class Compare:
    """Some value of the attribute compares: `operator` is eq, ne, co, sw, ew, gt, ge, lt or le."""

    path: AttributePath
    operator: str
    value: Literal


@dataclass(frozen=True)
class Present:
    """The attribute has a value that is not empty."""

    path: AttributePath


@dataclass(frozen=True)
class ValuePath:
    """One and the same element of a multi-valued attribute meets the whole filter, whose names are its parts."""

    path: AttributePath
    filter: Node


Node = And | Or | Not | Compare | Present | ValuePath
