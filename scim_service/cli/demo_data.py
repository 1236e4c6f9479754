"""What the demo consists of: two tenants, licenses that run short, rules that await their groups, two people.

`plant` makes it once, in one transaction per tenant; later runs find it and only look the tokens up.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from scim_service import errors
from scim_service.access import connections, credentials, tenants
from scim_service.cli.opening import Service
from scim_service.directory import users
from scim_service.directory.documents import View
from scim_service.directory.listing import Query
from scim_service.licensing import catalog, contracts, direct, rules
from scim_service.protocol import filters, schema
from scim_service.protocol.rendering import Projection
from scim_service.storage.paging import Span
from scim_service.storage.work import Actor, Work

ACME, GLOBEX = "acme", "globex"
TOKEN_DAYS = credentials.MOST_DAYS
SUITE = (("basic", "Basic", 10), ("professional", "Professional", 20), ("enterprise", "Enterprise", 30))
"""Three types of one family, by rank."""
ACME_SEATS = {"basic": 70, "professional": 15, "enterprise": 8, "analytics": 6}
"""Fewer than the 50 people of a simulation want, so that some wait."""
ACME_RULES = {"Everyone": "basic", "Sales": "professional", "Engineering": "enterprise", "Support": "analytics"}
CONNECTIONS = {ACME: ("rfc", "okta", "entra"), GLOBEX: ("rfc",)}
"""Each connection is called by its profile."""

CERTIFICATE = (
    "MIIBojCCAUmgAwIBAgIUclvNMXPi7himyrmMa41nU6wVOxgwCgYIKoZIzj0EAwIwJzEWMBQGA1UEAwwNQWxpY2UgRXhhbXBsZTENMAsGA1UECgwE"
    "QWNtZTAeFw0yNjExMjQxNDE2NTBaFw0zNjExMjExNDE2NTBaMCcxFjAUBgNVBAMMDUFsaWNlIEV4YW1wbGUxDTALBgNVBAoMBEFjbWUwWTATBgcq"
    "hkjOPQIBBggqhkjOPQMBBwNCAARsT2BVLcRbNrsqUgs0843UXjtX1bwb4CBrc+QychkFlCbA3KtsObr8GBmJIzY4JMcOQa7NxVL4Wf5ZPfXJaC+q"
    "o1MwUTAdBgNVHQ4EFgQU7XNrO4L69kU8laCwFRgc5tXsUB0wHwYDVR0jBBgwFoAU7XNrO4L69kU8laCwFRgc5tXsUB0wDwYDVR0TAQH/BAUwAwEB"
    "/zAKBggqhkjOPQQDAgNHADBEAiBZEurswvt/xMvqvILx9XT6K6zuKenKISrZi3Z2h9wxGgIgdNutT56a7oGRFqBh5bUAtqc4Che2DBlRk0pK6AZg"
    "RvQ="
)
"""Alice's certificate, signed by itself; its private key was never kept."""

ALICE: dict[str, Any] = {
    "schemas": [schema.USER_URN, schema.ENTERPRISE_URN],
    "userName": "alice@acme.example",
    "externalId": "acme-1001",
    "name": {
        "formatted": "Dr. Alice Marie Example III",
        "familyName": "Example",
        "givenName": "Alice",
        "middleName": "Marie",
        "honorificPrefix": "Dr.",
        "honorificSuffix": "III",
    },
    "displayName": "Alice Example",
    "nickName": "Ally",
    "profileUrl": "https://people.acme.example/alice",
    "title": "Head of Analytics",
    "userType": "Employee",
    "preferredLanguage": "en-US",
    "locale": "en-US",
    "timezone": "Europe/Paris",
    "active": True,
    "emails": [
        {"value": "alice@acme.example", "type": "work", "display": "Work", "primary": True},
        {"value": "alice@home.example", "type": "home", "display": "Home"},
    ],
    "phoneNumbers": [
        {"value": "tel:+33-1-99-00-12-34", "type": "work", "display": "Desk", "primary": True},
        {"value": "tel:+33-6-39-98-56-78", "type": "mobile", "display": "Mobile"},
    ],
    "ims": [{"value": "alice.example", "type": "xmpp", "display": "Chat", "primary": True}],
    "photos": [
        {"value": "https://people.acme.example/alice.jpg", "type": "photo", "display": "Portrait", "primary": True},
        {"value": "https://people.acme.example/alice-small.jpg", "type": "thumbnail", "display": "Small"},
    ],
    "addresses": [
        {
            "formatted": "1 rue de la Paix\n75002 Paris\nFrance",
            "streetAddress": "1 rue de la Paix",
            "locality": "Paris",
            "region": "Île-de-France",
            "postalCode": "75002",
            "country": "FR",
            "type": "work",
            "primary": True,
        }
    ],
    "entitlements": [{"value": "reports", "type": "Feature", "display": "Reports", "primary": True}],
    "roles": [{"value": "analyst", "type": "Job", "display": "Analyst", "primary": True}],
    "x509Certificates": [{"value": CERTIFICATE, "type": "work", "display": "Signing", "primary": True}],
    schema.ENTERPRISE_URN: {
        "employeeNumber": "1001",
        "costCenter": "4130",
        "organization": "Acme",
        "division": "Products",
        "department": "Analytics",
        "manager": {"value": "acme-1000"},
    },
}
"""Every attribute of RFC 7643 section 4.1 and of the Enterprise extension that a client may write, password aside."""

CHARLIE: dict[str, Any] = {
    "schemas": [schema.USER_URN],
    "userName": "charlie@globex.example",
    "name": {"givenName": "Charlie", "familyName": "Example"},
    "displayName": "Charlie Example",
    "emails": [{"value": "charlie@globex.example", "type": "work", "primary": True}],
}


@dataclass(frozen=True)
class Demo:
    """What the reader needs: tokens by (tenant, connection), and the id of the complete person."""

    tokens: dict[tuple[str, str], str]
    alice_id: str | None


def plant(service: Service, secret: str) -> Demo:
    """Make what is missing and return the tokens, which are functions of `secret` (decision 37)."""
    service.change_any(partial(_once, slug=ACME, make=_acme))
    service.change_any(partial(_once, slug=GLOBEX, make=_globex))
    tokens = {
        (slug, name): service.change(slug, partial(_token, purpose=f"demo:{slug}:{name}", name=name, secret=secret))
        for slug, names in CONNECTIONS.items()
        for name in names
    }
    return Demo(tokens, service.ask(ACME, _alice_id))


def _once(work: Work, slug: str, make: Callable[[Work], None]) -> None:
    try:
        tenants.find(work, slug)
    except errors.NotFound:
        make(work)


def _acme(work: Work) -> None:
    tenants.create(work, ACME, "Acme Inc.")
    for code, name, rank in SUITE:
        catalog.create_type(work, code, name, product="Suite", family="suite", rank=rank)
    catalog.create_type(work, "analytics", "Analytics")
    contracts.create(work, "ACME-1", ACME_SEATS)
    for group, code in ACME_RULES.items():
        rules.create(work, group, code)
    _connect(work, ACME)
    users.create(_as_connection(work, CONNECTIONS[ACME][0]), ALICE)
    direct.assign(work, ALICE["userName"], "analytics")


def _globex(work: Work) -> None:
    tenants.create(work, GLOBEX, "Globex Corporation")
    catalog.create_type(work, "standard", "Standard", product="Desk")
    contracts.create(work, "GLOBEX-1", {"standard": 3})
    _connect(work, GLOBEX)
    users.create(work, CHARLIE)
    direct.assign(work, CHARLIE["userName"], "standard")


def _connect(work: Work, slug: str) -> None:
    for profile in CONNECTIONS[slug]:
        connections.create(work, profile, profile)


def _as_connection(work: Work, name: str) -> Work:
    """The same transaction, acting as a connection: an externalId belongs to one (decision 1)."""
    return replace(work, actor=Actor("connection", name, connections.find(work, name).seq))


def _token(work: Work, purpose: str, name: str, secret: str) -> str:
    """The first token of this purpose that has not ended: made when it was never there, so a second run finds it."""
    known = {one.prefix: one for one in credentials.listing(work, name)}
    generation = 1
    while True:
        seed = _seed(secret, purpose if generation == 1 else f"{purpose}:{generation}")
        token = credentials.token_text(seed)
        found = known.get(token[5:13])
        if found is None:
            return credentials.create(work, connections.find(work, name), days=TOKEN_DAYS, seed=seed)
        if found.revoked_at is None and work.now < found.expires_at:
            return token
        generation += 1


def _seed(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


def _alice_id(work: Work) -> str | None:
    """Her id, or None once somebody has deleted or renamed her."""
    named = filters.parse(f'userName eq "{ALICE["userName"]}"', schema.USER)
    view = View("", Projection.parse(schema.USER, "id", None))
    found = users.page(work, Query(named, None, Span(1, 1), scan_limit=1), view).documents
    return str(found[0]["id"]) if found else None
