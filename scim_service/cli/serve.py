"""The command `serve`: web and jobs, until it is told to stop."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import click

from scim_service import app, config, errors, jobs, logs
from scim_service.cli import many_servers, opening
from scim_service.cli import server as one_process
from scim_service.cli.opening import Service

host_option = click.option("--host", help="The address to listen on. [default: SCIM_HOST]")
port_option = click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on. [default: SCIM_PORT]")


@click.command()
@host_option
@port_option
@click.option("--no-jobs", is_flag=True, help="Only the web; another process runs the jobs.")
@click.option(
    "--server",
    type=click.Choice(["waitress", *many_servers.SERVERS]),
    default="waitress",
    show_default=True,
    help="waitress is one process; the others are for PostgreSQL, behind a proxy.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
def serve(host: str | None, port: int | None, no_jobs: bool, server: str, workers: int) -> None:
    """Serve SCIM over HTTP at /scim/v2, health at /live and /ready, and run the jobs.

    Refuses to start without SCIM_SECRET_KEY, or on a database that `scim-service db upgrade` has not seen. TERM and
    INT close the door, let what is under way finish, and exit 0.

    \b
    Example:
      SCIM_SECRET_KEY="$(cat secret.key)" scim-service serve --host 127.0.0.1 --port 8080
    """
    found = config.from_environment(os.environ)
    settings = replace(found, host=host or found.host, port=found.port if port is None else port)
    config.refuse_to_serve(settings)
    if workers > 1 and server == "waitress":
        raise errors.Refused("waitress is one process. Choose --server granian or gunicorn for several workers.")
    with opening.opened(settings) as service:
        opening.expect_current(service.store)
        if server == "waitress":
            run(service, with_jobs=not no_jobs)
    if server != "waitress":
        many_servers.SERVERS[server](many_servers.Plan(settings, workers, not no_jobs))


def run(
    service: Service,
    *,
    with_jobs: bool = True,
    ready: Callable[[], None] = lambda: None,
    besides: app.Blueprints = (),
) -> None:
    """Serve until TERM or INT, with what only `demo` has `besides`; `ready` is called once the port is taken."""
    settings = service.settings
    logs.configure(settings.log_level)
    made = app.create_app(settings, service.store, besides)
    bound = one_process.bind(made, settings.host, settings.port, settings.threads)
    worker = jobs.Jobs(service.store, settings) if with_jobs else None
    if worker:
        worker.start()
    try:
        ready()
        bound.run()
    finally:
        if worker:
            worker.stop()
