"""A change over HTTP: done once for each Idempotency-Key, and answered as shortly as Prefer asks (RFC 7240).

`made` and `changed` open the one write transaction of the request, let it be done, and make the answer before the
commit, so that the answer can be kept with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Response, request

from scim_service import errors
from scim_service.directory import repeats
from scim_service.directory.documents import Resource
from scim_service.directory.repeats import Sent
from scim_service.endpoints import door, service
from scim_service.endpoints.scim import answers, requests
from scim_service.storage.work import Work

Act = Callable[[Work], Resource]
HEADER = "Idempotency-Key"
LONGEST = 255
MINIMAL = "return=minimal"
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Preference-Applied")


@dataclass(frozen=True)
class Done:
    """What came of a change: the resource, its address, and how it is shown, if it is to be."""

    resource: Resource
    location: str
    shown: Callable[[], dict[str, object]] | None


def made(act: Callable[[Work], Done]) -> Response:
    """The answer to what makes a resource: 201."""
    return _once(act, lambda done: _answer(done, 201))


def changed(act: Callable[[Work], Done]) -> Response:
    """The answer to what changes a resource: 200, or 204 where it is not shown."""
    return _once(act, lambda done: _answer(done, 200))


def _once(act: Callable[[Work], Done], answer: Callable[[Done], Response]) -> Response:
    sent = _sent()
    if sent is None:
        with door.writing() as work:
            return answer(act(work))
    with _alone(sent), door.writing() as work:
        before = repeats.known(work, sent)
        if before is not None:
            return _again(before)
        found = answer(act(work))
        headers = {name: found.headers[name] for name in KEPT_HEADERS if name in found.headers}
        repeats.keep(work, sent, found.status_code, headers, found.get_data(as_text=True))
        return found


def _answer(done: Done, status: int) -> Response:
    if _prefers_minimal():
        found = (
            answers.created_bodiless(done.resource, done.location) if status == 201 else answers.nothing(done.resource)
        )
        found.headers["Preference-Applied"] = MINIMAL
        return found
    if done.shown is None:
        return answers.nothing(done.resource)
    if status == 201:
        return answers.created(done.shown(), done.resource, done.location)
    return answers.resource(done.shown(), done.resource)


def _prefers_minimal() -> bool:
    """Whether the client would do without the resource; attributes that are asked for are an answer (3.5.2)."""
    asked = {one.strip().casefold().replace('"', "") for one in request.headers.get("Prefer", "").split(",")}
    return MINIMAL in asked and not requests.asks_for_attributes()


def _sent() -> Sent | None:
    """The request under its key; None where it has none, or is of a method that does the same again by itself."""
    key = request.headers.get(HEADER)
    if key is None or request.method not in {"POST", "PATCH"}:
        return None
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise errors.InvalidValue(f"{HEADER} is a text of 1 to {LONGEST} printable characters.")
    more = (request.headers.get(name, "") for name in ("If-Match", "If-None-Match", "Prefer"))
    parts = (request.method, request.full_path, *more)
    return Sent.of(key, *(part.encode() for part in parts), requests.body_read())


@contextmanager
def _alone(sent: Sent) -> Iterator[None]:
    """Refuse a twin that this process is working on. Raises Refused (409)."""
    running, key = service.current().running, (door.caller().connection_seq, sent.key_hash)
    with running.lock:
        if key in running.keys:
            raise repeats.running()
        running.keys.add(key)
    try:
        yield
    finally:
        with running.lock:
            running.keys.discard(key)


def _again(before: repeats.Answer) -> Response:
    """The answer that was given before."""
    found = Response(before.body, before.status, before.headers)
    if "Content-Type" not in before.headers:
        del found.headers["Content-Type"]
    return found
