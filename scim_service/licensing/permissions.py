"""What a person may do: the rights of the types that are effective now, and of the types that these imply (D-4, LX-09).

A type gives its own rights and, by `implies`, those of other types, whose own `implies` are followed in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_service.licensing import catalog, facts, shown
from scim_service.licensing.catalog import LicenseType
from scim_service.storage import tables
from scim_service.storage.work import Work

_assignments = tables.licensing.assignments
_EFFECTIVE = sa.select(_assignments.c.type_seq).where(
    _assignments.c.tenant_id == sa.bindparam("tenant"),
    _assignments.c.user_seq == sa.bindparam("which"),
    _assignments.c.state.in_(sorted(facts.EFFECTIVE)),
    shown.NOT_LAPSED,
)


@dataclass(frozen=True)
class Permission:
    """The rights of one type; `by` is the type that is held, which is another one where it is implied."""

    type_code: str
    by: str
    rights: Mapping[str, Any]
    grants_admin: bool = False

    @property
    def implied(self) -> bool:
        """Whether the type is not held itself."""
        return self.type_code != self.by


def of_person(work: Work, user_seq: int) -> list[Permission]:
    """Every type whose rights a person has now, each once: those held first, the greater rank first."""
    held = {row.type_seq for row in work.rows(_EFFECTIVE, which=user_seq, at=work.now)}
    if not held:
        return []
    kinds = {kind.code: kind for kind in catalog.types(work)}
    own = [kind for kind in kinds.values() if kind.seq in held]
    own.sort(key=lambda kind: (-kind.rank, kind.code))
    return list(_followed(own, kinds))


def rights(permissions: Iterable[Permission]) -> dict[str, Any]:
    """All rights by name. Of two values of one right the one that allows more counts; of values that cannot be
    compared, the first, which is that of the type with the greatest rank."""
    found: dict[str, Any] = {}
    for one in permissions:
        for name, value in one.rights.items():
            found[name] = _more(found[name], value) if name in found else value
    return found


def _followed(own: Sequence[LicenseType], kinds: Mapping[str, LicenseType]) -> Iterator[Permission]:
    """Breadth first, so that a type counts by whoever is nearest; a circle ends where it began."""
    todo = [(kind.code, kind.code) for kind in own]
    seen: set[str] = set()
    while todo:
        code, by = todo.pop(0)
        if code in seen or code not in kinds:
            continue
        seen.add(code)
        options = kinds[code].options
        yield Permission(code, by, options.rights, options.grants_admin and code == by)
        todo += [(implied, by) for implied in options.implies]


def _more(first: Any, second: Any) -> Any:
    if isinstance(first, bool) and isinstance(second, bool):
        return first or second
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *(one for one in second if one not in first)]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (first, second))
    return max(first, second) if numbers else first
