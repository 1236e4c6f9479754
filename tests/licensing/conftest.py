"""An organization to try seats on: people, groups and memberships are put into the tables as `directory` would."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from scim_service import audit
from scim_service.access import admins, roles, tenants
from scim_service.licensing import catalog, contracts, replay, rules, seats, usage, verify
from scim_service.storage import closure, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

_users = tables.directory.users
_groups = tables.directory.groups
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SET_ACTIVE = (
    sa.update(_users)
    .where(_users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which"))
    .values(active=sa.bindparam("new_active"))
)
_DROP_USER = [
    sa.delete(_memberships).where(
        _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq == sa.bindparam("which")
    ),
    sa.delete(_users).where(_users.c.tenant_id == _TENANT, _users.c.seq == sa.bindparam("which")),
]
_LEAVE = sa.delete(_memberships).where(
    _memberships.c.tenant_id == _TENANT,
    _memberships.c.group_seq == sa.bindparam("group"),
    _memberships.c.user_seq == sa.bindparam("user"),
)
_UNNEST = sa.delete(_nestings).where(
    _nestings.c.tenant_id == _TENANT,
    _nestings.c.group_seq == sa.bindparam("group"),
    _nestings.c.child_seq == sa.bindparam("child"),
)
_DROP_GROUP = [
    sa.delete(_memberships).where(
        _memberships.c.tenant_id == _TENANT, _memberships.c.group_seq == sa.bindparam("which")
    ),
    sa.delete(_groups).where(_groups.c.tenant_id == _TENANT, _groups.c.seq == sa.bindparam("which")),
]


_licensing = tables.licensing.licensing
_outbox = tables.delivery.outbox
_POSTED = sa.select(_outbox).where(_outbox.c.tenant_id == _TENANT).order_by(_outbox.c.seq)
_NEXT_DUE = sa.select(_licensing.c.next_due).where(_licensing.c.tenant_id == _TENANT)

HOUR = timedelta(hours=1)
NOW = timedelta(0)


MAKING_ADMINISTRATORS = {"administrator_invited", "administrator_designated", "head_appointed", "head_handed_over"}


@dataclass(frozen=True)
class Posted:
    """A message in the outbox."""

    letter: str
    recipient: str
    key: str
    facts: dict[str, Any]
    state: str


@dataclass
class Organization:
    """One tenant and what happens in it; each method is one transaction, as a request would be."""

    store: Store
    tenant_id: int
    people: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    actor: Actor = field(default_factory=lambda: Actor("cli"))

    @contextmanager
    def writing(self) -> Iterator[Work]:
        with self.store.writing(self.tenant_id, self.actor) as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[Work]:
        with self.store.reading(self.tenant_id, Actor("cli")) as work:
            yield work

    def sells(self, seats_of: dict[str, int | None], *families: Sequence[str], **options: Any) -> None:
        """Types with a contract; None is a free type. In a family the later one ranks higher."""
        ranked = {code: (f"f{number}", rank) for number, one in enumerate(families) for rank, code in enumerate(one)}
        with self.writing() as work:
            for code, count in seats_of.items():
                family, rank = ranked.get(code, (None, 0))
                made = {"family": family, "rank": rank, "counted": count is not None, **options}
                catalog.create_type(work, code, code.title(), **made)
            counted = {code: count for code, count in seats_of.items() if count is not None}
            contracts.create(work, "C-1", counted)

    def has(self, *names: str, active: bool = True) -> None:
        """People, in this order."""
        with self.writing() as work:
            for name in names:
                self.people[name] = _insert_user(work, name, active)

    def makes(self, group: str, *names: str, inside: str | None = None) -> None:
        """A group with these people, as a POST would make it; perhaps inside another one."""
        with self.writing() as work:
            closure.lock_nesting(work)
            seq = self.groups[group] = _insert_group(work, group)
            rows = [{"group_seq": seq, "user_seq": self.people[name]} for name in names]
            work.insert(_memberships, rows)
            rules.bind(work, seq, group)
        if inside is not None:
            self.nest(inside, group)

    def nest(self, group: str, child: str) -> None:
        self._nesting(group, child, True)

    def unnest(self, group: str, child: str) -> None:
        self._nesting(group, child, False)

    def _nesting(self, group: str, child: str, belongs: bool) -> None:
        outer, inner = self.groups[group], self.groups[child]
        with self.writing() as work:
            closure.lock_nesting(work)
            closure.lock_groups(work, {outer, *closure.below(work, [inner])})
            if belongs:
                work.insert(_nestings, [{"group_seq": outer, "child_seq": inner}])
            else:
                work.execute(_UNNEST, group=outer, child=inner)
            closure.refresh_feeds(work, [inner])
            rows = work.rows(sa.select(_memberships.c.user_seq).where(_memberships.c.tenant_id == _TENANT))
            seats.people_moved(work, [outer], sorted({row.user_seq for row in rows}))

    def gives(self, group: str, code: str, **options: Any) -> rules.Rule:
        """A rule."""
        with self.writing() as work:
            return rules.create(work, group, code, **options)

    def join(self, group: str, *names: str) -> None:
        """One PATCH that adds these people, in this order."""
        with self.writing() as work:
            closure.lock_groups(work, [self.groups[group]])
            seqs = [self.people[name] for name in names]
            work.insert_new(_memberships, [{"group_seq": self.groups[group], "user_seq": seq} for seq in seqs])
            seats.people_moved(work, [self.groups[group]], seqs)

    def leave(self, group: str, *names: str) -> None:
        """One PATCH that removes these people."""
        with self.writing() as work:
            closure.lock_groups(work, [self.groups[group]])
            seqs = [self.people[name] for name in names]
            for seq in seqs:
                work.execute(_LEAVE, group=self.groups[group], user=seq)
            seats.people_moved(work, [self.groups[group]], seqs)

    def drops(self, group: str) -> None:
        """A group is deleted."""
        seq = self.groups.pop(group)
        with self.writing() as work:
            closure.lock_groups(work, [seq])
            rules.orphan(work, seq)
            for statement in _DROP_GROUP:
                work.execute(statement, which=seq)

    def turn(self, name: str, active: bool) -> None:
        """`active` of a person is changed."""
        with self.writing() as work:
            work.execute(_SET_ACTIVE, which=self.people[name], new_active=active)
            seats.activity_changed(work, [self.people[name]])

    def delete(self, name: str) -> None:
        """A person is deleted."""
        seq = self.people.pop(name)
        with self.writing() as work:
            seats.person_gone(work, seq)
            for statement in _DROP_USER:
                work.execute(statement, which=seq)
            audit.record(work, "user:deleted", f"id-{name}")

    def tick(self) -> int:
        with self.writing() as work:
            return seats.tick(work)

    def states(self, code: str) -> dict[str, str]:
        """Who is in which state of a type; waiting people with their place."""
        with self.reading() as work:
            found = usage.people(work, code)
        return {one.user_name: f"{one.state} {one.position}" if one.position else one.state for one in found}

    def line(self, code: str) -> usage.SeatLine:
        with self.reading() as work:
            return next(line for line in usage.seats(work) if line.code == code)

    def events(self, name: str) -> list[audit.Event]:
        with self.reading() as work:
            return audit.about(work, f"id-{name}")

    def is_run_by(self, *roles_of: str, product: str | None = None) -> None:
        """Accepted administrators, one for each of these roles, who are called like them."""
        with self.writing() as work:
            for role in roles_of:
                address = f"{role}@staff.example"
                invited = roles.ADMINISTRATOR if role == roles.HEAD else role
                products = [product] if product and role == roles.LICENSE_ADMINISTRATOR else []
                admins.add(work, address, role.title(), invited, products)
                admins.accept(work, address)
                if role == roles.HEAD:
                    admins.appoint_head(work, address)

    def posted(self, *letters: str) -> list[Posted]:
        """What was posted so far, oldest first: these letters, or all but those that make administrators."""
        with self.reading() as work:
            rows = work.rows(_POSTED)
        found = [Posted(row.letter, row.recipient, row.message_key, orjson.loads(row.facts), row.state) for row in rows]
        return [one for one in found if one.letter in letters or not (letters or one.letter in MAKING_ADMINISTRATORS)]

    def told(self, *letters: str) -> list[tuple[str, str]]:
        """(letter, before the @ of the recipient) of what was posted so far, oldest first."""
        return [(one.letter, one.recipient.partition("@")[0]) for one in self.posted(*letters)]

    def check(self) -> None:
        """The invariants of licensing.md 4.3, judged by the pure function and by the log's replay (I-6, I-12)."""
        with self.reading() as work:
            assert verify.findings(work) == []
            assert [str(one) for one in replay.check(work)] == []


def _insert_user(work: Work, name: str, active: bool) -> int:
    mails = [{"value": f"{name}@people.example", "primary": True}]
    document = orjson.dumps({"userName": name, "active": active, "emails": mails}).decode()
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now, "document": document}
    return work.insert_one(_users, id=f"id-{name}", user_name_key=name, display=name, active=active, **stamps)


def _insert_group(work: Work, name: str) -> int:
    stamps = {"version": 1, "created_at": work.now, "modified_at": work.now, "document": "{}"}
    names = {"display_name": name, "display_name_key": name.lower()}
    return work.insert_one(_groups, id=f"id-{name}", member_count=0, feeds=False, **names, **stamps)


@pytest.fixture
def founded(store: Store) -> Callable[..., Organization]:
    """Founds organizations by slug."""

    def found(slug: str = "acme", exit_grace: timedelta = timedelta(hours=1)) -> Organization:
        with store.writing(EVERY_TENANT, Actor("cli")) as work:
            return Organization(store, tenants.create(work, slug, slug.title(), exit_grace).id)

    return found


@pytest.fixture
def acme(founded: Callable[..., Organization]) -> Organization:
    """Acme, with an exit grace of one hour."""
    return founded()


@pytest.fixture
def suite(acme: Organization) -> Organization:
    """Two seats of `basic` and one of the better `pro`; Everyone gives basic, Sales gives pro, both without grace."""
    acme.sells({"basic": 2, "pro": 1}, ("basic", "pro"), exit_grace=NOW)
    acme.has("ann", "ben", "cem")
    for group, code in {"Everyone": "basic", "Sales": "pro"}.items():
        acme.makes(group)
        acme.gives(group, code)
    return acme


def sales(acme: Organization, count: int, *names: str, **options: Any) -> None:
    """Seats of `pro`, given to the group Sales with these people."""
    acme.sells({"pro": count})
    acme.has(*names)
    acme.makes("Sales", *names)
    acme.gives("Sales", "pro", **options)


def next_due(acme: Organization) -> Any:
    with acme.reading() as work:
        return work.value(_NEXT_DUE)


def since_of(acme: Organization, name: str) -> Any:
    with acme.reading() as work:
        return next(one.since for one in usage.people(work) if one.user_name == name)
