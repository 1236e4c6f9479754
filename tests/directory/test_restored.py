"""After a backup was restored nothing that was ended since comes back to life (reliability.md F20)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit
from scim_service.access import admins, connections, credentials, invitations, links
from scim_service.access.invitations import DONE, OPEN, REMOVED
from scim_service.access.links import INVITATION, VERIFICATION, Link
from scim_service.access.restored import Rights, Token
from scim_service.delivery import outbox
from scim_service.delivery.outbox import Message
from scim_service.directory import accounts, answers, people, restored
from scim_service.directory import invitations as asking
from scim_service.directory.restored import Group, Review
from scim_service.licensing import catalog, contracts, direct, rules, usage, verify
from scim_service.storage import copying, epoch, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests import service
from tests.conftest import SettableClock
from tests.service import Cast

ACTOR = Actor("cli", "test")
HOUR = timedelta(hours=1)
OUTBOX = tables.delivery.outbox
USERS = tables.directory.users


class Installation:
    """The service as it goes on (`cast`), and `new`, where a backup of it was restored to."""

    def __init__(self, cast: Cast, new: Store) -> None:
        self.cast = cast
        self.new = new

    def back_up(self) -> None:
        """Keep all of it, as it is now."""
        copying.copy(
            self.cast.store.database,
            self.new.database,
            now=self.new.clock.now(),
            judge=lambda _: [],
            progress=lambda *_: None,
        )

    def review(self, *, compared: bool = True) -> Review:
        """What `restore` does with the backup once it is in place."""
        with self.cast.reading(EVERY_TENANT) as old, self.new.writing(EVERY_TENANT, ACTOR) as work:
            return restored.review(work, replace(old, tenant_id=EVERY_TENANT) if compared else None)

    def restored(self) -> Cast:
        """The service on the restored database."""
        return service.moved(self.cast, self.new)

    def seen(self, tenant_id: int | None = None) -> Any:
        return self.new.reading(tenant_id or self.cast.acme_id, ACTOR)


@pytest.fixture
def installation(cast: Cast, empty_url: str, clock: SettableClock) -> Iterator[Installation]:
    with closing(Database(empty_url, threads=4, synchronous="OFF")) as database:
        yield Installation(cast, Store(database, clock))


def token(of: Cast, name: str = "rfc") -> str:
    with of.writing() as work:
        return credentials.create(work, connections.find(work, name))


def prefix(one: str) -> Token:
    return Token("acme", "rfc", one[5:13])


def works(of: Cast, one: str) -> bool:
    return service.Caller(of.app.test_client(), one).get("/Users").status == 200


def test_a_token_that_was_revoked_since_the_backup_stays_revoked(
    installation: Installation, clock: SettableClock
) -> None:
    ended, kept = token(installation.cast), token(installation.cast)
    installation.back_up()
    clock.advance(HOUR)
    with installation.cast.writing() as work:
        credentials.revoke(work, ended[5:13])
        at = work.now
    clock.advance(HOUR)
    assert installation.review().tokens.revoked == (prefix(ended),)
    now = installation.restored()
    assert (works(now, ended), works(now, kept)) == (False, True)
    with installation.seen() as work:
        assert credentials.find(work, ended[5:13]).revoked_at == at
        event = audit.about(work, ended[5:13])[-1]
        assert (event.action, event.data["reason"]) == ("token:revoked", "restored")


def test_a_token_that_was_rotated_since_ends_when_it_was_to_end(
    installation: Installation, clock: SettableClock
) -> None:
    old = token(installation.cast)
    installation.back_up()
    with installation.cast.writing() as work:
        new = credentials.rotate(work, connections.find(work, "rfc"), old[5:13], 30, HOUR)
    told = installation.review().tokens
    assert (told.revoked, told.lost) == ((prefix(old),), (prefix(new),))
    now = installation.restored()
    assert works(now, old)
    assert not works(now, new)
    clock.advance(HOUR)
    assert not works(now, old)


def test_a_token_that_the_backup_knows_as_ended_is_not_prolonged(
    installation: Installation, clock: SettableClock
) -> None:
    ended = token(installation.cast)
    with installation.cast.writing() as work:
        credentials.revoke(work, ended[5:13])
        at = work.now
    installation.back_up()
    clock.advance(HOUR)
    assert installation.review().tokens.revoked == ()
    with installation.seen() as work:
        assert credentials.find(work, ended[5:13]).revoked_at == at


def test_what_the_old_database_does_not_know_is_to_be_looked_at_if_it_works(installation: Installation) -> None:
    installation.back_up()
    now = installation.restored()
    live, over = token(now), token(now)
    with now.writing() as work:
        credentials.revoke(work, over[5:13])
    told = installation.review().tokens
    assert told.review == (prefix(live),)
    assert works(now, live)


def test_without_a_database_to_compare_with_every_token_that_works_is_to_be_looked_at(
    installation: Installation,
) -> None:
    installation.back_up()
    told = installation.review(compared=False)
    assert not told.compared
    assert {(one.tenant, one.connection) for one in told.tokens.review} == {
        ("acme", "rfc"),
        ("acme", "okta"),
        ("acme", "entra"),
        ("globex", "rfc"),
    }
    assert (told.tokens.revoked, told.tokens.lost, told.administrators, told.banned) == ((), (), (), ())
    assert (told.deactivated, told.deleted) == (Group(0, ()), Group(0, ()))


def test_the_epoch_rises_above_both_and_no_number_comes_twice(installation: Installation) -> None:
    installation.back_up()
    first = installation.review().epoch
    assert first > epoch.FIRST
    with installation.cast.store.writing(EVERY_TENANT, ACTOR) as work:
        old = epoch.rise(work, above=first + 7)
        assert old == first + 8
    assert installation.review().epoch == old + 1
    assert installation.review(compared=False).epoch == old + 2
    with installation.seen(EVERY_TENANT) as work:
        assert epoch.of(work) == old + 2


def test_a_backup_that_is_restored_again_has_another_epoch_also_where_nothing_is_known_of_the_first_time(
    installation: Installation, clock: SettableClock
) -> None:
    installation.back_up()
    first = installation.review(compared=False).epoch
    with installation.new.writing(EVERY_TENANT, ACTOR) as work:
        work.execute(sa.update(tables.jobs.installation).values(value="1"))
    clock.advance(timedelta(seconds=1))
    assert installation.review(compared=False).epoch > first


def link_of(work: Work, user_name: str, kind: str) -> Link:
    """The link that a letter to this person would have now."""
    row = invitations.of_person(work, direct.found_person(work, user_name).seq)[kind]
    url = links.made(service.SECRET, epoch.of(work), "https://scim.example", row.subject)
    found = links.read(service.SECRET, url.rpartition("/")[2])
    assert found is not None
    return found


def opens(work: Work, link: Link) -> bool:
    return invitations.living(work, service.SECRET, link) is not None


def status(work: Work, user_name: str, kind: str) -> str:
    return invitations.of_person(work, direct.found_person(work, user_name).seq)[kind].state


def test_a_link_from_before_is_dead_and_another_one_is_sent(installation: Installation) -> None:
    with installation.cast.writing() as work:
        asking.create(work, "ann@acme.example")
        link = link_of(work, "ann@acme.example", INVITATION)
    installation.back_up()
    with installation.seen() as work:
        assert opens(work, link)
    installation.review()
    with installation.seen() as work:
        assert not opens(work, link)
        assert opens(work, link_of(work, "ann@acme.example", INVITATION))


def test_an_invitation_that_was_accepted_since_stays_accepted_and_nobody_is_reminded_or_welcomed_twice(
    installation: Installation, clock: SettableClock
) -> None:
    cast = installation.cast
    with cast.writing() as work:
        asking.create(work, "ann@acme.example")
        asking.create(work, "ben@acme.example")
        first = link_of(work, "ann@acme.example", INVITATION)
    installation.back_up()
    clock.advance(HOUR)
    for kind in (INVITATION, VERIFICATION):
        with cast.writing() as work:
            answers.accept(work, service.SECRET, link_of(work, "ann@acme.example", kind))
    with cast.writing() as work:
        every = sa.update(OUTBOX).where(OUTBOX.c.tenant_id == sa.bindparam("tenant"))
        work.execute(every.values(state=outbox.SENT, ended_at=work.now))
        answers.accept(work, service.SECRET, link_of(work, "ben@acme.example", INVITATION))
    told = installation.review()
    assert told.invitations == {DONE: 3}
    with installation.seen() as work:
        assert [status(work, "ann@acme.example", kind) for kind in (INVITATION, VERIFICATION)] == [DONE, DONE]
        assert [status(work, "ben@acme.example", kind) for kind in (INVITATION, VERIFICATION)] == [DONE, OPEN]
        assert not opens(work, first)
        waiting = sa.select(OUTBOX.c.letter).where(
            OUTBOX.c.tenant_id == sa.bindparam("tenant"), OUTBOX.c.state == "queued"
        )
        assert work.rows(waiting) == []
        ladder = invitations.of_person(work, direct.found_person(work, "ben@acme.example").seq)[VERIFICATION]
        assert ladder.anchor_at is not None


def test_an_invitation_that_was_taken_back_since_stays_so_and_its_seat_is_free(installation: Installation) -> None:
    cast = installation.cast
    cast.acme.user("cleo@acme.example", emails=[{"value": "cleo@acme.example"}])
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": 2})
        asking.create(work, "ann@acme.example", type_code="pro")
        people.add(work, people.form("dora@acme.example", "", "", "dora@acme.example"))
        asking.create(work, "dora@acme.example", type_code="pro")
    cast.acme.group("All", named(cast, "dora@acme.example"))
    installation.back_up()
    with cast.writing() as work:
        asking.remove(work, "ann@acme.example")
        asking.remove(work, "dora@acme.example")
    told = installation.review()
    assert told.invitations == {REMOVED: 2}
    with installation.seen() as work:
        assert [line.used for line in usage.seats(work)] == [0]
        assert told.deleted == Group(0, ())
        assert status(work, "dora@acme.example", VERIFICATION) == REMOVED
        assert verify.findings(work) == []
    assert installation.restored().acme.names('userName sw "ann"') == []


def named(cast: Cast, user_name: str) -> str:
    found: str = cast.acme.get("/Users", filter=f'userName eq "{user_name}"').body["Resources"][0]["id"]
    return found


def test_an_administrator_who_accepted_since_stays_one_and_one_who_was_invited_since_is_lost(
    installation: Installation,
) -> None:
    cast = installation.cast
    with cast.writing() as work:
        admins.add(work, "ann@acme.example", "Ann", "administrator")
    installation.back_up()
    with cast.writing() as work:
        seq = admins.find(work, "ann@acme.example").seq
        row = invitations.of_administrator(work, seq)
        assert row is not None
        url = links.made(service.SECRET, epoch.of(work), "https://scim.example", row.subject)
        link = links.read(service.SECRET, url.rpartition("/")[2])
        assert link is not None
        answers.accept(work, service.SECRET, link)
        admins.add(work, "ben@acme.example", "Ben", "auditor")
    assert installation.review().invitations == {DONE: 1}
    with installation.seen() as work:
        assert [(one.email, one.pending) for one in admins.listing(work)] == [("ann@acme.example", False)]


def test_who_was_inactive_at_the_backup_and_accepted_since_can_still_be_asked(
    installation: Installation, clock: SettableClock
) -> None:
    cast = installation.cast
    with cast.writing() as work:
        asking.create(work, "ann@acme.example")
    ann = named(cast, "ann@acme.example")
    with cast.writing() as work:
        inactive = sa.update(USERS).where(USERS.c.tenant_id == sa.bindparam("tenant"), USERS.c.id == ann)
        work.execute(inactive.values(active=False))
    installation.back_up()
    with cast.writing() as work:
        work.execute(inactive.values(active=True))
        answers.accept(work, service.SECRET, link_of(work, "ann@acme.example", INVITATION))
    assert installation.review().invitations == {}
    with installation.seen() as work:
        assert status(work, "ann@acme.example", INVITATION) == OPEN


def test_a_ban_since_the_backup_is_a_ban_again_and_the_seat_goes_to_who_waits(
    installation: Installation, clock: SettableClock
) -> None:
    cast = installation.cast
    ann, ben = cast.acme.user("Ann@acme.example"), cast.acme.user("ben@acme.example")
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": 1})
        direct.assign(work, ann["userName"], "pro")
    sell_by_group(cast, ben["id"])
    installation.back_up()
    clock.advance(HOUR)
    with cast.writing() as work:
        people.ban(work, ann["userName"], "left with the keys")
    told = installation.review()
    assert told.banned == (ann["id"],)
    with installation.seen() as work:
        found = people.profile(work, ann["userName"])
        assert (found.banned, found.account.ban_reason) == (True, "left with the keys")
        assert [one.state for one in usage.of_person(work, direct.found_person(work, ben["userName"]).seq)] == [
            "assigned"
        ]
        assert verify.findings(work) == []
    assert installation.review().banned == ()


def sell_by_group(cast: Cast, *members: str) -> None:
    cast.acme.group("Sales", *members)
    with cast.writing() as work:
        rules.create(work, "Sales", "pro")


def test_sessions_and_keys_that_were_ended_since_stay_ended_and_an_earlier_end_moves_nothing(
    installation: Installation, clock: SettableClock
) -> None:
    cast = installation.cast
    ann, ben = cast.acme.user("ann@acme.example"), cast.acme.user("ben@acme.example")
    installation.back_up()
    clock.advance(HOUR)
    with cast.writing() as work:
        people.flag(work, ann["userName"], void_sessions=True)
        people.flag(work, ben["userName"], void_api_keys=True)
        at = work.now
    clock.advance(HOUR)
    now = installation.restored()
    with now.writing() as work:
        people.flag(work, ben["userName"], void_sessions=True, void_api_keys=True)
        later = work.now
    installation.review()
    with installation.seen() as work:
        of = {one["userName"]: direct.found_person(work, one["userName"]).seq for one in (ann, ben)}
        first, second = (accounts.find(work, seq) for seq in of.values())
    assert (first.sessions_void_before, first.api_keys_void_before) == (at, None)
    assert (second.sessions_void_before, second.api_keys_void_before) == (later, later)


def test_who_was_deactivated_or_deleted_since_is_back_as_the_backup_says_and_is_told(
    installation: Installation,
) -> None:
    cast = installation.cast
    ann, ben, cleo = (cast.acme.user(f"{name}@acme.example", active=True) for name in ("ann", "ben", "cleo"))
    gone = cast.acme.user("gone@acme.example", active=False)
    installation.back_up()
    assert cast.acme.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False}).status == 200
    assert cast.acme.delete(f"/Users/{ben['id']}").status == 204
    cast.acme.user("new@acme.example")
    told = installation.review()
    assert (told.deactivated, told.deleted) == (Group(1, (ann["id"],)), Group(1, (ben["id"],)))
    now = installation.restored().acme
    states = {one["userName"]: one["active"] for one in now.get("/Users").body["Resources"]}
    assert states == {
        "ann@acme.example": True,
        "ben@acme.example": True,
        "cleo@acme.example": True,
        gone["userName"]: False,
    }
    assert now.get(f"/Users/{cleo['id']}").status == 200


def test_many_people_are_counted_and_a_thousand_of_them_named(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored, "MOST", 2)
    made = [installation.cast.acme.user(f"p{number}@acme.example") for number in range(4)]
    installation.back_up()
    for one in made:
        installation.cast.acme.delete(f"/Users/{one['id']}")
    told = installation.review().deleted
    assert (told.count, told.ids) == (4, tuple(sorted(one["id"] for one in made)[:2]))


def test_administrators_with_rights_that_they_had_no_more_are_told_and_nobody_elses_change(
    installation: Installation, clock: SettableClock
) -> None:
    cast = installation.cast
    with cast.writing() as work:
        for name in ("ann", "ben", "cleo"):
            admins.add(work, f"{name}@acme.example", name, "administrator")
    installation.back_up()
    with cast.writing() as work:
        admins.remove(work, "ann@acme.example")
        admins.remove(work, "ben@acme.example")
    clock.advance(HOUR)
    with cast.writing() as work:
        admins.add(work, "ben@acme.example", "ben", "auditor")
        admins.add(work, "dora@acme.example", "dora", "auditor")
    assert installation.review().administrators == (
        Rights("acme", "ann@acme.example", "administrator", None),
        Rights("acme", "ben@acme.example", "administrator", "auditor"),
    )


def test_a_letter_that_left_since_does_not_leave_again(installation: Installation, clock: SettableClock) -> None:
    cast = installation.cast
    with cast.writing() as work:
        outbox.post(work, [Message(key, "welcome", f"{key}@acme.example", "en") for key in ("sent", "dead", "waits")])
    installation.back_up()
    clock.advance(HOUR)
    with cast.writing() as work:
        for key, state, reason in (("sent", outbox.SENT, None), ("dead", outbox.DEAD, "550 no such user")):
            ended = sa.update(OUTBOX).where(OUTBOX.c.tenant_id == sa.bindparam("tenant"), OUTBOX.c.message_key == key)
            work.execute(ended.values(state=state, reason=reason, ended_at=work.now))
        at = work.now
        outbox.post(work, [Message("later", "welcome", "later@acme.example", "en")])
    assert installation.review().letters == 2
    with installation.seen() as work:
        rows = work.rows(sa.select(OUTBOX).where(OUTBOX.c.tenant_id == sa.bindparam("tenant")))
    assert {row.message_key: (row.state, row.reason, row.ended_at) for row in rows} == {
        "sent": (outbox.SENT, None, at),
        "dead": (outbox.DEAD, "550 no such user", at),
        "waits": (outbox.QUEUED, None, None),
    }


def test_every_tenants_log_tells_of_the_restore(installation: Installation) -> None:
    installation.back_up()
    told = installation.review()
    for tenant_id, slug in ((installation.cast.acme_id, "acme"), (installation.cast.globex_id, "globex")):
        with installation.seen(tenant_id) as work:
            last = audit.about(work, slug)[-1]
        assert (last.action, last.data) == ("tenant:restored", {"epoch": told.epoch})
