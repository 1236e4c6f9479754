"""The whole benchmark runs, at a tiny size, so that it cannot rot; its client reads what servers say."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import client, operations, report, targets, turns
from benchmarks.client import Client, Flow

ASKED = ["T1", "T3", "T5", "T6", "T8", "T10", "T11", "T19"]
"""Targets that need no peer, and of servers three."""


@pytest.mark.usefixtures("postgresql_url")
def test_a_run_finds_every_figure_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "results.json"
    arguments = ["--people", "60", "--rounds", "1", "--seconds", "0.02", "--peers", "--only", ",".join(ASKED)]
    assert command.main([*arguments, "--results", str(place)]) == 0
    found = json.loads(place.read_text())["standard"]
    assert [row["id"] for row in found["rows"]] == ASKED
    parts = [part for row in found["rows"] for part in row["parts"]]
    assert [part for part in parts if part["value"] is None and "left out of this run" not in part["why"]] == []
    told = [note for note in found["notes"] if not note.endswith("left out of this run")]
    assert [note for note in told if "refused" in note or "left out of" in note] == []
    assert report.block({"standard": found}) in capsys.readouterr().out
    assert found["postgresql"]["synchronous_commit"] in {"on", "off"}


def made_up() -> targets.Measured:
    """Samples in which every rig took as many milliseconds as its place in the list, for every operation."""
    found = turns.Samples()
    names = [targets.YARDSTICK, *targets.OURS, targets.SQLITE_GRANIAN, targets.POSTGRESQL_GRANIAN]
    labels = ["canned", "add 1000", *[one.name for one in operations.PLAIN]]
    labels += [f"{act} @{size}{end}" for act in ("add", "remove") for size in (0, 100) for end in ("", targets.NO)]
    labels += ["GET group @100", "GET group @100 without members"]
    for place, rig in enumerate([*names, targets.DJANGO, targets.FLASK], 1):
        for label, many in itertools.product(labels, (1, 8)):
            found.p50_ms[label, rig, many] = found.processor_ms[label, rig, many] = [float(place)] * 3
            found.rates[label, rig, many] = [many * 1000.0 / place] * 3
    memory = {rig: [80.0, 100.0, 105.0] for rig in targets.OURS}
    starts = {targets.YARDSTICK: [1.0, 1.0, 1.0], **{rig: [2.0, 4.0, 3.0] for rig in targets.OURS}}
    return targets.Measured(found, 100, memory, starts)


def test_every_target_is_found_from_samples_on_the_right_side_of_its_bound() -> None:
    parts = {(one.id, part["label"]): part for one in targets.TARGETS for part in one.row(made_up())["parts"]}
    assert {identity for identity, _ in parts} == {one.id for one in targets.TARGETS}
    assert [label for label, part in parts.items() if part["value"] is None] == []
    assert parts["T1", "SQLite, 1 connection, of Y"]["value"] == 0.5
    assert parts["T2", "SQLite, of scim2-flask"] == {
        "label": "SQLite, of scim2-flask",
        "value": 3.5,
        "bound": 3,
        "at_most": False,
        "met": True,
        "why": "",
    }
    assert parts["T8", "PostgreSQL, add"]["value"] == 1
    assert (parts["T20", "SQLite, of Y's"]["value"], parts["T20", "SQLite, of Y's"]["met"]) == (3, True)
    assert parts["T19", "SQLite, last round against the first"]["value"] == 1.05


def test_who_is_missing_is_named_in_the_row_with_the_reason() -> None:
    found = replace(made_up(), missing={targets.DJANGO: "no network"})
    (part,) = [one for one in targets.TARGETS[1].row(found)["parts"] if one["label"] == "PostgreSQL, of django-scim2"]
    assert (part["value"], part["met"], part["why"]) == (None, None, "django-scim2: no network")
    assert "not measured, django-scim2: no network" in report.figure(part)


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
