"""How often somebody failed to get in lately, per address and per token prefix (reliability.md A7).

It lives in the memory of one process and is bounded; it only slows down who fails, so the right token keeps working.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

WINDOW = 60.0
"""Seconds after which failures are forgotten."""

ALLOWED = 60
REMEMBERED = 10_000


class Attempts:
    """Counts failures by key in windows of a minute; the oldest of more than 10,000 keys are forgotten."""

    def __init__(self, allowed: int = ALLOWED, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._elapsed = elapsed
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, *keys: str) -> int:
        """Count one failure under each key; the seconds to wait when one of them had too many, else 0."""
        with self._lock:
            return max(self._count(key) for key in keys)

    def _count(self, key: str) -> int:
        now = self._elapsed()
        began, failures = self._failures.pop(key, (now, 0))
        if now - began >= WINDOW:
            began, failures = now, 0
        self._failures[key] = (began, failures + 1)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)
        return max(1, int(began + WINDOW - now)) if failures + 1 > self._allowed else 0
