"""Plans: how many administrators a tenant may have, and what else it bought, as data (licensing.md D-2).

A plan is a row of `PLANS`. Its `features` are told to the console and to the product that sells the seats; nothing in
this service is withheld by them.
"""

from __future__ import annotations

from dataclasses import dataclass

from scim_service import errors

FEATURES = {
    "scim": "Identity providers push people and groups.",
    "group_rules": "Membership in groups gives seats.",
    "waiting_list": "Who is over a cap waits in a fair order.",
    "check_api": "The product asks who is licensed for what.",
    "administrators_as_agreed": "The number of administrators is agreed upon, not fixed by the plan.",
}
"""What a plan may include, in words."""

_ALWAYS = ("scim", "group_rules", "waiting_list", "check_api")


@dataclass(frozen=True)
class Plan:
    """One plan; `admin_limit` is None where the number of administrators is agreed upon with whoever runs this."""

    code: str
    name: str
    admin_limit: int | None
    features: tuple[str, ...] = _ALWAYS


DEFAULT = "standard"
PLANS = {
    one.code: one
    for one in (
        Plan("essential", "Essential", 2),
        Plan(DEFAULT, "Standard", 5),
        Plan("enterprise", "Enterprise", None, (*_ALWAYS, "administrators_as_agreed")),
    )
}
"""Every plan by its code, the smaller first. More administrators than `standard` has are a matter of contacting us."""


def find(code: str) -> Plan:
    """The plan with this code. Raises InvalidValue, naming those that there are."""
    if code not in PLANS:
        raise errors.InvalidValue(f"There is no plan {code!r}. There are: {', '.join(PLANS)}.")
    return PLANS[code]
