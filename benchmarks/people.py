"""The people of the benchmarks: documents as identity providers send them, about 1.2 kB each, by number.

Pure and of the standard library only, as the peers' own programs fill themselves from it too.
"""

from __future__ import annotations

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
DEPARTMENTS = ("Engineering", "Sales", "Finance", "Legal", "Support", "Design", "People", "Facilities")
DOMAIN = "@bench.example.com"


def name(number: int) -> str:
    """The userName of a person of the filling; their order is the order of the numbers."""
    return f"user{number:07d}{DOMAIN}"


def external_id(user_name: str) -> str:
    """What the identity provider calls the person with this userName."""
    return f"ext-{user_name.partition('@')[0]}"


def document(number: int, user_name: str = "") -> dict[str, Any]:
    """The body of the POST that makes a person; `user_name` where it is not one of the filling."""
    user_name = user_name or name(number)
    given, family = f"Given{number % 997}", f"Family{number % 8191}"
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": user_name,
        "externalId": external_id(user_name),
        "name": {"givenName": given, "familyName": family, "formatted": f"{given} {family}"},
        "displayName": f"{given} {family} {number:07d}",
        "nickName": f"nick{number}",
        "title": "Engineer II",
        "userType": "Employee",
        "preferredLanguage": "en",
        "locale": "en-GB",
        "timezone": "Europe/London",
        "active": True,
        "emails": _emails(user_name),
        "phoneNumbers": _phones(number),
        "addresses": [_address(number)],
        ENTERPRISE: _enterprise(number),
    }


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """The body of a PATCH."""
    return {"schemas": [PATCH], "Operations": list(operations)}


def members(ids: list[str]) -> dict[str, Any]:
    """The operation that adds these members."""
    return {"op": "add", "path": "members", "value": [{"value": one} for one in ids]}


def _emails(user_name: str) -> list[dict[str, Any]]:
    home = user_name.replace("@bench", "@home")
    return [{"value": user_name, "type": "work", "primary": True}, {"value": home, "type": "home"}]


def _phones(number: int) -> list[dict[str, Any]]:
    desk = {"value": f"+44 20 7946 {number % 10_000:04d}", "type": "work"}
    return [desk, {"value": f"+44 7700 {number % 1_000_000:06d}", "type": "mobile"}]


def _address(number: int) -> dict[str, Any]:
    street = f"{number % 400} Example Street"
    place = {"locality": "London", "region": "London", "postalCode": "EC1A 1BB", "country": "GB"}
    return {"type": "work", "streetAddress": street, **place, "primary": True}


def _enterprise(number: int) -> dict[str, Any]:
    return {
        "employeeNumber": f"{number:08d}",
        "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        "costCenter": f"CC-{number % 50}",
        "organization": "Example plc",
        "division": "EMEA",
    }
