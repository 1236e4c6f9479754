"""Who administers a tenant: invited, accepted, removed, and exactly one of them at the head (licensing.md D-12, I-9).

Administrators are no people of the directory: they are known by an address of their own, compared in the folded form,
and never matched to anybody whom an identity provider pushed, whatever addresses that person has (reliability.md W15).
Every change takes the tenant's row first, so that two of them never pass the limit, or the head, together.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import admin_letters, invitations, links, names, plans, roles, tenants
from scim_service.access.invitations import Invitation
from scim_service.access.ladders import Ladder
from scim_service.access.plans import Plan
from scim_service.protocol import text
from scim_service.storage import tables
from scim_service.storage.work import Work

EMAIL_CHARACTERS = 254
ACTIVE_EVERY = timedelta(minutes=1)
"""`last_active` is a write at most this often (decision 22)."""

_administrators = tables.access.administrators
_invitations = tables.access.invitations
_tenants = tables.access.tenants
_products = tables.licensing.products
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_MINE = _administrators.c.tenant_id == _TENANT
_ROWS = (
    sa.select(_administrators, _invitations.c.state, _invitations.c.step, _invitations.c.due_at)
    .outerjoin(
        _invitations,
        sa.and_(
            _invitations.c.tenant_id == _administrators.c.tenant_id,
            _invitations.c.administrator_seq == _administrators.c.seq,
        ),
    )
    .where(_MINE)
)
_ALL = _ROWS.order_by(_administrators.c.role != roles.HEAD, _administrators.c.seq)
_BY_KEY = _ROWS.where(_administrators.c.email_key == sa.bindparam("key"))
_BY_SEQ = _ROWS.where(_administrators.c.seq == sa.bindparam("which"))
_PLAN = sa.select(_tenants.c.plan).where(_tenants.c.id == _TENANT)
_PLAN_LOCKED = _PLAN.with_for_update(key_share=True)
_MOVE = sa.update(_tenants).where(_tenants.c.id == _TENANT).values(plan=sa.bindparam("new_plan"))
_THIS = sa.update(_administrators).where(_MINE, _administrators.c.seq == sa.bindparam("which"))
_ACCEPT = _THIS.values(accepted_at=sa.bindparam("at"), last_active_at=sa.bindparam("at"))
_ACTIVE = _THIS.values(last_active_at=sa.bindparam("at"))
_ROLE = _THIS.values(role=sa.bindparam("new_role"), products="[]")
_REMOVE = sa.delete(_administrators).where(_MINE, _administrators.c.seq == sa.bindparam("which"))
_KNOWN_PRODUCTS = sa.select(_products.c.code).where(_products.c.tenant_id == _TENANT).order_by(_products.c.code)


@dataclass(frozen=True)
class Administrator:
    """One of those who administer a tenant; `accepted_at` and `last_active_at` are None while the invitation is open.

    `products` are the codes that a license administrator is for; `lapsed`: the invitation was not answered in time;
    `step` of its ladder, and `next_at`, when the next step or the lapse is due.
    """

    seq: int
    email: str
    name: str
    role: str
    products: tuple[str, ...]
    invited_at: datetime
    accepted_at: datetime | None = None
    last_active_at: datetime | None = None
    lapsed: bool = False
    step: int | None = None
    next_at: datetime | None = None

    @property
    def pending(self) -> bool:
        """Whether the invitation has not been accepted yet."""
        return self.accepted_at is None

    def may(self, permission: str, product: str | None = None) -> bool:
        """Whether this administrator may do something (`roles.PERMISSIONS`); nothing before accepting."""
        return not self.pending and roles.allows(self.role, self.products, permission, product)


def add(work: Work, email: str, name: str, role: str, products: Sequence[str] = ()) -> Administrator:
    """Invite somebody to administer the tenant, by a letter with a link (BS-04, N-2).

    Raises InvalidValue for an address, name, role or product that cannot be, Uniqueness for an address that is there
    already, and Refused where the plan's number of administrators is reached, open invitations counted (`plan_limit`),
    or where the address was written to by hand too often (`too_often`).
    """
    key = _key(email)
    names.check("An administrator's name", name)
    _refuse_role(work, role, products)
    plan = _lock(work)
    known = find_or_none(work, email)
    if known is not None:
        state = "was invited already" if known.pending else f"is {known.role} already"
        raise errors.Uniqueness(f"{known.email} {state}. Remove that one first to invite with another role.")
    if role in roles.COUNTED:
        _refuse_full(plan, listing(work), 1)
    invitations.refuse_too_often(work, email.strip())
    made = {"email": email.strip(), "name": name.strip(), "role": role, "invited_at": work.now}
    codes = tuple(dict.fromkeys(products))
    seq = work.insert_one(_administrators, email_key=key, products=orjson.dumps(codes).decode(), **made)
    found = Administrator(seq, email.strip(), name.strip(), role, codes, work.now)
    audit.record(work, "administrator:invited", subject(found), role=role, products=codes)
    _ask(work, found, None)
    return find(work, email)


def resend(work: Work, email: str) -> Administrator:
    """Send an invitation that was not answered anew: another link, older ones are dead, the ladder begins again (T-7).

    Raises NotFound, and Refused for who has accepted, for an address that was written to by hand too often, and after
    a lapse where the plan has no place any more.
    """
    plan, found, asked = _held(work, email)
    if not found.pending:
        raise errors.Refused(f"{found.email} has accepted already, as {found.role}.", code="accepted")
    invitations.refuse_too_often(work, found.email)
    _refuse_lapsed(work, plan, found)
    audit.record(work, "administrator:invited", subject(found), role=found.role, products=found.products)
    _ask(work, found, asked)
    return find(work, email)


def accept(work: Work, email: str) -> Administrator:
    """Accept an invitation for somebody who is here in person; accepting again changes nothing.

    Raises NotFound, and Refused where the invitation lapsed and the plan has no place any more.
    """
    plan, found, asked = _held(work, email)
    if found.pending:
        _refuse_lapsed(work, plan, found)
        if asked is not None:
            invitations.end(work, asked, invitations.DONE)
        accepted(work, found.seq)
    return find(work, email)


def accepted(work: Work, seq: int) -> Administrator:
    """Note that the invitation of this administrator, which the caller has used up, was accepted (BS-05, N-1)."""
    _lock(work)
    work.execute(_ACCEPT, which=seq, at=work.now)
    row = work.row(_BY_SEQ, which=seq)
    found = _administrator(row)
    audit.record(work, "administrator:accepted", subject(found))
    admin_letters.designated(work, seq, found.email, found.role)
    return found


def remove(work: Work, email: str) -> Administrator:
    """Take somebody's rights away, or an invitation back, whose link is dead then; the address can be invited again.

    Raises NotFound, and Refused for the head, who has to appoint another one first.
    """
    _, found, _ = _held(work, email)
    if found.role == roles.HEAD:
        raise errors.Refused(
            f"{found.email} is the head administrator and stays while being that. "
            "Appoint another one first: scim-service admin appoint-head",
            code="head_stays",
        )
    work.execute(_REMOVE, which=found.seq)
    audit.record(work, "administrator:removed", subject(found), role=found.role, pending=found.pending)
    return found


def appoint_head(work: Work, email: str, by: str | None = None) -> Administrator:
    """Make an accepted administrator or operator the head; the head until then becomes an administrator.

    `by` is the head who appoints; None only where there is no head yet. Raises Forbidden for anybody else, NotFound,
    and Refused for who has not accepted, or where the head until then would be one administrator too many.
    """
    plan = _lock(work)
    everybody = listing(work)
    head = next((one for one in everybody if one.role == roles.HEAD), None)
    _refuse_appointer(head, by)
    found = find(work, email)
    if found.pending:
        raise errors.Refused(
            f"{found.email} has not accepted the invitation and cannot become head administrator. "
            "Wait for that, or appoint somebody else.",
            code="not_accepted",
        )
    if found.role == roles.HEAD:
        return found
    if found.role not in roles.COUNTED:
        _refuse_full(plan, everybody, 1)
    if head is not None:
        work.execute(_ROLE, which=head.seq, new_role=roles.ADMINISTRATOR)
        audit.record(work, "administrator:head-revoked", subject(head), role=roles.ADMINISTRATOR)
        admin_letters.handed_over(work, head.seq, head.email, found.name)
    work.execute(_ROLE, which=found.seq, new_role=roles.HEAD)
    admin_letters.head_appointed(work, found.seq, found.email)
    audit.record(work, "administrator:head-appointed", subject(found), before=found.role, by=head and subject(head))
    return find(work, email)


def change_plan(work: Work, code: str) -> Plan:
    """Put the tenant on another plan. Raises InvalidValue, and Refused (`below_use`) where it has too many for it."""
    plan, before = plans.find(code), _lock(work)
    used = _counted(listing(work))
    if plan.admin_limit is not None and len(used) > plan.admin_limit:
        raise errors.Refused(
            f"The plan {plan.code} allows {plan.admin_limit} administrators, and there are {len(used)}. "
            f"Remove {len(used) - plan.admin_limit} first: scim-service admin remove",
            code="below_use",
        )
    if plan != before:
        work.execute(_MOVE, new_plan=plan.code)
        audit.record(work, "tenant:plan-changed", plan.code, before=before.code)
    return plan


def active(work: Work, administrator: Administrator) -> None:
    """Note that an accepted administrator was here at `work.now`; at most one write in a minute."""
    last = administrator.last_active_at
    if not administrator.pending and (last is None or work.now - last >= ACTIVE_EVERY):
        work.execute(_ACTIVE, which=administrator.seq, at=work.now)


def plan_of(work: Work) -> Plan:
    """The tenant's plan."""
    return plans.find(work.value(_PLAN))


def listing(work: Work) -> list[Administrator]:
    """Everybody who administers the tenant or is invited to: the head first, then in the order of invitation."""
    return [_administrator(row) for row in work.rows(_ALL)]


def find(work: Work, email: str) -> Administrator:
    """The administrator with this address, in whatever case. Raises NotFound."""
    found = find_or_none(work, email)
    if found is None:
        raise errors.NotFound(
            f"There is no administrator {email!r}. See who there is with: scim-service admin list",
            code="unknown_administrator",
        )
    return found


def find_or_none(work: Work, email: str) -> Administrator | None:
    """The administrator with this address, or None."""
    row = work.row(_BY_KEY, key=text.fold(email.strip()))
    return None if row is None else _administrator(row)


def subject(administrator: Administrator) -> str:
    """What the event log calls an administrator: a number, so that a person can be erased without touching the log."""
    return f"administrator:{administrator.seq}"


def _ask(work: Work, found: Administrator, asked: Invitation | None) -> None:
    """Write to somebody who is invited, by hand; the ladder of the invitation begins (T-6)."""
    ladder = Ladder.of(tenants.settings_of(work))
    made = invitations.begin(
        work, links.INVITATION, found.email, ladder, administrator_seq=found.seq, details={}, known=asked
    )
    admin_letters.invited(work, made, found.role)


def _held(work: Work, email: str) -> tuple[Plan, Administrator, Invitation | None]:
    """The tenant's plan, the administrator and the invitation, which is locked before the tenant. Raises NotFound."""
    asked = invitations.of_administrator(work, find(work, email).seq, locked=True)
    return _lock(work), find(work, email), asked


def _lock(work: Work) -> Plan:
    """Hold the tenant's row until the commit; the tenant's plan."""
    return plans.find(work.value(_PLAN_LOCKED))


def _counted(everybody: Iterable[Administrator]) -> list[Administrator]:
    return [one for one in everybody if one.role in roles.COUNTED and not one.lapsed]


def _refuse_lapsed(work: Work, plan: Plan, found: Administrator) -> None:
    """An invitation that has lapsed holds no place in the plan any more, and needs one again (T-7)."""
    if found.lapsed and found.role in roles.COUNTED:
        _refuse_full(plan, listing(work), 1)


def _refuse_full(plan: Plan, everybody: Iterable[Administrator], more: int) -> None:
    used = _counted(everybody)
    if plan.admin_limit is None or len(used) + more <= plan.admin_limit:
        return
    invited = sum(one.pending for one in used)
    raise errors.Refused(
        f"The plan {plan.code} allows {plan.admin_limit} administrators, and there are {len(used)}, "
        f"{invited} of them invited and not here yet. Remove one first, or contact us for a larger plan.",
        code="plan_limit",
    )


def _refuse_appointer(head: Administrator | None, by: str | None) -> None:
    """Only the head appoints the next one; the first is appointed by who sets the tenant up."""
    if head is None and by is None:
        return
    if head is None:
        raise errors.Refused("There is no head administrator yet, so nobody can appoint by right. Leave --by out.")
    if by is None or text.fold(by.strip()) != text.fold(head.email):
        raise errors.Forbidden(
            "Only the head administrator appoints the next one. Name the head who does: --by EMAIL",
            code="not_head",
        )


def _refuse_role(work: Work, role: str, products: Sequence[str]) -> None:
    if role == roles.HEAD:
        raise errors.InvalidValue("The head administrator is appointed: invite as administrator, then appoint.")
    if role not in roles.INVITED:
        raise errors.InvalidValue(f"There is no role {role!r}. There are: {', '.join(roles.INVITED)}.")
    if (role == roles.LICENSE_ADMINISTRATOR) != bool(products):
        raise errors.InvalidValue("Name the products of a license administrator, and of nobody else: --product CODE")
    known = [row.code for row in work.rows(_KNOWN_PRODUCTS)]
    unknown = [one for one in products if one not in known]
    if unknown:
        there = ", ".join(known) or "none yet"
        raise errors.InvalidValue(f"There is no product {', '.join(map(repr, unknown))}. There are: {there}.")


def _key(email: str) -> str:
    """The form in which addresses are compared. Raises InvalidValue for what is no address."""
    plain = email.strip()
    local, _, domain = plain.rpartition("@")
    bad = not local or not domain or len(plain) > EMAIL_CHARACTERS or "@" in local or _has_controls(plain)
    if bad or any(one.isspace() for one in plain):
        raise errors.InvalidValue(f"{email!r} is no e-mail address; write it like bob@acme.example.")
    return text.fold(plain)


def _has_controls(value: str) -> bool:
    return any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in value)


def _administrator(row: Any) -> Administrator:
    return Administrator(
        row.seq,
        row.email,
        row.name,
        row.role,
        tuple(orjson.loads(row.products)),
        row.invited_at,
        row.accepted_at,
        row.last_active_at,
        row.accepted_at is None and row.state == invitations.LAPSED,
        row.step if row.accepted_at is None else None,
        row.due_at,
    )
