"""The rows of rules and of who is excluded from them: how they are read and written. `rules.py` has the use cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.licensing import catalog, claims
from scim_service.licensing.catalog import LicenseType
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

UNBOUND, BOUND, ORPHANED = "unbound", "bound", "orphaned"

_rules = tables.licensing.rules
_types = tables.licensing.license_types
_groups = tables.directory.groups
_users = tables.directory.users
_exclusions = tables.licensing.rule_exclusions
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_KEY: sa.BindParameter[Any] = sa.bindparam("key")
_OF_ONE = (_rules.c.tenant_id == _TENANT, _rules.c.seq == sa.bindparam("which"))

_ALL = (
    sa.select(_rules, _types.c.code, _groups.c.id.label("group_id"))
    .join(_types, sa.and_(_types.c.tenant_id == _rules.c.tenant_id, _types.c.seq == _rules.c.type_seq))
    .outerjoin(_groups, sa.and_(_groups.c.tenant_id == _rules.c.tenant_id, _groups.c.seq == _rules.c.group_seq))
    .where(_rules.c.tenant_id == _TENANT)
    .order_by(_rules.c.priority, _rules.c.seq)
)
_BY_SEQ = _ALL.where(_rules.c.seq == sa.bindparam("which"))
_BY_NAME = _ALL.where(_rules.c.group_name_key == _KEY, _types.c.code == sa.bindparam("code"))
_UNBOUND_OF_NAME = (
    sa.select(_rules)
    .where(_rules.c.tenant_id == _TENANT, _rules.c.group_name_key == _KEY, _rules.c.state == UNBOUND)
    .order_by(_rules.c.seq)
)
_FIRST_GROUP = (
    sa.select(_groups.c.seq)
    .where(_groups.c.tenant_id == _TENANT, _groups.c.display_name_key == _KEY)
    .order_by(_groups.c.seq)
    .limit(1)
)
_MOVE = sa.update(_rules).where(*_OF_ONE).values(state=sa.bindparam("new_state"), group_seq=sa.bindparam("new_group"))
_namesake = _rules.alias("namesake")
_RENAME = (
    sa.update(_rules)
    .where(
        _rules.c.tenant_id == _TENANT,
        _rules.c.group_seq == sa.bindparam("group"),
        ~sa.exists().where(
            _namesake.c.tenant_id == _TENANT,
            _namesake.c.group_name_key == _KEY,
            _namesake.c.type_seq == _rules.c.type_seq,
        ),
    )
    .values(group_name=sa.bindparam("new_name"), group_name_key=_KEY)
)
_DROP = sa.delete(_rules).where(*_OF_ONE)


_EVERYBODY = sa.select(_users.c.seq).where(_users.c.tenant_id == _TENANT).order_by(_users.c.seq)
_CHANGEABLE = ("priority", "exit_grace", "quota", "filter", "enabled", "valid_from", "valid_to", "type_seq", "bundle")
_CHANGE = (
    sa.update(_rules)
    .where(*_OF_ONE)
    .values({**{_rules.c[name]: sa.bindparam(f"new_{name}") for name in _CHANGEABLE}, "version": _rules.c.version + 1})
)
_USER = sa.select(_users.c.seq, _users.c.id).where(_users.c.tenant_id == _TENANT, _users.c.user_name_key == _KEY)
_INCLUDE = sa.delete(_exclusions).where(
    _exclusions.c.tenant_id == _TENANT,
    _exclusions.c.rule_seq == sa.bindparam("which"),
    _exclusions.c.user_seq == sa.bindparam("user"),
)
_EXCLUDED = (
    sa.select(_exclusions.c.rule_seq, _users.c.document)
    .join(_users, sa.and_(_users.c.tenant_id == _exclusions.c.tenant_id, _users.c.seq == _exclusions.c.user_seq))
    .where(_exclusions.c.tenant_id == _TENANT)
    .order_by(_users.c.user_name_key)
)

_EXCLUDED_FROM = sa.select(_exclusions.c.rule_seq).where(
    _exclusions.c.tenant_id == _TENANT, _exclusions.c.user_seq == sa.bindparam("user")
)
_NAMES = sa.select(_rules.c.seq, _rules.c.group_name).where(
    _rules.c.tenant_id == _TENANT, _rules.c.group_seq == sa.bindparam("group")
)
_EXCLUDES = (
    sa.select(_exclusions.c.user_seq)
    .where(_exclusions.c.tenant_id == _TENANT, _exclusions.c.rule_seq == sa.bindparam("which"))
    .limit(1)
)


@dataclass(frozen=True)
class Terms:
    """How a rule gives: `priority` (smaller first), how many (`quota`), to whom of the group (`filter`), when."""

    priority: int = 100
    exit_grace: timedelta | None = None
    quota: int | None = None
    filter: str | None = None
    enabled: bool = True
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def columns(self) -> dict[str, Any]:
        """As they are stored."""
        return {
            "priority": self.priority,
            "exit_grace": catalog.seconds_of(self.exit_grace),
            "quota": self.quota,
            "filter": self.filter,
            "enabled": self.enabled,
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
        }


@dataclass(frozen=True)
class Rule:
    """A group's people have a claim to a type. `exit_grace` None: the type's; `group_id` None: no group."""

    seq: int
    group_name: str
    group_id: str | None
    type_code: str
    state: str
    terms: Terms
    everyone: bool = False
    bundle: int | None = None
    version: int = 1

    @property
    def priority(self) -> int:
        return self.terms.priority

    @property
    def exit_grace(self) -> timedelta | None:
        return self.terms.exit_grace


def listing(work: Work) -> list[Rule]:
    """Every rule, in the order in which they count: by priority, then by age."""
    return [rule_of(row) for row in work.rows(_ALL)]


def find(work: Work, group_name: str, type_code: str) -> Rule:
    """The rule that gives a type to a group. Raises NotFound."""
    return rule_of(expect(work, group_name, type_code))


def exclusions(work: Work) -> dict[int, list[str]]:
    """Who is excluded from which rule (by seq), as userNames."""
    found: dict[int, list[str]] = {}
    for row in work.rows(_EXCLUDED):
        found.setdefault(row.rule_seq, []).append(orjson.loads(row.document)["userName"])
    return found


def insert(work: Work, group_name: str, kind: LicenseType, terms: Terms) -> int:
    """A new rule, unbound unless it is for everyone; its seq."""
    values = terms.columns()
    names = {"group_name": group_name, "group_name_key": text.fold(group_name)}
    state = {"state": UNBOUND if group_name else BOUND, "everyone": not group_name}
    seq = work.insert_one(_rules, type_seq=kind.seq, group_seq=None, created_at=work.now, **names, **state, **values)
    told = {"group": group_name, "type": kind.code, "state": state["state"], **values}
    audit.record(work, "rule:created", claims.source_of(seq), **told)
    return seq


def tie(work: Work, seqs: Sequence[int]) -> None:
    """Make these rules a bundle, known by its first."""
    for seq in seqs:
        row = work.row(_BY_SEQ, which=seq)
        assert row is not None
        kept = {f"new_{name}": row._mapping[name] for name in _CHANGEABLE}
        work.execute(_CHANGE, which=seq, **{**kept, "new_bundle": seqs[0]})
        audit.record(work, "rule:tied", claims.source_of(seq), bundle=seqs[0])


def change(work: Work, row: Any, terms: Terms, type_seq: int) -> None:
    """Write other terms, or another type, of a rule; its version moves."""
    columns = {**terms.columns(), "type_seq": type_seq, "bundle": row.bundle}
    work.execute(_CHANGE, which=row.seq, **{f"new_{name}": value for name, value in columns.items()})


def move(work: Work, rule_seq: int, state: str, group_seq: int | None) -> None:
    """Bind a rule to a group, or cut it off from the one that it had."""
    work.execute(_MOVE, which=rule_seq, new_state=state, new_group=group_seq)


def rename(work: Work, group_seq: int, name: str) -> None:
    """The rules of a group take its new name, unless there is such a rule already."""
    before = {row.seq: row.group_name for row in work.rows(_NAMES, group=group_seq)}
    work.execute(_RENAME, group=group_seq, key=text.fold(name), new_name=name)
    after = {row.seq: row.group_name for row in work.rows(_NAMES, group=group_seq)}
    renamed = [(claims.source_of(seq), new) for seq, new in after.items() if before[seq] != new]
    audit.record_many(work, [("rule:renamed", source, {"group": new}) for source, new in renamed])


def drop(work: Work, rule_seq: int) -> None:
    """Take a rule away."""
    work.execute(_DROP, which=rule_seq)


def first_group(work: Work, name: str) -> int | None:
    """The oldest group of this name."""
    found: int | None = work.value(_FIRST_GROUP, key=text.fold(name)) if name else None
    return found


def unbound_of_name(work: Work, name: str) -> list[Any]:
    """The rules that wait for a group of this name, oldest first."""
    return list(work.rows(_UNBOUND_OF_NAME, key=text.fold(name)))


def everybody(work: Work) -> list[int]:
    """Every person of the tenant, the oldest first."""
    return [one.seq for one in work.rows(_EVERYBODY)]


def by_seq(work: Work, rule_seq: int) -> Any:
    """The row of a rule, with its type's code and its group's id; None where there is none."""
    return work.row(_BY_SEQ, which=rule_seq)


def by_name(work: Work, group_name: str, type_code: str) -> Any:
    """The same, by the group's name and the type."""
    return work.row(_BY_NAME, key=text.fold(group_name), code=type_code)


def is_special(work: Work, row: Any) -> bool:
    """Whether whoever enters the gate has to look for this rule's quota, bundle or exclusions."""
    return row.quota is not None or row.bundle is not None or work.value(_EXCLUDES, which=row.seq) is not None


def exclude(work: Work, rule_seqs: Sequence[int], user_names: Iterable[str]) -> None:
    """These people get nothing from these rules (E-9). Raises NotFound for an unknown userName."""
    for person in _people(work, user_names):
        known = {row.rule_seq for row in work.rows(_EXCLUDED_FROM, user=person.seq)}
        new = [seq for seq in rule_seqs if seq not in known]
        work.insert_new(_exclusions, [{"rule_seq": seq, "user_seq": person.seq} for seq in new])
        told = [("rule:excluded", claims.source_of(seq), {"person": person.id}) for seq in new]
        audit.record_many(work, told)


def include(work: Work, rule_seq: int, user_names: Iterable[str]) -> None:
    """These people get something from a rule again."""
    for person in _people(work, user_names):
        if work.execute(_INCLUDE, which=rule_seq, user=person.seq).rowcount:
            audit.record(work, "rule:included", claims.source_of(rule_seq), person=person.id)


def _people(work: Work, user_names: Iterable[str]) -> list[Any]:
    found = []
    for name in user_names:
        person = work.row(_USER, key=text.fold(name))
        if person is None:
            raise errors.NotFound(f"There is no person with the userName {name!r}.", code="unknown_person")
        found.append(person)
    return found


def expect(work: Work, group_name: str, type_code: str) -> Any:
    """The row of the rule that gives a type to a group. Raises NotFound."""
    row = work.row(_BY_NAME, key=text.fold(group_name), code=type_code)
    if row is None:
        raise errors.NotFound(
            f"There is no rule that gives {type_code} to {group_name!r}. See them with: scim-service rule list",
            code="unknown_rule",
        )
    return row


def rule_of(row: Any) -> Rule:
    """The rule of a row."""
    grace = catalog.duration_of(row.exit_grace)
    terms = Terms(row.priority, grace, row.quota, row.filter, row.enabled, row.valid_from, row.valid_to)
    return Rule(
        row.seq, row.group_name, row.group_id, row.code, row.state, terms, row.everyone, row.bundle, row.version
    )
