"""A tenant that invites people: each act is one transaction, the clock is the test's, letters stay in the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.access import invitations, links, tenants
from scim_service.access.invitations import Invitation
from scim_service.access.links import INVITATION
from scim_service.directory import answers, people
from scim_service.directory import invitations as asking
from scim_service.directory.answers import Page
from scim_service.directory.invitations import Invited
from scim_service.jobs import reminders
from scim_service.jobs.job import Context
from scim_service.licensing import catalog, contracts, direct, replay, usage, verify
from scim_service.storage import epoch, tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests import service
from tests.conftest import START, SettableClock

URL = "https://scim.acme.example"
ALICE = "alice@acme.example"
CLI = Actor("cli", "test")
_outbox = tables.delivery.outbox
_LETTERS = sa.select(_outbox).where(_outbox.c.tenant_id == sa.bindparam("tenant")).order_by(_outbox.c.seq)


@dataclass
class House:
    """Acme with two types of one family, two seats each."""

    store: Store
    clock: SettableClock
    tenant_id: int = 0
    read: int = field(default=0)

    def __post_init__(self) -> None:
        with self.store.writing(EVERY_TENANT, CLI) as work:
            self.tenant_id = tenants.create(work, "acme", "Acme").id
            for rank, code in enumerate(("basic", "premium")):
                catalog.create_type(work, code, code.title(), family="suite", rank=rank)
            contracts.create(work, "C-1", {"basic": 2, "premium": 2})

    def do(self, act: Callable[..., Any], *arguments: Any, actor: Actor = CLI, **named: Any) -> Any:
        with self.store.writing(self.tenant_id, actor) as work:
            return act(work, *arguments, **named)

    def ask(self, act: Callable[..., Any], *arguments: Any) -> Any:
        with self.store.reading(self.tenant_id, CLI) as work:
            return act(work, *arguments)

    def set(self, **settings: Any) -> None:
        """Settings as they are stored."""
        self.do(tenants.update, settings=settings)

    def invite(self, email: str = ALICE, type_code: str | None = "premium", **more: Any) -> Invited:
        found: Invited = self.do(asking.create, email, type_code=type_code, **more)
        return found

    def rows(self, user_name: str = ALICE) -> dict[str, Invitation]:
        seq = self.ask(lambda work: direct.found_person(work, user_name).seq)
        found: dict[str, Invitation] = self.ask(invitations.of_person, seq)
        return found

    def states(self, user_name: str = ALICE) -> dict[str, str]:
        return {kind: row.state for kind, row in self.rows(user_name).items()}

    def link(self, kind: str = INVITATION, user_name: str = ALICE) -> str:
        """The text of the link that a letter sent now would hold."""
        row = self.rows(user_name)[kind]
        return links.made(service.SECRET, self.ask(epoch.of), URL, row.subject).rpartition("/")[2]

    def answer(self, text: str) -> Page:
        link = links.read(service.SECRET, text)
        assert link is not None
        found: Page = self.do(answers.accept, service.SECRET, link, actor=Actor("link"))
        return found

    def accept(self, kind: str = INVITATION, user_name: str = ALICE) -> Page:
        return self.answer(self.link(kind, user_name))

    def status(self, user_name: str = ALICE) -> str:
        found: str = self.ask(lambda work: people.profile(work, user_name).status)
        return found

    def holds(self, user_name: str = ALICE) -> dict[str, str]:
        """The states of somebody's licenses."""

        def question(work: Work) -> dict[str, str]:
            seq = direct.found_person(work, user_name).seq
            return {one.type_code: one.state for one in usage.of_person(work, seq)}

        found: dict[str, str] = self.ask(question)
        return found

    def used(self, code: str = "premium") -> int:
        return int(self.ask(lambda work: next(one.used for one in usage.seats(work) if one.code == code)))

    def turn_to(self, hours: float) -> list[str]:
        """Let the clock show so many hours after the start, and the job run; the letters that came of it."""
        self.clock.set(START + timedelta(hours=hours))
        settings = service.settings(self.store.database.url)
        reminders.run(Context(self.store, settings, self.clock.now(), self.clock.now()))
        return self.new()

    def letters(self) -> list[Any]:
        found: list[Any] = self.ask(lambda work: work.rows(_LETTERS))
        return found

    def new(self) -> list[str]:
        """The names of the letters since they were asked for last."""
        found = [row.letter for row in self.letters()]
        self.read, before = len(found), self.read
        return found[before:]

    def facts(self, letter: str) -> dict[str, Any]:
        """What the latest letter of this name says."""
        found: dict[str, Any] = orjson.loads([row for row in self.letters() if row.letter == letter][-1].facts)
        return found

    def check(self) -> None:
        """Seats, rows and the log's replay agree, and no link is written down anywhere."""
        assert self.ask(verify.findings) == []
        assert [str(one) for one in self.ask(replay.check)] == []
        for row in self.letters():
            assert "/links/" not in row.facts and len(row.facts) < 600


def is_nowhere_in(path: Path, text: str) -> bool:
    """Whether a file of a database does not hold this text."""
    return text.encode() not in path.read_bytes()
