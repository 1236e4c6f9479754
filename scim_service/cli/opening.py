"""How a command opens the service: settings from the environment, the database, one transaction of one tenant."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import click

from scim_service import app, config, errors, jobs
from scim_service.access import tenants
from scim_service.cli import previews
from scim_service.cli.previews import Beside
from scim_service.config import Settings
from scim_service.licensing import preview as previews_of
from scim_service.licensing.preview import Preview
from scim_service.storage import faults, schema_version
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work

T = TypeVar("T")

ATTEMPTS = 3
PATIENCE = 1_800
"""For how many seconds a question about everything may run."""
UPGRADE = "The database does not have this program's schema. Run: scim-service db upgrade"


@dataclass(frozen=True)
class Service:
    """The settings and the open database that a command works with."""

    settings: Settings
    store: Store

    def ask(self, slug: str, question: Callable[[Work], T]) -> T:
        """The answer to a question about the tenant, from one snapshot."""
        with self.store.reading(self._tenant(slug), actor()) as work:
            return question(work)

    def ask_patiently(self, slug: str, question: Callable[[Work], T]) -> T:
        """The same for a question that looks at everything there is, which may take minutes."""
        with self.store.reading(self._tenant(slug), actor(), seconds=PATIENCE) as work:
            return question(work)

    def ask_any(self, question: Callable[[Work], T]) -> T:
        """The answer to a question that belongs to no one tenant."""
        with self.store.reading(EVERY_TENANT, actor()) as work:
            return question(work)

    def change(self, slug: str, act: Callable[[Work], T]) -> T:
        """Do one thing to the tenant in one transaction, again where the database asks for that (reliability.md G7)."""
        return self._write(self._tenant(slug), act)

    def change_any(self, act: Callable[[Work], T]) -> T:
        """Do one thing that belongs to no tenant yet, in one transaction."""
        return self._write(EVERY_TENANT, act)

    def rehearse(self, slug: str, act: Callable[[Work], T]) -> tuple[T, Preview]:
        """What a thing would answer, and do to the tenant's seats; nothing is changed (licensing.md A-12)."""
        writing = self._writing(self._tenant(slug))
        return _again(lambda: previews_of.rehearsed(writing, act))

    def change_confirmed(self, slug: str, act: Callable[[Work], T], version: str | None, braked: bool) -> T:
        """Do one thing to the tenant; with a version only if it comes to what that preview said."""
        writing = self._writing(self._tenant(slug))
        return _again(lambda: previews_of.made(writing, act, version, braked))

    def _tenant(self, slug: str) -> int:
        with self.store.reading(EVERY_TENANT, actor()) as work:
            return tenants.find(work, slug).id

    def _write(self, tenant_id: int, act: Callable[[Work], T]) -> T:
        return _again(lambda: previews_of.made(self._writing(tenant_id), act))

    def _writing(self, tenant_id: int) -> Callable[[], AbstractContextManager[Work]]:
        return lambda: self.store.writing(tenant_id, actor())


def _again(act: Callable[[], T]) -> T:
    """Do something, again where the database asks for that."""
    for _ in range(ATTEMPTS - 1):
        try:
            return act()
        except faults.Again:
            continue
    return act()


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    """The service of these settings, closed at the end; its database may still be without a schema."""
    store = app.open_store(settings)
    try:
        yield Service(settings, store)
    finally:
        store.database.close()


@contextmanager
def service() -> Iterator[Service]:
    """The service as the environment describes it. Raises ConfigError, and Refused for a database to be upgraded."""
    with opened(config.from_environment(os.environ)) as found:
        expect_current(found.store)
        yield found


def ask(slug: str, question: Callable[[Work], T]) -> T:
    """Open the service and ask one question about a tenant."""
    with service() as found:
        return found.ask(slug, question)


def ask_about_seats(slug: str, question: Callable[[Work], T]) -> T:
    """The same, after what time alone has changed: who lapsed holds no seat in the answer (licensing.md I-10)."""
    with service() as found:
        jobs.tick_due(found.store)
        return found.ask(slug, question)


def change(slug: str, act: Callable[[Work], T]) -> T:
    """Open the service and do one thing to a tenant."""
    with service() as found:
        return found.change(slug, act)


def change_previewed(
    slug: str,
    act: Callable[[Work], T],
    *,
    dry_run: bool = False,
    version: str | None = None,
    as_json: bool = False,
    braked: bool = False,
    beside: Callable[[T], Beside] | None = None,
) -> T:
    """The same for what changes who has access: with `dry_run` the preview is printed, and the command ends there.

    With a `version` the thing is done only if it comes to what that preview said; `braked`: without one it may take a
    license from few people only. Where it is refused for that, the fresh preview is printed before the refusal.
    `beside` makes of the answer what a dry run prints beside the preview; its status is that of the command.
    """
    with service() as found:
        if dry_run:
            answer, preview = found.rehearse(slug, act)
            more = beside(answer) if beside is not None else Beside()
            previews.show(preview, as_json, beside=more)
            raise click.exceptions.Exit(more.status)
        try:
            return found.change_confirmed(slug, act, version, braked)
        except previews_of.Unconfirmed as refusal:
            previews.show(refusal.preview, as_json, {"code": str(refusal.code), "detail": refusal.detail})
            raise


def expect_current(store: Store) -> None:
    """Raises Refused for a database that is empty, or of another version of this program."""
    file = store.database.file
    if file is not None and not file.exists():
        raise errors.Refused(UPGRADE)
    with store.reading(EVERY_TENANT, actor()) as work:
        if not schema_version.is_current(work.connection):
            raise errors.Refused(UPGRADE)


def actor() -> Actor:
    """Who is at the terminal, for the event log."""
    try:
        return Actor("cli", getpass.getuser())
    except (KeyError, OSError):
        return Actor("cli")
