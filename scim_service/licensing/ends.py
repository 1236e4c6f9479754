"""What ends a license by itself, and when (licensing.md A-11): a grace, an expiry, a rule's or a contract's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scim_service.licensing import capacity, facts
from scim_service.licensing.catalog import LicenseType
from scim_service.licensing.facts import Assignment, Claim
from scim_service.licensing.obstacles import Looked

GRACE_END, DEADLINE, HOLD_END = "grace_end", "drop_deadline", "hold_end"
EXPIRY, RULE_END, CONTRACT_END = "expiry", "rule_end", "contract_end"
KINDS = (GRACE_END, DEADLINE, HOLD_END, EXPIRY, RULE_END, CONTRACT_END)


@dataclass(frozen=True)
class Ending:
    """What ends it: `kind`, and the instant. After a rule's or a contract's end there may be a grace."""

    kind: str
    at: datetime


def of(looked: Looked, kind: LicenseType, row: Assignment | None, claims: Sequence[Claim]) -> Ending | None:
    """What ends a held license next, as far as time alone does; None where only somebody's act would."""
    if row is None or not (row.seated or row.stop is not None):
        return None
    if row.until is not None:
        return Ending(_of_until(row), row.until)
    found = [_of_claims(looked, claims), _of_contract(looked, kind)]
    return min((one for one in found if one is not None), key=lambda one: one.at, default=None)


def _of_until(row: Assignment) -> str:
    if row.state == facts.SUSPENDED:
        return HOLD_END
    return DEADLINE if row.reason in facts.DROPS else GRACE_END


def _of_claims(looked: Looked, claims: Sequence[Claim]) -> Ending | None:
    """The end of the last reason, where each of them has one."""
    ends = [_of_claim(looked, one) for one in claims if one.held_back is None]
    known = [one for one in ends if one is not None]
    return max(known, key=lambda one: one.at) if known and len(known) == len(ends) else None


def _of_claim(looked: Looked, claim: Claim) -> Ending | None:
    rule = looked.rule(claim.rule_seq)
    found = [
        Ending(EXPIRY, claim.expires_at) if claim.expires_at else None,
        Ending(GRACE_END, claim.until) if claim.until else None,
        Ending(RULE_END, rule.terms.valid_to) if rule is not None and rule.terms.valid_to else None,
    ]
    return min((one for one in found if one is not None), key=lambda one: one.at, default=None)


def _of_contract(looked: Looked, kind: LicenseType) -> Ending | None:
    """The instant from which on no line of the type is valid any more."""
    lines = [one for one in looked.gate.lines if one.type_seq == kind.seq]
    at = capacity.next_boundary(lines, looked.gate.now)
    while at is not None:
        if not any(one.is_valid(at) for one in lines):
            return Ending(CONTRACT_END, at)
        at = capacity.next_boundary(lines, at)
    return None
