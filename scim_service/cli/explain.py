"""The command `explain`: why a person has a license, or has not, in a sentence and as data (licensing.md A-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import explain as explaining
from scim_service.licensing import sentences, words
from scim_service.licensing.explain import ClaimLine, Explanation


@click.command()
@arguments.slug
@arguments.user
@arguments.any_type
@click.option(
    "--lang", type=click.Choice(sentences.LANGUAGES), default=sentences.ENGLISH, help="The language of the sentence."
)
@arguments.as_json
def explain(slug: str, user: str, type_code: str | None, lang: str, as_json: bool) -> None:
    """Explain a person's licenses: state, every claim with its group path, place in the queue, the smallest change.

    With --type also a license that the person has not: which rule does not reach them, and why.

    \b
    Example:
      scim-service explain acme --user alice@acme.example --type professional --lang fr
    """
    found = opening.ask_about_seats(slug, lambda work: explaining.explain(work, user, type_code))
    if as_json:
        output.listing([_record(one, lang) for one in found], as_json, "")
    else:
        click.echo(
            "\n\n".join(_told(one, lang) for one in found) or f"{output.cell(user)} has no claim to any license."
        )


def _record(one: Explanation, lang: str) -> dict[str, object]:
    rule = next((line.rule or line.source for line in one.claims if line.effective), None)
    return {
        "type": one.type_code,
        "state": one.state,
        "reason": one.reason,
        "sentence": words.sentence(one, lang),
        "since": one.since,
        "until": one.until,
        "position": one.position,
        "rank": one.rank,
        "decided_by": rule,
        "numbers": asdict(one.numbers),
        "ends": asdict(one.ends) if one.ends else None,
        "facts": [
            {name: value for name, value in asdict(fact).items() if value not in (None, ())} for fact in one.facts
        ],
        "change": asdict(one.change),
        "claims": [asdict(line) for line in one.claims],
    }


def _told(one: Explanation, lang: str) -> str:
    """A head line with the state, the sentence, and a line per claim and path."""
    numbers = one.numbers
    facts = [
        f"{output.cell(one.user_name)}, {one.type_code}: {one.state}",
        f"({one.reason})" if one.reason else "",
        f"place {one.position} of {numbers.waiting} in the queue" if one.position else "",
        f"since {output.instant(one.since)}" if one.since else "",
        f"until {output.instant(one.until)}" if one.until else "",
    ]
    seats = f"  seats: {numbers.used} used, limit {output.cell(numbers.limit)}, bought {output.cell(numbers.cap)}"
    head = " ".join(fact for fact in facts if fact)
    return "\n".join([head, f"  {output.cell(words.sentence(one, lang))}", *_claim_lines(one.claims), seats])


def _claim_lines(claims: Sequence[ClaimLine]) -> list[str]:
    lines = []
    for claim in claims:
        what = f"rule {output.cell(claim.rule)}" if claim.rule else output.cell(claim.source)
        ends = f", lingering until {output.instant(claim.until)}" if claim.until else ""
        held = f", held back ({claim.held_back})" if claim.held_back else ""
        counts = ", the one that decides" if claim.effective and len(claims) > 1 else ""
        lines.append(f"  because of {what}, since {output.instant(claim.since)}{ends}{held}{counts}")
        lines += [f"    {' > '.join(output.cell(step) for step in path)}" for path in claim.paths]
    return lines
