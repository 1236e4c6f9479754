"""A sample of each letter: what `demo` shows, and the tests keep the text of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scim_service.delivery.letters.facts import Sender

SENDER = Sender(
    tenant="Acme",
    product="Atelier",
    product_url="https://atelier.example/",
    documentation_url="https://atelier.example/docs",
    support="help@atelier.example",
    zone=ZoneInfo("Europe/Paris"),
)
LINKS = {
    "link": "https://scim.example/links/sample",
    "keep_link": "https://scim.example/links/sample-keep",
    "give_up_link": "https://scim.example/links/sample-give-up",
}
"""By the name of the fact that stands for each."""

TYPE = {"code": "pro", "name": "Professional"}
_LITE = {"code": "lite", "name": "Lite"}
_LINK = {"kind": "invitation", "seq": 17, "cycle": 1}
_VERIFY = {"kind": "verification", "seq": 18, "cycle": 1}
_KEEP = {"kind": "reclaim_keep", "seq": 4, "cycle": 1}
_GIVE_UP = {"kind": "reclaim_give_up", "seq": 4, "cycle": 1}
_SOON, _LATER = "2027-03-12T08:00:00Z", "2027-04-01T07:30:00Z"
_CONTRACT = {
    "contract": "C-2027",
    "types": [{"type": TYPE, "seats": 40, "used": 38}, {"type": _LITE, "seats": 1200, "used": 1}],
}
_RECLAIM = {
    "type": TYPE,
    "idle_days": 45,
    "keep_link": _KEEP,
    "give_up_link": _GIVE_UP,
    "release_at": _LATER,
}

FACTS: Mapping[str, Mapping[str, Any]] = {
    "invitation": {"link": _LINK, "type": TYPE, "invited_by": "Bob Martin", "expires_at": _SOON},
    "invitation_reminder": {"link": _LINK, "type": TYPE, "expires_at": _SOON},
    "invitation_last": {"link": _LINK, "expires_at": _SOON},
    "verification": {"link": _VERIFY},
    "verification_reminder": {"link": _VERIFY, "expires_at": _SOON},
    "verification_last": {"link": _VERIFY},
    "welcome": {"type": TYPE},
    "belongs_to": {"type": TYPE},
    "access_created": {"type": TYPE, "user_name": "alice@acme.example"},
    "address_changed_old": {},
    "address_changed_new": {"link": _VERIFY},
    "administrator_invited": {
        "link": _LINK,
        "role": "license_administrator",
        "invited_by": "Bob Martin",
        "expires_at": _SOON,
    },
    "administrator_reminder": {"link": _LINK, "role": "operator", "expires_at": _SOON},
    "administrator_designated": {"role": "administrator"},
    "head_appointed": {},
    "head_handed_over": {"to": "Ada Durand"},
    "promoted": {"type": TYPE, "since": "2027-03-01T08:00:00Z"},
    "yielded": {"type": TYPE},
    "drop_deadline": {"type": TYPE, "until": _LATER, "reason": "cap_decrease"},
    "drop_executed": {"type": TYPE},
    "contract_last_day": {"types": [TYPE, _LITE], "grace_until": _LATER},
    "request_approved": {"type": TYPE, "state": "waiting"},
    "request_denied": {"type": TYPE, "reason": "The project is over.", "not_before": _SOON},
    "reclaim_ask": _RECLAIM,
    "reclaim_reminder": _RECLAIM,
    "reclaim_released": {"type": TYPE},
    "seats_low": {"type": TYPE, "used": 39, "limit": 40, "left": 1},
    "none_left": {"type": TYPE, "used": 40, "limit": 40, "waiting": 3},
    "contract_ends": {**_CONTRACT, "ends_at": _LATER, "days": 30},
    "contract_ended": {**_CONTRACT, "grace_until": _LATER},
    "grace_ends": {**_CONTRACT, "grace_until": _LATER, "days": 1},
    "grace_ended": _CONTRACT,
    "digest": {
        "week": "2027-W10",
        "waiting": [{"type": TYPE, "count": 3}, {"type": _LITE, "count": 1}],
        "requests": [{"name": "Chloé Petit", "type": TYPE, "since": "2027-03-02T10:15:00Z"}],
        "drops": [{"type": TYPE, "seats": 2, "reason": "contract_end", "until": _LATER}],
        "expiring": [{"name": "Erik Berg", "type": TYPE, "until": _SOON}],
        "lapsed": [{"name": "Zoë Ähre", "email": "zoe@acme.example", "kind": "invitation"}],
        "promoted": [{"name": "Alice Martin", "type": TYPE, "since": "2027-03-04T13:00:00Z"}],
        "lost": [{"name": "Ben Ito", "type": _LITE, "reason": "yielded"}],
        "reclaimed": [{"name": "Eva Lindt", "type": TYPE, "outcome": "given_up"}],
        "conflicts": [{"name": "Dana Cole", "type": _LITE, "with": ["pro", "max"]}],
        "orphans": [{"group": "Sales EMEA", "type": TYPE}],
        "more": {"waiting": 2},
    },
    "mass_removal": {"removed": 25, "parked": 15, "types": [TYPE, _LITE], "until": "2027-03-06T08:00:00Z"},
    "ledger_differs": {"findings": ["pro (ledger 39, rows 38)", "lite (a seat without a reason)"]},
    "dead_letters": {"count": 2, "oldest_at": "2027-03-02T10:15:00Z", "reason": "550 5.1.1 no such user"},
    "token_expires": {"connection": "okta", "days": 7},
}
"""Letter → facts as they are posted."""
