"""What a file and a function may look like (house.md parts 2, 4 and 5)."""

from __future__ import annotations

import ast
import re

from scim_service import idp
from tests.house import sources

FUNCTION_LINES = 45
FILE_LINES = 400
NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}
FOLDERS = ("scim_service", "conformance", "benchmarks")
CATCH_ALL = {"scim_service/endpoints/scim/bulk.py", "scim_service/jobs/items.py"}
"""Files with an `except Exception`, where each of many things is on its own; Flask's error handler needs none."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
OWN_TIME = {"now", "utcnow", "today"}


def test_functions_and_files_stay_short() -> None:
    long = [
        f"{sources.place(path, node)} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for folder in FOLDERS
        for path in sources.files(folder)
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.FunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    long += [
        f"{path} has more than {FILE_LINES} lines"
        for folder in FOLDERS
        for path in sources.files(folder)
        if len(path.read_text().splitlines()) > FILE_LINES
    ]
    assert long == []


def test_every_file_says_what_it_is_and_every_room_has_its_sign() -> None:
    silent = [
        str(path.relative_to(sources.ROOT))
        for folder in FOLDERS
        for path in sources.files(folder)
        if not ast.get_docstring(sources.tree(path))
    ]
    assert silent == []
    short = [
        path.parent.name
        for path in sources.files()
        if path.name == "__init__.py" and path.parent.parent.name == sources.PACKAGE and len(path.read_text()) < 300
    ]
    assert short == []


def test_everything_public_has_a_docstring() -> None:
    silent = [
        f"{sources.place(path, node)} {node.name}"
        for path in sources.files()
        if "versions" not in path.parts
        for node in [*sources.tree(path).body]
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
        if not _is_row_of_a_table(node)
    ]
    assert silent == []


def _is_row_of_a_table(node: ast.AST) -> bool:
    """An error class of two lines, whose base class says what it is."""
    return isinstance(node, ast.ClassDef) and node.end_lineno is not None and node.end_lineno - node.lineno <= 2


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for folder in FOLDERS for path in sources.files(folder) if path.stem in NAMES] == []


def test_nothing_is_left_unfinished() -> None:
    marked = [
        f"{path}: {line.strip()}"
        for folder in (*FOLDERS, "tests")
        for path in sources.files(folder)
        if path.name != "test_shape.py"
        for line in path.read_text().splitlines()
        if UNFINISHED.search(line)
    ]
    assert marked == []


def test_only_the_clock_asks_for_the_time() -> None:
    asking = [
        sources.place(path, node)
        for path in sources.files()
        if path.name != "clock.py"
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OWN_TIME
        if isinstance(node.func.value, ast.Name) and node.func.value.id in {"datetime", "date"}
    ]
    assert asking == []


def test_everything_is_caught_in_one_place_only() -> None:
    catching = {
        str(path.relative_to(sources.ROOT))
        for path in sources.files()
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
    }
    assert catching == CATCH_ALL


def test_sql_is_never_text_and_engines_are_made_in_storage() -> None:
    wrong = [
        sources.place(path, node)
        for path in sources.files()
        if "versions" not in path.parts
        for node, name in [*sources.imports(path), *sources.calls(path)]
        if name in {"sqlalchemy.text", "sa.text", "sqlalchemy.sql.text"}
        or (name.endswith("create_engine") and sources.room(path) != "storage")
    ]
    assert wrong == []


def test_no_condition_asks_for_a_providers_name_outside_its_room() -> None:
    names = set(idp.PROFILES)
    asking = [
        sources.place(path, node)
        for path in sources.files()
        if sources.room(path) != "idp"
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Compare | ast.MatchValue)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in names
    ]
    assert asking == []
