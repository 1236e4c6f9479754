"""What a letter is written from: the facts that were posted, the tenant that sends it, and a language to say it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from scim_service import clock
from scim_service.delivery.letters import typography
from scim_service.delivery.letters.letter import Action, Block, Letter, Table

ROWS = 50
"""A table in a letter has at most so many rows; the rest is counted."""


@dataclass(frozen=True)
class Sender:
    """The tenant as letters name it; texts are empty where nothing was set. `zone`: in which instants are written."""

    tenant: str
    product: str = ""
    product_url: str = ""
    documentation_url: str = ""
    support: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


class Facts:
    """The facts of one letter and the words for them. Everything that is read from here is fit for a line.

    Placeholders of sentences: {tenant}, {product}, {service} (the product at the tenant), {type}, and what is given.
    """

    def __init__(self, facts: Mapping[str, Any], sender: Sender, language: str, links: Mapping[str, str]) -> None:
        self.language = language
        self._links = links
        self._facts: dict[str, Any] = typography.lines(dict(facts))
        self._sender = sender
        self.tenant = typography.line(sender.tenant)
        self.product = typography.line(sender.product) or self.tenant
        self.type = self.name(self._facts.get("type"))

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def get(self, name: str) -> Any:
        """A fact, or None where it is not known."""
        return self._facts.get(name)

    def listed(self, name: str) -> list[Any]:
        """A fact that is a list; the empty one where it is not known."""
        return list(self._facts.get(name) or ())

    def name(self, thing: Any) -> str:
        """What a license type is called: {"code", "name"}, or only a text; empty for none."""
        if isinstance(thing, Mapping):
            return str(thing.get("name") or thing.get("code") or "")
        return str(thing or "")

    def say(self, en: str, fr: str, **values: Any) -> str:
        """One sentence in the letter's language, its placeholders filled; a name's own period stays the only one."""
        own = {"tenant": self.tenant, "product": self.product, "service": self._service(), "type": self.type}
        chosen = typography.template(fr if self.language == "fr" else en, self.language)
        return typography.filled(chosen, {**own, **values})

    def count(self, number: int, en: tuple[str, str], fr: tuple[str, str], **values: Any) -> str:
        """The sentence for one, or for several: {n} is the number. Zero is several in English, and one in French."""
        is_one = number == 1 or (self.language == "fr" and number == 0)
        at = 0 if is_one else 1
        return self.say(en[at], fr[at], n=self.number(number), **values)

    def number(self, value: int) -> str:
        """A number as the language writes it."""
        return typography.number(int(value), self.language)

    def instant(self, text: str) -> str:
        """An instant in the tenant's zone, which it names."""
        return typography.instant(clock.parse_instant(text), self._sender.zone, self.language)

    def join(self, names: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return self.say("{most} and {last}", "{most} et {last}", most=", ".join(names[:-1]), last=names[-1])

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], untold: int = 0) -> list[Block]:
        """A table, and how much more there is than fits into a letter, or was posted; nothing for no row."""
        found = [tuple(row) for row in rows]
        if not found:
            return []
        blocks: list[Block] = [Table(tuple(heads), tuple(found[:ROWS]))]
        more = max(len(found) - ROWS, 0) + untold
        if more:
            blocks.append(self.count(more, ("And {n} more.", "And {n} more."), ("Et {n} autre.", "Et {n} autres.")))
        return blocks

    def link(self, name: str, en: str, fr: str) -> list[Block]:
        """A link that was made for this letter. Raises KeyError where none was: without it the letter says nothing."""
        return [Action(self.say(en, fr), self._links[name])]

    def action(self, en: str, fr: str, url: str | None) -> list[Block]:
        """A link to follow; nothing where there is none."""
        return [Action(self.say(en, fr), url)] if url else []

    def product_link(self) -> list[Block]:
        """Where the product is, where that was set."""
        return self.action("Open {product}", "Ouvrir {product}", typography.line(self._sender.product_url))

    def documentation_link(self) -> list[Block]:
        """Where beginners are helped, where that was set."""
        url = typography.line(self._sender.documentation_url)
        return self.action("Read the documentation", "Lire la documentation", url)

    def letter(self, subject: str, *blocks: Block | Iterable[Block] | None, why: str = "") -> Letter:
        """The letter of these parts, in order. `why` it came; by default, because of the account at the tenant."""
        parts: list[Block] = []
        for one in blocks:
            parts += [one] if isinstance(one, Block) else (one or ())
        closing = (why or self._for_an_account(), self._whom_to_ask())
        return Letter(self.language, subject, self.product, tuple(one for one in parts if one), closing)

    def _service(self) -> str:
        if self.product == self.tenant:
            return self.product
        return f"{self.product} ({self.tenant})"

    def _for_an_account(self) -> str:
        return self.say(
            "You get this letter from {product} because of your account at {tenant}.",
            "{product} vous envoie ce message en raison de votre compte chez {tenant}.",
        )

    def _whom_to_ask(self) -> str:
        contact = typography.line(self._sender.support)
        if contact:
            return self.say(
                "Questions? Ask {contact}. Nobody reads replies to this letter.",
                "Une question ? Adressez-vous à {contact}. Les réponses à ce message ne sont pas lues.",
                contact=contact,
            )
        return self.say(
            "Questions? Ask the administrators of {tenant}. Nobody reads replies to this letter.",
            "Une question ? Adressez-vous aux administrateurs de l’organisation {tenant}. "
            "Les réponses à ce message ne sont pas lues.",
        )
