"""Every identifier of the specification of licenses is borne by a test, or says in `later.toml` what it waits for.

A test bears an identifier in its name (`test_E_14_…`, also several, or `test_BS_07_to_BS_10_…`), or in the id of a
case (`"A_7 …"`).
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

from tests.house import sources

KNOWN = {
    "BK": 28,
    "BW": 28,
    "BS": 19,
    "LX": 20,
    "I": 12,
    "A": 13,
    "D": 18,
    "E": 29,
    "T": 9,
    "N": 9,
    "X": 9,
    "B": 6,
}
"""How many there are of each kind: what four products promise (BK, BW, BS, LX); invariants, allocation, entities,
events, time, notices, the SCIM surface, billing."""

IDENTIFIER = re.compile(rf"(?:^|_)({'|'.join(KNOWN)})_0?(\d+)(?=_|$)")
RANGE = re.compile(rf"(?:^|_)({'|'.join(KNOWN)})_0?(\d+)_to_\1_0?(\d+)(?=_|$)")
CASE = re.compile(rf"^({'|'.join(KNOWN)})_0?(\d+) ")
Identifier = tuple[str, int]

LATER = tomllib.loads((sources.ROOT / "tests" / "house" / "later.toml").read_text(encoding="utf-8"))


def test_every_identifier_is_borne_by_a_test_or_waits_for_something() -> None:
    known = {(kind, number) for kind, last in KNOWN.items() for number in range(1, last + 1)}
    assert _told(known - _borne() - _waiting()) == []


def test_what_waits_is_an_identifier_that_no_test_bears_yet() -> None:
    assert _told({(kind, number) for kind, number in _waiting() if not 1 <= number <= KNOWN.get(kind, 0)}) == []
    assert _told(_waiting() & _borne()) == []
    rows = [(kind, number) for kinds in LATER.values() for kind, numbers in kinds.items() for number in numbers]
    assert len(rows) == len(set(rows))


def _waiting() -> set[Identifier]:
    return {(kind, number) for kinds in LATER.values() for kind, numbers in kinds.items() for number in numbers}


def _borne() -> set[Identifier]:
    return {found for path in sources.files("tests") for found in _of(sources.tree(path))}


def _of(tree: ast.Module) -> Iterator[Identifier]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield from ((kind, int(number)) for kind, number in IDENTIFIER.findall(node.name))
            for kind, first, last in RANGE.findall(node.name):
                yield from ((kind, number) for number in range(int(first), int(last) + 1))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (case := CASE.match(node.value)):
            yield case[1], int(case[2])


def _told(found: set[Identifier]) -> list[str]:
    return [f"{kind}-{number}" for kind, number in sorted(found)]
