"""One process of a race: does its share of the acts of a round against a database, and says what came of each.

    python -m tests.races.worker

Says "ready"; then each line of JSON on standard input, [database URL, instant, tenant id, connection seq, acts], is
answered by a line with the outcomes in order. The database stays open until a line names another one. An act is
[kind, …] as in ACTS; each is one transaction through the same use cases as a request, and is tried again where the door
would try again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from scim_service import errors
from scim_service.access import admins, links
from scim_service.clock import Clock
from scim_service.directory import answers, groups, imports, invitations, people, reminders, sheets, users
from scim_service.directory import holds as undoing
from scim_service.licensing import contracts, conversion, direct, holds, lifecycle, requests, rules, seats
from scim_service.protocol import patch
from scim_service.protocol.schema import LICENSE_URN
from scim_service.storage import faults
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import Actor, Work

TRIES = 4


def _patch(*steps: dict[str, Any]) -> list[patch.Operation]:
    return patch.operations({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(steps)})


def _add(work: Work, group_id: str, user_id: str) -> None:
    groups.patch(work, group_id, _patch({"op": "add", "path": "members", "value": [{"value": user_id}]}))


def _remove(work: Work, group_id: str, user_id: str) -> None:
    groups.patch(work, group_id, _patch({"op": "remove", "path": f'members[value eq "{user_id}"]'}))


def _active(work: Work, user_id: str, active: bool) -> None:
    users.patch(work, user_id, _patch({"op": "replace", "value": {"active": active}}))


def _create(work: Work, user_name: str) -> None:
    users.create(work, {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name})


def _rename(work: Work, group_id: str, name: str) -> None:
    groups.patch(work, group_id, _patch({"op": "replace", "value": {"displayName": name}}))


def _give(work: Work, group_name: str, type_code: str) -> None:
    rules.create(work, group_name, type_code, exit_grace=timedelta(0))


def _found(work: Work, name: str, *members: str) -> None:
    groups.create(work, {"displayName": name, "members": [{"value": one} for one in members]})


def _invite(work: Work, email: str) -> None:
    admins.add(work, email, "Somebody", "administrator")


def _answer(work: Work, key: str, packed: str) -> None:
    link = links.read(key, packed)
    assert link is not None
    answers.accept(work, key, link)


def _readdress(work: Work, user_id: str, email: str) -> None:
    users.patch(work, user_id, _patch({"op": "replace", "value": {"emails": [{"value": email, "primary": True}]}}))


def _suspend(work: Work, user_name: str, type_code: str, free_seat: bool) -> None:
    lifecycle.suspend(work, user_name, type_code, free_seat=free_seat)


def _replace(work: Work, user_name: str, type_code: str, leaver: str) -> None:
    people.add(work, people.form(user_name), type_code, replaces=leaver)


def _copy(work: Work, user_name: str, original: str, *codes: str) -> None:
    people.copy(work, original, people.form(user_name), *codes)


def _attribute(work: Work, user_id: str, type_code: str) -> None:
    users.patch(work, user_id, _patch({"op": "add", "path": f"{LICENSE_URN}:licenseType", "value": type_code}))


def _take_attribute(work: Work, user_id: str) -> None:
    users.patch(work, user_id, _patch({"op": "remove", "path": f"{LICENSE_URN}:licenseType"}))


def _licensed(work: Work, user_name: str, type_code: str) -> None:
    users.create(work, {"userName": user_name, LICENSE_URN: {"licenseType": type_code}})


def _ask(work: Work, user_name: str, type_code: str) -> None:
    requests.create(work, user_name, type_code, "Work")


def _import(work: Work, user_name: str, type_code: str, action: str) -> None:
    sheet = sheets.read(f"email,license_type,action\n{user_name},{type_code},{action}\n".encode())
    imports.carry_out(work, sheet, sheet.rows[0])


def _buy(work: Work, type_code: str, count: int) -> None:
    contracts.set_seats(work, "C-1", {type_code: count}, contracts.IMMEDIATE)


ACTS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "remove": _remove,
    "active": _active,
    "create": _create,
    "delete": users.delete,
    "assign": direct.assign,
    "unassign": direct.unassign,
    "rename": _rename,
    "drop": groups.delete,
    "found": _found,
    "rule": _give,
    "unrule": rules.delete,
    "invite": _invite,
    "dismiss": admins.remove,
    "appoint": admins.appoint_head,
    "answer": _answer,
    "invite a person": invitations.create,
    "ask again": invitations.resend,
    "withdraw": invitations.remove,
    "climb": reminders.advance,
    "readdress": _readdress,
    "suspend": _suspend,
    "resume": lifecycle.resume,
    "reassign": lifecycle.reassign,
    "change_type": lifecycle.change_type,
    "seat_remove": lifecycle.remove,
    "convert": conversion.convert,
    "replace": _replace,
    "copy": _copy,
    "ban": people.ban,
    "unban": people.unban,
    "rest": people.deactivate,
    "return": people.reactivate,
    "attribute": _attribute,
    "take_attribute": _take_attribute,
    "licensed": _licensed,
    "ask": _ask,
    "approve": requests.approve,
    "import": _import,
    "buy": _buy,
    "tick": seats.tick,
    "undo": undoing.undo,
    "confirm": holds.confirm,
}


def outcome(store: Store, tenant_id: int, actor: Actor, act: list[Any]) -> str:
    """`done`, or the status that a caller would get."""
    for left in reversed(range(TRIES)):
        try:
            with store.writing(tenant_id, actor, careful=left < TRIES - 1) as work:
                ACTS[act[0]](work, *act[1:])
            return "done"
        except faults.Again as problem:
            if not left:
                return f"{problem.status}"
        except errors.ScimError as problem:
            return f"{problem.status}"
    raise AssertionError


def main() -> None:
    print(json.dumps("ready"), flush=True)
    for url, shares in groupby(map(json.loads, sys.stdin), key=itemgetter(0)):
        with closing(Database(url, threads=1)) as database:
            for _, instant, tenant_id, connection, acts in shares:
                store, actor = Store(database, Clock.parse(instant)), Actor("connection", "rfc", connection)
                print(json.dumps([outcome(store, tenant_id, actor, act) for act in acts]), flush=True)


if __name__ == "__main__":
    main()
