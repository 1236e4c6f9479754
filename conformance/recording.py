"""Replays what an identity provider said, word for word, and tells where a server's answers differ from what it needs.

The format of the files is told in `recording_file`.

    python -m conformance.recording URL --token TOKEN FILE [FILE …]
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from conformance import matching
from conformance.client import Client, Unreachable
from conformance.recording_file import BadRecording, Exchange, Expectation, Recording, faults, load, shipped

__all__ = ["BadRecording", "Outcome", "Recording", "Transport", "faults", "fill", "judged", "load", "replay", "shipped"]

_VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


class UnknownVariable(Exception):
    """A request or expectation names a variable that nothing has set, mostly as an earlier exchange went wrong."""


class Answer(Protocol):
    """What a transport brings back; the body must be free of content encodings."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Transport(Protocol):
    """Anything that can carry one request to a server: `client.Client`, or an adapter around an app under test.

    `path` is relative to the SCIM base (`/Users?count=1`) and already percent-encoded; the headers hold the
    Authorization; nothing is to be added to them.
    """

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer: ...


@dataclass(frozen=True)
class Outcome:
    """What came of one exchange: the status (0 when nothing was sent or answered) and a sentence per difference."""

    recording: str
    exchange: str
    proves: tuple[int, ...]
    request: str
    status: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        head = f"{'ok  ' if self.ok else 'FAIL'} {self.recording}: {self.exchange}"
        if self.ok:
            return head
        return "\n".join(
            [head, f"       {self.request} -> {self.status}", *(f"       {line}" for line in self.problems)]
        )


def replay(client: Transport, recording: Recording, variables: Mapping[str, str]) -> list[Outcome]:
    """One outcome per exchange sent, in order; a failed exchange does not stop those after it.

    `variables` holds `token` and may hold `unique`; it wins over the recording's own variables.
    """
    known = _start(recording, variables)
    return [
        _exchanged(client, recording, exchange, known, count)
        for exchange in recording.exchanges
        for count in range(1, exchange.times + 1)
    ]


def fill(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with its variables filled in and its `$merge` done. Raises UnknownVariable."""
    if isinstance(value, str):
        whole = _VARIABLE.fullmatch(value)
        return _known(whole[1], known) if whole else _VARIABLE.sub(lambda match: str(_known(match[1], known)), value)
    if isinstance(value, list):
        return [fill(element, known) for element in value]
    if isinstance(value, dict) and set(value) == {"$merge"}:
        return {key: part for each in fill(value["$merge"], known) for key, part in each.items()}
    if isinstance(value, dict):
        return {str(fill(key, known)): fill(part, known) for key, part in value.items()}
    return value


def judged(expect: Expectation, answer: Answer, known: Mapping[str, Any]) -> list[str]:
    """One sentence for each way in which the answer is not what was expected. Raises UnknownVariable."""
    problems = []
    if answer.status not in expect.status:
        wanted = " or ".join(str(status) for status in expect.status)
        problems.append(f"status: expected {wanted}, got {answer.status}: {_start_of(answer.body)}")
    problems += _header_problems(fill(dict(expect.headers), known), answer.headers)
    problems += _text_problems(fill(list(expect.without), known), answer)
    if answer.status == 204:
        return problems + (["body: a 204 has none"] if answer.body else [])
    return problems + _body_problems(expect, _parsed(answer.body), known)


def _exchanged(
    client: Transport, recording: Recording, exchange: Exchange, known: dict[str, Any], count: int
) -> Outcome:
    """Send one exchange, remember what it captures, judge the answer."""
    name = exchange.name if exchange.times == 1 else f"{exchange.name} ({count} of {exchange.times})"
    known["n"] = str(count)
    line, status, problems = f"{exchange.method} {exchange.path}", 0, []
    try:
        path = _filled_path(exchange.path, known)
        line = f"{exchange.method} {path}"
        answer = client.request(exchange.method, path, _headers(recording, exchange, known), _body(exchange, known))
        status = answer.status
        problems = _captured(exchange, _parsed(answer.body), known) + judged(exchange.expect, answer, known)
    except UnknownVariable as missing:
        problems = [f"variable {missing} is not known; see the failures before this one"]
    except Unreachable as lost:
        problems = [f"no answer: {lost}"]
    return Outcome(recording.name, name, exchange.proves, line, status, tuple(problems))


def _start(recording: Recording, given: Mapping[str, str]) -> dict[str, Any]:
    token = given.get("token", "")
    known: dict[str, Any] = {
        "unique": uuid.uuid4().hex[:10],
        "uuid": str(uuid.uuid4()),
        "basic": base64.b64encode(f"scim:{token}".encode()).decode("ascii"),
        **given,
    }
    for name, value in recording.variables.items():
        known.setdefault(name, fill(value, known))
    return known


def _known(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise UnknownVariable(name)
    return known[name]


def _filled_path(path: str, known: Mapping[str, Any]) -> str:
    return _VARIABLE.sub(lambda match: quote(str(_known(match[1], known)), safe="@"), path)


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


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else matching.MISSING
    except ValueError:
        return matching.MISSING


def _header_problems(expected: Mapping[str, str | bool], actual: Mapping[str, str]) -> list[str]:
    got = {name.lower(): value for name, value in actual.items()}
    return [
        f"header {name}: expected {wanted!r}, got {got.get(name.lower())!r}"
        for name, wanted in expected.items()
        if not _header_suits(wanted, got.get(name.lower()))
    ]


def _header_suits(wanted: str | bool, value: str | None) -> bool:
    if isinstance(wanted, bool):
        return wanted is (value is not None)
    return value is not None and wanted.lower() in value.lower()


def _text_problems(unwanted: Sequence[Any], answer: Answer) -> list[str]:
    whole = answer.body.decode("utf-8", "replace") + "\n".join(answer.headers.values())
    return [f"the answer holds the text {piece!r}, which it must not" for piece in unwanted if str(piece) in whole]


def _body_problems(expect: Expectation, document: Any, known: Mapping[str, Any]) -> list[str]:
    problems = [] if expect.body is None else matching.lacking(fill(expect.body, known), document)
    for pointer, value in expect.equals.items():
        problems += matching.unequal(fill(value, known), matching.value_at(document, pointer), pointer)
    for pointer, value in expect.differs.items():
        found = matching.value_at(document, pointer)
        if found is matching.MISSING or matching.identical(fill(value, known), found):
            problems.append(f"{pointer}: expected another value, got {matching.text(found)}")
    for pointer in expect.absent:
        found = matching.value_at(document, str(fill(pointer, known)))
        if not matching.unassigned(found):
            problems.append(f"{pointer}: expected no value, got {matching.text(found)}")
    return problems


def _start_of(body: bytes) -> str:
    return body[:300].decode("utf-8", "replace") or "no body"


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay files against a server, print one line per exchange; 1 when anything differed, 2 for a bad file."""
    options = _options(arguments)
    try:
        outcomes = list(_replayed(options))
    except (BadRecording, OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    failed = [outcome for outcome in outcomes if not outcome.ok]
    print(f"{len(outcomes)} exchanges, {len(failed)} failed")
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
