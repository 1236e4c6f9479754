"""Whoever asked for a license is told what was decided, and why (licensing.md E-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import addresses, languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import notices, type_names
from scim_service.storage import tables
from scim_service.storage.work import Work

APPROVED, DENIED = "request_approved", "request_denied"

_tenants = tables.access.tenants
_SETTINGS = sa.select(_tenants.c.settings).where(_tenants.c.id == sa.bindparam("tenant"))


def post(work: Work, letter: str, request: Any, user_id: str, said: Mapping[str, Any]) -> None:
    """Tell the person, if there is an address; `request` is the row that was decided."""
    document = notices.documents(work, [request.user_seq])[request.user_seq]
    address = addresses.of_person(document)
    if address is None:
        return
    language = languages.of_person(document, TenantSettings.of(work.value(_SETTINGS)))
    kind = type_names.of_all(work)[request.type_seq]
    key = f"req:{user_id}:{kind.code}:{request.seq}:{letter}"
    facts = {"type": kind.told(language), **said}
    outbox.post(work, [Message(key, letter, address, language, facts, request.user_seq)])
