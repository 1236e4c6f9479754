"""Data flows one way: a room imports only from rooms to its right, and a library only where it belongs (house.md 2)."""

from __future__ import annotations

from tests.house import sources

ROOMS = [
    {"cli"},
    {"app"},
    {"endpoints", "jobs"},
    {"directory"},
    {"licensing"},
    {"access"},
    {"audit", "delivery"},
    {"storage", "idp"},
    {"protocol"},
    {"errors", "config", "logs", "clock"},
]
ALLOWED = {
    room: set().union(*ROOMS[place + 1 :], {room}) | ({"config", "clock", "errors", "logs"} if place == 9 else set())
    for place, level in enumerate(ROOMS)
    for room in level
}
ALLOWED["endpoints"] -= {"jobs"}
ALLOWED["idp"] = {"idp", "protocol"}
LIBRARIES = {
    "flask": {"endpoints", "app.py"},
    "werkzeug": {"endpoints"},
    "scim2_filter_parser": {"protocol/filters.py"},
    "sly": {"protocol/filters.py"},
    "authlib": {"access/oauth.py", "endpoints/admin/login.py"},
    "apscheduler": {"jobs/running.py"},
    "waitress": {"cli/server.py"},
    "granian": {"cli/many_servers.py"},
    "gunicorn": {"cli/many_servers.py"},
    "click": {"cli"},
    "jinja2": {"delivery/letters/rendering.py"},
    "alembic": {"storage/migrations"},
    "conformance": {"cli"},
}
"""Library → the only files and folders that import it."""


def test_every_room_is_in_the_plan() -> None:
    found = {sources.room(path) for path in sources.files()} - {"__init__"}
    assert found == set().union(*ROOMS)


def test_a_room_imports_only_from_rooms_to_its_right() -> None:
    wrong = []
    for path in sources.files():
        for node, name in sources.imports(path):
            parts = name.split(".")
            if parts[0] != sources.PACKAGE or parts[1:] in ([], ["__version__"]) or sources.room(path) == "__init__":
                continue
            if parts[1] not in ALLOWED[sources.room(path)]:
                allowed = ", ".join(sorted(ALLOWED[sources.room(path)]))
                wrong.append(f"{sources.place(path, node)} imports {name}; allowed: {allowed}")
    assert wrong == []


def test_a_library_is_imported_only_where_it_belongs() -> None:
    wrong = []
    for path in sources.files():
        own = path.relative_to(sources.ROOT / sources.PACKAGE).as_posix()
        for node, name in sources.imports(path):
            places = LIBRARIES.get(name.split(".")[0])
            if places is not None and not any(own == one or own.startswith(f"{one}/") for one in places):
                wrong.append(f"{sources.place(path, node)} imports {name}; allowed: {', '.join(sorted(places))}")
    assert wrong == []


def test_conformance_is_a_black_box() -> None:
    wrong = [
        f"{sources.place(path, node)} imports {name}"
        for path in sources.files("conformance")
        for node, name in sources.imports(path)
        if name.split(".")[0] == sources.PACKAGE
    ]
    assert wrong == []
