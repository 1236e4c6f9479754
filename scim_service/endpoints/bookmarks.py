"""Where the next page of a walk begins: the row before it, so that a deep page is found by key instead of by counting.

Identity providers walk lists in order, page after page. A bookmark belongs to one connection and one question; it is
forgotten after five minutes. When rows before it come or go during the walk, the walk goes on after the last row that
it was shown, and so loses nobody and repeats nobody, where counting from the start would.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

SECONDS = 300.0
KEPT = 1_000


class Bookmarks:
    """The bookmarks of one process; the oldest of more than 1,000 are forgotten."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._kept: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, question: Hashable, start: int) -> int | None:
        """The number of the row before place `start` of the list that answers this question, where it is known."""
        with self._lock:
            found = self._kept.get((question, start))
        return found[1] if found and self._elapsed() - found[0] < SECONDS else None

    def put(self, question: Hashable, start: int, seq: int) -> None:
        """Remember the row before place `start`."""
        with self._lock:
            self._kept.pop((question, start), None)
            self._kept[(question, start)] = (self._elapsed(), seq)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
