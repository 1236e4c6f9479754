"""A real browser, headless: Chromium behind its driver, spoken to as the W3C's WebDriver says. No library is needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib import error, request

PROGRAMS = ("chromium", "chromedriver")
REQUIRED = "SCIM_TEST_REQUIRE_BROWSER"
STARTED = re.compile(r"started successfully on port (\d+)")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element in an answer (WebDriver section 12)."""

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SECONDS = 60


def missing() -> str:
    """Which programs are not on this machine, in words; empty where there is a browser."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


class Browser:
    """One window."""

    def __init__(self, base: str, session: str) -> None:
        self._session = f"{base}/session/{session}"

    def open(self, url: str) -> None:
        self._do("POST", "/url", {"url": url})

    def resize(self, width: int, height: int) -> None:
        self._do("POST", "/window/rect", {"width": width, "height": height})

    @property
    def url(self) -> str:
        return str(self._do("GET", "/url"))

    @property
    def title(self) -> str:
        return str(self._do("GET", "/title"))

    def text(self, selector: str = "body") -> str:
        """What a reader sees of the first element."""
        return str(self._do("GET", f"/element/{self._find(selector)}/text"))

    def press(self, selector: str) -> None:
        """Click, and wait for the page that comes of it: until what was there is there no more."""
        before = self._find("html")
        self._do("POST", f"/element/{self._find(selector)}/click", {})
        end = time.monotonic() + SECONDS
        while self._is_there(before):
            assert time.monotonic() < end, f"no page came of {selector}"
            time.sleep(0.05)

    def rect(self, selector: str) -> dict[str, float]:
        """x, y, width and height."""
        found: dict[str, float] = self._do("GET", f"/element/{self._find(selector)}/rect")
        return found

    def style(self, selector: str, name: str) -> str:
        """What a property of the element's style comes to."""
        return str(self._do("GET", f"/element/{self._find(selector)}/css/{name}"))

    def role(self, selector: str) -> tuple[str, str]:
        """What an element is for who hears the page: its role and its name."""
        found = self._find(selector)
        role, label = (self._do("GET", f"/element/{found}/computed{part}") for part in ("role", "label"))
        return str(role), str(label)

    def has(self, selector: str) -> bool:
        return bool(self._do("POST", "/elements", {"using": "css selector", "value": selector}))

    def close(self) -> None:
        self._do("DELETE", "")

    def _is_there(self, element: str) -> bool:
        try:
            self._do("GET", f"/element/{element}/name")
        except error.HTTPError as gone:
            gone.close()
            return False
        return True

    def _find(self, selector: str) -> str:
        return str(self._do("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT])

    def _do(self, method: str, path: str, body: Any = None) -> Any:
        return _asked(method, self._session + path, body)


@contextmanager
def opened(*, scripts: bool = False, dark: bool = False) -> Iterator[Browser]:
    """A window of a new profile, without scripts unless they are wanted."""
    program, driver = PROGRAMS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _driver(driver) as base:
        more = ["--blink-settings=preferredColorScheme=0"] if dark else []
        options = {
            "binary": shutil.which(program),
            "args": [*FLAGS, *more, f"--user-data-dir={Path(folder) / 'profile'}"],
            "prefs": {} if scripts else {"profile.managed_default_content_settings.javascript": 2},
        }
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        browser = Browser(base, _asked("POST", f"{base}/session", wanted)["sessionId"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _driver(program: str) -> Iterator[str]:
    """The driver's URL, on a free port of this machine."""
    process = subprocess.Popen(
        [program, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    try:
        lines = iter(process.stdout.readline, "")
        port = next(found[1] for line in lines if (found := STARTED.search(line)))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def _asked(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    sent = request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with request.urlopen(sent, timeout=SECONDS) as answer:
        return json.loads(answer.read())["value"]
