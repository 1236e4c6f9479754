"""The yardstick Y: a Flask route that does nothing but answer 1.4 kB, served as what it is compared with."""

from __future__ import annotations

from flask import Flask, Response

BODY = b'{"canned":"' + b"x" * 1400 + b'"}'


def create() -> Flask:
    """The application of one worker."""
    app = Flask("canned", static_folder=None)

    @app.get("/canned")
    def canned() -> Response:
        return Response(BODY, content_type="application/json")

    return app


app = create()
