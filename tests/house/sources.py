"""The program's own files, parsed, for the rules of the house to look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "scim_service"


@cache
def files(folder: str = PACKAGE) -> tuple[Path, ...]:
    """Every Python file under a folder of the project."""
    return tuple(sorted((ROOT / folder).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    """Where a reader finds it: file and line."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def room(path: Path) -> str:
    """The room a file is in: a folder of the package, or a file at its top."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """(node, dotted name) of everything that a file imports, however deep in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, name.name
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                yield node, ".".join(filter(None, [_origin(path, node), name.name]))


def _origin(path: Path, node: ast.ImportFrom) -> str:
    """The module that names are taken from; dots at its beginning are counted from the file's own place."""
    if node.level == 0:
        return node.module or ""
    package = path.relative_to(ROOT).parent.parts
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


def calls(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """(node, dotted name) of everything that a file calls."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)
