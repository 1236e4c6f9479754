"""Letters leave: once, when they can, if they are still true, whatever the mail server does (F4, F11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_service.access import admins, links
from scim_service.delivery import compose, sending
from scim_service.delivery.compose import Office
from scim_service.delivery.sending import LEASE, WAITS
from scim_service.jobs import outbox as job
from scim_service.jobs import truth
from scim_service.jobs.job import Report
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests import mailserver, service
from tests.conftest import SettableClock
from tests.mailserver import CUT, MailServer
from tests.posted import Post

MOMENT = timedelta(milliseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACTOR = Actor("job", "test")
INVITATIONS = tables.access.invitations


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mailserver.running() as running:
        yield running


@pytest.fixture
def post(store: Store, server: MailServer) -> Post:
    """Acme and Globex, a mail server that is well, and nothing in the outbox."""
    made = Post(service.assemble(store))
    made.clear()
    made.use(server)
    return made


def recipients(server: MailServer) -> list[str]:
    return [one.recipients[0] for one in server.accepted]


def test_F4_a_letter_is_sent_once_and_marked(post: Post, server: MailServer) -> None:
    post.write("ann@acme.example")
    assert post.run() == Report(1, 0)
    assert post.run() == Report(0, 0)
    (entry,) = post.entries()
    assert (entry.state, entry.reason, entry.tries, entry.leased_until) == ("sent", None, 1, None)
    assert entry.ended_at == post.cast.store.clock.now()
    office = Office("no-reply@vendor.example", service.SECRET)
    (got,) = server.received
    assert got.message_id == compose.message_id(office, post.cast.acme_id, "welcome:ann@acme.example")


def test_a_letter_leaves_not_before_its_time(post: Post, server: MailServer, clock: SettableClock) -> None:
    post.write("ann@acme.example", not_before=clock.now() + HOUR)
    assert post.run() == Report(0, 0)
    clock.advance(HOUR)
    assert post.run() == Report(1, 0)


def test_F4_who_left_meanwhile_is_not_written_to(post: Post, server: MailServer) -> None:
    ann = post.cast.acme.user("ann", emails=[{"value": "ann@acme.example"}])
    post.cast.acme.user("ben", emails=[{"value": "ben@acme.example"}])
    post.clear()
    post.write("ann@acme.example", user_seq=post.seq("ann"))
    post.write("ben@acme.example", user_seq=post.seq("ben"))
    post.cast.acme.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    post.run()
    assert recipients(server) == ["ben@acme.example"]
    assert [(one.state, one.reason) for one in post.entries()] == [("cancelled", truth.INACTIVE), ("sent", None)]


def test_F11_what_the_server_will_not_have_now_is_tried_for_three_days_and_then_given_up(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    server.behave(answers={"RCPT": "450 4.2.1 greylisted"})
    post.write("ann@acme.example")
    began = clock.now()
    waited = []
    for wait in WAITS:
        assert post.run() == Report(0, 1)
        (entry,) = post.entries()
        assert (entry.state, entry.reason) == ("queued", "450 4.2.1 greylisted")
        waited.append(entry.due_at - clock.now())
        clock.advance(wait - MOMENT)
        assert post.run() == Report(0, 0)
        clock.advance(MOMENT)
    post.run()
    assert waited == [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, DAY, DAY, 15 * HOUR + 24 * MINUTE]
    assert clock.now() - began == 3 * DAY
    assert post.states()["ann@acme.example"] == "dead"
    assert server.accepted == []


def test_F11_a_letter_that_waited_nearly_three_days_still_arrives(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    server.stop()
    post.write(*(f"{number}@acme.example" for number in range(50)))
    for wait in WAITS:
        while post.run().failed:
            pass
        clock.advance(wait)
    server.start()
    assert post.run() == Report(50, 0)
    assert len(set(recipients(server))) == 50


def test_F11_a_refused_recipient_ends_its_own_letter_alone(post: Post, server: MailServer) -> None:
    server.behave(by_recipient={"bad@acme.example": "550 5.1.1 no such user"})
    post.write("ann@acme.example", "bad@acme.example", "ben@acme.example")
    assert post.run() == Report(2, 1)
    assert recipients(server) == ["ann@acme.example", "ben@acme.example"]
    assert [(one.state, one.reason) for one in post.entries()][:3] == [
        ("sent", None),
        ("dead", "550 5.1.1 no such user"),
        ("sent", None),
    ]


@pytest.mark.parametrize("said", ["550 5.7.1 sender refused", "530 5.7.0 authenticate first"])
def test_F11_trouble_with_ourselves_kills_no_letter(post: Post, server: MailServer, said: str) -> None:
    server.behave(answers={"MAIL": said})
    post.write("ann@acme.example")
    post.run()
    (entry,) = post.entries()
    assert (entry.state, entry.reason, entry.tries) == ("queued", said, 1)


def test_F11_a_connection_that_is_cut_after_the_content_sends_again_under_the_same_name(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    server.behave(answers={"DATA": CUT}, first=1)
    post.write("ann@acme.example")
    assert post.run() == Report(0, 1)
    clock.advance(MINUTE)
    assert post.run() == Report(1, 0)
    one, other = server.accepted
    assert one.message_id == other.message_id


def test_F11_a_connection_that_is_cut_costs_the_next_letter_nothing(post: Post, server: MailServer) -> None:
    server.behave(by_recipient={"bad@acme.example": CUT})
    post.write("ann@acme.example", "bad@acme.example", "ben@acme.example")
    assert post.run() == Report(2, 1)
    assert post.states() == {"ann@acme.example": "sent", "bad@acme.example": "queued", "ben@acme.example": "sent"}


def test_F22_a_letter_that_cannot_be_written_is_parked_after_eight_tries_and_the_rest_go_on(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    post.write("bad@acme.example", letter="dead_letters", facts={"count": "few"})
    post.write("worse@acme.example", letter="no_such_letter")
    post.write("ann@acme.example")
    assert post.run() == Report(1, 2)
    assert recipients(server) == ["ann@acme.example"]
    for wait in WAITS[:7]:
        clock.advance(wait)
        post.run()
    found = {one.recipient: one for one in post.entries()}
    assert (found["bad@acme.example"].state, found["bad@acme.example"].tries) == ("dead", 8)
    assert str(found["bad@acme.example"].reason).startswith(
        "the letter could not be written: ValueError at delivery.letters.alarms"
    )
    assert "KeyError" in str(found["worse@acme.example"].reason)


def test_F11_a_link_that_is_dead_is_not_sent(post: Post, server: MailServer, clock: SettableClock) -> None:
    link = {"kind": "invitation", "seq": _invited(post, cycle=2), "cycle": 1}
    post.write("ann@acme.example", letter="invitation_last", facts={"link": link})
    gone = {"kind": "reclaim_keep", "seq": 99, "cycle": 1}
    post.write("ben@acme.example", letter="verification", facts={"link": gone})
    post.run()
    assert server.received == []
    assert {one.state for one in post.entries()} == {"cancelled"}


def test_L7_links_are_made_when_the_letter_leaves_under_the_configured_url(post: Post, server: MailServer) -> None:
    seq = _invited(post, cycle=2)
    post.write(
        "ann@acme.example", letter="verification", facts={"link": {"kind": "invitation", "seq": seq, "cycle": 2}}
    )
    post.run()
    (got,) = server.received
    part = got.message.get_body(("plain",))
    assert part is not None
    (url,) = [one for one in part.get_content().split() if one.startswith("https://scim.acme.example/links/")]
    link = links.read(service.SECRET, url.rpartition("/")[2])
    assert link is not None
    assert (link.kind, link.tenant_id, link.seq, link.cycle) == ("invitation", post.cast.acme_id, seq, 2)


def test_without_a_public_url_letters_with_links_wait_and_others_go(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    link = {"kind": "invitation", "seq": _invited(post), "cycle": 1}
    post.write("ann@acme.example", letter="verification", facts={"link": link})
    post.write("ben@acme.example")
    post.public_url = ""
    for _ in range(20):
        post.run()
        clock.advance(4 * HOUR)
    assert recipients(server) == ["ben@acme.example"]
    (held, _) = post.entries()
    assert (held.state, held.reason, held.tries) == ("queued", job.NO_BASE, 0)
    post.public_url = "https://scim.acme.example"
    post.run()
    assert recipients(server) == ["ben@acme.example", "ann@acme.example"]


def test_without_a_mail_server_letters_wait_as_long_as_that_takes(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    post.write("ann@acme.example")
    post.smtp_url = None
    for _ in range(10):
        assert post.run() == Report()
        clock.advance(DAY)
    (entry,) = post.entries()
    assert (entry.state, entry.tries) == ("queued", 0)
    post.use(server)
    assert post.run() == Report(1, 0)


def test_a_tenants_thousand_letters_do_not_stand_before_another_ones_only_one(post: Post) -> None:
    post.write(*(f"{number}@acme.example" for number in range(1_000)))
    post.write("charlie@globex.example", tenant_id=post.cast.globex_id)
    with post.cast.store.writing(EVERY_TENANT, ACTOR) as work:
        taken = sending.take(work, "me")
    assert [one.recipient for one in taken[:2]] == ["0@acme.example", "charlie@globex.example"]
    assert [one.recipient for one in taken[2:]] == [f"{number}@acme.example" for number in range(1, 19)]


def test_F4_the_messages_of_a_sender_that_was_killed_come_back_when_its_lease_ends(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    post.write("ann@acme.example")
    with post.cast.store.writing(EVERY_TENANT, ACTOR) as work:
        (taken,) = sending.take(work, "killed")
    clock.advance(LEASE - MOMENT)
    assert post.run() == Report(0, 0)
    clock.advance(MOMENT)
    assert post.run() == Report(1, 0)
    with post.cast.writing() as work:
        assert not sending.put_off(work, taken, "killed", "late")
    assert post.states() == {"ann@acme.example": "sent"}


def test_F4_a_sender_whose_lease_is_about_to_end_leaves_the_letter_alone(post: Post, clock: SettableClock) -> None:
    post.write("ann@acme.example")
    with post.cast.store.writing(EVERY_TENANT, ACTOR) as work:
        (taken,) = sending.take(work, "me")
    with post.cast.reading() as work:
        assert sending.is_held(work, taken, "me")
        assert not sending.is_held(work, taken, "another")
    clock.advance(LEASE - sending.SLACK)
    with post.cast.reading() as work:
        assert not sending.is_held(work, taken, "me")


def test_F12_a_lease_of_a_time_that_was_set_back_counts_as_ended(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    post.write("ann@acme.example")
    clock.advance(DAY)
    with post.cast.store.writing(EVERY_TENANT, ACTOR) as work:
        assert sending.take(work, "killed")
    clock.advance(-DAY)
    assert post.run() == Report(1, 0)


def test_F4_many_senders_at_once_send_each_letter_once(post: Post, server: MailServer) -> None:
    wanted = [f"{number}@acme.example" for number in range(120)]
    post.write(*wanted)
    threads = [threading.Thread(target=post.run) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(recipients(server)) == sorted(wanted)


def test_F11_a_slow_mail_server_slows_no_scim_request(post: Post, server: MailServer) -> None:
    server.behave(seconds=1.5)
    post.write("ann@acme.example", "ben@acme.example")
    sending_it = threading.Thread(target=post.run)
    sending_it.start()
    slowest = 0.0
    for number in range(20):
        began = time.monotonic()
        post.cast.acme.user(f"person-{number}")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    sending_it.join()
    assert slowest < 1.0
    assert len(server.accepted) == 2


def test_N_8_administrators_and_the_operator_are_told_of_dead_letters_once_a_day(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    _administrators(post)
    post.clear()
    server.behave(answers={}, by_recipient={f"bad{n}@acme.example": "550 5.1.1 no such user" for n in range(4)})
    post.write("bad0@acme.example")
    post.write("bad1@acme.example")
    post.run()
    post.run()
    assert sorted(recipients(server)) == ["bob@acme.example", "operator@vendor.example"]
    assert server.accepted[0].message["Subject"] == "2 letters could not be delivered"
    clock.advance(HOUR)
    post.write("bad2@acme.example")
    post.run()
    post.run()
    assert len(server.accepted) == 2
    clock.advance(DAY)
    post.run()
    post.run()
    assert [one.message["Subject"] for one in server.accepted[2:]] == ["1 letter could not be delivered"] * 2
    assert not any("charlie" in one or "olga" in one for one in recipients(server))


def test_N_8_without_an_operator_the_operators_letter_is_cancelled(post: Post, server: MailServer) -> None:
    post.operator = None
    server.behave(by_recipient={"bad@acme.example": "550 5.1.1 no such user"})
    post.write("bad@acme.example")
    post.run()
    post.run()
    (_, alert) = post.entries()
    assert (alert.letter, alert.state, alert.reason) == ("dead_letters", "cancelled", job.NOBODY)


def test_N_8_an_alert_that_cannot_be_delivered_raises_no_alert(
    post: Post, server: MailServer, clock: SettableClock
) -> None:
    server.behave(answers={"RCPT": "550 5.1.1 no such user"})
    post.write("bad@acme.example")
    for _ in range(5):
        post.run()
        clock.advance(2 * DAY)
    assert [(one.letter, one.state) for one in post.entries()] == [("welcome", "dead"), ("dead_letters", "dead")]


def _administrators(post: Post) -> None:
    with post.cast.writing() as work:
        admins.add(work, "bob@acme.example", "Bob", "administrator")
        admins.accept(work, "bob@acme.example")
        admins.add(work, "olga@acme.example", "Olga", "operator")
        admins.accept(work, "olga@acme.example")
        admins.add(work, "pat@acme.example", "Pat", "administrator")


def _invited(post: Post, cycle: int = 1) -> int:
    """An open invitation of Ann, as its row stands."""
    post.cast.acme.user("ann")
    now, ann = post.cast.store.clock.now(), post.seq("ann")
    with post.cast.writing() as work:
        seq: int = work.insert_one(
            INVITATIONS,
            kind="invitation",
            user_seq=ann,
            email="ann@acme.example",
            email_key="ann@acme.example",
            state="open",
            cycle=cycle,
            nonce="a nonce",
            step=0,
            created_at=now,
            created_by="test",
            details="{}",
        )
        return seq


def test_the_outbox_is_asked_for_what_is_due_by_its_index(post: Post) -> None:
    with post.cast.store.database.reads.connect() as connection:
        names = {one["name"] for one in sa.inspect(connection).get_indexes("outbox")}
    assert {"ix_outbox_due", "ix_outbox_dead"} <= names
