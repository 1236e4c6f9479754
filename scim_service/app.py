"""The start of the program on one screen: settings in, a Flask application out."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence

from flask import Blueprint, Flask, Response
from flask.globals import app_ctx, request_ctx

from scim_service import config, logs
from scim_service.clock import Clock
from scim_service.config import Settings
from scim_service.endpoints import api, door, doors, failures, health, pages, proxies, scim, service
from scim_service.storage.database import Database
from scim_service.storage.store import Store

_log = logging.getLogger("scim_service.requests")

Blueprints = Sequence[Blueprint]
"""Pages that an application has besides."""


def open_store(settings: Settings) -> Store:
    """The database and the clock that the settings name; nothing is connected before it is used."""
    database = Database(settings.database_url, threads=settings.threads, synchronous=settings.synchronous)
    return Store(database, Clock.parse(settings.clock))


def from_environment() -> Flask:
    """The application of one worker process: settings from its environment, its own connections, logs as JSON lines."""
    settings = config.from_environment(os.environ)
    config.refuse_to_serve(settings)
    logs.configure(settings.log_level)
    return create_app(settings)


def create_app(settings: Settings, store: Store | None = None, besides: Blueprints = ()) -> Flask:
    """The whole service as a WSGI application.

    SCIM at /scim/v2, questions at /api/v1, the pages of letters' links at /links, health at /live and /ready; and
    `besides`, what only `demo` has.
    """
    app = Flask("scim_service", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # no browser calls across origins; the framework's answer is HTML
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a doubled slash is another address, not a redirect in HTML
    app.extensions[service.KEY] = service.Service(store or open_store(settings), settings)
    app.before_request(door.begin)
    app.before_request(door.enter)
    app.after_request(finish)
    app.teardown_request(door.leave)
    app.register_blueprint(scim.blueprint, url_prefix=doors.SCIM.prefix)
    app.register_blueprint(api.blueprint, url_prefix=doors.API.prefix)
    app.register_blueprint(pages.blueprint, url_prefix=doors.LINKS.prefix)
    app.register_blueprint(health.blueprint)
    for one in besides:
        app.register_blueprint(one)
    failures.register(app)
    app.wsgi_app = proxies.TrustedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def finish(response: Response) -> Response:
    """Say the request's number, keep the answer out of caches, and write its line in the log."""
    asked, here = request_ctx.request, app_ctx.g
    response.headers["X-Request-Id"] = here.request_id
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    logs.tell(
        _log,
        "request",
        request_id=here.request_id,
        tenant=here.caller.tenant_id if here.caller else None,
        actor=here.caller.connection if here.caller else None,
        method=asked.method,
        route=str(asked.url_rule) if asked.url_rule else "",
        status=response.status_code,
        ms=round((time.perf_counter() - here.began) * 1000, 1),
    )
    return response
