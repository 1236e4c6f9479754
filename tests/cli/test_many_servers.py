"""Every server: answers, keeps the limit of a body also when it is chunked, runs the jobs, ends at TERM with 0."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_service.cli import many_servers
from scim_service.jobs import leases
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests import service
from tests.cli import processes

KEY = "a key for tests only, long enough to be one"
SERVERS = [("waitress", 1), *((name, 2) for name in many_servers.SERVERS)]


@pytest.mark.parametrize(("name", "workers"), SERVERS)
def test_a_server_answers_limits_bodies_and_leaves_with_0(
    store: Store, name: str, workers: int, tmp_path: Path
) -> None:
    token = service.assemble(store).tokens["rfc"]
    port = processes.free_port()
    environment = {**os.environ, "SCIM_DATABASE_URL": store.database.url, "SCIM_SECRET_KEY": KEY}
    environment |= {"SCIM_CLOCK": store.clock.now().isoformat(), "SCIM_DEVELOPMENT": "1"}
    arguments = ["-m", "scim_service.cli", "serve", "--port", str(port), "--server", name, "--workers", str(workers)]
    with processes.running(arguments, environment) as process:
        processes.wait_until_live(port, process)
        assert posted(port, token, b'{"userName": "ann@example.com"}') == 201
        assert posted(port, token, pieces(b'{"userName": "ben@example.com"}')) == 201
        assert posted(port, token, pieces(b'{"userName": "' + b"x" * 3_000_000 + b'"}')) == 413
        assert processes.answer(port, "/scim/v2/Users", {"Authorization": f"Bearer {token}"})[0] == 200
        assert is_led(store, wanted=True)
        status, _, err = processes.ended(process)
    assert status == 0, err
    assert is_led(store, wanted=False)


def is_led(store: Store, wanted: bool) -> bool:
    """Whether somebody runs the jobs, or nobody does, within some seconds; who leaves gives up the lease."""
    end = time.monotonic() + (processes.SECONDS if wanted else leases.SECONDS / 2)
    while time.monotonic() < end:
        with store.reading(EVERY_TENANT, service.ACTOR) as work:
            leader = leases.leader(work)
        if wanted == bool(leader and leader.holds):
            return True
        time.sleep(0.1)
    return False


def test_several_workers_need_a_server_for_them(tmp_path: Path) -> None:
    environment = {**os.environ, "SCIM_SECRET_KEY": KEY, "SCIM_DATA_DIR": str(tmp_path)}
    with processes.running(["-m", "scim_service.cli", "serve", "--workers", "2"], environment) as process:
        _, err = process.communicate(timeout=processes.SECONDS)
        assert process.returncode == 2
    assert "granian or gunicorn" in err


def pieces(body: bytes) -> Iterator[bytes]:
    """A body that is sent in chunks, without a length."""
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


def posted(port: int, token: str, body: bytes | Iterator[bytes]) -> int:
    """The status of a POST to /Users, with a length, or in chunks without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    try:
        connection.request("POST", "/scim/v2/Users", body, headers, encode_chunked=not isinstance(body, bytes))
        return connection.getresponse().status
    finally:
        connection.close()
