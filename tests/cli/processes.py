"""Real processes of the command line: started on a free port, waited for, told to stop."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A Python process; killed at the end if the test has not ended it."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answer(port: int, path: str = "/live", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and body of one GET on its own connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        got = connection.getresponse()
        return got.status, got.read().decode()
    finally:
        connection.close()


def wait_until_live(port: int, process: subprocess.Popen[str]) -> None:
    """Returns when the process answers; fails when it has ended or takes too long."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            if answer(port)[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("The process does not answer.")


def ended(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str, str]:
    """Status, standard output and standard error of the process after this signal."""
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err
