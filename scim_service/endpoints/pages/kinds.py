"""What each kind of link asks on its page, and tells after the answer: a row of `KINDS`, and its texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scim_service.access import links
from scim_service.access.links import Link
from scim_service.directory import answers
from scim_service.directory.answers import Page
from scim_service.endpoints.pages import texts
from scim_service.storage.work import Work


@dataclass(frozen=True)
class Kind:
    """How a link of this kind is looked at and answered."""

    look: Callable[[Work, str, Link], Page]
    answer: Callable[[Work, str, Link], Page]


KINDS: dict[str, Kind] = {
    links.INVITATION: Kind(answers.look, answers.accept),
    links.VERIFICATION: Kind(answers.look, answers.accept),
    links.KEEP: Kind(answers.look_at_license, answers.answer_for_license),
    links.GIVE_UP: Kind(answers.look_at_license, answers.answer_for_license),
}
"""Kind of link → what it does. A kind that is not here opens nothing."""


def asked(page: Page, language: str) -> dict[str, Any]:
    """The texts of the page that asks."""
    name = _name(page)
    sentences = [_say(page, language, f"{name}.lead")]
    if name == links.INVITATION and page.type_names:
        sentences.append(texts.say(language, "invitation.type", type=page.type_names[language]))
    return {
        "title": _say(page, language, f"{name}.title"),
        "sentences": sentences,
        "button": texts.say(language, f"{name}.button"),
        "support": _support(page, language),
    }


def told(page: Page, language: str) -> dict[str, Any]:
    """The texts of the page after the answer: what is left to do, and where to go."""
    name = _name(page)
    sentences = [_say(page, language, f"{name}.done.{'reported' if page.reported else 'lead'}")]
    if name == links.INVITATION and not page.verified:
        sentences.append(_say(page, language, "invitation.done.verify"))
    ways = [(page.product_url, "done.product"), (page.documentation_url, "done.documentation")]
    return {
        "title": _say(page, language, f"{name}.done.title"),
        "sentences": sentences,
        "ways": [(url, _say(page, language, text)) for url, text in ways if url],
        "support": _support(page, language),
    }


def _name(page: Page) -> str:
    return "administrator" if page.role else page.kind


def _say(page: Page, language: str, name: str) -> str:
    role = texts.say(language, f"role.{page.role}") if page.role else ""
    license_name = page.type_names.get(language, "")
    who = {"tenant": page.tenant, "product": page.product, "email": page.email, "role": role}
    return texts.say(language, name, **who, type=license_name, days=str(page.idle_days))


def _support(page: Page, language: str) -> str:
    return texts.say(language, "support", contact=page.support_contact) if page.support_contact else ""
