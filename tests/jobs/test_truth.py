"""What is not true any more is not sent."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scim_service.delivery import entries, outbox
from scim_service.delivery.entries import Entry
from scim_service.jobs import truth
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service
from tests.service import Cast

OUTBOX = tables.delivery.outbox
USERS = tables.directory.users


@pytest.fixture
def cast(store: Store) -> Cast:
    return service.assemble(store)


def posted(cast: Cast, user_name: str | None, tenant_id: int | None = None) -> Entry:
    """A welcome that waits in the outbox, about that person."""
    with cast.writing(tenant_id) as work:
        named = (USERS.c.tenant_id == sa.bindparam("tenant"), USERS.c.user_name_key == user_name)
        seq = work.value(sa.select(USERS.c.seq).where(*named)) if user_name else None
        outbox.post(work, [outbox.Message("wel:1", "welcome", "ann@acme.example", "en", {"type": None}, seq)])
        row = work.row(sa.select(*entries.columns).where(OUTBOX.c.tenant_id == sa.bindparam("tenant")))
    assert row is not None
    return entries.entry(row)


def reason(cast: Cast, entry: Entry) -> str | None:
    with cast.reading(entry.tenant_id) as work:
        return truth.reason_against(work, entry)


def test_F4_a_letter_about_an_active_person_is_sent(cast: Cast) -> None:
    cast.acme.user("ann", emails=[{"value": "ann@acme.example"}])
    assert reason(cast, posted(cast, "ann")) is None


def test_F4_a_letter_about_nobody_is_sent(cast: Cast) -> None:
    assert reason(cast, posted(cast, None)) is None


@pytest.mark.parametrize("why", [truth.GONE, truth.INACTIVE, truth.BANNED])
def test_F4_nothing_is_sent_about_a_person_who_is_gone_inactive_or_banned(cast: Cast, why: str) -> None:
    ann = cast.acme.user("ann", emails=[{"value": "ann@acme.example"}])
    entry = posted(cast, "ann")
    if why == truth.GONE:
        cast.acme.delete(f"/Users/{ann['id']}")
    elif why == truth.INACTIVE:
        cast.acme.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    else:
        with cast.writing() as work:
            work.execute(sa.update(USERS).where(USERS.c.tenant_id == sa.bindparam("tenant")).values(banned=True))
    assert reason(cast, entry) == why


def test_F4_a_person_of_another_tenant_does_not_stand_in_for_one_who_is_gone(cast: Cast) -> None:
    ann = cast.acme.user("ann", emails=[{"value": "ann@acme.example"}])
    entry = posted(cast, "ann")
    cast.acme.delete(f"/Users/{ann['id']}")
    cast.globex.user("charlie")
    assert reason(cast, entry) == truth.GONE
