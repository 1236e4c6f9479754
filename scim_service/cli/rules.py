"""The command `rule`: a group's members, or everybody, hold license types (licensing.md D-7)."""

from __future__ import annotations

from typing import Any

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import rules
from scim_service.licensing.rules import Rule, Terms
from scim_service.storage.work import Work

_WHOM = arguments.options(
    click.option("--group", metavar="NAME", callback=arguments.not_blank, help="The group's displayName."),
    click.option("--everyone", is_flag=True, help="Instead of a group: everybody of the tenant."),
)
_TERMS = arguments.options(
    click.option("--priority", type=int, help="Smaller is served first when seats are scarce; 100 unless given."),
    click.option("--quota", type=click.IntRange(min=0), help="At most so many people hold the type by this rule."),
    click.option("--filter", metavar="FILTER", help="Only who matches, such as 'userType eq \"Employee\"'."),
    arguments.exit_grace,
    click.option("--valid-from", type=arguments.Instant(), help="It gives nothing before."),
    click.option("--valid-to", type=arguments.Instant(), help="From then on it is as if it were deleted."),
    click.option("--enable/--disable", "enabled", default=None, help="Whether it gives anything at all."),
    click.option("--exclude", multiple=True, metavar="USERNAME", help="Gets nothing from it; several if wanted."),
)
_EMPTY: dict[str, Any] = dict.fromkeys(("quota", "filter", "exit_grace", "valid_from", "valid_to"))


@click.group()
def rule() -> None:
    """Which groups give which license: every member, also of groups in the group, gets a claim."""


@rule.command()
@arguments.slug
@_WHOM
@click.option("--type", "codes", multiple=True, required=True, metavar="CODE", help="A type; several if wanted.")
@click.option("--atomic", is_flag=True, help="All the types together, or none of them.")
@_TERMS
@arguments.preview
@arguments.as_json
def create(
    slug: str,
    group: str | None,
    everyone: bool,
    codes: tuple[str, ...],
    atomic: bool,
    exclude: tuple[str, ...],
    dry_run: bool,
    version: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Make a rule. A group that is not there yet is awaited: the first one of that name is bound.

    \b
    Example:
      scim-service rule create acme --group Sales --type professional --priority 50
    """
    name, terms = _name(group, everyone), Terms(**arguments.said(given))

    def act(work: Work) -> list[Rule]:
        rules.create(work, name, *codes, terms=terms, atomic=atomic, exclude=exclude)
        return [rules.find(work, name, code) for code in codes]

    made = opening.change_previewed(slug, act, dry_run=dry_run, version=version, as_json=as_json, braked=True)
    types = ", ".join(one.type_code for one in made)
    record = {**_record(made[0], exclude), "types": [one.type_code for one in made]}
    output.made(f"{_people(made[0])} get {types}; the rule is {made[0].state}.", record, as_json)


@rule.command()
@arguments.slug
@_WHOM
@arguments.type_code
@_TERMS
@click.option("--include", multiple=True, metavar="USERNAME", help="Is excluded no more; several if wanted.")
@click.option("--to-type", metavar="CODE", help="Give this type from now on, instead of the other one.")
@click.option(
    "--migration-grace",
    type=arguments.Duration(),
    default=rules.MIGRATION_GRACE,
    help="With --to-type: how long the old type is kept while there is no seat of the new one; 30d.",
)
@arguments.unset(*_EMPTY)
@arguments.preview
@arguments.as_json
def update(
    slug: str,
    group: str | None,
    everyone: bool,
    type_code: str,
    unset: tuple[str, ...],
    dry_run: bool,
    version: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Change a rule; everybody whom it concerns is looked at again. What is not said stays.

    \b
    Example:
      scim-service rule update acme --group Sales --type basic --to-type professional --dry-run
    """
    name, changes = _name(group, everyone), arguments.said(given, unset, _EMPTY)
    if set(changes) <= {"migration_grace"}:
        raise click.UsageError("Say what is to be changed.")

    def act(work: Work) -> tuple[Rule, list[str]]:
        changed = rules.update(work, name, type_code, **changes)
        return changed, rules.exclusions(work).get(changed.seq, [])

    changed, excluded = opening.change_previewed(
        slug, act, dry_run=dry_run, version=version, as_json=as_json, braked=True
    )
    sentence = f"{_people(changed)} get {changed.type_code} by the changed rule; it is {changed.state}."
    output.made(sentence, _record(changed, excluded), as_json)


@rule.command("list")
@arguments.slug
@arguments.as_json
def list_rules(slug: str, as_json: bool) -> None:
    """List the rules: bound, unbound (the group is awaited), or orphaned (the group was deleted).

    \b
    Example:
      scim-service rule list acme
    """
    found, excluded = opening.ask(slug, lambda work: (rules.listing(work), rules.exclusions(work)))
    rows = [_record(one, excluded.get(one.seq, ())) if as_json else _row(one) for one in found]
    output.listing(rows, as_json, "No rule yet. Make one with: scim-service rule create")


@rule.command()
@arguments.slug
@_WHOM
@arguments.type_code
@arguments.preview
@arguments.as_json
def delete(
    slug: str,
    group: str | None,
    everyone: bool,
    type_code: str,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Delete a rule; its seats end after the exit grace, unless another reason holds them.

    \b
    Example:
      scim-service rule delete acme --group Sales --type professional
    """
    name = _name(group, everyone)
    gone = opening.change_previewed(
        slug,
        lambda work: rules.delete(work, name, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        braked=True,
    )
    whose = output.cell(gone.group_name) if gone.group_name else "The rule for everyone"
    output.made(f"{whose} gives no {gone.type_code} any more.", _record(gone), as_json)


@rule.command()
@arguments.slug
@arguments.group
@arguments.type_code
@arguments.preview
@arguments.as_json
def relink(slug: str, group: str, type_code: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Bind an orphaned rule to the group that now has the name of the one that was deleted.

    \b
    Example:
      scim-service rule relink acme --group Sales --type professional
    """
    made = opening.change_previewed(
        slug,
        lambda work: rules.relink(work, group, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        braked=True,
    )
    output.made(f"Members of {output.cell(group)} get {made.type_code} again.", _record(made), as_json)


def _name(group: str | None, everyone: bool) -> str:
    """The name of the group, or of none. Raises UsageError where neither or both are said."""
    if everyone == (group is not None):
        raise click.UsageError("Name a group with --group, or say --everyone.")
    return rules.EVERYONE if group is None else group


def _people(one: Rule) -> str:
    return f"Members of {output.cell(one.group_name)}" if one.group_name else "All people"


def _row(one: Rule) -> dict[str, Any]:
    return {
        "group": one.group_name or "everyone",
        "type": one.type_code,
        "state": one.state,
        "priority": one.priority,
        "quota": one.terms.quota,
        "filter": one.terms.filter,
        "exit_grace": one.exit_grace,
        "enabled": one.terms.enabled,
        "group_id": one.group_id,
    }


def _record(one: Rule, excluded: Any = ()) -> dict[str, Any]:
    return {
        **_row(one),
        "group": one.group_name or None,
        "everyone": one.everyone,
        "valid_from": one.terms.valid_from,
        "valid_to": one.terms.valid_to,
        "exclude": list(excluded),
        "atomic": one.bundle is not None,
        "rule": one.seq,
        "version": one.version,
    }
