"""Says whether an answer is what a recording expects of it, one sentence per difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from conformance import matching
from conformance.recording_file import Expectation
from conformance.variables import fill


class Answer(Protocol):
    """What a transport brings back; the body must be free of content encodings."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


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
    return problems + _body_problems(expect, parsed(answer.body), known)


def parsed(body: bytes) -> Any:
    """The JSON in a body; MISSING for none."""
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
