"""Servers of several processes for PostgreSQL, behind a buffering proxy: granian and gunicorn (decision 36).

Both end at TERM as waitress does here: no new connection, what is under way is answered, exit 0. They are not in the
default install; each is an extra of the same name. Every process opens the database for itself.
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scim_service import app, errors, jobs, logs
from scim_service.cli import worker
from scim_service.config import Settings

APPLICATION = "scim_service.app:from_environment"
GRACE_SECONDS = 30
REQUESTS = 10_000
"""After about so many requests a gunicorn worker makes room for a new one."""


@dataclass(frozen=True)
class Plan:
    """What to serve, in how many processes, and whether these run the jobs."""

    settings: Settings
    workers: int
    with_jobs: bool


def granian(plan: Plan) -> None:
    """Serve with granian until TERM or INT; the jobs run in a process of their own.

    Granian forks its workers, and anew where one is lost: what forks must have no threads that hold locks.
    """
    server = _library("granian").Granian(
        APPLICATION,
        factory=True,
        address=plan.settings.host,
        port=plan.settings.port,
        interface=importlib.import_module("granian.constants").Interfaces.WSGI,
        workers=plan.workers,
        blocking_threads=plan.settings.threads,
        workers_kill_timeout=GRACE_SECONDS,
        respawn_failed_workers=True,
        websockets=False,
        log_enabled=False,
    )
    working = multiprocessing.get_context("spawn").Process(target=_work, args=(plan.settings,), name="jobs")
    if plan.with_jobs:
        working.start()
    try:
        server.serve()
    finally:
        if plan.with_jobs:
            working.terminate()
            working.join()


def _work(settings: Settings) -> None:
    """The jobs, for as long as the process that serves is there."""
    logs.configure(settings.log_level)
    parent = multiprocessing.parent_process()
    worker.run(jobs.Jobs(app.open_store(settings), settings), lambda: parent is None or not parent.is_alive())


def gunicorn(plan: Plan) -> None:
    """Serve with gunicorn's threaded workers until TERM or INT; the jobs run in every worker."""
    base: Any = importlib.import_module("gunicorn.app.base") if _library("gunicorn") else None

    class Program(base.BaseApplication):  # type: ignore[misc]
        """Gunicorn, told by this program's settings instead of its own command line."""

        def load_config(self) -> None:
            """Take over what was planned."""
            for name, value in _gunicorn_settings(plan).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            """The application of one worker, after the fork."""
            return app.from_environment()

    Program().run()


def _gunicorn_settings(plan: Plan) -> dict[str, Any]:
    return {
        "bind": f"{plan.settings.host}:{plan.settings.port}",
        "workers": plan.workers,
        "worker_class": "gthread",
        "threads": plan.settings.threads,
        "timeout": 60,
        "graceful_timeout": GRACE_SECONDS,
        "max_requests": REQUESTS,
        "max_requests_jitter": REQUESTS // 10,
        "control_socket_disable": True,
        "forwarded_allow_ips": "",
        "loglevel": "warning",
        **_in_workers(plan),
    }


def _in_workers(plan: Plan) -> dict[str, Callable[..., None]]:
    """What a worker does when it begins, after the fork, and when it ends."""
    running: list[jobs.Jobs] = []

    def began(_worker: Any) -> None:
        logs.configure(plan.settings.log_level)
        if plan.with_jobs:
            running.append(jobs.Jobs(app.open_store(plan.settings), plan.settings))
            running[0].start()

    def ended(_server: Any, _worker: Any) -> None:
        for one in running:
            one.stop()

    return {"post_worker_init": began, "worker_exit": ended}


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise errors.Refused(
            f"{name} is not installed. Install it with: pip install 'scim-service[{name}]'"
        ) from problem


SERVERS: dict[str, Callable[[Plan], None]] = {"granian": granian, "gunicorn": gunicorn}
"""Server → what runs it. waitress, the default, is in `server.py`."""
