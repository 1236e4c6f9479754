"""What a change of seats has to be told to whom, as messages in the outbox (licensing.md 4.7): N-4 and N-5.

The gate asks at the end of each transaction, once, about all that came of it; a preview asks the same and posts
nothing. What time alone had decided before is told by itself, as if a job had run on the second. Where nothing visible
changed nothing is read, nothing written and nothing told. Keys name what is told, not when: what is done again, or
happens again within the same grace or deadline, is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service.access import roles, told
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import addresses, languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import alerts, letters, net, type_names
from scim_service.licensing.alerts import Alert, Level
from scim_service.licensing.happenings import Effect
from scim_service.licensing.net import Net
from scim_service.licensing.type_names import Named
from scim_service.protocol.text import fold, format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

_users = tables.directory.users
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_DOCUMENTS = sa.select(_users.c.seq, _users.c.document).where(
    _users.c.tenant_id == _TENANT, _users.c.seq.in_(sa.bindparam("seqs", expanding=True))
)
_WAITING = (
    sa.select(sa.func.count())
    .select_from(_assignments)
    .where(_assignments.c.tenant_id == _TENANT, _assignments.c.type_seq == sa.bindparam("type"), tables.licensing.WAITS)
)


@dataclass(frozen=True)
class Notice:
    """One message with what it is for: the notice of 4.7, what happened, the kind of recipient, the type's code."""

    notice: str
    event: str
    recipient: str
    type_code: str
    message: Message


@dataclass(frozen=True)
class Due:
    """All that a change has to be told, and the alerts that are spent by it."""

    notices: Sequence[Notice] = ()
    alerts: Sequence[Alert] = field(default=())


def due(work: Work, settings: TenantSettings, effects: Iterable[Effect], before: Level, after: Level) -> Due:
    """What is to be told of these outcomes and of this change of numbers; nothing is written."""
    changes = [(event, one) for one in net.of(effects) if (event := _event(one)) is not None]
    spent = alerts.due(work, alerts.crossed(before, after))
    sent = [one for one in spent if one.told]
    if not changes and not sent:
        return Due((), spent)
    named = type_names.of_all(work)
    return Due(
        [*_to_people(work, settings, changes, named), *_to_administrators(work, settings, sent, after, named)], spent
    )


def post(work: Work, what: Due) -> None:
    """Put it in the outbox, and keep which alerts are spent."""
    outbox.post(work, [one.message for one in what.notices])
    alerts.note(work, what.alerts)


def documents(work: Work, user_seqs: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """The documents of these people, a statement for each 500."""
    rows = (row for chunk in chunks(user_seqs) for row in work.rows(_DOCUMENTS, seqs=list(chunk)))
    return {row.seq: orjson.loads(row.document) for row in rows}


def _event(one: Net) -> str | None:
    """What the person is told, if anything: nobody is written to who is inactive or banned."""
    return letters.about_person(one.change) if one.person.present else None


def _to_people(
    work: Work, settings: TenantSettings, changes: Sequence[tuple[str, Net]], named: Mapping[int, Named]
) -> Iterable[Notice]:
    """N-4: a letter for each person who can be reached."""
    known = documents(work, sorted({one.person.seq for _, one in changes}))
    for event, one in changes:
        document = known.get(one.person.seq, {})
        address = addresses.of_person(document)
        if address is None:
            continue
        language, kind = languages.of_person(document, settings), named[one.type_seq]
        key = f"n4:{event}:{one.person.id}:{kind.code}:{format_datetime(_instant(event, one))}"
        said = {"type": kind.told(language), **_said(event, one)}
        message = Message(key, event, address, language, said, one.person.seq)
        yield Notice("N-4", event, letters.PERSON, kind.code, message)


def _instant(event: str, one: Net) -> datetime:
    """What tells this event from another one of its kind: since when it is held, or until when it was, or will be."""
    before, after = one.change.before, one.change.after
    if event == letters.PROMOTED and after is not None:
        return after.since
    row = after if event == letters.DEADLINE_SET else before
    assert row is not None
    return row.until or row.since


def _said(event: str, one: Net) -> dict[str, Any]:
    after = one.change.after
    if after is None or event not in (letters.PROMOTED, letters.DEADLINE_SET):
        return {}
    if event == letters.PROMOTED:
        return {"since": format_datetime(after.since)}
    assert after.until is not None
    return {"until": format_datetime(after.until), "reason": after.reason}


def _to_administrators(
    work: Work, settings: TenantSettings, sent: Sequence[Alert], level: Level, named: Mapping[int, Named]
) -> Iterable[Notice]:
    """N-5: a letter for each license administrator of the type's product, the head among them."""
    if not sent:
        return
    everybody = told.everybody(work)
    for one in sent:
        kind = named[one.type_seq]
        said = {"type": kind.told(settings.language), **_numbers(work, one, level)}
        for administrator in told.license_administrators(everybody, kind.product):
            is_head = administrator.role == roles.HEAD
            key = f"low:{kind.code}:{one.event}:{one.arming}:{fold(administrator.email)}"
            message = Message(key, one.event, administrator.email, settings.language, said)
            recipient = letters.HEAD_ADMINISTRATOR if is_head else letters.LICENSE_ADMINISTRATORS
            yield Notice("N-5", one.event, recipient, kind.code, message)


def _numbers(work: Work, alert: Alert, level: Level) -> dict[str, Any]:
    limit, used = level.types[alert.type_seq].limit or 0, level.consuming[alert.type_seq]
    numbers = {"used": used, "limit": limit}
    if alert.event == letters.NONE_LEFT:
        return {**numbers, "waiting": int(work.value(_WAITING, type=alert.type_seq))}
    return {**numbers, "left": limit - used}
