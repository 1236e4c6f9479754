"""A small honest SCIM server in memory, and ways to make it lie: what the simulator and the replayer are tried on."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LICENSES = "urn:ietf:params:scim:schemas:extension:scim-service:license:2.0:User"
TOKEN = "stub-token"
Document = dict[str, Any]

_EQUAL = re.compile(r'([\w.\[\] "]+?) eq "((?:[^"\\]|\\.)*)"')
_ELEMENT = re.compile(r'(\w+)\[(\w+) eq "([^"]*)"\](?:\.(\w+))?')


class Stub:
    """The server's memory and its possible faults: `ignores` (method, path, payload) says 200 and does nothing,
    `status` (method, path, honest status) answers another one, `after` (method, path) spoils what was stored."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Document]] = {"Users": {}, "Groups": {}}
        self.ignores: Callable[[str, str, Any], bool] = lambda method, path, payload: False
        self.status: Callable[[str, str, int], int] = lambda method, path, status: status
        self.after: Callable[[str, str], None] = lambda method, path: None
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._ids = itertools.count(1)

    def answer(self, method: str, target: str, payload: Any) -> tuple[int, Document | None]:
        """Status and body for a request."""
        parts = urlsplit(target)
        kind, _, resource_id = parts.path.removeprefix("/scim/").partition("/")
        held = self.kept.get(kind, {})
        if resource_id and resource_id not in held:
            return 404, _error(404)
        if not resource_id:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return (200, self._listed(held, query)) if method == "GET" else self._create(kind, payload)
        if method == "DELETE":
            del held[resource_id]
            for group in self.kept["Groups"].values():
                group["members"] = [one for one in group.get("members", []) if one["value"] != resource_id]
            return 204, None
        if method != "GET" and not self.ignores(method, parts.path, payload):
            self._write(held, resource_id, method, payload)
        return 200, held[resource_id]

    def _listed(self, held: dict[str, Document], query: dict[str, str]) -> Document:
        hits = [one for one in held.values() if _matches(one, query.get("filter"))]
        start, count = int(query.get("startIndex", 1)), int(query.get("count", 100))
        page = hits[start - 1 : start - 1 + count]
        without = {query.get("excludedAttributes")}
        shown = [{name: value for name, value in one.items() if name not in without} for one in page]
        return {"totalResults": len(hits), "startIndex": start, "itemsPerPage": len(shown), "Resources": shown}

    def _create(self, kind: str, payload: Document) -> tuple[int, Document]:
        name = "userName" if kind == "Users" else "displayName"
        if any(one[name].casefold() == payload[name].casefold() for one in self.kept[kind].values()):
            return 409, _error(409)
        new = _clean(payload) | {"id": f"{kind[0].lower()}-{next(self._ids)}"}
        if kind == "Users":
            new[LICENSES] = {"licenses": [{"value": "basic", "display": "Basic", "state": "assigned"}]}
        self.kept[kind][new["id"]] = new
        return 201, new

    def _write(self, held: dict[str, Document], resource_id: str, method: str, payload: Document) -> None:
        if method == "PUT":
            held[resource_id] = _clean(payload) | {"id": resource_id}
            return
        for operation in payload["Operations"]:
            _apply(held[resource_id], operation["op"].lower(), operation.get("path"), operation.get("value"))


@contextmanager
def serving(stub: Stub) -> Iterator[str]:
    """The SCIM base URL of the stub, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            stub.seen.append((self.command, self.path, dict(self.headers)))
            if TOKEN in str(self.headers["Authorization"]):
                status, document = stub.answer(self.command, self.path, json.loads(data) if data else None)
            else:
                status, document = 401, _error(401)
            self._send(stub.status(self.command, path, status), document)
            stub.after(self.command, path)

        def _send(self, status: int, document: Document | None) -> None:
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/scim"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _error(status: int) -> Document:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": "no"}


def _clean(payload: Document) -> Document:
    dropped = {"password", "groups", "meta"}
    return {name: value for name, value in payload.items() if name not in dropped and value not in (None, [])}


def _matches(document: Document, text: str | None) -> bool:
    found = _EQUAL.fullmatch(unquote(text)) if text else None
    return found is None or str(document.get(found[1], "")).casefold() == found[2].casefold()


def _apply(document: Document, op: str, path: str | None, value: Any) -> None:
    if path is None:
        for name, part in value.items():
            _apply(document, "replace", name, part)
    elif path == "members" or path.startswith("members["):
        document["members"] = _members(document.get("members", []), op, path, value)
    elif found := _ELEMENT.fullmatch(path):
        _element(document.setdefault(found[1], []), found, op, value)
    else:
        _set(document, path, value, op)


def _members(held: list[Document], op: str, path: str, value: Any) -> list[Document]:
    if op == "replace":
        return list(value)
    if op == "add":
        there = {one["value"] for one in held}
        return held + [one for one in value if one["value"] not in there]
    out = {one["value"] for one in value} if value else set(re.findall(r'"([^"]+)"', path))
    return [one for one in held if one["value"] not in out]


def _element(elements: list[Document], found: re.Match[str], op: str, value: Any) -> None:
    hits = [one for one in elements if one.get(found[2]) == found[3]]
    if op == "remove":
        elements[:] = [one for one in elements if one not in hits]
        return
    if not hits:
        elements.append({found[2]: found[3], found[4]: value})
    for one in hits:
        one[found[4]] = value


def _set(document: Document, path: str, value: Any, op: str) -> None:
    holder, name = document, path
    if path.startswith(ENTERPRISE):
        holder, name = document.setdefault(ENTERPRISE, {}), path.removeprefix(f"{ENTERPRISE}:")
        value = {"value": value} if name == "manager" else value
    elif "." in path:
        first, _, name = path.partition(".")
        holder = document.setdefault(first, {})
    if op == "remove":
        holder.pop(name, None)
    else:
        holder[name] = value == "True" if value in ("True", "False") else value
