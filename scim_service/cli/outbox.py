"""The command `outbox`: which letters wait, were sent, or could not be, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from scim_service import audit, errors
from scim_service.access import letters
from scim_service.cli import arguments, opening, output
from scim_service.config import Settings
from scim_service.delivery import entries, sending
from scim_service.delivery import outbox as messages
from scim_service.delivery.entries import Entry
from scim_service.delivery.letters import rendering
from scim_service.storage.work import Work

STATES = (messages.QUEUED, messages.SENT, messages.CANCELLED, messages.DEAD)
NO_SERVER = "no mail server is set: SCIM_SMTP_URL"
NO_KEY = "no secret key is set: SCIM_SECRET_KEY"
number = click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))


@click.group()
def outbox() -> None:
    """The letters of a tenant: those that wait, were sent, were not true any more, or could not be delivered."""


@outbox.command("list")
@arguments.slug
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--letter", metavar="NAME", help="Only this letter, such as invitation.")
@click.option("--to", metavar="EMAIL", help="Only those to this address.")
@arguments.as_json
def list_outbox(slug: str, state: str | None, letter: str | None, to: str | None, as_json: bool) -> None:
    """List the newest 1,000 letters, the newest last: to whom, in which state, and why.

    A letter that is queued is tried for three days; `tries` counts. One that is dead is tried no more, until `retry`.

    \b
    Example:
      scim-service outbox list acme --state dead
    """
    with opening.service() as service:
        found = service.ask(slug, lambda work: entries.listing(work, state, letter, to))
        now = service.store.clock.now()
    output.listing([_row(one, service.settings, now) for one in found], as_json, "No letter.")


@outbox.command()
@arguments.slug
@number
@arguments.as_json
def show(slug: str, number: int, as_json: bool) -> None:
    """Print a letter as text. Its links are left out: they are for the one who gets it.

    \b
    Example:
      scim-service outbox show acme 17
    """
    with opening.service() as service:
        found, subject, text = service.ask(slug, lambda work: _shown(work, number))
        now = service.store.clock.now()
    record = {**_row(found, service.settings, now), "subject": subject, "text": text}
    said = "\n".join(f"{name}: {output.cell(record[name])}" for name in ("to", "subject", "state", "reason"))
    output.made(f"{said}\n\n{text}", record, as_json)


@outbox.command()
@arguments.slug
@click.argument("number", metavar="[ID]", type=click.IntRange(1, 2**63 - 1), required=False)
@click.option("--dead", is_flag=True, help="All that are dead.")
@arguments.as_json
def retry(slug: str, number: int | None, dead: bool, as_json: bool) -> None:
    """Have a letter sent that is dead, or waits for its next try: at once, and with three days of tries before it.

    Whether it is still true is asked again when it leaves.

    \b
    Example:
      scim-service outbox retry acme 17
      scim-service outbox retry acme --dead
    """
    if (number is None) is not dead:
        raise click.UsageError("Write the letter's ID, or --dead for all that are dead.")
    count = opening.change(slug, lambda work: _retry(work, number))
    told = "1 letter is tried again." if count == 1 else f"{count} letters are tried again."
    output.made(told, {"retried": count}, as_json)


def _retry(work: Work, number: int | None) -> int:
    count = _retry_dead(work) if number is None else _retry_one(work, number)
    if count:
        audit.record(work, "outbox:retry", "outbox", letter=number, count=count)
    return count


def _retry_one(work: Work, number: int) -> int:
    found = _found(work, number)
    if sending.again(work, [found]):
        return 1
    why = "It is being sent at this moment." if found.state == messages.QUEUED else f"It is {found.state}."
    raise errors.Refused(f"Letter {number} cannot be tried again. {why}", code="not_dead")


def _retry_dead(work: Work) -> int:
    count = 0
    while some := sending.again(work, entries.listing(work, messages.DEAD)):
        count += some
    return count


def _found(work: Work, number: int) -> Entry:
    found = entries.find(work, number)
    if found is None:
        raise errors.NotFound(f"There is no letter {number}. See: scim-service outbox list")
    return found


def _shown(work: Work, number: int) -> tuple[Entry, str, str]:
    found = _found(work, number)
    try:
        letter = letters.shown(work, found)
    except (LookupError, TypeError, ValueError) as problem:
        raise errors.Refused(
            f"Letter {number} cannot be written: {type(problem).__name__} in its facts.", code="unwritable_letter"
        ) from problem
    return found, letter.subject, rendering.text(letter)


def _row(one: Entry, settings: Settings, now: datetime) -> dict[str, Any]:
    return {
        "id": one.seq,
        "letter": one.letter,
        "to": one.recipient,
        "language": one.language,
        "state": one.state,
        "tries": one.tries,
        "since": one.created_at,
        "due": one.due_at if one.state == messages.QUEUED else None,
        "ended": one.ended_at,
        "reason": one.reason or _why_it_waits(one, settings, now),
    }


def _why_it_waits(one: Entry, settings: Settings, now: datetime) -> str | None:
    """Why a letter that is due is not sent, where that is for want of a setting."""
    if one.state != messages.QUEUED or one.due_at > now:
        return None
    if settings.smtp_url is None:
        return NO_SERVER
    return NO_KEY if settings.secret_key is None else None
