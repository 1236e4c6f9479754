"""Replays what an identity provider said, word for word, and tells where a server's answers differ from what it needs.

The format of the files is told in `recording_file`.

    python -m conformance.recording URL --token TOKEN FILE [FILE …]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import quote

from conformance import matching
from conformance.client import Client, Unreachable
from conformance.judging import Answer, judged, parsed
from conformance.recording_file import BadRecording, Exchange, Recording, faults, load, shipped
from conformance.variables import UnknownVariable, fill, in_path, known_at_start

__all__ = ["BadRecording", "Conditions", "Outcome", "Recording", "Transport", "faults", "load", "replay", "shipped"]

Conditions = Mapping[str, Callable[[Mapping[str, Any]], AbstractContextManager[Any]]]
"""Name in `recording_file.CONDITIONS` → what brings it about at the server, given the variables, and ends it again."""

WRITES = frozenset({"POST", "PUT", "PATCH"})
ONLY_FOR_WRITES = frozenset({"content-type", "if-match", "if-none-match"})


class Transport(Protocol):
    """Anything that can carry one request to a server: `client.Client`, or an adapter around an app under test.

    `path` is relative to the SCIM base (`/Users?count=1`) and already percent-encoded; the headers hold the
    Authorization; nothing is to be added to them.
    """

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer: ...

    def another(self) -> Self:
        """A transport to the same server over a connection of its own, for what is sent at once."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """What came of one exchange: the status (0 when nothing was sent or answered) and a sentence per difference.

    `untried` names the condition that nobody could bring about at this server; nothing was sent then.
    """

    recording: str
    exchange: str
    proves: tuple[int, ...]
    request: str
    status: int
    problems: tuple[str, ...]
    untried: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        if self.untried:
            return f"--   {self.recording}: {self.exchange} (not tried, needs {self.untried})"
        head = f"{'ok  ' if self.ok else 'FAIL'} {self.recording}: {self.exchange}"
        if self.ok:
            return head
        return "\n".join(
            [head, f"       {self.request} -> {self.status}", *(f"       {line}" for line in self.problems)]
        )


@dataclass(frozen=True)
class _Talk:
    """One replay that is going on."""

    client: Transport
    recording: Recording
    known: dict[str, Any]
    conditions: Conditions

    def under(self, condition: str | None) -> AbstractContextManager[Any]:
        """The condition, brought about until the block ends."""
        return nullcontext() if condition is None else self.conditions[condition](self.known)

    def lacks(self, condition: str | None) -> bool:
        return condition is not None and condition not in self.conditions


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None

    def sent(self, client: Transport) -> Answer:
        return client.request(self.method, self.path, self.headers, self.body)

    def sent_alone(self, client: Transport) -> Answer:
        """The same over a connection of its own."""
        other = client.another()
        try:
            return self.sent(other)
        finally:
            other.close()


def replay(
    client: Transport, recording: Recording, variables: Mapping[str, str], conditions: Conditions | None = None
) -> list[Outcome]:
    """One outcome per exchange sent, in order; a failed exchange does not stop those after it.

    `variables` holds `token` and may hold `unique`; it wins over the recording's own variables. What is written with a
    whole resource as answer is read back at once and must be that resource. An exchange, or a whole recording, under
    a condition that is not among `conditions` is not tried, and its outcome says so.
    """
    talk = _Talk(client, recording, known_at_start(recording.variables, variables), conditions or {})
    if talk.lacks(recording.given):
        return [_untried(recording, exchange, recording.given) for exchange in recording.exchanges]
    with talk.under(recording.given):
        return [outcome for exchange in recording.exchanges for outcome in _exchanged(talk, exchange)]


def _exchanged(talk: _Talk, exchange: Exchange) -> list[Outcome]:
    """Each time of an exchange: one after the other, or all at once and judged then."""
    if talk.lacks(exchange.given):
        return [_untried(talk.recording, exchange, exchange.given)]
    with talk.under(exchange.given):
        early = _all_at_once(talk, exchange) if exchange.at_once else {}
        return [_outcome(talk, exchange, number, early.get(number)) for number in range(1, exchange.times + 1)]


def _untried(recording: Recording, exchange: Exchange, condition: str | None) -> Outcome:
    line = f"{exchange.method} {exchange.path}"
    return Outcome(recording.name, exchange.name, exchange.proves, line, 0, (), condition or "")


def _all_at_once(talk: _Talk, exchange: Exchange) -> dict[int, Future[Answer]]:
    """The answers by number, each over a connection of its own; a request that cannot be made up is left out."""
    requests = {}
    for number in range(1, exchange.times + 1):
        talk.known["n"] = str(number)
        try:
            requests[number] = _request(talk, exchange)
        except UnknownVariable:
            return {}
    with ThreadPoolExecutor(exchange.times) as pool:
        return {number: pool.submit(request.sent_alone, talk.client) for number, request in requests.items()}


def _outcome(talk: _Talk, exchange: Exchange, number: int, early: Future[Answer] | None) -> Outcome:
    """Send one exchange unless that was done, remember what it captures, judge the answer, read back what it wrote."""
    name = exchange.name if exchange.times == 1 else f"{exchange.name} ({number} of {exchange.times})"
    talk.known["n"] = str(number)
    line, status, problems = f"{exchange.method} {exchange.path}", 0, []
    try:
        request = _request(talk, exchange)
        line = f"{request.method} {request.path}"
        answer = early.result() if early else request.sent(talk.client)
        status = answer.status
        problems = _captured(exchange, parsed(answer.body), talk.known) + judged(exchange.expect, answer, talk.known)
        problems += [] if early else _read_back(talk.client, request, answer)
    except UnknownVariable as missing:
        problems = [f"variable {missing} is not known; see the failures before this one"]
    except Unreachable as lost:
        problems = [f"no answer: {lost}"]
    return Outcome(talk.recording.name, name, exchange.proves, line, status, tuple(problems))


def _read_back(client: Transport, request: _Request, answer: Answer) -> list[str]:
    """How the resource that a write answered with differs from what is read right after it; both must be the same."""
    written = parsed(answer.body)
    if request.method not in WRITES or answer.status not in (200, 201) or not isinstance(written, dict):
        return []
    path, mark, query = request.path.partition("?")
    place = f"{path}/{quote(str(written.get('id')), safe='')}" if request.method == "POST" else path
    headers = {name: value for name, value in request.headers.items() if name.lower() not in ONLY_FOR_WRITES}
    got = client.request("GET", f"{place}{mark}{query}", headers, None)
    if got.status != 200:
        return [f"read back: GET {place} answered {got.status}"]
    read = parsed(got.body)
    return [f"read back: {line}" for line in matching.unequal(written, read) or matching.lacking(read, written)]


def _request(talk: _Talk, exchange: Exchange) -> _Request:
    """What to send, all variables filled in. Raises UnknownVariable."""
    path = in_path(exchange.path, talk.known)
    headers = _headers(talk.recording, exchange, talk.known)
    return _Request(exchange.method, path, headers, _body(exchange, talk.known))


def _headers(recording: Recording, exchange: Exchange, known: Mapping[str, Any]) -> dict[str, str]:
    """The headers to send, those of the exchange winning; Content-Type only where there is a body."""
    merged: dict[str, tuple[str, str | None]] = {}
    for source in ({"Authorization": "Bearer ${token}"}, recording.headers, exchange.headers):
        for name, value in source.items():
            merged[name.lower()] = (name, value)
    if exchange.body is None and exchange.raw is None:
        merged.pop("content-type", None)
    return {name: str(fill(value, known)) for name, value in merged.values() if value is not None}


def _body(exchange: Exchange, known: Mapping[str, Any]) -> bytes | None:
    if exchange.raw is not None:
        return str(fill(exchange.raw, known)).encode("utf-8")
    if exchange.body is None:
        return None
    return json.dumps(fill(exchange.body, known), ensure_ascii=False).encode("utf-8")


def _captured(exchange: Exchange, document: Any, known: dict[str, Any]) -> list[str]:
    """Put what the answer gives into `known`; what is not there is forgotten, so that nobody uses an old value."""
    problems = []
    for name, pointer in exchange.capture.items():
        filled = str(fill(name, known))
        value = matching.value_at(document, pointer)
        known.pop(filled, None)
        if value is matching.MISSING:
            problems.append(f"{pointer or 'body'}: nothing there to remember as {filled}")
        else:
            known[filled] = value
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay files against a server, print one line per exchange; 1 when anything differed, 2 for a bad file."""
    options = _options(arguments)
    try:
        outcomes = list(_replayed(options))
    except (BadRecording, OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    failed = [outcome for outcome in outcomes if not outcome.ok]
    untried = sum(bool(outcome.untried) for outcome in outcomes)
    print(f"{len(outcomes)} exchanges, {len(failed)} failed{f', {untried} not tried' if untried else ''}")
    return 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance.recording", description="Replay recordings.")
    parser.add_argument("url", help="SCIM base URL, such as http://127.0.0.1:8080/scim/v2")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--token", required=True, help="bearer token of a connection with the recording's profile")
    parser.add_argument("--unique", help="what ${unique} stands for; random when left out")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    return parser.parse_args(arguments)


def _replayed(options: argparse.Namespace) -> Iterator[Outcome]:
    given = {"token": options.token} | ({"unique": options.unique} if options.unique else {})
    recordings = [load(path) for path in options.files]
    with Client(options.url, timeout=options.timeout) as client:
        for recording in recordings:
            for outcome in replay(client, recording, given):
                print(outcome)
                yield outcome


if __name__ == "__main__":
    sys.exit(main())
