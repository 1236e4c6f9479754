"""Logs: one JSON line per event, of an allow-list of fields, so that nothing personal or secret gets in (S2, S3)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

FIELDS = ("request_id", "tenant", "actor", "method", "route", "status", "job", "slot", "items", "failed", "ms")
"""What an event may say besides its time, level, logger and message."""

_ENCODER = json.JSONEncoder(default=str)


class JsonLines(logging.Formatter):
    """An event as one line of JSON; an exception is told by its class and the places in this program."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        instant = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _places(record)
        return _ENCODER.encode(line)


def _places(record: logging.LogRecord) -> list[str]:
    """Where an exception came through: file and line, without values."""
    trace = record.exc_info[2] if record.exc_info else None
    found = []
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "?")
        found.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found


def tell(log: logging.Logger, message: str, **fields: object) -> None:
    """An event that is no mistake, with some of FIELDS; spares the search for the line that tells it."""
    if log.isEnabledFor(logging.INFO):
        log.handle(log.makeRecord(log.name, logging.INFO, "", 0, message, (), None, extra=fields))


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send this program's events, and warnings of others, to standard error as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("scim_service").setLevel(level)
