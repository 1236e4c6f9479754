"""Who of the administrators is told of something (licensing.md 4.7): those who accepted, by role and product.

The head administrator holds every authority, and so is one of the license administrators too.
"""

from __future__ import annotations

from collections.abc import Iterable

from scim_service.access import admins, roles
from scim_service.access.admins import Administrator
from scim_service.storage.work import Work


def license_administrators(everybody: Iterable[Administrator], product: str | None) -> list[Administrator]:
    """Those who may give and take licenses of a product; of no product: those for whom products do not matter."""
    return [one for one in everybody if one.may(roles.LICENSES, product)]


def of_any_product(everybody: Iterable[Administrator]) -> list[Administrator]:
    """Every license administrator, whatever the product."""
    return [one for one in everybody if not one.pending and one.role in roles.PERMISSIONS[roles.LICENSES]]


def everybody(work: Work) -> list[Administrator]:
    """Who administers the tenant and has accepted, the head first."""
    return [one for one in admins.listing(work) if not one.pending]
