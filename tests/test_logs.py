"""A log line is JSON of an allow-list: nothing personal, nothing secret, never a second line (S2, S3)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from scim_service import logs

EVERY_LINE = {"time", "level", "logger", "message"}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where this test's events go; the loggers are put back as they were."""
    root, own = logging.getLogger(), logging.getLogger("scim_service")
    handlers, levels = root.handlers[:], (root.level, own.level)
    root.handlers = []
    found = io.StringIO()
    logs.configure("INFO", found)
    yield found
    root.handlers = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    logging.getLogger("scim_service.door").info("answered", extra={"status": 200, "ms": 1.5, "tenant": 7})
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "scim_service.door",
        "message": "answered",
        "status": 200,
        "ms": 1.5,
        "tenant": 7,
    }


def test_what_is_not_on_the_list_is_left_out(stream: io.StringIO) -> None:
    more = {"userName": "canary", "authorization": "canary", "body": "canary", "query": "canary"}
    logging.getLogger("scim_service").info("answered", extra=more)
    assert set(lines(stream)[0]) == EVERY_LINE
    assert "canary" not in stream.getvalue()


def test_an_exception_tells_its_class_and_places_and_none_of_its_values(stream: io.StringIO) -> None:
    try:
        raise LookupError("canary")
    except LookupError:
        logging.getLogger("scim_service").exception("failed")
    (line,) = lines(stream)
    assert line["error"] == "LookupError"
    assert all(":" in place for place in line["at"])
    assert "canary" not in stream.getvalue()


def test_line_breaks_and_control_characters_stay_inside_their_line(stream: io.StringIO) -> None:
    logging.getLogger("scim_service").warning("one\r\ntwo\u2028three\x1b[31m")
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()
    assert "\x1b" not in stream.getvalue()


def test_a_value_that_json_does_not_know_is_written_as_text(stream: io.StringIO) -> None:
    logging.getLogger("scim_service").info("acted", extra={"actor": LookupError})
    assert lines(stream)[0]["actor"] == "<class 'LookupError'>"


def test_others_are_heard_from_a_warning_on_and_we_from_our_level(stream: io.StringIO) -> None:
    logging.getLogger("elsewhere").info("silent")
    logging.getLogger("elsewhere").warning("heard")
    logging.getLogger("scim_service").debug("silent")
    logging.getLogger("scim_service").info("heard")
    assert [line["message"] for line in lines(stream)] == ["heard", "heard"]
