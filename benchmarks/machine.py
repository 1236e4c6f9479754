"""What is measured from outside: ports, processes that start and end, and the memory that they have."""

from __future__ import annotations

import os
import platform
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.client import Broken, Client

ROOT = Path(__file__).parents[1]
START_SECONDS = 120.0


class NotStarted(RuntimeError):
    """A server ended, or did not answer, before it was measured; the text has what it said."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, which is ended at the end; what it says goes to `log`."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """TERM for the server, KILL for its group when it does not go."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def first_answer(client: Client, path: str, process: subprocess.Popen[bytes], log: Path) -> float:
    """Seconds until the server answers 2xx. Raises NotStarted."""
    began = time.perf_counter()
    while time.perf_counter() - began < START_SECONDS:
        if process.poll() is not None:
            break
        try:
            if client.call("GET", path).status < 300:
                return time.perf_counter() - began
        except (OSError, Broken):
            pass
        time.sleep(0.01)
    raise NotStarted(f"{' '.join(process.args)}: {log.read_text(errors='replace')[-800:]}")  # type: ignore[arg-type]


def memory_mib(top: int) -> float:
    """The proportional set size of a process and all below it, in MiB."""
    return sum(_proportional(one) for one in _tree(top)) / 1024


def _proportional(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _tree(top: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(above, []).append(int(folder.name))
    found, waiting = [], [top]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def processor_seconds(tops: Iterable[int]) -> float:
    """The processor time that these processes and all below them have had, those that ended included."""
    ticks = sum(_ticks(one) for top in tops for one in _tree(top))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(one) for one in fields[11:15])


def parent(process: int) -> int:
    """Who started a process of this machine; 0 for one that is not of it."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def flush_ms() -> float:
    """How long it takes until 4 kB more are safely in a file where temporary files are."""
    spent = []
    with tempfile.TemporaryFile() as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


def description() -> dict[str, str]:
    """The machine, as far as a reader needs it: cores, Python, and how busy it is at this moment."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return {"cores": str(os.cpu_count()), "python": platform.python_version(), "load": load}
