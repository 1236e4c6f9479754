"""The web server: what is under way is answered when the process is told to stop."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import pytest

from scim_service import errors
from scim_service.cli import server
from scim_service.protocol.schema import ERROR_URN
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


BAD = {
    b"GARBAGE\r\n\r\n": 400,
    b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n": 400,
    b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\0b\r\n\r\n": 400,
    b"GET /scim/v2/Users/\xff HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n": 400,
    b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n": 400,
    b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n": 413,
    b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n": 501,
    b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n": 400,
}


def test_what_the_server_refuses_before_the_application_sees_it_is_a_scim_error_too() -> None:
    port = processes.free_port()
    with processes.running(["-c", SLOW, str(port)], {}) as process:
        processes.wait_until_live(port, process)
        for sent, status in BAD.items():
            with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
                line.sendall(sent)
                got = b"".join(iter(lambda: line.recv(65_536), b""))
            head, _, body = got.partition(b"\r\n\r\n")
            assert int(head.split()[1]) == status, (sent[:80], got)
            assert b"content-type: application/scim+json" in head.lower(), sent[:80]
            error = json.loads(body)
            assert (error["schemas"], error["status"]) == ([ERROR_URN], str(status)) and len(error["detail"]) > 20
        assert processes.answer(port, "/") == (200, "finished")
