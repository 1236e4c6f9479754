"""An explanation as one sentence, in English or French, from the catalog in `sentences.py` (licensing.md A-11, N-9).

The catalog's French is written with plain spaces; the unbreakable ones that its punctuation wants are put in here, in
the catalog's own text alone: what a name or a filter contains stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scim_service.licensing import change, facts, paths, sentences
from scim_service.licensing.change import Change
from scim_service.licensing.explain import ClaimLine, Explanation
from scim_service.licensing.numbers import Lack
from scim_service.licensing.obstacles import Fact
from scim_service.licensing.sentences import LANGUAGES

THIN, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
_FRENCH = (
    (re.compile(r" (?=[;!?])"), THIN),
    (re.compile(r" (?=:)|(?<=«) | (?=»)"), WIDE),
    (re.compile(r"(?<=\}) (?=h \{)|(?<=h) (?=\{minute\})|(?<=\{count\}) "), WIDE),
)
MOST_PATHS = 3
"""How many groups a sentence names; the data has them all."""


def sentence(found: Explanation, language: str) -> str:
    """Why, what ends it, and the smallest change, as one sentence."""
    words = Words(language)
    why = words.say(sentences.OUTCOMES[found.state, found.reason], **words.values(found))
    ending = words.say(sentences.ENDINGS[found.ends.kind], at=words.instant(found.ends.at)) if found.ends else ""
    told = words.say(sentences.ADVICE, why=why + ending, what=words.change(found))
    return told[:1].upper() + told[1:] if not told.startswith(found.user_name) else told


class Words:
    """One language."""

    def __init__(self, language: str) -> None:
        self.at = LANGUAGES.index(language)

    def say(self, pair: tuple[str, str], **values: Any) -> str:
        """A sentence of the catalog with its placeholders filled."""
        return self._template(pair).format(**values)

    def _template(self, pair: tuple[str, str]) -> str:
        found = pair[self.at]
        if LANGUAGES[self.at] == sentences.FRENCH:
            for pattern, space in _FRENCH:
                found = pattern.sub(space, found)
        return found

    def values(self, found: Explanation) -> dict[str, Any]:
        """What the placeholders of an outcome stand for."""
        fact = found.blocking or Fact(str(found.reason))
        return {
            "user": found.user_name,
            "type": found.type_code,
            "since": self.instant(found.since),
            "until": self.instant(found.until),
            "at": self.instant(fact.at or found.since),
            "because": self.because(found.claims),
            "position": found.position,
            "waiting": found.numbers.waiting,
            "used": fact.used,
            "limit": fact.limit,
            "full": self._full(fact),
            "types": self.list(fact.types),
            "any_of_types": self.list(fact.types, sentences.OR),
            "rule": self.list([self.rule(one) for one in fact.rules]),
            "contracts": self.list(fact.contracts),
            "filter": self.quoted(fact.filter or ""),
            "by": self.actor(fact.by or ""),
            "text": self.say(sentences.REASON_GIVEN, text=fact.text) if fact.text else "",
            "seat": sentences.SEAT_STATES[found.holds][self.at],
        }

    def change(self, found: Explanation) -> str:
        """The smallest change in words."""
        wanted = found.change
        what = self.say(
            sentences.CHANGES[wanted.kind],
            types=self.list(wanted.types),
            any_of_types=self.list(wanted.types, sentences.OR),
            from_groups=self.list([self.say(sentences.FROM_GROUP, path=self.quoted(one)) for one in wanted.groups]),
            any_of_groups=self.list([self.group(one) for one in wanted.groups], sentences.OR),
            rules=self.list([self.rule(one) for one in wanted.groups]),
            contracts=self.list(wanted.contracts),
            seats=self.lacks(found),
            count=wanted.seats,
            because=self.because(found.claims),
        )
        return (
            self.say(sentences.WITH_SEATS, what=what, seats=self.lacks(found)) if _takes_seats_besides(wanted) else what
        )

    def lacks(self, found: Explanation) -> str:
        """The seats of each type that the smallest change takes."""
        wanted = found.change
        first = [Lack((*wanted.types, found.type_code)[0], wanted.seats)] if wanted.seats else []
        told = [(self.seats(one.seats), one.type) for one in (*first, *wanted.besides)]
        return self.list([self.say(sentences.SEATS_OF, seats=seats, type=code) for seats, code in told])

    def because(self, claims: Sequence[ClaimLine]) -> str:
        """Where the claims come from, the one that decides first."""
        ranked = sorted(claims, key=lambda one: not one.effective)
        told = [text for one in ranked for text in self._source(one)]
        return self.list(list(dict.fromkeys(told)))

    def _source(self, line: ClaimLine) -> list[str]:
        if line.source != "group":
            return [self.say(sentences.SOURCES[line.source])]
        special = {paths.EVERYBODY: "everyone", paths.REMOVED: "removed"}.get(line.rule or "")
        if special:
            return [self.say(sentences.SOURCES[special])]
        ways = line.paths[:MOST_PATHS] or [[line.rule or ""]]
        return [self.say(sentences.SOURCES["group"], path=self.quoted(" > ".join(way))) for way in ways]

    def rule(self, name: str) -> str:
        """A rule by the name of its group."""
        special = {paths.EVERYBODY: "everyone", paths.REMOVED: "removed"}.get(name, "group")
        return self.say(sentences.RULES[special], name=self.quoted(name))

    def group(self, name: str) -> str:
        """A group by its name."""
        if name == paths.EVERYBODY:
            return self.say(sentences.EVERYONE)
        return self.say(sentences.SOURCES["group"], path=self.quoted(name))

    def actor(self, actor: str) -> str:
        """Who acted, as the event log names them."""
        kind, _, name = actor.partition(":")
        return self.say(sentences.ACTORS.get(kind if name or kind == "job" else "", ("{name}", "{name}")), name=name)

    def seats(self, count: int) -> str:
        """So many seats."""
        one, several = sentences.SEATS[self.at]
        return one if count == 1 else self._template((several, several)).format(count=count)

    def instant(self, at: datetime | None) -> str:
        """An instant in UTC, to the minute."""
        if at is None:
            return ""
        there = at.astimezone(UTC)
        day = sentences.FIRST_DAY[self.at] if there.day == 1 else str(there.day)
        month = sentences.MONTHS[self.at][there.month - 1]
        parts = {"day": day, "month": month, "year": there.year, "hour": f"{there:%H}", "minute": f"{there:%M}"}
        return self.say(sentences.INSTANT, **parts)

    def list(self, items: Sequence[str], conjunction: tuple[str, str] = sentences.AND) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {conjunction[self.at]} {items[-1]}"

    def quoted(self, text: str) -> str:
        """In the quotation marks of the language."""
        return self.say(sentences.QUOTES, text=text)

    def _full(self, fact: Fact) -> str:
        if fact.kind not in (facts.CAP_REACHED, facts.NEEDS_APPROVAL):
            return ""
        reserve = fact.limit is not None and (fact.used or 0) < fact.limit
        which = "bundle" if fact.types else "reserve" if reserve else "all"
        return self.say(sentences.FULL[which], used=fact.used, limit=fact.limit, types=self.list(fact.types))


def _takes_seats_besides(wanted: Change) -> bool:
    return bool(wanted.seats or wanted.besides) and wanted.kind in (change.JOIN, change.ASSIGN, change.ADD_ATTRIBUTE)
