"""A closed-loop HTTP/1.1 client: one thread, many connections, the next request when the last is answered.

A flow is a generator that yields (label, request) and is sent the `Answer`; so one loop drives fixed requests and
whole conversations. Requests are encoded before their time begins. Load goes to the loopback interface only.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PATIENCE = 120.0
"""Seconds that one answer may take."""


class Broken(RuntimeError):
    """A server ended a connection again, said what is no HTTP, or did not answer."""


@dataclass(frozen=True)
class Answer:
    """A response: its status and its body."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON in the body."""
        return json.loads(self.body)


Flow = Generator[tuple[str, bytes], Answer, None]


@dataclass
class Times:
    """How long the answers under one label took (seconds), and what was refused."""

    spent: list[float] = field(default_factory=list)
    refused: int = 0
    refusal: str = ""

    def take(self, seconds: float, answer: Answer) -> None:
        """Note one answer."""
        self.spent.append(seconds)
        if answer.status >= 400:
            self.refused += 1
            self.refusal = f"{answer.status} {answer.body[:200].decode(errors='replace')}"

    @property
    def median_ms(self) -> float:
        """The middle of the times, in milliseconds."""
        return statistics.median(self.spent) * 1000


@dataclass
class Run:
    """What a run came to: seconds it took, and the times by label."""

    seconds: float = 0.0
    times: dict[str, Times] = field(default_factory=dict)


class Client:
    """Speaks with one server under `base`, with a token where it needs one."""

    def __init__(self, base: str, token: str = "") -> None:
        parts = urlsplit(base)
        if parts.hostname not in LOOPBACK or parts.scheme != "http":
            raise ValueError("Load goes to http on the loopback interface only.")
        self.address = (parts.hostname, parts.port or 80)
        self._prefix = parts.path.rstrip("/")
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._head = f"Host: {parts.netloc}\r\nAccept: application/scim+json\r\n{authorization}".encode()

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """A request as it goes over the wire."""
        head = f"{method} {self._prefix}{path} HTTP/1.1\r\n".encode() + self._head
        if body is None:
            return head + b"\r\n"
        text = json.dumps(body, separators=(",", ":")).encode()
        return head + b"Content-Type: application/scim+json\r\nContent-Length: %d\r\n\r\n" % len(text) + text

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request and its answer. Raises Broken, and OSError where nobody listens."""
        found: list[Answer] = []

        def flow() -> Flow:
            found.append((yield "", self.request(method, path, body)))

        self.run([flow()])
        return found[0]

    def run(self, flows: Sequence[Flow], seconds: float | None = None, least: int = 1, warm: int = 0) -> Run:
        """Drive each flow on a connection of its own, to their ends, or for `seconds` and `least` answers at least.

        The first `warm` answers of each connection are not counted, and the time begins after them.
        """
        return _Loop(self, flows, seconds, least, warm).run()


@dataclass(eq=False)
class _Lane:
    """A connection, its flow, and the request that is under way on it."""

    flow: Flow
    warm: int
    socket: socket.socket | None = None
    label: str = ""
    request: bytes = b""
    began: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)
    retried: bool = False


class _Loop:
    """One run of a client."""

    def __init__(self, client: Client, flows: Sequence[Flow], seconds: float | None, least: int, warm: int) -> None:
        self._client, self._seconds, self._least = client, seconds, least
        self._lanes = [_Lane(flow, warm) for flow in flows]
        self._selector = selectors.DefaultSelector()
        self._live = len(self._lanes)
        self._answers = 0
        self._began = time.perf_counter()
        self._result = Run()

    def run(self) -> Run:
        """Until every flow has ended, or the time is over."""
        try:
            for lane in self._lanes:
                self._next(lane, None)
            while self._live:
                ready = self._selector.select(PATIENCE)
                if not ready:
                    raise Broken(f"no answer within {PATIENCE:.0f} s")
                for key, _ in ready:
                    self._read(key.data)
        finally:
            for lane in self._lanes:
                self._close(lane)
            self._selector.close()
        self._result.seconds = time.perf_counter() - self._began
        return self._result

    def _next(self, lane: _Lane, answer: Answer | None) -> None:
        """Send the flow its answer and the server the next request; the lane ends with its flow."""
        if answer is not None and self._is_over():
            lane.flow.close()
            self._live -= 1
            self._close(lane)
            return
        try:
            lane.label, lane.request = lane.flow.send(answer)  # type: ignore[arg-type]  # None begins a generator
        except StopIteration:
            self._live -= 1
            self._close(lane)
            return
        lane.retried = False
        self._send(lane)

    def _is_over(self) -> bool:
        if self._seconds is None or self._answers < self._least:
            return False
        return time.perf_counter() - self._began >= self._seconds

    def _send(self, lane: _Lane) -> None:
        lane.buffer.clear()
        if lane.socket is None:
            lane.socket = socket.create_connection(self._client.address, timeout=PATIENCE)
            lane.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(lane.socket, selectors.EVENT_READ, lane)
        lane.began = time.perf_counter()
        try:
            lane.socket.sendall(lane.request)
        except (BrokenPipeError, ConnectionResetError):
            self._again(lane)

    def _again(self, lane: _Lane) -> None:
        """A server may close an idle connection just now; the request goes once more, on a new one."""
        if lane.retried:
            raise Broken(f"the connection was closed twice before an answer to {lane.label!r}")
        lane.retried = True
        self._close(lane)
        self._send(lane)

    def _close(self, lane: _Lane) -> None:
        if lane.socket is not None:
            self._selector.unregister(lane.socket)
            lane.socket.close()
            lane.socket = None

    def _read(self, lane: _Lane) -> None:
        assert lane.socket is not None
        try:
            data = lane.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self._again(lane)
            return
        lane.buffer += data
        found = parse(lane.buffer)
        if found is None:
            return
        answer, closes = found
        self._note(lane, answer, time.perf_counter())
        if closes:
            self._close(lane)
        self._next(lane, answer)

    def _note(self, lane: _Lane, answer: Answer, now: float) -> None:
        if lane.warm:
            lane.warm -= 1
            if not lane.warm and lane is self._lanes[0]:
                self._began = now
            return
        self._answers += 1
        self._result.times.setdefault(lane.label, Times()).take(now - lane.began, answer)


def parse(buffer: bytearray) -> tuple[Answer, bool] | None:
    """The whole answer in the buffer and whether the connection ends with it; None while more is to come."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = int(buffer[9:12])
    headers = _headers(bytes(buffer[:end]))
    closes = headers.get(b"connection") == b"close"
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        body = _unchunked(buffer, end + 4)
        return None if body is None else (Answer(status, body), closes)
    if status in (204, 304):
        return Answer(status, b""), closes
    length = headers.get(b"content-length")
    if length is None:
        raise Broken("an answer without a length")
    if len(buffer) < end + 4 + int(length):
        return None
    return Answer(status, bytes(buffer[end + 4 :])), closes


def _headers(head: bytes) -> Mapping[bytes, bytes]:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
    return {name: value.strip() for name, _, value in lines}


def _unchunked(buffer: bytearray, place: int) -> bytes | None:
    """The body that came in chunks; None while it is not complete."""
    if not buffer.endswith(b"0\r\n\r\n"):
        return None
    parts: list[bytes] = []
    while (line_end := buffer.find(b"\r\n", place)) >= 0:
        size = int(bytes(buffer[place:line_end]).partition(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        place = line_end + 2 + size + 2
        if place > len(buffer):
            return None
        parts.append(bytes(buffer[line_end + 2 : place - 2]))
    return None
