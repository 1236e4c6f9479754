"""What the administrators read once a week (licensing.md 4.7, N-4 and N-7, decision 42): data, a list for each subject.

Everything is as it is now, but for what happened: that is since the digest before. A license administrator reads of the
own products. Long lists are cut, and how much is left out is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service import audit
from scim_service.licensing import facts, reclaim_asks, type_names
from scim_service.licensing.happenings import RELEASED, YIELDED
from scim_service.licensing.type_names import Named
from scim_service.protocol.text import format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

MOST = 25
"""So many of one subject are written out."""

SOON = timedelta(days=14)
"""What expires within so long is told."""

_users = tables.directory.users
_administrators = tables.access.administrators
_invitations = tables.access.invitations
_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_drops = tables.licensing.capacity_drops
_requests = tables.licensing.requests
_rules = tables.licensing.rules
_asks = tables.usage.reclaim_asks
_types = tables.licensing.license_types
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")


def _of_person(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(_users.c.tenant_id == table.c.tenant_id, _users.c.seq == table.c.user_seq)


_other = _claims.alias("other")
_STAYS = sa.exists().where(
    _other.c.tenant_id == _TENANT,
    _other.c.user_seq == _claims.c.user_seq,
    _other.c.type_seq == _claims.c.type_seq,
    _other.c.seq != _claims.c.seq,
    _other.c.until.is_(None),
    _other.c.held_back.is_(None),
    _other.c.expires_at.is_(None),
)
_WAITING = (
    sa.select(_assignments.c.type_seq, sa.func.count().label("people"))
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .where(_assignments.c.tenant_id == _TENANT, tables.licensing.WAITS)
    .group_by(_assignments.c.type_seq, _types.c.code)
    .order_by(_types.c.code)
)
_LAPSED = (
    sa.select(
        _invitations.c.email,
        _invitations.c.kind,
        sa.func.coalesce(_users.c.display, _administrators.c.name).label("name"),
    )
    .outerjoin(_users, _of_person(_invitations))
    .outerjoin(
        _administrators,
        sa.and_(
            _administrators.c.tenant_id == _invitations.c.tenant_id,
            _administrators.c.seq == _invitations.c.administrator_seq,
        ),
    )
    .where(
        _invitations.c.tenant_id == _TENANT,
        _invitations.c.state == "lapsed",
        _invitations.c.done_at >= sa.bindparam("since", type_=_invitations.c.done_at.type),
        _invitations.c.done_at < sa.bindparam("until", type_=_invitations.c.done_at.type),
    )
    .order_by(_invitations.c.done_at, _invitations.c.seq)
)
_EXPIRING = (
    sa.select(_users.c.display, _claims.c.type_seq, _claims.c.expires_at)
    .join(_users, _of_person(_claims))
    .where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.expires_at <= sa.bindparam("soon", type_=_claims.c.expires_at.type),
        _claims.c.until.is_(None),
        _users.c.active,
        sa.not_(_STAYS),
    )
    .order_by(_claims.c.expires_at, _claims.c.seq)
)
_PLANNED = sa.select(_drops).where(_drops.c.tenant_id == _TENANT).order_by(_drops.c.deadline, _drops.c.seq)
_OPEN = (
    sa.select(_users.c.display, _requests.c.type_seq, _requests.c.made_at)
    .join(_users, _of_person(_requests))
    .where(_requests.c.tenant_id == _TENANT, _requests.c.state == "open")
    .order_by(_requests.c.made_at, _requests.c.seq)
)
_CONFLICTS = (
    sa.select(_users.c.display, _assignments.c.user_seq, _assignments.c.type_seq, _types.c.family)
    .join(_users, _of_person(_assignments))
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.state == facts.BLOCKED,
        _assignments.c.reason == facts.CONFLICT,
        _types.c.conflict_policy == facts.MANUAL,
        _types.c.family.is_not(None),
    )
    .order_by(_users.c.display, _assignments.c.user_seq, _types.c.code)
)
_BESIDE = (
    sa.select(_assignments.c.user_seq, _assignments.c.type_seq, _types.c.code, _types.c.family)
    .join(_types, sa.and_(_types.c.tenant_id == _assignments.c.tenant_id, _types.c.seq == _assignments.c.type_seq))
    .where(_assignments.c.tenant_id == _TENANT, _assignments.c.user_seq.in_(sa.bindparam("seqs", expanding=True)))
    .order_by(_types.c.code)
)
_ORPHANS = (
    sa.select(_rules.c.group_name, _rules.c.type_seq)
    .where(_rules.c.tenant_id == _TENANT, _rules.c.state == "orphaned")
    .order_by(_rules.c.group_name, _rules.c.seq)
)
_RECLAIMED = (
    sa.select(_users.c.display, _asks.c.type_seq, _asks.c.state)
    .join(_users, _of_person(_asks))
    .where(
        _asks.c.tenant_id == _TENANT,
        _asks.c.state.in_(sorted(reclaim_asks.ENDS)),
        _asks.c.ended_at >= sa.bindparam("since", type_=_asks.c.ended_at.type),
        _asks.c.ended_at < sa.bindparam("until", type_=_asks.c.ended_at.type),
    )
    .order_by(_asks.c.ended_at, _asks.c.seq)
)
_DISPLAYS = sa.select(_users.c.id, _users.c.display).where(
    _users.c.tenant_id == _TENANT, _users.c.id.in_(sa.bindparam("ids", expanding=True))
)


@dataclass(frozen=True)
class Line:
    """One thing to say: the type that it is about (None: about none), and what the letter needs."""

    type_seq: int | None
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Digest:
    """What there is to say of a tenant, by subject."""

    named: Mapping[int, Named]
    lines: Mapping[str, Sequence[Line]]

    def told(self, products: Collection[str] | None, language: str) -> dict[str, Any]:
        """The facts of the letter: of all types, or of those of some products; `more` counts what is left out.

        Empty where there is nothing to say.
        """
        found, more = {}, {}
        for subject, lines in self.lines.items():
            mine = [one for one in lines if products is None or self._is_of(one, products)]
            found[subject] = [self._fact(one, language) for one in mine[:MOST]]
            if len(mine) > MOST:
                more[subject] = len(mine) - MOST
        return {**found, "more": more} if any(found.values()) else {}

    def _is_of(self, line: Line, products: Collection[str]) -> bool:
        return line.type_seq is None or self.named[line.type_seq].product in products

    def _fact(self, line: Line, language: str) -> dict[str, Any]:
        kind = {} if line.type_seq is None else {"type": self.named[line.type_seq].told(language)}
        return {**kind, **line.said}


@dataclass(frozen=True)
class Period:
    """What happened from an instant until just before another is told."""

    since: datetime
    until: datetime


def of(work: Work, period: Period) -> Digest:
    """All that there is to say; what happened counts within the period."""
    named = type_names.of_all(work)
    happened = _happened(work, period, {one.code: seq for seq, one in named.items()})
    return Digest(named, {**{name: list(lines(work, period)) for name, lines in _SUBJECTS.items()}, **happened})


def _waiting(work: Work, _period: Period) -> Iterable[Line]:
    return (Line(row.type_seq, {"count": row.people}) for row in work.rows(_WAITING))


def _lapsed(work: Work, period: Period) -> Iterable[Line]:
    for row in work.rows(_LAPSED, since=period.since, until=period.until):
        yield Line(None, {"name": row.name, "email": row.email, "kind": row.kind})


def _expiring(work: Work, _period: Period) -> Iterable[Line]:
    for row in work.rows(_EXPIRING, soon=work.now + SOON):
        yield Line(row.type_seq, {"name": row.display, "until": format_datetime(row.expires_at)})


def _planned(work: Work, _period: Period) -> Iterable[Line]:
    for row in work.rows(_PLANNED):
        said = {"seats": row.amount, "reason": row.reason, "until": format_datetime(row.deadline)}
        yield Line(row.type_seq, said)


def _open(work: Work, _period: Period) -> Iterable[Line]:
    for row in work.rows(_OPEN):
        yield Line(row.type_seq, {"name": row.display, "since": format_datetime(row.made_at)})


def _conflicts(work: Work, _period: Period) -> Iterable[Line]:
    """Who has reasons for several types of a family that somebody has to choose from (A-7)."""
    blocked = work.rows(_CONFLICTS)
    beside: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for chunk in chunks(sorted({row.user_seq for row in blocked})):
        for row in work.rows(_BESIDE, seqs=list(chunk)):
            beside.setdefault((row.user_seq, row.family), []).append((row.type_seq, row.code))
    for row in blocked:
        others = [code for seq, code in beside[row.user_seq, row.family] if seq != row.type_seq]
        yield Line(row.type_seq, {"name": row.display, "with": others})


def _orphans(work: Work, _period: Period) -> Iterable[Line]:
    return (Line(row.type_seq, {"group": row.group_name}) for row in work.rows(_ORPHANS))


def _reclaimed(work: Work, period: Period) -> Iterable[Line]:
    """What came of asking idle people (E-29)."""
    for row in work.rows(_RECLAIMED, since=period.since, until=period.until):
        yield Line(row.type_seq, {"name": row.display, "outcome": row.state})


_SUBJECTS: dict[str, Callable[[Work, Period], Iterable[Line]]] = {
    "waiting": _waiting,
    "lapsed": _lapsed,
    "expiring": _expiring,
    "drops": _planned,
    "requests": _open,
    "conflicts": _conflicts,
    "orphans": _orphans,
    "reclaimed": _reclaimed,
}


def _happened(work: Work, period: Period, seqs: Mapping[str, int]) -> dict[str, list[Line]]:
    """Who moved up, and who lost a seat to somebody who waits or to a deadline; each person and type once."""
    found: dict[str, dict[tuple[str, int], dict[str, Any]]] = {"promoted": {}, "lost": {}}
    for event in audit.since(work, period.since, "license:"):
        key = (event.subject, seqs.get(event.data["type"], 0))
        subject = _subject(event) if event.at < period.until else None
        if subject is not None and key[1]:
            found[subject][key] = _said(subject, event)
    ids = sorted({person for lines in found.values() for person, _ in lines})
    names = {row.id: row.display for chunk in chunks(ids) for row in work.rows(_DISPLAYS, ids=list(chunk))}
    return {
        subject: [
            Line(seq, {"name": names[person], **said}) for (person, seq), said in lines.items() if person in names
        ]
        for subject, lines in found.items()
    }


def _subject(event: audit.Event) -> str | None:
    state, before = event.action.partition(":")[2], event.data["from"]
    if before == facts.WAITING and state in facts.EFFECTIVE:
        return "promoted"
    dropped = before == facts.GRACE and state in (facts.WAITING, facts.EXPIRED)
    yielded = state == RELEASED and event.data["reason"] == YIELDED
    return "lost" if dropped or yielded else None


def _said(subject: str, event: audit.Event) -> dict[str, Any]:
    if subject == "promoted":
        return {"since": format_datetime(datetime.fromisoformat(event.data["since"]))}
    return {"reason": YIELDED if event.data["reason"] == YIELDED else "drop_executed"}
