"""What changes nothing says nothing: the same SCIM request again posts no letter (licensing.md 4.7, X-8)."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_service.access import admins
from scim_service.licensing import catalog, contracts, rules
from scim_service.licensing.catalog import Options
from scim_service.storage import tables
from scim_service.storage.store import Store
from tests import service
from tests.conftest import SettableClock
from tests.service import CORE, GROUP, LICENSES, PATCH, Answer, Cast

EXAMPLES = 60 if os.environ.get("SCIM_TEST_PROVE") == "1" else 6
NAMES = ("ann", "ben", "cem", "dan", "eve", "fay")
GROUPS = ("Sales", "Ops")
OUTBOX = tables.delivery.outbox
KEYS = sa.select(OUTBOX.c.message_key).where(OUTBOX.c.tenant_id == sa.bindparam("tenant")).order_by(OUTBOX.c.seq)

names, groups = st.sampled_from(NAMES), st.sampled_from(GROUPS)
some = st.lists(names, unique=True, max_size=6)
requests = st.one_of(
    st.tuples(st.just("add"), groups, some),
    st.tuples(st.just("remove"), groups, some),
    st.tuples(st.just("put"), groups, some),
    st.tuples(st.just("active"), names, st.booleans()),
    st.tuples(st.just("license"), names, st.sampled_from(["basic", "pro", None])),
    st.tuples(st.just("user"), names, st.booleans()),
)
waits = st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=2)])


class Provider:
    """An identity provider that sends requests, any of them again."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        mails = {name: [{"value": f"{name}@acme.example", "primary": True}] for name in NAMES}
        self.people = {name: cast.acme.user(name, emails=mails[name])["id"] for name in NAMES}
        self.groups = {name: cast.acme.group(name)["id"] for name in GROUPS}

    def send(self, request: tuple[Any, ...]) -> Answer:
        """One request."""
        kind, target, value = request
        found: Answer = getattr(self, kind)(target, value)
        return found

    def add(self, group: str, people: list[str]) -> Answer:
        members = [{"value": self.people[name]} for name in people]
        return self._patch(f"/Groups/{self.groups[group]}", {"op": "add", "path": "members", "value": members})

    def remove(self, group: str, people: list[str]) -> Answer:
        members = [{"value": self.people[name]} for name in people] or [{"value": "nobody"}]
        return self._patch(f"/Groups/{self.groups[group]}", {"op": "remove", "path": "members", "value": members})

    def put(self, group: str, people: list[str]) -> Answer:
        members = [{"value": self.people[name]} for name in people]
        body = {"schemas": [GROUP], "displayName": group, "members": members}
        return self.cast.acme.put(f"/Groups/{self.groups[group]}", body)

    def active(self, name: str, active: bool) -> Answer:
        return self._patch(f"/Users/{self.people[name]}", {"op": "replace", "path": "active", "value": active})

    def license(self, name: str, code: str | None) -> Answer:
        path = f"{LICENSES}:licenseType"
        change = {"op": "remove", "path": path} if code is None else {"op": "replace", "path": path, "value": code}
        return self._patch(f"/Users/{self.people[name]}", change)

    def user(self, name: str, active: bool) -> Answer:
        mails = [{"value": f"{name}@acme.example", "primary": True}]
        body = {"schemas": [CORE], "userName": name, "active": active, "emails": mails}
        return self.cast.acme.put(f"/Users/{self.people[name]}", body)

    def _patch(self, path: str, operation: dict[str, Any]) -> Answer:
        return self.cast.acme.send("PATCH", path, {"schemas": [PATCH], "Operations": [operation]})


@pytest.fixture
def provider(store: Store) -> Provider:
    """Acme sells two seats of `basic` and one of the better `pro`; Sales gives basic at once, Ops gives pro."""
    cast = service.assemble(store)
    with cast.writing() as work:
        for rank, code in enumerate(("basic", "pro")):
            options = Options(grace_yields=code == "pro")
            grace = timedelta(hours=rank)
            catalog.create_type(work, code, code.title(), family="f", rank=rank, exit_grace=grace, options=options)
        contracts.create(work, "C-1", {"basic": 2, "pro": 1})
        rules.create(work, "Sales", "basic")
        rules.create(work, "Ops", "pro")
        admins.add(work, "bob@acme.example", "Bob", "administrator")
        admins.accept(work, "bob@acme.example")
    return Provider(cast)


def posted(provider: Provider) -> list[str]:
    with provider.cast.reading() as work:
        return [row.message_key for row in work.rows(KEYS)]


@given(sent=st.lists(st.tuples(requests, waits), min_size=3, max_size=12))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_X_8_the_same_request_again_posts_nothing(
    provider: Provider, clock: SettableClock, sent: list[tuple[tuple[Any, ...], timedelta]]
) -> None:
    for request, wait in sent:
        first = provider.send(request)
        assert first.status < 300, first.text
        before = posted(provider)
        assert provider.send(request).status < 300
        assert provider.send(request).status < 300
        assert posted(provider) == before
        clock.advance(wait)


def test_N_4_N_5_a_provider_that_repeats_itself_is_told_of_once(provider: Provider) -> None:
    for _ in range(3):
        provider.add("Sales", ["ann", "ben", "cem"])
    for _ in range(3):
        provider.remove("Sales", ["ann"])
    keys = [key.split(":")[:2] for key in posted(provider) if key.startswith(("low:", "n4:"))]
    assert keys == [["low", "basic"], ["n4", "promoted"]]
