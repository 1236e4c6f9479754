"""The order in which types are decided, and the order in which people are (licensing.md A-3, A-5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scim_service.licensing.facts import Claim, Key, Type


class Circle(ValueError):
    """Types need each other to be decided first; `codes` names them."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = list(codes)


def in_order(types: Iterable[Type]) -> list[Type]:
    """Prerequisites first; of a family, and of types that exclude each other, the greater rank first; then by code.

    Raises Circle where that cannot be; the catalog refuses such types before they are stored.
    """
    left = sorted(types, key=_by_rank)
    found: list[Type] = []
    while left:
        ready = next((one for one in left if not any(_before(other, one) for other in left if other is not one)), None)
        if ready is None:
            raise Circle([one.code for one in left])
        left.remove(ready)
        found.append(ready)
    return found


def seniority(claims: Sequence[Claim]) -> Key:
    """The key of A-3: the least over the live claims, or over the lingering ones where none is live."""
    live = [claim.key for claim in claims if claim.until is None]
    return min(live or [claim.key for claim in claims])


def _by_rank(kind: Type) -> tuple[int, str]:
    return (-kind.rank, kind.code)


def _before(first: Type, second: Type) -> bool:
    """Whether `first` must be decided before `second`."""
    if first.seq in second.requires:
        return True
    if second.seq in first.requires:
        return False
    bound = first.family is not None and first.family == second.family
    apart = first.seq in second.excludes or second.seq in first.excludes
    return (bound or apart) and _by_rank(first) < _by_rank(second)
