"""Rigs: running servers with people in them, each with the client that measures it. Ours, the yardstick, the peers.

Every rig of a run is up at the same time, so that they can be measured in turns; who is not measured does nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks import databases, load, machine, people
from benchmarks.client import Client, Flow

RECYCLED = ("--max-requests", "10000", "--max-requests-jitter", "1000")
"""As the service sets gunicorn, so that nobody is served better. What is kept in memory would not survive it."""

TOKEN = "the-token-of-the-benchmarks"
KEY = "a key for measuring only, on the loopback interface"
PEERS = machine.ROOT / ".venv-peers"
PINS = machine.ROOT / "requirements" / "bench.txt"


class NoPeer(RuntimeError):
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True)
class Served:
    """By what a rig is served: the server, its processes, and the threads of each."""

    server: str
    workers: int
    threads: int

    def __str__(self) -> str:
        return f"{self.server} {self.workers}x{self.threads}"


@dataclass
class Rig:
    """A running server: what it is, the client, the ids of its people by number, and how it wants a member removed."""

    name: str
    what: str
    served: Served
    client: Client
    process: int
    command: str
    ids: list[str] = field(default_factory=list)
    removes_by_path: bool = True
    database: int = 0
    """The process of its database server, where it has one."""

    groups: dict[int, str] = field(default_factory=dict)
    """Groups that operations share, by their size."""

    def processor_seconds(self) -> float:
        """The processor time that it and its database server have had."""
        return machine.processor_seconds([one for one in (self.process, self.database) if one])

    def removal(self, member: str) -> dict[str, object]:
        """The operation that takes one member out."""
        if self.removes_by_path:
            return {"op": "remove", "path": f'members[value eq "{member}"]'}
        return {"op": "remove", "path": "members", "value": [{"value": member}]}


class Yard:
    """Where rigs are put up; all are taken down when it closes."""

    def __init__(self, stack: ExitStack, place: Path) -> None:
        self._stack = stack
        self._place = place
        self.rigs: dict[str, Rig] = {}

    def ours(self, name: str, url: str, served: Served, filled: load.Directory, ids: list[str]) -> Rig:
        """This service on a database that is filled."""
        command, environment = service_command(url, served)
        what = f"scim-service, {make_url(url).get_backend_name()}"
        rig = self._up(name, what, served, command, environment, ("/scim/v2", filled.token), "/ServiceProviderConfig")
        rig.ids = ids
        return rig

    def yardstick(self, name: str, served: Served) -> Rig:
        """The canned route under this server."""
        return self._up(name, "canned Flask route", served, *canned_command(served), ("", ""), "/canned")

    def django(self, served: Served, url: str, count: int) -> Rig:
        """django-scim2 on an empty PostgreSQL database, which it fills itself."""
        environment = {"BENCH_DATABASE": json.dumps(_django_database(url)), "BENCH_TOKEN": TOKEN}
        filled = _peer("-m", "benchmarks.peers.django_scim2.fill", str(count), environment=environment)
        command = peer_gunicorn("benchmarks.peers.django_scim2.wsgi:app", served)
        what = "django-scim2 0.23, postgresql"
        rig = self._up("django-scim2", what, served, command, environment, ("/scim/v2", TOKEN), "/Users?count=0")
        rig.ids, rig.removes_by_path = json.loads(filled), False
        return rig

    def scim2_flask(self, served: Served, count: int) -> Rig:
        """scim2-flask in memory, which is filled by POST."""
        command = peer_gunicorn("benchmarks.peers.scim2_flask:app", served)
        place, what = ("/scim/v2", TOKEN), "scim2-flask 0.1, in memory"
        rig = self._up("scim2-flask", what, served, command, {"BENCH_TOKEN": TOKEN}, place, "/ServiceProviderConfig")
        rig.client.run([_posts(rig, count)])
        return rig

    def _up(
        self,
        name: str,
        what: str,
        served: Served,
        command: list[str],
        environment: Mapping[str, str],
        place: tuple[str, str],
        ready: str,
    ) -> Rig:
        port, log = machine.free_port(), self._place / f"{name}.log".replace(" ", "-")
        client = Client(f"http://127.0.0.1:{port}{place[0]}", place[1])
        ready_to_run = [one.replace("PORT", str(port)) for one in command]
        process = self._stack.enter_context(machine.running(ready_to_run, environment, log))
        machine.first_answer(client, ready, process, log)
        rig = Rig(name, what, served, client, process.pid, shown(command))
        self.rigs[name] = rig
        return rig


@contextmanager
def yard() -> Iterator[Yard]:
    """An empty yard."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="scim-bench-log-"))
        yield Yard(stack, Path(place))


def service_command(url: str, served: Served) -> tuple[list[str], dict[str, str]]:
    """The command that serves this service on a database, and its environment; PORT stands for the port."""
    environment = {"SCIM_DATABASE_URL": url, "SCIM_SECRET_KEY": KEY, "SCIM_THREADS": str(served.threads)}
    command = [sys.executable, "-m", "scim_service.cli", "serve", "--no-jobs", "--port", "PORT"]
    return [*command, "--server", served.server, "--workers", str(served.workers)], environment


def shown(command: Sequence[str]) -> str:
    """A command as a reader may type it: without this machine's folders and this run's port."""
    return " ".join([Path(command[0]).name, *command[1:]]).replace("127.0.0.1:", ":")


def canned_command(served: Served) -> tuple[list[str], dict[str, str]]:
    """The command that serves the canned route in the same way."""
    where = "benchmarks.canned:app"
    if served.server == "gunicorn":
        return [sys.executable, *_gunicorn(where, served)], {}
    if served.server == "granian":
        shape = ["--workers", str(served.workers), "--blocking-threads", str(served.threads), "--no-ws"]
        return [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "PORT", *shape, where], {}
    shape = ["--threads", str(served.threads), "--listen", "127.0.0.1:PORT"]
    return [sys.executable, "-m", "waitress", *shape, where], {}


def peer_gunicorn(where: str, served: Served) -> list[str]:
    """The command that serves a peer's application with the peers' own gunicorn."""
    return [str(PEERS / "bin" / "python"), *_gunicorn(where, served)]


def _gunicorn(where: str, served: Served) -> list[str]:
    shape = ["--workers", str(served.workers), "--threads", str(served.threads), "--bind", "127.0.0.1:PORT"]
    recycled = RECYCLED if served.workers > 1 else ()
    fixed = ["--worker-class", "gthread", "--timeout", "60", "--no-control-socket", "--log-level", "warning"]
    return ["-m", "gunicorn", *fixed, *recycled, *shape, where]


def install_peers() -> None:
    """Make the peers' virtual environment from requirements/bench.txt, where it is not there yet. Raises NoPeer."""
    done = PEERS / ".done"
    if done.exists() and done.read_text() == PINS.read_text():
        return
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True, capture_output=True)
        subprocess.run([*pip, "--require-hashes", "-r", str(PINS)], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as problem:
        said = str(problem.stderr).strip().splitlines()
        raise NoPeer(f"requirements/bench.txt could not be installed: {said[-1] if said else problem}") from problem
    done.write_text(PINS.read_text())


def _peer(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run one of the peers' programs; what it printed. Raises NoPeer."""
    command = [str(PEERS / "bin" / "python"), *arguments]
    done = subprocess.run(command, cwd=machine.ROOT, env={**environment}, capture_output=True, text=True)
    if done.returncode:
        raise NoPeer(f"{' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def _django_database(url: str) -> dict[str, str]:
    parts = make_url(url)
    host = str(parts.query.get("host") or parts.host or "")
    found = {"NAME": parts.database, "USER": parts.username, "PASSWORD": parts.password, "HOST": host}
    return {name: value for name, value in {**found, "PORT": str(parts.port or "")}.items() if value}


def _posts(rig: Rig, count: int) -> Flow:
    for number in range(count):
        answer = yield "fill", rig.client.request("POST", "/Users", people.document(number))
        if answer.status != 201:
            raise NoPeer(f"{rig.name} answered {answer.status} to a POST: {answer.body[:200]!r}")
        rig.ids.append(answer.document["id"])


def fill_ours(url: str, count: int, label: str) -> tuple[load.Directory, list[str]]:
    """Fill a database of ours, and say who may ask it and the first people's ids."""
    with databases.opened(url) as store, load.progress(label) as told:
        directory = load.prepare(store)
        load.fill(store, directory, count, told)
        return directory, load.ids(store, directory, count)
