"""The event log, replayed from empty, gives the same licenses as the tables (licensing.md I-6, decision 26).

A picture is what is known at one instant, by kind and name, in the log's own words: types, contracts, rules, claims,
licenses, parked seats, and the ledger that follows. One is folded from the events, the other is read from the tables;
what differs is a finding. Reads only.

One more thing to replay: an event with all that it takes, a row in `_HANDLERS`, a reader in `tabled`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit
from scim_service.audit import Event
from scim_service.licensing import assignments, catalog, claims, contracts, facts, gate, happenings, rule_rows
from scim_service.storage import tables
from scim_service.storage.work import Work

_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_users = tables.directory.users
_rules = tables.licensing.rules
_parked = tables.licensing.parked_seats
_exclusions = tables.licensing.rule_exclusions
_PEOPLE = [
    sa.select(table.c.user_seq).where(table.c.tenant_id == _TENANT).group_by(table.c.user_seq)
    for table in (tables.licensing.claims, tables.licensing.assignments)
]
_EXCLUDED = (
    sa.select(_exclusions.c.rule_seq, _users.c.id)
    .join(_users, sa.and_(_users.c.tenant_id == _exclusions.c.tenant_id, _users.c.seq == _exclusions.c.user_seq))
    .where(_exclusions.c.tenant_id == _TENANT)
)
_PARKED = sa.select(_parked).where(_parked.c.tenant_id == _TENANT)

Facts = dict[str, Any]
SEATED = {facts.ASSIGNED, facts.GRACE}
NOT_KEPT = frozenset({"effective", "from"})
"""What an event says beside the facts: how late it was written, and what was before."""


@dataclass
class Picture:
    """What is known; each thing by its name, with its facts as the log keeps them."""

    types: dict[str, Facts] = field(default_factory=dict)
    contracts: dict[str, Facts] = field(default_factory=dict)
    rules: dict[str, Facts] = field(default_factory=dict)
    claims: dict[str, Facts] = field(default_factory=dict)
    licenses: dict[str, Facts] = field(default_factory=dict)
    parked: dict[str, Facts] = field(default_factory=dict)
    ledger: dict[str, Facts] = field(default_factory=dict)
    approved: Counter[str] = field(default_factory=Counter)
    owned: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Person → (kind, name) of what is theirs, so that a deletion need not look at everybody."""

    def counts(self) -> dict[str, int]:
        """How many of each kind there are."""
        return {kind: len(getattr(self, kind)) for kind in KINDS}


KINDS = ("types", "contracts", "rules", "claims", "licenses", "parked", "ledger")


@dataclass(frozen=True)
class Finding:
    """One thing that the log and the tables do not say alike; None where one of them does not know it."""

    kind: str
    name: str
    log: Facts | None
    table: Facts | None

    def __str__(self) -> str:
        if self.log is None or self.table is None:
            where = "table only" if self.log is None else "log only"
            return f"{self.kind}: {self.name} is in the {where}."
        names = sorted({*self.log, *self.table})
        parts = [
            f"{name} is {self.table.get(name)!r} in the table, {self.log.get(name)!r} by the log"
            for name in names
            if self.log.get(name) != self.table.get(name)
        ]
        return f"{self.kind}: {self.name}: {'; '.join(parts)}."


def check(work: Work) -> list[Finding]:
    """Where the log and the tables differ; empty when the tables can be rebuilt from the log."""
    return differences(fold(audit.everything(work)), tabled(work))


def differences(log: Picture, table: Picture) -> list[Finding]:
    """What two pictures do not say alike."""
    return [
        Finding(kind, name, mine.get(name), theirs.get(name))
        for kind in KINDS
        for mine, theirs in [(getattr(log, kind), getattr(table, kind))]
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name)
    ]


def fold(events: Iterable[Event]) -> Picture:
    """What these events, the oldest first, come to."""
    found = Picture()
    for event in events:
        subject, _, verb = event.action.partition(":")
        handler = _HANDLERS.get(event.action) or _HANDLERS.get(subject)
        if handler is not None:
            handler(found, event, verb)
    _rank(found)
    _count(found)
    return found


def tabled(work: Work) -> Picture:
    """What the tables say, in the log's words."""
    opened = gate.look(work)
    codes = {seq: kind.code for seq, kind in opened.types.items()}
    found = Picture(approved=Counter({codes[seq]: count for seq, count in opened.approved.items() if count}))
    found.types = {kind.code: _plain(catalog.facts_of(kind)) for kind in catalog.types(work)}
    found.contracts = {one.number: _contract(_plain(contracts.facts_of(one))) for one in contracts.listing(work)}
    found.rules = _tabled_rules(work)
    for name, kind, values in _tabled_people(work, codes):
        getattr(found, kind)[name] = _plain(values)
    for row in work.rows(_PARKED):
        found.parked[str(row.seq)] = _plain({"person": row.user_id, "type": codes[row.type_seq], "until": row.until})
    for seq, code in codes.items():
        found.ledger[code] = {"used": opened.consuming[seq], "approved": opened.approved[seq]}
    return found


def _tabled_rules(work: Work) -> dict[str, Facts]:
    excluded: dict[int, list[str]] = {}
    for row in work.rows(_EXCLUDED):
        excluded.setdefault(row.rule_seq, []).append(row.id)
    return {
        claims.source_of(rule.seq): _plain(
            {
                "group": rule.group_name,
                "type": rule.type_code,
                "state": rule.state,
                "group_id": rule.group_id,
                "bundle": rule.bundle,
                "excluded": sorted(excluded.get(rule.seq, ())),
                **rule.terms.columns(),
            }
        )
        for rule in rule_rows.listing(work)
    }


def _tabled_people(work: Work, codes: Mapping[int, str]) -> Iterator[tuple[str, str, Facts]]:
    seqs = sorted({row.user_seq for statement in _PEOPLE for row in work.rows(statement)})
    for person in assignments.people(work, seqs).values():
        for claim in person.claims:
            values = {**claims.facts_of(claim, codes), "has_rule": claim.rule_seq is not None}
            yield _claim_name(person.id, codes[claim.type_seq], claim.source), "claims", values
        for type_seq, row in person.held.items():
            values = {"state": row.state, **happenings.facts_of(row), "key": row.key}
            yield _license_name(person.id, codes[type_seq]), "licenses", values


def _plain(values: Mapping[str, Any]) -> Facts:
    """As it comes back from the log's JSON."""
    found: Facts = orjson.loads(orjson.dumps(values))
    return found


def _claim_name(person: str, code: str, source: str) -> str:
    return f"{person} {code} {source}"


def _license_name(person: str, code: str) -> str:
    return f"{person} {code}"


def _type(found: Picture, event: Event, verb: str) -> None:
    made = event.data
    found.types[event.subject] = made
    if made["family"] is not None:
        for one in found.types.values():
            if one["family"] == made["family"]:
                one["conflict_policy"] = made["conflict_policy"]


def _contract_made(found: Picture, event: Event, verb: str) -> None:
    made = {name: value for name, value in event.data.items() if name != "seats"}
    found.contracts[event.subject] = _contract(made)


def _contract(made: Facts) -> Facts:
    """With its lines in order of their types; of one type, in order of their making."""
    return {**made, "lines": sorted(made["lines"], key=lambda line: str(line["type"]))}


def _contract_changed(found: Picture, event: Event, verb: str) -> None:
    contract = found.contracts[event.subject]
    if "line" in event.data:
        contract["lines"].append(event.data["line"])
    for code, quantity in event.data.get("seats", {}).items():
        whole = [one for one in contract["lines"] if one["type"] == code and one["from"] is None and one["to"] is None]
        if whole:
            whole[0]["quantity"] = quantity
        else:
            line = contracts.SeatLine(code, quantity)
            contract["lines"].append(contracts.line_facts(line))
    found.contracts[event.subject] = _contract(contract)


def _approved(found: Picture, event: Event, verb: str) -> None:
    found.approved[event.subject] += 1


def _rule_made(found: Picture, event: Event, verb: str) -> None:
    found.rules[event.subject] = {"group_id": None, "bundle": None, "excluded": [], **event.data}


def _rule_changed(found: Picture, event: Event, verb: str) -> None:
    """Changed, renamed, tied: what the event names; bound and orphaned: the state besides."""
    states: dict[str, Facts] = {
        "bound": {"state": rule_rows.BOUND},
        "orphaned": {"state": rule_rows.ORPHANED, "group_id": None},
    }
    rule = found.rules[event.subject]
    named = {name: value for name, value in event.data.items() if name in rule}
    rule.update({**named, **states.get(verb, {})})


def _rule_gone(found: Picture, event: Event, verb: str) -> None:
    found.rules.pop(event.subject, None)


def _excluded(found: Picture, event: Event, verb: str) -> None:
    others = [one for one in found.rules[event.subject]["excluded"] if one != event.data["person"]]
    found.rules[event.subject]["excluded"] = sorted([*others, event.data["person"]] if verb == "excluded" else others)


def _claim(found: Picture, event: Event, verb: str) -> None:
    name = _claim_name(event.subject, event.data["type"], event.data["source"])
    _keep(found, "claims", event, name, None if verb == "ended" else _kept(event))


def _license(found: Picture, event: Event, verb: str) -> None:
    name = _license_name(event.subject, event.data["type"])
    values = {"state": verb, **{key: value for key, value in _kept(event).items() if key != "type"}}
    _keep(found, "licenses", event, name, None if verb == happenings.RELEASED else values)


def _kept(event: Event) -> Facts:
    return {name: value for name, value in event.data.items() if name not in NOT_KEPT}


def _keep(found: Picture, kind: str, event: Event, name: str, values: Facts | None) -> None:
    known: dict[str, Facts] = getattr(found, kind)
    if values is None:
        known.pop(name, None)
        found.owned.get(event.subject, set()).discard((kind, name))
    else:
        known[name] = values
        found.owned.setdefault(event.subject, set()).add((kind, name))


def _person_gone(found: Picture, event: Event, verb: str) -> None:
    for kind, name in found.owned.pop(event.subject, ()):
        getattr(found, kind).pop(name, None)
    for rule in found.rules.values():
        rule["excluded"] = [one for one in rule["excluded"] if one != event.subject]


def _seat_parked(found: Picture, event: Event, verb: str) -> None:
    seat = {"person": event.subject, "type": event.data["type"], "until": event.data["until"]}
    found.parked[str(event.data["seat"])] = seat


def _seat_unparked(found: Picture, event: Event, verb: str) -> None:
    found.parked.pop(event.subject, None)


_HANDLERS: dict[str, Callable[[Picture, Event, str], None]] = {
    "license-type": _type,
    "contract:created": _contract_made,
    "contract:changed": _contract_changed,
    "overage:approved": _approved,
    "rule:created": _rule_made,
    "rule:deleted": _rule_gone,
    "rule:excluded": _excluded,
    "rule:included": _excluded,
    "rule": _rule_changed,
    "claim": _claim,
    "license": _license,
    "user:deleted": _person_gone,
    "seat:parked": _seat_parked,
    "seat:unparked": _seat_unparked,
}
"""Action, or its subject alone for all the others of it, → what it does to the picture."""


def _rank(found: Picture) -> None:
    """The place of each license in the published order, which follows from its claims (A-3)."""
    mine: dict[str, list[Facts]] = {}
    for name, claim in found.claims.items():
        claim["has_rule"] = claim["source"] in found.rules
        mine.setdefault(_license_name(name.split(" ", 1)[0], claim["type"]), []).append(claim)
    for name, row in found.licenses.items():
        row["key"] = _key(row, mine.get(name, []))


def _key(row: Facts, mine: Iterable[Facts]) -> list[Any]:
    """As `standing.py` has it: over all claims while banned, else over those that count, or else those held back."""
    every = list(mine)
    counting = [one for one in every if row["reason"] == facts.BANNED or not one.get("held_back")]
    found = counting or every
    live = [one for one in found if one["until"] is None] or found
    return min(([one["priority"], one["since"], one["rank_seq"]] for one in live), default=[0, row["since"], 0])


def _count(found: Picture) -> None:
    """The ledger: who uses a seat, and the parked seats."""
    used: Counter[str] = Counter(one["type"] for one in found.parked.values())
    for name, row in found.licenses.items():
        used[name.rsplit(" ", 1)[1]] += row["state"] in SEATED or bool(row.get("holds"))
    found.ledger = {code: {"used": used[code], "approved": found.approved[code]} for code in found.types}
