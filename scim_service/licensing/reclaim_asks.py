"""Whoever does not use a license is asked whether to keep it, where the type says so (licensing.md E-29).

Asked once a cycle: a letter with two links, a reminder after 7 days, and after 14 the direct claim is released, or the
license reported where a group or an attribute gives it, or where it is pinned. Who answers, or uses the product again,
ends the cycle. For 30 days after it the person is left alone. Who has no address is not asked, and loses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import links
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import addresses, languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import catalog, direct, facts, gate, reclaim, type_names
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.type_names import Named
from scim_service.protocol.text import format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work

OPEN, KEPT, GIVEN_UP, RELEASED, REPORTED, OVER = "open", "kept", "given_up", "released", "reported", "over"
ENDS = frozenset({KEPT, GIVEN_UP, RELEASED, REPORTED})
"""How a question ends that administrators read of."""

ASKED, REMINDED = 0, 1
"""Steps of an open cycle: what was done last."""

REMIND, RELEASE, COOL_DOWN = timedelta(days=7), timedelta(days=14), timedelta(days=30)
DEFAULT_DAYS = 30
"""So long idle is idle, where a type asks without saying how long."""

ASK, REMINDER, GONE = "reclaim_ask", "reclaim_reminder", "reclaim_released"
RECLAIMED = "reclaimed"
"""Why a claim ended, as the event log says it."""

_asks = tables.usage.reclaim_asks
_users = tables.directory.users
_accounts = tables.directory.accounts
_assignments = tables.licensing.assignments
_types = tables.licensing.license_types
_tenants = tables.access.tenants
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_MINE = _asks.c.tenant_id == _TENANT
_WHICH = _asks.c.seq == sa.bindparam("which")
_OF_TYPE = sa.select(_asks).where(_MINE, _asks.c.type_seq == sa.bindparam("type"))
_ONE = (
    sa.select(
        _asks,
        _users.c.id,
        _users.c.document,
        _users.c.active,
        _accounts.c.last_active_at,
        _assignments.c.state.label("license"),
        _assignments.c.since,
        _tenants.c.settings,
    )
    .join(_users, sa.and_(_users.c.tenant_id == _asks.c.tenant_id, _users.c.seq == _asks.c.user_seq))
    .join(_tenants, _tenants.c.id == _asks.c.tenant_id)
    .outerjoin(_accounts, sa.and_(_accounts.c.tenant_id == _asks.c.tenant_id, _accounts.c.user_seq == _asks.c.user_seq))
    .outerjoin(
        _assignments,
        sa.and_(
            _assignments.c.tenant_id == _asks.c.tenant_id,
            _assignments.c.user_seq == _asks.c.user_seq,
            _assignments.c.type_seq == _asks.c.type_seq,
        ),
    )
    .where(_MINE, _WHICH)
)
_LOCK = sa.select(_asks.c.seq).where(_MINE, _WHICH).with_for_update()
_DUE = (
    sa.select(_asks.c.tenant_id, _asks.c.seq, _asks.c.cycle)
    .where(_asks.c.state == OPEN, _asks.c.due_at <= sa.bindparam("now", type_=_asks.c.due_at.type))
    .order_by(_asks.c.tenant_id, _asks.c.seq)
    .execution_options(across_tenants=True)
)
_ASKING = (
    sa.select(_types.c.tenant_id, _types.c.settings)
    .where(_types.c.settings != "{}", _types.c.retired_at.is_(None))
    .order_by(_types.c.tenant_id)
    .execution_options(across_tenants=True)
)
_SETTINGS = sa.select(_tenants.c.settings).where(_tenants.c.id == _TENANT)
_BEGIN = ("cycle", "nonce", "state", "step", "asked_at", "due_at", "ended_at", "not_before")
_AGAIN = sa.update(_asks).where(_MINE, _WHICH).values({_asks.c[name]: sa.bindparam(f"new_{name}") for name in _BEGIN})
_STEP = sa.update(_asks).where(_MINE, _WHICH).values(step=REMINDED, due_at=sa.bindparam("due"))
_END = (
    sa.update(_asks)
    .where(_MINE, _WHICH)
    .values(
        state=sa.bindparam("new_state"),
        due_at=None,
        ended_at=sa.bindparam("now"),
        not_before=sa.bindparam("again", type_=_asks.c.not_before.type),
    )
)


@dataclass(frozen=True)
class Asked:
    """An open question, for the page that shows it: about which type, since how many days idle, and until when."""

    user_name: str
    kind: Named
    language: str
    idle_days: int
    release_at: datetime


def asking_tenants(work: Work) -> list[int]:
    """The tenants of which a type asks."""
    asks = (row.tenant_id for row in work.rows(_ASKING) if orjson.loads(row.settings).get("reclaim_asks"))
    return list(dict.fromkeys(asks))


def due(work: Work) -> list[tuple[int, int, int]]:
    """(tenant, seq, cycle) of the questions about which something is due."""
    return [(row.tenant_id, row.seq, row.cycle) for row in work.rows(_DUE, now=work.now)]


def begin(work: Work) -> int:
    """Ask every idle holder of a type that asks, who was not asked lately; how many were asked."""
    settings = TenantSettings.of(work.value(_SETTINGS))
    kinds = [kind for kind in catalog.types(work) if kind.options.reclaim_asks and not kind.retired]
    return sum(_ask_holders(work, settings, kind) for kind in kinds)


def step(work: Work, seq: int, cycle: int) -> str:
    """Do what is due for one question: remind, or release; the state that it comes to."""
    row = _locked(work, seq, cycle)
    if row is None or row.due_at > work.now:
        return OVER
    kind = _kind(work, row.type_seq)
    if not kind.options.reclaim_asks or not _is_idle(row):
        return _end(work, row, kind, OVER)
    return _remind(work, row, kind) if row.step == ASKED else _release(work, row, kind, RELEASED)


def look(work: Work, seq: int, cycle: int) -> Asked | None:
    """An open question of this cycle, or None; nothing is changed."""
    row = work.row(_ONE, which=seq)
    if row is None or (row.state, row.cycle) != (OPEN, cycle):
        return None
    document, settings = orjson.loads(row.document), TenantSettings.of(row.settings)
    kind, language = type_names.of_all(work)[row.type_seq], languages.of_person(document, settings)
    return Asked(document["userName"], kind, language, _idle_days(row, work.now), _release_at(row))


def answer(work: Work, seq: int, cycle: int, keep: bool) -> str:
    """The person's answer; the state that it comes to. Giving up what a group gives is reported, as nobody can here.

    Raises NotFound where the question is not open any more.
    """
    row = _locked(work, seq, cycle)
    if row is None:
        raise errors.NotFound("This question was answered already, or is over.", code="not_open")
    kind = _kind(work, row.type_seq)
    if keep:
        return _end(work, row, kind, KEPT)
    return _release(work, row, kind, GIVEN_UP)


def subject(work: Work, kind: str, seq: int) -> links.Subject | None:
    """What a link about this question is made of, `kind` is links.KEEP or links.GIVE_UP; None where none can be."""
    row = work.row(_ONE, which=seq)
    address = None if row is None else addresses.of_person(orjson.loads(row.document))
    if row is None or address is None:
        return None
    return links.Subject(kind, row.tenant_id, row.seq, row.cycle, row.nonce, address)


def _ask_holders(work: Work, settings: TenantSettings, kind: LicenseType) -> int:
    idle = timedelta(days=kind.options.reclaim or DEFAULT_DAYS)
    known = {row.user_seq: row for row in work.rows(_OF_TYPE, type=kind.seq)}
    wanted = [
        (row, orjson.loads(row.document))
        for row in reclaim.idle_rows(work, kind.seq, idle)
        if _may_be_asked(known.get(row.user_seq), work.now)
    ]
    reached = {row.user_seq: (row, document) for row, document in wanted if addresses.of_person(document)}
    _write(work, kind.seq, known, list(reached))
    now = {row.user_seq: row for row in work.rows(_OF_TYPE, type=kind.seq)}
    made = [(now[seq], row, document) for seq, (row, document) in reached.items()]
    named = type_names.of_all(work)[kind.seq]
    outbox.post(work, [_letter(ask, row, document, settings, named, work.now) for ask, row, document in made])
    asked = [("reclaim:asked", row.id, {"type": kind.code, "cycle": ask.cycle}) for ask, row, _ in made]
    audit.record_many(work, asked)
    return len(made)


def _may_be_asked(row: Any, now: datetime) -> bool:
    return row is None or (row.state != OPEN and (row.not_before is None or row.not_before <= now))


def _write(work: Work, type_seq: int, known: Mapping[int, Any], user_seqs: Sequence[int]) -> None:
    fresh = {"state": OPEN, "step": ASKED, "asked_at": work.now, "due_at": work.now + REMIND}
    more: dict[str, Any] = {**fresh, "ended_at": None, "not_before": None}
    rows = [
        {"user_seq": seq, "type_seq": type_seq, "cycle": 1, "nonce": secrets.token_hex(16), **more}
        for seq in user_seqs
        if seq not in known
    ]
    work.insert(_asks, rows)
    for seq in user_seqs:
        if (old := known.get(seq)) is not None:
            new = {"cycle": old.cycle + 1, "nonce": secrets.token_hex(16), **more}
            work.execute(_AGAIN, which=old.seq, **{f"new_{name}": new[name] for name in _BEGIN})


def _letter(
    ask: Any, person: Any, document: Mapping[str, Any], settings: TenantSettings, kind: Named, now: datetime
) -> Message:
    """The question, or the reminder, as the ask's row stands now."""
    letter, word = (ASK, "ask") if ask.step == ASKED else (REMINDER, "remind")
    language = languages.of_person(document, settings)
    said = {
        "type": kind.told(language),
        "idle_days": _idle_days(person, now),
        "release_at": format_datetime(_release_at(ask)),
        "keep_link": {"kind": links.KEEP, "seq": ask.seq, "cycle": ask.cycle},
        "give_up_link": {"kind": links.GIVE_UP, "seq": ask.seq, "cycle": ask.cycle},
    }
    key = f"rcl:{person.id}:{kind.code}:{ask.cycle}:{word}"
    return Message(key, letter, addresses.of_person(document) or "", language, said, ask.user_seq)


def _remind(work: Work, row: Any, kind: LicenseType) -> str:
    """Once more, and then so long that there are 7 days to answer, however late this comes."""
    work.execute(_STEP, which=row.seq, due=max(row.asked_at + RELEASE, work.now + RELEASE - REMIND))
    document = orjson.loads(row.document)
    if addresses.of_person(document) is None:
        return _end(work, row, kind, OVER)
    reminded = work.row(_ONE, which=row.seq)
    assert reminded is not None
    settings, named = TenantSettings.of(row.settings), type_names.of_all(work)[kind.seq]
    outbox.post(work, [_letter(reminded, reminded, document, settings, named, work.now)])
    audit.record(work, "reclaim:reminded", row.id, type=kind.code, cycle=row.cycle)
    return OPEN


def _release(work: Work, row: Any, kind: LicenseType, word: str) -> str:
    """End what was given by hand, or report what was not; the person is told where nobody answered."""
    document = orjson.loads(row.document)
    user = direct.locked_person(work, document["userName"])
    entered = gate.enter(work)
    [person] = entered.load([user.seq])
    live = [one for one in person.claims if one.type_seq == kind.seq and one.until is None]
    if not live or any(one.source not in direct.BY_HAND or one.pinned for one in live):
        return _end(work, row, kind, REPORTED)
    direct.end(entered, person, kind.seq, live, RECLAIMED)
    entered.settle([person.seq])
    address = addresses.of_person(document)
    if word == RELEASED and address is not None:
        language = languages.of_person(document, TenantSettings.of(row.settings))
        said = {"type": type_names.of_all(work)[kind.seq].told(language)}
        key = f"rcl:{row.id}:{kind.code}:{row.cycle}:released"
        outbox.post(work, [Message(key, GONE, address, language, said, row.user_seq)])
    return _end(work, row, kind, word)


def _end(work: Work, row: Any, kind: LicenseType, state: str) -> str:
    """End the cycle. Who is active again may be asked as soon as that is idle again; everybody else is left alone."""
    again = None if state == OVER else work.now + COOL_DOWN
    work.execute(_END, which=row.seq, new_state=state, now=work.now, again=again)
    keys = [f"rcl:{row.id}:{kind.code}:{row.cycle}:{word}" for word in ("ask", "remind")]
    outbox.cancel(work, keys, "the question is over")
    audit.record(work, f"reclaim:{state}", row.id, type=kind.code, cycle=row.cycle)
    return state


def _locked(work: Work, seq: int, cycle: int) -> Any:
    """The open question of this cycle, held; None where there is none."""
    work.row(_LOCK, which=seq)
    row = work.row(_ONE, which=seq)
    return row if row is not None and (row.state, row.cycle) == (OPEN, cycle) else None


def _kind(work: Work, type_seq: int) -> LicenseType:
    return next(kind for kind in catalog.types(work) if kind.seq == type_seq)


def _is_idle(row: Any) -> bool:
    """Whether the person still has the license, and has not used the product since the question."""
    used = row.last_active_at is not None and row.last_active_at > row.asked_at
    return row.active and row.license == facts.ASSIGNED and row.since <= row.asked_at and not used


def _idle_days(row: Any, now: datetime) -> int:
    since: datetime = max(row.since or now, row.last_active_at or row.since or now)
    return (now - since).days


def _release_at(ask: Any) -> datetime:
    found: datetime = ask.asked_at + RELEASE if ask.step == ASKED else ask.due_at
    return found
