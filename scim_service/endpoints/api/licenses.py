"""/licenses: the numbers of every type, and who holds one."""

from __future__ import annotations

from typing import Any

from flask import Response

from scim_service.access import admins
from scim_service.endpoints import door, service
from scim_service.endpoints.api import answers, asked, cursors
from scim_service.endpoints.api.routes import blueprint
from scim_service.licensing import checks, usage
from scim_service.licensing.usage import SeatLine


@blueprint.get("/licenses")
@door.again
def list_licenses() -> Response:
    """The seats of every type, and what the tenant's plan includes."""
    asked.parameters()
    with door.reading() as work:
        plan, lines = admins.plan_of(work), usage.seats(work)
    body = {"plan": {"code": plan.code, "features": plan.features}, "licenses": [_line(one) for one in lines]}
    return answers.document(body)


@blueprint.get("/licenses/<code>/holders")
@door.again
def list_holders(code: str) -> Response:
    """A page of those who hold a type now; `next` is the cursor of the next one, null on the last."""
    given, many = asked.parameters("cursor", "count"), asked.count()
    key, listed = service.current().settings.secret_key or "", f"{door.caller().tenant_id} holders {code}"
    after = cursors.opened(key, listed, given["cursor"]) if "cursor" in given else 0
    with door.reading() as work:
        found = checks.holders(work, code, after, many + 1)
    page, more = found[:many], len(found) > many
    return answers.document(
        {
            "license": code,
            "holders": [_holder(one) for one in page],
            "next": cursors.seal(key, listed, page[-1].seq) if more else None,
        }
    )


def _holder(one: checks.Holder) -> dict[str, Any]:
    names = ("state", "reason", "since", "until")
    return {"id": one.id, "userName": one.user_name, **{name: getattr(one, name) for name in names}}


def _line(one: SeatLine) -> dict[str, Any]:
    names = ("name", "product", "family", "rank", "used", "limit", "waiting", "grace", "suspended", "blocked")
    return {"license": one.code, **{name: getattr(one, name) for name in names}}
