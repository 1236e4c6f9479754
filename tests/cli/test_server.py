"""The web server: what is under way is answered when the process is told to stop."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from scim_service import errors
from scim_service.cli import server
from tests.cli import processes

SLOW = """
import sys, time
from scim_service.cli import server

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1.5)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"finished"]

server.bind(app, "127.0.0.1", int(sys.argv[1]), 2).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_after_the_signal_and_the_process_leaves_with_0(number: int) -> None:
    port = processes.free_port()
    answers: list[tuple[int, str]] = []
    with processes.running(["-c", SLOW, str(port)], {}) as process:
        processes.wait_until_live(port, process)
        asking = [threading.Thread(target=lambda: answers.append(processes.answer(port, "/slow"))) for _ in range(4)]
        for one in asking:
            one.start()
        time.sleep(0.5)
        status, _, err = processes.ended(process, number)
        for one in asking:
            one.join()
    assert answers == [(200, "finished")] * 4
    assert status == 0, err


def test_an_idle_connection_does_not_hold_the_process_back() -> None:
    port = processes.free_port()
    with processes.running(["-c", SLOW, str(port)], {}) as process:
        processes.wait_until_live(port, process)
        with socket.create_connection(("127.0.0.1", port)):
            began = time.monotonic()
            assert processes.ended(process)[0] == 0
    assert time.monotonic() - began < 5


def test_a_port_that_is_taken_is_refused_with_one_sentence() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(errors.Refused, match="--port"):
            server.bind(lambda environ, start: [], "127.0.0.1", holder.getsockname()[1], 1)
