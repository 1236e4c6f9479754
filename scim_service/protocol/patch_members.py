"""PATCH operations on the members of a group, as steps: the member list itself is never loaded (house.md part 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scim_service.errors import InvalidPath, InvalidValue, Mutability, NoTarget
from scim_service.protocol import patch_values
from scim_service.protocol.paths import Path
from scim_service.protocol.tree import Compare, Node, Or
from scim_service.protocol.validation import check_member_id, is_unassigned


@dataclass(frozen=True)
class AddMembers:
    """These become members, those that are not yet."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class RemoveMembers:
    """These cease to be members, those that are."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class RemoveMatching:
    """The members that meet the filter cease to be."""

    filter: Node


@dataclass(frozen=True)
class ReplaceMembers:
    """These are the members, and nobody else is."""

    ids: tuple[str, ...]


MemberStep = AddMembers | RemoveMembers | RemoveMatching | ReplaceMembers


def step(op: str, path: Path, value: Any, replace_creates: bool) -> MemberStep | None:
    """What an operation on `members` comes to; None for nothing.

    A remove with values removes those and no others, as identity providers mean it (scim.md 3.12). Raises InvalidPath,
    InvalidValue, NoTarget, and Mutability for a change inside a member (RFC 7643 section 4.2).
    """
    if path.filter is not None:
        return _chosen(op, path, path.filter, value, replace_creates)
    if path.target.sub is not None:
        raise InvalidPath(f"'{path.target.key}' names a part of all members; use the path 'members' instead.")
    return _STEPS[op](value)


def _add(value: Any) -> MemberStep | None:
    ids = _ids(value)
    return AddMembers(ids) if ids else None


def _remove(value: Any) -> MemberStep | None:
    if value is None:
        return ReplaceMembers(())
    ids = _ids(value)
    return RemoveMembers(ids) if ids else None


def _replace(value: Any) -> MemberStep:
    return ReplaceMembers(_ids(value))


_STEPS = {"add": _add, "remove": _remove, "replace": _replace}


def _ids(value: Any) -> tuple[str, ...]:
    """The ids in a value: of one member or a list, each an object or the id alone."""
    if is_unassigned(value):
        return ()
    return tuple(map(_id, value if isinstance(value, list) else [value]))


def _id(member: Any) -> str:
    found = _value(member) if isinstance(member, dict) else member
    check_member_id(found)
    if isinstance(member, dict) and any(_is_no_text(member.get(name)) for name in ("type", "$ref")):
        raise InvalidValue("type and $ref of the members must be text, or be left out.")
    return str(found)


def _is_no_text(part: Any) -> bool:
    return part is not None and not isinstance(part, str)


def _value(member: dict[str, Any]) -> Any:
    if "value" in member:
        return member["value"]
    return next((value for key, value in member.items() if key.lower() == "value"), None)


def _chosen(op: str, path: Path, chosen: Node, value: Any, replace_creates: bool) -> MemberStep | None:
    """The step of an operation on `members[filter]`."""
    if path.target.sub is not None:
        raise _immutable()
    if op == "remove":
        ids = _named(chosen)
        return RemoveMembers(ids) if ids else RemoveMatching(chosen)
    if op == "replace" and not replace_creates:
        raise _immutable()
    return _created(chosen, value)


def _created(chosen: Node, value: Any) -> MemberStep:
    """The member that the filter describes is added; if it is there, it stays as it is."""
    described = (patch_values.seed(chosen) or {}).get("value")
    if described is None:
        raise NoTarget('members[…] adds a member only when the filter is value eq "id".')
    check_member_id(described)
    if any(one != described for one in _ids(value)):
        raise InvalidValue("The value and the filter of the path name different members; name one.")
    return AddMembers((described,))


def _named(chosen: Node) -> tuple[str, ...]:
    """The ids, if the filter is nothing but `value eq "id"`, once or joined by `or`; else none."""
    terms: Iterable[Node] = chosen.terms if isinstance(chosen, Or) else (chosen,)
    found = []
    for term in terms:
        attribute = term.path.attribute if isinstance(term, Compare) and term.operator == "eq" else None
        if attribute is None or attribute.name != "value" or not isinstance(term, Compare):
            return ()
        found.append(str(term.value))
    return tuple(found)


def _immutable() -> Mutability:
    return Mutability("A member cannot be changed; remove it and add another.")
