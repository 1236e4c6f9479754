"""What the views of one application share: its store, its settings, and what it remembers in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import current_app

from scim_service.access.attempts import Attempts
from scim_service.config import Settings
from scim_service.endpoints.bookmarks import Bookmarks
from scim_service.storage.store import Store

KEY = "scim_service"


@dataclass
class Running:
    """Keys of the requests that this process is working on; `lock` guards them."""

    keys: set[tuple[int, str]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Service:
    """One application's parts; kept in `app.extensions`."""

    store: Store
    settings: Settings
    attempts: Attempts = field(default_factory=Attempts)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    running: Running = field(default_factory=Running)
    elapsed: Callable[[], float] = time.monotonic
    errors_noted: dict[int, float] = field(default_factory=dict)
    """When (monotonic) each connection's last error was written, so that an IdP in trouble is not a write each time."""


def current() -> Service:
    """The parts of the application that is answering."""
    found: Service = current_app.extensions[KEY]
    return found
