"""The job `outbox`: letters leave (licensing.md 4.6; reliability.md F4, F11).

A round takes messages, asks of each right before it leaves whether it is still true, writes it, hands it over, and
marks it. No transaction is open while the mail server is spoken to. A letter that cannot be written, a recipient whom
the server refuses and a server that is down stop none but themselves.

It is not fenced by the lease of the jobs: a letter that the server took has to be marked, whoever leads by then. What
keeps two senders apart is the lease on each message.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from scim_service import errors
from scim_service.access import letters, links
from scim_service.delivery import addresses, compose, sending, smtp
from scim_service.delivery.compose import BadAddress, Mail, Office
from scim_service.delivery.entries import Entry
from scim_service.delivery.smtp import Answer, Session, Transport, Trouble
from scim_service.jobs import dead_letters, items, truth
from scim_service.jobs.job import Context, Report
from scim_service.jobs.worker import new_owner
from scim_service.storage.work import EVERY_TENANT, Actor, Work

NAME = "outbox"
ROUND_SECONDS = 60.0
"""A round begins no further batch after so long; the next one is due anyhow."""

SESSION_SECONDS = 40.0
"""Nor a session a further letter: it is cut off at a minute."""

MARK_SECONDS = 60.0
"""For so long a mark is tried again where the database is away: without it the letter would be sent again."""

NOBODY = "no operator is named"
NO_LINK = "its link is dead"
NO_BASE = "letters hold links, and no URL is configured for them: set SCIM_PUBLIC_URL"
_log = logging.getLogger("scim_service.jobs")


@dataclass(frozen=True)
class Stays:
    """A message that is not sent now, and what is to be done with it instead: a function of `sending`, and why."""

    mark: Callable[[Work, Entry, str, str], bool]
    reason: str


def run(context: Context) -> Report:
    """Send what is due. Without a mail server, or a secret key to make links with, everything waits where it is."""
    transport = smtp.transport(context.settings)
    if transport is None or context.settings.secret_key is None:
        return Report()
    sender = Sender(context, transport, context.settings.secret_key)
    done = sender.round()
    dead_letters.tell(context)
    return done


class Sender:
    """One round of one process."""

    def __init__(self, context: Context, transport: Transport, secret_key: str) -> None:
        self._context = context
        self._transport = transport
        self._office = Office(context.settings.mail_from, secret_key)
        self._base: str | None = None
        with suppress(errors.Refused):
            self._base = links.base(context.settings)
        self._lease = new_owner()
        self._actor = Actor("job", NAME)
        self._sent = self._failed = 0

    def round(self) -> Report:
        """Batch after batch, until nothing is due, the server is in trouble, or time is up."""
        began = time.monotonic()
        while time.monotonic() - began < ROUND_SECONDS and not self._context.is_over():
            with self._context.store.writing(EVERY_TENANT, self._actor) as work:
                batch = sending.take(work, self._lease)
            if not batch or not self._deliver(batch):
                break
        return Report(self._sent, self._failed)

    def _deliver(self, batch: Sequence[Entry]) -> bool:
        """Send a batch, in as many sessions as it takes; whether there is any use in going on."""
        waiting = deque(batch)
        try:
            while waiting and not self._context.is_over():
                self._one_session(waiting)
        except Trouble as trouble:
            _log.error("the mail server is in trouble", extra={"job": NAME})
            for entry in waiting:
                self._put_off(entry, str(trouble))
            waiting.clear()
            return False
        finally:
            self._release(list(waiting))
        return not self._context.is_over()

    def _release(self, entries: Sequence[Entry]) -> None:
        """Give back what was taken and not tried."""
        if not entries:
            return
        with self._context.store.writing(EVERY_TENANT, self._actor) as work:
            sending.release(work, entries, self._lease)

    def _one_session(self, waiting: deque[Entry]) -> None:
        began = time.monotonic()
        with self._transport.open() as session:
            while waiting and time.monotonic() - began < SESSION_SECONDS and not self._context.is_over():
                if self._one(session, waiting.popleft()):
                    break

    def _one(self, session: Session, entry: Entry) -> bool:
        """One message, by itself, whatever goes wrong with it; whether the session is over."""
        over: list[bool] = []
        trouble = items.attempted(lambda careful: over.append(self._send(session, entry)))
        if trouble is None:
            return over[-1]
        _log.error("a letter could not be sent", extra=self._about(entry), exc_info=trouble.exception)
        if trouble.is_busy:
            self._release([entry])
        else:
            self._put_off(entry, f"the letter could not be written: {trouble.error}", items.TRIES)
        return True

    def _send(self, session: Session, entry: Entry) -> bool:
        with self._context.store.reading(entry.tenant_id, self._actor) as work:
            mail = self._mail(work, entry)
        if mail is None:
            return False
        if isinstance(mail, Stays):
            mark, reason = mail.mark, mail.reason
            self._mark(entry, lambda work, entry, lease: mark(work, entry, lease, reason))
            return False
        answer = session.send(mail)
        self._note(entry, answer)
        return answer.over

    def _mail(self, work: Work, entry: Entry) -> Mail | Stays | None:
        """The mail as it is true now; or why there is none; None where the message is somebody else's by now."""
        if not sending.is_held(work, entry, self._lease):
            return None
        to = self._recipient(entry)
        if to is None:
            return Stays(sending.cancelled, NOBODY)
        reason = truth.reason_against(work, entry)
        if reason is not None:
            return Stays(sending.cancelled, reason)
        try:
            letter = letters.live(work, entry, self._office.secret_key, self._base)
            return compose.mail(letter, to, self._office, entry.tenant_id, entry.key, work.now)
        except letters.DeadLink:
            return Stays(sending.cancelled, NO_LINK)
        except letters.NoBase:
            return Stays(sending.held, NO_BASE)
        except BadAddress as problem:
            return Stays(sending.dead, f"no mail can be sent to this address: {problem}")

    def _recipient(self, entry: Entry) -> str | None:
        return self._context.settings.operator_email if entry.recipient == addresses.OPERATOR else entry.recipient

    def _note(self, entry: Entry, answer: Answer) -> None:
        if answer.ours:
            _log.error("the mail server refuses this service", extra=self._about(entry))
        if answer.outcome == smtp.SENT:
            self._mark(entry, sending.sent)
            self._sent += 1
        elif answer.outcome == smtp.NEVER:
            self._mark(entry, partial(sending.dead, reason=answer.reason))
            self._failed += 1
        else:
            self._put_off(entry, answer.reason)

    def _put_off(self, entry: Entry, reason: str, most: int = len(sending.WAITS) + 1) -> None:
        self._mark(entry, partial(sending.put_off, reason=reason, most=most))
        self._failed += 1

    def _mark(self, entry: Entry, mark: Callable[[Work, Entry, str], bool]) -> None:
        """Say what became of it; again and again for a while, as the mail server does not forget."""
        began = time.monotonic()
        while True:
            trouble = items.attempted(partial(self._marked, entry, mark))
            if trouble is None:
                return
            if not trouble.is_busy or time.monotonic() - began > MARK_SECONDS:
                _log.error("a letter could not be marked", extra=self._about(entry), exc_info=trouble.exception)
                return
            time.sleep(1.0)

    def _marked(self, entry: Entry, mark: Callable[[Work, Entry, str], bool], careful: bool) -> None:
        with self._context.store.writing(entry.tenant_id, self._actor, careful=careful) as work:
            if not mark(work, entry, self._lease):
                _log.warning("a letter was somebody else's when it was to be marked", extra=self._about(entry))

    def _about(self, entry: Entry) -> dict[str, object]:
        return {"job": NAME, "tenant": entry.tenant_id}
