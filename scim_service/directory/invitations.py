"""Invitations of people: with an account and without, answered, reminded of, lapsed (licensing.md T-1 to T-7).

An invitation makes the person, reserves the seat, and writes the letters, in one transaction. Accepting makes the
account: from then on the verification's ladder runs (T-3). A lapse frees the seat of whom the console invited, and
touches nobody of an identity provider's (T-4, T-5). Rows are locked first, then groups, people, seats (decision 19).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import invitations, tenants
from scim_service.access.invitations import DONE, LAPSED, OPEN, REMOVED, Invitation
from scim_service.access.ladders import REMINDER, Ladder
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.delivery import addresses, languages
from scim_service.directory import letters, people, users
from scim_service.directory.letters import Addressee
from scim_service.licensing import catalog, direct, gate
from scim_service.protocol import text
from scim_service.storage import index_rows, tables
from scim_service.storage.work import Work, chunks

INVITED, BELONGS = "invited", "belongs"
"""What came of inviting somebody: who had no account is asked (T-1), who has one is told (T-2)."""

LAPSE = "lapse"
MADE = "made"
"""In an invitation's details: whether it made the person, who goes with it where it is removed before the answer."""

_users = tables.directory.users
_values = tables.directory.user_values
_MINE = _users.c.tenant_id == sa.bindparam("tenant")
_BY_NAME = sa.select(_users.c.seq, _users.c.id, _users.c.document, _users.c.connection_seq).where(
    _MINE, _users.c.user_name_key == sa.bindparam("key")
)
_DOCUMENTS = sa.select(_users.c.seq, _users.c.document).where(
    _MINE, _users.c.seq.in_(sa.bindparam("seqs", expanding=True))
)
_BY_ADDRESS = (
    sa.select(_users.c.seq, _users.c.id, _users.c.document, _users.c.connection_seq)
    .join(_values, sa.and_(_values.c.tenant_id == _users.c.tenant_id, _values.c.user_seq == _users.c.seq))
    .where(
        _MINE,
        _values.c.path == index_rows.INDEXED["emails.value"],
        _values.c.value == sa.bindparam("key_cut"),
        sa.func.coalesce(_values.c.whole, _values.c.value) == sa.bindparam("key"),
    )
    .distinct()
    .order_by(_users.c.seq)
    .limit(2)
)


@dataclass(frozen=True)
class Invited:
    """What came of inviting somebody: INVITED or BELONGS, and the state of the license that was named."""

    path: str
    user_name: str
    user_id: str
    email: str
    type_code: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class Standing:
    """How it stands with one row; `next` is what the ladder does next: reminder, lapse, or None where it rests."""

    user_name: str
    row: Invitation

    @property
    def next(self) -> str | None:
        if self.row.due_at is None:
            return None
        return LAPSE if self.row.due_at == self.row.expires_at else REMINDER


def create(
    work: Work,
    email: str,
    *,
    given_name: str = "",
    family_name: str = "",
    user_name: str | None = None,
    type_code: str | None = None,
    language: str | None = None,
) -> Invited:
    """Invite somebody by address; the person is made where there is none, named like the address unless told else.

    With a type, a seat is reserved at once. Without an account: an invitation and a verification letter (T-1). With one
    (decision 34): one letter that says so, and the license is the person's (T-2). Raises Refused where no seat is free
    (decision 45), for who is inactive or banned, for who is written to too often; Uniqueness for who is invited
    already; InvalidValue for what is no address.
    """
    address = _checked(email, language)
    known = _known(work, address, user_name)
    if known is None:
        form = people.form(user_name or address, given_name, family_name, address)
        person = users.create(work, {**form, **({"preferredLanguage": language} if language else {})})
        return _asked(work, person.seq, person.id, person.document, type_code, {}, made=True)
    rows = invitations.of_person(work, known.seq, locked=True)
    document = orjson.loads(known.document)
    user = direct.locked_person(work, document["userName"])
    direct.refuse_absent(user, document["userName"])
    if known.connection_seq is not None or _state(rows, INVITATION) == DONE:
        return _told(work, user, document, type_code)
    if _state(rows, INVITATION) == OPEN:
        raise errors.Uniqueness(
            f"{document['userName']} is invited already. Write again with: scim-service invitation resend",
            code="invited_already",
        )
    return _asked(work, user.seq, user.id, document, type_code, rows)


def resend(work: Work, user_name: str) -> Invitation:
    """Write anew to somebody who has not answered: another link, the older ones dead, the ladder from its start (T-7).

    It is the invitation until that is accepted, then the verification. After a lapse the seat is needed again, and is
    refused where none is free. Raises NotFound for who was never asked, Refused for who has answered everything.
    """
    user, rows, row = _awaited(work, user_name)
    one = _reachable(work, user, row.kind)
    invitations.refuse_too_often(work, one.email)
    code = reserved(rows)
    if code is not None and row.state in (LAPSED, REMOVED):
        direct.assign(work, user_name, code)
    ladder = Ladder.of(tenants.settings_of(work))
    again = invitations.begin(work, row.kind, one.email, ladder, known=row)
    if row.kind == INVITATION:
        letters.asked(work, one, again)
        _ask_to_verify(work, one, rows.get(VERIFICATION))
    else:
        letters.verification_by_hand(work, one, again)
    audit.record(work, "invitation:resent", user.id, kind=row.kind, cycle=again.cycle)
    return again


def remind(work: Work, user_name: str) -> Invitation:
    """Remind by hand of what is open (BK-06): a letter with another link; the ladder goes on where it is (T-7).

    Raises NotFound for who was never asked, Refused for what is not open any more, or for who is reminded too often.
    """
    user, _, row = _awaited(work, user_name)
    if not row.is_open:
        raise errors.Refused(
            f"The {row.kind} of {user_name} is {row.state}. Begin anew with: scim-service invitation resend",
            code="not_open",
        )
    _reachable(work, user, row.kind)
    invitations.refuse_too_often(work, row.email)
    again = invitations.renew(work, row)
    letters.reminded(work, again, by_hand=True)
    audit.record(work, "invitation:reminded", user.id, kind=row.kind, cycle=again.cycle, by_hand=True)
    return again


def remove(work: Work, user_name: str) -> bool:
    """Take an invitation back: the links are dead, the seat that it reserved is free; whether the person is gone too.

    A person who was made by the invitation and whom no identity provider knows goes with it; anybody else stays.
    Raises NotFound for who was never invited, Refused for who has accepted.
    """
    found = direct.found_person(work, user_name)
    rows = invitations.of_person(work, found.seq, locked=True)
    row = rows.get(INVITATION)
    if row is None or row.state == REMOVED:
        raise _never_invited(user_name)
    if row.state == DONE:
        raise errors.Refused(
            f"{user_name} has accepted the invitation. End the access with: scim-service person deactivate",
            code="accepted",
        )
    audit.record(work, "invitation:removed", found.id)
    if row.details.get(MADE) and is_of_console(work, found.id) and not users.find(work, found.id).grouped:
        invitations.keep_counting(work, found.seq, row.email)
        users.delete(work, found.id)
        return True
    direct.locked_person(work, user_name)
    for one in rows.values():
        if one.state != DONE:
            invitations.end(work, one, REMOVED)
    free(work, found.seq, reserved(rows), REMOVED)
    return False


def standing(work: Work) -> list[Standing]:
    """Everybody who was ever asked, as it stands, the older first; administrators are in `admins.listing`."""
    rows = [one for one in invitations.listing(work) if one.user_seq is not None]
    names: dict[int, str] = {}
    for chunk in chunks([one.user_seq for one in rows]):
        found = work.rows(_DOCUMENTS, seqs=list(chunk))
        names |= {row.seq: orjson.loads(row.document)["userName"] for row in found}
    return [Standing(names[int(one.user_seq or 0)], one) for one in rows]


def free(work: Work, user_seq: int, code: str | None, why: str) -> None:
    """End the direct claim that an invitation gave, if it is there still; what gives the type otherwise stays."""
    if code is None:
        return
    kind = catalog.find_type(work, code)
    entered = gate.enter(work)
    [person] = entered.load([user_seq])
    claim = direct.direct_claim(person, kind.seq)
    if claim is not None:
        direct.end(entered, person, kind.seq, [claim], why)
        entered.settle()


def is_of_console(work: Work, user_id: str) -> bool:
    """Whether a lapse frees the person's seat: nobody's whom an identity provider made or has taken over (T-5)."""
    person = users.find(work, user_id)
    return person.connection_seq is None and not any(one.action == "user:adopted" for one in audit.about(work, user_id))


def reserved(rows: dict[str, Invitation]) -> str | None:
    """The type that a person's invitation reserved a seat of."""
    return rows[INVITATION].details.get("type") if INVITATION in rows else None


def _asked(
    work: Work,
    seq: int,
    user_id: str,
    document: dict[str, Any],
    type_code: str | None,
    rows: dict[str, Invitation],
    *,
    made: bool = False,
) -> Invited:
    """T-1: the seat, both rows, and the letters in the order of BK-11."""
    one = letters.addressee(work, seq, document)
    assert one is not None
    invitations.refuse_too_often(work, one.email)
    user_name = document["userName"]
    state = None if type_code is None else direct.assign(work, user_name, type_code)
    ladder = Ladder.of(tenants.settings_of(work))
    known = rows.get(INVITATION)
    details = {"type": type_code, MADE: made or bool(known and known.details.get(MADE))}
    row = invitations.begin(work, INVITATION, one.email, ladder, user_seq=seq, details=details, known=known)
    letters.asked(work, one, row)
    _ask_to_verify(work, one, rows.get(VERIFICATION))
    audit.record(work, "invitation:created", user_id, type=type_code, cycle=row.cycle)
    return Invited(INVITED, user_name, user_id, one.email, type_code, state)


def _ask_to_verify(work: Work, one: Addressee, known: Invitation | None) -> None:
    """The verification beside an invitation; its ladder runs from the acceptance on (T-3)."""
    if known is None or known.state in (LAPSED, REMOVED):
        row = invitations.begin(work, VERIFICATION, one.email, None, user_seq=one.seq, known=known)
        letters.asked(work, one, row)


def _told(work: Work, user: Any, document: dict[str, Any], type_code: str | None) -> Invited:
    """T-2: the license, and one letter."""
    one = letters.addressee(work, user.seq, document)
    assert one is not None
    user_name = document["userName"]
    state = None if type_code is None else direct.assign(work, user_name, type_code)
    letters.belongs(work, one, type_code)
    audit.record(work, "invitation:told", user.id, type=type_code)
    return Invited(BELONGS, user_name, user.id, one.email, type_code, state)


def _checked(email: str, language: str | None) -> str:
    if not addresses.is_address(email):
        raise errors.InvalidValue(f"{email!r} is no e-mail address; write it like bob@acme.example.", code="no_address")
    if language not in (None, *languages.LANGUAGES):
        raise errors.InvalidValue(f"Letters are written in: {', '.join(languages.LANGUAGES)}.", code="no_language")
    return email.strip()


def _known(work: Work, address: str, user_name: str | None) -> Any:
    """The person who is meant: of this userName, else named like the address, else with it; None for nobody yet.

    Raises Refused where the address means several people, or is not where the person's letters go.
    """
    key = text.fold(address)
    found = work.row(_BY_NAME, key=text.fold(user_name or address))
    if found is None and user_name is None:
        having = work.rows(_BY_ADDRESS, key=key, key_cut=key[: index_rows.CUT])
        if len(having) > 1:
            raise errors.Refused(
                f"Several people have the address {address}. Say which one is meant: --user USERNAME",
                code="several_people",
            )
        found = having[0] if having else None
    own = None if found is None else addresses.of_person(orjson.loads(found.document))
    if found is not None and text.fold(own or "") != key:
        name = orjson.loads(found.document)["userName"]
        raise errors.Refused(
            f"Letters to {name} go to {own or 'nowhere'}. Invite at that address, or have it changed first.",
            code="other_address",
        )
    return found


def _awaited(work: Work, user_name: str) -> tuple[Any, dict[str, Invitation], Invitation]:
    """A person, the rows, and the one that an answer is awaited for, or was: the invitation comes first. All locked."""
    rows = invitations.of_person(work, direct.found_person(work, user_name).seq, locked=True)
    user = direct.locked_person(work, user_name)
    direct.refuse_absent(user, user_name)
    if not rows:
        raise _never_invited(user_name)
    for kind in (INVITATION, VERIFICATION):
        if kind in rows and rows[kind].state != DONE:
            return user, rows, rows[kind]
    raise errors.Refused(f"{user_name} has accepted and verified already.", code="answered")


def _reachable(work: Work, user: Any, kind: str) -> Addressee:
    document = users.find(work, user.id).document
    one = letters.addressee(work, user.seq, document)
    if one is None:
        raise errors.Refused(f"{document['userName']} has no address that a letter could go to.", code="no_address")
    return one


def _never_invited(user_name: str) -> errors.NotFound:
    return errors.NotFound(
        f"{user_name} has no open invitation. Invite with: scim-service invitation create", code="not_invited"
    )


def _state(rows: dict[str, Invitation], kind: str) -> str | None:
    return rows[kind].state if kind in rows else None
