"""The pages that links of letters open (reliability.md 2.8): looked at without effect, answered once."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scim_service.access import admins, invitations, links, roles, tenants
from scim_service.access.attempts import ALLOWED
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.app import create_app
from scim_service.directory import invitations as asking
from scim_service.directory import people
from scim_service.endpoints.pages import kinds, texts
from scim_service.licensing import catalog, reclaim_asks
from scim_service.storage import epoch
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT
from tests import service
from tests.conftest import START, SettableClock
from tests.invited import ALICE, CLI, URL, House
from tests.rows import everything

BOB = "bob@acme.example"


@pytest.fixture
def house(store: Store, clock: SettableClock) -> Iterator[House]:
    made = House(store, clock)
    yield made
    made.check()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    return create_app(service.settings(store.database.url), store).test_client()


def get(client: FlaskClient, text: str, query: str = "", **headers: str) -> TestResponse:
    return client.get(f"/links/{text}{query}", headers={name.replace("_", "-"): one for name, one in headers.items()})


def post(client: FlaskClient, text: str, token: str | None = None, query: str = "") -> TestResponse:
    """The form of a page, as a browser without scripts sends it."""
    form = {"token": links.form_token(service.SECRET, text) if token is None else token}
    return client.post(f"/links/{text}{query}", data=form)


def words(answer: TestResponse) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True)).split())


def test_L_5_a_hundred_looks_change_nothing_and_then_the_form_accepts(house: House, client: FlaskClient) -> None:
    house.invite()
    text, before = house.link(), everything(house.store)
    for method in ("GET", "HEAD") * 50:
        assert client.open(f"/links/{text}", method=method).status_code == 200
    assert everything(house.store) == before
    assert post(client, text).status_code == 200
    assert house.status() == "unverified"


def test_the_form_on_the_page_is_what_accepts(house: House, client: FlaskClient) -> None:
    house.invite()
    text = house.link()
    shown = get(client, text).get_data(as_text=True)
    form = re.search(
        r'<form method="post" action="([^"]*)">\s*<input type="hidden" name="token" value="([^"]*)">', shown
    )
    assert form is not None and form[1] == "?lang=en"
    assert post(client, text, form[2], form[1]).status_code == 200
    assert house.states()[INVITATION] == "done"


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_L_5_without_the_pages_own_token_nothing_is_accepted(house: House, client: FlaskClient, token: str) -> None:
    house.invite()
    answer = post(client, house.link(), token)
    assert (answer.status_code, house.states()[INVITATION]) == (400, "open")
    assert texts.EN["400.lead"] in words(answer)
    other = links.form_token(service.SECRET, house.link(VERIFICATION))
    assert post(client, house.link(), other).status_code == 400


def test_L_5_the_page_lets_nothing_in_and_tells_nobody_its_address(house: House, client: FlaskClient) -> None:
    house.invite()
    for answer in (get(client, house.link()), get(client, "x"), post(client, house.link())):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        html = answer.get_data(as_text=True)
        assert "<script" not in html and "style=" not in html and "http" not in html.replace("https://", "")
        sources = re.findall(r'(?:src|href|action)="([^"]*)"', html)
        assert all(one.startswith(("?lang=", "/links/style.css")) for one in sources)
    sheet = client.get("/links/style.css")
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    assert "url(" not in sheet.get_data(as_text=True) and "@import" not in sheet.get_data(as_text=True)
    sheet.close()


def dead_links(house: House) -> dict[str, str]:
    """Links that open nothing, each for a reason of its own."""
    house.invite("a@acme.example", None)
    house.invite("b@acme.example", None)
    house.invite("c@acme.example", None)
    house.invite("d@acme.example", None)
    found = {"used": house.link(user_name="a@acme.example")}
    house.answer(found["used"])
    found["removed"] = house.link(user_name="b@acme.example")
    house.do(asking.remove, "b@acme.example")
    found["inactive"] = house.link(user_name="d@acme.example")
    house.do(people.deactivate, "d@acme.example")
    row = house.rows("c@acme.example")[INVITATION]
    swapped = {
        "kind": VERIFICATION,
        "tenant_id": 99,
        "seq": row.seq + 1,
        "cycle": 7,
        "nonce": "x",
        "email": "e@x.example",
    }
    for name, value in swapped.items():
        subject = links.Subject(**{**vars(row.subject), name: value})
        found[f"another {name}"] = links.made(service.SECRET, 1, "", subject).rpartition("/")[2]
    found["of another epoch"] = links.made(service.SECRET, 2, "", row.subject).rpartition("/")[2]
    nothing = links.Subject(links.KEEP, 1, 1, 1, "", "")
    found["of a question that was never asked"] = links.made(service.SECRET, 1, "", nothing).rpartition("/")[2]
    text = house.link(user_name="c@acme.example")
    found |= {"forged": text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB"), "short": text[:-1], "nonsense": "x"}
    found["expired"] = text
    house.clock.set(START + timedelta(hours=264))
    return found


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_L_6_every_link_that_opens_nothing_is_answered_alike(house: House, client: FlaskClient, lang: str) -> None:
    answers = {}
    for name, text in dead_links(house).items():
        for method, answer in (
            ("GET", get(client, text, f"?lang={lang}")),
            ("POST", post(client, text, None, f"?lang={lang}")),
        ):
            kept = {one: value for one, value in answer.headers.items() if one != "X-Request-Id"}
            answers[name, method] = (answer.status_code, answer.data, kept)
    assert len({repr(one) for one in answers.values()}) == 1, answers.keys()
    status, body, _ = next(iter(answers.values()))
    assert status == 404
    assert texts.BY_LANGUAGE[lang]["404.title"] in body.decode()


def test_L_1_a_forged_link_costs_no_statement(house: House, store: Store, client: FlaskClient) -> None:
    house.invite()
    text = house.link()
    told: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        told.append(statement)

    engines = (store.database.reads, store.database.writes, store.database.asks)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    for place in range(0, len(text), 3):
        forged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert get(client, forged).status_code in (404, 429)
        assert post(client, forged).status_code in (404, 429)
    assert told == []
    assert get(client, text).status_code == 200
    assert told != []


def test_L_6_who_tries_many_dead_links_waits_and_a_living_one_opens_all_the_same(
    house: House, client: FlaskClient
) -> None:
    house.invite()
    for _ in range(ALLOWED):
        assert get(client, "x").status_code == 404
    slowed = get(client, "x")
    assert slowed.status_code == 429 and int(slowed.headers["Retry-After"]) > 0
    assert texts.EN["429.title"] in words(slowed)
    assert get(client, house.link()).status_code == 200


def test_L_7_no_header_of_a_request_comes_into_a_page_or_a_letter(house: House, client: FlaskClient) -> None:
    house.invite()
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = get(client, house.link(), **{name.replace("-", "_"): one for name, one in hostile.items()})
    assert answer.status_code == 200 and b"evil" not in answer.data
    assert all("evil" not in row.facts for row in house.letters())


def test_the_page_speaks_the_persons_language_then_the_browsers_then_the_tenants(
    house: House, client: FlaskClient
) -> None:
    house.invite(ALICE, None, language="fr")
    house.invite(BOB, None)
    alice, bob = house.link(), house.link(user_name=BOB)
    assert get(client, alice, Accept_Language="en").headers["Content-Language"] == "fr"
    assert get(client, alice, "?lang=en").headers["Content-Language"] == "en"
    assert get(client, alice, "?lang=xx").headers["Content-Language"] == "fr"
    assert get(client, bob, Accept_Language="fr-CA, en;q=0.5").headers["Content-Language"] == "fr"
    assert get(client, bob).headers["Content-Language"] == "en"
    house.set(language="fr")
    assert get(client, bob).headers["Content-Language"] == "fr"
    assert get(client, "x", Accept_Language="fr").headers["Content-Language"] == "fr"
    assert 'lang="fr"' in get(client, bob).get_data(as_text=True)


def test_the_page_tells_what_for_and_afterwards_where_to_go(house: House, client: FlaskClient) -> None:
    more = {
        "product_name": "Lift <& Co>",
        "product_url": "https://lift.example/start",
        "support_contact": "help@acme.example",
    }
    house.set(**more, documentation_url="https://lift.example/docs")
    house.invite()
    shown = words(get(client, house.link()))
    for part in ("You are invited to Lift &lt;&amp; Co&gt;", "Acme invites you", ALICE, "Premium", "help@acme.example"):
        assert part in shown
    done = post(client, house.link())
    assert re.findall(r'href="(https://[^"]*)" rel="([^"]*)"', done.get_data(as_text=True)) == [
        ("https://lift.example/start", "noreferrer noopener"),
        ("https://lift.example/docs", "noreferrer noopener"),
    ]
    assert "confirm your address" in words(done)
    assert "?lang=" not in done.get_data(as_text=True), "another look at a used link would tell that it is dead"
    verified = post(client, house.link(VERIFICATION))
    assert texts.EN["verification.done.title"] in words(verified)
    assert house.status() == "active"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_BS_04_an_administrator_accepts_by_the_page(house: House, client: FlaskClient, lang: str) -> None:
    house.do(admins.add, BOB, "Bob", roles.OPERATOR)
    row = next(one for one in house.ask(invitations.listing) if one.administrator_seq)
    text = links.made(service.SECRET, house.ask(epoch.of), URL, row.subject).rpartition("/")[2]
    role = texts.BY_LANGUAGE[lang]["role.operator"]
    assert role in words(get(client, text, f"?lang={lang}"))
    assert role in words(post(client, text, None, f"?lang={lang}"))
    assert not house.ask(admins.find, BOB).pending


def test_BK_27_every_page_is_in_english_and_french_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert texts.EN.keys() == texts.FR.keys()
    assert [one for one in texts.EN if blanks(texts.EN[one]) != blanks(texts.FR[one])] == []
    assert all(text.strip() == text for one in (texts.EN, texts.FR) for text in one.values())
    assert {one for one in texts.EN if one.startswith("role.")} == {f"role.{one}" for one in roles.ROLES}
    assert kinds.KINDS.keys() == links.KINDS.keys()


def test_another_tenants_link_acts_in_that_tenant_alone(house: House, client: FlaskClient) -> None:
    house.invite()
    with house.store.writing(EVERY_TENANT, CLI) as work:
        globex = tenants.create(work, "globex", "Globex").id
        asking.create(work, "charlie@globex.example")
    assert "Charlie" not in words(get(client, house.link()))
    post(client, house.link())
    with house.store.reading(globex, CLI) as work:
        assert people.profile(work, "charlie@globex.example").status == "invited"


def test_what_is_not_possible_is_told_as_a_page_too(house: House, client: FlaskClient) -> None:
    house.invite()
    for method, path, status in (
        ("PUT", f"/links/{house.link()}", 405),
        ("GET", "/links", 404),
        ("GET", "/links/a/b", 404),
        ("GET", "/links/%00", 404),
    ):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), path
    large = client.post(f"/links/{house.link()}", data={"token": "x" * 10_000})
    assert (large.status_code, large.mimetype) == (413, "text/html")


def test_plain_http_from_elsewhere_is_refused_as_with_tokens(house: House, client: FlaskClient) -> None:
    house.invite()
    answer = client.get(f"/links/{house.link()}", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert (answer.status_code, answer.mimetype) == (403, "text/html")


@pytest.mark.parametrize(("kind", "held"), [(links.KEEP, {"premium": "assigned"}), (links.GIVE_UP, {})])
def test_E_29_an_idle_person_keeps_a_license_or_gives_it_back_by_the_page(
    house: House, client: FlaskClient, kind: str, held: dict[str, str]
) -> None:
    house.do(catalog.update_type, "premium", reclaim=30, reclaim_asks=True)
    house.do(people.add, people.form("alice", email=ALICE), "premium")
    house.clock.advance(timedelta(days=31))
    assert house.do(reclaim_asks.begin) == 1
    subject = house.ask(reclaim_asks.subject, kind, 1)
    text = links.made(service.SECRET, 1, "", subject).rpartition("/")[2]
    for lang in ("en", "fr"):
        assert "Premium" in words(get(client, text, f"?lang={lang}"))
    assert house.holds("alice") == {"premium": "assigned"}
    done = post(client, text)
    assert (done.status_code, texts.EN[f"{kind}.done.title"] in words(done)) == (200, True)
    assert house.holds("alice") == held
    other = links.GIVE_UP if kind == links.KEEP else links.KEEP
    again = links.made(service.SECRET, 1, "", house.ask(reclaim_asks.subject, other, 1)).rpartition("/")[2]
    assert [get(client, one).status_code for one in (text, again)] == [404, 404]
