"""The mailbox of `demo`: the letters that would have left, and a sample of each there is.

Only `demo` mounts it, where no mail server is set; it has no door and no credential. A letter is written again to be
shown, with links that work. Its HTML is in a frame of its own, sandboxed, under a policy that lets nothing load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, render_template, request, url_for

from scim_service import errors
from scim_service.access import letters, links
from scim_service.access.letters import DeadLink, NoBase
from scim_service.delivery import entries, languages, outbox
from scim_service.delivery.entries import Entry
from scim_service.delivery.letters import LETTERS, rendering
from scim_service.delivery.letters.letter import Letter
from scim_service.endpoints import proxies, service
from scim_service.storage import tables
from scim_service.storage.work import EVERY_TENANT, Actor, Work

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
MOST = 200
"""So many of the newest letters are listed."""

WORDS = {
    "en": {
        "mailbox": "Mailbox of the demo",
        "about": "No mail server is set, so letters stay here. They are sent every 30 seconds.",
        "none": "There is no letter yet.",
        "samples": "A sample of every letter",
        "to": "To",
        "from": "From",
        "subject": "Subject",
        "sent": "Sent",
        "letter": "Letter",
        "back": "Back to the mailbox",
        "text": "Show as text",
        "html": "Show as HTML",
        "dead": "What this letter's link was for is over, so the link is left out.",
        "other": "Français",
    },
    "fr": {
        "mailbox": "Boîte aux lettres de la démo",
        "about": "Aucun serveur de messagerie n’est configuré : les messages restent ici. "
        "Ils sont envoyés toutes les 30 secondes.",
        "none": "Il n’y a pas encore de message.",
        "samples": "Un exemple de chaque message",
        "to": "À",
        "from": "De",
        "subject": "Objet",
        "sent": "Envoyé",
        "letter": "Message",
        "back": "Retour à la boîte aux lettres",
        "text": "Afficher en texte",
        "html": "Afficher en HTML",
        "dead": "Ce à quoi servait le lien de ce message est terminé : le lien n’est pas affiché.",
        "other": "English",
    },
}

_outbox = tables.delivery.outbox
_SENT = (
    sa.select(*entries.columns)
    .where(_outbox.c.state == outbox.SENT)
    .order_by(_outbox.c.ended_at.desc(), _outbox.c.seq.desc())
    .limit(MOST)
    .execution_options(across_tenants=True)
)
_ONE = (
    sa.select(*entries.columns)
    .where(_outbox.c.state == outbox.SENT, _outbox.c.seq == sa.bindparam("which"))
    .execution_options(across_tenants=True)
)
_ACTOR = Actor("demo", "mailbox")


@blueprint.before_request
def keep_in() -> None:
    """Letters are for who runs the demo: answer this machine only, unless SCIM_ALLOW_HTTP opens it to others."""
    if not (service.current().settings.allow_http or proxies.is_loopback(request.remote_addr)):
        raise errors.NotFound("There is nothing at this address.")


@blueprint.after_request
def guarded(response: Response) -> Response:
    """Nothing is loaded from elsewhere, and nobody who is linked to learns of the page."""
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/style.css")
def style() -> Response:
    """How the pages look."""
    with current_app.open_resource("static/demo.css") as file:
        return Response(file.read(), mimetype="text/css")


@blueprint.get("/mailbox")
def mailbox() -> str:
    """The newest letters, the newest first."""
    with _reading() as work:
        sent = [(one, _written(work, one)[0]) for one in map(entries.entry, work.rows(_SENT))]
    return _page("mailbox.html", sent=sent)


@blueprint.get("/mailbox/<int:number>")
def letter(number: int) -> str:
    """One letter, as HTML in a frame, or as text."""
    entry, found, dead = _found(number)
    frame = url_for("demo.letter_html", number=number)
    return _letter_page(found, frame, recipient=entry.recipient, sent=entry.ended_at, dead=dead)


@blueprint.get("/mailbox/<int:number>/html")
def letter_html(number: int) -> Response:
    """What is in the frame."""
    return _framed(_found(number)[1])


@blueprint.get("/letters")
def samples() -> str:
    """Every letter there is, in both languages."""
    rows = [(name, [(one, letters.sample(name, one)) for one in languages.LANGUAGES]) for name in LETTERS]
    return _page("samples.html", rows=rows)


@blueprint.get("/letters/<name>/<spoken>")
def sample(name: str, spoken: str) -> str:
    """A sample, as HTML in a frame, or as text."""
    return _letter_page(_sample(name, spoken), url_for("demo.sample_html", name=name, spoken=spoken), of="samples")


@blueprint.get("/letters/<name>/<spoken>/html")
def sample_html(name: str, spoken: str) -> Response:
    """What is in the frame."""
    return _framed(_sample(name, spoken))


def _sample(name: str, spoken: str) -> Letter:
    if name not in LETTERS or spoken not in languages.LANGUAGES:
        raise errors.NotFound("There is no such letter. See: /demo/letters")
    return letters.sample(name, spoken)


def _found(number: int) -> tuple[Entry, Letter, bool]:
    with _reading() as work:
        row = work.row(_ONE, which=number) if number < 2**63 else None
        if row is None:
            raise errors.NotFound("There is no such letter. See: /demo/mailbox")
        entry = entries.entry(row)
        return entry, *_written(work, entry)


def _written(work: Work, entry: Entry) -> tuple[Letter, bool]:
    """The letter, its links made again, and whether they are dead by now."""
    settings = service.current().settings
    mine = Work(work.connection, entry.tenant_id, _ACTOR, work.now)
    try:
        return letters.live(mine, entry, settings.secret_key or "", links.base(settings)), False
    except (DeadLink, NoBase, errors.Refused):
        return letters.shown(mine, entry), True


def _reading() -> Any:
    return service.current().store.reading(EVERY_TENANT, _ACTOR)


def _framed(found: Letter) -> Response:
    """A letter's HTML, which runs nothing, loads nothing, and opens its links elsewhere."""
    return Response(rendering.html(found), 200, {"Content-Security-Policy": LETTER_POLICY}, mimetype="text/html")


def _letter_page(found: Letter, frame: str, **more: Any) -> str:
    as_text = request.args.get("view") == "text"
    shown = {"text": rendering.text(found) if as_text else "", "frame": frame, "as_text": as_text}
    return _page("letter.html", letter=found, **shown, **more)


def _page(template: str, **more: Any) -> str:
    chosen = request.args.get("lang", "")
    asked = languages.preferred(request.headers.get("Accept-Language", ""))
    spoken = chosen if chosen in languages.LANGUAGES else asked or languages.LANGUAGES[0]
    other = next(one for one in languages.LANGUAGES if one != spoken)
    here: Callable[..., str] = _here
    return render_template(f"demo/{template}", say=WORDS[spoken], spoken=spoken, other=other, here=here, **more)


def _here(**changes: str) -> str:
    """The address of this page with these changes in its query."""
    assert request.endpoint is not None
    kept = {name: request.args[name] for name in ("lang", "view") if name in request.args}
    return url_for(request.endpoint, **{**(request.view_args or {}), **kept, **changes})
