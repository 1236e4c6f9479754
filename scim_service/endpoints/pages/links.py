"""The page of a link: looked at as often as anybody likes, answered once, by its form (L3, L5, L6)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, current_app, g, request, send_from_directory

from scim_service import errors
from scim_service.access import links
from scim_service.access.links import Link
from scim_service.directory import answers as answering
from scim_service.directory.answers import Page
from scim_service.endpoints import door, service
from scim_service.endpoints.pages import answers, kinds
from scim_service.endpoints.pages.kinds import Kind
from scim_service.endpoints.pages.routes import blueprint
from scim_service.storage.work import Actor

ACTOR = Actor("link")
FORM_BYTES = 4_096


@blueprint.get("/style.css")
def style() -> Response:
    """The one style sheet of these pages."""
    return send_from_directory(f"{current_app.root_path}/static", "pages.css", mimetype="text/css")


@blueprint.get("/<packed>")
def show(packed: str) -> Response:
    """What the link is for, with the form that answers it; nothing is changed."""
    with _counting_failures():
        link, kind = _opened(packed)
        with service.current().store.reading(link.tenant_id, ACTOR, g.request_id) as work:
            found = kind.look(work, _key(), link)
    tongue = _language(found)
    token = links.form_token(_key(), packed)
    return answers.page("ask.html", tongue, token=token, action=f"?lang={tongue}", **kinds.asked(found, tongue))


@blueprint.post("/<packed>")
@door.again
def answer(packed: str) -> Response:
    """Answer the link; from then on it opens nothing any more."""
    request.max_content_length = FORM_BYTES
    with _counting_failures():
        link, kind = _opened(packed)
        sent = request.form.get("token", "").encode()
        if not hmac.compare_digest(links.form_token(_key(), packed).encode(), sent):
            raise errors.InvalidValue("This form did not come from its page.", code="foreign_form")
        store = service.current().store
        with store.writing(link.tenant_id, ACTOR, g.request_id, g.get("careful", False)) as work:
            found = kind.answer(work, _key(), link)
    tongue = _language(found)
    return answers.page("done.html", tongue, **kinds.told(found, tongue))


def _opened(packed: str) -> tuple[Link, Kind]:
    """The link with a good signature, and its kind; no database is asked. Raises NotFound for any other text."""
    link = links.read(_key(), packed)
    kind = None if link is None else kinds.KINDS.get(link.kind)
    if link is None or kind is None:
        raise answering.dead()
    return link, kind


def _key() -> str:
    """The installation's secret key. Raises NotFound where there is none: no link was ever made then."""
    found = service.current().settings.secret_key
    if found is None:
        raise answering.dead()
    return found


def _language(found: Page) -> str:
    return answers.language(found.language, found.tenant_language)


@contextmanager
def _counting_failures() -> Iterator[None]:
    """Slow down who tries links that open nothing (L6); a link that does opens all the same."""
    try:
        yield
    except errors.NotFound as refusal:
        wait = service.current().attempts.failed(f"link {request.remote_addr}")
        if wait:
            raise errors.TooManyRequests("Too many links that open nothing.", {"Retry-After": str(wait)}) from refusal
        raise
