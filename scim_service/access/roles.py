"""The roles of who administers a tenant, and what each may do (licensing.md D-12). Pure; a door asks `allows`.

No attribute, group or rule of an identity provider gives a role (decision 7): these are given by hand only.
"""

from __future__ import annotations

from collections.abc import Collection

HEAD, ADMINISTRATOR, LICENSE_ADMINISTRATOR = "head", "administrator", "license_administrator"
OPERATOR, AUDITOR = "operator", "auditor"

ROLES = {
    HEAD: "Head administrator: every authority, and alone appoints the next head.",
    ADMINISTRATOR: "Administrator: changes settings, people, licenses, access.",
    LICENSE_ADMINISTRATOR: "License administrator: gives and takes the licenses of some products.",
    OPERATOR: "Operator: reads, and sends invitations again.",
    AUDITOR: "Auditor: reads, the event log included.",
}
"""Every role with what it is called and what it is for."""

INVITED = (ADMINISTRATOR, LICENSE_ADMINISTRATOR, OPERATOR, AUDITOR)
"""The roles that an invitation can be for; the head is appointed."""

COUNTED = frozenset({HEAD, ADMINISTRATOR, LICENSE_ADMINISTRATOR})
"""The roles that a plan's number of administrators is about: those that change something."""

READ, READ_LOG, RESEND = "read", "read_log", "resend_invitations"
LICENSES, ADD_PEOPLE, PEOPLE = "manage_licenses", "add_people", "manage_people"
RULES, CONTRACTS, SETTINGS = "manage_rules", "manage_contracts", "change_settings"
TOKENS, ADMINS, APPOINT = "manage_tokens", "manage_administrators", "appoint_head"

_LEADING = frozenset({HEAD, ADMINISTRATOR})
PERMISSIONS: dict[str, frozenset[str]] = {
    READ: frozenset(ROLES),
    READ_LOG: _LEADING | {AUDITOR},
    RESEND: _LEADING | {LICENSE_ADMINISTRATOR, OPERATOR},
    LICENSES: _LEADING | {LICENSE_ADMINISTRATOR},
    ADD_PEOPLE: _LEADING | {LICENSE_ADMINISTRATOR},
    PEOPLE: _LEADING,
    RULES: _LEADING,
    CONTRACTS: _LEADING,
    SETTINGS: _LEADING,
    TOKENS: _LEADING,
    ADMINS: _LEADING,
    APPOINT: frozenset({HEAD}),
}
"""What may be done → the roles that may do it. `manage_licenses` is give, take, suspend, reassign; `add_people` adds a
person with a license; `manage_people` edits, deactivates, bans (licensing.md LX-02)."""

OF_A_PRODUCT = frozenset({LICENSES, ADD_PEOPLE})
"""What a license administrator may do for the own products only."""


def allows(role: str, products: Collection[str], permission: str, product: str | None = None) -> bool:
    """Whether a role may do something; `products` are a license administrator's, `product` is what it is done to.

    A license of no product is nobody's but the administrators'.
    """
    if role not in PERMISSIONS[permission]:
        return False
    return role != LICENSE_ADMINISTRATOR or permission not in OF_A_PRODUCT or product in products
