"""What a rule gives to one person: a claim, a claim that does not count yet, or none (licensing.md D-7, E-2, E-3).

A rule gives to whoever is in its group (or to everyone), unless the person is excluded; while its filter is not met or
its validity has not begun, the claim is there and held back, so that the reason can be seen (I-7, I-8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from scim_service import errors
from scim_service.licensing import claims, facts
from scim_service.licensing.facts import Claim, Person
from scim_service.protocol import filters, schema
from scim_service.storage import tables
from scim_service.storage.work import Work, chunks

if TYPE_CHECKING:
    from scim_service.licensing.gate import Gate

_users = tables.directory.users
_rules = tables.licensing.rules
_exclusions = tables.licensing.rule_exclusions
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_SEQS: sa.BindParameter[Any] = sa.bindparam("seqs", expanding=True)

_DOCUMENTS = sa.select(_users.c.seq, _users.c.active, _users.c.document).where(
    _users.c.tenant_id == _TENANT, _users.c.seq.in_(_SEQS)
)
_EXCLUDED = sa.select(_exclusions.c.rule_seq, _exclusions.c.user_seq).where(
    _exclusions.c.tenant_id == _TENANT, _exclusions.c.rule_seq.in_(sa.bindparam("rules", expanding=True))
)
FILTERED = (_rules.c.tenant_id == _TENANT, _rules.c.filter.is_not(None), _rules.c.state == "bound", _rules.c.enabled)
"""What a rule is that asks for attributes."""

_FILTERED = sa.select(_rules).where(*FILTERED).order_by(_rules.c.seq)


class Follower:
    """Makes the claims of some rules agree with what the rules give; one for all people of an event."""

    def __init__(self, gate: Gate, rules: Sequence[Any], user_seqs: Sequence[int]) -> None:
        self.gate = gate
        self.rules = rules
        self.trees = {rule.seq: parsed(rule.filter) for rule in rules if rule.filter is not None}
        self.documents = documents(gate.work, user_seqs) if self.trees else {}
        self.excluded = _excluded(gate.work, [rule.seq for rule in rules]) if gate.specials else frozenset()

    def follow(self, person: Person, inside: Iterable[Any]) -> None:
        """Claim by the rules whose group the person is in, let go by the others (E-2, E-3)."""
        given = {rule.seq for rule in inside if self._gives(rule, person)}
        ranks: dict[int, int] = {}
        known = {claim.source: claim for claim in person.claims}
        for rule in self.rules:
            source = claims.source_of(rule.seq)
            claim = known.get(source) if _is_of(known.get(source), rule) else _find(person, source, rule.type_seq)
            if rule.seq in given:
                self._claim(rule, person, claim, ranks)
            elif claim is not None and claim.ending != facts.MIGRATING:
                grace = self.gate.grace(rule.type_seq, rule.exit_grace)
                self.gate.claims.leave(person, claim, facts.LEFT_GROUP, grace, self.gate.now)

    def _gives(self, rule: Any, person: Person) -> bool:
        over = rule.valid_to is not None and rule.valid_to <= self.gate.now
        return rule.enabled and not over and (rule.seq, person.seq) not in self.excluded

    def _claim(self, rule: Any, person: Person, claim: Claim | None, ranks: dict[int, int]) -> None:
        back = self.held_back(rule, person)
        if claim is None:
            more = {"priority": rule.priority, "rule_seq": rule.seq, "held_back": back}
            rank = ranks.get(rule.bundle) if rule.bundle is not None else None
            made = self.gate.claims.add(
                person, rule.type_seq, claims.source_of(rule.seq), self.gate.now, rank_seq=rank, **more
            )
            if rule.bundle is not None:
                ranks[rule.bundle] = made.rank_seq
        elif back and not claim.held_back:
            self.gate.claims.leave(
                person, claim, facts.LEFT_GROUP, self.gate.grace(rule.type_seq, rule.exit_grace), self.gate.now
            )
        else:
            if claim.until is not None and claim.ending != facts.MIGRATING:
                self.gate.claims.revive(person, claim)
            self.gate.claims.amend(person, claim, held_back=back, priority=rule.priority)

    def held_back(self, rule: Any, person: Person) -> str | None:
        """Why a claim by this rule does not count now: its validity has not begun, its filter is not met."""
        if rule.valid_from is not None and rule.valid_from > self.gate.now:
            return facts.NOT_YET_VALID
        tree = self.trees.get(rule.seq)
        if tree is None or filters.match(tree, self.documents.get(person.seq, {})):
            return None
        return facts.FILTER


def parsed(text: str) -> filters.Node:
    """A rule's filter. Raises InvalidFilter for what is none, or asks for what a rule cannot know."""
    try:
        return filters.parse(text, schema.USER)
    except errors.InvalidFilter as problem:
        raise errors.InvalidFilter(problem.detail, code="bad_filter") from problem


def documents(work: Work, user_seqs: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """What a rule's filter may ask of these people: the stored document, with `active`."""
    return {
        row.seq: {**orjson.loads(row.document), "active": row.active}
        for chunk in chunks(user_seqs)
        for row in work.rows(_DOCUMENTS, seqs=list(chunk))
    }


def filtered_rules(work: Work) -> list[Any]:
    """The rules that ask for attributes, as rows, oldest first."""
    return list(work.rows(_FILTERED))


def _excluded(work: Work, rule_seqs: Collection[int]) -> frozenset[tuple[int, int]]:
    rows = work.rows(_EXCLUDED, rules=sorted(rule_seqs))
    return frozenset((row.rule_seq, row.user_seq) for row in rows)


def _is_of(claim: Claim | None, rule: Any) -> bool:
    return claim is not None and claim.type_seq == rule.type_seq


def _find(person: Person, source: str, type_seq: int) -> Claim | None:
    return next((one for one in person.claims if one.source == source and one.type_seq == type_seq), None)
