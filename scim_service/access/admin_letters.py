"""What administrators are written to about themselves (licensing.md N-1, N-2), in the language of their tenant."""

from __future__ import annotations

from typing import Any

from scim_service.access import tenants
from scim_service.access.invitations import Invitation
from scim_service.delivery import outbox
from scim_service.delivery.outbox import Message
from scim_service.protocol import text
from scim_service.storage.work import Work


def invited(work: Work, asked: Invitation, role: str) -> None:
    """The invitation itself, which somebody asked for (T-7 counts it)."""
    by = work.actor.name if work.actor.kind == "administrator" else None
    _post(
        work,
        step_key(asked, 0),
        "administrator_invited",
        asked.email,
        {"link": asked.link, "role": role, "invited_by": by, "expires_at": expiry(asked)},
        by_hand=True,
    )


def reminded(work: Work, asked: Invitation, role: str) -> None:
    """A reminder of an invitation that is open still (T-6)."""
    facts = {"link": asked.link, "role": role, "expires_at": expiry(asked)}
    _post(work, step_key(asked, asked.step), "administrator_reminder", asked.email, facts)


def designated(work: Work, seq: int, email: str, role: str) -> None:
    """That somebody administers the tenant from now on (BK-04)."""
    _post(work, f"adm:designated:{seq}", "administrator_designated", email, {"role": role})


def head_appointed(work: Work, seq: int, email: str) -> None:
    """That somebody is the head administrator from now on."""
    _post(work, f"adm:head:{seq}:{text.format_datetime(work.now)}", "head_appointed", email, {})


def handed_over(work: Work, seq: int, email: str, to: str) -> None:
    """That somebody is the head administrator no more, and who is."""
    _post(work, f"adm:handed:{seq}:{text.format_datetime(work.now)}", "head_handed_over", email, {"to": to})


def step_key(asked: Invitation, step: int | str) -> str:
    """The key of a letter of a ladder: once for each step of each cycle (licensing.md 4.6)."""
    return f"rem:{asked.kind}:{asked.seq}:{asked.cycle}:{step}"


def expiry(asked: Invitation) -> str | None:
    """The fact `expires_at`."""
    return None if asked.expires_at is None else text.format_datetime(asked.expires_at)


def _post(work: Work, key: str, letter: str, email: str, facts: dict[str, Any], *, by_hand: bool = False) -> None:
    language = tenants.settings_of(work).language
    outbox.post(work, [Message(key, letter, email, language, facts, by_hand=by_hand)])
