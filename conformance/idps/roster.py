"""Who is in the provider's directory: people and teams made up from a seed, the same ones each time.

This is the model that a server is compared with; an `id` is what the server gave, "" as long as it gave none.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

TEAMS = ("Sales", "Engineering", "Support", "Everyone", "Design", "Finance", "Legal", "Marketing", "Operations")
"""The first four are the names that the demo's license rules are bound to."""

_GIVEN = (
    "Mara Jonas Aiko Priya Luca Zoë Noor Emeka Ines Tomás Freya Kenji Amara Björn Chloé Dario Edita Farid "
    "Greta Hugo Ilse Jun Katya Leo Mina Nils Olga Pablo Quinn Rosa Sami Tilda Umar Vera Wim Xenia Yara Zeno"
)
_FAMILY = (
    "Lind Brandt Sato Rao Conti Martin Haddad Okafor Duarte Vega Holm Mori Diallo Åberg Lefèvre Rossi Novak "
    "Aziz Keller Moreau Jansen Ito Petrova Silva Park Berg Ivanova Ortega Blake Torres Nasser Falk Malik Costa "
    "Smit"
)
_DEPARTMENTS = ("Field", "Platform", "Service", "Office")
_TITLES = ("Associate", "Specialist", "Lead")
_SHARES: dict[str, frozenset[int]] = {
    "Sales": frozenset({0, 1, 2, 3}),
    "Engineering": frozenset({4, 5, 6}),
    "Support": frozenset({7, 8}),
    "Everyone": frozenset(range(10)),
}
"""Which tenths of the people are in a team."""


@dataclass
class Person:
    """One person as the provider knows it; `gone` once it was deleted for good."""

    number: int
    user_name: str
    given: str
    family: str
    title: str | None
    department: str
    employee_number: str
    external_id: str
    email: str
    mobile: str | None = None
    manager: str | None = None
    active: bool = True
    gone: bool = False
    id: str = ""

    @property
    def display(self) -> str:
        return f"{self.given} {self.family}"

    def document(self) -> dict[str, Any]:
        """What the server must hold, as SCIM; what the person has not is not in it."""
        enterprise: dict[str, Any] = {"department": self.department, "employeeNumber": self.employee_number}
        found: dict[str, Any] = {
            "userName": self.user_name,
            "externalId": self.external_id,
            "active": self.active,
            "displayName": self.display,
            "name": {"givenName": self.given, "familyName": self.family},
            "emails": [{"value": self.email, "type": "work", "primary": True}],
            ENTERPRISE: enterprise,
        }
        if self.title:
            found["title"] = self.title
        if self.mobile:
            found["phoneNumbers"] = [{"value": self.mobile, "type": "mobile"}]
        if self.manager:
            enterprise["manager"] = {"value": self.manager}
        return found


@dataclass
class Team:
    """One pushed group. `members` are those that the provider pushed, `others` those that it found there and keeps."""

    name: str
    external_id: str | None
    wanted: list[Person] = field(default_factory=list)
    members: dict[str, Person] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    gone: bool = False
    id: str = ""

    def member_ids(self) -> set[str]:
        """The exact members that the server must show: those people who are not deleted, and the others."""
        return {one.id for one in self.members.values() if not one.gone} | self.others


def people(count: int, seed: int, domain: str) -> list[Person]:
    """The first `count` people of this seed; more of them begin with the same ones."""
    return [_person(number, seed, domain) for number in range(count)]


def teams(count: int, seed: int, everybody: list[Person], *, external_ids: bool) -> list[Team]:
    """The first `count` teams with whom they shall hold."""
    return [_team(number, seed, everybody, external_ids) for number in range(count)]


def _person(number: int, seed: int, domain: str) -> Person:
    dice = random.Random(f"{seed}/{domain}/{number}")
    given, family = dice.choice(_GIVEN.split()), dice.choice(_FAMILY.split())
    address = f"{given}.{family}.{seed}-{number}@{domain}"
    return Person(
        number=number,
        user_name=address,
        given=given,
        family=family,
        title=dice.choice(_TITLES),
        department=dice.choice(_DEPARTMENTS),
        employee_number=f"{seed}-{number:06d}",
        external_id=f"{dice.getrandbits(80):020x}",
        email=address.lower(),
    )


def _team(number: int, seed: int, everybody: list[Person], external_ids: bool) -> Team:
    name = TEAMS[number] if number < len(TEAMS) else f"Team {number + 1}"
    shares = _SHARES.get(name, frozenset({number % 10}))
    wanted = [one for one in everybody if one.number % 10 in shares]
    return Team(name, f"group-{seed}-{number}" if external_ids else None, wanted)
