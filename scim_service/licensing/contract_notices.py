"""Who is told that a contract ends (licensing.md N-6): posted once for each step, late rather than never.

Told are the license administrators of its products, the head among them, whom the contract names, and the operator of
the service. The people who would lose something hear of it on the last day of the grace, and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.access import told
from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import addresses, languages, outbox
from scim_service.delivery.outbox import Message
from scim_service.licensing import contract_steps, contracts, facts, gate, notices, type_names
from scim_service.licensing.contract_steps import Step
from scim_service.licensing.contracts import Contract
from scim_service.licensing.gate import Gate
from scim_service.licensing.type_names import Named
from scim_service.protocol.text import fold, format_datetime
from scim_service.storage import tables
from scim_service.storage.work import Work

LAST_DAY = "contract_last_day"
DAY = timedelta(days=1)

_contracts = tables.licensing.contracts
_assignments = tables.licensing.assignments
_users = tables.directory.users
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")
_NEAR = (
    sa.select(_contracts.c.tenant_id, _contracts.c.starts_at, _contracts.c.ends_at, _contracts.c.grace)
    .where(_contracts.c.ends_at.is_not(None), _contracts.c.ends_at <= sa.bindparam("horizon"))
    .order_by(_contracts.c.tenant_id)
    .execution_options(across_tenants=True)
)
_LOSING = (
    sa.select(_assignments.c.user_seq, _assignments.c.type_seq, _assignments.c.until, _users.c.id)
    .join(_users, sa.and_(_users.c.tenant_id == _assignments.c.tenant_id, _users.c.seq == _assignments.c.user_seq))
    .where(
        _assignments.c.tenant_id == _TENANT,
        _assignments.c.state == facts.GRACE,
        _assignments.c.reason == facts.CONTRACT_END,
        _assignments.c.until <= sa.bindparam("latest", type_=_assignments.c.until.type),
        _users.c.active,
        sa.not_(_users.c.banned),
    )
    .order_by(_assignments.c.user_seq, _assignments.c.type_seq)
)


def concerned(work: Work) -> list[int]:
    """The tenants of which a contract is at a step now; whether it was told of already is not asked."""
    rows = work.rows(_NEAR, horizon=work.now + contract_steps.EARLIEST)
    return list(dict.fromkeys(row.tenant_id for row in rows if _step(row, timedelta(seconds=row.grace), work.now)))


def post(work: Work) -> int:
    """Tell what is due and was not told; how many messages were written. Running it again writes none."""
    entered = gate.enter(work)
    everything = contracts.listing(work)
    found: list[Message] = []
    for contract in everything:
        step = None if contract.ends_at is None else _step(contract, contract.grace, work.now)
        renewal = contract_steps.renewal_of(contract, everything)
        if step is None or contract_steps.goes_on(contract, renewal, work.now):
            continue
        if not outbox.has_any(work, contract_steps.beginning(contract, everything, step.offset)):
            outbox.cancel_all(work, contract_steps.beginning(contract, everything), contract_steps.LATER)
            found += _of_contract(work, entered, contract, step, everything)
    found += _to_people(work, entered.settings)
    fresh = {one.key for one in found} - outbox.known(work, [one.key for one in found])
    outbox.post(work, [one for one in found if one.key in fresh])
    return len(fresh)


def _step(row: Any, grace: timedelta, now: datetime) -> Step | None:
    return contract_steps.due(contract_steps.of(row.starts_at, row.ends_at, grace), now)


def _of_contract(
    work: Work, entered: Gate, contract: Contract, step: Step, everything: Sequence[Contract]
) -> Iterable[Message]:
    named = {one.code: (seq, one) for seq, one in type_names.of_all(work).items()}
    language = entered.settings.language
    types = [
        {"type": named[code][1].told(language), "seats": count, "used": entered.consuming[named[code][0]]}
        for code, count in contract.seats.items()
    ]
    said = {"contract": contract.number, **_instants(contract, step, work.now), "types": types}
    beginning = contract_steps.beginning(contract, everything, step.offset)
    for recipient in _recipients(work, contract, [named[code][1] for code in contract.seats]):
        yield Message(f"{beginning}{fold(recipient)}", step.letter, recipient, language, said)


def _instants(contract: Contract, step: Step, now: datetime) -> dict[str, Any]:
    assert contract.ends_at is not None
    over = contract.ends_at + contract.grace
    if step.letter == contract_steps.ENDS:
        ends = format_datetime(contract.ends_at)
        return {"ends_at": ends, "days": contract_steps.days_until(contract.ends_at, now)}
    if step.letter == contract_steps.ENDED:
        return {"grace_until": format_datetime(over)}
    if step.letter == contract_steps.GRACE_ENDS:
        return {"grace_until": format_datetime(over), "days": contract_steps.days_until(over, now)}
    return {}


def _recipients(work: Work, contract: Contract, kinds: Sequence[Named]) -> list[str]:
    everybody = told.everybody(work)
    products = {kind.product for kind in kinds} or {None}
    chosen = [one for product in products for one in told.license_administrators(everybody, product)]
    emails = [one.email for one in everybody if one in chosen]
    wanted = [*emails, *addresses.only(contract.details.get("contacts", ())), addresses.OPERATOR]
    return list({fold(one): one for one in reversed(wanted)}.values())[::-1]


def _to_people(work: Work, settings: TenantSettings) -> Iterable[Message]:
    """On the last day of a contract's grace: each person who loses something by then, once, with all of it."""
    losing: dict[tuple[int, datetime], list[int]] = {}
    ids: dict[int, str] = {}
    for row in work.rows(_LOSING, latest=work.now + DAY):
        losing.setdefault((row.user_seq, row.until), []).append(row.type_seq)
        ids[row.user_seq] = row.id
    if not losing:
        return
    documents, named = notices.documents(work, sorted(ids)), type_names.of_all(work)
    for (user_seq, until), type_seqs in losing.items():
        address = addresses.of_person(documents[user_seq])
        if address is not None:
            language = languages.of_person(documents[user_seq], settings)
            said = _last_day(named, type_seqs, language, until)
            key = f"ctr:last_day:{format_datetime(until)}:{ids[user_seq]}"
            yield Message(key, LAST_DAY, address, language, said, user_seq)


def _last_day(named: Mapping[int, Named], type_seqs: Sequence[int], language: str, until: datetime) -> dict[str, Any]:
    return {"types": [named[seq].told(language) for seq in type_seqs], "grace_until": format_datetime(until)}
