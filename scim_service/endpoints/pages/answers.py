"""How a public page is made: in the reader's language, with headers that let nothing in from elsewhere (L5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request

from scim_service import errors
from scim_service.delivery import languages
from scim_service.endpoints.pages import texts

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language",
}
"""No script, no picture, nothing of a third party; and nobody who is linked to learns the address of the page."""

SHOWN = (400, 404, 405, 429, 500, 503)
"""The refusals that have a page of their own; another one is told as the nearest of these."""


def language(own: str | None = None, otherwise: str = languages.LANGUAGES[0]) -> str:
    """The reader's language: what was chosen on the page, the person's own, the browser's, else the tenant's."""
    chosen = request.args.get("lang", "")
    if chosen in languages.LANGUAGES:
        return chosen
    return own or languages.preferred(request.headers.get("Accept-Language", "")) or otherwise


def page(template: str, tongue: str, status: int = 200, **values: Any) -> Response:
    """One page."""
    others = [(one, texts.say(one, "language")) for one in languages.LANGUAGES if one != tongue]
    html = render_template(
        f"pages/{template}", tongue=tongue, others=others, switch=texts.say(tongue, "switch"), **values
    )
    return Response(html, status, {**HEADERS, "Content-Language": tongue}, mimetype="text/html")


def refusal(error: errors.ScimError) -> Response:
    """The page of a refusal: of its status alone, so that one link that opens nothing looks like any other (L6)."""
    tongue = language()
    shown = error.status if error.status in SHOWN else 500 if error.status >= 500 else 400
    found = page(
        "refusal.html",
        tongue,
        error.status,
        title=texts.say(tongue, f"{shown}.title"),
        sentences=[texts.say(tongue, f"{shown}.{part}") for part in ("lead", "next") if f"{shown}.{part}" in texts.EN],
    )
    found.headers.extend(error.headers)
    return found
