"""The command `admin`: who may administer a tenant, and who is at the head."""

from __future__ import annotations

import click

from scim_service.access import admins, roles
from scim_service.access.admins import Administrator
from scim_service.access.plans import Plan
from scim_service.cli import arguments, opening, output
from scim_service.storage.work import Work

_email = click.option("--email", required=True, metavar="EMAIL", help="The administrator's address.")


@click.group()
def admin() -> None:
    """Who may administer a tenant: invited by role, up to the plan's number, one of them at the head."""


@admin.command()
@arguments.slug
@_email
@click.option("--name", required=True, help="The administrator's name.")
@click.option("--role", required=True, type=click.Choice(roles.INVITED), help="What the administrator may do.")
@click.option("--product", "products", multiple=True, metavar="CODE", help="A license administrator's; repeatable.")
@arguments.as_json
def add(slug: str, email: str, name: str, role: str, products: tuple[str, ...], as_json: bool) -> None:
    """Invite somebody by a letter. Refused beyond the plan's number of administrators, open invitations counted.

    \b
    Example:
      scim-service admin add acme --email bob@acme.example --name Bob --role administrator
    """
    made = opening.change(slug, lambda work: admins.add(work, email, name, role, products))
    output.made(f"{output.cell(made.email)} is invited as {made.role}, by a letter with a link.", _row(made), as_json)


@admin.command()
@arguments.slug
@_email
@arguments.as_json
def resend(slug: str, email: str, as_json: bool) -> None:
    """Send an invitation again that was not answered; older links are dead. After a lapse the plan needs a place again.

    \b
    Example:
      scim-service admin resend acme --email bob@acme.example
    """
    found = opening.change(slug, lambda work: admins.resend(work, email))
    output.made(f"The invitation of {output.cell(found.email)} is sent again.", _row(found), as_json)


@admin.command("list")
@arguments.slug
@arguments.as_json
def list_admins(slug: str, as_json: bool) -> None:
    """List the administrators, the head first: role, when last active, whether the invitation is open.

    \b
    Example:
      scim-service admin list acme
    """

    def question(work: Work) -> tuple[Plan, list[Administrator]]:
        return admins.plan_of(work), admins.listing(work)

    plan, found = opening.ask(slug, question)
    output.listing([_row(one) for one in found], as_json, "Nobody yet. Invite with: scim-service admin add")
    click.echo(_numbers(plan, found), err=True)


@admin.command()
@arguments.slug
@_email
@arguments.as_json
def accept(slug: str, email: str, as_json: bool) -> None:
    """Accept an invitation for somebody who is here in person; accepting again changes nothing.

    \b
    Example:
      scim-service admin accept acme --email bob@acme.example
    """
    found = opening.change(slug, lambda work: admins.accept(work, email))
    output.made(f"{output.cell(found.email)} is {found.role} now.", _row(found), as_json)


@admin.command()
@arguments.slug
@_email
@arguments.as_json
def remove(slug: str, email: str, as_json: bool) -> None:
    """Take somebody's rights away at once, or an invitation back. The head is not removed while being the head.

    \b
    Example:
      scim-service admin remove acme --email bob@acme.example
    """
    gone = opening.change(slug, lambda work: admins.remove(work, email))
    output.made(f"{output.cell(gone.email)} administers {slug} no more.", {**_row(gone), "state": "removed"}, as_json)


@admin.command("appoint-head")
@arguments.slug
@_email
@click.option("--by", metavar="EMAIL", help="The head who appoints; left out only where there is no head yet.")
@arguments.as_json
def appoint_head(slug: str, email: str, by: str | None, as_json: bool) -> None:
    """Make somebody who has accepted the head administrator; the head until then becomes an administrator.

    \b
    Example:
      scim-service admin appoint-head acme --email bob@acme.example --by ada@acme.example
    """
    found = opening.change(slug, lambda work: admins.appoint_head(work, email, by))
    output.made(f"{output.cell(found.email)} is the head administrator of {slug} now.", _row(found), as_json)


def _row(one: Administrator) -> dict[str, object]:
    return {
        "email": one.email,
        "name": one.name,
        "role": one.role,
        "products": list(one.products),
        "state": "lapsed" if one.lapsed else "pending" if one.pending else "accepted",
        "since": one.accepted_at or one.invited_at,
        "last_active": one.last_active_at,
        "step": one.step,
        "next_at": one.next_at,
    }


def _numbers(plan: Plan, found: list[Administrator]) -> str:
    used = sum(one.role in roles.COUNTED and not one.lapsed for one in found)
    limit = "as many as agreed" if plan.admin_limit is None else str(plan.admin_limit)
    return f"Administrators: {used} of {limit} (plan {plan.code})."
