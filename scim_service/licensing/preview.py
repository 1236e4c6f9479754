"""What a change would do to the seats, before it is made (licensing.md A-12), and making exactly that.

There is no second implementation: the very change is carried out in a write transaction, what came of it is read, and
the transaction is undone. So a preview is as true as the change itself, and costs what the change costs.

The `version` names what a preview says, without instants: the same change in an unmoved state has the same one a minute
later. A change that is made with a version commits only if it comes to exactly that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

import orjson
import sqlalchemy as sa

from scim_service import errors
from scim_service.access import told
from scim_service.delivery import outbox
from scim_service.licensing import facts, gate, letters, net, usage
from scim_service.licensing.facts import Assignment
from scim_service.licensing.happenings import RELEASED
from scim_service.licensing.letters import Mail
from scim_service.licensing.net import Net
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

T = TypeVar("T")

GAINING, LOSING, KEEPING, MOVING, WAITING, OTHERS = "gaining", "losing", "keeping", "moving", "waiting", "others"
KINDS = (GAINING, LOSING, KEEPING, MOVING, WAITING, OTHERS)
"""What may become of a person: has it from now on; has it no more, or until a date; has it for good again, though it
was to end; another type of the family; waits from now on; or something that gives and takes no license."""

VERSION_LETTERS = 12
_GONE = "licensing.preview.gone"

_users = tables.directory.users
_assignments = tables.licensing.assignments
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_NAMES = sa.select(_users.c.seq, _users.c.document).where(
    _users.c.tenant_id == _TENANT, _users.c.seq.in_(sa.bindparam("seqs", expanding=True))
)
_QUEUE = (
    sa.select(_assignments.c.user_seq)
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.type_seq == sa.bindparam("type"),
        tables.licensing.WAITS,
    )
    .order_by(_assignments.c.priority, _assignments.c.claimed_since, _assignments.c.rank_seq)
)


@dataclass(frozen=True)
class Row:
    """What becomes of one person and type: `was` the state before (None: none), `state` the one after.

    `until`: when it ends, if it does; `position`: the place in the queue; `moved_from`: the type of the family that is
    given up for this one.
    """

    user: str
    type_code: str
    was: str | None
    state: str
    reason: str | None
    source: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    position: int | None = None
    moved_from: str | None = None

    @property
    def at_once(self) -> bool:
        """Whether it takes effect now, with no date after."""
        return self.until is None


@dataclass(frozen=True)
class Numbers:
    """The seats of a type: in use, how many may be (None: no limit), and who waits for one."""

    used: int
    limit: int | None
    waiting: int


@dataclass(frozen=True)
class Seats:
    """The seats of a type before and after a change; before is None for a type that the change makes."""

    type_code: str
    before: Numbers | None
    after: Numbers


@dataclass(frozen=True)
class Preview:
    """What a change would do. Somebody who loses a seat and waits for it from then on is in `losing` and `waiting`."""

    gaining: tuple[Row, ...]
    losing: tuple[Row, ...]
    keeping: tuple[Row, ...]
    moving: tuple[Row, ...]
    waiting: tuple[Row, ...]
    others: tuple[Row, ...]
    seats: tuple[Seats, ...]
    mails: tuple[Mail, ...]

    @property
    def concerned(self) -> tuple[Seats, ...]:
        """The types whose seats change, or about which something is said."""
        named = {row.type_code for kind in KINDS for row in self.rows(kind)}
        named |= {row.moved_from for row in self.moving if row.moved_from}
        return tuple(one for one in self.seats if one.before != one.after or one.type_code in named)

    @property
    def version(self) -> str:
        """A short name of all that this says, but for instants."""
        rows = {kind: sorted(_timeless(row) for row in self.rows(kind)) for kind in KINDS}
        return hashlib.sha256(orjson.dumps([rows, self.concerned])).hexdigest()[:VERSION_LETTERS]

    def rows(self, kind: str) -> tuple[Row, ...]:
        """The people of one kind."""
        found: tuple[Row, ...] = getattr(self, kind)
        return found


class Unconfirmed(errors.Refused):
    """A change was not made; `preview` says what it would do now."""

    def __init__(self, detail: str, code: str, preview: Preview) -> None:
        super().__init__(detail, code=code)
        self.preview = preview


class _Undone(Exception):
    """Takes a preview out of the transaction that is being undone, and what the act answered."""

    def __init__(self, answer: object, preview: Preview) -> None:
        super().__init__()
        self.answer = answer
        self.preview = preview


def previewed(writing: Callable[[], AbstractContextManager[Work]], act: Callable[[Work], object]) -> Preview:
    """What an act would do: it is done in a transaction of `writing`, and undone. Raises what the act raises."""
    return rehearsed(writing, act)[1]


def rehearsed(writing: Callable[[], AbstractContextManager[Work]], act: Callable[[Work], T]) -> tuple[T, Preview]:
    """The same, with what the act would answer."""
    try:
        with writing() as work:
            outbox.watch(work)
            answer = act(work)
            raise _Undone(answer, of(work))
    except _Undone as undone:
        return cast(T, undone.answer), undone.preview


def made(
    writing: Callable[[], AbstractContextManager[Work]],
    act: Callable[[Work], T],
    version: str | None = None,
    braked: bool = False,
) -> T:
    """Do an act in one transaction of `writing`, whatever comes of it; with a `version`, only what that one said.

    `braked`: taking a type from more people than the tenant's `mass_change` allows needs a version (E-8). Raises
    Unconfirmed, with a fresh preview and nothing changed: `stale_preview`, or `preview_required`.
    """
    with writing() as work:
        if version is not None or braked:
            outbox.watch(work)
        found = act(work)
        if version is not None:
            _expect(of(work), version)
        elif braked:
            _brake(work)
        return found


def of(work: Work) -> Preview:
    """What came of this transaction so far, apart from what time alone had decided before it."""
    started = gate.start(work)
    after = gate.look(work)
    codes = {seq: kind.code for seq, kind in after.types.items()}
    changes = net.of(gate.effects(work)[started.effects if started else 0 :])
    found = _kinds(work, changes, codes, {kind.code: kind.family for kind in after.types.values()})
    numbers = _numbers(work, started, changes)
    return Preview(**{kind: tuple(found[kind]) for kind in KINDS}, seats=numbers, mails=_mails(work, after))


def _kinds(
    work: Work, changes: Sequence[Net], codes: dict[int, str], families: dict[str, str | None]
) -> dict[str, list[Row]]:
    names, places = _names(work, changes), _places(work, changes)
    found: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for one in changes:
        place = places.get((one.person.seq, one.type_seq))
        row = _row(one, names.get(one.person.seq, one.person.id), codes[one.type_seq], place)
        kind = _kind(one.change.before, one.change.after)
        found[kind].append(row)
        if kind != WAITING and row.position is not None and row.was != facts.WAITING:
            found[WAITING].append(row)
    _pair(found, families)
    return found


def _row(one: Net, user: str, code: str, position: int | None) -> Row:
    before, after = one.change.before, one.change.after
    live = [claim for claim in one.person.claims if claim.type_seq == one.type_seq]
    sources = dict.fromkeys("group" if claim.rule_seq is not None else claim.source for claim in live)
    return Row(
        user,
        code,
        before.state if before else None,
        after.state if after else RELEASED,
        one.reason,
        tuple(sources),
        after.since if after else None,
        after.until if after else None,
        position,
    )


def _kind(before: Assignment | None, after: Assignment | None) -> str:
    """Which kind of change it is: by what the person may do with the license, then by the seat, then by dates."""
    was, now = _worth(before), _worth(after)
    if was != now:
        return GAINING if now > was else LOSING
    if now == _worth(None):
        return WAITING if facts.is_waiting(after) and not facts.is_waiting(before) else OTHERS
    return _by_dates(before.until if before else None, after.until if after else None)


def _by_dates(before: datetime | None, after: datetime | None) -> str:
    if before == after:
        return OTHERS
    return KEEPING if after is None or (before is not None and after > before) else LOSING


def _worth(row: Assignment | None) -> int:
    """2: may be worked with; 1: uses a seat at least; 0: neither."""
    if row is None:
        return 0
    return 2 if row.state in facts.EFFECTIVE else 1 if row.seated else 0


def _pair(found: dict[str, list[Row]], families: dict[str, str | None]) -> None:
    """Who loses a type at once and gains another one of its family moves (A-7)."""
    lost = {(row.user, families[row.type_code]): row for row in found[LOSING] if row.at_once}
    for row in list(found[GAINING]):
        family = families[row.type_code]
        old = lost.pop((row.user, family), None) if family is not None else None
        if old is not None:
            found[GAINING].remove(row)
            found[LOSING].remove(old)
            found[MOVING].append(replace(row, moved_from=old.type_code))


def remember(work: Work, user_seq: int, user_name: str) -> None:
    """Note what somebody was called who is deleted in this transaction: a preview names people, not numbers."""
    work.notes[_GONE] = {**work.notes.get(_GONE, {}), user_seq: user_name}


def _names(work: Work, changes: Iterable[Net]) -> dict[int, str]:
    seqs = sorted({one.person.seq for one in changes})
    rows = (row for chunk in chunks(seqs) for row in work.rows(_NAMES, seqs=list(chunk)))
    return {**work.notes.get(_GONE, {}), **{row.seq: orjson.loads(row.document)["userName"] for row in rows}}


def _places(work: Work, changes: Iterable[Net]) -> dict[tuple[int, int], int]:
    """(person, type) → place in the queue, from 1; each queue that somebody joins is walked once."""
    waiting = {one.type_seq for one in changes if facts.is_waiting(one.change.after)}
    return {
        (row.user_seq, type_seq): place
        for type_seq in sorted(waiting)
        for place, row in enumerate(work.rows(_QUEUE, type=type_seq), 1)
    }


def _numbers(work: Work, started: gate.Start | None, changes: Iterable[Net]) -> tuple[Seats, ...]:
    """Before: as the gate was found, under its lock. After: as the tables say now."""
    joined: dict[int, int] = {}
    for one in changes:
        step = facts.is_waiting(one.change.after) - facts.is_waiting(one.change.before)
        joined[one.type_seq] = joined.get(one.type_seq, 0) + step
    seqs = {kind.code: seq for seq, kind in gate.look(work).types.items()}
    found = []
    for line in usage.seats(work):
        now, seq = Numbers(line.used, line.limit, line.waiting), seqs[line.code]
        found.append(Seats(line.code, _before(started, seq, now, joined.get(seq, 0)), now))
    return tuple(found)


def _before(started: gate.Start | None, type_seq: int, now: Numbers, joined: int) -> Numbers | None:
    if started is None:
        return now
    if type_seq not in started.types:
        return None
    return Numbers(started.consuming[type_seq], started.types[type_seq].limit, now.waiting - joined)


def _mails(work: Work, after: gate.Gate) -> tuple[Mail, ...]:
    """What the act posted itself, and what would be posted at the end; of both what was not posted before."""
    due = gate.to_tell(work).notices
    known = outbox.known(work, [one.message.key for one in due])
    fresh = [(one.notice, one.event, one.recipient, one.type_code) for one in due if one.message.key not in known]
    own = [letters.told(one) for one in outbox.watched(work) if one.letter not in letters.OF_THE_GATE]
    digest = after.settings.has_digest and bool(told.of_any_product(told.everybody(work)))
    return tuple(letters.mails([*own, *fresh], digest))


def _timeless(row: Row) -> list[Any]:
    ends = "at once" if row.at_once else "later"
    return [
        row.user,
        row.type_code,
        row.moved_from or "",
        row.was or "",
        row.state,
        row.reason or "",
        row.position,
        ends,
    ]


def _expect(fresh: Preview, version: str) -> None:
    if fresh.version != version:
        raise Unconfirmed(
            f"This change would not do any more what the preview {version!r} said; nothing is changed. "
            f"Look at the fresh preview, and run it again with --version {fresh.version} if that is wanted.",
            "stale_preview",
            fresh,
        )


def _brake(work: Work) -> None:
    """Raise Unconfirmed where a type is taken from more people than may lose it unseen (E-8)."""
    started = gate.start(work)
    if started is None or (brake := gate.look(work).settings.mass_change) is None:
        return
    losing: dict[int, int] = {}
    for one in net.of(gate.effects(work)[started.effects :]):
        if _kind(one.change.before, one.change.after) == LOSING:
            losing[one.type_seq] = losing.get(one.type_seq, 0) + 1
    for type_seq, people in losing.items():
        allowed = max(brake.people, started.consuming[type_seq] * brake.percent // 100)
        if people > allowed:
            fresh, code = of(work), started.types[type_seq].code
            raise Unconfirmed(
                f"This takes {code} from {people} people, more than the {allowed} that may lose it without a look; "
                f"nothing is changed. Look at the preview, and run it again with --version {fresh.version}.",
                "preview_required",
                fresh,
            )
