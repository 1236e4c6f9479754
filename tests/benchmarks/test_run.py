"""The whole benchmark runs, at a tiny size, so that it cannot rot; its client reads what servers say."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import client, report, targets
from benchmarks.client import Client, Flow


@pytest.mark.usefixtures("postgresql_url")
def test_the_whole_run_finds_every_figure_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "results.json"
    arguments = ["--people", "60", "--rounds", "1", "--seconds", "0.02", "--starts", "1", "--no-peers"]
    assert command.main([*arguments, "--results", str(place)]) == 0
    found = json.loads(place.read_text())["standard"]
    assert [row["id"] for row in found["rows"]] == [one.id for one in targets.TARGETS]
    parts = [part for row in found["rows"] for part in row["parts"]]
    assert [part for part in parts if part["value"] is None and "peers were left out" not in part["why"]] == []
    assert [note for note in found["notes"] if "refused" in note or "left out of" in note] == []
    assert report.block({"standard": found}) in capsys.readouterr().out
    assert found["postgresql"]["synchronous_commit"] in {"on", "off"}


@contextmanager
def saying(*answers: bytes) -> Iterator[Client]:
    """A server that says these bytes, one for each request, on one connection after the other; b"" hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        for answer in answers:
            connection.recv(65_536)
            if answer:
                connection.sendall(answer)
            else:
                connection.close()
                connection, _ = listening.accept()
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Client(f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        thread.join(timeout=10)
        listening.close()


def test_the_client_reads_lengths_chunks_and_what_has_no_body() -> None:
    sized = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    answers: list[client.Answer] = []

    def flow(asked: Client) -> Flow:
        for _ in range(3):
            answers.append((yield "x", asked.request("GET", "/")))

    with saying(sized, chunked, nothing) as asked:
        asked.run([flow(asked)])
    assert [(one.status, one.body) for one in answers] == [(200, b"ok"), (201, b"abcde"), (204, b"")]


def test_the_client_asks_again_on_a_new_connection_when_the_old_one_was_closed() -> None:
    with saying(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as asked:
        assert asked.call("GET", "/").body == b"ok"


def test_the_client_sends_load_to_this_machine_only() -> None:
    for place in ("http://192.0.2.1/scim", "https://127.0.0.1/scim"):
        with pytest.raises(ValueError, match="loopback"):
            Client(place)
