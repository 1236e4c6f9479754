"""What a request passes at either door: transport, credential, scope, the lazy clock; its view's transaction."""

from __future__ import annotations

import functools
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import g, request
from flask.globals import app_ctx, request_ctx

from scim_service import errors
from scim_service.access import connections, credentials, tenants
from scim_service.access.credentials import Caller
from scim_service.endpoints import auth, doors, proxies, service
from scim_service.endpoints.doors import Door
from scim_service.idp import PROFILES, Profile
from scim_service.licensing import seats
from scim_service.storage import faults
from scim_service.storage.work import EVERY_TENANT, Actor, Work

READS = frozenset({"GET", "HEAD", "OPTIONS"})
ERROR_EVERY = 10.0
"""Seconds between two notes of a connection's last error."""

TRIES = 4
T = TypeVar("T")
_log = logging.getLogger("scim_service.door")


def begin() -> None:
    """Give the request its number and its start."""
    here = app_ctx.g  # each word with `g` or `request` looks the context up anew (0.6 µs), and a request says many
    here.request_id = secrets.token_hex(8)
    here.began = time.perf_counter()
    here.caller = None


def enter() -> None:
    """Let a request in at its door, or raise why not; all but discovery needs a credential (reliability.md A6)."""
    door, asked = doors.here(), request_ctx.request
    if door is None:
        return
    if "\0" in asked.path:
        raise errors.NotFound("There is nothing at this address; no id holds the character U+0000.")
    _refuse_plain_http()
    if door.public:
        return
    if asked.endpoint in door.open and service.current().settings.open_discovery:
        return
    who = g.caller = _caller()
    _refuse_by_scope(door, who)
    _tell_time(who)
    if door.remembered:
        _note_seen(who)


def caller() -> Caller:
    """Who is calling; every view but discovery has one."""
    found: Caller = g.caller
    return found


def profile() -> Profile:
    """How this caller's identity provider is met."""
    return PROFILES[caller().profile]


@contextmanager
def reading() -> Iterator[Work]:
    """One read-only snapshot for the caller's tenant: the one in which the credential was found, if still open."""
    kept = g.pop("kept", None)
    if kept is None:
        with service.current().store.reading(caller().tenant_id, actor(), g.request_id) as work:
            yield work
        return
    with kept.until_read:
        yield replace(kept.work, tenant_id=caller().tenant_id, actor=actor())


def leave(_problem: BaseException | None = None) -> None:
    """Close what a request left open."""
    kept = g.pop("kept", None)
    if kept is not None:
        kept.until_read.close()


@contextmanager
def writing() -> Iterator[Work]:
    """The one write transaction of this request; it knows the tenant's settings, which came with the credential."""
    store = service.current().store
    with store.writing(caller().tenant_id, actor(), g.request_id, g.get("careful", False)) as work:
        tenants.tell(work, caller().settings)
        yield work


def actor() -> Actor:
    """The caller as the audit log names it."""
    who = caller()
    return Actor("connection", who.connection, who.connection_seq)


def again(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run a view again, at most three times more, where the database undid it for another's sake (G7)."""

    @functools.wraps(view)
    def tried(*arguments: Any, **named: Any) -> Any:
        return attempted(lambda: view(*arguments, **named))

    return tried


def attempted(act: Callable[[], T]) -> T:
    """What an act comes to that opens a transaction, at the fourth try at the latest."""
    for left in reversed(range(TRIES)):
        g.careful = left < TRIES - 1
        try:
            return act()
        except faults.Again:
            if not left:
                raise
            time.sleep((TRIES - left) * (0.02 + secrets.randbelow(50) / 1000))
    raise AssertionError


def note_error(error: errors.ScimError) -> None:
    """Keep what a connection was last refused, for its administrator; at most one write in ten seconds."""
    who, parts, door = g.get("caller"), service.current(), doors.here()
    if who is None or door is None or not door.remembered or error.status in {404, 501}:
        return
    now = parts.elapsed()
    if now - parts.errors_noted.get(who.connection_seq, -ERROR_EVERY) < ERROR_EVERY:
        return
    parts.errors_noted[who.connection_seq] = now
    _aside(who, lambda work: connections.failed(work, who.connection_seq, f"{error.status}: {error.detail}"))


def _refuse_plain_http() -> None:
    """A token that came over plain http has been seen on the way (reliability.md A9)."""
    settings = service.current().settings
    if request.is_secure or settings.allow_http or proxies.is_loopback(request.remote_addr):
        return
    raise errors.Forbidden(
        "This service answers over https only. Use the https URL, and replace the token: it was exposed."
    )


def _refuse_by_scope(door: Door, who: Caller) -> None:
    """A token of the other door is let in to nothing; what is at no address is answered as such, not as a write."""
    if who.scope not in door.scopes:
        raise errors.Forbidden(door.stranger, code="wrong_scope")
    if who.person is not None and request.routing_exception is None and request.endpoint not in door.own | door.open:
        raise errors.Forbidden("This token stands for one person. Ask for /Me.", code="own_only")
    if not _is_read(door) and request.routing_exception is None and who.scope not in door.writers:
        raise errors.Forbidden("This token may only read. Use a token with the scope write.", code="read_only")


def _is_read(door: Door) -> bool:
    """Whether the request changes nothing, whatever its method is called."""
    return request.method in READS or request.endpoint in door.asking


def _caller() -> Caller:
    parts = service.current()
    header = request.headers.get("Authorization")
    try:
        return _known(auth.token_of(header))
    except errors.Unauthorized as refusal:
        wait = parts.attempts.failed(f"address {request.remote_addr}", f"token {(header or '')[:20]}")
        if wait:
            raise errors.TooManyRequests(
                "Too many failed attempts. Wait, then use a valid token.", {"Retry-After": str(wait)}
            ) from refusal
        raise auth.unauthorized(refusal.detail) from refusal


def _known(token: str) -> Caller:
    """The caller that a token stands for; a read goes on in the snapshot that told so, which spares a transaction."""
    store = service.current().store
    if request.method not in READS:
        with store.asking(EVERY_TENANT, Actor("door"), g.request_id) as work:
            return credentials.authenticate(work, token)
    with ExitStack() as opened:
        work = opened.enter_context(store.reading(EVERY_TENANT, Actor("door"), g.request_id))
        who = credentials.authenticate(work, token)
        g.kept = _Kept(work, opened.pop_all())
    return who


@dataclass
class _Kept:
    """A snapshot that is kept open between the door and the view."""

    work: Work
    until_read: ExitStack


def _tell_time(who: Caller) -> None:
    """Let seats lapse that were due before this request (licensing.md I-10, decision 23)."""
    store = service.current().store
    if who.next_due is None or who.next_due > store.clock.now():
        return
    leave()
    try:
        with store.writing(who.tenant_id, Actor("clock"), g.request_id) as work:
            seats.tick(work)
    except errors.Unavailable:
        _log.warning(
            "the lazy clock could not lock in time", extra={"request_id": g.request_id, "tenant": who.tenant_id}
        )


def _note_seen(who: Caller) -> None:
    now = service.current().store.clock.now()
    if who.last_seen_at is None or now - who.last_seen_at >= connections.SEEN_EVERY:
        _aside(who, lambda work: connections.seen(work, who.connection_seq))


def _aside(who: Caller, write: Callable[[Work], None]) -> None:
    """A small write beside the request; if the database has no time for it, the request goes on without."""
    try:
        with service.current().store.writing(who.tenant_id, Actor("door"), g.request_id) as work:
            write(work)
    except errors.Unavailable:
        _log.warning("a note on the connection was not written", extra={"request_id": g.request_id})
