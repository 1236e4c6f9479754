"""Shows how far a play is: a bar that is redrawn where somebody watches a terminal, a line per phase elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

from conformance.idps.play import Progress

WIDTH = 24
PAUSE = 0.1
"""Seconds between two drawings; a terminal that is written to for each request would slow the play."""


def silent(phase: str, verb: str, done: int, total: int) -> None:
    """Shows nothing."""


def shown_on(stream: TextIO) -> Progress:
    """What fits the stream: a bar for a terminal, lines for a file or pipe."""
    return Bar(stream) if stream.isatty() else Lines(stream)


class Lines:
    """One line when a phase is begun."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._phase = ""

    def __call__(self, phase: str, verb: str, done: int, total: int) -> None:
        if phase != self._phase:
            self._phase = phase
            print(f"{phase} ...", file=self._stream, flush=True)


class Bar:
    """One line per phase, redrawn in place: first while writing, then while reading back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._phase = ""
        self._drawn = 0.0

    def __call__(self, phase: str, verb: str, done: int, total: int) -> None:
        now = time.monotonic()
        if phase == self._phase and done < total and now - self._drawn < PAUSE:
            return
        if self._phase not in ("", phase):
            self._stream.write("\n")
        self._phase, self._drawn = phase, now
        self._stream.write(f"\r\x1b[K{phase:<28} [{'#' * (WIDTH * done // total):<{WIDTH}}] {verb} {done}/{total}")
        self._stream.flush()

    def close(self) -> None:
        """Leave the last line as it is and go on below it."""
        if self._phase:
            self._stream.write("\n")
            self._phase = ""
