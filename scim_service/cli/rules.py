"""The command `rule`: a group's members hold a license type."""

from __future__ import annotations

from datetime import timedelta

import click

from scim_service.cli import arguments, opening, output
from scim_service.licensing import rules
from scim_service.licensing.rules import Rule


@click.group()
def rule() -> None:
    """Which groups give which license: every member, also of groups in the group, gets a claim."""


@rule.command()
@arguments.slug
@arguments.group
@arguments.type_code
@click.option(
    "--priority", type=int, default=100, show_default=True, help="Smaller is served first when seats are scarce."
)
@arguments.exit_grace
@arguments.preview
@arguments.as_json
def create(
    slug: str,
    group: str,
    type_code: str,
    priority: int,
    exit_grace: timedelta | None,
    dry_run: bool,
    version: str | None,
    as_json: bool,
) -> None:
    """Make a rule. A group that is not there yet is awaited: the first one of that name is bound.

    \b
    Example:
      scim-service rule create acme --group Sales --type professional --priority 50
    """
    made = opening.change_previewed(
        slug,
        lambda work: rules.create(work, group, type_code, priority=priority, exit_grace=exit_grace),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
    )
    output.made(f"Members of {output.cell(group)} get {made.type_code}; the rule is {made.state}.", _row(made), as_json)


@rule.command("list")
@arguments.slug
@arguments.as_json
def list_rules(slug: str, as_json: bool) -> None:
    """List the rules: bound, unbound (the group is awaited), or orphaned (the group was deleted).

    \b
    Example:
      scim-service rule list acme
    """
    found = opening.ask(slug, rules.listing)
    output.listing([_row(one) for one in found], as_json, "No rule yet. Make one with: scim-service rule create")


@rule.command()
@arguments.slug
@arguments.group
@arguments.type_code
@arguments.preview
@arguments.as_json
def delete(slug: str, group: str, type_code: str, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Delete a rule; its seats end after the exit grace, unless another reason holds them.

    \b
    Example:
      scim-service rule delete acme --group Sales --type professional
    """
    gone = opening.change_previewed(
        slug,
        lambda work: rules.delete(work, group, type_code),
        dry_run=dry_run,
        version=version,
        as_json=as_json,
        braked=True,
    )
    output.made(f"{output.cell(gone.group_name)} gives no {gone.type_code} any more.", _row(gone), as_json)


@rule.command()
@arguments.slug
@arguments.group
@arguments.type_code
@arguments.as_json
def relink(slug: str, group: str, type_code: str, as_json: bool) -> None:
    """Bind an orphaned rule to the group that now has the name of the one that was deleted.

    \b
    Example:
      scim-service rule relink acme --group Sales --type professional
    """
    made = opening.change(slug, lambda work: rules.relink(work, group, type_code))
    output.made(f"Members of {output.cell(group)} get {made.type_code} again.", _row(made), as_json)


def _row(one: Rule) -> dict[str, object]:
    return {
        "group": one.group_name,
        "type": one.type_code,
        "state": one.state,
        "priority": one.priority,
        "exit_grace": one.exit_grace,
        "group_id": one.group_id,
    }
