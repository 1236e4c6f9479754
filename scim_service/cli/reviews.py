"""How the outcome of a restore is told: what stays ended, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scim_service.access.restored import Rights, Token, Tokens
from scim_service.cli import output
from scim_service.directory.restored import Group, Review


def told(found: Review) -> Iterator[str]:
    """Sentences, with a table below those that name tokens or administrators."""
    yield f"The epoch is {found.epoch}: links and sessions from before are dead."
    if not found.compared:
        yield "There was no database to compare with: what was ended since the backup is not known. Look at all tokens."
    yield from _tokens(found.tokens)
    yield from _administrators(found.administrators)
    if found.invitations:
        many = ", ".join(f"{count} {state}" for state, count in found.invitations.items())
        yield f"Invitations and verifications that are settled, as they were since the backup: {many}."
    if found.banned:
        yield f"Banned again, as they were since the backup: {len(found.banned)}."
    yield from _people(found.deactivated, "deactivated", "active")
    yield from _people(found.deleted, "deleted", "there")
    if found.letters:
        yield f"Letters that had left or were given up since the backup, and do not leave again: {found.letters}."
    yield "Now start the service, and have each identity provider run a full cycle: it heals what is older."


def _tokens(found: Tokens) -> Iterator[str]:
    yield from _listed("Revoked again, as they were since the backup:", found.revoked)
    yield from _listed("Made since the backup and lost; make new ones for who uses them:", found.lost)
    yield from _listed("They work; revoke with `scim-service token revoke` what you do not know:", found.review)


def _listed(sentence: str, found: Sequence[Token]) -> Iterator[str]:
    if found:
        yield ""
        yield sentence
        yield output.table(
            [{"tenant": one.tenant, "connection": one.connection, "prefix": one.prefix} for one in found]
        )
        yield ""


def _administrators(found: Sequence[Rights]) -> Iterator[str]:
    if found:
        yield ""
        yield "They have roles again that they had no more; where that is wrong: scim-service admin remove"
        rows = [{"tenant": one.tenant, "email": one.email, "role": one.role, "since": one.since} for one in found]
        yield output.table(rows)
        yield ""


def _people(found: Group, since: str, now: str) -> Iterator[str]:
    if found.count:
        yield f"People who were {since} since the backup and are {now} again: {found.count} (--json names them)."
