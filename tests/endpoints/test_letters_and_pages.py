"""From the letter to the page: whatever this service posts can be written in both languages, and its link opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_service.access import admins, letters, roles
from scim_service.access.links import VERIFICATION
from scim_service.app import create_app
from scim_service.delivery import entries
from scim_service.delivery.entries import Entry
from scim_service.delivery.letters import rendering
from scim_service.delivery.letters.letter import Letter
from scim_service.directory import invitations as asking
from scim_service.directory import people, users
from scim_service.jobs import truth
from scim_service.storage import tables
from scim_service.storage.store import Store
from scim_service.storage.work import Work
from tests import service
from tests.conftest import SettableClock
from tests.invited import ALICE, URL, House

BOB = "bob@acme.example"
_outbox = tables.delivery.outbox
_ALL = sa.select(*entries.columns).where(_outbox.c.tenant_id == sa.bindparam("tenant")).order_by(_outbox.c.seq)
LINK = re.compile(rf"{re.escape(URL)}(/links/[A-Za-z0-9_-]+)")


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


def true_letters(house: House) -> list[tuple[Entry, Letter]]:
    """Every letter that would be sent now, written out."""

    def written(work: Work) -> list[tuple[Entry, Letter]]:
        found = [entries.entry(row) for row in work.rows(_ALL)]
        return [
            (one, letters.live(work, one, service.SECRET, URL)) for one in found if not truth.reason_against(work, one)
        ]

    found: list[tuple[Entry, Letter]] = house.ask(written)
    return found


@pytest.mark.parametrize("language", ["en", "fr"])
def test_BK_11_the_link_in_each_letter_opens_its_page_and_is_answered_there(house: House, language: str) -> None:
    client = create_app(service.settings(house.store.database.url), house.store).test_client()
    house.set(language=language)
    house.do(admins.add, BOB, "Bob", roles.OPERATOR)
    house.invite()
    told = true_letters(house)
    assert [one.letter for one, _ in told] == ["administrator_invited", "invitation", "verification"]
    for _, letter in told:
        [path] = set(LINK.findall(rendering.text(letter)))
        page = client.get(path)
        assert (page.status_code, page.headers["Content-Language"]) == (200, language)
        token = re.search(r'name="token" value="([^"]*)"', page.get_data(as_text=True))
        assert token is not None
        assert client.post(path, data={"token": token[1]}).status_code == 200
    assert (house.status(), house.ask(admins.find, BOB).pending) == ("active", False)
    assert [one.letter for one, _ in true_letters(house)] == ["administrator_designated", "welcome"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_letter_about_invitations_is_written_with_the_facts_that_are_posted(house: House, language: str) -> None:
    house.set(language=language, final_step="send_then_stop")
    seen: set[str] = set()

    def look() -> None:
        seen.update(
            one.letter for one, letter in true_letters(house) if rendering.text(letter) and rendering.html(letter)
        )

    house.do(admins.add, BOB, "Bob", roles.OPERATOR)
    house.invite()
    house.invite("v@acme.example", None)
    house.accept(user_name="v@acme.example")
    for hours in (0, 24, 264):
        house.turn_to(hours)
        look()
    house.accept()
    house.accept(VERIFICATION)
    house.do(admins.accept, BOB)
    house.do(admins.appoint_head, BOB)
    house.do(admins.add, ALICE, "Alice", roles.OPERATOR)
    house.do(admins.accept, ALICE)
    look()
    house.do(admins.appoint_head, ALICE, BOB)
    house.do(people.add, people.form("cem", email="cem@acme.example"), "basic", notify=True)
    house.clock.advance(timedelta(days=1))
    house.do(asking.create, ALICE)
    look()
    document = {"userName": ALICE, "emails": [{"value": "new@acme.example", "primary": True}]}
    house.do(lambda work: users.replace(work, people.profile(work, ALICE).person.id, document))
    look()
    assert seen - {"seats_low"} == {
        *("invitation", "invitation_reminder", "invitation_last"),
        *("verification", "verification_reminder", "verification_last"),
        *("welcome", "belongs_to", "access_created", "address_changed_old", "address_changed_new"),
        *("administrator_invited", "administrator_reminder", "administrator_designated"),
        *("head_appointed", "head_handed_over"),
    }
