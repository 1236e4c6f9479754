"""An identity provider takes licenses from too many people: the administrators are told at once (licensing.md N-8).

Three ways to see it, one letter. Seats that are parked are told of when the first one is (E-27). Who leaves groups is
protected by the exit grace, and nothing is parked (decision 41): one request that takes a type from too many is seen at
its end, in outcomes that the gate has already; many requests that take it from one each are seen by a job, so that
none of them costs more. As long as a hold may last nobody is told again of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.access import told
from scim_service.access.tenant_settings import MassChange, TenantSettings
from scim_service.delivery import addresses, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import facts, net, type_names
from scim_service.licensing.alerts import Level
from scim_service.licensing.happenings import Effect
from scim_service.licensing.net import Net
from scim_service.protocol.text import fold, format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work

LETTER = "mass_removal"
PARKED, LEFT = "parked", "left"
"""The kinds: seats are held for the people, or people are in the exit grace."""

PROVIDER = "connection"
"""The kind of actor whose removals are counted; administrators are exempt."""

_claims = tables.licensing.claims
_rows = tables.licensing.assignments
_excluded = tables.licensing.rule_exclusions
_rules = tables.licensing.rules
_types = tables.licensing.license_types
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_EXCLUDED = sa.exists().where(
    _excluded.c.tenant_id == _TENANT,
    _excluded.c.rule_seq == _claims.c.rule_seq,
    _excluded.c.user_seq == _claims.c.user_seq,
)
_LEAVING = (
    sa.select(
        _claims.c.type_seq,
        _claims.c.until,
        sa.func.coalesce(_rules.c.exit_grace, _types.c.exit_grace).label("grace"),
        sa.func.count().label("people"),
    )
    .join(
        _rows,
        sa.and_(
            _rows.c.tenant_id == _claims.c.tenant_id,
            _rows.c.user_seq == _claims.c.user_seq,
            _rows.c.type_seq == _claims.c.type_seq,
            _rows.c.until == _claims.c.until,
        ),
    )
    .join(_rules, sa.and_(_rules.c.tenant_id == _claims.c.tenant_id, _rules.c.seq == _claims.c.rule_seq))
    .join(_types, sa.and_(_types.c.tenant_id == _claims.c.tenant_id, _types.c.seq == _claims.c.type_seq))
    .where(
        _claims.c.tenant_id == _TENANT,
        _claims.c.until > sa.bindparam("now", type_=_claims.c.until.type),
        _claims.c.ending == facts.LEFT_GROUP,
        _rows.c.state == facts.GRACE,
        sa.not_(_EXCLUDED),
    )
    .group_by(_claims.c.type_seq, _claims.c.until, sa.func.coalesce(_rules.c.exit_grace, _types.c.exit_grace))
)
_SOMEBODY_LEAVES = (
    sa.select(_claims.c.tenant_id)
    .where(_claims.c.until > sa.bindparam("now", type_=_claims.c.until.type), _claims.c.ending == facts.LEFT_GROUP)
    .group_by(_claims.c.tenant_id)
    .order_by(_claims.c.tenant_id)
    .execution_options(across_tenants=True)
)


@dataclass(frozen=True)
class Seen:
    """What is taken of which types: from how many people, how many seats are parked, until when it can be undone."""

    type_seqs: Sequence[int]
    removed: int
    parked: int
    until: datetime | None


def post(work: Work, settings: TenantSettings, kind: str, seen: Seen) -> int:
    """Tell the license administrators of the products and the operator, unless they were told lately; how many."""
    brake = settings.mass_change
    if brake is None or not seen.type_seqs:
        return 0
    beginning = f"mass:{kind}:"
    if outbox.has_any(work, beginning, format_datetime(work.now - brake.hold)):
        return 0
    named = type_names.of_all(work)
    kinds = [named[seq] for seq in seen.type_seqs]
    said = {
        "removed": seen.removed,
        "parked": seen.parked,
        "types": [kind.told(settings.language) for kind in kinds],
        "until": None if seen.until is None else format_datetime(seen.until),
    }
    everybody = told.everybody(work)
    chosen = [one for kind in kinds for one in told.license_administrators(everybody, kind.product)]
    recipients = [*dict.fromkeys(one.email for one in everybody if one in chosen), addresses.OPERATOR]
    key = f"{beginning}{format_datetime(work.now)}:"
    outbox.post(work, [Message(f"{key}{fold(one)}", LETTER, one, settings.language, said) for one in recipients])
    return len(recipients)


def post_left(work: Work, settings: TenantSettings, effects: Iterable[Effect], before: Level) -> int:
    """Tell of a request of an identity provider that takes a type from too many who left groups."""
    brake = settings.mass_change
    if brake is None or work.actor.kind != PROVIDER:
        return 0
    leaving: dict[int, list[Net]] = {}
    for one in net.of(effects):
        if _leaves(one):
            leaving.setdefault(one.type_seq, []).append(one)
    many = {seq: found for seq, found in leaving.items() if len(found) > _allowed(brake, before, seq)}
    ends = [one.change.after.until for found in many.values() for one in found if one.change.after is not None]
    until = min((instant for instant in ends if instant is not None), default=None)
    return post(work, settings, LEFT, Seen(sorted(many), sum(map(len, many.values())), 0, until))


def leaving_tenants(work: Work) -> list[int]:
    """The tenants of which somebody is in the exit grace of a group."""
    return [row.tenant_id for row in work.rows(_SOMEBODY_LEAVES, now=work.now)]


def watch(work: Work, settings: TenantSettings, exit_grace: timedelta, level: Level) -> int:
    """Tell of many who left groups within the window, one by one; how many messages were written."""
    brake = settings.mass_change
    if brake is None:
        return 0
    people: dict[int, int] = {}
    until: dict[int, datetime] = {}
    for row in work.rows(_LEAVING, now=work.now):
        grace = exit_grace if row.grace is None else timedelta(seconds=row.grace)
        if row.until - grace > work.now - brake.window:
            people[row.type_seq] = people.get(row.type_seq, 0) + row.people
            until[row.type_seq] = min(row.until, until.get(row.type_seq, row.until))
    many = sorted(seq for seq, count in people.items() if count > _allowed(brake, level, seq))
    ends = min((until[seq] for seq in many), default=None)
    return post(work, settings, LEFT, Seen(many, sum(people[seq] for seq in many), 0, ends))


def _leaves(one: Net) -> bool:
    """Whether a person loses a license, at once or by and by, by leaving a group."""
    before, after = one.change.before, one.change.after
    if before is None or before.state not in facts.EFFECTIVE or one.reason != facts.LEFT_GROUP:
        return False
    return after is None or (after.state == facts.GRACE and before.reason != facts.LEFT_GROUP)


def _allowed(brake: MassChange, level: Level, type_seq: int) -> int:
    return max(brake.people, level.consuming.get(type_seq, 0) * brake.percent // 100)


def parked(seats: Mapping[int, tuple[int, int]], until: datetime) -> Seen:
    """What is told of parked seats, from (removed, parked) by type."""
    return Seen(sorted(seats), sum(one for one, _ in seats.values()), sum(one for _, one in seats.values()), until)
