"""What a decision about seats is made from and what it says: types, claims, people, assignments (licensing.md part 4).

Pure data, the same for the gate (which reads it from the tables), for previews and for the tests. A `Person` carries
what the tables say now; `resolve.py` says what they should say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

Key = tuple[int, datetime, int]
"""Seniority (A-3): smallest priority, then earliest since, then smallest seq; unique within a tenant by the last."""

ASSIGNED, GRACE, SUSPENDED = "assigned", "grace", "suspended"
WAITING, BLOCKED, COVERED, EXPIRED = "waiting", "blocked", "covered", "expired"
STATES = (ASSIGNED, GRACE, SUSPENDED, WAITING, BLOCKED, COVERED, EXPIRED)
"""The states of an open assignment (licensing.md 4.2); `released` is the end, which has no row."""

EFFECTIVE = frozenset({ASSIGNED, GRACE})
"""Who may work with it; these always use a seat, and of the others only a suspension that holds it."""

CAP_REACHED, QUOTA, NEEDS_APPROVAL = "cap_reached", "quota", "needs_approval"
BETTER_TYPE_HELD, PINNED, BETTER_TYPE_AWAITED = "better_type_held", "pinned", "better_type_awaited"
CONFLICT, MISSING_PREREQUISITE, CONTRACT_INACTIVE = "conflict", "missing_prerequisite", "contract_inactive"
FILTER, BANNED, RETIRED, INACTIVE = "filter", "banned", "retired", "person_inactive"
NOT_YET_VALID = "not_yet_valid"
"""Why the claims of a rule do not count before its validity begins."""

LEFT_GROUP, RULE_REMOVED, MIGRATING = "left_group", "rule_removed", "migrating"
VALUE_REMOVED = "value_removed"
"""Why a claim lingers: a value in a person's attributes was taken away (X-2)."""

AUTHORITY = "authority"
"""Why an attribute does not count: the type is given by groups, or in the console, only (X-6)."""

CAP_DECREASE, CONTRACT_END, LINE_END = "cap_decrease", "contract_end", "line_end"
DROPS = frozenset({CAP_DECREASE, CONTRACT_END, LINE_END})
"""Reasons of a grace because there are fewer seats than people (A-8)."""

ADMINISTRATOR, MASS_CHANGE = "administrator", "mass_change_hold"
"""Who stopped a license: somebody in the console (E-12), or the brake on mass removals (E-27)."""

HIGHEST_RANK, RULE_PRIORITY, MANUAL = "highest_rank", "rule_priority", "manual"
POLICIES = (HIGHEST_RANK, RULE_PRIORITY, MANUAL)
"""How a family decides between several of its types (A-7)."""


@dataclass(frozen=True, slots=True)
class Type:
    """A license type as far as it decides; `limit` is None for a free type, else how many seats may be used (A-2).

    `reserve` of them are kept for direct grants (D-5). `inactive`: its contracts are over. `approval`: whoever is above
    the cap waits to be approved. `fallback` false: who waits for it holds nothing lesser meanwhile.
    """

    seq: int
    code: str
    family: str | None
    rank: int
    limit: int | None
    policy: str = HIGHEST_RANK
    requires: frozenset[int] = frozenset()
    excludes: frozenset[int] = frozenset()
    fallback: bool = True
    yields: bool = False
    inactive: bool = False
    retired: bool = False
    approval: bool = False
    reserve: int = 0


@dataclass(slots=True)
class Claim:
    """One reason for a person to have a type (D-9): live, or lingering `until` an instant because of `ending`.

    `held_back` says why it does not count (a rule's filter); `pinned` fixes the type of the family (A-7); `locked` is a
    copied person's (E-15).
    """

    user_seq: int
    type_seq: int
    source: str
    rule_seq: int | None
    priority: int
    since: datetime
    rank_seq: int
    until: datetime | None = None
    ending: str | None = None
    seq: int | None = None
    expires_at: datetime | None = None
    held_back: str | None = None
    pinned: bool = False
    locked: bool = False
    created_by: str = ""
    note: str = ""

    @property
    def key(self) -> Key:
        return (self.priority, self.since, self.rank_seq)


@dataclass(frozen=True, slots=True)
class Stop:
    """A license is suspended: by whom, whether it keeps its seat meanwhile, and until when (None: until resumed)."""

    by: str
    holds: bool = True
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The outcome for a person and a type (D-10). `since`: the seat is held, or was wanted, from then on.

    `quota_rule` is the rule whose quota the seat counts against (A-13); `stop` is there while it is suspended, also
    where nothing is left to suspend: a membership that comes back does not lift it (E-12).
    """

    state: str
    reason: str | None
    since: datetime
    until: datetime | None
    key: Key
    quota_rule: int | None = None
    stop: Stop | None = None
    seated: bool = False
    """Whether it uses a seat: always when effective, and when suspended with the seat held."""


@dataclass(slots=True)
class Person:
    """Someone who is looked at: activity, open claims, and what the tables say now, by type. Inactive: claims sleep.

    `keeps` is the tenant's policy that an inactive person keeps the seats; `evicted` are types whose capacity drop is
    due for this person (A-8); `yielded` those whose grace was cut short for somebody who waits (A-6).
    """

    seq: int
    active: bool
    claims: list[Claim] = field(default_factory=list)
    held: dict[int, Assignment] = field(default_factory=dict)
    id: str = ""
    banned: bool = False
    keeps: bool = False
    stops: dict[int, Stop] = field(default_factory=dict)
    evicted: set[int] = field(default_factory=set)
    yielded: set[int] = field(default_factory=set)

    @property
    def present(self) -> bool:
        """Whether the claims count at all."""
        return self.active and not self.banned


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about claims by rule: quotas (A-13) and bundles (A-9); empty for most tenants."""

    quotas: Mapping[int, int] = field(default_factory=dict)
    bundles: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Rule → all types of its bundle."""


def takes_place_of(types: Mapping[int, Type], heir: Claim, claim: Claim) -> bool:
    """Whether a claim is the one for which another is in `grace(migrating)` (E-25).

    It has the same source; a rule has one successor, a person's attributes (X-2) may give types of several families.
    """
    if heir.source != claim.source or heir.type_seq == claim.type_seq or heir.until is not None:
        return False
    return claim.rule_seq is not None or types[heir.type_seq].family == types[claim.type_seq].family


Changes = dict[tuple[int, int], Assignment | None]
"""(person, type) → the new outcome; None is released. Only what differs from what the tables say."""


@dataclass
class Outcome:
    """What must be written: the changed rows, and how many seats each type uses afterwards where that changed."""

    changes: Changes = field(default_factory=dict)
    consuming: dict[int, int] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)


def is_seated(row: Assignment | None) -> bool:
    """Whether an outcome uses a seat (licensing.md 4.2)."""
    return row is not None and row.seated


def is_waiting(row: Assignment | None) -> bool:
    """Whether an outcome stands in the queue."""
    return row is not None and row.state == WAITING


def unmarked(row: Assignment) -> Assignment:
    """A held seat without the mark of a capacity drop; its reasons say what it is then."""
    if row.state == GRACE and row.reason in DROPS:
        return replace(row, state=ASSIGNED, reason=None, until=None)
    return row
