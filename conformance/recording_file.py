"""A recording is read here, and refused here when it is not one, with everything that is wrong with it.

A recording is one JSON file per conversation:

    {"title": "Okta pushes a group",
     "profile": "okta",
     "source": "the vendor's page or the public thread that shows these requests",
     "headers": {"User-Agent": "Okta SCIM Client 1.0.0"},
     "variables": {"userName": "mara.lind.${unique}@corp.example"},
     "given": "one seat",
     "exchanges": [
       {"name": "a sentence: what the provider does and what has to come of it",
        "proves": [1, 37],
        "times": 1, "at_once": false, "given": "a failing database",
        "request": {"method": "GET", "path": "/Users?filter=userName%20eq%20%22${userName}%22",
                    "headers": {"Accept": null}, "body": {...} or "raw": "text"},
        "expect": {"status": 200 or [200, 204], "headers": {"Content-Type": "application/scim+json"},
                   "body": {...}, "equals": {"/pointer": value}, "differs": {"/pointer": value},
                   "absent": ["/pointer"], "without": ["text"]},
        "capture": {"userId": "/id"}}]}

* `proves` names rows of the table of quirks in the design paper on SCIM (3.11). `times` sends the exchange again and
  again with `${n}` counting from 1. `headers` at the top go with each request; null in an exchange leaves one out.
  With `at_once` all of those are sent at the same time, each over a connection of its own.
* `given` names a condition of `CONDITIONS` that whoever replays has to bring about, for the whole conversation or for
  one exchange; without it, what stands under it is not tried.
* `${name}` is a variable: of the file, captured before, or given: `token`, `basic` (token as password, base64),
  `unique` (new for each replay, so that a used server can be asked again), `uuid`, `n`. In a path it is
  percent-encoded. A name may hold the number: `${member${n}}`. A string that is nothing but a variable becomes its
  value, a captured object included.
* `{"$merge": [a, b]}` in a request is object `a` with the keys of `b` laid over it: Okta's PUT is its GET with changes.
* `body` asks for its own keys and elements only, `equals` for exactly this value (elements of a list in any order, and
  further keys within an element are allowed), `differs` for another one, `absent` for no value in the sense of RFC 7643
  section 2.5 or a blank, `without` for a text that occurs nowhere in the answer. `{"$is": "text"}` is any text;
  further kinds: see `matching.KINDS`. A header's text must be in the answer's header, true: be there, false: not.
* What a write answers with is read back at once and must be the same; that needs no line here. The answer is captured
  before it is judged, so `${userId}` may be used in the same exchange's `expect`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance import matching

FOLDER = Path(__file__).parent / "recordings"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
QUIRKS = range(1, 56)
"""The rows of the table of quirks that `proves` may name."""

_HOST = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|dev|corp|local)\b")
_EXAMPLE_HOST = re.compile(r"(?:^|\.)example\.(?:com|net|org)$|^schemas\.microsoft\.com$")


CONDITIONS = {
    "one seat": "the group named ${group} gives a license of which one seat was bought",
    "license types": "${better} is a better license type than ${lesser}, of its family; one and ten seats, no grace",
    "a failing database": "the server is up, and what it keeps its data in answers nothing",
}
"""What a recording may need of a server beside an empty directory, and what it means."""


class BadRecording(Exception):
    """A file is not a recording; the text lists everything that is wrong with it."""


@dataclass(frozen=True)
class Expectation:
    status: tuple[int, ...]
    headers: Mapping[str, str | bool] = field(default_factory=dict)
    body: Any = None
    equals: Mapping[str, Any] = field(default_factory=dict)
    differs: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exchange:
    name: str
    proves: tuple[int, ...]
    method: str
    path: str
    headers: Mapping[str, str | None]
    body: Any
    raw: str | None
    expect: Expectation
    capture: Mapping[str, str]
    times: int
    at_once: bool = False
    given: str | None = None


@dataclass(frozen=True)
class Recording:
    """One conversation; `name` is `okta/group-push`, the place of its file, in the folder of its provider."""

    name: str
    title: str
    profile: str
    source: str
    headers: Mapping[str, str]
    variables: Mapping[str, str]
    exchanges: tuple[Exchange, ...]
    given: str | None = None

    @property
    def provider(self) -> str:
        return self.name.partition("/")[0]


def load(path: Path) -> Recording:
    """The recording in a file. Raises BadRecording naming everything that is wrong with it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise BadRecording(f"{path.name} is not JSON: {problem}") from problem
    problems = faults(document)
    if problems:
        raise BadRecording(f"{path.name}:\n  " + "\n  ".join(problems))
    return _recording(f"{path.parent.name}/{path.stem}", document)


def shipped(provider: str | None = None) -> list[Recording]:
    """The recordings that come with this package, all or those of one provider, in the order of their names."""
    return [load(path) for path in sorted(FOLDER.glob(f"{provider or '*'}/*.json"))]


def faults(document: Any) -> list[str]:
    """Everything that keeps a parsed file from being a recording; empty when it is one."""
    if not isinstance(document, dict):
        return ["the file holds no JSON object"]
    problems = _key_faults(
        document, {"title", "profile", "source", "exchanges"}, {"headers", "variables", "given"}, "file"
    )
    problems += _given_faults(document, "file")
    for key in ("title", "profile", "source"):
        if not isinstance(document.get(key), str) or not document.get(key):
            problems.append(f"{key} must be a text that says something")
    exchanges = document.get("exchanges")
    if not isinstance(exchanges, list) or not exchanges:
        return [*problems, "exchanges must be a list with something in it"]
    for exchange in exchanges:
        problems += _exchange_faults(exchange)
    return problems + _host_faults(document)


def _recording(name: str, document: Mapping[str, Any]) -> Recording:
    return Recording(
        name=name,
        title=document["title"],
        profile=document["profile"],
        source=document["source"],
        headers=document.get("headers", {}),
        variables=document.get("variables", {}),
        exchanges=tuple(_exchange(each) for each in document["exchanges"]),
        given=document.get("given"),
    )


def _exchange(document: Mapping[str, Any]) -> Exchange:
    request = document["request"]
    return Exchange(
        name=document["name"],
        proves=tuple(document["proves"]),
        method=request["method"],
        path=request["path"],
        headers=request.get("headers", {}),
        body=request.get("body"),
        raw=request.get("raw"),
        expect=_expectation(document["expect"]),
        capture=document.get("capture", {}),
        times=document.get("times", 1),
        at_once=document.get("at_once", False),
        given=document.get("given"),
    )


def _expectation(document: Mapping[str, Any]) -> Expectation:
    status = document["status"]
    return Expectation(
        status=tuple(status) if isinstance(status, list) else (status,),
        headers=document.get("headers", {}),
        body=document.get("body"),
        equals=document.get("equals", {}),
        differs=document.get("differs", {}),
        absent=tuple(document.get("absent", ())),
        without=tuple(document.get("without", ())),
    )


def _exchange_faults(exchange: Any) -> list[str]:
    if not isinstance(exchange, dict) or not isinstance(exchange.get("name"), str) or not exchange["name"]:
        return ["an exchange has no name"]
    at = f"exchange {exchange['name']!r}"
    optional = {"capture", "times", "at_once", "given"}
    problems = _key_faults(exchange, {"name", "proves", "request", "expect"}, optional, at)
    proves = exchange.get("proves")
    if not isinstance(proves, list) or not proves or any(row not in QUIRKS for row in proves):
        problems.append(f"{at}: proves must list rows of the table of quirks, 1 to {QUIRKS[-1]}")
    times = exchange.get("times", 1)
    if not isinstance(times, int) or not 1 <= times <= 1000:
        problems.append(f"{at}: times must be from 1 to 1000")
    elif not isinstance(exchange.get("at_once", False), bool) or (exchange.get("at_once") and times > 50):
        problems.append(f"{at}: at_once must be true or false, and true for at most 50 times")
    problems += _request_faults(exchange.get("request"), at) + _given_faults(exchange, at)
    problems += _expect_faults(exchange.get("expect"), at)
    return problems + _pointer_faults(exchange.get("capture", {}).values(), at)


def _given_faults(document: Mapping[str, Any], at: str) -> list[str]:
    given = document.get("given")
    if given is None or given in CONDITIONS:
        return []
    return [f"{at}: given knows {', '.join(CONDITIONS)}, not {given!r}"]


def _request_faults(request: Any, at: str) -> list[str]:
    if not isinstance(request, dict):
        return [f"{at}: request must be an object"]
    problems = _key_faults(request, {"method", "path"}, {"headers", "body", "raw"}, f"{at}, request")
    if request.get("method") not in METHODS:
        problems.append(f"{at}: method must be one of {', '.join(sorted(METHODS))}")
    path = request.get("path")
    if not isinstance(path, str) or not path.startswith("/") or re.search(r'[\s"<>]', path):
        problems.append(f"{at}: path must begin with / and be percent-encoded")
    if "body" in request and "raw" in request:
        problems.append(f"{at}: a request has a body or a raw text, not both")
    return problems


def _expect_faults(expect: Any, at: str) -> list[str]:
    if not isinstance(expect, dict):
        return [f"{at}: expect must be an object"]
    optional = {"headers", "body", "equals", "differs", "absent", "without"}
    problems = _key_faults(expect, {"status"}, optional, f"{at}, expect")
    status = expect.get("status")
    wanted = status if isinstance(status, list) else [status]
    if not wanted or any(not isinstance(each, int) or not 200 <= each <= 599 for each in wanted):
        problems.append(f"{at}: status must be a final HTTP status or a list of them")
    pointers = [*expect.get("equals", {}), *expect.get("differs", {}), *expect.get("absent", [])]
    return problems + _pointer_faults(pointers, at) + _kind_faults(expect.get("body"), at)


def _pointer_faults(pointers: Any, at: str) -> list[str]:
    return [f"{at}: {each!r} is no JSON pointer" for each in pointers if each and not str(each).startswith("/")]


def _kind_faults(value: Any, at: str) -> list[str]:
    if isinstance(value, list):
        return [line for element in value for line in _kind_faults(element, at)]
    if not isinstance(value, dict):
        return []
    if set(value) == {"$is"} and value["$is"] not in matching.KINDS:
        return [f"{at}: $is knows {', '.join(matching.KINDS)}, not {value['$is']!r}"]
    return [line for part in value.values() for line in _kind_faults(part, at)]


def _host_faults(document: Mapping[str, Any]) -> list[str]:
    """A recording names no real host: replaying it must not put anybody's address into a server."""
    spoken = json.dumps([document.get("variables", {}), document.get("exchanges", [])])
    hosts = {host for host in _HOST.findall(spoken) if not _EXAMPLE_HOST.search(host)}
    return [f"{host} is no example domain" for host in sorted(hosts)]


def _key_faults(found: Mapping[str, Any], needed: set[str], optional: set[str], at: str) -> list[str]:
    problems = [f"{at}: {key} is missing" for key in sorted(needed - found.keys())]
    return problems + [f"{at}: nobody knows {key!r}" for key in sorted(found.keys() - needed - optional)]
