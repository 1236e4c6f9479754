"""The web server of one process: waitress, which no slow client can starve, and a drain that loses no request.

Waitress itself ends a process at TERM with requests in its threads (libraries.md part 7). Here TERM and INT close the
door, let what is under way be answered, and only then leave.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import orjson
import waitress  # type: ignore[import-untyped]
from waitress import channel, task, wasyncore

from scim_service import errors
from scim_service.protocol import limits, messages

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BODY_BYTES = 4 * limits.GROUP_BODY_BYTES
"""What waitress takes in before the application sees it. Above the application's own limit, which answers with a SCIM
body and knows who is calling; this one only keeps an endless body off the disk."""

DRAIN_SECONDS = 30.0
"""Longer than a write may take (25 s, decision 21)."""
WAKE_SECONDS = 0.5
"""How long a signal may wait for the loop."""


DETAILS = {
    400: "This is no HTTP request that could be read; see RFC 9112.",
    413: "The request body is too large. Send less at once.",
    431: "The request headers are too long. Send shorter ones.",
    501: "Send the body plain or chunked, without another transfer encoding.",
}
"""What waitress refuses by itself, before the application sees it."""


class Refusal(task.ErrorTask):  # type: ignore[misc]  # waitress is untyped
    """Answers what waitress refuses as the application answers its refusals (RFC 7644 section 3.12)."""

    def execute(self) -> None:
        error = self.request.error
        detail = DETAILS.get(error.code, "Something went wrong here. Send the request again.")
        body = orjson.dumps(messages.error_body(error.code, detail, None))
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/scim+json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(channel.HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    """One connection."""

    error_task_class = Refusal


@dataclass
class Server:
    """A bound web server; `run` serves until `stop` was called, or TERM or INT has come, and then drains."""

    sockets: dict[int, Any]
    waitress: Any
    stopping: bool = False

    def stop(self) -> None:
        """Close the door; may be called from a signal handler or another thread."""
        self.stopping = True

    def run(self) -> None:
        """Serve, then drain. Returns when every request that had come in is answered, or after 30 s."""
        with signals(self.stop):
            while not self.stopping:
                self._turn()
        self._close_door()
        end = time.monotonic() + DRAIN_SECONDS
        while self._busy() and time.monotonic() < end:
            self._turn(0.05)
        self.waitress.task_dispatcher.shutdown(timeout=max(1.0, end - time.monotonic()))
        wasyncore.close_all(self.sockets)

    def _turn(self, seconds: float = WAKE_SECONDS) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self.sockets, count=1)

    def _close_door(self) -> None:
        """No new connection; the idle ones are closed."""
        for one in list(self.sockets.values()):
            if getattr(one, "accepting", False):
                one.del_channel(self.sockets)
                one.socket.close()
            elif hasattr(one, "requests") and not _under_way(one):
                one.will_close = True

    def _busy(self) -> bool:
        return any(_under_way(one) for one in list(self.sockets.values()) if hasattr(one, "requests"))


def bind(application: WSGIApplication, host: str, port: int, threads: int) -> Server:
    """Take the port. Raises Refused with the reason where that cannot be."""
    sockets: dict[int, Any] = {}
    made = waitress.create_server(
        application,
        map=sockets,
        sockets=[_listening(host, port)],
        threads=threads,
        ident=None,
        max_request_body_size=BODY_BYTES,
        clear_untrusted_proxy_headers=False,
    )
    made.channel_class = Channel
    return Server(sockets, made)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise errors.Refused(
            f"Cannot listen on {host}:{port} ({error.strerror or error}). Choose another with --port or --host."
        ) from error


def _under_way(channel: Any) -> bool:
    """Whether a connection has a request that is being read, answered, or sent."""
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


@contextmanager
def signals(stop: Callable[[], None]) -> Iterator[None]:
    """While this is open, TERM and INT mean `stop`; a second one has its usual effect."""

    def heard(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
