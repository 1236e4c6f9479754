"""The reasons a person has for a type (licensing.md D-9): made, left to linger, revived, ended.

A claim's source is `direct`, `scim`, `request` or `rule:<seq>`; there is one open claim per person, type and source. It
is live, or it lingers until an instant and then ends. While its person is inactive it is dormant, which is not stored:
it follows from the person. Claims change under the gate only; what changes is gathered here and written when the gate
settles.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.licensing.facts import Claim, Person
from scim_service.storage import tables
from scim_service.storage.work import CHUNK, Work, chunks

DIRECT, REQUEST, SCIM = "direct", "request", "scim"
PRIORITY = {DIRECT: 0, REQUEST: 50, SCIM: 100}
"""Of claims that no rule makes (D-9); a rule brings its own."""

_claims = tables.licensing.claims
_memberships = tables.directory.memberships
_nestings = tables.directory.nestings
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQS: sa.BindParameter[Any] = sa.bindparam("seqs", expanding=True)
_OF_ONE = (_claims.c.tenant_id == _TENANT, _claims.c.seq == sa.bindparam("which"))

_BY_PERSON = sa.select(_claims).where(_claims.c.tenant_id == _TENANT).order_by(_claims.c.user_seq, _claims.c.rank_seq)
_OF_PEOPLE = _BY_PERSON.where(_claims.c.user_seq.in_(_SEQS))
_OF_RUN = _BY_PERSON.where(_claims.c.user_seq.between(sa.bindparam("low"), sa.bindparam("high")))
_CLAIMANTS = (
    sa.select(_claims.c.user_seq)
    .where(_claims.c.tenant_id == _TENANT, _claims.c.user_seq.in_(_SEQS))
    .group_by(_claims.c.user_seq)
)
_OF_RULE = (
    sa.select(_claims.c.user_seq)
    .where(_claims.c.tenant_id == _TENANT, _claims.c.rule_seq == sa.bindparam("rule"))
    .order_by(_claims.c.rank_seq)
)
_LAPSED = [
    sa.select(_claims.c.user_seq).where(
        _claims.c.tenant_id == _TENANT, column.is_not(None), column <= sa.bindparam("at")
    )
    for column in (_claims.c.until, _claims.c.expires_at)
]
_CHANGED = ("priority", "since", "rank_seq", "until", "ending", "expires_at", "held_back", "pinned", "note")
_CHANGE = sa.update(_claims).where(*_OF_ONE).values({_claims.c[name]: sa.bindparam(f"new_{name}") for name in _CHANGED})
_END = sa.delete(_claims).where(*_OF_ONE)
_FORGET_RULE = (
    sa.update(_claims)
    .where(_claims.c.tenant_id == _TENANT, _claims.c.rule_seq == sa.bindparam("rule"))
    .values(rule_seq=None)
)


def _inside() -> sa.Select[Any]:
    """(user_seq, group_seq): which of the groups `:groups` each of the people `:seqs` is in, at any depth (D-6)."""
    start = sa.select(_memberships.c.user_seq, _memberships.c.group_seq).where(
        _memberships.c.tenant_id == _TENANT, _memberships.c.user_seq.in_(_SEQS)
    )
    reached = start.cte("reached", recursive=True)
    reached = reached.union(
        sa.select(reached.c.user_seq, _nestings.c.group_seq).where(
            _nestings.c.tenant_id == _TENANT, _nestings.c.child_seq == reached.c.group_seq
        )
    )
    return sa.select(reached.c.user_seq, reached.c.group_seq).where(
        reached.c.group_seq.in_(sa.bindparam("groups", expanding=True))
    )


_INSIDE = _inside()
_JOINED = (
    sa.select(_memberships.c.user_seq, sa.func.min(_memberships.c.seq).label("joined"))
    .where(_memberships.c.tenant_id == _TENANT, _memberships.c.group_seq.in_(_SEQS))
    .group_by(_memberships.c.user_seq)
)


def source_of(rule_seq: int) -> str:
    """The source of the claims that a rule makes."""
    return f"rule:{rule_seq}"


def of_people(work: Work, user_seqs: Sequence[int]) -> dict[int, list[Claim]]:
    """The open claims of each of these people, oldest first."""
    found: dict[int, list[Claim]] = {}
    for row in rows_of_people(work, _OF_PEOPLE, _OF_RUN, user_seqs):
        found.setdefault(row.user_seq, []).append(_claim(row))
    return found


def rows_of_people(
    work: Work, of_people: sa.Select[Any], of_run: sa.Select[Any], user_seqs: Sequence[int]
) -> Iterator[sa.Row[Any]]:
    """The rows of these people, 500 at a time; people who were made one after the other are read as one run.

    On PostgreSQL a table that was filled a moment ago has no statistics, and each IN of 500 may then walk all rows of
    the tenant (measured: 220 ms a statement at 30,000 rows); a range never does.
    """
    for chunk in chunks(sorted(user_seqs)):
        if len(chunk) == CHUNK and chunk[-1] - chunk[0] < 4 * CHUNK:
            wanted = set(chunk)
            run = work.rows(of_run, low=chunk[0], high=chunk[-1])
            yield from (row for row in run if row.user_seq in wanted)
        else:
            yield from work.rows(of_people, seqs=list(chunk))


def claimants(work: Work, user_seqs: Sequence[int]) -> set[int]:
    """Which of these people have a claim at all; for the others no seat is ever looked at (decision 20)."""
    return {row.user_seq for chunk in chunks(user_seqs) for row in work.rows(_CLAIMANTS, seqs=list(chunk))}


def of_rule(work: Work, rule_seq: int) -> list[int]:
    """Who has a claim by this rule."""
    return [row.user_seq for row in work.rows(_OF_RULE, rule=rule_seq)]


def inside(work: Work, group_seqs: Collection[int], user_seqs: Sequence[int]) -> set[tuple[int, int]]:
    """(person, group) for each of these people who is in one of these groups, directly or through groups in it."""
    groups = sorted(group_seqs)
    return {
        (row.user_seq, row.group_seq)
        for chunk in chunks(user_seqs)
        for row in work.rows(_INSIDE, seqs=list(chunk), groups=groups)
    }


def everybody_in(work: Work, group_seqs: Collection[int]) -> list[int]:
    """The people who are direct members of one of these groups, each once, in the order of joining (A-3)."""
    joined: dict[int, int] = {}
    for chunk in chunks(sorted(group_seqs)):
        for row in work.rows(_JOINED, seqs=list(chunk)):
            joined[row.user_seq] = min(row.joined, joined.get(row.user_seq, row.joined))
    return sorted(joined, key=lambda seq: joined[seq])


def lapsed(work: Work, at: datetime) -> list[int]:
    """Who has claims that linger no longer than until `at`, or expire by then (E-26)."""
    return sorted({row.user_seq for statement in _LAPSED for row in work.rows(statement, at=at)})


def forget_rule(work: Work, rule_seq: int) -> None:
    """Cut the claims that outlive a rule off from it; their source still names it."""
    work.execute(_FORGET_RULE, rule=rule_seq)


def end_of_grace(now: datetime, grace: timedelta) -> datetime:
    """When a grace that begins now is over: on a whole second, never early."""
    return datetime.fromtimestamp(math.ceil((now + grace).timestamp()), UTC)


@dataclass
class Changes:
    """What became of claims since the gate settled last: applied to the people in memory at once, written together."""

    last_rank: int
    new: list[Claim] = field(default_factory=list)
    changed: dict[int, Claim] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    told: list[tuple[str, Person, Claim]] = field(default_factory=list)
    ranked: bool = False
    """Whether the counter of A-3 moved."""
    lapses_moved: bool = False
    """Whether a claim that lingered does so no more, so that the next due instant must be looked up."""
    expiring: bool = False
    """Whether an expiry was set or changed, so that it must be looked up too."""

    def add(self, person: Person, type_seq: int, source: str, now: datetime, **more: Any) -> Claim:
        """A new reason, ranked behind all earlier ones (A-3); `more` are further fields of the claim.

        The types of a bundle share one `rank_seq`, which is given then.
        """
        more.setdefault("priority", PRIORITY.get(source, 0))
        rank = more.pop("rank_seq", None) or self._next_rank()
        claim = Claim(person.seq, type_seq, source, more.pop("rule_seq", None), since=now, rank_seq=rank, **more)
        person.claims.append(claim)
        self.new.append(claim)
        self.expiring |= claim.expires_at is not None
        self.told.append(("claim:added", person, claim))
        return claim

    def revive(self, person: Person, claim: Claim) -> None:
        """The reason is back within its grace: same place, same seat (E-2)."""
        claim.until = claim.ending = None
        self._change("claim:revived", person, claim)
        self.lapses_moved = True

    def renew(self, person: Person, claim: Claim, now: datetime) -> None:
        """The person is active again: the reason counts from now, behind everybody (E-11)."""
        claim.since, claim.rank_seq = now, self._next_rank()
        self._change("claim:renewed", person, claim)

    def amend(self, person: Person, claim: Claim, **values: Any) -> None:
        """Other fields of a claim that stays: priority, held back or not, pinned, expiry, note."""
        if all(getattr(claim, name) == value for name, value in values.items()):
            return
        for name, value in values.items():
            setattr(claim, name, value)
        self.expiring |= "expires_at" in values
        self._change("claim:amended", person, claim)

    def leave(self, person: Person, claim: Claim, ending: str, grace: timedelta, now: datetime) -> None:
        """The reason is gone: it lingers for its exit grace (E-3), or ends at once where there is none (E-10)."""
        if claim.until is not None:
            return
        if not grace or not person.present or claim.held_back:
            self.end(person, claim, ending)
            return
        claim.until, claim.ending = end_of_grace(now, grace), ending
        self._change("claim:lingering", person, claim)

    def end(self, person: Person, claim: Claim, ending: str) -> None:
        """The reason is gone for good."""
        if claim.seq is None:
            raise RuntimeError("A claim that is not written yet cannot end; settle the gate first.")
        self.lapses_moved |= claim.until is not None or claim.expires_at is not None
        claim.ending = ending
        person.claims.remove(claim)
        self.changed.pop(claim.seq, None)
        self.ended.append(claim.seq)
        self.told.append(("claim:ended", person, claim))

    def write(self, work: Work) -> None:
        """Write what was gathered, and forget it."""
        work.many(_END, [{"which": seq} for seq in self.ended])
        work.many(_CHANGE, [_changed(claim) for claim in self.changed.values()])
        work.insert(_claims, [_inserted(claim) for claim in self.new])
        self.new, self.changed, self.ended, self.told = [], {}, [], []
        self.ranked = self.lapses_moved = self.expiring = False

    def touched(self) -> list[int]:
        """Whose claims changed, in order."""
        return list(dict.fromkeys(person.seq for _, person, _ in self.told))

    def earliest_lapse(self) -> datetime | None:
        """The first instant at which one of the changed claims ends."""
        return min((claim.until for claim in self.changed.values() if claim.until is not None), default=None)

    def _change(self, action: str, person: Person, claim: Claim) -> None:
        if claim.seq is None:
            raise RuntimeError("A claim that is not written yet cannot change; settle the gate first.")
        self.changed[claim.seq] = claim
        self.told.append((action, person, claim))

    def _next_rank(self) -> int:
        self.last_rank += 1
        self.ranked = True
        return self.last_rank


def facts_of(claim: Claim, codes: Mapping[int, str]) -> dict[str, Any]:
    """A claim as the event log keeps it: all that a replay needs (I-6); what is rare only where it is there."""
    rare = {
        "expires_at": claim.expires_at,
        "held_back": claim.held_back,
        "pinned": claim.pinned,
        "locked": claim.locked,
        "created_by": claim.created_by,
        "note": claim.note,
    }
    return {
        "type": codes[claim.type_seq],
        "source": claim.source,
        "priority": claim.priority,
        "since": claim.since,
        "rank_seq": claim.rank_seq,
        "until": claim.until,
        "reason": claim.ending,
        **{name: value for name, value in rare.items() if value},
    }


_COLUMNS = (
    "user_seq",
    "type_seq",
    "source",
    "rule_seq",
    "priority",
    "since",
    "rank_seq",
    "until",
    "ending",
    "expires_at",
    "held_back",
    "pinned",
    "locked",
    "created_by",
    "note",
)


def _claim(row: sa.Row[Any]) -> Claim:
    found = row._mapping
    return Claim(**{name: found[name] for name in _COLUMNS}, seq=row.seq)


def _inserted(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in _COLUMNS}


def _changed(claim: Claim) -> dict[str, Any]:
    return {"which": claim.seq, **{f"new_{name}": getattr(claim, name) for name in _CHANGED}}
